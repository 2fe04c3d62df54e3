//! The birth and the end of a socket. Most sockets are made anew; some are made of a
//! descriptor that is there already. A socket that Python forgets is closed.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use rustpython_vm::{
    AsObject, Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyType},
    function::FuncArgs,
    types::{Constructor, Destructor, Initializer},
};

use super::options::{FOREVER, raise};
use super::{
    AF_INET, AF_INET6, AF_UNIX, DEFAULT_TIMEOUT, IPPROTO_TCP, IPPROTO_UDP, SOCK_CLOEXEC,
    SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, Socket,
};
use crate::abi::cordon::plugin::sockets::{self, Family, Kind};
use crate::errno;

#[derive(rustpython_vm::FromArgs)]
pub(super) struct SocketArgs {
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
            // Whoever has a descriptor may name its kind.
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

/// The family and kind that a plugin asks for, if they exist here.
fn kinds(family: i32, kind: i32, proto: i32, vm: &VirtualMachine) -> PyResult<(Family, Kind)> {
    let family = match family {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        AF_UNIX => {
            let text =
                "Unix sockets do not exist here: a plugin reaches other programs over the network";
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
