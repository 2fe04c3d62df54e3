//! Streams into files of the data folder, and out of any file.
//!
//! Takes the place of wasmtime's streams: each write has to be measured under the quota's turn, and
//! all work that may block is done on threads for files. At most one read or write per stream is
//! under way.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use super::quota::Quota;
use super::worker::Worker;

/// Bytes that a stream takes at once; as wasmtime's own file streams.
const CAPACITY: usize = 64 * 1024;

/// Where in a file a write goes.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// At this offset.
    At(u64),
    /// At the end, wherever that is by then.
    End,
}

impl Place {
    fn offset(self, size: u64) -> u64 {
        match self {
            Self::At(offset) => offset,
            Self::End => size,
        }
    }

    fn after(self, written: u64) -> Self {
        match self {
            Self::At(offset) => Self::At(offset.saturating_add(written)),
            Self::End => Self::End,
        }
    }
}

/// Writes all of `bytes` and returns their number.
///
/// # Errors
///
/// `ENOSPC` when the quota refuses: nothing was written. Else the system's error.
pub(super) async fn write(
    quota: &Arc<Quota>,
    file: Arc<File>,
    place: Place,
    bytes: Bytes,
) -> io::Result<u64> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length == 0 {
        // An empty write changes nothing and extends nothing, wherever it points.
        return Ok(0);
    }
    let end = move |size| place.offset(size).saturating_add(length);
    let change = move |file: &File, size| {
        file.write_all_at(&bytes, place.offset(size))?;
        Ok(length)
    };
    quota.change(file, end, change).await
}

enum State {
    Ready,
    Writing(AbortOnDropJoinHandle<io::Result<u64>>),
    Failed(io::Error),
    /// Out of room. Every use fails from now on: the guest may have had part of a longer write
    /// accepted, so a retry could double it. The guest gets a new stream when it seeks or opens the
    /// file anew.
    Full,
    Closed,
}

/// Writes to a file of the data folder from an offset or from its end on.
pub(super) struct FileStream {
    quota: Arc<Quota>,
    file: Arc<File>,
    place: Place,
    state: State,
}

impl FileStream {
    pub(super) fn new(quota: Arc<Quota>, file: Arc<File>, place: Place) -> Self {
        Self {
            quota,
            file,
            place,
            state: State::Ready,
        }
    }

    fn finish(&mut self, result: io::Result<u64>) {
        self.state = match result {
            Ok(written) => {
                self.place = self.place.after(written);
                State::Ready
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NOSPC) => State::Full,
            Err(error) => State::Failed(error),
        };
    }

    /// The error of a stream that takes nothing more. A failure is told once,
    /// after that the stream is closed.
    fn check(&mut self) -> StreamResult<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            State::Closed => Err(StreamError::Closed),
            State::Full => {
                self.state = State::Full;
                let error = io::Error::from(Errno::NOSPC);
                Err(StreamError::LastOperationFailed(error.into()))
            }
            state @ (State::Ready | State::Writing(_)) => {
                self.state = state;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {
        if let State::Writing(task) = &mut self.state {
            let result = (&mut **task).await;
            self.finish(result.unwrap_or_else(|error| Err(io::Error::other(error))));
        }
    }
}

#[async_trait]
impl OutputStream for FileStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if matches!(self.state, State::Writing(_)) {
            return Err(StreamError::trap("a write is still under way"));
        }
        let (quota, file, place) = (self.quota.clone(), self.file.clone(), self.place);
        let task = spawn(async move { write(&quota, file, place, bytes).await });
        self.state = State::Writing(task);
        Ok(())
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.ready().await;
        self.check()?;
        let result = write(&self.quota, self.file.clone(), self.place, bytes).await;
        self.finish(result);
        self.check()
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        match self.state {
            State::Ready => Ok(CAPACITY),
            _ => Ok(0),
        }
    }

    /// Accepted bytes are written: else a guest could pile up abandoned writes.
    async fn cancel(&mut self) {
        self.ready().await;
        self.state = State::Closed;
    }
}

/// Bytes that are read ahead for a plugin that waits before it reads.
const AHEAD: usize = 4096;

enum Reading {
    Idle,
    Waiting(AbortOnDropJoinHandle<io::Result<Bytes>>),
    Ready(Bytes),
    Failed(io::Error),
    Closed,
}

/// Reads a file from an offset on.
pub(super) struct FileInput {
    worker: Worker,
    file: Arc<File>,
    offset: u64,
    state: Reading,
}

/// Reads at most `size` bytes; none at the end.
async fn read(worker: Worker, file: Arc<File>, offset: u64, size: usize) -> io::Result<Bytes> {
    let reading = worker.run(move || {
        let mut bytes = vec![0; size.min(CAPACITY)];
        let count = loop {
            match file.read_at(&mut bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                count => break count?,
            }
        };
        bytes.truncate(count);
        Ok(Bytes::from(bytes))
    });
    reading.await?
}

impl FileInput {
    pub(super) fn new(worker: Worker, file: Arc<File>, offset: u64) -> Self {
        Self {
            worker,
            file,
            offset,
            state: Reading::Idle,
        }
    }

    fn begin(&mut self, size: usize) {
        let reading = read(self.worker.clone(), self.file.clone(), self.offset, size);
        self.state = Reading::Waiting(spawn(reading));
    }

    fn finish(&mut self, read: io::Result<Bytes>) {
        self.state = match read {
            Ok(bytes) if bytes.is_empty() => Reading::Closed,
            Ok(bytes) => Reading::Ready(bytes),
            Err(error) => Reading::Failed(error),
        };
    }

    async fn wait(&mut self) {
        if let Reading::Waiting(task) = &mut self.state {
            let read = (&mut **task).await;
            self.finish(read.unwrap_or_else(|error| Err(io::Error::other(error))));
        }
    }
}

#[async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {
        if matches!(self.state, Reading::Idle) {
            self.begin(AHEAD);
        }
        self.wait().await;
    }
}

#[async_trait]
impl InputStream for FileInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Closed) {
            Reading::Idle => {
                self.state = Reading::Idle;
                if size > 0 {
                    self.begin(size);
                }
                Ok(Bytes::new())
            }
            Reading::Ready(mut bytes) => {
                let given = bytes.split_to(bytes.len().min(size));
                let length = u64::try_from(given.len()).unwrap_or(u64::MAX);
                self.offset = self.offset.saturating_add(length);
                self.state = if bytes.is_empty() {
                    Reading::Idle
                } else {
                    Reading::Ready(bytes)
                };
                Ok(given)
            }
            waiting @ Reading::Waiting(_) => {
                self.state = waiting;
                Ok(Bytes::new())
            }
            Reading::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            Reading::Closed => Err(StreamError::Closed),
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.wait().await;
        if matches!(self.state, Reading::Idle) && size > 0 {
            let reading = read(self.worker.clone(), self.file.clone(), self.offset, size);
            let read = reading.await;
            self.finish(read);
        }
        self.read(size)
    }

    async fn cancel(&mut self) {
        self.wait().await;
        self.state = Reading::Closed;
    }
}
