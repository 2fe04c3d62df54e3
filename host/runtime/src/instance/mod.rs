//! One plugin instance: an actor that owns a store and is the only one to touch it.
//!
//! [`supervisor`] starts, restarts and parks; [`run`] drives one life of the component; `state` is
//! the data that its host functions work on. Callbacks run one at a time and in order. A component
//! that trapped or went past a limit is dropped and never called again.

mod backoff;
mod birth;
pub mod counters;
mod fault;
pub mod guest;
pub mod histogram;
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

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::framework::Framework;
use cordon_base::account::Account;
use cordon_base::folders::Folders;
use cordon_base::grants::KeyGrant;
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;
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
    /// The instance's folders on the host.
    pub folders: Folders,
    /// Finds the folder with the packages that were installed beside a plugin, by the plugin's
    /// folder. May block.
    pub packages: FindPackages,
    /// The instance's log: one rate, whichever way it writes.
    pub log: PluginLog,
    /// `Parameters`, in order.
    pub parameters: Vec<(String, String)>,
    /// Environment variables for the plugin.
    pub environment: Vec<(String, String)>,
    /// The limits of the instance.
    pub limits: Limits,
    /// The memory and time that the hub spends for the instance, in all its lives.
    pub account: Arc<Account>,
    /// The peers that it may talk to.
    pub network: Arc<NetworkPolicy>,
    /// Which programs it may have run.
    pub programs: Arc<ProcessPolicy>,
    /// Which serial ports it has.
    pub serial: Arc<SerialPolicy>,
    /// Private keys that the instance may use.
    pub keys: Vec<KeyGrant>,
    /// For TLS connections.
    pub tls: Arc<TlsClient>,
    /// The instance as its framework sees it.
    pub framework: Arc<dyn Framework>,
}

/// A function that finds the packages beside a plugin.
pub type FindPackages = fn(&Path) -> Option<PathBuf>;

impl Spec {
    /// The file with the plugin's code.
    #[must_use]
    pub fn main_file(&self) -> PathBuf {
        self.framework.main_file(&self.folders)
    }
}
