//! Files of a plugin's own folders, and of nothing else.
//!
//! Paths are resolved by the kernel and may not leave the folder, through no `..` and no link,
//! whatever a plugin changes in the meantime. The pool for files opens and reads them at the
//! plugin's cost, so a plugin whose disk is slow waits alone.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use futures_util::stream;
use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::Plugin;
use crate::names;
use crate::paths::{self, INSTALL_FOLDER, PLUGIN_FOLDER};
use cordon_base::account::Account;
use cordon_base::pool::Pool;

/// Bytes that are read at a time.
const CHUNK: u64 = 64 << 10;

/// An open file and its length when it was opened.
pub(super) struct Found {
    file: File,
    length: u64,
}

/// The place where the files of one plugin are read, and the account that pays.
#[derive(Clone)]
pub(super) struct Desk {
    files: Pool,
    account: Arc<Account>,
}

impl Desk {
    pub(super) fn new(files: &Pool, plugin: &Plugin) -> Self {
        Self {
            files: files.clone(),
            account: Arc::clone(&plugin.account),
        }
    }

    /// Runs a function that may block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let done = self.files.run(&self.account, work).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
    }
}

/// Opens a file below a folder. Blocks.
pub(super) fn open_beneath(folder: &Path, path: &str) -> io::Result<Found> {
    let folder = rustix::fs::open(
        folder,
        OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH,
        Mode::empty(),
    )?;
    // A pipe without a writer would block forever, so nothing blocks.
    let file = rustix::fs::openat2(
        folder,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
    )?;
    let file = File::from(file);
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(Found {
        file,
        length: facts.len(),
    })
}

/// Opens a file of a bundle, whose name may be spelt in another case. Blocks.
pub(super) fn open_in_bundle(folder: &Path, path: &str) -> io::Result<Found> {
    let found = open_beneath(folder, path);
    let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    if !found.as_ref().is_err_and(missing) || path.split('/').any(|part| part == "..") {
        return found;
    }
    let Some(other) = names::below(folder, Path::new(path))? else {
        return found;
    };
    match other.path.strip_prefix(folder) {
        Ok(other) => open_beneath(folder, &other.to_string_lossy()),
        Err(_) => found,
    }
}

/// Opens the file that a plugin names as it sees it: below its bundle, its data folder,
/// or relative to its `Server Plugin`. Blocks.
pub(super) fn open_of_plugin(plugin: &Plugin, path: &str) -> io::Result<Found> {
    let below = |mount: &str| {
        let rest = path.strip_prefix(mount)?;
        rest.strip_prefix('/')
    };
    let listed = paths::bundle(&plugin.bundle.root);
    if let Some(rest) = below(PLUGIN_FOLDER).or_else(|| below(&listed)) {
        return open_in_bundle(&plugin.bundle.root, rest.trim_start_matches('/'));
    }
    if let Some(rest) = below(INSTALL_FOLDER) {
        return open_beneath(&plugin.data, rest.trim_start_matches('/'));
    }
    if path.starts_with('/') || path.is_empty() {
        let text = "it is in none of the plugin's own folders";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    let path = format!("{}/{path}", plugin.bundle.server_plugin_path());
    open_in_bundle(&plugin.bundle.root, &path)
}

/// The reason why a file was not opened, for people. No path of the host is in it.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied => {
            "it is in none of the plugin's own folders".to_owned()
        }
        io::ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

impl Found {
    /// The file as a body, with its length among the headers, and its type unless they have one.
    pub(super) fn into_body(self, desk: Desk, name: &str, headers: &mut HeaderMap) -> Body {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.length));
        if !headers.contains_key(header::CONTENT_TYPE) {
            let guess = mime_guess::from_path(name).first_or_octet_stream();
            let guess = match guess.type_() {
                mime_guess::mime::TEXT => format!("{guess}; charset=utf-8"),
                _ => guess.to_string(),
            };
            if let Ok(value) = HeaderValue::try_from(guess) {
                headers.insert(header::CONTENT_TYPE, value);
            }
        }
        let chunks = stream::try_unfold((self.file, self.length), move |(file, left)| {
            let desk = desk.clone();
            async move {
                if left == 0 {
                    return Ok::<_, io::Error>(None);
                }
                let (chunk, file) = desk.run(move || chunk(file, left)).await?;
                let read = u64::try_from(chunk.len()).unwrap_or(left);
                Ok(Some((chunk, (file, left.saturating_sub(read)))))
            }
        });
        Body::from_stream(chunks)
    }
}

/// The next bytes of a file that has `left` bytes to go. Blocks.
fn chunk(mut file: File, left: u64) -> io::Result<(Bytes, File)> {
    let size = usize::try_from(left.min(CHUNK)).unwrap_or(0);
    let mut chunk = vec![0; size];
    let read = file.read(&mut chunk)?;
    if read == 0 {
        return Err(io::Error::other("the file became shorter"));
    }
    chunk.truncate(read);
    Ok((Bytes::from(chunk), file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_opened() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("inside");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("sub/a.txt"), "a").unwrap();
        std::fs::write(root.path().join("secret"), "s").unwrap();
        symlink("../secret", folder.join("up")).unwrap();
        symlink(root.path().join("secret"), folder.join("absolute")).unwrap();
        symlink("sub/a.txt", folder.join("within")).unwrap();
        let pipe = folder.join("pipe");
        let made = std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap();
        assert!(made.success());
        let open = |path: &str| open_beneath(&folder, path).map(|found| found.length);
        assert_eq!(open("sub/a.txt").unwrap(), 1);
        assert_eq!(open("sub/../sub/a.txt").unwrap(), 1);
        assert_eq!(open("within").unwrap(), 1);
        for bad in [
            "../secret",
            "up",
            "absolute",
            "/etc/passwd",
            "sub/../../secret",
            "pipe",
            "sub",
            "none",
            "",
            "a\0b",
            "/proc/self/exe",
        ] {
            assert!(open(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_of_a_bundle_is_found_in_any_case_and_nothing_outside() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("inside");
        std::fs::create_dir_all(folder.join("Sub")).unwrap();
        std::fs::write(folder.join("Sub/A.txt"), "a").unwrap();
        std::fs::write(root.path().join("secret"), "s").unwrap();
        symlink("../SECRET", folder.join("Up")).unwrap();
        symlink("..", folder.join("Out")).unwrap();
        let open = |path: &str| open_in_bundle(&folder, path).map(|found| found.length);
        assert_eq!(open("Sub/A.txt").unwrap(), 1);
        assert_eq!(open("sub/a.TXT").unwrap(), 1);
        for bad in [
            "../Secret",
            "up",
            "out/secret",
            "out/SECRET",
            "/Etc/passwd",
            "sub",
            "none",
        ] {
            assert!(open(bad).is_err(), "{bad}");
        }
    }
}
