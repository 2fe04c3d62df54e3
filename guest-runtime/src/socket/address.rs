//! Addresses of sockets between Python's tuples and the hub's records, and the look-up
//! of names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustpython_vm::{
    PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine,
    builtins::{PyBaseException, PyBytes, PyStr, PyTuple},
};

use crate::abi::cordon::plugin::sockets::{self, Address, Family, LookupFailure};
use crate::{errno, task};

/// No host and no port.
pub const NOWHERE: Address = Address {
    family: Family::Ipv4,
    high: 0,
    low: 0,
    port: 0,
    flow: 0,
    scope: 0,
};

/// The record of an address, with port 0.
pub fn to_address(ip: IpAddr) -> Address {
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

/// An address as Python sees it: host and port, and two numbers more for IPv6.
pub fn address_tuple(address: &Address, vm: &VirtualMachine) -> PyObjectRef {
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

/// The address that Python gave to `what`, a function of the socket; a name is looked up.
pub fn parse_address(
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
pub fn numeric(host: &str) -> Option<Address> {
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

/// Asks the hub for the addresses of a name. Blocks this Python thread alone.
pub fn look_up(host: &str, port: Option<u16>, vm: &VirtualMachine) -> PyResult<Vec<Address>> {
    let found = task::blocking(|| sockets::resolve(host, port));
    found.map_err(|failure| lookup_failure(&failure, vm))
}

/// The exception for a look-up that failed.
pub fn lookup_failure(failure: &LookupFailure, vm: &VirtualMachine) -> PyRef<PyBaseException> {
    match failure {
        LookupFailure::Unknown => lookup_error(-2, "Name or service not known", vm),
        LookupFailure::Again => lookup_error(-3, "Temporary failure in name resolution", vm),
        LookupFailure::Failed => lookup_error(-4, "Non-recoverable failure in name resolution", vm),
        LookupFailure::Denied(text) => errno::saying(13, text, vm),
    }
}

/// `socket.gaierror`, which `_socket.py` defines.
pub fn lookup_error(number: i32, text: &str, vm: &VirtualMachine) -> PyRef<PyBaseException> {
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
