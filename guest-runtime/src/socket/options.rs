//! The settings of a call of a socket: how long it may wait, its flags, and the options
//! by name.

use std::time::{Duration, Instant};

use rustpython_vm::{PyObject, PyRef, PyResult, VirtualMachine, builtins::PyBaseException};

use crate::abi::cordon::plugin::sockets::{Failure, MessageFlags, OptionName};
use crate::errno;

/// `None`, which means to wait for ever, as a number of seconds.
pub const FOREVER: f64 = -1.0;

// Flags of a call, as Linux numbers them.
const MSG_OOB: i32 = 1;
pub const MSG_PEEK: i32 = 2;
const MSG_TRUNC: i32 = 0x20;
pub const MSG_DONTWAIT: i32 = 0x40;
pub const MSG_WAITALL: i32 = 0x100;
const MSG_MORE: i32 = 0x8000;

/// How long a call may go on.
pub struct Patience {
    timeout: Option<Duration>,
    end: Option<Instant>,
}

impl Patience {
    /// For so many seconds; [`FOREVER`] has no end.
    pub fn new(seconds: f64) -> Self {
        let timeout =
            (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Self { timeout, end: None }
    }

    /// For a call that must not wait.
    pub fn none() -> Self {
        Self::new(0.0)
    }

    /// Whether the call may wait for ever.
    pub fn is_endless(&self) -> bool {
        self.timeout.is_none()
    }

    /// Whether the call must not wait.
    pub fn is_none(&self) -> bool {
        self.timeout == Some(Duration::ZERO)
    }

    /// Nanoseconds that are left; nothing for ever.
    pub fn left(&mut self) -> Option<u64> {
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

/// The exception of a call whose time is over.
pub fn timed_out(vm: &VirtualMachine) -> PyRef<PyBaseException> {
    let class = vm.ctx.exceptions.timeout_error.to_owned();
    vm.new_os_subtype_error(class, None, "timed out").upcast()
}

/// The hub's answer, or the exception for its failure.
pub fn raise<T>(result: Result<T, Failure>, vm: &VirtualMachine) -> PyResult<T> {
    result.map_err(|failure| errno::failure(&failure, vm))
}

/// A timeout as Python gives it, in seconds; [`FOREVER`] for `None`.
pub fn seconds(timeout: &PyObject, vm: &VirtualMachine) -> PyResult<f64> {
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

/// The part of a receiving call's flags that the hub has to know.
pub fn receive_flags(flags: i32, vm: &VirtualMachine) -> PyResult<MessageFlags> {
    let known = MSG_OOB | MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_TRUNC;
    // MSG_NOSIGNAL and MSG_CMSG_CLOEXEC ask for behaviour that holds anyway.
    if flags & !(known | 0x4000 | 0x4000_0000) != 0 {
        return Err(errno::error(errno::EINVAL, vm));
    }
    Ok(when(flags & MSG_PEEK != 0, MessageFlags::PEEK)
        | when(flags & MSG_OOB != 0, MessageFlags::OUT_OF_BAND))
}

/// The same of a sending one.
pub fn send_flags(flags: i32, vm: &VirtualMachine) -> PyResult<MessageFlags> {
    let known = MSG_OOB | MSG_DONTWAIT | MSG_MORE;
    if flags & !(known | 0x4000) != 0 {
        return Err(errno::error(errno::EINVAL, vm));
    }
    Ok(when(flags & MSG_OOB != 0, MessageFlags::OUT_OF_BAND)
        | when(flags & MSG_MORE != 0, MessageFlags::MORE))
}

/// The option that Python's constants call so.
pub fn option_name(name: &str) -> Option<OptionName> {
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
