//! The table of error numbers. The contract and Python use Linux's numbers; the
//! platform below the interpreter has numbers of its own, which come up in errors of
//! files.
//!
//! No other module has such a table. `oserror` makes Python use this one.

use rustpython_vm::{Py, PyRef, VirtualMachine, builtins::PyBaseException, builtins::PyType};

use crate::abi::cordon::plugin::sockets::Failure;
use crate::oserror;

/// Linux's number, the platform's or 0 where it has none, Linux's name and words.
const ERRORS: &[(i32, i32, &str, &str)] = &[
    (1, 63, "EPERM", "Operation not permitted"),
    (2, 44, "ENOENT", "No such file or directory"),
    (3, 71, "ESRCH", "No such process"),
    (4, 27, "EINTR", "Interrupted system call"),
    (5, 29, "EIO", "Input/output error"),
    (6, 60, "ENXIO", "No such device or address"),
    (7, 1, "E2BIG", "Argument list too long"),
    (8, 45, "ENOEXEC", "Exec format error"),
    (9, 8, "EBADF", "Bad file descriptor"),
    (10, 12, "ECHILD", "No child processes"),
    (11, 6, "EAGAIN", "Resource temporarily unavailable"),
    (12, 48, "ENOMEM", "Cannot allocate memory"),
    (13, 2, "EACCES", "Permission denied"),
    (14, 21, "EFAULT", "Bad address"),
    (15, 0, "ENOTBLK", "Block device required"),
    (16, 10, "EBUSY", "Device or resource busy"),
    (17, 20, "EEXIST", "File exists"),
    (18, 75, "EXDEV", "Invalid cross-device link"),
    (19, 43, "ENODEV", "No such device"),
    (20, 54, "ENOTDIR", "Not a directory"),
    (21, 31, "EISDIR", "Is a directory"),
    (22, 28, "EINVAL", "Invalid argument"),
    (23, 41, "ENFILE", "Too many open files in system"),
    (24, 33, "EMFILE", "Too many open files"),
    (25, 59, "ENOTTY", "Inappropriate ioctl for device"),
    (26, 74, "ETXTBSY", "Text file busy"),
    (27, 22, "EFBIG", "File too large"),
    (28, 51, "ENOSPC", "No space left on device"),
    (29, 70, "ESPIPE", "Illegal seek"),
    (30, 69, "EROFS", "Read-only file system"),
    (31, 34, "EMLINK", "Too many links"),
    (32, 64, "EPIPE", "Broken pipe"),
    (33, 18, "EDOM", "Numerical argument out of domain"),
    (34, 68, "ERANGE", "Numerical result out of range"),
    (35, 16, "EDEADLK", "Resource deadlock avoided"),
    (36, 37, "ENAMETOOLONG", "File name too long"),
    (37, 46, "ENOLCK", "No locks available"),
    (38, 52, "ENOSYS", "Function not implemented"),
    (39, 55, "ENOTEMPTY", "Directory not empty"),
    (40, 32, "ELOOP", "Too many levels of symbolic links"),
    (42, 49, "ENOMSG", "No message of desired type"),
    (43, 24, "EIDRM", "Identifier removed"),
    (44, 0, "ECHRNG", "Channel number out of range"),
    (45, 0, "EL2NSYNC", "Level 2 not synchronized"),
    (46, 0, "EL3HLT", "Level 3 halted"),
    (47, 0, "EL3RST", "Level 3 reset"),
    (48, 0, "ELNRNG", "Link number out of range"),
    (49, 0, "EUNATCH", "Protocol driver not attached"),
    (50, 0, "ENOCSI", "No CSI structure available"),
    (51, 0, "EL2HLT", "Level 2 halted"),
    (52, 0, "EBADE", "Invalid exchange"),
    (53, 0, "EBADR", "Invalid request descriptor"),
    (54, 0, "EXFULL", "Exchange full"),
    (55, 0, "ENOANO", "No anode"),
    (56, 0, "EBADRQC", "Invalid request code"),
    (57, 0, "EBADSLT", "Invalid slot"),
    (59, 0, "EBFONT", "Bad font file format"),
    (60, 0, "ENOSTR", "Device not a stream"),
    (61, 0, "ENODATA", "No data available"),
    (62, 0, "ETIME", "Timer expired"),
    (63, 0, "ENOSR", "Out of streams resources"),
    (64, 0, "ENONET", "Machine is not on the network"),
    (65, 0, "ENOPKG", "Package not installed"),
    (66, 0, "EREMOTE", "Object is remote"),
    (67, 47, "ENOLINK", "Link has been severed"),
    (68, 0, "EADV", "Advertise error"),
    (69, 0, "ESRMNT", "Srmount error"),
    (70, 0, "ECOMM", "Communication error on send"),
    (71, 65, "EPROTO", "Protocol error"),
    (72, 36, "EMULTIHOP", "Multihop attempted"),
    (73, 0, "EDOTDOT", "RFS specific error"),
    (74, 9, "EBADMSG", "Bad message"),
    (75, 61, "EOVERFLOW", "Value too large for defined data type"),
    (76, 0, "ENOTUNIQ", "Name not unique on network"),
    (77, 0, "EBADFD", "File descriptor in bad state"),
    (78, 0, "EREMCHG", "Remote address changed"),
    (79, 0, "ELIBACC", "Can not access a needed shared library"),
    (80, 0, "ELIBBAD", "Accessing a corrupted shared library"),
    (81, 0, "ELIBSCN", ".lib section in a.out corrupted"),
    (
        82,
        0,
        "ELIBMAX",
        "Attempting to link in too many shared libraries",
    ),
    (83, 0, "ELIBEXEC", "Cannot exec a shared library directly"),
    (
        84,
        25,
        "EILSEQ",
        "Invalid or incomplete multibyte or wide character",
    ),
    (
        85,
        0,
        "ERESTART",
        "Interrupted system call should be restarted",
    ),
    (86, 0, "ESTRPIPE", "Streams pipe error"),
    (87, 0, "EUSERS", "Too many users"),
    (88, 57, "ENOTSOCK", "Socket operation on non-socket"),
    (89, 17, "EDESTADDRREQ", "Destination address required"),
    (90, 35, "EMSGSIZE", "Message too long"),
    (91, 67, "EPROTOTYPE", "Protocol wrong type for socket"),
    (92, 50, "ENOPROTOOPT", "Protocol not available"),
    (93, 66, "EPROTONOSUPPORT", "Protocol not supported"),
    (94, 0, "ESOCKTNOSUPPORT", "Socket type not supported"),
    (95, 58, "ENOTSUP", "Operation not supported"),
    (96, 0, "EPFNOSUPPORT", "Protocol family not supported"),
    (
        97,
        5,
        "EAFNOSUPPORT",
        "Address family not supported by protocol",
    ),
    (98, 3, "EADDRINUSE", "Address already in use"),
    (99, 4, "EADDRNOTAVAIL", "Cannot assign requested address"),
    (100, 38, "ENETDOWN", "Network is down"),
    (101, 40, "ENETUNREACH", "Network is unreachable"),
    (102, 39, "ENETRESET", "Network dropped connection on reset"),
    (103, 13, "ECONNABORTED", "Software caused connection abort"),
    (104, 15, "ECONNRESET", "Connection reset by peer"),
    (105, 42, "ENOBUFS", "No buffer space available"),
    (
        106,
        30,
        "EISCONN",
        "Transport endpoint is already connected",
    ),
    (107, 53, "ENOTCONN", "Transport endpoint is not connected"),
    (
        108,
        0,
        "ESHUTDOWN",
        "Cannot send after transport endpoint shutdown",
    ),
    (109, 0, "ETOOMANYREFS", "Too many references: cannot splice"),
    (110, 73, "ETIMEDOUT", "Connection timed out"),
    (111, 14, "ECONNREFUSED", "Connection refused"),
    (112, 0, "EHOSTDOWN", "Host is down"),
    (113, 23, "EHOSTUNREACH", "No route to host"),
    (114, 7, "EALREADY", "Operation already in progress"),
    (115, 26, "EINPROGRESS", "Operation now in progress"),
    (116, 72, "ESTALE", "Stale file handle"),
    (117, 0, "EUCLEAN", "Structure needs cleaning"),
    (118, 0, "ENOTNAM", "Not a XENIX named type file"),
    (119, 0, "ENAVAIL", "No XENIX semaphores available"),
    (120, 0, "EISNAM", "Is a named type file"),
    (121, 0, "EREMOTEIO", "Remote I/O error"),
    (122, 19, "EDQUOT", "Disk quota exceeded"),
    (123, 0, "ENOMEDIUM", "No medium found"),
    (124, 0, "EMEDIUMTYPE", "Wrong medium type"),
    (125, 11, "ECANCELED", "Operation canceled"),
    (126, 0, "ENOKEY", "Required key not available"),
    (127, 0, "EKEYEXPIRED", "Key has expired"),
    (128, 0, "EKEYREVOKED", "Key has been revoked"),
    (129, 0, "EKEYREJECTED", "Key was rejected by service"),
    (130, 62, "EOWNERDEAD", "Owner died"),
    (131, 56, "ENOTRECOVERABLE", "State not recoverable"),
    (132, 0, "ERFKILL", "Operation not possible due to RF-kill"),
];

/// Names that are another's number.
const OTHER_NAMES: &[(&str, i32)] = &[("EDEADLOCK", 35), ("EOPNOTSUPP", 95), ("EWOULDBLOCK", 11)];

/// The platform's own error for leaving a granted folder; it has no name in Linux.
const NOT_CAPABLE: i32 = 76;

// Numbers that are looked at here.
pub const EBADF: u32 = 9;
pub const EAGAIN: u32 = 11;
pub const EINVAL: u32 = 22;
pub const EMSGSIZE: u32 = 90;
pub const ENOPROTOOPT: u32 = 92;
pub const EPROTONOSUPPORT: u32 = 93;
pub const ESOCKTNOSUPPORT: u32 = 94;
pub const EAFNOSUPPORT: u32 = 97;
pub const EINPROGRESS: u32 = 115;

/// The platform's number of `EAGAIN`.
pub const PLATFORM_EAGAIN: i32 = 6;

/// Linux's number for one of the platform's.
pub fn of_platform(number: i32) -> i32 {
    match number {
        // A call that the library below cannot do at all has no number.
        0 => 95,
        NOT_CAPABLE => 1,
        _ => {
            let known = ERRORS.iter().find(|(_, platform, ..)| *platform == number);
            known.map_or(number, |(linux, ..)| *linux)
        }
    }
}

/// Linux's words for a number, if it has any.
pub fn words(number: i32) -> Option<&'static str> {
    let known = ERRORS.iter().find(|(linux, ..)| *linux == number);
    known.map(|(.., words)| *words)
}

/// The words that `os.strerror` has for a number.
pub fn described(number: i32) -> String {
    match (number, words(number)) {
        (0, _) => "Success".to_owned(),
        (_, Some(words)) => words.to_owned(),
        (_, None) => format!("Unknown error {number}"),
    }
}

/// Names and numbers of module `errno`; a number's own name comes before others.
pub fn names() -> impl Iterator<Item = (&'static str, i32)> {
    let own = ERRORS.iter().map(|(linux, _, name, _)| (*name, *linux));
    own.chain(OTHER_NAMES.iter().copied())
}

/// The subclass of `OSError` that belongs to a number.
pub fn class(number: i32, vm: &VirtualMachine) -> Option<&'static Py<PyType>> {
    let known = &vm.ctx.exceptions;
    Some(match number {
        1 | 13 => known.permission_error,
        2 => known.file_not_found_error,
        3 => known.process_lookup_error,
        4 => known.interrupted_error,
        10 => known.child_process_error,
        11 | 114 | 115 => known.blocking_io_error,
        17 => known.file_exists_error,
        20 => known.not_a_directory_error,
        21 => known.is_a_directory_error,
        32 | 108 => known.broken_pipe_error,
        103 => known.connection_aborted_error,
        104 => known.connection_reset_error,
        110 => known.timeout_error,
        111 => known.connection_refused_error,
        _ => return None,
    })
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
    let number = i32::try_from(failure.number).unwrap_or(i32::MAX);
    let text = failure.text.clone().unwrap_or_else(|| described(number));
    oserror::raised(number, text, vm)
}
