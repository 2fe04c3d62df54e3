//! The one who gives a command, and the origin of events that follow from it.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::plugin::Plugin;
use cordon_base::limits::Limits;

/// The one who gives a command.
#[derive(Clone)]
pub enum Caller {
    /// A plugin.
    Plugin(Arc<Plugin>),
    /// Somebody over the HTTP API, or the hub itself: `api-http`, `api-websocket`, `server`.
    Operator(&'static str),
    /// The server, as a consequence of an event.
    Chain(Chain),
}

/// The origin of an event.
#[derive(Clone)]
pub struct Chain {
    /// The plugin that caused the event, if one did.
    pub plugin: Option<Arc<Plugin>>,
    /// How many earlier events this one follows from.
    pub depth: u32,
    /// How many steps may still follow from the first of those events.
    pub left: Arc<AtomicU32>,
    /// Whether a client of the HTTP API is behind it.
    pub client: bool,
}

/// The source of what the server does by itself.
pub(super) const SERVER: &str = "server";

/// Steps that may follow from one event.
const STEPS: u32 = 1000;

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plugin = self.plugin.as_ref().map(|it| it.id());
        write!(f, "Chain({plugin:?}, {})", self.depth)
    }
}

impl Caller {
    /// The id of the plugin, if a plugin itself gives the command.
    #[must_use]
    pub fn plugin_id(&self) -> Option<&str> {
        match self {
            Self::Plugin(plugin) => Some(plugin.id()),
            Self::Operator(_) | Self::Chain(_) => None,
        }
    }

    /// The plugin that gives or caused the command.
    #[must_use]
    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            Self::Chain(chain) => chain.plugin.as_ref(),
            Self::Operator(_) => None,
        }
    }

    /// Id of the plugin whose limits the command counts for; empty for the operator.
    #[must_use]
    pub fn charged(&self) -> &str {
        self.plugin().map_or("", |plugin| plugin.id())
    }

    /// How many events the command follows from.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::Chain(chain) => chain.depth,
            _ => 0,
        }
    }

    /// The caller as the origin of a chain of its own, without earlier events.
    #[must_use]
    pub fn renewed(self) -> Self {
        match self {
            Self::Chain(chain) => Self::Chain(Chain {
                depth: 0,
                left: Arc::new(AtomicU32::new(STEPS)),
                ..chain
            }),
            other => other,
        }
    }

    /// The origin of events that follow from this caller's commands.
    #[must_use]
    pub fn chain(&self) -> Chain {
        if let Self::Chain(chain) = self {
            return chain.clone();
        }
        Chain {
            plugin: self.plugin().cloned(),
            depth: 0,
            left: Arc::new(AtomicU32::new(STEPS)),
            client: self.is_client(),
        }
    }

    /// Whether a client of the HTTP API is behind it.
    #[must_use]
    pub fn is_client(&self) -> bool {
        match self {
            Self::Plugin(_) => false,
            Self::Operator(source) => *source != SERVER,
            Self::Chain(chain) => chain.client,
        }
    }

    /// The limits that apply to the command.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        self.plugin().map(|plugin| &plugin.limits)
    }

    /// The word in event data for the origin of the event.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Self::Plugin(_) => "python",
            Self::Operator(source) => source,
            Self::Chain(_) => "server",
        }
    }
}
