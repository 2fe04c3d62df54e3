//! Threads that serve all instances in turn: for work that may block or take long.
//!
//! A pool has a fixed number of threads. Every account has a queue of its own, the queues
//! are served one job each in turn, and no account has more than a few jobs running. An
//! instance that asks for much therefore waits for itself. A job whose caller has gone
//! away is not begun; one that runs keeps its place until it ends.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::account::{Account, thread_cpu};

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The pools of the hub. Clones share them.
#[derive(Clone)]
pub struct Pools {
    /// Names and addresses that are looked up.
    pub names: Pool,
    /// Files, folders, ports and programs.
    pub files: Pool,
    /// Commands whose work is too long for a thread that serves callbacks.
    pub commands: Pool,
    /// Telling of changes that are long. Everybody waits for that, so this pool has a thread which
    /// nobody's commands can fill.
    pub notices: Pool,
    /// Making the messages about long changes for clients of the HTTP API.
    pub feeds: Pool,
}

impl Default for Pools {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            names: Pool::new("names", 64, 2),
            files: Pool::new("files", 32, 2),
            commands: Pool::new("commands", cores.max(2), 1),
            notices: Pool::new("notices", 1, 1),
            feeds: Pool::new("feeds", cores.max(2), 1),
        }
    }
}

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The system has no thread for it.
    #[error("the system has no thread for this; try again later")]
    NoThread,
    /// The job panicked, which is a fault of the hub.
    #[error("the work ended in the middle; the log of the hub says why")]
    Panicked,
}

/// A number of threads. Clones share them.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    threads: usize,
    each: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queues: HashMap<u64, Queue>,
    /// The accounts that have a job to begin and may begin it; each stands here once.
    turns: VecDeque<u64>,
    threads: usize,
    idle: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Jobs from which on the queue is looked through for unwanted ones: twice as many as were
    /// left the last time, so that a long queue costs each job no more than a short one.
    look_at: usize,
    running: usize,
    in_turns: bool,
}

struct Job {
    account: Arc<Account>,
    work: Box<dyn Work>,
}

/// A job with the one who waits for it.
trait Work: Send {
    /// Whether somebody still waits.
    fn wanted(&self) -> bool;
    /// Does the job, and bills it before anybody hears of its end.
    fn run(self: Box<Self>, account: &Account, clock: &mut Clock);
}

/// Computing time of a thread that is not yet billed. The time between two jobs is the next
/// one's, and the time after a job is its own: to wake a thread, to find its work and to tell
/// of the end costs more than many a job.
struct Clock(Duration);

impl Clock {
    fn start() -> Self {
        Self(thread_cpu())
    }

    fn bill(&mut self, account: &Account) {
        let now = thread_cpu();
        account.bill(now.saturating_sub(self.0));
        self.0 = now;
    }
}

struct Waited<T, F> {
    work: F,
    done: oneshot::Sender<T>,
}

impl<T: Send, F: FnOnce() -> T + Send> Work for Waited<T, F> {
    fn wanted(&self) -> bool {
        !self.done.is_closed()
    }

    fn run(self: Box<Self>, account: &Account, clock: &mut Clock) {
        let Self { work, done } = *self;
        // The sender is dropped by a panic, which the caller is told of.
        let result = work();
        clock.bill(account);
        let _ = done.send(result);
    }
}

/// A job that nobody waits for.
struct Unwaited<F>(F);

impl<F: FnOnce() + Send> Work for Unwaited<F> {
    fn wanted(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, account: &Account, clock: &mut Clock) {
        self.0();
        clock.bill(account);
    }
}

impl Pool {
    /// A pool of so many threads, of which one account has `each` at most. Threads are started when
    /// there is work and end when there is none.
    #[must_use]
    pub fn new(name: &'static str, threads: usize, each: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                name,
                threads: threads.max(1),
                each: each.max(1),
                state: Mutex::default(),
                work: Condvar::new(),
            }),
        }
    }

    /// Does `job` on a thread of the pool when the account's turn comes, and bills its computing
    /// time. When the caller stops waiting before the job began, the job is dropped.
    ///
    /// # Errors
    ///
    /// [`PoolError`] when there is no thread or the job panicked.
    pub async fn run<T, F>(&self, account: &Arc<Account>, job: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        let work = Box::new(Waited { work: job, done });
        self.queue(Job {
            account: Arc::clone(account),
            work,
        })?;
        result.await.map_err(|_| PoolError::Panicked)
    }

    /// The same where nobody waits: the job is done in any case, and those of one account are
    /// begun in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`PoolError`] when there is no thread.
    pub fn begin(
        &self,
        account: &Arc<Account>,
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), PoolError> {
        self.queue(Job {
            account: Arc::clone(account),
            work: Box::new(Unwaited(job)),
        })
    }

    fn queue(&self, job: Job) -> Result<(), PoolError> {
        let mut state = self.shared.state();
        let id = job.account.id();
        let queue = state.queues.entry(id).or_default();
        // Jobs that nobody waits for any more would otherwise pile up behind one that blocks.
        let unwanted = match queue.jobs.len() >= queue.look_at {
            true => queue.unwanted(),
            false => Vec::new(),
        };
        queue.jobs.push_back(job);
        state.enter(id, self.shared.each);
        let woken = self.shared.wake(state);
        drop(unwanted);
        woken
    }

    /// Threads that there are now.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.state().threads
    }
}

impl Queue {
    /// Takes out the jobs that nobody waits for. To be dropped without the lock: they may
    /// hold files, and closing one may take long.
    fn unwanted(&mut self) -> Vec<Job> {
        let jobs = std::mem::take(&mut self.jobs).into_iter();
        let (wanted, unwanted): (Vec<_>, _) = jobs.partition(|job| job.work.wanted());
        self.jobs = wanted.into();
        self.look_at = self.jobs.len().saturating_mul(2);
        unwanted
    }
}

impl State {
    /// Puts an account among the turns when it has a job that it may begin.
    fn enter(&mut self, id: u64, each: usize) {
        let Some(queue) = self.queues.get_mut(&id) else {
            return;
        };
        if !queue.in_turns && !queue.jobs.is_empty() && queue.running < each {
            queue.in_turns = true;
            self.turns.push_back(id);
        }
    }

    /// The next job, of the account whose turn it is. Jobs that nobody waits for are put with the
    /// `unwanted`.
    fn next(&mut self, each: usize, unwanted: &mut Vec<Job>) -> Option<Job> {
        while let Some(id) = self.turns.pop_front() {
            let Some(queue) = self.queues.get_mut(&id) else {
                continue;
            };
            queue.in_turns = false;
            let mut job = queue.jobs.pop_front();
            while let Some(left) = job.take_if(|job| !job.work.wanted()) {
                unwanted.push(left);
                job = queue.jobs.pop_front();
            }
            queue.running += usize::from(job.is_some());
            self.enter(id, each);
            if job.is_some() {
                return job;
            }
            self.forget(id);
        }
        None
    }

    fn ended(&mut self, id: u64, each: usize) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.running = queue.running.saturating_sub(1);
        }
        self.enter(id, each);
        self.forget(id);
    }

    /// Removes the queue of an account that has nothing here.
    fn forget(&mut self, id: u64) {
        let unused = |queue: &Queue| queue.running == 0 && queue.jobs.is_empty();
        if self.queues.get(&id).is_some_and(unused) {
            self.queues.remove(&id);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that somebody comes to the next turn, if there is one. A thread that takes a job
    /// calls this as well: one thread that was woken may find more than one job to do.
    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) -> Result<(), PoolError> {
        if state.turns.is_empty() {
            return Ok(());
        }
        if state.idle > 0 {
            self.work.notify_one();
            return Ok(());
        }
        if state.threads >= self.threads {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        self.start()
    }

    fn start(self: &Arc<Self>) -> Result<(), PoolError> {
        let shared = Arc::clone(self);
        let started = std::thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || shared.serve());
        let Err(error) = started else {
            return Ok(());
        };
        let mut state = self.state();
        state.threads -= 1;
        // The other threads will come to it.
        if state.threads > 0 {
            return Ok(());
        }
        tracing::error!(%error, pool = self.name, "no thread can be started");
        let lost = (
            std::mem::take(&mut state.queues),
            std::mem::take(&mut state.turns),
        );
        drop(state);
        drop(lost);
        Err(PoolError::NoThread)
    }

    fn serve(self: &Arc<Self>) {
        let mut clock = Clock::start();
        let mut state = self.state();
        loop {
            let mut unwanted = Vec::new();
            let next = state.next(self.each, &mut unwanted);
            if !unwanted.is_empty() {
                drop(state);
                drop(unwanted);
                state = self.state();
            }
            if let Some(job) = next {
                // Jobs whose turn comes next have this thread at worst.
                let _ = self.wake(state);
                let id = job.account.id();
                let Job { account, work } = job;
                let done = catch_unwind(AssertUnwindSafe(|| work.run(&account, &mut clock)));
                if done.is_err() {
                    tracing::error!(pool = self.name, "a job panicked");
                }
                state = self.state();
                state.ended(id, self.each);
                clock.bill(&account);
                continue;
            }
            if !state.turns.is_empty() {
                // A job came while the lock was given up.
                continue;
            }
            state.idle += 1;
            let (woken, waited) = self
                .work
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.turns.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
