//! The folders that a plugin sees and their names. They are open only while they are used.
//!
//! A hub has thousands of instances and most of them sleep, so a folder is opened
//! at the first use of a path in it and closed when the callback has returned: an
//! idle instance holds no file open. In the meantime its handle leads to a file
//! that is no folder, below which nothing can be found.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use rustix::fs::{CWD, Mode, OFlags, openat};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::{Descriptor, Dir, OpenMode};
use wasmtime_wasi::p2::bindings::filesystem::types::{DirectoryEntry, ErrorCode};
use wasmtime_wasi::p2::{FsError, FsResult};

use super::worker::Worker;
use cordon_base::account::Charge;
use cordon_base::descriptors::{Permit, Share};
use cordon_base::folders::{DATA_FOLDER, PLUGIN_FOLDER};
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;

/// Characters of a path that a line of the log shows.
const SHOWN: usize = 200;

/// The folder that is mounted in one place of the tree.
#[derive(Debug, Clone)]
pub enum Mount {
    /// A folder of the host that can be read.
    ReadOnly(PathBuf),
    /// A folder of the host that can be read and changed, within the quota; made
    /// at its first use.
    ReadWrite(PathBuf),
    /// A folder that can be read, and one that takes the changes made in it.
    CopyOnWrite {
        /// The folder that is never changed.
        lower: PathBuf,
        /// The changes, within the quota; made at the first one.
        upper: PathBuf,
    },
}

/// The place that a handle stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An opened file or folder, as wasmtime has it.
    Real,
    /// The root of the tree: the names of the mounts and nothing else.
    Root,
    /// A path in a folder that is copied on write; empty for the folder itself.
    Layered(String),
}

/// The folders of one instance.
pub struct Tree {
    /// The mounts by path, without a slash at the start or the end.
    mounts: BTreeMap<String, Mount>,
    handles: Mutex<Handles>,
    descriptors: Share,
    log: PluginLog,
    /// The open files, each with its place among the hub's open files.
    open: Mutex<Vec<(Weak<File>, Permit)>>,
}

#[derive(Default)]
struct Handles {
    /// Folders that are opened when they are used, by handle.
    lazy: HashMap<u32, PathBuf>,
    /// Handles that are no folder of the host.
    places: HashMap<u32, Place>,
    /// The unread rest of listings that were put together here.
    listings: HashMap<u32, VecDeque<DirectoryEntry>>,
    /// The charges for listings, by stream.
    charges: HashMap<u32, Vec<Charge>>,
    /// The two layers below the folder that is copied on write.
    layers: Option<(u32, u32)>,
    /// The handles of the mounts, by name.
    mounts: HashMap<String, u32>,
    /// The handles of the plugin's own folder, where it can only be read.
    code: HashSet<u32>,
}

/// A handle that leads nowhere: nothing can be opened below a file.
fn nowhere() -> io::Result<Dir> {
    static NOWHERE: OnceLock<Dir> = OnceLock::new();
    if let Some(dir) = NOWHERE.get() {
        return Ok(dir.clone());
    }
    let file = File::open("/dev/null")?;
    let dir = Dir::new(file, FsPerms::ReadOnly, OpenMode::READ, true);
    Ok(NOWHERE.get_or_init(|| dir).clone())
}

fn leading_nowhere(perms: FsPerms) -> io::Result<Descriptor> {
    let mut dir = nowhere()?;
    dir.perms = perms;
    dir.open_mode = match perms {
        FsPerms::ReadOnly => OpenMode::READ,
        FsPerms::ReadWrite => OpenMode::READ | OpenMode::WRITE,
    };
    Ok(Descriptor::Dir(dir))
}

fn open_folder(path: &Path, make: bool) -> io::Result<File> {
    if make {
        std::fs::create_dir_all(path)?;
    }
    // An entry that is no folder is not opened at all: a pipe would make this wait.
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, how, Mode::empty())?.into())
}

impl Tree {
    /// A tree of these mounts; names are words such as `plugin`, or paths of some.
    #[must_use]
    pub fn new(
        mounts: impl IntoIterator<Item = (String, Mount)>,
        descriptors: Share,
        log: PluginLog,
    ) -> Arc<Self> {
        Arc::new(Self {
            mounts: mounts.into_iter().collect(),
            handles: Mutex::default(),
            descriptors,
            log,
            open: Mutex::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Vec<(Weak<File>, Permit)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more open file.
    ///
    /// # Errors
    ///
    /// The limit `descriptors` was hit, and the log says so. WASI has no `EMFILE`.
    pub(super) fn descriptor(&self) -> FsResult<Permit> {
        self.sweep();
        self.descriptors.take(1).map_err(|hit| {
            self.log.limit(&hit);
            ErrorCode::InsufficientMemory.into()
        })
    }

    /// Keeps the place of a file for as long as anything has it open.
    pub(super) fn note(&self, opened: &Descriptor, permit: Permit) {
        let file = match opened {
            Descriptor::File(file) => &file.file,
            Descriptor::Dir(dir) => &dir.dir,
        };
        self.open().push((Arc::downgrade(file), permit));
    }

    /// Gives back the places of files that are closed by now.
    pub(super) fn sweep(&self) {
        self.open().retain(|(file, _)| file.strong_count() > 0);
    }

    fn handles(&self) -> MutexGuard<'_, Handles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of the mounts in the root; some are deeper.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.mounts
            .keys()
            .map(String::as_str)
            .filter(|name| !name.contains('/'))
    }

    /// Makes the handles of the granted folders, the root among them.
    ///
    /// # Errors
    ///
    /// The error of a full table, or of a system without `/dev/null`.
    pub(super) fn preopen(
        &self,
        table: &mut ResourceTable,
    ) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut granted = Vec::new();
        let mut handles = self.handles();
        let root = table.push(leading_nowhere(FsPerms::ReadOnly)?)?;
        handles.places.insert(root.rep(), Place::Root);
        granted.push((root, "/".to_owned()));
        for (name, mount) in &self.mounts {
            // The root's own handles: the guest drops the ones that it is given.
            if !handles.mounts.contains_key(name) {
                let own = handles.open(table, mount)?;
                handles.note_code(name, mount, own.rep());
                handles.mounts.insert(name.clone(), own.rep());
            }
            let handle = handles.open(table, mount)?;
            handles.note_code(name, mount, handle.rep());
            granted.push((handle, format!("/{name}")));
        }
        Ok(granted)
    }

    /// The place that a handle stands for; opens the folder behind it if it is one of the granted
    /// ones and closed.
    ///
    /// # Errors
    ///
    /// The system's error when the folder cannot be opened.
    pub(super) async fn place(
        &self,
        table: &mut ResourceTable,
        fd: &Resource<Descriptor>,
        worker: &Worker,
    ) -> FsResult<Place> {
        let path = {
            let handles = self.handles();
            if let Some(place) = handles.places.get(&fd.rep()) {
                return Ok(place.clone());
            }
            handles.lazy.get(&fd.rep()).cloned()
        };
        if let (Some(path), Descriptor::Dir(dir)) = (path, table.get_mut(fd)?)
            && Arc::ptr_eq(&dir.dir, &nowhere().map_err(fs_error)?.dir)
        {
            let make = !dir.perms.write_not_permitted();
            let permit = self.descriptor()?;
            let opened = worker.run(move || open_folder(&path, make)).await.flatten();
            dir.dir = Arc::new(opened.map_err(fs_error)?);
            self.open().push((Arc::downgrade(&dir.dir), permit));
        }
        Ok(Place::Real)
    }

    /// Closes the granted folders that were opened; they open again when used.
    pub fn release(&self, table: &mut ResourceTable) {
        let Ok(nowhere) = nowhere() else {
            return;
        };
        for &rep in self.handles().lazy.keys() {
            let handle = Resource::<Descriptor>::new_borrow(rep);
            if let Ok(Descriptor::Dir(dir)) = table.get_mut(&handle) {
                dir.dir = Arc::clone(&nowhere.dir);
            }
        }
        self.sweep();
    }

    /// The handles of the lower and the upper layer.
    pub(super) fn layers(&self) -> FsResult<(Resource<Descriptor>, Resource<Descriptor>)> {
        match self.handles().layers {
            Some((lower, upper)) => Ok((Resource::new_borrow(lower), Resource::new_borrow(upper))),
            None => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// The handle of the mount with this name.
    pub(super) fn mount(&self, name: &str) -> Option<Resource<Descriptor>> {
        let handles = self.handles();
        Some(Resource::new_borrow(*handles.mounts.get(name)?))
    }

    /// Any granted folder of the host.
    pub(super) fn any_folder(&self) -> FsResult<Resource<Descriptor>> {
        match self.handles().lazy.keys().next() {
            Some(&rep) => Ok(Resource::new_borrow(rep)),
            None => Err(ErrorCode::NoEntry.into()),
        }
    }

    /// A new handle for a place that is no folder of the host.
    pub(super) fn add_place(
        &self,
        table: &mut ResourceTable,
        place: Place,
    ) -> FsResult<Resource<Descriptor>> {
        let handle = table.push(leading_nowhere(FsPerms::ReadOnly).map_err(fs_error)?)?;
        self.handles().places.insert(handle.rep(), place);
        Ok(handle)
    }

    /// Whether the handle is that of the plugin's own folder, which can only be read.
    pub(super) fn is_code(&self, rep: u32) -> bool {
        self.handles().code.contains(&rep)
    }

    /// Tells the author of a change below this handle that was refused, if the handle is that of the
    /// plugin's own folder.
    pub(super) fn refused_change(&self, rep: u32, path: &str) {
        if self.is_code(rep) {
            // A path that the plugin has chosen: invisible characters are shown by the log.
            let path: String = path.chars().take(SHOWN).collect();
            self.log.hub(
                Level::Error,
                &format!(
                    "denied: writing {path:?} beside the plugin's code; to let the plugin write into \
                     a copy of its folder, {}",
                    self.log.origin().copy_on_write()
                ),
            );
        }
    }

    /// Forgets a handle that the guest has dropped.
    pub(super) fn forget(&self, rep: u32) {
        let mut handles = self.handles();
        handles.code.remove(&rep);
        handles.places.remove(&rep);
        handles.lazy.remove(&rep);
    }

    /// Keeps the charges for a listing for as long as the stream lives.
    pub(super) fn add_charges(&self, stream: u32, charges: Vec<Charge>) {
        let mut handles = self.handles();
        handles.charges.entry(stream).or_default().extend(charges);
    }

    /// Keeps the entries of a listing for the stream with this number.
    pub(super) fn keep_listing(&self, stream: u32, entries: VecDeque<DirectoryEntry>) {
        self.handles().listings.insert(stream, entries);
    }

    /// The next entry of a kept listing: `None` when none is kept for the stream.
    pub(super) fn next_entry(&self, stream: u32) -> Option<Option<DirectoryEntry>> {
        Some(self.handles().listings.get_mut(&stream)?.pop_front())
    }

    /// Forgets the listing of a stream that the guest has dropped.
    pub(super) fn forget_listing(&self, stream: u32) {
        let mut handles = self.handles();
        handles.listings.remove(&stream);
        handles.charges.remove(&stream);
    }
}

impl Handles {
    /// Remembers the handle of the plugin's own folder, if it can only be read.
    fn note_code(&mut self, name: &str, mount: &Mount, rep: u32) {
        let data = DATA_FOLDER.trim_start_matches('/');
        let is_code = name == PLUGIN_FOLDER.trim_matches('/') || name.starts_with(data);
        if is_code && matches!(mount, Mount::ReadOnly(_)) {
            self.code.insert(rep);
        }
    }

    /// A handle for a mount.
    fn open(
        &mut self,
        table: &mut ResourceTable,
        mount: &Mount,
    ) -> wasmtime::Result<Resource<Descriptor>> {
        match mount {
            Mount::ReadOnly(path) => self.add(table, path, FsPerms::ReadOnly),
            Mount::ReadWrite(path) => self.add(table, path, FsPerms::ReadWrite),
            Mount::CopyOnWrite { lower, upper } => {
                if self.layers.is_none() {
                    let lower = self.add(table, lower, FsPerms::ReadOnly)?;
                    let upper = self.add(table, upper, FsPerms::ReadWrite)?;
                    self.layers = Some((lower.rep(), upper.rep()));
                }
                let top = table.push(leading_nowhere(FsPerms::ReadOnly)?)?;
                self.places.insert(top.rep(), Place::Layered(String::new()));
                Ok(top)
            }
        }
    }

    fn add(
        &mut self,
        table: &mut ResourceTable,
        path: &Path,
        perms: FsPerms,
    ) -> wasmtime::Result<Resource<Descriptor>> {
        let handle = table.push(leading_nowhere(perms)?)?;
        self.lazy.insert(handle.rep(), path.to_owned());
        Ok(handle)
    }
}

/// The error of a system call as the guest sees it.
pub(super) fn fs_error(error: io::Error) -> FsError {
    ErrorCode::from(error).into()
}
