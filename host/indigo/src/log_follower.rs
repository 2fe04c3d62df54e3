//! Hands the lines of the log to plugins that asked for them.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use serde_json::json;

use super::event_line;
use super::server::IndigoServer;
use cordon_base::log::{Followed, Follower, LogFilter, Record};

/// The writers whose lines Indigo plugins see: Indigo plugins and the hub, but not other hardware.
pub(super) struct Shown(HashSet<String>);

impl Shown {
    /// Whether Indigo plugins see the lines of this writer; the hub is `None`.
    pub(super) fn has(&self, name: Option<&str>) -> bool {
        name.is_none_or(|name| self.0.contains(name))
    }
}

impl IndigoServer {
    /// From here on the lines of the log are handed to plugins that asked for them.
    pub(super) fn follow_log(self: &Arc<Self>) {
        if self.follows_log.swap(true, Ordering::AcqRel) {
            return;
        }
        match self.events().follow(&LogFilter::default(), 0) {
            Some(lines) => {
                tokio::spawn(run(Arc::downgrade(self), lines));
            }
            // The next plugin that asks tries again.
            None => self.follows_log.store(false, Ordering::Release),
        }
    }

    /// The writers whose lines Indigo plugins see.
    pub(super) fn shown_in_log(&self) -> Shown {
        let plugins = self.plugins();
        Shown(plugins.iter().map(|it| it.log.name().to_owned()).collect())
    }
}

/// Hands lines over until the server or the log is gone.
pub(super) async fn run(server: Weak<IndigoServer>, mut lines: Follower) {
    while let Some(followed) = lines.next().await {
        let Some(server) = server.upgrade() else {
            return;
        };
        match followed {
            Followed::Record(record) => tell(&server, &record),
            // When the log is faster than this reader, lines are skipped.
            Followed::Missed(count) => {
                let message = format!("Application\t({count} lines of the log are left out here)");
                broadcast(&server, None, &message);
            }
        }
    }
}

fn tell(server: &IndigoServer, record: &Record) {
    let of = record.hardware.as_deref();
    let plugins = server.plugins();
    if of.is_some_and(|name| plugins.iter().all(|it| it.log.name() != name)) {
        return;
    }
    let message = format!("{}\t{}", event_line::title(record), record.text);
    broadcast(server, of, &message);
}

/// Hands a line to all plugins that follow the log, except to its writer: its own lines would make
/// it write more of them.
fn broadcast(server: &IndigoServer, of: Option<&str>, message: &str) {
    let arguments: Arc<str> = json!({ "message": message }).to_string().into();
    let plugins = server.plugins();
    let others = plugins
        .iter()
        .filter(|it| it.follows_log() && of != Some(it.log.name()));
    for plugin in others {
        plugin.tell("logBroadcast", &arguments);
    }
}
