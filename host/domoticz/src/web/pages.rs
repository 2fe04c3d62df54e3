//! Pages and icons that plugins bring.
//!
//! A plugin that writes `www/templates/x.html` has a page at `/templates/x.html`: the files that it
//! writes there are in a folder of its own, and nothing else can be asked for. A page comes from a
//! plugin, which nobody trusts: the browser is told to treat it as a site of its own that may show
//! itself and reach nothing, this hub included. Each folder is read at its plugin's cost, by a pool
//! in which a folder that is slow holds up its own plugin's.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};

use crate::Plugins;
use crate::image::{Icon, Images};
use crate::picture::Format;
use cordon_base::account::Account;
use cordon_base::pool::Pool;

/// Largest page in bytes.
pub(super) const MAX_PAGE: usize = 1 << 20;
/// Pages that are listed, and folders that are looked into.
const MAX_PAGES: usize = 200;
const MAX_FOLDERS: usize = 10_000;
/// Folders that are looked into at a time, and how long each may take.
const AT_A_TIME: usize = 16;
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest name of a page or an icon in bytes.
const MAX_NAME: usize = 128;

/// The rights of a page: it runs its own scripts and looks as it likes, as a site of its own.
const POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; \
     style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

/// The pages of all plugins. Clones share the folder.
#[derive(Clone)]
pub struct Pages {
    root: Arc<Path>,
    files: Pool,
    plugins: Arc<dyn Plugins>,
    /// The hub's account, for folders whose plugin is not there.
    own: Arc<Account>,
}

impl Pages {
    /// The pages in the folders of `root`, one for each hardware; `files` reads them.
    #[must_use]
    pub fn new(root: &Path, files: Pool, plugins: Arc<dyn Plugins>) -> Self {
        Self {
            root: root.into(),
            files,
            plugins,
            own: Account::of_hub(),
        }
    }

    /// The names of all pages with their ending, in alphabetical order; at most
    /// two hundred.
    pub(super) async fn names(&self) -> Vec<String> {
        let found = self.in_each(|folder| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let names = names.filter(|name| is_page(name)).take(MAX_PAGES);
            Some(names.collect::<Vec<_>>())
        });
        let mut names = found.await.concat().await;
        names.sort();
        names.dedup();
        names.truncate(MAX_PAGES);
        names
    }

    /// The page of this name.
    pub(super) async fn response(&self, name: &str) -> Response {
        let Some(page) = self.read(name).await else {
            return missing();
        };
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, page).into_response()
    }

    async fn read(&self, name: &str) -> Option<Vec<u8>> {
        if !is_page(name) {
            return None;
        }
        let name: Arc<str> = name.into();
        let found = self.in_each(move |folder| read(&folder.join(&*name)));
        std::pin::pin!(found.await).next().await
    }

    /// The results of `find` in the folders, in their order.
    async fn in_each<T: Send + 'static>(
        &self,
        find: impl Fn(&Path) -> Option<T> + Clone + Send + 'static,
    ) -> impl Stream<Item = T> {
        let root = Arc::clone(&self.root);
        let folders = self.files.run(&self.own, move || folders(&root)).await;
        let looks = folders.unwrap_or_default().into_iter().map(move |folder| {
            let (files, find) = (self.files.clone(), find.clone());
            let account = self.account(&folder);
            let look = move || is_folder(&folder).then(|| find(&folder)).flatten();
            async move {
                let found = tokio::time::timeout(PATIENCE, files.run(&account, look)).await;
                found.ok()?.ok().flatten()
            }
        });
        let found = stream::iter(looks).buffered(AT_A_TIME);
        found.filter_map(|found| async { found })
    }

    /// The account that pays for reading a folder.
    fn account(&self, folder: &Path) -> Arc<Account> {
        let name = folder.file_name().and_then(|name| name.to_str());
        let hardware = name.and_then(|name| name.parse().ok());
        let found = hardware.and_then(|hardware| self.plugins.account(hardware));
        found.unwrap_or_else(|| Arc::clone(&self.own))
    }
}

/// The entries that may be folders with pages, in their order.
fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .take(MAX_FOLDERS)
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// Whether it is a folder and no link, which could lead anywhere.
fn is_folder(folder: &Path) -> bool {
    folder.symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// A regular file that is no link.
fn read(path: &Path) -> Option<Vec<u8>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).ok()?;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let found = file.metadata().ok()?;
    let most = u64::try_from(MAX_PAGE).unwrap_or(u64::MAX);
    if !found.is_file() || found.len() > most {
        return None;
    }
    let mut page = Vec::new();
    file.take(most).read_to_end(&mut page).ok()?;
    Some(page)
}

fn is_page(name: &str) -> bool {
    let stem = name.strip_suffix(".html").or(name.strip_suffix(".htm"));
    stem.is_some_and(is_plain)
}

/// Letters and digits of any language, blanks, `-`, `_` and dots inside: never a path.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.');
    !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.starts_with('.')
        && name.chars().all(allowed)
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

/// A custom icon: `BASE.png`, `BASE48_On.png` or `BASE48_Off.png`.
pub(super) async fn icon(images: &Images, name: &str) -> Response {
    let Some(stem) = name.strip_suffix(".png").filter(|stem| is_plain(stem)) else {
        return missing();
    };
    let (base, icon) = match (stem.strip_suffix("48_On"), stem.strip_suffix("48_Off")) {
        (Some(base), _) => (base, Icon::On),
        (_, Some(base)) => (base, Icon::Off),
        _ => (stem, Icon::Small),
    };
    match images.icon_of(base, icon).await {
        Ok(Some(picture)) => {
            let format = Format::of(&picture).unwrap_or(Format::Png);
            let headers = [
                (header::CONTENT_TYPE, format.content_type()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (
                    header::CONTENT_SECURITY_POLICY,
                    "sandbox; default-src 'none'",
                ),
            ];
            (headers, picture).into_response()
        }
        Ok(None) => missing(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{DeliverError, HardwareInfo, HubEvent};
    use cordon_base::pool::Pools;

    struct Nobody;

    impl Plugins for Nobody {
        fn deliver(&self, _: u32, _: HubEvent) -> Result<(), DeliverError> {
            Err(DeliverError::NoSuchHardware)
        }

        fn hardware(&self) -> Vec<HardwareInfo> {
            Vec::new()
        }

        fn account(&self, _: u32) -> Option<Arc<Account>> {
            None
        }
    }

    #[tokio::test]
    async fn only_pages_in_the_folders_for_pages_are_found() {
        let data = tempfile::tempdir().unwrap();
        let secret = data.path().join("secret.html");
        std::fs::write(&secret, "secret").unwrap();
        let root = data.path().join("pages");
        let folder = root.join("7");
        std::fs::create_dir_all(folder.join("folder.html")).unwrap();
        std::fs::write(folder.join("Mine.html"), "page").unwrap();
        std::fs::write(folder.join("mine.py"), "code").unwrap();
        std::os::unix::fs::symlink(&secret, folder.join("link.html")).unwrap();
        let pages = Pages::new(&root, Pools::default().files, Arc::new(Nobody));
        assert_eq!(pages.read("Mine.html").await.unwrap(), b"page");
        let others = [
            "mine.py",
            "link.html",
            "folder.html",
            "../secret.html",
            "7/Mine.html",
            ".html",
            "",
        ];
        for name in others {
            assert_eq!(pages.read(name).await, None, "{name}");
        }
        let huge = File::create(folder.join("huge.html")).unwrap();
        huge.set_len(u64::try_from(MAX_PAGE).unwrap() + 1).unwrap();
        assert_eq!(pages.read("huge.html").await, None);
        // A whole folder that is a link is not followed either.
        std::os::unix::fs::symlink(data.path(), root.join("8")).unwrap();
        assert_eq!(pages.read("secret.html").await, None);
    }
}
