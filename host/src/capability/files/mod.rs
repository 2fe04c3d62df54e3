//! The folders of a plugin: its own, to read, its data folder, to write, and one
//! for temporary files.
//!
//! wasmtime's WASI does the work and keeps every path inside its folder. What is
//! added is the quota on what is written (`data-bytes`, `data-files`), that folders
//! are open only while they are used, that the plugin's own folder may be copied on
//! write, and that links cannot be made. Nothing else of the host is reachable: no
//! environment, no arguments, no standard streams, no network.

mod charged;
mod count;
mod descriptor;
mod empty;
mod overlay;
mod quota;
mod stream;
#[cfg(test)]
mod tests;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

use crate::abi::cordon::plugin::storage;
use crate::error::EngineError;
use crate::instance::log::PluginLog;
use crate::instance::state::InstanceState;

pub use charged::FilesView;
pub use quota::{Quota, Usage};
pub use tree::{Mount, Tree};

use empty::empty;

/// Where a plugin sees its own folder, with the slash that plugins expect at the
/// end.
pub const PLUGIN_FOLDER: &str = "/plugin/";

/// Where a plugin sees its data folder.
pub const DATA_FOLDER: &str = "/data/";

/// Where a plugin sees its folder for temporary files.
pub const TEMPORARY_FOLDER: &str = "/tmp/";

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
        .allow_blocking_current_thread(false)
        .build()
}

/// The folders of one instance on the host.
#[derive(Debug, Clone)]
pub struct Folders {
    /// With `plugin.py`; never changed.
    pub plugin: PathBuf,
    /// The private working area.
    pub data: PathBuf,
    /// For temporary files; emptied at every start.
    pub temporary: PathBuf,
    /// What the plugin changed in its own folder, where that is copied on write.
    pub changes: Option<PathBuf>,
}

impl Folders {
    /// The tree that the plugin sees.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree> {
        let plugin = match &self.changes {
            None => Mount::ReadOnly(self.plugin.clone()),
            Some(changes) => Mount::CopyOnWrite {
                lower: self.plugin.clone(),
                upper: changes.clone(),
            },
        };
        let mounts = [
            (PLUGIN_FOLDER, plugin),
            (DATA_FOLDER, Mount::ReadWrite(self.data.clone())),
            (TEMPORARY_FOLDER, Mount::ReadWrite(self.temporary.clone())),
        ];
        Tree::new(mounts.map(|(name, mount)| (name.trim_matches('/').to_owned(), mount)))
    }

    /// Empties the folder for temporary files and counts what is in the others,
    /// bounded to these limits from here on. Blocks; a new instance has none of
    /// them yet.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read or emptied, or too many entries.
    pub fn quota(&self, bytes: u64, files: u64, log: PluginLog) -> Result<Arc<Quota>, EngineError> {
        empty(&self.temporary)?;
        let kept = [Some(self.data.as_path()), self.changes.as_deref()];
        Quota::new(kept.into_iter().flatten(), bytes, files, log)
    }
}
