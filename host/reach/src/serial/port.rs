//! An open serial port: settings, bytes, lines.
//!
//! Nothing is buffered here. Several tasks may use one port at once: reads take
//! turns, writes take turns, and closing wakes whoever waits.

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_serial::{
    ClearBuffer, DataBits, ErrorKind, FlowControl, SerialPort, SerialStream, StopBits,
};
use tokio_util::sync::CancellationToken;

use crate::Reach;
use cordon_base::descriptors::Permit;
use cordon_base::error::Denied;

/// Longest path of a port, in bytes: the system's own bound.
const PATH: usize = 4096;

/// Most bytes that one read moves.
pub const CHUNK: usize = 64 << 10;

/// How often a drain looks whether everything has left. No driver tells.
const DRAIN_LOOK: Duration = Duration::from_millis(2);

// Error numbers of Linux.
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EINVAL: i32 = 22;

/// The check bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Odd.
    Odd,
    /// Even.
    Even,
}

/// Flow control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// None.
    None,
    /// XON and XOFF.
    Software,
    /// RTS and CTS.
    Hardware,
}

/// How characters are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bits per second.
    pub baud_rate: u32,
    /// Bits per character, 5 to 8.
    pub data_bits: u8,
    /// Check bit.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
    /// Flow control.
    pub flow: Flow,
}

/// Why a call on a port failed.
#[derive(Debug)]
pub enum PortError {
    /// No grant names it.
    Denied(Denied),
    /// It is not there.
    NotFound,
    /// Somebody has it for himself.
    Busy,
    /// It was closed.
    Closed,
    /// The system's error number.
    Failed(i32),
}

/// The settings in the words of the library.
struct Words {
    data_bits: DataBits,
    parity: tokio_serial::Parity,
    stop_bits: StopBits,
    flow: FlowControl,
}

impl Settings {
    fn words(&self) -> Result<Words, PortError> {
        let invalid = |_| PortError::Failed(EINVAL);
        if self.baud_rate == 0 {
            // It would hang up instead of setting a speed.
            return Err(PortError::Failed(EINVAL));
        }
        Ok(Words {
            data_bits: DataBits::try_from(self.data_bits).map_err(invalid)?,
            parity: match self.parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Odd => tokio_serial::Parity::Odd,
                Parity::Even => tokio_serial::Parity::Even,
            },
            stop_bits: StopBits::try_from(self.stop_bits).map_err(invalid)?,
            flow: match self.flow {
                Flow::None => FlowControl::None,
                Flow::Software => FlowControl::Software,
                Flow::Hardware => FlowControl::Hardware,
            },
        })
    }
}

/// An open port. See the module.
pub struct Port {
    /// `None` once it was closed.
    stream: Mutex<Option<SerialStream>>,
    closed: CancellationToken,
    /// The stream remembers one waiter in each direction.
    reading: tokio::sync::Mutex<()>,
    writing: tokio::sync::Mutex<()>,
    read_cancelled: Notify,
    write_cancelled: Notify,
    /// Its place among the open files of the hub, where nobody else keeps it.
    descriptor: Mutex<Option<Permit>>,
    reach: Reach,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.close();
    }
}

/// Closes a port on a thread for files: the system waits until all has been sent.
pub fn close_apart(stream: SerialStream, reach: &Reach, descriptor: Option<Permit>) {
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let (files, account) = (reach.files.clone(), Arc::clone(&reach.account));
    let within = runtime.clone();
    runtime.spawn(async move {
        let closing = files.run(&account, move || {
            let _runtime = within.enter();
            drop(stream);
            drop(descriptor);
        });
        // Without a thread it was closed with the job.
        let _ = closing.await;
    });
}

impl Port {
    /// Opens a port that the policy allows, with these settings.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn open(
        reach: &Reach,
        asked: &str,
        settings: Settings,
        exclusive: bool,
    ) -> Result<Self, PortError> {
        let policy = Arc::clone(&reach.serial);
        if asked.len() > PATH {
            return Err(PortError::NotFound);
        }
        let asked = asked.to_owned();
        // Paths are followed, and a driver may wait for its device.
        let runtime = Handle::current();
        let opening = reach.files.run(&reach.account, move || {
            let _runtime = runtime.enter();
            let path = policy.granted(&asked).map_err(PortError::Denied)?;
            open_stream(path, &settings, exclusive)
        });
        let stream = opening.await.map_err(|_| PortError::Failed(EIO))??;
        Ok(Self {
            stream: Mutex::new(Some(stream)),
            closed: CancellationToken::new(),
            reading: tokio::sync::Mutex::new(()),
            writing: tokio::sync::Mutex::new(()),
            read_cancelled: Notify::new(),
            write_cancelled: Notify::new(),
            descriptor: Mutex::default(),
            reach: reach.clone(),
        })
    }

    /// The port with its place among the open files of the hub.
    #[must_use]
    pub fn holding(mut self, descriptor: Permit) -> Self {
        self.descriptor = Mutex::new(Some(descriptor));
        self
    }

    fn lock(&self) -> MutexGuard<'_, Option<SerialStream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the port, unless it is closed.
    fn with<R>(
        &self,
        act: impl FnOnce(&mut SerialStream) -> tokio_serial::Result<R>,
    ) -> Result<R, PortError> {
        let mut stream = self.lock();
        let stream = stream.as_mut().ok_or(PortError::Closed)?;
        act(stream).map_err(|error| failed(&error))
    }

    /// Closes it. Whoever waits gets [`PortError::Closed`].
    pub fn close(&self) {
        self.closed.cancel();
        let stream = self.lock().take();
        if let Some(stream) = stream {
            let descriptor = self.descriptor.lock();
            let descriptor = descriptor.unwrap_or_else(PoisonError::into_inner).take();
            close_apart(stream, &self.reach, descriptor);
        }
    }

    /// The port as a stream, for who carries its bytes alone; none once closed.
    #[must_use]
    pub fn into_stream(self) -> Option<SerialStream> {
        self.lock().take()
    }

    /// Changes the settings; the old ones stay when the port does not take them.
    ///
    /// # Errors
    ///
    /// [`PortError::Failed`] with the system's number.
    pub fn configure(&self, settings: &Settings) -> Result<(), PortError> {
        let words = settings.words()?;
        self.with(|stream| {
            let old = Words {
                data_bits: stream.data_bits().unwrap_or(DataBits::Eight),
                parity: stream.parity().unwrap_or(tokio_serial::Parity::None),
                stop_bits: stream.stop_bits().unwrap_or(StopBits::One),
                flow: stream.flow_control().unwrap_or(FlowControl::None),
            };
            apply(stream, settings.baud_rate, &words).inspect_err(|_| {
                if let Ok(baud_rate) = stream.baud_rate() {
                    let _ = apply(stream, baud_rate, &old);
                }
            })
        })
    }

    /// Reads what is there, at most `max` bytes; none when the time is over or
    /// [`Self::cancel_read`] was called.
    ///
    /// # Errors
    ///
    /// [`PortError`]; a device that is gone is `Failed` with `EIO`.
    pub async fn read(&self, max: usize, timeout: Option<Duration>) -> Result<Vec<u8>, PortError> {
        let mut data = vec![0; max.min(CHUNK)];
        if data.is_empty() {
            return self.with(|_| Ok(Vec::new()));
        }
        let moved = async {
            let _turn = self.reading.lock().await;
            self.read_once(&mut data).await
        };
        let read = tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(PortError::Closed),
            read = moved => read,
            () = self.read_cancelled.notified() => Ok(0),
            () = after(timeout) => Ok(0),
        }?;
        data.truncate(read);
        Ok(data)
    }

    async fn read_once(&self, data: &mut [u8]) -> Result<usize, PortError> {
        // Asked directly first: whether a port can be read is learned in the
        // background, too late for who does not want to wait.
        let direct = match self.lock().as_mut() {
            Some(stream) => stream.try_read(data),
            None => return Err(PortError::Closed),
        };
        let read = match direct {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll_fn(|context| {
                    let mut stream = self.lock();
                    let Some(stream) = stream.as_mut() else {
                        return Poll::Ready(Err(PortError::Closed));
                    };
                    let mut buffer = ReadBuf::new(data);
                    let polled = Pin::new(stream).poll_read(context, &mut buffer);
                    polled.map(|read| match read {
                        Ok(()) => Ok(buffer.filled().len()),
                        Err(error) => Err(number(&error)),
                    })
                })
                .await?
            }
            other => other.map_err(|error| number(&error))?,
        };
        // A port without its device is always at its end.
        if read == 0 {
            return Err(PortError::Failed(EIO));
        }
        Ok(read)
    }

    /// Writes what the kernel takes; 0 when the time is over or
    /// [`Self::cancel_write`] was called.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn write(&self, data: &[u8], timeout: Option<Duration>) -> Result<usize, PortError> {
        if data.is_empty() {
            return self.with(|_| Ok(0));
        }
        let moved = async {
            let _turn = self.writing.lock().await;
            self.write_once(data).await
        };
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(PortError::Closed),
            written = moved => written,
            () = self.write_cancelled.notified() => Ok(0),
            () = after(timeout) => Ok(0),
        }
    }

    async fn write_once(&self, data: &[u8]) -> Result<usize, PortError> {
        let direct = match self.lock().as_mut() {
            Some(stream) => stream.try_write(data),
            None => return Err(PortError::Closed),
        };
        match direct {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return other.map_err(|error| number(&error)),
        }
        poll_fn(|context| {
            let mut stream = self.lock();
            let Some(stream) = stream.as_mut() else {
                return Poll::Ready(Err(PortError::Closed));
            };
            let polled = Pin::new(stream).poll_write(context, data);
            polled.map_err(|error| number(&error))
        })
        .await
    }

    /// Waits until everything has left.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn drain(&self) -> Result<(), PortError> {
        while self.with(|stream| stream.bytes_to_write())? > 0 {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        Ok(())
    }

    /// Ends the read that waits, or the next one.
    pub fn cancel_read(&self) {
        self.read_cancelled.notify_one();
    }

    /// Ends the write that waits, or the next one.
    pub fn cancel_write(&self) {
        self.write_cancelled.notify_one();
    }

    /// Bytes that wait to be read and to be sent.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub fn waiting(&self) -> Result<(u32, u32), PortError> {
        self.with(|stream| Ok((stream.bytes_to_read()?, stream.bytes_to_write()?)))
    }

    /// Drops bytes that wait.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub fn clear(&self, input: bool, output: bool) -> Result<(), PortError> {
        let which = match (input, output) {
            (true, true) => ClearBuffer::All,
            (true, false) => ClearBuffer::Input,
            (false, true) => ClearBuffer::Output,
            (false, false) => return self.with(|_| Ok(())),
        };
        self.with(|stream| stream.clear(which))
    }

    /// The other end's lines: CTS, DSR, RI, CD.
    ///
    /// # Errors
    ///
    /// [`PortError`], also for a port without lines.
    pub fn status(&self) -> Result<[bool; 4], PortError> {
        self.with(|stream| {
            Ok([
                stream.read_clear_to_send()?,
                stream.read_data_set_ready()?,
                stream.read_ring_indicator()?,
                stream.read_carrier_detect()?,
            ])
        })
    }

    /// Switches RTS.
    ///
    /// # Errors
    ///
    /// [`PortError`], also for a port without lines.
    pub fn set_rts(&self, on: bool) -> Result<(), PortError> {
        self.with(|stream| stream.write_request_to_send(on))
    }

    /// Switches DTR.
    ///
    /// # Errors
    ///
    /// [`PortError`], also for a port without lines.
    pub fn set_dtr(&self, on: bool) -> Result<(), PortError> {
        self.with(|stream| stream.write_data_terminal_ready(on))
    }

    /// Switches the break condition.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub fn set_break(&self, on: bool) -> Result<(), PortError> {
        self.with(|stream| {
            if on {
                stream.set_break()
            } else {
                stream.clear_break()
            }
        })
    }
}

async fn after(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

fn open_stream(
    path: &Path,
    settings: &Settings,
    exclusive: bool,
) -> Result<SerialStream, PortError> {
    let words = settings.words()?;
    if !path.exists() {
        return Err(PortError::NotFound);
    }
    let name = path.to_str().ok_or(PortError::NotFound)?;
    let builder = tokio_serial::new(name, settings.baud_rate)
        .data_bits(words.data_bits)
        .parity(words.parity)
        .stop_bits(words.stop_bits)
        .flow_control(words.flow)
        .exclusive(exclusive);
    SerialStream::open(&builder).map_err(|error| match error.kind() {
        ErrorKind::NoDevice => PortError::Busy,
        _ => failed(&error),
    })
}

fn apply(stream: &mut SerialStream, baud_rate: u32, words: &Words) -> tokio_serial::Result<()> {
    stream.set_baud_rate(baud_rate)?;
    stream.set_data_bits(words.data_bits)?;
    stream.set_parity(words.parity)?;
    stream.set_stop_bits(words.stop_bits)?;
    stream.set_flow_control(words.flow)
}

/// The library keeps the kind of an error only; these are the numbers behind it.
fn failed(error: &tokio_serial::Error) -> PortError {
    match error.kind() {
        ErrorKind::Io(io::ErrorKind::NotFound) => PortError::NotFound,
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => PortError::Failed(13),
        ErrorKind::Io(io::ErrorKind::WouldBlock) => PortError::Failed(EAGAIN),
        ErrorKind::InvalidInput => PortError::Failed(EINVAL),
        _ => PortError::Failed(EIO),
    }
}

fn number(error: &io::Error) -> PortError {
    PortError::Failed(error.raw_os_error().unwrap_or(EIO))
}
