//! The two folders of a plugin: its own, to read, and its data folder, to write.
//!
//! wasmtime's WASI does the work and keeps every path inside its folder. What is
//! added is the quota on the data folder (`data-bytes`, `data-files`) and that
//! links cannot be made. Nothing else of the host is reachable: no environment,
//! no arguments, no standard streams, no network.

mod count;
mod descriptor;
mod quota;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::filesystem::types;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::error::EngineError;
use crate::instance::state::InstanceState;

pub use descriptor::FilesView;
pub use quota::{Quota, Usage};

/// Where a plugin sees its own folder, with the slash that plugins expect at the
/// end.
pub const PLUGIN_FOLDER: &str = "/plugin/";

/// Where a plugin sees its data folder.
pub const DATA_FOLDER: &str = "/data/";

/// Where a plugin sees its packages, when it has some; `_cordon_domoticz` puts it on
/// `sys.path`.
pub const PACKAGES_FOLDER: &str = "/packages/";

struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

/// Puts the quota before `wasi:filesystem/types`, which must be linked already.
///
/// # Errors
///
/// A fault of ours: a name of the interface that cannot be defined.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = types::add_to_linker::<InstanceState, Files>(linker, |state| FilesView {
        quota: state.quota.clone(),
        files: state.filesystem(),
    });
    linker.allow_shadowing(false);
    added
}

/// The system interface of an instance with these two folders, and that of its
/// packages where it has some. `random_bytes` is the most that one call for random bytes may ask for.
///
/// # Errors
///
/// A folder that cannot be opened.
pub fn wasi(
    plugin_folder: &Path,
    data_folder: &Path,
    packages: Option<&Path>,
    random_bytes: u64,
) -> Result<WasiCtx, EngineError> {
    let mut builder = WasiCtx::builder();
    builder
        .stdin(tokio::io::empty())
        .stdout(tokio::io::empty())
        .stderr(tokio::io::empty())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(random_bytes)
        .allow_blocking_current_thread(false);
    preopen(
        &mut builder,
        plugin_folder,
        PLUGIN_FOLDER,
        FsPerms::ReadOnly,
    )?;
    preopen(&mut builder, data_folder, DATA_FOLDER, FsPerms::ReadWrite)?;
    if let Some(packages) = packages {
        preopen(&mut builder, packages, PACKAGES_FOLDER, FsPerms::ReadOnly)?;
    }
    Ok(builder.build())
}

fn preopen(
    builder: &mut WasiCtxBuilder,
    folder: &Path,
    name: &str,
    perms: FsPerms,
) -> Result<(), EngineError> {
    let name = name.trim_end_matches('/');
    match builder.preopened_dir(folder, name, perms) {
        Ok(_) => Ok(()),
        Err(error) => {
            let source = error.downcast().unwrap_or_else(io::Error::other);
            Err(EngineError::io(
                format!("opening {}", folder.display()),
                source,
            ))
        }
    }
}
