//! A connected stream, TCP or TLS, client or accepted: data until its end.
//!
//! Owns the read loop, the silence timer and the order at the end: socket closed, leftovers,
//! `Disconnected` (spec 6.3). The loop reads only when the actor has taken the messages of the read
//! before; that stops a flood.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::context::Context;
use super::dial::{Failure, Opened, dial, words};
use super::link::{Link, Phase};
use super::{ConnectionEvent, ConnectionId, Credit, Endpoint};
use cordon_base::account::Charge;
use cordon_base::error::LimitHit;
use cordon_protocol::{CodecError, Decoded, Inbound};

/// The cost of a message beside its bytes, here and in the queue of events.
const MESSAGE: usize = 256;

/// Bytes per read (spec 6.1): with protocol None the plugin sees these pieces.
const READ_BYTES: usize = 4096;

/// Bytes that are thrown away when a socket closes: with any left, the system would reset the
/// connection, and the peer could lose the last bytes sent to it.
const THROWN_AWAY: usize = 256 * 1024;

/// A peer that closes sooner than this, without a word, has failed as if it had
/// refused.
const HUNG_UP: Duration = Duration::from_secs(1);

/// The task of an outgoing connection.
pub(super) async fn run_client(
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
        () = link.cancel.cancelled() => Err(Failure::cancelled()),
        opened = attempt(&context, &endpoint) => opened,
    };
    link.seen();
    // A disconnect may have come while the last step was finishing.
    let opened = opened.and_then(|opened| {
        let open = link.advance(Phase::Open);
        open.then_some(opened).ok_or_else(Failure::cancelled)
    });
    match opened {
        Ok(opened) => {
            let success = ConnectionEvent::outcome(link.id, 0, "Success");
            context.emit(success).await;
            let begun = Instant::now();
            match opened {
                Opened::Plain(stream) => carry(&context, &link, stream, timeout).await,
                Opened::Tls(stream, _charge) => carry(&context, &link, *stream, timeout).await,
            }
            let by_peer = !link.cancel.is_cancelled();
            let hung_up = by_peer && !link.has_heard() && begun.elapsed() < HUNG_UP;
            context.pace.note(&endpoint, !hung_up);
        }
        Err(failure) => {
            // Before the events: a plugin may connect again from onConnect.
            link.advance(Phase::Closed);
            let Failure {
                status,
                description,
            } = failure;
            let failed = ConnectionEvent::outcome(link.id, status, description);
            context.emit(failed).await;
        }
    }
    let last = ConnectionEvent::Disconnected(link.id);
    context.finish(&link, last).await;
}

/// Dials when the target's former failures allow it.
async fn attempt(context: &Context, endpoint: &Endpoint) -> Result<Opened, Failure> {
    context.pace.turn(endpoint).await;
    let opened = dial(context, endpoint).await;
    // An attempt is a success when the peer does not hang up.
    if opened.is_err() {
        context.pace.note(endpoint, false);
    }
    opened
}

/// The task of a client that a listener accepted (spec 5.4).
pub(super) async fn run_child(
    context: Arc<Context>,
    link: Arc<Link>,
    parent: ConnectionId,
    stream: TcpStream,
    peer: SocketAddr,
) {
    context
        .emit(ConnectionEvent::Connected {
            id: link.id,
            parent: Some(parent),
            peer_address: peer.ip().to_string(),
            peer_port: peer.port().to_string(),
            status: 0,
            description: "Success".to_owned(),
        })
        .await;
    carry(&context, &link, stream, None).await;
    let last = ConnectionEvent::Disconnected(link.id);
    context.finish(&link, last).await;
}

/// Carries data until the end, and then delivers the rest.
pub(super) async fn carry<S>(context: &Context, link: &Link, stream: S, timeout: Option<Duration>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let receiving = async {
        let rest = receive(context, link, &mut reader, timeout).await;
        link.advance(Phase::Closing);
        link.outbox.close();
        rest
    };
    let sending = link.outbox.write_to(&mut writer);
    let (rest, sent) = tokio::join!(receiving, sending);
    if let Err(error) = sent {
        let name = &link.name;
        context.core_error(format!(
            "connection '{name}': write failed: {}",
            words(&error)
        ));
    }
    throw_away(&mut reader).await;
    drop((reader, writer));
    link.advance(Phase::Closed);
    for Paid { message, charge } in rest {
        // The rest is one read's worth at most and needs no credit.
        let credit = Credit {
            _charge: Some(charge),
            ..Credit::default()
        };
        let id = link.id;
        context
            .emit(ConnectionEvent::Message {
                id,
                sender: None,
                data: message,
                credit,
            })
            .await;
    }
}

/// Reads until the end and returns the messages that are still to be delivered then.
async fn receive(
    context: &Context,
    link: &Link,
    reader: &mut (impl AsyncRead + Unpin),
    timeout: Option<Duration>,
) -> VecDeque<Paid> {
    let mut buffer = vec![0; READ_BYTES];
    let mut ready = VecDeque::new();
    let mut silent_since = Instant::now();
    loop {
        let read = tokio::select! {
            biased;
            () = link.cancel.cancelled() => break,
            read = reader.read(&mut buffer) => read,
            () = silence(silent_since, timeout) => {
                silent_since = Instant::now();
                if !time_out(context, link).await {
                    break;
                }
                continue;
            }
        };
        silent_since = Instant::now();
        let bytes = match read {
            Ok(0) => break,
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) => {
                report_read_error(context, link, &error);
                break;
            }
        };
        let understood = decode(context, link, bytes, &mut ready);
        if !forward(context, link, None, &mut ready).await || !understood {
            break;
        }
    }
    let mut left = Decoded::default();
    link.leftovers(&mut left);
    if let Err(hit) = pay(context, left.messages, &mut ready) {
        context.error(format!(
            "connection '{}': {}",
            link.name,
            context.over(&hit)
        ));
    }
    ready
}

/// A message, and the charge for it until the plugin has it.
pub(super) struct Paid {
    message: Inbound,
    charge: Charge,
}

/// Charges messages, and gives up the rest where one cannot be paid for. One read may
/// bring many, and each costs more than its bytes.
pub(super) fn pay(
    context: &Context,
    messages: Vec<Inbound>,
    ready: &mut VecDeque<Paid>,
) -> Result<(), LimitHit> {
    for message in messages {
        let cost = message.size().saturating_add(MESSAGE) as u64;
        let charge = context.reach.account.charge(cost)?;
        ready.push_back(Paid { message, charge });
    }
    Ok(())
}

/// Decodes a read; false when the connection cannot go on.
fn decode(context: &Context, link: &Link, bytes: &[u8], ready: &mut VecDeque<Paid>) -> bool {
    let mut decoded = Decoded::default();
    let fed = link.feed(bytes, &mut decoded);
    let name = &link.name;
    for problem in decoded.problems {
        context.error(format!("connection '{name}': {problem}"));
    }
    let paid = pay(context, decoded.messages, ready);
    let fed = fed.and(paid.map_err(Into::into));
    if let Err(error) = &fed {
        let reason = match error {
            CodecError::Limit(hit) => context.over(hit),
            other => other.to_string(),
        };
        context.error(format!("connection '{name}' is closed: {reason}"));
    }
    fed.is_ok()
}

/// Delivers the messages that are ready; false when the link was closed in the meantime. Messages
/// that have not been delivered then stay.
pub(super) async fn forward(
    context: &Context,
    link: &Link,
    sender: Option<SocketAddr>,
    ready: &mut VecDeque<Paid>,
) -> bool {
    while let Some(first) = ready.front() {
        let room = async { (link.credit(&first.message).await, context.room().await) };
        let (credit, permit) = tokio::select! {
            biased;
            () = link.cancel.cancelled() => return false,
            room = room => room,
        };
        let (Some(permit), Some(Paid { message, charge })) = (permit, ready.pop_front()) else {
            return false;
        };
        let credit = Credit {
            _charge: Some(charge),
            ..credit
        };
        let id = link.id;
        permit.send(ConnectionEvent::Message {
            id,
            sender,
            data: message,
            credit,
        });
    }
    true
}

async fn silence(since: Instant, timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep_until(since + timeout).await,
        None => std::future::pending().await,
    }
}

async fn time_out(context: &Context, link: &Link) -> bool {
    let permit = tokio::select! {
        biased;
        () = link.cancel.cancelled() => None,
        permit = context.room() => permit,
    };
    permit
        .map(|permit| permit.send(ConnectionEvent::TimedOut(link.id)))
        .is_some()
}

/// The end of a TLS stream without goodbye is no error (spec 6.4).
fn report_read_error(context: &Context, link: &Link, error: &io::Error) {
    if error.kind() != io::ErrorKind::UnexpectedEof {
        let name = &link.name;
        context.error(format!("connection '{name}': {}", words(error)));
    }
}

/// Takes the bytes that have arrived already, without waiting.
async fn throw_away(reader: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = vec![0; READ_BYTES];
    let mut thrown = 0_usize;
    while thrown < THROWN_AWAY {
        let read = tokio::time::timeout(Duration::ZERO, reader.read(&mut buffer)).await;
        match read {
            Ok(Ok(count)) if count > 0 => thrown = thrown.saturating_add(count),
            _ => return,
        }
    }
}
