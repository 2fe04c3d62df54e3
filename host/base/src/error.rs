//! Errors by whose fault they are: the hub's, the plugin's, a limit's, a missing grant's.
//!
//! The split decides who is told of an error. [`EngineError`] goes to the operator. A
//! [`PluginRaised`] traceback, a [`LimitHit`] and a [`Denied`] go to the plugin's log, which names the
//! remedy of the last two ([`hint`](crate::hint)). Nothing here ever carries a secret or a host
//! path to a plugin.

use std::fmt;

use crate::hint::Origin;

/// The hub itself could not do something: ours to fix, or the operator's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The guest artifact is missing, of another build, or of another ABI.
    #[error("guest artifact: {0}")]
    Artifact(String),
    /// wasmtime refused: a trap in the engine's own set-up, not in a plugin.
    #[error("engine: {0}")]
    Wasm(String),
    /// All places for instances are taken, for the moment.
    #[error("all places for instances are taken; raise `instances` under [hub]")]
    NoRoom,
    /// The store could not be read or written.
    #[error("store: {0}")]
    Store(String),
    /// A file, socket or other resource of the host.
    #[error("{what}: {source}")]
    Io {
        /// The action that failed, with the name of the thing.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The configuration cannot be followed; the text says which line to change.
    #[error("configuration: {0}")]
    Config(String),
}

impl EngineError {
    /// Wraps an I/O error with the action that failed.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }
}

/// A Python exception that reached the hub: the traceback is in the plugin's log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the plugin raised in {callback}")]
pub struct PluginRaised {
    /// Callback in which it happened, such as `onMessage`.
    pub callback: String,
}

/// A plugin went past a bound of `docs/limits.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LimitHit {
    /// Name of the limit as in `cordon.toml`.
    pub which: &'static str,
    /// The use that the plugin has or asked for, in the limit's unit.
    pub used: u64,
    /// The most that the plugin may use.
    pub limit: u64,
}

impl fmt::Display for LimitHit {
    /// The figures alone: the remedy depends on the instance
    /// ([`Origin::limit`](crate::hint::Origin::limit)).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { which, used, limit } = self;
        let unit = crate::limits::short_unit(which);
        write!(f, "limit {which}: {used}{unit} used, {limit}{unit} allowed")
    }
}

/// A plugin asked for something that no grant of its instance allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("denied: {what}; {}", self.origin.grant(.grant))]
pub struct Denied {
    /// The thing that was asked for, such as `connection to 192.168.1.9:80`.
    pub what: String,
    /// The line of a table of grants that would allow it, such as
    /// `network = ["192.168.1.9:80"]`.
    pub grant: String,
    /// Where the instance comes from, and so how it is granted.
    pub origin: Origin,
}

impl Denied {
    /// A refusal to the instance that comes from there.
    #[must_use]
    pub fn new(what: impl Into<String>, grant: impl Into<String>, origin: &Origin) -> Self {
        Self {
            what: what.into(),
            grant: grant.into(),
            origin: origin.clone(),
        }
    }
}

/// Why a plugin instance is no longer running.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum InstanceFailure {
    /// A limit whose breach ends the instance.
    #[error("{0}")]
    Limit(#[from] LimitHit),
    /// A limit on the time of a callback.
    #[error("{hit}, in {callback}")]
    Late {
        /// The limit.
        hit: LimitHit,
        /// The callback, such as `onHeartbeat`.
        callback: String,
    },
    /// The component trapped: a panic in the runtime, an overflow of a stack.
    #[error("the component trapped: {0}")]
    Trap(String),
    /// The plugin ended its own process, which is the component.
    #[error(
        "the plugin ended its own process, as os._exit does; raise SystemExit or return instead"
    )]
    Exited,
    /// The plugin's own word for not starting; it is not tried again.
    #[error("{0}")]
    Declined(String),
    /// A callback without which the plugin cannot go on raised; its log has the
    /// traceback.
    #[error("the plugin raised in {0}")]
    Raised(&'static str),
    /// The plugin could not be imported; its log has the traceback.
    #[error("the plugin could not be started")]
    StartFailed,
}
