//! Serial ports as connections (spec 6.8): 8 data bits, no parity, 1 stop bit.
//!
//! Owns the way from a path to a stream; a port that is open is carried like any
//! other stream. Whether the instance has the port is decided in `serial`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::SerialStream;

use super::context::Context;
use super::dial::Failure;
use super::link::{Link, Phase};
use super::stream::carry;
use super::{ConnectionEvent, Endpoint};
use cordon_reach::Reach;
use cordon_reach::serial::{Flow, Parity, Port, PortError, Settings, close_apart};

/// The speed that the documentation of the original names; its program has no default.
const BAUD: u32 = 115_200;

/// The task of a connection over a serial port.
pub(super) async fn run_serial(
    context: Arc<Context>,
    link: Arc<Link>,
    endpoint: Endpoint,
    timeout: Option<Duration>,
) {
    if let Some(former) = &link.waits_for {
        former.cancelled().await;
    }
    let opened = tokio::select! {
        biased;
        () = link.cancel.cancelled() => Err(Failure::cancelled().description),
        opened = open(&context, &endpoint) => opened,
    };
    link.seen();
    let opened = opened.and_then(|stream| {
        let open = link.advance(Phase::Open);
        open.then_some(stream)
            .ok_or_else(|| Failure::cancelled().description)
    });
    let name = &endpoint.name;
    let last = match opened {
        Ok(stream) => {
            let text = format!("serial port {} is open", endpoint.address.trim());
            context
                .emit(ConnectionEvent::outcome(link.id, 0, text))
                .await;
            carry(&context, &link, stream, timeout).await;
            ConnectionEvent::Disconnected(link.id)
        }
        Err(reason) => {
            context.normal(format!(
                "connection '{name}': opening {} failed: {reason}",
                endpoint.address.trim()
            ));
            link.advance(Phase::Closed);
            // No disconnect follows (spec 6.8).
            ConnectionEvent::outcome(link.id, -1, reason)
        }
    };
    context.finish(&link, last).await;
}

async fn open(context: &Context, endpoint: &Endpoint) -> Result<Stream, String> {
    context.pace.turn(endpoint).await;
    let settings = Settings {
        baud_rate: u32::try_from(endpoint.baud)
            .ok()
            .filter(|&baud| baud > 0)
            .unwrap_or(BAUD),
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 1,
        flow: Flow::None,
    };
    let opened = Port::open(&context.reach, endpoint.address.trim(), settings, true);
    let opened = opened.await;
    context.pace.note(endpoint, opened.is_ok());
    let port = opened.map_err(|error| words(context, endpoint, error))?;
    port.into_stream()
        .map(|stream| Stream {
            stream: Some(stream),
            reach: context.reach.clone(),
        })
        .ok_or_else(|| "the port was closed".to_owned())
}

fn words(context: &Context, endpoint: &Endpoint, error: PortError) -> String {
    match error {
        PortError::Denied(denied) => {
            context.error(format!("connection '{}': {denied}", endpoint.name));
            "Permission denied".to_owned()
        }
        PortError::NotFound => "No such file or directory".to_owned(),
        PortError::Busy => "Device or resource busy".to_owned(),
        PortError::Closed => "the port was closed".to_owned(),
        PortError::Failed(number) => super::dial::words(&io::Error::from_raw_os_error(number)),
    }
}

/// An open port as a stream. Waiting until everything has left the machine blocks
/// a whole thread of the hub, so nobody waits: flushing does nothing, and the port
/// is closed, which waits too, on a thread for files.
struct Stream {
    stream: Option<SerialStream>,
    reach: Reach,
}

impl Stream {
    fn get(&mut self) -> io::Result<Pin<&mut SerialStream>> {
        let stream = self.stream.as_mut();
        stream
            .map(Pin::new)
            .ok_or(io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            close_apart(stream, &self.reach, None);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get()?.poll_read(task, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get()?.poll_write(task, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
