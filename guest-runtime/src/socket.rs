//! `_cordon_socket`: the native half of Python's `_socket` module.
//!
//! The class `socket` over the hub's sockets, and the functions that `_socket.py`
//! builds the rest on. A call that would have to wait tries first and waits in the
//! hub, where only its own Python thread sleeps.

pub(crate) use _cordon_socket::module_def;

#[rustpython_vm::pymodule]
mod _cordon_socket {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyInt, PyType, PyUtf8StrRef},
        convert::ToPyObject,
        function::{ArgBytesLike, ArgMemoryBuffer, FuncArgs, OptionalArg},
        pyclass,
        types::{Constructor, Destructor, Initializer, Representable},
    };

    use crate::abi::cordon::plugin::sockets::{
        self, Address, Device, Direction, Failure, Family, Interest, Kind, MessageFlags, OptionName,
    };
    use crate::socket_address::{
        NOWHERE, address_tuple, look_up, lookup_error, lookup_failure, numeric, parse_address,
        to_address,
    };
    use crate::socket_options::{
        FOREVER, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, Patience, option_name, raise, receive_flags,
        seconds, send_flags, timed_out,
    };
    use crate::{errno, task};

    const AF_UNIX: i32 = 1;
    const AF_INET: i32 = 2;
    const AF_INET6: i32 = 10;
    const SOCK_STREAM: i32 = 1;
    const SOCK_DGRAM: i32 = 2;
    const SOCK_NONBLOCK: i32 = 0o4000;
    const SOCK_CLOEXEC: i32 = 0o2_000_000;
    const IPPROTO_TCP: i32 = 6;
    const IPPROTO_UDP: i32 = 17;

    /// What is handed to the hub in one call; a copy of it is made there.
    const CHUNK: usize = 256 << 10;

    /// More than any datagram has.
    const DATAGRAM: usize = 64 << 10;

    /// `socket.setdefaulttimeout`, as the bits of a float.
    static DEFAULT_TIMEOUT: AtomicU64 = AtomicU64::new(FOREVER.to_bits());

    type Result<T> = std::result::Result<T, Failure>;

    #[pyattr]
    #[pyattr(name = "SocketType")]
    #[pyclass(module = "_socket", name = "socket")]
    #[derive(Debug, PyPayload)]
    struct Socket {
        fd: AtomicI32,
        family: AtomicI32,
        kind: AtomicI32,
        proto: AtomicI32,
        /// Seconds as the bits of a float.
        timeout: AtomicU64,
    }

    impl Socket {
        fn seconds(&self) -> f64 {
            f64::from_bits(self.timeout.load(Ordering::Relaxed))
        }

        fn is_stream(&self) -> bool {
            self.kind.load(Ordering::Relaxed) == SOCK_STREAM
        }

        fn handle(&self) -> Result<u32> {
            let fd = self.fd.load(Ordering::Relaxed);
            u32::try_from(fd).map_err(|_| Failure {
                number: errno::EBADF,
                text: None,
            })
        }

        /// Calls `attempt` until it need not wait, at most as long as patience lasts.
        fn call<T>(
            &self,
            interest: Interest,
            patience: &mut Patience,
            vm: &VirtualMachine,
            mut attempt: impl FnMut(u32) -> Result<T>,
        ) -> PyResult<T> {
            loop {
                let handle = raise(self.handle(), vm)?;
                match attempt(handle) {
                    Err(failure) if failure.number == errno::EAGAIN && !patience.is_none() => {}
                    result => return raise(result, vm),
                }
                let left = patience.left();
                let ready = left != Some(0)
                    && raise(task::blocking(|| sockets::wait(handle, interest, left)), vm)?;
                if !ready {
                    return Err(timed_out(vm));
                }
            }
        }

        fn patience(&self, flags: i32) -> Patience {
            if flags & MSG_DONTWAIT != 0 {
                Patience::none()
            } else {
                Patience::new(self.seconds())
            }
        }

        /// Sends as much as can be sent at once.
        fn send_some(
            &self,
            data: &ArgBytesLike,
            from: usize,
            flags: MessageFlags,
            patience: &mut Patience,
            vm: &VirtualMachine,
        ) -> PyResult<usize> {
            let stream = self.is_stream();
            if !stream && data.len() > DATAGRAM {
                return Err(errno::error(errno::EMSGSIZE, vm));
            }
            let sent = self.call(Interest::WRITABLE, patience, vm, |handle| {
                data.with_ref(|data| {
                    let rest = data.get(from..).unwrap_or_default();
                    let part = if stream {
                        rest.len().min(CHUNK)
                    } else {
                        rest.len()
                    };
                    sockets::send(handle, &rest[..part], flags)
                })
            })?;
            Ok(usize::try_from(sent).unwrap_or(usize::MAX))
        }

        fn receive(&self, size: usize, flags: i32, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
            let set = receive_flags(flags, vm)?;
            let mut patience = self.patience(flags);
            let part = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
            let mut data = self.call(Interest::READABLE, &mut patience, vm, |handle| {
                sockets::receive(handle, part(size), set)
            })?;
            let all = flags & MSG_WAITALL != 0 && flags & MSG_PEEK == 0 && self.is_stream();
            while all && data.len() < size && !data.is_empty() {
                let rest = size - data.len();
                let more = self.call(Interest::READABLE, &mut patience, vm, |handle| {
                    sockets::receive(handle, part(rest), set)
                })?;
                if more.is_empty() {
                    break;
                }
                data.extend_from_slice(&more);
            }
            Ok(data)
        }

        fn receive_from(
            &self,
            size: usize,
            flags: i32,
            vm: &VirtualMachine,
        ) -> PyResult<(sockets::Datagram, PyObjectRef)> {
            let set = receive_flags(flags, vm)?;
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            let mut patience = self.patience(flags);
            let datagram = self.call(Interest::READABLE, &mut patience, vm, |handle| {
                sockets::receive_from(handle, size, set)
            })?;
            let source = match &datagram.source {
                Some(source) => address_tuple(source, vm),
                None => vm.ctx.none(),
            };
            Ok((datagram, source))
        }

        fn own_address(&self, address: Option<Address>, vm: &VirtualMachine) -> PyObjectRef {
            match (address, self.family.load(Ordering::Relaxed)) {
                (Some(address), _) => address_tuple(&address, vm),
                (None, AF_UNIX) => vm.ctx.new_str("").into(),
                (None, _) => address_tuple(&NOWHERE, vm),
            }
        }

        fn begin_connect(&self, target: Address, vm: &VirtualMachine) -> PyResult<Result<()>> {
            let handle = match self.handle() {
                Ok(handle) => handle,
                Err(failure) => return Ok(Err(failure)),
            };
            match sockets::connect(handle, target) {
                Err(failure) if failure.number == errno::EINPROGRESS => {}
                result => return Ok(result),
            }
            let mut patience = Patience::new(self.seconds());
            if patience.is_none() {
                return Ok(Err(Failure {
                    number: errno::EINPROGRESS,
                    text: None,
                }));
            }
            let left = patience.left();
            match task::blocking(|| sockets::wait(handle, Interest::WRITABLE, left)) {
                Ok(true) => {}
                Ok(false) => return Err(timed_out(vm)),
                Err(failure) => return Ok(Err(failure)),
            }
            Ok(match sockets::get_option(handle, OptionName::SoError) {
                Ok(0) => Ok(()),
                Ok(number) => Err(Failure {
                    number: u32::try_from(number).unwrap_or_default(),
                    text: None,
                }),
                Err(failure) => Err(failure),
            })
        }

        /// The address that a tuple of Python's means for this socket.
        fn target(&self, address: &PyObject, what: &str, vm: &VirtualMachine) -> PyResult<Address> {
            let v6 = match self.family.load(Ordering::Relaxed) {
                AF_INET => false,
                AF_INET6 => true,
                _ => return Err(errno::error(errno::EAFNOSUPPORT, vm)),
            };
            parse_address(address, v6, what, vm)
        }
    }

    #[derive(rustpython_vm::FromArgs)]
    struct SocketArgs {
        #[pyarg(any, default = -1)]
        family: i32,
        #[pyarg(any, default = -1)]
        r#type: i32,
        #[pyarg(any, default = -1)]
        proto: i32,
        #[pyarg(any, default)]
        fileno: Option<PyObjectRef>,
    }

    impl Constructor for Socket {
        type Args = FuncArgs;

        fn py_new(_cls: &Py<PyType>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Self {
                fd: AtomicI32::new(-1),
                family: AtomicI32::new(AF_INET),
                kind: AtomicI32::new(SOCK_STREAM),
                proto: AtomicI32::new(0),
                timeout: AtomicU64::new(FOREVER.to_bits()),
            })
        }
    }

    impl Initializer for Socket {
        type Args = SocketArgs;

        fn init(zelf: &Py<Self>, args: SocketArgs, vm: &VirtualMachine) -> PyResult<()> {
            let mut timeout = DEFAULT_TIMEOUT.load(Ordering::Relaxed);
            let fileno = args.fileno.filter(|fileno| !vm.is_none(fileno));
            let adopted = fileno.is_some();
            let (family, kind, fd) = match fileno {
                Some(fileno) => {
                    if fileno.downcast_ref::<PyInt>().is_none() {
                        return Err(vm.new_type_error(format!(
                            "'{}' object cannot be interpreted as an integer",
                            fileno.class().name()
                        )));
                    }
                    let fd: i32 = fileno.try_into_value(vm)?;
                    if fd < 0 {
                        return Err(vm.new_value_error("negative file descriptor"));
                    }
                    let handle = fd.unsigned_abs();
                    let what = raise(sockets::describe(handle), vm)?;
                    let family = match (what.paired, what.family) {
                        _ if args.family >= 0 => args.family,
                        (true, _) => AF_UNIX,
                        (false, Family::Ipv4) => AF_INET,
                        (false, Family::Ipv6) => AF_INET6,
                    };
                    (family, what.kind, fd)
                }
                None => {
                    let kind = if args.r#type < 0 {
                        SOCK_STREAM
                    } else {
                        args.r#type
                    };
                    if kind & SOCK_NONBLOCK != 0 {
                        timeout = 0_f64.to_bits();
                    }
                    let family = if args.family < 0 {
                        AF_INET
                    } else {
                        args.family
                    };
                    let (asked, kind) = kinds(family, kind, args.proto, vm)?;
                    let handle = raise(sockets::create(asked, kind), vm)?;
                    (family, kind, i32::try_from(handle).unwrap_or(-1))
                }
            };
            let kind = match kind {
                // Whoever has a descriptor may say what it is.
                _ if adopted && args.r#type >= 0 => args.r#type,
                Kind::Stream => SOCK_STREAM,
                Kind::Datagram => SOCK_DGRAM,
            };
            zelf.family.store(family, Ordering::Relaxed);
            zelf.kind.store(kind, Ordering::Relaxed);
            zelf.proto.store(args.proto.max(0), Ordering::Relaxed);
            zelf.timeout.store(timeout, Ordering::Relaxed);
            let former = zelf.fd.swap(fd, Ordering::Relaxed);
            if let Ok(former) = u32::try_from(former) {
                sockets::close(former);
            }
            Ok(())
        }
    }

    /// What a plugin asks for, if it exists here.
    fn kinds(family: i32, kind: i32, proto: i32, vm: &VirtualMachine) -> PyResult<(Family, Kind)> {
        let family = match family {
            AF_INET => Family::Ipv4,
            AF_INET6 => Family::Ipv6,
            AF_UNIX => {
                let text = "Unix sockets do not exist here: a plugin reaches other programs over the network";
                return Err(errno::saying(errno::EAFNOSUPPORT, text, vm));
            }
            _ => return Err(errno::error(errno::EAFNOSUPPORT, vm)),
        };
        let kind = match (kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC), proto) {
            (SOCK_STREAM, -1 | 0 | IPPROTO_TCP) => Kind::Stream,
            (SOCK_DGRAM, -1 | 0 | IPPROTO_UDP) => Kind::Datagram,
            (SOCK_STREAM | SOCK_DGRAM, _) => return Err(errno::error(errno::EPROTONOSUPPORT, vm)),
            (3, _) => {
                return Err(errno::saying(1, "raw sockets do not exist here", vm));
            }
            _ => return Err(errno::error(errno::ESOCKTNOSUPPORT, vm)),
        };
        Ok((family, kind))
    }

    impl Destructor for Socket {
        fn del(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let fd = zelf.fd.load(Ordering::Relaxed);
            if let Ok(handle) = u32::try_from(fd) {
                if let Ok(text) = zelf.as_object().repr(vm) {
                    let _ = rustpython_vm::warn::warn(
                        vm.ctx
                            .new_str(format!("unclosed {}", text.to_string_lossy()))
                            .into(),
                        Some(vm.ctx.exceptions.resource_warning.to_owned()),
                        1,
                        None,
                        vm,
                    );
                }
                zelf.fd.store(-1, Ordering::Relaxed);
                sockets::close(handle);
            }
            Ok(())
        }
    }

    impl Representable for Socket {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!(
                "<socket object, fd={}, family={}, type={}, proto={}>",
                zelf.fd.load(Ordering::Relaxed),
                zelf.family.load(Ordering::Relaxed),
                zelf.kind.load(Ordering::Relaxed),
                zelf.proto.load(Ordering::Relaxed),
            ))
        }
    }

    fn size(size: isize, what: &str, vm: &VirtualMachine) -> PyResult<usize> {
        usize::try_from(size)
            .map_err(|_| vm.new_value_error(format!("negative buffersize in {what}")))
    }

    #[pyclass(
        with(Constructor, Initializer, Representable, Destructor),
        flags(BASETYPE, HEAPTYPE)
    )]
    impl Socket {
        #[pygetset]
        fn family(zelf: &Py<Self>) -> i32 {
            zelf.family.load(Ordering::Relaxed)
        }

        #[pygetset(name = "type")]
        fn kind(zelf: &Py<Self>) -> i32 {
            zelf.kind.load(Ordering::Relaxed)
        }

        #[pygetset]
        fn proto(zelf: &Py<Self>) -> i32 {
            zelf.proto.load(Ordering::Relaxed)
        }

        #[pygetset]
        fn timeout(zelf: &Py<Self>) -> Option<f64> {
            Self::gettimeout(zelf)
        }

        #[pymethod]
        fn fileno(zelf: &Py<Self>) -> i32 {
            zelf.fd.load(Ordering::Relaxed)
        }

        #[pymethod]
        fn close(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let fd = zelf.fd.swap(-1, Ordering::Relaxed);
            match u32::try_from(fd) {
                Ok(handle) if !sockets::close(handle) => Err(errno::error(errno::EBADF, vm)),
                _ => Ok(()),
            }
        }

        #[pymethod]
        fn detach(zelf: &Py<Self>) -> i32 {
            zelf.fd.swap(-1, Ordering::Relaxed)
        }

        #[pymethod]
        fn gettimeout(zelf: &Py<Self>) -> Option<f64> {
            let seconds = zelf.seconds();
            (seconds >= 0.0).then_some(seconds)
        }

        #[pymethod]
        fn settimeout(zelf: &Py<Self>, timeout: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let bits = seconds(&timeout, vm)?.to_bits();
            zelf.timeout.store(bits, Ordering::Relaxed);
            Ok(())
        }

        #[pymethod]
        fn setblocking(
            zelf: &Py<Self>,
            blocking: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            raise(zelf.handle().and_then(sockets::describe), vm)?;
            let timeout = if blocking.try_to_bool(vm)? {
                FOREVER
            } else {
                0.0
            };
            zelf.timeout.store(timeout.to_bits(), Ordering::Relaxed);
            Ok(())
        }

        #[pymethod]
        fn getblocking(zelf: &Py<Self>) -> bool {
            zelf.seconds() != 0.0
        }

        #[pymethod]
        fn bind(zelf: &Py<Self>, address: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let address = zelf.target(&address, "bind", vm)?;
            raise(
                zelf.handle()
                    .and_then(|handle| sockets::bind(handle, address)),
                vm,
            )
        }

        #[pymethod]
        fn listen(zelf: &Py<Self>, backlog: OptionalArg<i32>, vm: &VirtualMachine) -> PyResult<()> {
            let backlog = u32::try_from(backlog.unwrap_or(128)).unwrap_or(0);
            raise(
                zelf.handle()
                    .and_then(|handle| sockets::listen(handle, backlog)),
                vm,
            )
        }

        #[pymethod]
        fn _accept(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<(u32, PyObjectRef)> {
            let mut patience = zelf.patience(0);
            let (handle, peer) =
                zelf.call(Interest::READABLE, &mut patience, vm, sockets::accept)?;
            Ok((handle, address_tuple(&peer, vm)))
        }

        #[pymethod]
        fn connect(zelf: &Py<Self>, address: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let target = zelf.target(&address, "connect", vm)?;
            let result = zelf.begin_connect(target, vm)?;
            raise(result, vm)
        }

        #[pymethod]
        fn connect_ex(zelf: &Py<Self>, address: PyObjectRef, vm: &VirtualMachine) -> PyResult<i32> {
            let target = zelf.target(&address, "connect_ex", vm)?;
            match zelf.begin_connect(target, vm) {
                Ok(Ok(())) => Ok(0),
                Ok(Err(failure)) => Ok(i32::try_from(failure.number).unwrap_or(i32::MAX)),
                Err(error) if error.fast_isinstance(vm.ctx.exceptions.timeout_error) => {
                    Ok(i32::try_from(errno::EAGAIN).unwrap_or(i32::MAX))
                }
                Err(error) => Err(error),
            }
        }

        #[pymethod]
        fn send(
            zelf: &Py<Self>,
            data: ArgBytesLike,
            flags: OptionalArg<i32>,
            vm: &VirtualMachine,
        ) -> PyResult<usize> {
            let flags = flags.unwrap_or(0);
            let set = send_flags(flags, vm)?;
            let mut patience = zelf.patience(flags);
            let mut sent = zelf.send_some(&data, 0, set, &mut patience, vm)?;
            // A call that may wait for ever takes all of it, as it does elsewhere.
            while patience.is_endless() && sent < data.len() && zelf.is_stream() {
                sent += zelf.send_some(&data, sent, set, &mut patience, vm)?;
            }
            Ok(sent)
        }

        #[pymethod]
        fn sendall(
            zelf: &Py<Self>,
            data: ArgBytesLike,
            flags: OptionalArg<i32>,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let flags = flags.unwrap_or(0);
            let set = send_flags(flags, vm)?;
            let mut patience = zelf.patience(flags);
            let mut sent = 0;
            loop {
                sent += zelf.send_some(&data, sent, set, &mut patience, vm)?;
                if sent >= data.len() {
                    return Ok(());
                }
            }
        }

        #[pymethod]
        fn sendto(zelf: &Py<Self>, args: FuncArgs, vm: &VirtualMachine) -> PyResult<u32> {
            let (data, flags, address) = match &*args.args {
                [data, address] => (data, 0, address),
                [data, flags, address] => (data, flags.clone().try_into_value(vm)?, address),
                other => {
                    return Err(vm.new_type_error(format!(
                        "sendto() takes 2 or 3 arguments ({} given)",
                        other.len()
                    )));
                }
            };
            let data: ArgBytesLike = data.clone().try_into_value(vm)?;
            zelf.send_to(&data, flags, address, vm)
        }

        #[pymethod]
        fn recv(
            zelf: &Py<Self>,
            bufsize: isize,
            flags: OptionalArg<i32>,
            vm: &VirtualMachine,
        ) -> PyResult<Vec<u8>> {
            zelf.receive(size(bufsize, "recv", vm)?, flags.unwrap_or(0), vm)
        }

        #[pymethod]
        fn recv_into(zelf: &Py<Self>, args: IntoArgs, vm: &VirtualMachine) -> PyResult<usize> {
            let room = args.room("recv_into", vm)?;
            let data = zelf.receive(room, args.flags, vm)?;
            Ok(args.fill(&data))
        }

        #[pymethod]
        fn recvfrom(
            zelf: &Py<Self>,
            bufsize: isize,
            flags: OptionalArg<i32>,
            vm: &VirtualMachine,
        ) -> PyResult<(Vec<u8>, PyObjectRef)> {
            let room = size(bufsize, "recvfrom", vm)?;
            let (datagram, source) = zelf.receive_from(room, flags.unwrap_or(0), vm)?;
            Ok((datagram.data, source))
        }

        #[pymethod]
        fn recvfrom_into(
            zelf: &Py<Self>,
            args: IntoArgs,
            vm: &VirtualMachine,
        ) -> PyResult<(usize, PyObjectRef)> {
            let room = args.room("recvfrom_into", vm)?;
            let (datagram, source) = zelf.receive_from(room, args.flags, vm)?;
            Ok((args.fill(&datagram.data), source))
        }

        /// Data, the length before it was cut, and the sender: what `_socket.py`
        /// makes `recvmsg` of.
        #[pymethod]
        fn _receive(
            zelf: &Py<Self>,
            bufsize: isize,
            flags: i32,
            vm: &VirtualMachine,
        ) -> PyResult<(Vec<u8>, u32, PyObjectRef)> {
            let room = size(bufsize, "recvmsg", vm)?;
            let (datagram, source) = zelf.receive_from(room, flags, vm)?;
            Ok((datagram.data, datagram.length, source))
        }

        #[pymethod]
        fn shutdown(zelf: &Py<Self>, how: i32, vm: &VirtualMachine) -> PyResult<()> {
            let direction = match how {
                0 => Direction::Receive,
                1 => Direction::Send,
                2 => Direction::Both,
                _ => return Err(errno::error(errno::EINVAL, vm)),
            };
            raise(
                zelf.handle()
                    .and_then(|handle| sockets::shutdown(handle, direction)),
                vm,
            )
        }

        #[pymethod]
        fn getsockname(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
            let address = raise(zelf.handle().and_then(sockets::local_address), vm)?;
            Ok(zelf.own_address(address, vm))
        }

        #[pymethod]
        fn getpeername(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
            let address = raise(zelf.handle().and_then(sockets::peer_address), vm)?;
            Ok(zelf.own_address(address, vm))
        }

        #[pymethod]
        fn _option(
            zelf: &Py<Self>,
            name: PyUtf8StrRef,
            value: OptionalArg<i32>,
            vm: &VirtualMachine,
        ) -> PyResult<i32> {
            let name =
                option_name(name.as_str()).ok_or_else(|| errno::error(errno::ENOPROTOOPT, vm))?;
            let handle = raise(zelf.handle(), vm)?;
            match value {
                OptionalArg::Missing => raise(sockets::get_option(handle, name), vm),
                OptionalArg::Present(value) => {
                    raise(sockets::set_option(handle, name, value), vm).map(|()| 0)
                }
            }
        }

        /// Joins or leaves a group; `index` and `address` name the interface.
        #[pymethod]
        fn _membership(
            zelf: &Py<Self>,
            group: ArgBytesLike,
            index: u32,
            address: u32,
            join: bool,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let group = group.with_ref(|group| {
                if let Ok(bytes) = <[u8; 4]>::try_from(group) {
                    Some(to_address(Ipv4Addr::from(bytes).into()))
                } else {
                    let bytes = <[u8; 16]>::try_from(group).ok()?;
                    Some(to_address(Ipv6Addr::from(bytes).into()))
                }
            });
            let group = group.ok_or_else(|| errno::error(errno::EINVAL, vm))?;
            let device = match (index, address) {
                (0, 0) => Device::Any,
                (0, address) => Device::Ipv4(address),
                (index, _) => Device::Index(index),
            };
            let handle = raise(zelf.handle(), vm)?;
            raise(sockets::membership(handle, group, device, join), vm)
        }
    }

    impl Socket {
        fn send_to(
            &self,
            data: &ArgBytesLike,
            flags: i32,
            address: &PyObject,
            vm: &VirtualMachine,
        ) -> PyResult<u32> {
            let set = send_flags(flags, vm)?;
            let target = self.target(address, "sendto", vm)?;
            if data.len() > DATAGRAM {
                return Err(errno::error(errno::EMSGSIZE, vm));
            }
            let mut patience = self.patience(flags);
            self.call(Interest::WRITABLE, &mut patience, vm, |handle| {
                data.with_ref(|data| sockets::send_to(handle, data, target, set))
            })
        }
    }

    #[derive(rustpython_vm::FromArgs)]
    struct IntoArgs {
        #[pyarg(any)]
        buffer: ArgMemoryBuffer,
        #[pyarg(any, default = 0)]
        nbytes: isize,
        #[pyarg(any, default = 0)]
        flags: i32,
    }

    impl IntoArgs {
        fn room(&self, what: &str, vm: &VirtualMachine) -> PyResult<usize> {
            let asked = size(self.nbytes, what, vm)?;
            let there = self.buffer.len();
            if asked > there {
                return Err(vm.new_value_error("buffer too small for requested bytes"));
            }
            Ok(if asked == 0 { there } else { asked })
        }

        fn fill(&self, data: &[u8]) -> usize {
            self.buffer.with_ref(|buffer| {
                let length = data.len().min(buffer.len());
                buffer[..length].copy_from_slice(&data[..length]);
                length
            })
        }
    }

    /// The addresses of a name, as texts with their interface's index.
    #[pyfunction]
    fn resolve(
        host: PyUtf8StrRef,
        port: Option<u16>,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let found = look_up(host.as_str(), port, vm)?;
        let tuples = found.iter().map(|address| address_tuple(address, vm));
        Ok(vm.ctx.new_list(tuples.collect()).into())
    }

    /// The tuple of an address as it is written; `None` for a name.
    #[pyfunction]
    fn written(host: PyUtf8StrRef, vm: &VirtualMachine) -> PyObjectRef {
        numeric(host.as_str()).map_or_else(|| vm.ctx.none(), |address| address_tuple(&address, vm))
    }

    /// The name of an address.
    #[pyfunction]
    fn reverse(host: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<String> {
        let address = numeric(host.as_str())
            .ok_or_else(|| lookup_error(-2, "Name or service not known", vm))?;
        let found = task::blocking(|| sockets::reverse(address));
        found.map_err(|failure| lookup_failure(&failure, vm))
    }

    #[pyfunction]
    fn gethostname() -> String {
        sockets::host_name()
    }

    #[pyfunction]
    fn if_nameindex(vm: &VirtualMachine) -> PyObjectRef {
        let pairs = sockets::interfaces().into_iter();
        let pairs = pairs.map(|pair| pair.to_pyobject(vm));
        vm.ctx.new_list(pairs.collect()).into()
    }

    /// Closes a descriptor; false when it is none of a socket.
    #[pyfunction]
    fn close_handle(fd: i32) -> bool {
        u32::try_from(fd).is_ok_and(sockets::close)
    }

    #[pyfunction]
    fn dup(fd: i32, vm: &VirtualMachine) -> PyResult<u32> {
        let handle = u32::try_from(fd).map_err(|_| errno::error(errno::EBADF, vm))?;
        raise(sockets::duplicate(handle), vm)
    }

    /// Two descriptors that are connected to each other.
    #[pyfunction]
    fn pair(kind: i32, vm: &VirtualMachine) -> PyResult<(u32, u32)> {
        let kind = match kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC) {
            SOCK_STREAM => Kind::Stream,
            SOCK_DGRAM => Kind::Datagram,
            _ => return Err(errno::error(errno::ESOCKTNOSUPPORT, vm)),
        };
        raise(sockets::pair(kind), vm)
    }

    #[pyfunction]
    fn getdefaulttimeout() -> Option<f64> {
        let seconds = f64::from_bits(DEFAULT_TIMEOUT.load(Ordering::Relaxed));
        (seconds >= 0.0).then_some(seconds)
    }

    #[pyfunction]
    fn setdefaulttimeout(timeout: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let bits = seconds(&timeout, vm)?.to_bits();
        DEFAULT_TIMEOUT.store(bits, Ordering::Relaxed);
        Ok(())
    }
}
