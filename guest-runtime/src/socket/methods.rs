//! The methods and properties that Python sees of a socket. They convert Python's
//! arguments; the calls themselves are the socket's own.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering;

use rustpython_vm::{
    AsObject, Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::PyUtf8StrRef,
    function::{ArgBytesLike, ArgMemoryBuffer, FuncArgs, OptionalArg},
    pyclass,
    types::{Constructor, Destructor, Initializer, Representable},
};

use super::Socket;
use super::address::{address_tuple, to_address};
use super::options::{FOREVER, option_name, raise, seconds, send_flags};
use crate::abi::cordon::plugin::sockets::{self, Device, Direction, Interest};
use crate::errno;

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
    usize::try_from(size).map_err(|_| vm.new_value_error(format!("negative buffersize in {what}")))
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
    fn setblocking(zelf: &Py<Self>, blocking: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
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
        let (handle, peer) = zelf.call(Interest::READABLE, &mut patience, vm, sockets::accept)?;
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

    /// Data, the length before it was cut, and the sender, of which `_socket.py` makes
    /// `recvmsg`.
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
