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
    /// Somebody over the HTTP API whose name does not matter, or the hub itself: `api-http`,
    /// `server`.
    Operator(&'static str),
    /// A user over the HTTP API.
    Client(Client),
    /// The server, as a consequence of an event.
    Chain(Chain),
}

/// A user over the HTTP API.
#[derive(Clone)]
pub struct Client {
    /// `api-http` or `api-websocket`.
    source: &'static str,
    /// The name of the user or of the key, or else the address.
    user: Arc<str>,
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
    /// The user of the HTTP API behind it, as [`Caller::user`] has it.
    pub client: Option<Arc<str>>,
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
    /// A user over the HTTP API, by name or address.
    #[must_use]
    pub fn client(source: &'static str, user: &str) -> Self {
        let user = user.into();
        Self::Client(Client { source, user })
    }

    /// The id of the plugin, if a plugin itself gives the command.
    #[must_use]
    pub fn plugin_id(&self) -> Option<&str> {
        match self {
            Self::Plugin(plugin) => Some(plugin.id()),
            Self::Operator(_) | Self::Client(_) | Self::Chain(_) => None,
        }
    }

    /// The plugin that gives or caused the command.
    #[must_use]
    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            Self::Chain(chain) => chain.plugin.as_ref(),
            Self::Operator(_) | Self::Client(_) => None,
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
            client: self.user().map(Arc::from),
        }
    }

    /// Whether a client of the HTTP API is behind it.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.user().is_some()
    }

    /// The user of the HTTP API behind it: the name or the address; empty where neither matters.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Plugin(_) => None,
            Self::Operator(source) => (*source != SERVER).then_some(""),
            Self::Client(client) => Some(&client.user),
            Self::Chain(chain) => chain.client.as_deref(),
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
            Self::Client(client) => client.source,
            Self::Chain(_) => "server",
        }
    }
}
