//! `_cordon_socket`: the native half of Python's `_socket` module.
//!
//! The class `socket` over the hub's sockets, and the functions that `_socket.py`
//! builds the rest on. A call that may have to wait tries first, and then waits in the
//! hub, where only its own Python thread sleeps.

mod address;
mod functions;
mod lifecycle;
mod methods;
mod options;

pub(crate) use functions::module_def;

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use rustpython_vm::{
    PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, function::ArgBytesLike, pyclass,
};

use crate::abi::cordon::plugin::sockets::{
    self, Address, Failure, Interest, MessageFlags, OptionName,
};
use crate::{errno, task};
use address::{NOWHERE, address_tuple, parse_address};
use options::{
    FOREVER, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, Patience, raise, receive_flags, send_flags,
    timed_out,
};

const AF_UNIX: i32 = 1;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOCK_NONBLOCK: i32 = 0o4000;
const SOCK_CLOEXEC: i32 = 0o2_000_000;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;

/// Bytes that are handed to the hub in one call; the hub makes a copy of them.
const CHUNK: usize = 256 << 10;

/// More than any datagram has.
const DATAGRAM: usize = 64 << 10;

/// `socket.setdefaulttimeout`, as the bits of a float.
static DEFAULT_TIMEOUT: AtomicU64 = AtomicU64::new(FOREVER.to_bits());

type Result<T> = std::result::Result<T, Failure>;

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
