//! The module `_cordon_socket`: its functions, and the class beside them.

pub(crate) use _cordon_socket::module_def;

#[rustpython_vm::pymodule]
mod _cordon_socket {
    use std::sync::atomic::Ordering;

    use rustpython_vm::{
        PyObjectRef, PyResult, VirtualMachine, builtins::PyUtf8StrRef, convert::ToPyObject, pyclass,
    };

    use crate::abi::cordon::plugin::sockets::{self, Kind};
    use crate::socket::address::{address_tuple, look_up, lookup_error, lookup_failure, numeric};
    use crate::socket::options::{raise, seconds};
    use crate::socket::{DEFAULT_TIMEOUT, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM};
    use crate::{errno, task};

    #[pyattr]
    #[pyattr(name = "SocketType")]
    #[pyclass(module = "_socket", name = "socket")]
    use crate::socket::Socket;

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
