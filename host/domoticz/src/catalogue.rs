//! Reads the plugin definitions in `plugins/*/plugin.py` (behaviour spec 1.1).
//!
//! A [`Library`] reads the folders one after the other on a thread of its own. It keeps the
//! definitions by the state of each file, so that nothing is read twice. A definition that cannot
//! be read is reported and hides no other. Reading a folder may never return, as when its server is
//! gone. Such a folder is left behind with its thread, and another thread reads the rest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

use super::definition::{self, DefinitionProblem, PluginDefinition};
use cordon_base::bounds;
use cordon_base::log::{EventLog, Level};
use cordon_base::problems::Problems;
use cordon_base::regular_file::{Identity, RegularFile};
use look::{Content, Known, Look, Pages};

mod look;

/// Plugins in the folder of this name are left out.
const EXAMPLES: &str = "examples";

/// Problems that are told in the log at a time; the rest is counted.
const TOLD: usize = 20;

/// All plugins of a folder, ordered bytewise by their folders' names.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The usable definitions.
    pub plugins: Vec<Arc<PluginDefinition>>,
    /// The definitions that cannot be used.
    pub problems: Vec<DefinitionProblem>,
    /// Folders that have a `plugin.py`.
    pub folders: usize,
    /// Whether there may be more: some folders do not answer, or were not come to in time.
    pub partial: bool,
}

impl Catalogue {
    /// The plugin with this key: the first where several have it (rule 9).
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Arc<PluginDefinition>> {
        self.plugins.iter().find(|plugin| plugin.key == key)
    }
}

/// Reads a folder, which may be known from the look before.
type LookInto = fn(&Path, Option<&Known>) -> Step;

/// Reads the definitions in the open `plugin.py` of a folder.
type Read = fn(&Path, RegularFile) -> Result<Vec<PluginDefinition>, DefinitionProblem>;

/// The definitions in one `plugin.py`.
type Page = Result<Vec<Arc<PluginDefinition>>, DefinitionProblem>;

/// The plugins folder, read once per state of each file. Clones share it.
#[derive(Clone)]
pub struct Library {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    /// How a folder is read, and how long that may take.
    look_into: LookInto,
    deadline: Duration,
    /// How long the folders together may take.
    in_all: Duration,
    events: EventLog,
    problems: Problems,
    /// Held while the folder is looked through: once for all who want to know.
    turn: tokio::sync::Mutex<Kept>,
    /// Folders whose threads have not come back.
    hung: Mutex<HashMap<PathBuf, Arc<AtomicBool>>>,
}

/// The result of the last look.
#[derive(Default)]
struct Kept {
    pages: Pages,
    told: HashSet<DefinitionProblem>,
    last: Arc<Catalogue>,
    /// When that look began.
    begun: Option<Instant>,
}

/// The answer of a thread to one step.
enum Step {
    /// The folders that are there, and whether there are more.
    Listed(Vec<PathBuf>, bool),
    /// A folder without a plugin.
    Nothing,
    /// A plugin.
    Page(Identity, Arc<Page>),
    /// A plugin that is as it was and was too heavy then, with its bytes.
    Heavy(Identity, usize),
    /// A folder that the system does not show.
    Failed(DefinitionProblem),
}

/// A thread at work, and a flag for its return from the folder that it reads.
struct Reader {
    steps: Receiver<Step>,
    back: Arc<AtomicBool>,
}

impl Library {
    /// The library of this folder; no folder, no plugins. A folder that cannot be used is told in
    /// the log once and kept among the problems.
    #[must_use]
    pub fn new(root: &Path, events: EventLog, problems: Problems) -> Self {
        let seconds = u64::try_from(bounds::FOLDER_SECONDS).unwrap_or(u64::MAX);
        Self::with(
            root,
            look_into,
            Duration::from_secs(seconds),
            events,
            problems,
        )
    }

    fn with(
        root: &Path,
        look_into: LookInto,
        deadline: Duration,
        events: EventLog,
        problems: Problems,
    ) -> Self {
        let inner = Inner {
            root: root.to_owned(),
            look_into,
            deadline,
            in_all: Duration::from_secs(u64::try_from(bounds::FOLDERS_SECONDS).unwrap_or(u64::MAX)),
            events,
            problems,
            turn: tokio::sync::Mutex::default(),
            hung: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The catalogue as it is now. Files that have not changed are not read again. A caller who
    /// waits for the turn of another gets the result of a look that began meanwhile.
    ///
    /// Takes a few seconds at most for each folder that hangs, none for one that hung
    /// before, and no more than [`bounds::FOLDERS_SECONDS`] in all.
    pub async fn look(&self) -> Arc<Catalogue> {
        let inner = &self.inner;
        let asked = Instant::now();
        let mut kept = inner.turn.lock().await;
        if kept.begun.is_some_and(|begun| begun > asked) {
            return Arc::clone(&kept.last);
        }
        let begun = Instant::now();
        let mut look = Look::after(std::mem::take(&mut kept.pages));
        let folders = inner.list(&mut look.catalogue).await;
        inner.read(folders, &mut look).await;
        kept.pages = look.pages;
        inner.tell(&mut kept.told, &look.catalogue.problems);
        kept.last = Arc::new(look.catalogue);
        kept.begun = Some(begun);
        Arc::clone(&kept.last)
    }

    /// The catalogue, if it is known by this moment. Else the catalogue of the plugins with these
    /// keys that lie in folders of the same names: nobody has to wait for the folders of others.
    pub async fn look_until(&self, until: Instant, keys: &[&str]) -> Arc<Catalogue> {
        let library = self.clone();
        let mut looking = tokio::spawn(async move { library.look().await });
        if let Ok(Ok(catalogue)) = timeout_at(until, &mut looking).await {
            return catalogue;
        }
        let owned: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let named = stream::iter(owned).map(|key| {
            let inner = Arc::clone(&self.inner);
            async move { inner.named(&key).await }
        });
        let named: Vec<_> = named.buffered(bounds::HUNG_FOLDERS).collect().await;
        let of = |(found, key): (Option<Arc<Page>>, &&str)| {
            let found = found?;
            let found = (*found).as_ref().ok()?;
            found.iter().find(|it| it.key == **key).cloned()
        };
        Arc::new(Catalogue {
            plugins: named.into_iter().zip(keys).filter_map(of).collect(),
            partial: true,
            ..Catalogue::default()
        })
    }
}

impl Inner {
    /// The folders in which a plugin may be.
    async fn list(&self, catalogue: &mut Catalogue) -> Vec<PathBuf> {
        let root = self.root.clone();
        if self.is_hung(&root) {
            let reason = "it does not answer; look at its file system".to_owned();
            let problem = DefinitionProblem::new(&root, reason, None);
            catalogue.partial = true;
            catalogue.problems.push(problem);
            return Vec::new();
        }
        let listing = start(move |steps| {
            let listed = match list(&root) {
                Ok((folders, more)) => Step::Listed(folders, more),
                Err(error) => {
                    let reason = format!("it cannot be listed: {error}");
                    Step::Failed(DefinitionProblem::new(&root, reason, None))
                }
            };
            let _ = steps.blocking_send(listed);
        });
        match self.next(listing, &self.root, catalogue).await {
            Some((_, Step::Listed(folders, more))) => {
                if more {
                    let reason = format!(
                        "it has more than {} entries, of which some were not looked at",
                        bounds::FOLDERS
                    );
                    let problem = DefinitionProblem::new(&self.root, reason, None);
                    catalogue.problems.push(problem);
                }
                folders
            }
            Some((_, Step::Failed(problem))) => {
                catalogue.problems.push(problem);
                Vec::new()
            }
            Some((_, Step::Nothing | Step::Page(..) | Step::Heavy(..))) | None => Vec::new(),
        }
    }

    /// Reads the folders in their order.
    async fn read(&self, mut folders: Vec<PathBuf>, look: &mut Look) {
        folders.retain(|folder| {
            let hung = self.is_hung(folder);
            if hung {
                look.catalogue.partial = true;
                look.catalogue.problems.push(hangs(folder));
            }
            !hung
        });
        let until = Instant::now() + self.in_all;
        let mut place = 0;
        let mut reader = None;
        while let Some(folder) = folders.get(place) {
            let rest = folders.get(place..).unwrap_or_default();
            if self.hung().len() >= bounds::HUNG_FOLDERS {
                let most = bounds::HUNG_FOLDERS;
                return look.leave(rest, &format!("because {most} folders do not answer"));
            }
            if Instant::now() > until {
                let most = bounds::FOLDERS_SECONDS;
                let why = format!("because all before took {most} seconds; the next look goes on");
                return look.leave(rest, &why);
            }
            let at_work = match reader.take() {
                Some(at_work) => Ok(at_work),
                None => self.start_reader(rest, &look.known),
            };
            let next = self.next(at_work, folder, &mut look.catalogue).await;
            let Some((at_work, step)) = next else {
                place = place.saturating_add(1);
                continue;
            };
            match step {
                Step::Heavy(_, weight) if look.has_room(weight) => {
                    // Now there is room for the definition, so it is read after all.
                    look.known.remove(folder);
                    continue;
                }
                Step::Heavy(identity, weight) => look.add_heavy(folder, identity, weight),
                Step::Page(identity, page) => look.add(folder, identity, page),
                Step::Failed(problem) => {
                    look.catalogue.folders = look.catalogue.folders.saturating_add(1);
                    look.catalogue.problems.push(problem);
                }
                Step::Nothing | Step::Listed(..) => {}
            }
            reader = Some(at_work);
            place = place.saturating_add(1);
        }
    }

    /// Starts a thread that reads these folders.
    fn start_reader(&self, folders: &[PathBuf], known: &Pages) -> std::io::Result<Reader> {
        let of = |it: &PathBuf| (it.clone(), known.get(it).cloned());
        let folders: Vec<_> = folders.iter().map(of).collect();
        let look_into = self.look_into;
        start(move |steps| {
            for (folder, known) in &folders {
                let step = look_into(folder, known.as_ref());
                // The send fails when nobody wants to know any more.
                if steps.blocking_send(step).is_err() {
                    break;
                }
            }
        })
    }

    /// The definitions in the folder of this name.
    async fn named(&self, name: &str) -> Option<Arc<Page>> {
        let mut parts = Path::new(name).components();
        let is_name = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
        if !is_name || parts.next().is_some() || name == EXAMPLES {
            return None;
        }
        let folder = self.root.join(name);
        if self.is_hung(&folder) {
            return None;
        }
        let reader = self.start_reader(std::slice::from_ref(&folder), &Pages::new());
        // A problem is told by the look through all folders.
        let mut scratch = Catalogue::default();
        match self.next(reader, &folder, &mut scratch).await? {
            (_, Step::Page(_, page)) => Some(page),
            _ => None,
        }
    }

    /// The next step of a thread, which is about this folder. A thread that was left behind or has
    /// ended is a problem.
    async fn next(
        &self,
        reader: std::io::Result<Reader>,
        folder: &Path,
        catalogue: &mut Catalogue,
    ) -> Option<(Reader, Step)> {
        let mut reader = match reader {
            Ok(reader) => reader,
            Err(error) => {
                let reason = format!("there is no thread to read it: {error}");
                let problem = DefinitionProblem::new(folder, reason, None);
                catalogue.problems.push(problem);
                return None;
            }
        };
        match tokio::time::timeout(self.deadline, reader.steps.recv()).await {
            Ok(Some(step)) => return Some((reader, step)),
            Ok(None) => catalogue.problems.push(broke_off(folder)),
            Err(_) => {
                catalogue.partial = true;
                catalogue.problems.push(hangs(folder));
                self.hung().insert(folder.to_owned(), reader.back);
            }
        }
        None
    }

    /// Whether a thread still hangs in this folder.
    fn is_hung(&self, folder: &Path) -> bool {
        let mut hung = self.hung();
        hung.retain(|_, back| !back.load(Ordering::Acquire));
        hung.contains_key(folder)
    }

    fn hung(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<AtomicBool>>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of the problems that the last look did not have.
    fn tell(&self, told: &mut HashSet<DefinitionProblem>, problems: &[DefinitionProblem]) {
        let named = |it: &DefinitionProblem| (it.name(), it.reason_and_place());
        self.problems.set_folders(problems.iter().map(named));
        let new: Vec<_> = problems.iter().filter(|it| !told.contains(*it)).collect();
        for problem in new.iter().take(TOLD) {
            self.events.record(None, Level::Error, problem.to_string());
        }
        let more = new.len().saturating_sub(TOLD);
        if more > 0 {
            let text =
                format!("{more} more plugin folders cannot be used; `gethardware` names them");
            self.events.record(None, Level::Error, text);
        }
        *told = problems.iter().cloned().collect();
    }
}

fn hangs(folder: &Path) -> DefinitionProblem {
    let reason = format!(
        "it was not read within {} seconds and is left out; look at its file system",
        bounds::FOLDER_SECONDS
    );
    DefinitionProblem::new(folder, reason, None)
}

fn broke_off(folder: &Path) -> DefinitionProblem {
    let reason = "reading it broke off, which is a fault of the hub; what it prints on standard \
                  error says more";
    DefinitionProblem::new(folder, reason.to_owned(), None)
}

/// Shows that a thread has come back, however its work ends.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Starts a thread outside the runtime, which would wait for its own threads at the end.
fn start(work: impl FnOnce(Sender<Step>) + Send + 'static) -> std::io::Result<Reader> {
    // The thread is one folder ahead at most, so that little is kept for nothing.
    let (sender, steps) = channel(1);
    let back = Arc::<AtomicBool>::default();
    let end = End(Arc::clone(&back));
    std::thread::Builder::new()
        .name("definitions".to_owned())
        .spawn(move || {
            let _end = end;
            work(sender);
        })?;
    Ok(Reader { steps, back })
}

fn look_into(folder: &Path, known: Option<&Known>) -> Step {
    look_with(folder, known, definition::read)
}

fn look_with(folder: &Path, known: Option<&Known>, read: Read) -> Step {
    // Follows links, of the folder and of the file (spec 1.1, 3 and 4).
    let path = folder.join("plugin.py");
    let file = match RegularFile::open(&path) {
        Ok(file) => file,
        Err(error) if no_plugin(&path, &error) => return Step::Nothing,
        Err(error) => {
            let reason = format!("plugin.py cannot be read: {error}");
            return Step::Failed(DefinitionProblem::new(folder, reason, None));
        }
    };
    let identity = file.identity();
    if let Some(known) = known.filter(|known| known.settled && known.identity == identity) {
        return match &known.content {
            Content::Page(page) => Step::Page(identity, Arc::clone(page)),
            Content::Heavy(weight) => Step::Heavy(identity, *weight),
        };
    }
    // A fault in reading a file is told as its problem, and not met again before the file is
    // changed.
    let read = catch_unwind(AssertUnwindSafe(|| read(folder, file)));
    let read = read.unwrap_or_else(|_| Err(broke_off(folder)));
    let page = read.map(|found| found.into_iter().map(Arc::new).collect());
    Step::Page(identity, Arc::new(page))
}

/// Whether the error says that there is no such file, or that a folder has its name.
fn no_plugin(path: &Path, error: &std::io::Error) -> bool {
    let missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    missing || fs::metadata(path).is_ok_and(|it| it.is_dir())
}

/// The direct sub-folders of `root` but `examples`, links among them, and whether there are
/// entries that were not looked at.
fn list(root: &Path) -> std::io::Result<(Vec<PathBuf>, bool)> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok((Vec::new(), false));
        }
        entries => entries?,
    };
    let mut folders = Vec::new();
    let mut more = false;
    for (count, entry) in entries.enumerate() {
        let entry = entry?;
        if count >= bounds::FOLDERS {
            more = true;
            break;
        }
        let may_be = entry
            .file_type()
            .is_ok_and(|kind| kind.is_dir() || kind.is_symlink());
        if may_be && entry.file_name() != EXAMPLES {
            folders.push(entry.path());
        }
    }
    // The key ends with a separator, as the keys of the original's map do.
    folders.sort_by_key(|folder| folder.join("").into_os_string().into_encoded_bytes());
    Ok((folders, more))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
