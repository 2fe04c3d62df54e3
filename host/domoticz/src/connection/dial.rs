//! Makes an outgoing connection: resolve, check, connect, shake hands.
//!
//! Owns the order of these steps and the numbers and words for their failures
//! (table of spec 6.3). The address that the policy checked is the address that
//! is connected to. Every wait but the system's own connect is bounded.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

use super::Endpoint;
use super::context::{Context, bound_buffers};
use cordon_base::account::Charge;
use cordon_base::error::{Denied, LimitHit};
use cordon_protocol::Codec;
use cordon_reach::names::{LookupFailure, Purpose};
use cordon_reach::tls_client::{DeviceStream, SESSION};

/// The failure that `Connected` tells: an error number and words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: i32,
    pub(super) description: String,
}

/// A connection that is ready for data.
pub(super) enum Opened {
    Plain(TcpStream),
    /// The stream, and the charge for all that its buffers may hold.
    Tls(Box<DeviceStream>, Charge),
}

// Error numbers of Linux, as plugins know them.
const EACCES: i32 = 13;
const EPROTO: i32 = 71;
const ETIMEDOUT: i32 = 110;
const ECANCELED: i32 = 125;
const EIO: i32 = 5;
const ENOMEM: i32 = 12;

impl Failure {
    fn new(status: i32, description: impl Into<String>) -> Self {
        Self {
            status,
            description: description.into(),
        }
    }

    pub(super) fn cancelled() -> Self {
        Self::new(ECANCELED, "Operation canceled")
    }

    fn no_such_host() -> Self {
        Self::new(1, "Host not found (authoritative)")
    }

    fn try_again() -> Self {
        Self::new(2, "Host not found (non-authoritative), try again later")
    }

    pub(super) fn of(error: &io::Error) -> Self {
        Self::new(error.raw_os_error().unwrap_or(EIO), words(error))
    }
}

/// The system's words alone, as `strerror` gives them.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Whether the link must speak TLS (rule 104).
pub(super) fn wants_tls(endpoint: &Endpoint) -> bool {
    endpoint.transport == "TLS/IP" || Codec::is_secure(&endpoint.protocol)
}

/// Takes an endpoint to an open connection.
pub(super) async fn dial(context: &Context, endpoint: &Endpoint) -> Result<Opened, Failure> {
    let host = endpoint.address.trim();
    let port = cordon_base::grants::parse_port(endpoint.port.trim())
        .ok_or_else(|| Failure::new(-8, "Service not found"))?;
    let addresses = resolve(context, endpoint, host, port).await?;
    let (stream, peer) = connect(context, endpoint, host, addresses).await?;
    if !wants_tls(endpoint) {
        return Ok(Opened::Plain(stream));
    }
    shake_hands(context, endpoint, host, stream, peer).await
}

async fn resolve(
    context: &Context,
    endpoint: &Endpoint,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let names = &context.reach.names;
    let found = names.resolve(host, Purpose::Connection(port)).await;
    let mut addresses = found.map_err(|failure| lookup_failed(context, endpoint, failure))?;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

/// The failure of a connection whose look-up failed. The log names the grant or limit to change.
fn lookup_failed(context: &Context, endpoint: &Endpoint, failure: LookupFailure) -> Failure {
    let name = &endpoint.name;
    match failure {
        LookupFailure::Unknown | LookupFailure::Failed => Failure::no_such_host(),
        LookupFailure::Again => Failure::try_again(),
        LookupFailure::Denied(denied) => {
            context.error(format!("connection '{name}': {denied}"));
            Failure::new(EACCES, "Permission denied")
        }
        LookupFailure::Limit(hit) => {
            context.error(format!("connection '{name}': {}", context.over(&hit)));
            Failure::try_again()
        }
    }
}

/// Tries each allowed address in turn; the last failure counts.
async fn connect(
    context: &Context,
    endpoint: &Endpoint,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut failure = None;
    let mut refusal: Option<Denied> = None;
    for address in addresses {
        if let Err(denied) = context.reach.network.check(host, address) {
            refusal.get_or_insert(denied);
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                bound_buffers(&stream, &context.limits);
                return Ok((stream, address));
            }
            Err(error) => failure = Some(Failure::of(&error)),
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if let Some(denied) = refusal {
        context.error(format!("connection '{}': {denied}", endpoint.name));
        return Err(Failure::new(EACCES, "Permission denied"));
    }
    Err(Failure::no_such_host())
}

async fn shake_hands(
    context: &Context,
    endpoint: &Endpoint,
    host: &str,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Opened, Failure> {
    let over = |hit: LimitHit| {
        context.error(format!(
            "connection '{}': {}",
            endpoint.name,
            context.over(&hit)
        ));
        Failure::new(ENOMEM, "Cannot allocate memory")
    };
    let charge = context.reach.account.charge(SESSION);
    let charge = charge.map_err(over)?;
    // Spec 6.4; a socket that refuses it works as well.
    let _ = stream.set_nodelay(true);
    let legacy = context.reach.network.legacy_tls(host, peer.ip());
    let origin = context.reach.network.origin();
    let handshake = context
        .tls
        .handshake_with(host, peer, stream, legacy, origin);
    let failure = match tokio::time::timeout(context.limits.handshake_timeout, handshake).await {
        Ok(Ok(stream)) => return Ok(Opened::Tls(Box::new(stream), charge)),
        Ok(Err(error)) => {
            let status = error.raw_os_error().unwrap_or(EPROTO);
            Failure::new(status, format!("TLS handshake failed: {}", words(&error)))
        }
        Err(_) => Failure::new(ETIMEDOUT, "TLS handshake failed: Connection timed out"),
    };
    let name = &endpoint.name;
    context.core_error(format!("connection '{name}': {}", failure.description));
    Err(failure)
}
