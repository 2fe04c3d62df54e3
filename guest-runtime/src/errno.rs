//! Error numbers: the contract speaks Linux, this platform has numbers of its own.
//!
//! Python's `errno` module has the platform's, so an exception has to carry those
//! for `error.errno == errno.ECONNREFUSED` to hold. The words are Linux's.

use rustpython_vm::{PyRef, VirtualMachine, builtins::PyBaseException};

use crate::abi::cordon::plugin::sockets::Failure;

/// Linux's number, WASI's, and the words.
const ERRORS: &[(u32, i32, &str)] = &[
    (1, 63, "Operation not permitted"),
    (2, 44, "No such file or directory"),
    (4, 27, "Interrupted system call"),
    (5, 29, "Input/output error"),
    (9, 8, "Bad file descriptor"),
    (11, 6, "Resource temporarily unavailable"),
    (12, 48, "Cannot allocate memory"),
    (13, 2, "Permission denied"),
    (14, 21, "Bad address"),
    (16, 10, "Device or resource busy"),
    (17, 20, "File exists"),
    (19, 43, "No such device"),
    (22, 28, "Invalid argument"),
    (23, 41, "Too many open files in system"),
    (24, 33, "Too many open files"),
    (28, 51, "No space left on device"),
    (32, 64, "Broken pipe"),
    (34, 68, "Numerical result out of range"),
    (71, 65, "Protocol error"),
    (75, 61, "Value too large for defined data type"),
    (88, 57, "Socket operation on non-socket"),
    (89, 17, "Destination address required"),
    (90, 35, "Message too long"),
    (91, 67, "Protocol wrong type for socket"),
    (92, 50, "Protocol not available"),
    (93, 66, "Protocol not supported"),
    (94, 94, "Socket type not supported"),
    (95, 58, "Operation not supported"),
    (97, 5, "Address family not supported by protocol"),
    (98, 3, "Address already in use"),
    (99, 4, "Cannot assign requested address"),
    (100, 38, "Network is down"),
    (101, 40, "Network is unreachable"),
    (102, 39, "Network dropped connection on reset"),
    (103, 13, "Software caused connection abort"),
    (104, 15, "Connection reset by peer"),
    (105, 42, "No buffer space available"),
    (106, 30, "Transport endpoint is already connected"),
    (107, 53, "Transport endpoint is not connected"),
    (108, 64, "Cannot send after transport endpoint shutdown"),
    (110, 73, "Connection timed out"),
    (111, 14, "Connection refused"),
    (112, 112, "Host is down"),
    (113, 23, "No route to host"),
    (114, 7, "Operation already in progress"),
    (115, 26, "Operation now in progress"),
    (125, 11, "Operation canceled"),
];

// Linux's numbers that are looked at here.
pub const EBADF: u32 = 9;
pub const EAGAIN: u32 = 11;
pub const EINVAL: u32 = 22;
pub const EMSGSIZE: u32 = 90;
pub const ENOPROTOOPT: u32 = 92;
pub const EPROTONOSUPPORT: u32 = 93;
pub const ESOCKTNOSUPPORT: u32 = 94;
pub const EAFNOSUPPORT: u32 = 97;
pub const EINPROGRESS: u32 = 115;

/// The platform's number for one of Linux's; unknown ones stay as they are.
pub fn local(number: u32) -> i32 {
    let known = ERRORS.iter().find(|(linux, ..)| *linux == number);
    known.map_or_else(
        || i32::try_from(number).unwrap_or(i32::MAX),
        |(_, local, _)| *local,
    )
}

/// `OSError`, or the subclass that belongs to the number.
pub fn error(number: u32, vm: &VirtualMachine) -> PyRef<PyBaseException> {
    failure(&Failure { number, text: None }, vm)
}

/// The same with words of one's own.
pub fn saying(number: u32, text: &str, vm: &VirtualMachine) -> PyRef<PyBaseException> {
    let text = Some(text.to_owned());
    failure(&Failure { number, text }, vm)
}

/// The exception for a failure of the hub's.
pub fn failure(failure: &Failure, vm: &VirtualMachine) -> PyRef<PyBaseException> {
    let known = ERRORS
        .iter()
        .find(|(linux, ..)| *linux == failure.number)
        .map_or("Unknown error", |(.., words)| words);
    let text = failure.text.as_deref().unwrap_or(known);
    vm.new_errno_error(local(failure.number), text).upcast()
}
