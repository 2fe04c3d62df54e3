//! `_cordon_tls`: the hub's TLS as `_ssl` calls it.
//!
//! Each kind of id has a class, which gives the id back when Python forgets the object.
//! The module has no logic. Errors are tuples whose first item names their kind.

pub(crate) use _cordon_tls::module_def;

#[rustpython_vm::pymodule]
mod _cordon_tls {
    use rustls_pki_types::pem::{self, SectionKind};
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, TryFromObject, VirtualMachine, builtins::PyBytesRef,
        convert::ToPyObject, function::ArgBytesLike, pyclass,
    };

    use crate::abi::cordon::plugin::tls;
    use crate::convert::tuple;

    #[pyattr]
    #[pyclass(module = "_cordon_tls", name = "Context")]
    #[derive(Debug, PyPayload)]
    struct Context {
        id: u32,
    }

    impl Drop for Context {
        fn drop(&mut self) {
            tls::close_context(self.id);
        }
    }

    #[pyclass]
    impl Context {}

    #[pyattr]
    #[pyclass(module = "_cordon_tls", name = "Session")]
    #[derive(Debug, PyPayload)]
    struct Session {
        id: u32,
    }

    impl Drop for Session {
        fn drop(&mut self) {
            tls::close_session(self.id);
        }
    }

    fn bytes(value: Vec<u8>, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_bytes(value).into()
    }

    fn text(value: &str, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_str(value).into()
    }

    /// `("too-many", "")` and the like.
    fn refusal(refusal: tls::Refusal, vm: &VirtualMachine) -> PyObjectRef {
        let (kind, what) = match refusal {
            tls::Refusal::TooMany => ("too-many", String::new()),
            tls::Refusal::TooLarge => ("too-large", String::new()),
            tls::Refusal::NotGranted(what) => ("not-granted", what),
            tls::Refusal::Identity(what) => ("identity", what),
            tls::Refusal::Root(what) => ("root", what),
            tls::Refusal::Settings(what) => ("settings", what),
        };
        tuple(vec![text(kind, vm), text(&what, vm)], vm)
    }

    /// `("verification", code, text)` or `("protocol", reason, text)`.
    fn failure(failure: tls::Failure, vm: &VirtualMachine) -> PyObjectRef {
        let items = match failure {
            tls::Failure::Verification((code, what)) => {
                vec![
                    text("verification", vm),
                    code.to_pyobject(vm),
                    text(&what, vm),
                ]
            }
            tls::Failure::Protocol((reason, what)) => {
                vec![text("protocol", vm), text(&reason, vm), text(&what, vm)]
            }
        };
        tuple(items, vm)
    }

    fn stage(stage: tls::Stage) -> u8 {
        match stage {
            tls::Stage::Greeted => 0,
            tls::Stage::Handshake => 1,
            tls::Stage::Open => 2,
            tls::Stage::Closed => 3,
        }
    }

    #[pyclass]
    impl Session {
        /// `(taken, stage, plaintext)`, or the failure.
        #[pymethod]
        fn feed(zelf: &Py<Self>, offered: ArgBytesLike, vm: &VirtualMachine) -> PyObjectRef {
            match tls::feed(zelf.id, &offered.borrow_buf()) {
                Ok(progress) => tuple(
                    vec![
                        progress.taken.to_pyobject(vm),
                        stage(progress.stage).to_pyobject(vm),
                        progress.plaintext.to_pyobject(vm),
                    ],
                    vm,
                ),
                Err(reason) => failure(reason, vm),
            }
        }

        #[pymethod]
        fn take(zelf: &Py<Self>, most: u32, vm: &VirtualMachine) -> PyBytesRef {
            vm.ctx.new_bytes(tls::take(zelf.id, most))
        }

        #[pymethod]
        fn read(zelf: &Py<Self>, most: u32, vm: &VirtualMachine) -> PyBytesRef {
            vm.ctx.new_bytes(tls::read(zelf.id, most))
        }

        #[pymethod]
        fn write(zelf: &Py<Self>, plaintext: ArgBytesLike) -> u32 {
            tls::write(zelf.id, &plaintext.borrow_buf())
        }

        #[pymethod]
        fn say_goodbye(zelf: &Py<Self>) {
            tls::say_goodbye(zelf.id);
        }

        #[pymethod]
        fn greeted_name(zelf: &Py<Self>) -> Option<String> {
            tls::greeted_name(zelf.id)
        }

        /// `None`, or the failure.
        #[pymethod]
        fn choose(
            zelf: &Py<Self>,
            context: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<PyObjectRef> {
            let context = id_of(&context, vm)?;
            Ok(match tls::choose(zelf.id, context) {
                Ok(()) => vm.ctx.none(),
                Err(reason) => failure(reason, vm),
            })
        }

        #[pymethod]
        fn refuse(zelf: &Py<Self>, alert: u8) {
            tls::refuse(zelf.id, alert);
        }

        /// `(version, suite, alpn, chain)`, or `None`.
        #[pymethod]
        fn agreed(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            let Some(agreed) = tls::agreed(zelf.id) else {
                return vm.ctx.none();
            };
            let chain = agreed.chain.into_iter().map(|der| bytes(der, vm)).collect();
            tuple(
                vec![
                    agreed.version.to_pyobject(vm),
                    agreed.suite.to_pyobject(vm),
                    agreed
                        .alpn
                        .map_or_else(|| vm.ctx.none(), |name| bytes(name, vm)),
                    vm.ctx.new_list(chain).into(),
                ],
                vm,
            )
        }

        #[pymethod]
        fn exported(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            tls::exported(zelf.id).map_or_else(|| vm.ctx.none(), |key| bytes(key, vm))
        }
    }

    fn id_of(context: &PyObjectRef, vm: &VirtualMachine) -> PyResult<u32> {
        match context.downcast_ref::<Context>() {
            Some(context) => Ok(context.id),
            None => Err(vm.new_type_error("a context is needed")),
        }
    }

    fn byte_list(value: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<Vec<u8>>> {
        let items = value.try_to_value::<Vec<PyObjectRef>>(vm)?;
        items.iter().map(|item| byte_string(item, vm)).collect()
    }

    fn byte_string(value: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        let value = ArgBytesLike::try_from_object(vm, value.clone())?;
        Ok(value.borrow_buf().to_vec())
    }

    #[derive(rustpython_vm::FromArgs)]
    struct Settings {
        #[pyarg(named)]
        tls12: bool,
        #[pyarg(named)]
        tls13: bool,
        #[pyarg(named)]
        suites: PyObjectRef,
        #[pyarg(named)]
        verify: u8,
        #[pyarg(named)]
        check_hostname: bool,
        #[pyarg(named)]
        common_name: bool,
        #[pyarg(named)]
        system_roots: bool,
        #[pyarg(named)]
        roots: PyObjectRef,
        #[pyarg(named)]
        chain: PyObjectRef,
        #[pyarg(named)]
        key: PyObjectRef,
        #[pyarg(named)]
        granted: Option<String>,
        #[pyarg(named)]
        alpn: PyObjectRef,
    }

    impl Settings {
        fn identity(&self, vm: &VirtualMachine) -> PyResult<tls::Identity> {
            if let Some(name) = &self.granted {
                return Ok(tls::Identity::Granted(name.clone()));
            }
            if vm.is_none(&self.key) {
                return Ok(tls::Identity::None);
            }
            Ok(tls::Identity::Given(tls::KeyPair {
                chain: byte_list(&self.chain, vm)?,
                key: byte_string(&self.key, vm)?,
            }))
        }
    }

    /// A context, or why there is none.
    #[pyfunction]
    fn open_context(settings: Settings, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let settings = tls::Settings {
            tls12: settings.tls12,
            tls13: settings.tls13,
            suites: settings.suites.try_to_value(vm)?,
            verify: match settings.verify {
                0 => tls::Verify::None,
                1 => tls::Verify::Optional,
                _ => tls::Verify::Required,
            },
            check_hostname: settings.check_hostname,
            common_name: settings.common_name,
            system_roots: settings.system_roots,
            roots: byte_list(&settings.roots, vm)?,
            identity: settings.identity(vm)?,
            alpn: byte_list(&settings.alpn, vm)?,
        };
        Ok(match tls::open_context(&settings) {
            Ok(id) => Context { id }.into_ref(&vm.ctx).into(),
            Err(reason) => refusal(reason, vm),
        })
    }

    fn session(opened: Result<u32, tls::Refusal>, vm: &VirtualMachine) -> PyObjectRef {
        match opened {
            Ok(id) => Session { id }.into_ref(&vm.ctx).into(),
            Err(reason) => refusal(reason, vm),
        }
    }

    /// A session, or why there is none.
    #[pyfunction]
    fn open_client(
        context: PyObjectRef,
        server_name: Option<String>,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let context = id_of(&context, vm)?;
        Ok(session(
            tls::open_client(context, server_name.as_deref()),
            vm,
        ))
    }

    /// A session, or why there is none.
    #[pyfunction]
    fn open_server(
        context: PyObjectRef,
        pause: bool,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let context = id_of(&context, vm)?;
        Ok(session(tls::open_server(context, pause), vm))
    }

    /// The certificates and private keys of a PEM text as pairs of kind and DER.
    /// Raises `ValueError` where a section is damaged.
    #[pyfunction]
    fn pem_sections(data: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let data = data.borrow_buf();
        let mut rest: &[u8] = &data;
        let mut found = Vec::new();
        loop {
            let section = pem::from_buf(&mut rest)
                .map_err(|error| vm.new_value_error(format!("{error:?}")))?;
            let Some((kind, der)) = section else { break };
            let kind = match kind {
                SectionKind::Certificate => "certificate",
                SectionKind::PrivateKey
                | SectionKind::RsaPrivateKey
                | SectionKind::EcPrivateKey => "key",
                SectionKind::PublicKey => "public",
                _ => continue,
            };
            found.push(tuple(vec![text(kind, vm), bytes(der, vm)], vm));
        }
        Ok(vm.ctx.new_list(found).into())
    }
}
