//! The interface as a guest uses it, on real folders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod escape;
mod layered;
mod lazy;
mod room;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, Host as _, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynOutputStream, FsError, FsResult, StreamError};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{FilesView, FoldersOfInstance, Quota, Tree, Usage, Worker, wasi};
use crate::instance::state::InstanceState;
use cordon_base::account::Account;
use cordon_base::descriptors::Descriptors;
use cordon_base::folders::{Folders, PLUGINS_FOLDER};
use cordon_base::limits::Limits;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pool;

/// An instance without its component: folders, quota and handles.
struct Rig {
    folder: TempDir,
    wasi: WasiCtx,
    table: ResourceTable,
    quota: Arc<Quota>,
    worker: Worker,
    tree: Arc<Tree>,
    events: EventLog,
    root: u32,
    plugin: u32,
    data: u32,
}

impl WasiView for Rig {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn fd(rep: u32) -> Resource<Descriptor> {
    Resource::new_borrow(rep)
}

fn code(error: FsError) -> ErrorCode {
    error.downcast().unwrap()
}

impl Rig {
    fn new(bytes: u64, files: u64) -> Self {
        Self::with_changes(bytes, files, false)
    }

    /// The instance of [`Self::new`] with a plugin folder that is copied on write.
    fn layered(bytes: u64, files: u64) -> Self {
        Self::with_changes(bytes, files, true)
    }

    fn with_changes(bytes: u64, files: u64, changes: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["plugin", "data", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("plugin/plugin.py"), "code").unwrap();
        fs::write(folder.path().join("outside/secret"), "secret").unwrap();
        let events = EventLog::new(LogCapacity::default());
        let log = PluginLog::new(events.clone(), "test", &Limits::default());
        let folders = Folders {
            plugin: folder.path().join("plugin"),
            listed_in: PLUGINS_FOLDER,
            data: folder.path().join("data"),
            pages: folder.path().join("pages"),
            temporary: folder.path().join("temporary"),
            code: folder.path().join("code"),
            changes: changes.then(|| folder.path().join("changes")),
        };
        let worker = Worker::new(Pool::new("files", 2, 2), Account::new(&Limits::default()));
        let quota = folders.quota(bytes, files, log.clone(), worker.clone());
        let quota = quota.unwrap();
        let share = Descriptors::new(10_000).share(&Limits::default());
        let mut rig = Self {
            wasi: wasi(100),
            tree: folders.tree(None, None, share, log),
            folder,
            table: ResourceTable::new(),
            quota,
            worker,
            events,
            root: 0,
            plugin: 0,
            data: 0,
        };
        let granted = rig.view().get_directories().unwrap();
        let names: Vec<_> = granted.iter().map(|(_, name)| name.as_str()).collect();
        let expected = [
            "/",
            "/cache",
            "/data",
            "/data/plugins/plugin",
            "/data/www/templates",
            "/plugin",
            "/tmp",
        ];
        assert_eq!(names, expected);
        (rig.data, rig.plugin) = (granted[2].0.rep(), granted[5].0.rep());
        rig.root = granted[0].0.rep();
        rig
    }

    fn view(&mut self) -> FilesView<'_> {
        FilesView {
            quota: self.quota.clone(),
            tree: self.tree.clone(),
            worker: self.worker.clone(),
            files: self.filesystem(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn logged(&self, limit: &str) -> bool {
        let records = self.events.tail(None, 100);
        records.iter().any(|record| record.text.contains(limit))
    }

    async fn open(&mut self, folder: u32, path: &str, how: OpenFlags) -> FsResult<u32> {
        let mut flags = DescriptorFlags::READ;
        if how != OpenFlags::empty() {
            flags |= DescriptorFlags::WRITE;
        }
        let path_flags = PathFlags::SYMLINK_FOLLOW;
        let opening = self
            .view()
            .open_at(fd(folder), path_flags, path.to_owned(), how, flags)
            .await?;
        Ok(opening.rep())
    }

    async fn create(&mut self, path: &str) -> u32 {
        self.open(self.data, path, OpenFlags::CREATE).await.unwrap()
    }

    /// A file of this length, closed.
    async fn fill(&mut self, path: &str, length: u64) {
        let file = self.create(path).await;
        self.view().set_size(fd(file), length).await.unwrap();
        self.close(file);
    }

    fn close(&mut self, file: u32) {
        HostDescriptor::drop(&mut self.view(), Resource::new_own(file)).unwrap();
    }

    async fn write(&mut self, file: u32, offset: u64, length: usize) -> FsResult<u64> {
        self.view().write(fd(file), vec![1; length], offset).await
    }

    fn appender(&mut self, file: u32) -> Resource<DynOutputStream> {
        self.view().append_via_stream(fd(file)).unwrap()
    }

    /// The result of a write to a stream, as the guest sees it.
    async fn push(
        &mut self,
        stream: &Resource<DynOutputStream>,
        length: usize,
    ) -> Result<(), ErrorCode> {
        let output = self.table.get_mut(stream).unwrap();
        let written = output.blocking_write_and_flush(Bytes::from(vec![2; length]));
        match written.await {
            Ok(()) => Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                let error = self.table.push(error).unwrap();
                Err(self.view().filesystem_error_code(error).unwrap().unwrap())
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn unlink(&mut self, path: &str) {
        let data = fd(self.data);
        self.view()
            .unlink_file_at(data, path.to_owned())
            .await
            .unwrap();
    }

    async fn rename(&mut self, path: &str, new_path: &str) {
        let (old, new) = (fd(self.data), fd(self.data));
        let renaming = self
            .view()
            .rename_at(old, path.to_owned(), new, new_path.to_owned())
            .await;
        renaming.unwrap();
    }

    /// Asserts the charged use, and that counting anew finds the same.
    fn assert_usage(&self, bytes: u64, files: u64) {
        let expected = Usage { bytes, files };
        assert_eq!(self.quota.usage(), expected);
        let data = super::count::count(&self.path("data")).unwrap();
        let changes = super::count::count(&self.path("changes")).unwrap();
        let counted = Usage {
            bytes: data.bytes + changes.bytes,
            files: data.files + changes.files,
        };
        assert_eq!(counted, expected);
    }
}

#[test]
fn the_interface_is_defined_over_that_of_wasmtime() {
    let engine = wasmtime::Engine::default();
    let mut linker = Linker::<InstanceState>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    super::add_to_linker(&mut linker).unwrap();
    // Nothing else can be replaced by accident.
    assert!(wasmtime_wasi::p2::add_to_linker_async(&mut linker).is_err());
}
