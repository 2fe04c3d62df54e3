//! One process that was started: its pipes, its end, and who notices both.
//!
//! A task waits for the end on the process's descriptor. The whole group is
//! killed while the leader is still unreaped, because until then nobody else can
//! have its number.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::launch::Started;
use super::{Bounds, Slot};
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;

/// Most bytes that one read moves.
pub const CHUNK: usize = 64 << 10;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// What an exchange moved: `None` where nothing did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Bytes taken; 0 when the process reads no more.
    pub written: Option<usize>,
    /// Bytes of standard output; none of them at its end.
    pub output: Option<Vec<u8>>,
    /// Bytes of standard error; none of them at its end.
    pub errors: Option<Vec<u8>>,
}

/// The hub's end of one pipe.
struct Pipe<T> {
    end: Mutex<Option<Arc<T>>>,
    closed: CancellationToken,
}

impl<T> Pipe<T> {
    fn new(end: Option<T>, over: &CancellationToken) -> Self {
        Self {
            end: Mutex::new(end.map(Arc::new)),
            closed: over.child_token(),
        }
    }

    fn get(&self) -> Option<Arc<T>> {
        lock(&self.end).clone()
    }

    fn is_open(&self) -> bool {
        lock(&self.end).is_some()
    }

    fn close(&self) {
        self.closed.cancel();
        lock(&self.end).take();
    }
}

/// A process. See the module.
pub struct Process {
    group: Pid,
    /// Until it was reaped, which is when its number is free.
    child: Mutex<Option<Child>>,
    exit: watch::Sender<Option<Exit>>,
    input: Pipe<pipe::Sender>,
    output: Pipe<pipe::Receiver>,
    errors: Pipe<pipe::Receiver>,
    /// Nothing more is read or written.
    over: CancellationToken,
    /// Rung when a pipe was closed.
    closed: Notify,
    read: AtomicU64,
    abandoned: AtomicBool,
    slot: Mutex<Option<Slot>>,
    bounds: Bounds,
    log: PluginLog,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    /// Takes charge of a process that was just started.
    ///
    /// # Errors
    ///
    /// The system's; the process is killed then.
    pub(super) fn keep(
        mut started: Started,
        slot: Slot,
        bounds: Bounds,
        log: PluginLog,
    ) -> io::Result<Arc<Self>> {
        let Some(child) = &started.child else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let group = Pid::from_child(child);
        let (ended, input, output, errors) = Self::prepare(&mut started, group)?;
        let over = CancellationToken::new();
        let process = Arc::new(Self {
            group,
            child: Mutex::new(started.child.take()),
            exit: watch::Sender::new(None),
            input: Pipe::new(input, &over),
            output: Pipe::new(output, &over),
            errors: Pipe::new(errors, &over),
            over,
            closed: Notify::new(),
            read: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            slot: Mutex::new(Some(slot)),
            bounds,
            log,
        });
        tokio::spawn(Arc::clone(&process).watch(ended));
        Ok(process)
    }

    #[allow(clippy::type_complexity, reason = "four parts, used once")]
    fn prepare(
        started: &mut Started,
        group: Pid,
    ) -> io::Result<(
        AsyncFd<OwnedFd>,
        Option<pipe::Sender>,
        Option<pipe::Receiver>,
        Option<pipe::Receiver>,
    )> {
        let ended = pidfd_open(group, PidfdFlags::NONBLOCK)?;
        let receiver = |end: Option<OwnedFd>| end.map(pipe::Receiver::from_owned_fd).transpose();
        // SAFETY: an `OwnedFd` is one and the same descriptor, open, until it is dropped.
        let ended = unsafe { AsyncFd::register_with_interest(ended, Interest::READABLE) }?;
        Ok((
            ended,
            started
                .input
                .take()
                .map(pipe::Sender::from_owned_fd)
                .transpose()?,
            receiver(started.output.take())?,
            receiver(started.errors.take())?,
        ))
    }

    /// Waits for the end, kills what is left of the group, and gives the slot back
    /// when nothing more can be read.
    async fn watch(self: Arc<Self>, ended: AsyncFd<OwnedFd>) {
        let deadline = Instant::now().checked_add(self.bounds.time);
        let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        if tokio::time::timeout_at(deadline, ended.readable())
            .await
            .is_err()
        {
            let limit = u64::try_from(self.bounds.time.as_millis()).unwrap_or(u64::MAX);
            self.log.limit(&Limits::hit("process-time", limit, limit));
            self.end();
            let _ = ended.readable().await;
        }
        self.reap();
        self.input.close();
        let drained = async {
            while self.output.is_open() || self.errors.is_open() {
                self.closed.notified().await;
            }
        };
        // A process that left the group may hold a pipe for ever, and a plugin
        // may never read.
        let _ = tokio::time::timeout_at(deadline, drained).await;
        self.output.close();
        self.errors.close();
        lock(&self.slot).take();
    }

    fn reap(&self) {
        let mut child = lock(&self.child);
        let _ = kill_process_group(self.group, Signal::KILL);
        let Some(mut ended) = child.take() else {
            return;
        };
        let exit = ended.wait().map_or(Exit::Signalled(9), exit_of);
        drop(child);
        self.exit.send_replace(Some(exit));
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits for the end; `None` when the time was too short.
    pub async fn wait(&self, timeout: Option<Duration>) -> Option<Exit> {
        let mut exit = self.exit.subscribe();
        let ended = exit.wait_for(Option::is_some);
        let ended = match timeout {
            None => ended.await,
            Some(timeout) => tokio::time::timeout(timeout, ended).await.ok()?,
        };
        ended.ok().and_then(|exit| *exit)
    }

    /// Sends a signal to the group; false when the process is over or there is no
    /// such signal. 0 only asks.
    pub fn signal(&self, number: i32) -> bool {
        let child = lock(&self.child);
        if child.is_none() {
            return false;
        }
        match Signal::from_named_raw(number) {
            Some(signal) => kill_process_group(self.group, signal).is_ok(),
            None => number == 0,
        }
    }

    /// Kills it and ends all reading and writing.
    pub fn end(&self) {
        self.signal(Signal::KILL.as_raw());
        self.over.cancel();
    }

    /// Nobody holds it any more: its pipes are closed, it ends by itself.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
        for stream in [Stream::Input, Stream::Output, Stream::Errors] {
            self.close(stream);
        }
    }

    /// Whether [`Self::abandon`] was called.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Whether it is over and nothing can be read from it any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        lock(&self.slot).is_none()
    }

    /// Closes the hub's end of a stream; who waits for it sees its end.
    pub fn close(&self, stream: Stream) {
        match stream {
            Stream::Input => self.input.close(),
            Stream::Output => self.output.close(),
            Stream::Errors => self.errors.close(),
        }
        self.closed.notify_one();
    }

    /// Reads at most `max` bytes; none at the end of the stream.
    pub async fn read(&self, stream: Stream, max: usize) -> Vec<u8> {
        let pipe = match stream {
            Stream::Input => return Vec::new(),
            Stream::Output => &self.output,
            Stream::Errors => &self.errors,
        };
        let Some(end) = pipe.get() else {
            return Vec::new();
        };
        let data = tokio::select! {
            biased;
            () = pipe.closed.cancelled() => Vec::new(),
            data = read_some(&end, max.clamp(1, CHUNK)) => data.unwrap_or_default(),
        };
        drop(end);
        if data.is_empty() {
            self.close(stream);
        } else {
            self.count(data.len());
        }
        data
    }

    fn count(&self, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let read = self.read.fetch_add(length, Ordering::Relaxed);
        let (read, limit) = (read.saturating_add(length), self.bounds.output);
        if read > limit {
            self.log.limit(&Limits::hit("process-output", read, limit));
            self.end();
        }
    }

    /// Writes what the pipe takes; `None` when the process reads no more.
    pub async fn write(&self, data: &[u8]) -> Option<usize> {
        let end = self.input.get()?;
        tokio::select! {
            biased;
            () = self.input.closed.cancelled() => None,
            written = write_some(&end, data) => written.ok(),
        }
    }

    /// Moves what can be moved first.
    pub async fn exchange(
        &self,
        input: &[u8],
        output: bool,
        errors: bool,
        timeout: Option<Duration>,
    ) -> Exchanged {
        let moved = async {
            tokio::select! {
                data = self.read(Stream::Output, CHUNK), if output => Exchanged {
                    output: Some(data),
                    ..Exchanged::default()
                },
                data = self.read(Stream::Errors, CHUNK), if errors => Exchanged {
                    errors: Some(data),
                    ..Exchanged::default()
                },
                written = self.write(input), if !input.is_empty() => Exchanged {
                    written: Some(written.unwrap_or(0)),
                    ..Exchanged::default()
                },
                else => Exchanged::default(),
            }
        };
        match timeout {
            None => moved.await,
            Some(timeout) => tokio::time::timeout(timeout, moved)
                .await
                .unwrap_or_default(),
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Exited(code),
        (None, signal) => Exit::Signalled(signal.unwrap_or(9)),
    }
}

async fn read_some(end: &pipe::Receiver, max: usize) -> io::Result<Vec<u8>> {
    loop {
        end.readable().await?;
        let mut data = Vec::with_capacity(max);
        match end.try_read_buf(&mut data) {
            Ok(_) => return Ok(data),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn write_some(end: &pipe::Sender, data: &[u8]) -> io::Result<usize> {
    loop {
        end.writable().await?;
        match end.try_write(data) {
            Ok(written) => return Ok(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
