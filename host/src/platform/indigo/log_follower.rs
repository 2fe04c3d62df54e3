//! Hands the lines of the log to plugins that asked for them.

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::event_line;
use super::server::IndigoServer;
use crate::log::Record;

/// Hands lines over until the server or the log is gone.
pub(super) async fn run(server: Weak<IndigoServer>, mut lines: Receiver<Arc<Record>>) {
    loop {
        let record = match lines.recv().await {
            Ok(record) => record,
            // A log that is faster than its readers skips lines.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(server) = server.upgrade() else {
            return;
        };
        let plugins = server.plugins();
        let of = record.hardware.as_deref();
        if of.is_some_and(|name| plugins.iter().all(|it| it.log.name() != name)) {
            continue;
        }
        let message = format!("{}\t{}", event_line::title(&record), record.text);
        let arguments: Arc<str> = json!({ "message": message }).to_string().into();
        // A plugin's own lines would make it write more of them.
        let others = plugins
            .iter()
            .filter(|it| it.follows_log() && of != Some(it.log.name()));
        for plugin in others {
            plugin.tell("logBroadcast", &arguments);
        }
    }
}
