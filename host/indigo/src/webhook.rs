//! Webhooks: triggers that fire when somebody asks for an address.
//!
//! In the original, webhooks are events of its web server, which is a plugin there. Here the server
//! has them itself, under the same ids, so that triggers and the plugins that listen look the same.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::command::announce;
use super::failure::Failure;
use super::object::Object;
use super::server::IndigoServer;
use super::table::Collection;
use super::trigger::{event, happened, merge};
use super::view::class;

/// The original's web server: the plugin that the events belong to, and whose messages
/// tell of them.
pub const WEB_SERVER: &str = "com.indigodomo.webserver";
/// Its display name.
const NAME: &str = "Web Server";
/// The event.
const EVENT: &str = "simpleWebhook";
/// The message that tells plugins.
const MESSAGE: &str = "webhook-received";

/// How a webhook takes its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processing {
    /// The query of a GET.
    Get,
    /// A form that is posted.
    Form,
    /// JSON that is posted.
    Json,
}

impl Processing {
    fn of(trigger: &Object) -> Option<Self> {
        match (said(trigger, "httpMethod"), said(trigger, "postProcessing")) {
            ("GET", _) => Some(Self::Get),
            ("POST", "FORM") => Some(Self::Form),
            ("POST", "JSON") => Some(Self::Json),
            _ => None,
        }
    }

    /// The kind of content as the data of the event has it; `None` for a query.
    fn content(self) -> Option<&'static str> {
        match self {
            Self::Get => None,
            Self::Form => Some("FORM"),
            Self::Json => Some("JSON"),
        }
    }
}

fn said<'a>(trigger: &'a Object, key: &str) -> &'a str {
    let value = trigger.owner_prop(key);
    value.and_then(Value::as_str).unwrap_or("")
}

/// Whether a plugin event is one of the server's own.
pub(super) fn is_own(trigger: &Object) -> bool {
    trigger.owner() == WEB_SERVER
}

/// Checks the properties of a trigger that waits for a webhook, and adds missing ones.
///
/// # Errors
/// The change that is needed.
pub(super) fn settle(kind: &str, props: &mut Map<String, Value>) -> Result<(), Failure> {
    if kind != EVENT {
        let text = format!("plugin '{WEB_SERVER}' has no event '{kind}'; it has '{EVENT}'");
        return Err(Failure::value(text));
    }
    for (key, default, allowed) in [
        ("httpMethod", "POST", ["GET", "POST"]),
        ("postProcessing", "JSON", ["FORM", "JSON"]),
    ] {
        let value = props.entry(key).or_insert_with(|| default.into());
        if !allowed.iter().any(|it| value == it) {
            let text = format!("{key} is one of {}", allowed.join(", "));
            return Err(Failure::value(text));
        }
    }
    match props.get("webhookId") {
        Some(Value::String(id)) if !id.is_empty() && !id.contains('/') => Ok(()),
        _ => Err(Failure::value(
            "webhookId is the last part of the webhook's address, a text without a slash",
        )),
    }
}

/// A trigger that waits for a webhook, as far as the web server needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hook {
    /// How the trigger takes its data.
    pub processing: Processing,
    /// Whether the trigger is enabled.
    pub enabled: bool,
}

/// The triggers that wait for this webhook, and how they take their data.
fn waiting(server: &IndigoServer, id: &str) -> Vec<(Arc<Object>, Processing)> {
    let database = server.database();
    let triggers = database.list(Collection::Triggers.objects());
    let mine = triggers.filter(|it| {
        class(it) == "indigo.PluginEventTrigger"
            && is_own(it)
            && it.text("pluginTypeId") == EVENT
            && said(it, "webhookId") == id
    });
    mine.filter_map(|it| Some((Arc::clone(it), Processing::of(it)?)))
        .collect()
}

/// The triggers of a webhook, disabled ones included; none where none waits for it.
#[must_use]
pub fn hooks(server: &IndigoServer, id: &str) -> Vec<Hook> {
    let hook = |(trigger, processing): (Arc<Object>, Processing)| Hook {
        processing,
        enabled: trigger.flag("enabled"),
    };
    waiting(server, id).into_iter().map(hook).collect()
}

/// Fires the enabled triggers of a webhook that take their data so, and tells the plugins. `sender`
/// is the name or the address of the client.
pub fn receive(
    server: &Arc<IndigoServer>,
    id: &str,
    processing: Processing,
    data: Value,
    sender: &str,
) {
    let method = match processing {
        Processing::Get => "GET",
        Processing::Form | Processing::Json => "POST",
    };
    let mut received = json!({
        "webhook-id": id,
        "status-code": 200,
        "http-method": method,
        "request-url": format!("{}/webhook/{id}", server.options().web_url),
        "data": data,
    });
    if let Some(content) = processing.content() {
        merge(&mut received, json!({ "http-post-content": content }));
    }
    // The word of the original, where the web server is written in Python.
    let caller = Caller::client("python", sender);
    for (trigger, takes) in waiting(server, id) {
        if takes != processing || !trigger.flag("enabled") {
            continue;
        }
        let doer = server.acting_for(&trigger, &caller);
        happened(server, &doer, &trigger, || {
            let mut data = received.clone();
            merge(&mut data, event(&trigger, &caller));
            merge(&mut data, event_names(&trigger, NAME));
            data
        });
    }
    announce(server, WEB_SERVER, MESSAGE, received);
}

/// The members of an event's data that describe the plugin of the event.
pub(super) fn event_names(trigger: &Object, name: &str) -> Value {
    json!({
        "event-plugin-id": trigger.owner(),
        "event-plugin-name": name,
        "event-plugin-event-id": trigger.text("pluginTypeId"),
    })
}
