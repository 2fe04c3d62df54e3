//! The folders of a plugin: its own, to read, its data folder, to write, and one
//! for temporary files.
//!
//! wasmtime's WASI does the work and keeps every path inside its folder. This module adds the quota
//! on the files that a plugin writes (`data-bytes`, `data-files`). It keeps folders open only while
//! they are used, lets the plugin's own folder be copied on write, and refuses to make links.
//! Nothing else of the host is reachable: no environment, no arguments, no standard streams, no
//! network.

mod charged;
mod count;
mod descriptor;
mod empty;
mod listing;
mod open;
mod overlay;
mod quota;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

use crate::abi::cordon::plugin::storage;
use crate::instance::state::InstanceState;
use cordon_base::bounds::ENTRIES;
use cordon_base::descriptors::Share;
use cordon_base::error::EngineError;
use cordon_base::folders::{
    CODE_FOLDER, COMPILED_PACKAGES_FOLDER, DATA_FOLDER, Folders, PACKAGES_FOLDER, PAGES_FOLDER,
    PLUGIN_FOLDER, TEMPORARY_FOLDER,
};
use cordon_base::plugin_log::PluginLog;

pub use charged::FilesView;
pub use quota::{OWN_HANDLES, Quota, Usage};
pub use tree::{Mount, Tree};
pub use worker::Worker;

use empty::empty;
pub use empty::remove;

struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

/// Puts the tree and its quota before `wasi:filesystem`, which must be linked already.
///
/// # Errors
///
/// A fault of ours: a name of the interface that cannot be defined.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = types::add_to_linker::<InstanceState, Files>(linker, view)
        .and_then(|()| preopens::add_to_linker::<InstanceState, Files>(linker, view));
    linker.allow_shadowing(false);
    added
}

fn view(state: &mut InstanceState) -> FilesView<'_> {
    FilesView {
        quota: state.quota.clone(),
        tree: state.tree.clone(),
        worker: state.shared.files_worker(),
        files: state.filesystem(),
    }
}

impl storage::Host for InstanceState {
    fn room(&mut self) -> storage::Usage {
        let used = self.quota.usage();
        let allowed = self.quota.limit();
        storage::Usage {
            bytes_used: used.bytes,
            bytes_allowed: allowed.bytes,
            files_used: used.files,
            files_allowed: allowed.files,
        }
    }
}

/// The system interface of an instance but for its folders. `random_bytes` is the
/// most that one call for random bytes may ask for.
#[must_use]
pub fn wasi(random_bytes: u64) -> WasiCtx {
    WasiCtx::builder()
        .stdin(tokio::io::empty())
        .stdout(tokio::io::empty())
        .stderr(tokio::io::empty())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(random_bytes)
        // Whatever may block is done on threads for files.
        .allow_blocking_current_thread(true)
        .build()
}

/// Names of the modules and packages in these folders. Blocks.
#[must_use]
pub fn modules_in<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Vec<String> {
    let listings = folders.into_iter().flat_map(std::fs::read_dir);
    // At most so many entries of each folder, whatever they are: a folder may have no end.
    let entries = listings.flat_map(|it| it.take(ENTRIES)).flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        match name.strip_suffix(".py") {
            Some(module) => Some(module.to_owned()),
            None => entry.path().join("__init__.py").is_file().then_some(name),
        }
    });
    names.take(ENTRIES).collect()
}

/// Uses of an instance's folders.
pub trait FoldersOfInstance {
    /// The tree that the plugin sees, with these packages and their compiled form.
    #[must_use]
    fn tree(
        &self,
        packages: Option<PathBuf>,
        compiled: Option<PathBuf>,
        descriptors: Share,
        log: PluginLog,
    ) -> Arc<Tree>;

    /// Names of the modules and packages in the plugin's folder, those that it has
    /// deleted from its copy among them. Blocks. A folder that cannot be read has
    /// none; the import of the plugin fails next and says why.
    #[must_use]
    fn modules(&self) -> Vec<String>;

    /// Empties the folder for temporary files and counts the content of the others, bounded to
    /// these limits from here on. Blocks; a new instance has none of them yet.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read or emptied, or too many entries.
    fn quota(
        &self,
        bytes: u64,
        files: u64,
        log: PluginLog,
        worker: Worker,
    ) -> Result<Arc<Quota>, EngineError>;
}

impl FoldersOfInstance for Folders {
    fn tree(
        &self,
        packages: Option<PathBuf>,
        compiled: Option<PathBuf>,
        descriptors: Share,
        log: PluginLog,
    ) -> Arc<Tree> {
        let plugin = match &self.changes {
            None => Mount::ReadOnly(self.plugin.clone()),
            Some(changes) => Mount::CopyOnWrite {
                lower: self.plugin.clone(),
                upper: changes.clone(),
            },
        };
        let packages = packages.map(Mount::ReadOnly);
        let listed = self.listed();
        let mounts = [
            (PLUGIN_FOLDER, Some(plugin.clone())),
            (listed.as_str(), Some(plugin)),
            (PAGES_FOLDER, Some(Mount::ReadWrite(self.pages.clone()))),
            (DATA_FOLDER, Some(Mount::ReadWrite(self.data.clone()))),
            (
                TEMPORARY_FOLDER,
                Some(Mount::ReadWrite(self.temporary.clone())),
            ),
            (COMPILED_PACKAGES_FOLDER, compiled.map(Mount::ReadOnly)),
            (CODE_FOLDER, Some(Mount::ReadWrite(self.code.clone()))),
            (PACKAGES_FOLDER, packages),
        ];
        let mounts = mounts.into_iter().filter_map(|(name, mount)| {
            let name = name.trim_matches('/').to_owned();
            mount.map(|mount| (name, mount))
        });
        Tree::new(mounts, descriptors, log)
    }

    fn modules(&self) -> Vec<String> {
        let folders = [Some(&self.plugin), self.changes.as_ref()];
        modules_in(folders.into_iter().flatten().map(PathBuf::as_path))
    }

    fn quota(
        &self,
        bytes: u64,
        files: u64,
        log: PluginLog,
        worker: Worker,
    ) -> Result<Arc<Quota>, EngineError> {
        empty(&self.temporary)?;
        let kept = [&self.data, &self.pages, &self.code]
            .into_iter()
            .chain(&self.changes);
        Quota::new(kept.map(PathBuf::as_path), bytes, files, log, worker)
    }
}
