//! The outside world on behalf of plugins: knows the targets that an instance may reach, and
//! nothing else about instances.
//!
//! - [`egress`]: whether a target may be reached; [`names`]: names that instances look up.
//! - [`socket`]: sockets that a plugin's own Python opens; [`icmp`]: echo requests;
//!   [`serial`]: serial ports; [`process`]: programs; [`mail`]: letters.
//! - [`tls_client`]: TLS for connections that the hub makes; [`legacy_tls`]: TLS with devices that
//!   know nothing better.

pub mod chain;
pub mod egress;
pub mod icmp;
pub mod legacy_tls;
pub mod mail;
pub mod names;
pub mod process;
pub mod serial;
pub mod socket;
pub mod tls_client;

use std::sync::Arc;

use cordon_base::account::Account;
use cordon_base::descriptors::{Descriptors, Share};
use cordon_base::limits::Limits;
use cordon_base::pool::{Pool, Pools};

use crate::egress::NetworkPolicy;
use crate::icmp::Pinger;
use crate::names::Names;
use crate::serial::SerialPolicy;

/// The policies that decide whom the instance may reach, and the accounts that pay for that, for
/// its connections, sockets and ports alike. They belong to the instance and outlive its lives.
#[derive(Clone)]
pub struct Reach {
    /// Targets, listeners, groups.
    pub network: Arc<NetworkPolicy>,
    /// Serial ports.
    pub serial: Arc<SerialPolicy>,
    /// Names that are looked up.
    pub names: Arc<Names>,
    /// Echo requests.
    pub pinger: Arc<Pinger>,
    /// Open files of the hub.
    pub descriptors: Share,
    /// The memory that the hub holds for the instance.
    pub account: Arc<Account>,
    /// The threads on which ports and programs are opened.
    pub files: Pool,
}

impl Reach {
    /// The reach of an instance with these limits.
    #[must_use]
    pub fn new(
        network: Arc<NetworkPolicy>,
        serial: Arc<SerialPolicy>,
        account: Arc<Account>,
        limits: &Limits,
        pools: &Pools,
        descriptors: &Descriptors,
    ) -> Self {
        let names = Names::new(
            Arc::clone(&network),
            pools.names.clone(),
            Arc::clone(&account),
            limits,
        );
        let (names, descriptors) = (Arc::new(names), descriptors.share(limits));
        let pinger = Pinger::new(
            Arc::clone(&network),
            limits,
            Arc::clone(&names),
            descriptors.clone(),
        );
        Self {
            network,
            serial,
            names,
            pinger: Arc::new(pinger),
            descriptors,
            account,
            files: pools.files.clone(),
        }
    }
}
