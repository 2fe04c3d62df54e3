//! Programs that the hub runs for a plugin.
//!
//! [`Processes`] owns those of one instance: their number, their end, and that
//! none outlives the instance. [`policy`] says which programs, [`launch`] starts
//! one, [`child`] is one that was started. Whatever a plugin does not read stays
//! in the system's pipes, so a process cannot fill the hub's memory.

pub mod child;
pub mod environment;
pub mod launch;
pub mod outside;
pub mod policy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Reach;
use cordon_base::descriptors::Permit;
use cordon_base::error::{Denied, LimitHit};
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;

pub use child::{Exchanged, Exit, Process, Stream};
pub use launch::{Launch, Redirection};
pub use policy::ProcessPolicy;

/// Ended processes whose status nobody has asked for are forgotten beyond this
/// many. They hold nothing but the status.
const REMEMBERED: usize = 256;

/// Open files of the hub for one process: three pipes, and the descriptor that tells of its end.
const DESCRIPTORS: u64 = 4;

/// The first number; small ones look like those of system processes.
const FIRST: u32 = 1000;

/// Why a process was not started.
#[derive(Debug)]
pub enum SpawnRefusal {
    /// No grant names the program.
    Denied(Denied),
    /// No grant names a program of the plugin's own folder. The line has its path on the machine,
    /// which is for the log and not for the plugin.
    DeniedOwn(Denied),
    /// The program is not there.
    NotFound,
    /// The program is not there, but this machine has one of its name at this path.
    Elsewhere(PathBuf),
    /// The working folder is not there, or not the plugin's.
    NoFolder,
    /// The limit `processes`, `descriptors` or `host-memory`.
    Limit(LimitHit),
    /// The system's answer.
    Failed(std::io::Error),
}

/// The processes of one instance. Dropping it kills them.
pub struct Processes {
    policy: Arc<ProcessPolicy>,
    log: PluginLog,
    bounds: Bounds,
    reach: Reach,
    alive: Arc<AtomicU64>,
    known: Mutex<Known>,
}

/// Bounds on one process.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From its start to its end.
    pub time: Duration,
    /// Bytes read from it.
    pub output: u64,
    /// Processes at once.
    pub processes: u64,
}

struct Known {
    last: u32,
    by_number: BTreeMap<u32, Arc<Process>>,
}

/// One of the instance's allowed number; counts until it is dropped.
pub struct Slot {
    alive: Arc<AtomicU64>,
    descriptors: Option<Permit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        drop(self.descriptors.take());
    }
}

impl Processes {
    /// No processes yet.
    #[must_use]
    pub fn new(policy: Arc<ProcessPolicy>, limits: &Limits, log: PluginLog, reach: Reach) -> Self {
        Self {
            policy,
            log,
            reach,
            bounds: Bounds {
                time: Duration::from_millis(limits.process_time),
                output: limits.process_output,
                processes: limits.processes,
            },
            alive: Arc::default(),
            known: Mutex::new(Known {
                last: FIRST,
                by_number: BTreeMap::new(),
            }),
        }
    }

    /// Starts a process; returns its number.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal`].
    pub async fn spawn(&self, launch: Launch) -> Result<u32, SpawnRefusal> {
        let slot = self.slot().map_err(SpawnRefusal::Limit)?;
        let account = &self.reach.account;
        let charge = account.charge(launch.size());
        let charge = charge.map_err(SpawnRefusal::Limit)?;
        let (policy, log) = (Arc::clone(&self.policy), self.log.clone());
        let time = self.bounds.time;
        // The job looks at folders and waits for the system: not on the runtime's threads.
        let started = self.reach.files.run(account, move || {
            let started = launch.start(&policy, time, &log);
            drop(charge);
            started
        });
        let started = started
            .await
            .map_err(|error| SpawnRefusal::Failed(std::io::Error::other(error)))??;
        let process = Process::keep(started, slot, self.bounds, self.log.clone())
            .map_err(SpawnRefusal::Failed)?;
        let mut known = self.known();
        known.last = known.last.saturating_add(1);
        let number = known.last;
        known.by_number.insert(number, process);
        forget_old(&mut known.by_number);
        Ok(number)
    }

    /// The granted program that `asked` means, if it is there and may be executed.
    pub async fn find(&self, asked: String) -> Option<PathBuf> {
        let policy = Arc::clone(&self.policy);
        // The job looks at folders, of which the plugin chooses one: not on the runtime's threads.
        let found = self.reach.files.run(&self.reach.account, move || {
            policy.find(&asked).map(Path::to_owned)
        });
        found.await.ok().flatten()
    }

    /// The process of this number, unless it is forgotten.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Arc<Process>> {
        self.known().by_number.get(&number).cloned()
    }

    /// Forgets a process; it ends by itself or with the instance.
    pub fn release(&self, number: u32) {
        let mut known = self.known();
        let Some(process) = known.by_number.get(&number) else {
            return;
        };
        process.abandon();
        if process.exit().is_some() {
            known.by_number.remove(&number);
        }
        forget_old(&mut known.by_number);
    }

    fn slot(&self) -> Result<Slot, LimitHit> {
        let limit = self.bounds.processes;
        let taken = self.alive.fetch_add(1, Ordering::Relaxed);
        let mut slot = Slot {
            alive: Arc::clone(&self.alive),
            descriptors: None,
        };
        if taken >= limit {
            return Err(Limits::hit("processes", taken.saturating_add(1), limit));
        }
        slot.descriptors = Some(self.reach.descriptors.take(DESCRIPTORS)?);
        Ok(slot)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops those first that are over and that nobody holds, then the oldest that are
/// over: a status that nobody asked for in hundreds of processes is not wanted.
fn forget_old(known: &mut BTreeMap<u32, Arc<Process>>) {
    known.retain(|_, process| !(process.is_abandoned() && process.exit().is_some()));
    while known.len() > REMEMBERED {
        let over = known.iter().find(|(_, process)| process.is_settled());
        let Some(number) = over.map(|(number, _)| *number) else {
            return;
        };
        known.remove(&number);
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in self.known().by_number.values() {
            process.end();
        }
    }
}
