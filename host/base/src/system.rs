//! The room that the operating system grants this process, checked before instances start.
//!
//! Every instance may hold a file open while it runs and has some mappings of memory. Running out
//! of either in the middle of a start gives errors that name neither, so the room is checked first
//! and the error names the setting to raise.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::EngineError;

/// Files that an instance holds open: none while it is idle, a few while one of its
/// callbacks runs, and callbacks of all instances hardly ever run together.
const FILES_PER_INSTANCE: u64 = 1;

/// Files for everything else: sockets, the database, the guest.
const OTHER_FILES: u64 = 512;

/// Mappings of an instance's memory, as counted in `/proc/self/maps`: the image, the
/// heap behind it, a table, the guard.
const MAPPINGS_PER_INSTANCE: u64 = 4;

/// Mappings of a stack of the pool, used or not: the stack and its guard.
const MAPPINGS_PER_STACK: u64 = 2;

/// Mappings of everything else.
const OTHER_MAPPINGS: u64 = 1400;

/// Files that are kept for the API when everything else has used up the rest.
const RESERVED_FILES: u64 = 64;

/// Allows this process as many open files as the system lets it, but for a reserve: at
/// least the hard limit, and more where it is privileged and `instances` need more.
///
/// The reserve lies between the soft limit and the hard one. So a part of the hub that opens files
/// on behalf of plugins is refused before the API is; the store opens its files at the start and
/// keeps them.
pub fn raise_file_limit(instances: u64) {
    let wanted = files_for(instances).saturating_add(RESERVED_FILES);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        let more = Rlimit {
            current: Some(wanted.saturating_sub(RESERVED_FILES)),
            maximum: Some(wanted),
        };
        if setrlimit(Resource::Nofile, more).is_ok() {
            return;
        }
    }
    // A limit that is too small for a reserve is used up to its end.
    limit.current = limit
        .maximum
        .map(|maximum| match maximum > 4 * RESERVED_FILES {
            true => maximum.saturating_sub(RESERVED_FILES),
            false => maximum,
        });
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the number of open files");
    }
}

/// Bytes that a file system has to have left: the index of a log takes 32 KiB, and the file system
/// some for itself.
const LEAST_ROOM: u64 = 128 << 10;

/// Whether the file system of this folder has no room left for this process, neither for bytes nor
/// for files; false when it does not say.
#[must_use]
pub fn is_disk_full(folder: &Path) -> bool {
    let Ok(found) = rustix::fs::statvfs(folder) else {
        return false;
    };
    let blocks = match rustix::process::geteuid().is_root() {
        // Some blocks are for root alone.
        true => found.f_bfree,
        false => found.f_bavail,
    };
    let bytes = blocks.saturating_mul(found.f_frsize);
    // A file system without a bound says that it has none of either.
    (found.f_blocks > 0 && bytes < LEAST_ROOM) || (found.f_files > 0 && found.f_ffree == 0)
}

/// Does something that opens a file or two, for which there is room even when the files
/// for everything else are used up.
///
/// Files that others open in this moment have the same room; the moment is as short as a call of
/// the system.
pub fn with_reserved_files<T>(work: impl FnOnce() -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = getrlimit(Resource::Nofile);
    let whole = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let raised = setrlimit(Resource::Nofile, whole).is_ok();
    let done = work();
    if raised && let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot keep a reserve of open files");
    }
    done
}

/// Whether the system lets this process hold so many instances at once, in a pool of
/// so many stacks.
///
/// # Errors
///
/// [`EngineError::Config`] with the setting that is too small and the remedy.
pub fn room_for(instances: u64, stacks: u32) -> Result<(), EngineError> {
    let files = getrlimit(Resource::Nofile).current;
    check(
        instances,
        files_for(instances),
        files,
        "open files",
        "raise it with `ulimit -n` or LimitNOFILE",
    )?;
    check(
        instances,
        instances
            .saturating_mul(MAPPINGS_PER_INSTANCE)
            .saturating_add(u64::from(stacks).saturating_mul(MAPPINGS_PER_STACK))
            .saturating_add(OTHER_MAPPINGS),
        map_count_limit(),
        "memory mappings",
        "raise it with `sysctl vm.max_map_count=N`",
    )
}

fn files_for(instances: u64) -> u64 {
    instances
        .saturating_mul(FILES_PER_INSTANCE)
        .saturating_add(OTHER_FILES)
}

fn check(
    instances: u64,
    needed: u64,
    allowed: Option<u64>,
    what: &str,
    remedy: &str,
) -> Result<(), EngineError> {
    match allowed {
        Some(allowed) if allowed < needed => Err(EngineError::Config(format!(
            "{instances} instances need {needed} {what}, the system allows {allowed}; {remedy}, or lower `instances` under [hub]"
        ))),
        _ => Ok(()),
    }
}

/// Linux bounds the mappings of a process; `None` where there is no such setting.
fn map_count_limit() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_few_instances_have_room() {
        room_for(4, 4).unwrap();
    }

    #[test]
    fn too_many_instances_are_told_which_setting_to_raise() {
        let text = room_for(1_000_000_000, 4).unwrap_err().to_string();
        assert!(text.contains("1000000000 instances need"), "{text}");
        assert!(text.contains("or lower `instances` under [hub]"), "{text}");
    }
}
