//! Who may be reached, and by whom: `egress` for sockets that a plugin drives itself.
//!
//! A plugin resolves a name and connects to an address, in two steps. So this
//! remembers which addresses a name led to, and lets an address pass if a grant
//! covers it for one of its names: what `egress` refuses for a name, such as
//! loopback or the hub itself, stays refused.
//!
//! Three things need no grant because nobody else is involved: a port of the
//! system's choice to send from, a listener on loopback with such a port that only
//! sockets of this instance get through to, and sending to a socket of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::entry::Entry;
use super::{Failure, Kind, real_target};
use crate::egress::NetworkPolicy;
use crate::names::Names;
use cordon_base::error::Denied;
use cordon_base::plugin_log::PluginLog;

/// The policy of one instance with the names that were resolved under it.
pub(super) struct Access {
    pub(super) policy: Arc<NetworkPolicy>,
    pub(super) names: Arc<Names>,
    pub(super) log: PluginLog,
}

impl Access {
    /// Whether `entry` may send to `target`; `own` are the instance's sockets.
    pub(super) fn check_target(
        &self,
        entry: &Entry,
        target: SocketAddr,
        own: &[Arc<Entry>],
    ) -> Result<(), Denied> {
        if entry.reach().allowed == Some(target) {
            return Ok(());
        }
        match self.granted(target) {
            Ok(()) => {
                entry.reach().allowed = Some(target);
                Ok(())
            }
            // Never remembered: the port is the instance's only as long as the
            // socket that has it.
            Err(_) if own_socket(entry.kind, target, own).is_some() => Ok(()),
            Err(denied) => Err(denied),
        }
    }

    /// Whether a grant covers the address, by itself or by one of its names.
    fn granted(&self, target: SocketAddr) -> Result<(), Denied> {
        let literal = match self.policy.check("", target) {
            Ok(()) => return Ok(()),
            Err(denied) => denied,
        };
        let mut refusal = None;
        for name in self.names.of(target.ip()) {
            match self.policy.check(&name, target) {
                Ok(()) => return Ok(()),
                Err(denied) => refusal = Some(denied),
            }
        }
        Err(refusal.unwrap_or(literal))
    }

    /// Whether a datagram from `source` is for the plugin to see.
    pub(super) fn may_hear(&self, entry: &Entry, source: SocketAddr, own: &[Arc<Entry>]) -> bool {
        let reach = entry.reach();
        let known = reach.open || reach.asked_all || reach.allowed == Some(source);
        drop(reach);
        known || self.check_target(entry, source, own).is_ok()
    }

    /// Whether a socket may be bound to this port, and whether anybody may then
    /// reach it.
    pub(super) fn check_bind(&self, port: u16) -> Result<bool, Denied> {
        match self.policy.check_listen(port) {
            Ok(()) => Ok(true),
            Err(_) if port == 0 => Ok(false),
            Err(denied) => Err(denied),
        }
    }

    /// Whether a socket may listen where it is bound to.
    pub(super) fn check_listen(&self, entry: &Entry) -> Result<(), Denied> {
        if entry.reach().open {
            return Ok(());
        }
        let loopback = entry
            .bound()
            .is_some_and(|it| it.ip().to_canonical().is_loopback());
        if loopback {
            return Ok(());
        }
        self.policy.check_listen(0)
    }

    /// The failure for Python, with a line in the log.
    pub(super) fn refuse(&self, denied: &Denied) -> Failure {
        self.log.denied(denied);
        Failure::denied(denied)
    }
}

/// The socket of this instance that a target on this machine leads to now.
///
/// Asked of the system at each use: a listener that was shut down keeps its port, and
/// somebody else may listen there. A port that other programs may have as well leads to
/// nobody certain.
pub(super) fn own_socket(
    kind: Kind,
    target: SocketAddr,
    own: &[Arc<Entry>],
) -> Option<&Arc<Entry>> {
    let target = real_target(target);
    if !target.ip().is_loopback() {
        return None;
    }
    own.iter().find(|entry| {
        let reach = entry.reach();
        let shared = match kind {
            // Two streams listen at one port only if both say that they share it.
            Kind::Stream => reach.reuses_port,
            Kind::Datagram => reach.shared_port,
        };
        let said = reach.listening || kind == Kind::Datagram;
        drop(reach);
        let fits = said && !shared && (kind == Kind::Datagram || entry.listens());
        let here = |bound: SocketAddr| {
            let covers = match (bound.ip().to_canonical(), target.ip()) {
                (IpAddr::V4(own), IpAddr::V4(_)) if own.is_unspecified() => true,
                (IpAddr::V6(own), IpAddr::V6(_)) if own.is_unspecified() => true,
                // Whether it has the port of the other family as well is asked of the system.
                (IpAddr::V6(own), IpAddr::V4(_)) if own.is_unspecified() => {
                    entry.io.only_v6().is_ok_and(|only| !only)
                }
                (own, target) => own == target,
            };
            bound.port() == target.port() && covers
        };
        entry.kind == kind && !entry.paired && fits && entry.bound().is_some_and(here)
    })
}

/// Whether answers to what is sent there come from anybody.
pub(super) fn is_for_many(target: SocketAddr) -> bool {
    match target.ip().to_canonical() {
        // The broadcast address of a network looks like any other; the common
        // networks of a home end in 255.
        IpAddr::V4(ip) => {
            ip.is_multicast() || ip.is_broadcast() || matches!(ip.octets(), [_, _, _, 255])
        }
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}
