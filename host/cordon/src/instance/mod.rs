//! One plugin instance: an actor that owns a store and is the only one to touch it.
//!
//! [`supervisor`] starts, restarts and parks; [`run`] drives one life of the
//! component; `state` is what its host functions work on. Callbacks run one at a
//! time and in order. A component that trapped or went past a limit is dropped
//! and never called again.

mod backoff;
mod birth;
pub mod convert;
pub mod counters;
mod fault;
pub mod histogram;
pub mod indigo;
pub mod meter;
pub mod metered;
pub mod orders;
pub mod ports;
pub mod remote;
pub mod run;
pub mod setup;
mod share;
pub mod starts;
pub mod state;
pub mod supervisor;
pub mod switchboard;
pub mod threads;
pub mod watchdog;

use std::path::PathBuf;
use std::sync::Arc;

use cordon_base::account::Account;
use cordon_base::folders::Folders;
use cordon_base::grants::KeyGrant;
use cordon_base::limits::Limits;
use cordon_protocol::Credentials;
use cordon_reach::egress::NetworkPolicy;
use cordon_reach::process::ProcessPolicy;
use cordon_reach::serial::SerialPolicy;
use cordon_reach::tls_client::TlsClient;

/// Everything an instance is made from. Fixed for the life of its actor.
pub struct Spec {
    /// Row id of the hardware.
    pub hardware: u32,
    /// Name of the hardware.
    pub name: String,
    /// Key of the plugin.
    pub key: String,
    /// Its folders on the host.
    pub folders: Folders,
    /// The levels of its lines that are kept, as a mask.
    pub log_level: u32,
    /// `Parameters`, in order.
    pub parameters: Vec<(String, String)>,
    /// Environment variables for the plugin.
    pub environment: Vec<(String, String)>,
    /// What it may use.
    pub limits: Limits,
    /// What the hub holds and spends for it, in all its lives.
    pub account: Arc<Account>,
    /// Whom it may talk to.
    pub network: Arc<NetworkPolicy>,
    /// Which programs it may have run.
    pub programs: Arc<ProcessPolicy>,
    /// Which serial ports it has.
    pub serial: Arc<SerialPolicy>,
    /// Whether its security panels set the status of the house.
    pub guards: bool,
    /// For HTTP and MQTT.
    pub credentials: Credentials,
    /// Private keys that it may use.
    pub keys: Vec<KeyGrant>,
    /// For TLS connections.
    pub tls: Arc<TlsClient>,
    /// Where it belongs, when it is an Indigo plugin.
    pub indigo: Option<indigo::Link>,
}

impl Spec {
    /// The file with the plugin's code.
    #[must_use]
    pub fn main_file(&self) -> PathBuf {
        let folder = match &self.indigo {
            Some(link) => &link.plugin.bundle.server_plugin,
            None => &self.folders.plugin,
        };
        folder.join("plugin.py")
    }
}
