//! `_cordon_asymmetric`: RSA and the curves of NIST under the Python modules `cryptography`
//! and `Crypto`.
//!
//! The arithmetic is crates', and none of it knows Python. Numbers pass as octet strings, the
//! highest octet first, so that no integer of Python takes part in work with a secret.

mod nist;
mod rsa;

pub(crate) use _cordon_asymmetric::module_def;

#[rustpython_vm::pymodule]
mod _cordon_asymmetric {
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyBytesRef, PyType, PyUtf8StrRef},
        function::ArgBytesLike,
        pyclass,
        types::Constructor,
    };

    use super::nist::{self, Curve, NonceHash};
    use super::rsa::{self, Private, Refusal};

    fn answer(result: Result<Vec<u8>, Refusal>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        result
            .map(|octets| vm.ctx.new_bytes(octets))
            .map_err(|refusal| vm.new_value_error(refusal))
    }

    fn or_none(result: Option<Vec<u8>>, vm: &VirtualMachine) -> PyObjectRef {
        match result {
            Some(octets) => vm.ctx.new_bytes(octets).into(),
            None => vm.ctx.none(),
        }
    }

    #[pyattr]
    #[pyclass(module = "_cordon_asymmetric", name = "RsaPrivate")]
    #[derive(PyPayload)]
    struct RsaPrivate {
        key: Private,
    }

    impl std::fmt::Debug for RsaPrivate {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("RsaPrivate")
        }
    }

    #[derive(rustpython_vm::FromArgs)]
    struct Numbers {
        #[pyarg(positional)]
        n: ArgBytesLike,
        #[pyarg(positional)]
        e: ArgBytesLike,
        #[pyarg(positional)]
        d: ArgBytesLike,
        #[pyarg(positional)]
        p: ArgBytesLike,
        #[pyarg(positional)]
        q: ArgBytesLike,
    }

    impl Constructor for RsaPrivate {
        type Args = Numbers;
        fn py_new(_cls: &Py<PyType>, numbers: Numbers, vm: &VirtualMachine) -> PyResult<Self> {
            let Numbers { n, e, d, p, q } = &numbers;
            let [n, e, d, p, q] = [n, e, d, p, q].map(|number| number.borrow_buf());
            Private::new([&n, &e, &d, &p, &q])
                .map(|key| Self { key })
                .map_err(|refusal| vm.new_value_error(refusal))
        }
    }

    #[pyclass(with(Constructor))]
    impl RsaPrivate {
        /// The block to the power of the private exponent.
        #[pymethod]
        fn operation(
            zelf: &Py<Self>,
            block: ArgBytesLike,
            vm: &VirtualMachine,
        ) -> PyResult<PyBytesRef> {
            answer(
                zelf.key.operation(&mut rand::rng(), &block.borrow_buf()),
                vm,
            )
        }

        /// The message of RSAES-PKCS1-v1_5, or one that is made up.
        #[pymethod]
        fn decrypt_pkcs1v15(
            zelf: &Py<Self>,
            ciphertext: ArgBytesLike,
            vm: &VirtualMachine,
        ) -> PyResult<PyBytesRef> {
            let message = zelf
                .key
                .decrypt_pkcs1v15(&mut rand::rng(), &ciphertext.borrow_buf());
            answer(message, vm)
        }

        /// Modulus, public exponent, private exponent, both primes.
        #[pymethod]
        fn numbers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            let numbers = zelf.key.numbers().into_iter();
            let numbers = numbers.map(|octets| vm.ctx.new_bytes(octets).into());
            vm.ctx.new_list(numbers.collect()).into()
        }
    }

    /// A new RSA key.
    #[pyfunction]
    fn rsa_generate(bits: usize, exponent: u64, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let key = Private::generate(&mut rand::rng(), bits, exponent)
            .map_err(|refusal| vm.new_value_error(refusal))?;
        Ok(RsaPrivate { key }.into_pyobject(vm))
    }

    /// Raises `ValueError` for numbers that are no public key of RSA.
    #[pyfunction]
    fn rsa_check(n: ArgBytesLike, e: ArgBytesLike, vm: &VirtualMachine) -> PyResult<()> {
        rsa::check_public(&n.borrow_buf(), &e.borrow_buf())
            .map_err(|refusal| vm.new_value_error(refusal))
    }

    /// The block to the power of the public exponent.
    #[pyfunction]
    fn rsa_public(
        n: ArgBytesLike,
        e: ArgBytesLike,
        block: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyBytesRef> {
        let result = rsa::public_operation(&n.borrow_buf(), &e.borrow_buf(), &block.borrow_buf());
        answer(result, vm)
    }

    /// The message in a block with the padding of PKCS#1 v1.5, or `None`.
    #[pyfunction]
    fn pkcs1v15_message(block: ArgBytesLike, vm: &VirtualMachine) -> PyObjectRef {
        or_none(rsa::pkcs1v15_message(&block.borrow_buf()), vm)
    }

    /// The message in an unmasked block of OAEP, or `None`.
    #[pyfunction]
    fn oaep_message(
        first: u8,
        data_block: ArgBytesLike,
        label_hash: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        let message = rsa::oaep_message(first, &data_block.borrow_buf(), &label_hash.borrow_buf());
        or_none(message, vm)
    }

    fn curve(bits: u32, vm: &VirtualMachine) -> PyResult<Curve> {
        Curve::of_bits(bits).ok_or_else(|| vm.new_value_error("no such curve"))
    }

    /// The uncompressed point of a private key of a curve, or `None` for no such key.
    #[pyfunction]
    fn nist_public(bits: u32, secret: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let point = nist::public_point(curve(bits, vm)?, &secret.borrow_buf());
        Ok(or_none(point, vm))
    }

    /// A point of the curve, uncompressed, or `None` for what is none.
    #[pyfunction]
    fn nist_point(bits: u32, octets: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        Ok(or_none(
            nist::point(curve(bits, vm)?, &octets.borrow_buf()),
            vm,
        ))
    }

    /// The shared secret of ECDH, or `None`.
    #[pyfunction]
    fn nist_shared(
        bits: u32,
        secret: ArgBytesLike,
        point: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let shared = nist::shared(curve(bits, vm)?, &secret.borrow_buf(), &point.borrow_buf());
        Ok(or_none(shared, vm))
    }

    /// The signature of a hash: `r` and `s`, of one length.
    #[pyfunction]
    fn nist_sign(
        bits: u32,
        secret: ArgBytesLike,
        hash: ArgBytesLike,
        nonce_hash: PyUtf8StrRef,
        extra: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let nonce_hash = NonceHash::named(nonce_hash.as_str())
            .ok_or_else(|| vm.new_value_error("no nonce is derived with this hash"))?;
        let signature = nist::sign(
            curve(bits, vm)?,
            &secret.borrow_buf(),
            &hash.borrow_buf(),
            nonce_hash,
            &extra.borrow_buf(),
        );
        Ok(or_none(signature, vm))
    }

    /// Whether `r` and `s` are a signature of the hash by the key with this point.
    #[pyfunction]
    fn nist_verify(
        bits: u32,
        point: ArgBytesLike,
        hash: ArgBytesLike,
        signature: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<bool> {
        Ok(nist::verify(
            curve(bits, vm)?,
            &point.borrow_buf(),
            &hash.borrow_buf(),
            &signature.borrow_buf(),
        ))
    }
}
