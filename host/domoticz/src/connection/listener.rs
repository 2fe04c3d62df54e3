//! TCP listeners (spec 6.5): all IPv4 addresses, plain TCP whatever the protocol.
//!
//! Owns the listening socket. A client that comes when the instance has no slot left is closed at
//! once and counted; the log tells of all of them in one line per interval, so that a flood of
//! clients is no flood of lines.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use super::context::{Context, bound_buffers};
use super::dial::words;
use super::link::{Link, Phase};
use super::stream::run_child;
use super::{ConnectionEvent, Endpoint};
use cordon_base::error::LimitHit;

/// Clients that the system may hold until they are accepted.
const BACKLOG: u32 = 128;

/// Bytes that the system may have received from each of them.
const UNACCEPTED: u32 = 64 << 10;

/// Pause after an accept that failed, usually for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Time between two lines about clients that were turned away.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The task of a listener.
pub(super) async fn run_listener(
    context: Arc<Context>,
    link: Arc<Link>,
    endpoint: Endpoint,
    port: u16,
) {
    if let Some(former) = &link.waits_for {
        former.cancelled().await;
    }
    let last = match bind(port) {
        Ok(listener) => {
            accept_all(&context, &link, &endpoint, &listener).await;
            ConnectionEvent::Disconnected(link.id)
        }
        Err(error) => {
            let text = words(&error);
            let name = &endpoint.name;
            context.normal(format!(
                "connection '{name}': listening on port {port} failed: {text}"
            ));
            ConnectionEvent::outcome(link.id, -1, text)
        }
    };
    link.advance(Phase::Closed);
    context.finish(&link, last).await;
}

fn bind(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Clients have it until they are accepted.
    socket.set_recv_buffer_size(UNACCEPTED)?;
    socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    socket.listen(BACKLOG)
}

async fn accept_all(
    context: &Arc<Context>,
    link: &Link,
    endpoint: &Endpoint,
    listener: &TcpListener,
) {
    let mut turned_away = TurnedAway::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = link.cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Err(hit) = adopt(context, link, endpoint, stream, peer) {
                    turned_away.count(context, link, &hit);
                }
            }
            Err(error) => {
                let name = &link.name;
                context.core_error(format!("connection '{name}': accept: {}", words(&error)));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Makes a connection of an accepted client, or closes it.
fn adopt(
    context: &Arc<Context>,
    link: &Link,
    endpoint: &Endpoint,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<(), LimitHit> {
    let slot = context.take_slot()?;
    bound_buffers(&stream, &context.limits);
    let Some(id) = context.next_child() else {
        // Two thousand million clients later; ids are never used twice.
        return Err(LimitHit {
            which: "connections",
            used: u64::from(u32::MAX),
            limit: u64::from(u32::MAX),
        });
    };
    let as_child = Endpoint {
        name: peer.to_string(),
        address: peer.ip().to_string(),
        port: peer.port().to_string(),
        baud: -1,
        ..endpoint.clone()
    };
    let child = Link::new(id, &as_child, Phase::Open, context, slot, None);
    let child = Arc::new(child);
    context.insert(&child);
    let task = run_child(Arc::clone(context), child, link.id, stream, peer);
    context.spawn(task);
    Ok(())
}

/// Clients for which there was no slot.
#[derive(Default)]
struct TurnedAway {
    since_report: u64,
    reported: Option<Instant>,
}

impl TurnedAway {
    fn count(&mut self, context: &Context, link: &Link, hit: &LimitHit) {
        self.since_report = self.since_report.saturating_add(1);
        let due = self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if due {
            let (name, count) = (&link.name, self.since_report);
            let hit = context.over(hit);
            context.error(format!(
                "connection '{name}': clients turned away: {count}; {hit}"
            ));
            self.since_report = 0;
            self.reported = Some(Instant::now());
        }
    }
}
