//! `_cordon_icmp`: the hub's echo requests as the runtime's Python calls them.

pub(crate) use _cordon_icmp::module_def;

#[rustpython_vm::pymodule]
mod _cordon_icmp {
    use rustpython_vm::{PyObjectRef, VirtualMachine, convert::ToPyObject};

    use crate::abi::cordon::plugin::icmp::{self, EchoError};
    use crate::{convert, task};

    /// `(None, address, round trip in nanoseconds, bytes)`, or the word for the failure
    /// and its details.
    #[pyfunction]
    fn echo(
        host: String,
        timeout_ms: u32,
        size: u32,
        ttl: Option<u8>,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        let word = |word: &'static str, value| vec![word.to_pyobject(vm), value];
        let none = vm.ctx.none();
        let items = match task::blocking(|| icmp::echo(&host, timeout_ms, size, ttl)) {
            Ok(reply) => vec![
                none,
                reply.address.to_pyobject(vm),
                reply.round_trip_ns.to_pyobject(vm),
                reply.size.to_pyobject(vm),
            ],
            Err(EchoError::Denied(text)) => word("denied", text.to_pyobject(vm)),
            Err(EchoError::NoSuchHost) => word("no-such-host", none),
            Err(EchoError::TimedOut) => word("timed-out", none),
            Err(EchoError::TooMany) => word("too-many", none),
            Err(EchoError::Unavailable(text)) => word("unavailable", text.to_pyobject(vm)),
            Err(EchoError::Failed(number)) => word("failed", number.to_pyobject(vm)),
        };
        convert::tuple(items, vm)
    }
}
