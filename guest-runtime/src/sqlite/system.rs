//! The services that SQLite asks the system for: locks, sleep, entropy, local time.
//!
//! The file system of SQLite for Unix is used as it is, with four things replaced. One
//! instance is the only user of its folders, so locks of the operating system have
//! nothing to tell; but two connections of one plugin must not write at the same time.
//! `unix-excl` keeps such locks in memory, by the identity of the file, and they are
//! gone when the instance is. It asks the system only once, to lock the file against
//! other processes, and that is granted here.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};

use libsqlite3_sys as ffi;
use rand::Rng;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine, vm::thread::try_with_current_vm};

use crate::abi::cordon::plugin::clock;
use crate::single::Single;
use crate::task;

/// `F_GETLK` as SQLite was compiled with it, where WASI has none.
const F_GETLK: c_int = 12;

/// "Nobody holds a lock" in the answer to [`F_GETLK`].
const F_UNLCK: i16 = 2;

/// Number of the test control that takes another `localtime`.
const LOCAL_TIME: c_int = ffi::SQLITE_TESTCTRL_LOCALTIME_FAULT;

/// With this, the test control calls the function that follows.
const USE_OTHER: c_int = 2;

static PREPARED: Single<Cell<bool>> = Single(Cell::new(false));

/// Python's `time.localtime`, or the function that the runtime put in its place.
static LOCALTIME: Single<RefCell<Option<PyObjectRef>>> = Single(RefCell::new(None));

/// Sets SQLite up, once per instance. `localtime` takes seconds since the epoch and
/// returns at least the nine numbers of a `struct_time`.
pub fn prepare(localtime: PyObjectRef) {
    LOCALTIME.replace(Some(localtime));
    if PREPARED.replace(true) {
        return;
    }
    // SAFETY: single-threaded; the system of this name is a static of SQLite's, may
    // be changed before a file is opened through it, and lives for ever.
    unsafe {
        ffi::sqlite3_initialize();
        let system = ffi::sqlite3_vfs_find(c"unix-excl".as_ptr());
        let Some(system) = system.as_mut() else {
            return;
        };
        system.xSleep = Some(sleep);
        system.xRandomness = Some(randomness);
        if let Some(replace) = system.xSetSystemCall {
            // SQLite casts it back to the type that it has.
            let lock = std::mem::transmute::<Fcntl, unsafe extern "C" fn()>(fcntl);
            replace(&raw mut *system, c"fcntl".as_ptr(), Some(lock));
        }
        ffi::sqlite3_vfs_register(&raw mut *system, 1);
        ffi::sqlite3_test_control(LOCAL_TIME, USE_OTHER, local_time as LocalTime);
    }
}

/// `fcntl(file, operation, ...)`: variable arguments are passed as the address of a
/// block that holds them.
type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

/// Grants every lock: nobody else has the file.
unsafe extern "C" fn fcntl(_file: c_int, operation: c_int, arguments: *mut c_void) -> c_int {
    if operation == F_GETLK {
        // SAFETY: the block holds the address of a `struct flock`, whose first
        // field is the kind of lock as a short.
        unsafe { *arguments.cast::<*mut i16>().read() = F_UNLCK };
    }
    0
}

/// Waits for a lock that another connection of the plugin holds, and lets the
/// other threads run, of which one will give it up.
unsafe extern "C" fn sleep(_system: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    let nanoseconds = u64::try_from(microseconds)
        .unwrap_or(0)
        .saturating_mul(1000);
    task::blocking(|| clock::sleep(nanoseconds));
    microseconds
}

/// SQLite's own way is a device file, and the clock where there is none.
unsafe extern "C" fn randomness(
    _: *mut ffi::sqlite3_vfs,
    length: c_int,
    into: *mut c_char,
) -> c_int {
    let size = usize::try_from(length).unwrap_or(0);
    // SAFETY: SQLite's buffer is that long.
    let buffer = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), size) };
    rand::rng().fill_bytes(buffer);
    length
}

/// `struct tm` as far as SQLite reads it.
#[repr(C)]
struct BrokenDown {
    second: c_int,
    minute: c_int,
    hour: c_int,
    day: c_int,
    month: c_int,
    year: c_int,
}

type LocalTime = unsafe extern "C" fn(*const c_void, *mut c_void) -> c_int;

/// The hub's zone, which WASI does not know.
unsafe extern "C" fn local_time(moment: *const c_void, into: *mut c_void) -> c_int {
    // SAFETY: the address of a time_t, which has 64 bits in wasi-libc.
    let moment = unsafe { moment.cast::<i64>().read() };
    let Some(Ok([year, month, day, hour, minute, second])) =
        try_with_current_vm(|vm| ask_local_time(moment, vm))
    else {
        return 1;
    };
    let time = BrokenDown {
        second,
        minute,
        hour,
        day,
        month: month - 1,
        year: year - 1900,
    };
    // SAFETY: the address of a whole struct tm, which begins with these fields.
    unsafe { into.cast::<BrokenDown>().write(time) };
    0
}

fn ask_local_time(moment: i64, vm: &VirtualMachine) -> PyResult<[c_int; 6]> {
    let localtime = LOCALTIME.borrow().clone();
    let localtime = localtime.ok_or_else(|| vm.new_runtime_error("no local time"))?;
    let parts: Vec<PyObjectRef> = localtime.call((moment,), vm)?.try_into_value(vm)?;
    let mut numbers = [0; 6];
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.try_into_value(vm)?;
    }
    Ok(numbers)
}
