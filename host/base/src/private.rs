//! Who may read and write the hub's files.
//!
//! The hub keeps passwords, the data of plugins and code that it runs. Its folders are for its own
//! account alone. The hub does not believe a file that others could have changed: it says so in its
//! log or refuses the file.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::EngineError;

/// Mode of files that the hub makes for itself.
pub const FILE: u32 = 0o600;

/// Mode of folders that the hub makes for itself.
pub const FOLDER: u32 = 0o700;

/// Write bits of the group and of everybody.
const WRITABLE: u32 = 0o022;

/// Write bit of everybody.
const EVERYBODY_WRITES: u32 = 0o002;

/// Bits of the group and of everybody.
const OTHERS: u32 = 0o077;

/// In a folder with it, such as `/tmp`, only the owner of a file may replace it.
const STICKY: u32 = 0o1000;

/// From here on files and folders that this process makes are for its account alone.
/// Programs that plugins are allowed to start make theirs so, too.
pub fn mask() {
    rustix::process::umask(Mode::from_raw_mode(OTHERS));
}

/// Makes the hub's data folder, or takes the rights of others in it away from them.
///
/// # Errors
/// [`EngineError::Config`] for a folder of another account or one that many share: nothing
/// in it could be kept.
pub fn folder(path: &Path) -> Result<(), EngineError> {
    let io =
        |what: &str, error| EngineError::io(format!("cannot {what} {}", path.display()), error);
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(FOLDER)
        .create(path)
        .map_err(|error| io("make", error))?;
    let found = std::fs::metadata(path).map_err(|error| io("look at", error))?;
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    let shared = found.mode() & STICKY != 0;
    if found.uid() == own_account() && !shared {
        let private = Permissions::from_mode(FOLDER);
        std::fs::set_permissions(path, private).map_err(|error| io("protect", error))?;
        tracing::info!(folder = %path.display(), "others can no longer read the data folder");
        return Ok(());
    }
    if shared || found.mode() & EVERYBODY_WRITES != 0 {
        return Err(EngineError::Config(format!(
            "others can write to {}; give `data` under [hub] a folder of its own",
            path.display()
        )));
    }
    tracing::warn!(folder = %path.display(), "others can read the data folder, which is another account's");
    Ok(())
}

/// Takes a file of the hub's own away from others. A file that is not there, or not the hub's, is
/// left as it is.
pub fn file(path: &Path) {
    let options = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path);
    let Ok(file) = options else {
        return;
    };
    let loose = |found: &Metadata| found.is_file() && found.mode() & OTHERS != 0;
    let protect = || match file.metadata()? {
        found if loose(&found) && found.uid() == own_account() => {
            file.set_permissions(Permissions::from_mode(FILE))
        }
        _ => Ok(()),
    };
    if let Err(error) = protect() {
        tracing::warn!(%error, file = %path.display(), "others can read a file of the hub");
    }
}

/// How safe the hub's configuration file is from other accounts.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody else reads or writes it.
    Private,
    /// Others may read it.
    Readable,
    /// The group of the file may change it.
    GroupWritable,
    /// Everybody may change it, or put another in its place.
    Writable,
}

/// Who beside its account may read or change an open file.
///
/// # Errors
/// The system's.
pub fn standing(file: &File, path: &Path) -> io::Result<Standing> {
    let mode = file.metadata()?.mode();
    let folder = std::fs::metadata(parent(path))?.mode();
    let exchanged = folder & EVERYBODY_WRITES != 0 && folder & STICKY == 0;
    Ok(if mode & EVERYBODY_WRITES != 0 || exchanged {
        Standing::Writable
    } else if mode & 0o020 != 0 {
        Standing::GroupWritable
    } else if mode & 0o044 != 0 {
        Standing::Readable
    } else {
        Standing::Private
    })
}

/// Why code in a file is not run.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    /// Another account could have written it.
    #[error("{}: {why}", .path.display())]
    Others {
        /// The file, or a folder above it.
        path: PathBuf,
        /// The fault that was found with it.
        why: &'static str,
    },
    /// The file cannot be opened.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens a file that only this account or the administrator can have written: the file, and every
/// folder above it. The file that was examined is the one that is returned.
///
/// # Errors
/// [`Untrusted`], also when there is no such file.
pub fn open_trusted(path: &Path) -> Result<File, Untrusted> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(others(path, "it is no regular file"));
    }
    trusted(path, &found)?;
    folder_trusted(parent(path))?;
    Ok(file)
}

/// Whether only this account or the administrator can put files into a folder, or another
/// folder in its place.
///
/// # Errors
/// [`Untrusted`].
pub fn folder_trusted(path: &Path) -> Result<(), Untrusted> {
    // Without links: the folders above a link would have to be examined as well.
    let path = std::fs::canonicalize(path)?;
    for (n, folder) in path.ancestors().enumerate() {
        let found = std::fs::metadata(folder)?;
        // In a folder such as /tmp nobody replaces a folder of another account.
        if n > 0 && found.mode() & STICKY != 0 && is_trusted_owner(&found) {
            continue;
        }
        trusted(folder, &found)?;
    }
    Ok(())
}

fn trusted(path: &Path, found: &Metadata) -> Result<(), Untrusted> {
    if !is_trusted_owner(found) {
        return Err(others(path, "it belongs to another account"));
    }
    if found.mode() & WRITABLE != 0 {
        return Err(others(path, "others can write to it; use `chmod go-w`"));
    }
    Ok(())
}

fn is_trusted_owner(found: &Metadata) -> bool {
    found.uid() == 0 || found.uid() == own_account()
}

fn others(path: &Path, why: &'static str) -> Untrusted {
    Untrusted::Others {
        path: path.to_owned(),
        why,
    }
}

/// The folder that a path is in.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn own_account() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(crate) fn flags(flags: OFlags) -> i32 {
    // The flags of `open` are an `int` of the system's.
    i32::from_ne_bytes(flags.bits().to_ne_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_data_folder_is_made_and_kept_private() {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("a/data");
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        chmod(&data, 0o755);
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
    }

    #[test]
    fn a_folder_that_many_share_is_no_data_folder() {
        let scratch = tempfile::tempdir().unwrap();
        chmod(scratch.path(), 0o1777);
        let text = folder(scratch.path()).unwrap_err().to_string();
        assert!(text.contains("a folder of its own"), "{text}");
        assert_eq!(mode(scratch.path()), 0o1777);
    }

    #[test]
    fn a_file_is_taken_from_others_but_not_through_a_link() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, link) = (scratch.path().join("file"), scratch.path().join("link"));
        std::fs::write(&path, "").unwrap();
        chmod(&path, 0o644);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        file(&link);
        assert_eq!(mode(&path), 0o644);
        file(&path);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn who_may_change_a_configuration_is_seen_by_file_and_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("cordon.toml");
        std::fs::write(&path, "").unwrap();
        let file = File::open(&path).unwrap();
        let cases = [
            (0o600, 0o700, Standing::Private),
            (0o644, 0o755, Standing::Readable),
            (0o660, 0o755, Standing::GroupWritable),
            (0o602, 0o755, Standing::Writable),
            (0o600, 0o777, Standing::Writable),
            (0o600, 0o1777, Standing::Private),
        ];
        for (of_file, of_folder, expected) in cases {
            chmod(&path, of_file);
            chmod(scratch.path(), of_folder);
            let found = standing(&file, &path).unwrap();
            assert_eq!(found, expected, "{of_file:o} in {of_folder:o}");
        }
    }

    #[test]
    fn code_is_trusted_only_where_nobody_else_can_write() {
        let scratch = tempfile::tempdir().unwrap();
        let inner = scratch.path().join("cache");
        std::fs::create_dir(&inner).unwrap();
        chmod(&inner, 0o755);
        let path = inner.join("code");
        std::fs::write(&path, "").unwrap();
        chmod(&path, 0o644);
        open_trusted(&path).unwrap();
        let refused = |why: &str| {
            let text = open_trusted(&path).unwrap_err().to_string();
            assert!(text.contains(why), "{text}");
        };
        chmod(&path, 0o664);
        refused("others can write to it");
        chmod(&path, 0o644);
        chmod(&inner, 0o777);
        refused("cache: others can write to it");
        chmod(&inner, 0o1777);
        refused("cache: others can write to it");
        chmod(&inner, 0o755);
        chmod(scratch.path(), 0o777);
        refused("others can write to it");
        chmod(scratch.path(), 0o1777);
        open_trusted(&path).unwrap();
        let link = inner.join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open_trusted(&link).is_err());
        let pipe = inner.join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(open_trusted(&pipe).is_err());
    }

    #[test]
    fn code_of_another_account_is_not_trusted() {
        if own_account() != 0 {
            return;
        }
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("code");
        std::fs::write(&path, "").unwrap();
        chmod(&path, 0o644);
        open_trusted(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        let text = open_trusted(&path).unwrap_err().to_string();
        assert!(text.contains("belongs to another account"), "{text}");
    }
}
