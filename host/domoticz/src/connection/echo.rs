//! Transport `ICMP/IP` (spec 6.7): echo requests to one host, and the host's answers.
//!
//! Owns their order: the first request goes out by itself, each message of the
//! plugin is one more, and the connection ends when one has no answer. Who may be
//! asked and how often is decided in `icmp`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::context::Context;
use super::dial::words;
use super::link::{Link, Phase};
use super::stream::{forward, pay};
use super::{ConnectionEvent, Endpoint};
use cordon_protocol::icmp::{self, IcmpInbound};
use cordon_protocol::{Decoded, Inbound};
use cordon_reach::icmp::{Answer, EchoError};
use cordon_reach::names::{LookupFailure, Purpose};

/// How long an answer may take; not the plugin's to choose.
const PATIENCE: Duration = Duration::from_secs(5);

/// The payload of the first request.
const FIRST: &[u8] = b"ping";

/// Numbers of Linux with the meaning of a packet of the kind "unreachable".
const UNREACHABLE: [i32; 3] = [101, 111, 113];

/// ICMP type of a packet of the kind "unreachable".
const DESTINATION_UNREACHABLE: u8 = 3;

/// The task of a connection.
pub(super) async fn run_echoes(
    context: Arc<Context>,
    link: Arc<Link>,
    endpoint: Endpoint,
    payloads: mpsc::Receiver<Vec<u8>>,
) {
    if let Some(former) = &link.waits_for {
        former.cancelled().await;
    }
    let host = endpoint.address.trim();
    let address = tokio::select! {
        biased;
        () = link.cancel.cancelled() => Ok(None),
        address = address(&context, host) => address,
    };
    let mut last = ConnectionEvent::Disconnected(link.id);
    let allowed = address.and_then(|address| match address {
        Some(address) => {
            let network = &context.reach.network;
            let checked = network.check_echo(host, address.into());
            checked.map_err(|denied| ("Permission denied", denied.to_string()))?;
            Ok(Some(address))
        }
        None => Ok(None),
    });
    match allowed {
        Err((words, reason)) => {
            let name = &endpoint.name;
            context.error(format!("listen refused for connection '{name}': {reason}"));
            last = ConnectionEvent::outcome(link.id, -1, words);
        }
        Ok(None) => {}
        Ok(Some(address)) if link.advance(Phase::Open) => {
            link.seen();
            let exchange = Exchange {
                context: &context,
                link: &link,
                endpoint: &endpoint,
                address,
            };
            if let Err(reason) = exchange.run(payloads).await {
                last = ConnectionEvent::outcome(link.id, -1, reason);
            }
        }
        Ok(Some(_)) => {}
    }
    link.advance(Phase::Closed);
    context.finish(&link, last).await;
}

/// The address to ask; nothing when there is none. The error, for an address that may not be looked
/// up, has the word for the plugin and the sentence for its log.
async fn address(
    context: &Context,
    host: &str,
) -> Result<Option<Ipv4Addr>, (&'static str, String)> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(v4([address]));
    }
    match context.reach.names.resolve(host, Purpose::Echo).await {
        Ok(found) => Ok(v4(found.iter().map(|address| address.ip()))),
        Err(LookupFailure::Denied(denied)) => Err(("Permission denied", denied.to_string())),
        Err(LookupFailure::Limit(hit)) => Err(("Host not found", context.over(&hit))),
        Err(LookupFailure::Unknown | LookupFailure::Again | LookupFailure::Failed) => Ok(None),
    }
}

fn v4(addresses: impl IntoIterator<Item = IpAddr>) -> Option<Ipv4Addr> {
    addresses.into_iter().find_map(|address| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    })
}

struct Exchange<'a> {
    context: &'a Context,
    link: &'a Link,
    endpoint: &'a Endpoint,
    address: Ipv4Addr,
}

impl Exchange<'_> {
    /// Runs until the end; the error means that the hub cannot send any request.
    async fn run(&self, mut payloads: mpsc::Receiver<Vec<u8>>) -> Result<(), String> {
        let mut sequence = 0_u16;
        let mut waiting = FuturesUnordered::new();
        waiting.push(self.ask(FIRST.to_vec(), sequence));
        loop {
            let answered = tokio::select! {
                biased;
                () = self.link.cancel.cancelled() => return Ok(()),
                Some(answered) = waiting.next() => answered,
                Some(payload) = payloads.recv() => {
                    sequence = sequence.wrapping_add(1);
                    waiting.push(self.ask(payload, sequence));
                    continue;
                }
            };
            if !self.told(answered).await? {
                return Ok(());
            }
        }
    }

    async fn ask(&self, payload: Vec<u8>, sequence: u16) -> Result<Answer, EchoError> {
        let pinger = &self.context.reach.pinger;
        let host = self.endpoint.address.trim();
        pinger
            .probe(host, self.address, &payload, sequence, PATIENCE)
            .await
    }

    /// Tells the plugin the answer; false when the connection ends with it.
    async fn told(&self, answered: Result<Answer, EchoError>) -> Result<bool, String> {
        let name = &self.endpoint.name;
        match answered {
            Ok(answer) => Ok(self.give(self.message(&answer)).await),
            Err(EchoError::Unavailable(text)) => {
                self.context
                    .core_error(format!("connection '{name}': {text}"));
                Err(text)
            }
            Err(EchoError::Failed(error))
                if error
                    .raw_os_error()
                    .is_some_and(|number| UNREACHABLE.contains(&number)) =>
            {
                let unreachable = IcmpInbound {
                    status: DESTINATION_UNREACHABLE,
                    ..IcmpInbound::no_answer()
                };
                Ok(self.give(self.structured(unreachable)).await)
            }
            Err(EchoError::Limit(hit)) => {
                self.refused(&self.context.over(&hit));
                Ok(true)
            }
            Err(EchoError::Denied(denied)) => {
                self.refused(&denied.to_string());
                Ok(true)
            }
            Err(EchoError::Failed(error)) => {
                self.refused(&words(&error));
                Ok(self.ended().await)
            }
            Err(EchoError::TimedOut | EchoError::NoSuchHost) => Ok(self.ended().await),
        }
    }

    fn refused(&self, reason: &str) {
        let name = &self.endpoint.name;
        self.context
            .error(format!("connection '{name}': echo request: {reason}"));
    }

    /// Rule 150: the plugin gets the dictionary, then the end.
    async fn ended(&self) -> bool {
        self.give(self.structured(IcmpInbound::no_answer())).await;
        false
    }

    /// Only protocol ICMP has a form for an event that is no packet.
    fn structured(&self, message: IcmpInbound) -> Vec<Inbound> {
        match self.endpoint.protocol.as_str() {
            "ICMP" => vec![Inbound::Icmp(Box::new(message))],
            _ => Vec::new(),
        }
    }

    fn message(&self, answer: &Answer) -> Vec<Inbound> {
        if self.endpoint.protocol == "ICMP" {
            self.link.seen();
            self.link.count(answer.packet.len());
            let elapsed = u32::try_from(answer.round_trip.as_millis()).unwrap_or(u32::MAX);
            return vec![icmp::message(&answer.packet, Some(elapsed.max(1)))];
        }
        let mut decoded = Decoded::default();
        let fed = self.link.feed(&answer.packet, &mut decoded);
        let error = fed.err().map(|error| error.to_string());
        for problem in decoded.problems.into_iter().chain(error) {
            self.refused(&problem);
        }
        decoded.messages
    }

    async fn give(&self, messages: Vec<Inbound>) -> bool {
        let mut ready = VecDeque::new();
        if let Err(hit) = pay(self.context, messages, &mut ready) {
            self.refused(&self.context.over(&hit));
        }
        forward(self.context, self.link, None, &mut ready).await
    }
}
