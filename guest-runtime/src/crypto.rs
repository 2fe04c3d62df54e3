//! `_cordon_crypto`: the primitives under the Python modules `cryptography` and `Crypto`.
//!
//! The ciphers, curves and hashes are crates. This module has the modes of operation of
//! NIST SP 800-38A and 38D over one block, so that one class does for every mode, key
//! length and direction. Python checks lengths and does padding.

pub(crate) use _cordon_crypto::module_def;

use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use ghash::universal_hash::UniversalHash;

const BLOCK: usize = 16;

type Bytes16 = [u8; BLOCK];

/// AES with a key of one of the three lengths.
enum Aes {
    Short(aes::Aes128),
    Middle(aes::Aes192),
    Long(aes::Aes256),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => aes::Aes128::new_from_slice(key).ok().map(Self::Short),
            24 => aes::Aes192::new_from_slice(key).ok().map(Self::Middle),
            32 => aes::Aes256::new_from_slice(key).ok().map(Self::Long),
            _ => None,
        }
    }

    fn encrypt(&self, bytes: Bytes16) -> Bytes16 {
        let mut block = Block::<aes::Aes128>::from(bytes);
        match self {
            Self::Short(aes) => aes.encrypt_block(&mut block),
            Self::Middle(aes) => aes.encrypt_block(&mut block),
            Self::Long(aes) => aes.encrypt_block(&mut block),
        }
        block.into()
    }

    fn decrypt(&self, bytes: Bytes16) -> Bytes16 {
        let mut block = Block::<aes::Aes128>::from(bytes);
        match self {
            Self::Short(aes) => aes.decrypt_block(&mut block),
            Self::Middle(aes) => aes.decrypt_block(&mut block),
            Self::Long(aes) => aes.decrypt_block(&mut block),
        }
        block.into()
    }
}

/// The modes, as Python names them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ecb,
    Cbc,
    Ctr,
    Cfb,
    Cfb8,
    Ofb,
    Gcm,
}

impl Mode {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ECB" => Self::Ecb,
            "CBC" => Self::Cbc,
            "CTR" => Self::Ctr,
            "CFB" => Self::Cfb,
            "CFB8" => Self::Cfb8,
            "OFB" => Self::Ofb,
            "GCM" => Self::Gcm,
            _ => return None,
        })
    }
}

fn xor(left: Bytes16, right: Bytes16) -> Bytes16 {
    std::array::from_fn(|at| left[at] ^ right[at])
}

/// The hash of GCM over data that comes in pieces.
struct Authenticator {
    hash: ghash::GHash,
    rest: Vec<u8>,
    lengths: [u64; 2],
}

impl Authenticator {
    fn new(aes: &Aes) -> Self {
        let key = ghash::Key::from(aes.encrypt([0; BLOCK]));
        Self {
            hash: ghash::GHash::new(&key),
            rest: Vec::new(),
            lengths: [0; 2],
        }
    }

    /// Adds data; `kind` is 0 for data that is authenticated only, 1 for ciphertext.
    fn add(&mut self, kind: usize, data: &[u8]) {
        if kind == 1 && self.lengths[1] == 0 {
            self.pad();
        }
        self.lengths[kind] += data.len() as u64;
        self.rest.extend_from_slice(data);
        let whole = self.rest.len() / BLOCK * BLOCK;
        self.hash.update_padded(&self.rest[..whole]);
        self.rest.drain(..whole);
    }

    fn pad(&mut self) {
        self.hash.update_padded(&self.rest);
        self.rest.clear();
    }

    fn finish(&mut self) -> Bytes16 {
        self.pad();
        let [aad, text] = self.lengths;
        let mut block = [0; BLOCK];
        block[..8].copy_from_slice(&(aad.wrapping_mul(8)).to_be_bytes());
        block[8..].copy_from_slice(&(text.wrapping_mul(8)).to_be_bytes());
        self.hash.update_padded(&block);
        self.hash.clone().finalize().into()
    }
}

/// One encryption or decryption under way.
struct Work {
    aes: Aes,
    mode: Mode,
    encrypts: bool,
    /// Chained block, feedback or counter.
    state: Bytes16,
    /// Output of the cipher for the running block, and how much of it is used.
    stream: Bytes16,
    used: usize,
    /// For GCM: the hash, and the mask of the tag.
    gcm: Option<(Authenticator, Bytes16)>,
}

impl Work {
    fn new(mode: Mode, aes: Aes, iv: &[u8], encrypts: bool) -> Option<Self> {
        let mut work = Self {
            aes,
            mode,
            encrypts,
            state: [0; BLOCK],
            stream: [0; BLOCK],
            used: BLOCK,
            gcm: None,
        };
        match mode {
            Mode::Ecb => {}
            Mode::Gcm => work.start_gcm(iv)?,
            _ => work.state = iv.try_into().ok()?,
        }
        Some(work)
    }

    fn start_gcm(&mut self, iv: &[u8]) -> Option<()> {
        if iv.is_empty() {
            return None;
        }
        if iv.len() == 12 {
            self.state[..12].copy_from_slice(iv);
            self.state[15] = 1;
        } else {
            let mut hash = Authenticator::new(&self.aes);
            hash.add(1, iv);
            self.state = hash.finish();
        }
        let mask = self.aes.encrypt(self.state);
        self.count(4);
        self.gcm = Some((Authenticator::new(&self.aes), mask));
        Some(())
    }

    /// Adds one to the last `width` bytes of the counter.
    fn count(&mut self, width: usize) {
        for byte in self.state.iter_mut().rev().take(width) {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    fn update(&mut self, data: &[u8]) -> Vec<u8> {
        match self.mode {
            Mode::Ecb | Mode::Cbc => self.blocks(data),
            Mode::Cfb8 => data.iter().map(|&byte| self.feedback_byte(byte)).collect(),
            Mode::Gcm => self.counted_and_authenticated(data),
            Mode::Ctr | Mode::Cfb | Mode::Ofb => {
                data.iter().map(|&byte| self.stream_byte(byte)).collect()
            }
        }
    }

    /// Whole blocks. The bytes after the last one are left out; Python keeps them for the next
    /// call.
    fn blocks(&mut self, data: &[u8]) -> Vec<u8> {
        let (blocks, _) = data.as_chunks::<BLOCK>();
        let mut out = Vec::with_capacity(data.len());
        for block in blocks {
            let result = match (self.mode, self.encrypts) {
                (Mode::Cbc, true) => {
                    self.state = self.aes.encrypt(xor(*block, self.state));
                    self.state
                }
                (Mode::Cbc, false) => {
                    let plain = xor(self.aes.decrypt(*block), self.state);
                    self.state = *block;
                    plain
                }
                (_, true) => self.aes.encrypt(*block),
                (_, false) => self.aes.decrypt(*block),
            };
            out.extend_from_slice(&result);
        }
        out
    }

    fn stream_byte(&mut self, byte: u8) -> u8 {
        if self.used == BLOCK {
            self.stream = self.aes.encrypt(self.state);
            self.used = 0;
            match self.mode {
                Mode::Ctr => self.count(BLOCK),
                Mode::Gcm => self.count(4),
                Mode::Ofb => self.state = self.stream,
                _ => {}
            }
        }
        let result = byte ^ self.stream[self.used];
        if self.mode == Mode::Cfb {
            self.state[self.used] = if self.encrypts { result } else { byte };
        }
        self.used += 1;
        result
    }

    fn feedback_byte(&mut self, byte: u8) -> u8 {
        let result = byte ^ self.aes.encrypt(self.state)[0];
        self.state.rotate_left(1);
        self.state[15] = if self.encrypts { result } else { byte };
        result
    }

    fn counted_and_authenticated(&mut self, data: &[u8]) -> Vec<u8> {
        let out: Vec<u8> = data.iter().map(|&byte| self.stream_byte(byte)).collect();
        if let Some((hash, _)) = &mut self.gcm {
            hash.add(1, if self.encrypts { &out } else { data });
        }
        out
    }
}

#[rustpython_vm::pymodule]
mod _cordon_crypto {
    use chacha20poly1305::aead::{AeadInOut, KeyInit};
    use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyBytesRef, PyType, PyUtf8StrRef},
        common::lock::PyMutex,
        function::ArgBytesLike,
        pyclass,
        types::Constructor,
    };

    use super::{Aes, Mode, Work};

    #[pyattr]
    #[pyclass(module = "_cordon_crypto", name = "AesWork")]
    #[derive(PyPayload)]
    struct AesWork {
        work: PyMutex<Work>,
    }

    impl std::fmt::Debug for AesWork {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("AesWork")
        }
    }

    #[derive(rustpython_vm::FromArgs)]
    struct WorkArgs {
        #[pyarg(positional)]
        mode: PyUtf8StrRef,
        #[pyarg(positional)]
        key: ArgBytesLike,
        #[pyarg(positional)]
        iv: ArgBytesLike,
        #[pyarg(positional)]
        encrypts: bool,
    }

    impl Constructor for AesWork {
        type Args = WorkArgs;
        fn py_new(_cls: &Py<PyType>, args: WorkArgs, vm: &VirtualMachine) -> PyResult<Self> {
            let mode = Mode::named(args.mode.as_str())
                .ok_or_else(|| vm.new_value_error("no such mode"))?;
            let aes = Aes::new(&args.key.borrow_buf())
                .ok_or_else(|| vm.new_value_error("a key has 16, 24 or 32 bytes"))?;
            let work =
                Work::new(mode, aes, &args.iv.borrow_buf(), args.encrypts).ok_or_else(|| {
                    vm.new_value_error("the initialization vector has a wrong length")
                })?;
            Ok(Self {
                work: PyMutex::new(work),
            })
        }
    }

    #[pyclass(with(Constructor))]
    impl AesWork {
        /// Encrypts or decrypts the next piece; whole blocks for ECB and CBC.
        #[pymethod]
        fn update(zelf: &Py<Self>, data: ArgBytesLike, vm: &VirtualMachine) -> PyBytesRef {
            let out = zelf.work.lock().update(&data.borrow_buf());
            vm.ctx.new_bytes(out)
        }

        /// Adds data that GCM authenticates and does not encrypt.
        #[pymethod]
        fn authenticate(zelf: &Py<Self>, data: ArgBytesLike) {
            if let Some((hash, _)) = &mut zelf.work.lock().gcm {
                hash.add(0, &data.borrow_buf());
            }
        }

        /// The tag of GCM over everything so far; ends the work.
        #[pymethod]
        fn tag(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            match zelf.work.lock().gcm.take() {
                Some((mut hash, mask)) => {
                    Ok(vm.ctx.new_bytes(super::xor(hash.finish(), mask).to_vec()))
                }
                None => Err(vm.new_value_error("there is no tag")),
            }
        }
    }

    fn fixed<const N: usize>(bytes: &ArgBytesLike, vm: &VirtualMachine) -> PyResult<[u8; N]> {
        <[u8; N]>::try_from(&*bytes.borrow_buf())
            .map_err(|_| vm.new_value_error(format!("{N} bytes are needed")))
    }

    /// ChaCha20-Poly1305 in one go; `None` for a tag that is wrong.
    #[pyfunction]
    fn chacha20_poly1305(
        encrypts: bool,
        key: ArgBytesLike,
        nonce: ArgBytesLike,
        data: ArgBytesLike,
        authenticated: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let cipher = chacha20poly1305::ChaCha20Poly1305::new(&fixed::<32>(&key, vm)?.into());
        let nonce = fixed::<12>(&nonce, vm)?.into();
        let mut buffer = data.borrow_buf().to_vec();
        let authenticated = authenticated.borrow_buf();
        let done = if encrypts {
            cipher.encrypt_in_place(&nonce, &authenticated, &mut buffer)
        } else {
            cipher.decrypt_in_place(&nonce, &authenticated, &mut buffer)
        };
        Ok(match done {
            Ok(()) => vm.ctx.new_bytes(buffer).into(),
            Err(_) => vm.ctx.none(),
        })
    }

    /// The shared secret of X25519.
    #[pyfunction]
    fn x25519(
        secret: ArgBytesLike,
        point: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyBytesRef> {
        let shared = x25519_dalek::x25519(fixed(&secret, vm)?, fixed(&point, vm)?);
        Ok(vm.ctx.new_bytes(shared.to_vec()))
    }

    /// The public key of an X25519 secret.
    #[pyfunction]
    fn x25519_public(secret: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let secret = fixed(&secret, vm)?;
        let public = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
        Ok(vm.ctx.new_bytes(public.to_vec()))
    }

    /// The public key of an Ed25519 seed.
    #[pyfunction]
    fn ed25519_public(seed: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let key = SigningKey::from_bytes(&fixed(&seed, vm)?);
        Ok(vm.ctx.new_bytes(key.verifying_key().to_bytes().to_vec()))
    }

    /// The Ed25519 signature of a message.
    #[pyfunction]
    fn ed25519_sign(
        seed: ArgBytesLike,
        message: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<PyBytesRef> {
        let key = SigningKey::from_bytes(&fixed(&seed, vm)?);
        let signature = key.sign(&message.borrow_buf());
        Ok(vm.ctx.new_bytes(signature.to_bytes().to_vec()))
    }

    /// Whether these bytes are a public key of Ed25519.
    #[pyfunction]
    fn ed25519_valid(public: ArgBytesLike, vm: &VirtualMachine) -> PyResult<bool> {
        Ok(VerifyingKey::from_bytes(&fixed(&public, vm)?).is_ok())
    }

    /// Whether the signature of the message is this key's.
    #[pyfunction]
    fn ed25519_verify(
        public: ArgBytesLike,
        signature: ArgBytesLike,
        message: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<bool> {
        let Ok(key) = VerifyingKey::from_bytes(&fixed(&public, vm)?) else {
            return Ok(false);
        };
        let Ok(signature) = Signature::from_slice(&signature.borrow_buf()) else {
            return Ok(false);
        };
        Ok(key.verify_strict(&message.borrow_buf(), &signature).is_ok())
    }
}
