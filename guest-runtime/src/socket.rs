//! `_cordon_socket`: the native half of Python's `_socket` module.
//!
//! The class `socket` over the hub's sockets, and the functions that `_socket.py`
//! builds the rest on. A call that would have to wait tries first and waits in the
//! hub, where only its own Python thread sleeps.

pub(crate) use _cordon_socket::module_def;

#[rustpython_vm::pymodule]
mod _cordon_socket {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::{PyBaseException, PyBytes, PyInt, PyStr, PyTuple, PyType, PyUtf8StrRef},
        convert::ToPyObject,
        function::{ArgBytesLike, ArgMemoryBuffer, FuncArgs, OptionalArg},
        pyclass,
        types::{Constructor, Destructor, Initializer, Representable},
    };

    use crate::abi::cordon::plugin::sockets::{
        self, Address, Device, Direction, Failure, Family, Interest, Kind, LookupFailure,
        MessageFlags, OptionName,
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

    const MSG_OOB: i32 = 1;
    const MSG_PEEK: i32 = 2;
    const MSG_TRUNC: i32 = 0x20;
    const MSG_DONTWAIT: i32 = 0x40;
    const MSG_WAITALL: i32 = 0x100;
    const MSG_MORE: i32 = 0x8000;

    /// What is handed to the hub in one call; a copy of it is made there.
    const CHUNK: usize = 256 << 10;

    /// More than any datagram has.
    const DATAGRAM: usize = 64 << 10;

    /// `None`, which means to wait for ever, as a number of seconds.
    const FOREVER: f64 = -1.0;

    /// `socket.setdefaulttimeout`, as the bits of a float.
    static DEFAULT_TIMEOUT: AtomicU64 = AtomicU64::new(FOREVER.to_bits());

    type Result<T> = std::result::Result<T, Failure>;

    /// How long a call may go on.
    struct Patience {
        timeout: Option<Duration>,
        end: Option<Instant>,
    }

    impl Patience {
        fn new(seconds: f64) -> Self {
            let timeout = (seconds >= 0.0)
                .then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
            Self { timeout, end: None }
        }

        fn none() -> Self {
            Self::new(0.0)
        }

        fn is_none(&self) -> bool {
            self.timeout == Some(Duration::ZERO)
        }

        /// Nanoseconds that are left; nothing for ever.
        fn left(&mut self) -> Option<u64> {
            let timeout = self.timeout?;
            let now = Instant::now();
            let end = match self.end {
                Some(end) => end,
                None => *self.end.insert(now.checked_add(timeout)?),
            };
            let left = end.saturating_duration_since(now);
            Some(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX))
        }
    }

    fn timed_out(vm: &VirtualMachine) -> PyRef<PyBaseException> {
        let class = vm.ctx.exceptions.timeout_error.to_owned();
        vm.new_os_subtype_error(class, None, "timed out").upcast()
    }

    fn raise<T>(result: Result<T>, vm: &VirtualMachine) -> PyResult<T> {
        result.map_err(|failure| errno::failure(&failure, vm))
    }

    /// A timeout as Python gives it, in seconds; [`FOREVER`] for `None`.
    fn seconds(timeout: &PyObject, vm: &VirtualMachine) -> PyResult<f64> {
        if vm.is_none(timeout) {
            return Ok(FOREVER);
        }
        let seconds = timeout.to_owned().try_float(vm)?.to_f64();
        if seconds.is_nan() {
            return Err(vm.new_value_error("Invalid value NaN (not a number)"));
        }
        if seconds < 0.0 {
            return Err(vm.new_value_error("Timeout value out of range"));
        }
        if seconds > 9.2e9 {
            return Err(vm.new_overflow_error("timeout doesn't fit into C timeval"));
        }
        Ok(seconds)
    }

    fn when(set: bool, flag: MessageFlags) -> MessageFlags {
        if set { flag } else { MessageFlags::empty() }
    }

    fn receive_flags(flags: i32, vm: &VirtualMachine) -> PyResult<MessageFlags> {
        let known = MSG_OOB | MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_TRUNC;
        // MSG_NOSIGNAL and MSG_CMSG_CLOEXEC say what holds anyway.
        if flags & !(known | 0x4000 | 0x4000_0000) != 0 {
            return Err(errno::error(errno::EINVAL, vm));
        }
        Ok(when(flags & MSG_PEEK != 0, MessageFlags::PEEK)
            | when(flags & MSG_OOB != 0, MessageFlags::OUT_OF_BAND))
    }

    fn send_flags(flags: i32, vm: &VirtualMachine) -> PyResult<MessageFlags> {
        let known = MSG_OOB | MSG_DONTWAIT | MSG_MORE;
        if flags & !(known | 0x4000) != 0 {
            return Err(errno::error(errno::EINVAL, vm));
        }
        Ok(when(flags & MSG_OOB != 0, MessageFlags::OUT_OF_BAND)
            | when(flags & MSG_MORE != 0, MessageFlags::MORE))
    }

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

    const NOWHERE: Address = Address {
        family: Family::Ipv4,
        high: 0,
        low: 0,
        port: 0,
        flow: 0,
        scope: 0,
    };

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
            while patience.timeout.is_none() && sent < data.len() && zelf.is_stream() {
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

    fn option_name(name: &str) -> Option<OptionName> {
        Some(match name {
            "SO_REUSEADDR" => OptionName::SoReuseaddr,
            "SO_REUSEPORT" => OptionName::SoReuseport,
            "SO_BROADCAST" => OptionName::SoBroadcast,
            "SO_KEEPALIVE" => OptionName::SoKeepalive,
            "SO_RCVBUF" => OptionName::SoRcvbuf,
            "SO_SNDBUF" => OptionName::SoSndbuf,
            "SO_ERROR" => OptionName::SoError,
            "SO_TYPE" => OptionName::SoType,
            "SO_ACCEPTCONN" => OptionName::SoAcceptconn,
            "SO_OOBINLINE" => OptionName::SoOobinline,
            "SO_LINGER" => OptionName::SoLinger,
            "TCP_NODELAY" => OptionName::TcpNodelay,
            "TCP_KEEPIDLE" => OptionName::TcpKeepidle,
            "TCP_KEEPINTVL" => OptionName::TcpKeepintvl,
            "TCP_KEEPCNT" => OptionName::TcpKeepcnt,
            "TCP_USER_TIMEOUT" => OptionName::TcpUserTimeout,
            "TCP_QUICKACK" => OptionName::TcpQuickack,
            "IP_TTL" => OptionName::IpTtl,
            "IP_TOS" => OptionName::IpTos,
            "IP_MULTICAST_TTL" => OptionName::IpMulticastTtl,
            "IP_MULTICAST_LOOP" => OptionName::IpMulticastLoop,
            "IP_MULTICAST_IF" => OptionName::IpMulticastIf,
            "IPV6_V6ONLY" => OptionName::Ipv6V6only,
            "IPV6_UNICAST_HOPS" => OptionName::Ipv6UnicastHops,
            "IPV6_MULTICAST_HOPS" => OptionName::Ipv6MulticastHops,
            "IPV6_MULTICAST_LOOP" => OptionName::Ipv6MulticastLoop,
            "IPV6_MULTICAST_IF" => OptionName::Ipv6MulticastIf,
            "IPV6_TCLASS" => OptionName::Ipv6Tclass,
            _ => return None,
        })
    }

    fn to_address(ip: IpAddr) -> Address {
        let (family, bits) = match ip {
            IpAddr::V4(ip) => (Family::Ipv4, u128::from(ip.to_bits())),
            IpAddr::V6(ip) => (Family::Ipv6, ip.to_bits()),
        };
        Address {
            family,
            high: (bits >> 64) as u64,
            low: bits as u64,
            port: 0,
            flow: 0,
            scope: 0,
        }
    }

    fn to_ip(address: &Address) -> IpAddr {
        match address.family {
            Family::Ipv4 => Ipv4Addr::from_bits(address.low as u32).into(),
            Family::Ipv6 => {
                Ipv6Addr::from_bits(u128::from(address.high) << 64 | u128::from(address.low)).into()
            }
        }
    }

    fn address_tuple(address: &Address, vm: &VirtualMachine) -> PyObjectRef {
        let host = to_ip(address).to_string();
        let mut items: Vec<PyObjectRef> = vec![
            vm.ctx.new_str(scoped(host, address)).into(),
            vm.ctx.new_int(address.port).into(),
        ];
        if address.family == Family::Ipv6 {
            items.push(vm.ctx.new_int(address.flow).into());
            items.push(vm.ctx.new_int(address.scope).into());
        }
        vm.ctx.new_tuple(items).into()
    }

    /// Link-local addresses carry the name of their interface.
    fn scoped(host: String, address: &Address) -> String {
        if address.scope == 0 || address.family == Family::Ipv4 {
            return host;
        }
        let interfaces = sockets::interfaces();
        match interfaces.iter().find(|(index, _)| *index == address.scope) {
            Some((_, name)) => format!("{host}%{name}"),
            None => format!("{host}%{}", address.scope),
        }
    }

    fn parse_address(
        address: &PyObject,
        v6: bool,
        what: &str,
        vm: &VirtualMachine,
    ) -> PyResult<Address> {
        let family = if v6 { "AF_INET6" } else { "AF_INET" };
        let Some(tuple) = address.downcast_ref::<PyTuple>() else {
            return Err(vm.new_type_error(format!(
                "{what}(): {family} address must be tuple, not {}",
                address.class().name()
            )));
        };
        let (host, port, rest) = match tuple.as_slice() {
            [host, port] => (host, port, &[][..]),
            [host, port, rest @ ..] if v6 && rest.len() <= 2 => (host, port, rest),
            _ => {
                return Err(vm.new_type_error(format!(
                    "{what}(): {family} address must be a {} tuple",
                    if v6 {
                        "2-, 3- or 4-item"
                    } else {
                        "pair (host, port)"
                    }
                )));
            }
        };
        let port = port.try_index(vm)?;
        let port = port.try_to_primitive::<i64>(vm).unwrap_or(-1);
        let port = u16::try_from(port)
            .map_err(|_| vm.new_overflow_error(format!("{what}(): port must be 0-65535.")))?;
        let host = host_text(host, vm)?;
        let mut found = find(&host, v6, port, vm)?;
        found.port = port;
        if let Some(flow) = rest.first() {
            let flow = flow.try_index(vm)?.try_to_primitive::<u32>(vm).ok();
            found.flow = flow.filter(|flow| *flow <= 0xf_ffff).ok_or_else(|| {
                vm.new_overflow_error(format!("{what}(): flowinfo must be 0-1048575."))
            })?;
        }
        if let Some(scope) = rest.get(1) {
            let scope = scope.clone().try_into_value::<u32>(vm)?;
            if scope != 0 {
                found.scope = scope;
            }
        }
        Ok(found)
    }

    fn host_text(host: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
        if let Some(text) = host.downcast_ref::<PyStr>() {
            let text = text.to_string_lossy().into_owned();
            if text.is_ascii() {
                return Ok(text);
            }
            let encoded = vm.call_method(host, "encode", ("idna",))?;
            return host_text(&encoded, vm);
        }
        if let Some(bytes) = host.downcast_ref::<PyBytes>() {
            return Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned());
        }
        host.try_bytes_like(vm, |bytes| String::from_utf8_lossy(bytes).into_owned())
            .map_err(|_| {
                vm.new_type_error(format!(
                    "str, bytes or bytearray expected, not {}",
                    host.class().name()
                ))
            })
    }

    /// An address as it is written, without asking anybody.
    fn numeric(host: &str) -> Option<Address> {
        if let Ok(ip) = host.parse::<Ipv4Addr>() {
            return Some(to_address(ip.into()));
        }
        let (text, scope) = match host.split_once('%') {
            Some((text, scope)) => (text, Some(scope)),
            None => (host, None),
        };
        let mut address = to_address(text.parse::<Ipv6Addr>().ok()?.into());
        if let Some(scope) = scope {
            address.scope = match scope.parse() {
                Ok(index) => index,
                Err(_) => {
                    let interfaces = sockets::interfaces();
                    interfaces.iter().find(|(_, name)| name == scope)?.0
                }
            };
        }
        Some(address)
    }

    /// The first address of a host, of the family that the socket has.
    fn find(host: &str, v6: bool, port: u16, vm: &VirtualMachine) -> PyResult<Address> {
        let wanted = if v6 { Family::Ipv6 } else { Family::Ipv4 };
        let written = match host {
            "" if v6 => Some(to_address(Ipv6Addr::UNSPECIFIED.into())),
            "" => Some(NOWHERE),
            "<broadcast>" if !v6 => Some(to_address(Ipv4Addr::BROADCAST.into())),
            host => numeric(host),
        };
        if let Some(address) = written {
            if address.family == wanted {
                return Ok(address);
            }
            // Address family for hostname not supported.
            return Err(lookup_error(
                -9,
                "Address family for hostname not supported",
                vm,
            ));
        }
        let found = look_up(host, Some(port), vm)?;
        let mut found = found.into_iter().filter(|address| address.family == wanted);
        found
            .next()
            .ok_or_else(|| lookup_error(-5, "No address associated with hostname", vm))
    }

    fn look_up(host: &str, port: Option<u16>, vm: &VirtualMachine) -> PyResult<Vec<Address>> {
        let found = task::blocking(|| sockets::resolve(host, port));
        found.map_err(|failure| lookup_failure(&failure, vm))
    }

    fn lookup_failure(failure: &LookupFailure, vm: &VirtualMachine) -> PyRef<PyBaseException> {
        match failure {
            LookupFailure::Unknown => lookup_error(-2, "Name or service not known", vm),
            LookupFailure::Again => lookup_error(-3, "Temporary failure in name resolution", vm),
            LookupFailure::Failed => {
                lookup_error(-4, "Non-recoverable failure in name resolution", vm)
            }
            LookupFailure::Denied(text) => errno::saying(13, text, vm),
        }
    }

    /// `socket.gaierror`, which `_socket.py` defines.
    fn lookup_error(number: i32, text: &str, vm: &VirtualMachine) -> PyRef<PyBaseException> {
        let made = vm.import("_socket", 0).and_then(|module| {
            let class = module.get_attr("gaierror", vm)?;
            class.call((number, text), vm)
        });
        match made.map(|made| made.downcast::<PyBaseException>()) {
            Ok(Ok(error)) => error,
            Ok(Err(_)) => vm.new_os_error(text),
            Err(error) => error,
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
