//! Saves a dialog: asks the plugin about the values and puts them where they belong.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::registry::{ask, ask_or_nothing};
use super::reply::{self, Verdict};
use super::{Dialog, DialogError, Subject, draft, step};
use crate::caller::Caller;
use crate::definition::MenuDialog;
use crate::keys::{check_keys, is_property, leave_out};
use crate::plugin::{Plugin, Returned};
use crate::server::IndigoServer;
use cordon_base::account::Charge;
use cordon_base::log::Level;

/// The plugin's verdict and its charge to the plugin's account. A plugin without a method accepts
/// everything.
pub(super) async fn validate(
    plugin: &Plugin,
    dialog: &Dialog,
) -> Result<(Verdict, Option<Charge>), DialogError> {
    let answer = match dialog.subject.validate_call(&dialog.values) {
        Some((name, arguments)) => ask(plugin, name, &arguments).await?,
        None => menu(plugin, dialog).await?,
    };
    Ok(match answer {
        Some(Returned { value, charge }) => (reply::verdict(value), charge),
        None => (reply::verdict(Value::Bool(true)), None),
    })
}

/// Executes a menu item, which answers like validation.
async fn menu(plugin: &Plugin, dialog: &Dialog) -> Result<Option<Returned>, DialogError> {
    let id = dialog.subject.type_id();
    let item = plugin.bundle.definitions.menu_item(id);
    let Some((item, method)) = item.and_then(|it| Some((it, it.callback.as_ref()?))) else {
        return Ok(None);
    };
    let arguments = match item.dialog {
        MenuDialog::None => json!([]),
        MenuDialog::Own(_) | MenuDialog::Action(_) => json!([dialog.values, id]),
    };
    let name = format!("plugin.{method}");
    let arguments = json!({"kind": "menu", "args": arguments});
    let answer = ask(plugin, &name, &arguments).await?;
    let missing = || {
        let text = format!("the plugin has no method `{method}`, which its definition names");
        DialogError::Missing(text)
    };
    let answer = answer.ok_or_else(missing)?;
    // Without a dialog the returned value means nothing.
    Ok(match item.dialog {
        MenuDialog::None => None,
        MenuDialog::Own(_) | MenuDialog::Action(_) => Some(answer),
    })
}

/// The place where the values are now.
#[derive(Default)]
pub(super) struct Kept {
    /// The object that has them.
    pub object: Option<i64>,
    /// The step of the object, if it has steps.
    pub step: Option<usize>,
    /// The answer of an action or menu item that was executed with the values.
    pub result: Option<Value>,
}

impl Kept {
    fn by(object: Option<i64>) -> Self {
        Self {
            object,
            ..Self::default()
        }
    }
}

/// Puts the values where they belong.
pub(super) async fn keep(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    dialog: &Dialog,
    execute: bool,
) -> Result<Kept, DialogError> {
    let values = match dialog.subject {
        // Whatever key of them cannot be saved is told when the plugin saves them.
        Subject::Preferences => Cow::Borrowed(&dialog.values),
        _ => sendable(plugin, &dialog.values),
    };
    let values = values.as_ref();
    let owner = Caller::Plugin(Arc::clone(plugin));
    match &dialog.subject {
        Subject::Device { device, .. } => {
            replace(server, &owner, "device", *device, values).await?;
            draft::finish(server, dialog.draft).await?;
            Ok(Kept::by(Some(*device)))
        }
        Subject::Event {
            type_id,
            trigger: 0,
            name,
        } => {
            let name = name.as_deref().unwrap_or(&dialog.title);
            let arguments = json!({"name": name, "pluginId": plugin.id(),
                "pluginTypeId": type_id, "props": values, "configured": true});
            let made = server
                .command(&owner, "pluginEvent.create", arguments)
                .await?;
            Ok(Kept::by(made.get("id").and_then(Value::as_i64)))
        }
        Subject::Event { trigger, .. } => {
            replace(server, &owner, "trigger", *trigger, values).await?;
            Ok(Kept::by(Some(*trigger)))
        }
        Subject::Action {
            type_id,
            device,
            place,
            ..
        } => {
            let mut kept = Kept::by(place.map(|place| place.owner));
            if let Some(place) = place {
                let action = (type_id.as_str(), *device);
                kept.step = Some(step::put(server, plugin, *place, action, values).await?);
            }
            if execute {
                let arguments = json!({"pluginId": plugin.id(), "actionTypeId": type_id,
                    "deviceId": device, "props": values, "waitUntilDone": true});
                let operator = Caller::Operator("api-http");
                let command = "server.pluginExecuteAction";
                kept.result = Some(server.command(&operator, command, arguments).await?);
            }
            Ok(kept)
        }
        Subject::Preferences => {
            let arguments = json!({ "valuesDict": values });
            let merged = ask(plugin, "mergePluginPrefs", &arguments).await?;
            if merged.is_none() {
                let text = "the plugin's runtime takes no preferences".to_owned();
                return Err(DialogError::Missing(text));
            }
            Ok(Kept::default())
        }
        Subject::Menu { .. } | Subject::Factory { .. } => Ok(Kept::default()),
    }
}

/// The values without those of fields whose ids no property may have: one such field does not keep
/// the others from being saved.
fn sendable<'a>(plugin: &Plugin, values: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    if check_keys(values).is_ok() {
        return Cow::Borrowed(values);
    }
    let mut values = values.clone();
    let left = leave_out(&mut values, is_property);
    let line = format!(
        "the values of fields whose ids are no XML names are not kept: {left}; an id begins with a \
         letter, and holds only ASCII letters, digits and _ - . :"
    );
    plugin.log.hub(Level::Error, &line);
    Cow::Owned(values)
}

async fn replace(
    server: &Arc<IndigoServer>,
    owner: &Caller,
    noun: &str,
    id: i64,
    props: &Map<String, Value>,
) -> Result<(), DialogError> {
    let command = format!("{noun}.replacePluginPropsOnServer");
    let arguments = json!({"id": id, "props": props});
    server.command(owner, &command, arguments).await?;
    configured(server, owner, noun, id).await
}

/// A device or trigger whose dialog was saved once is configured.
async fn configured(
    server: &Arc<IndigoServer>,
    owner: &Caller,
    noun: &str,
    id: i64,
) -> Result<(), DialogError> {
    let done = server
        .database()
        .any(id)
        .is_none_or(|object| object.flag("configured"));
    if !done {
        let command = format!("{noun}.replaceOnServer");
        let arguments = json!({"id": id, "object": {"configured": true}});
        server.command(owner, &command, arguments).await?;
    }
    Ok(())
}

/// Tells the plugin that a dialog is closed. Nothing depends on its answer.
pub(super) async fn closed(plugin: &Plugin, dialog: &Dialog, cancelled: bool, object: Option<i64>) {
    let call = dialog
        .subject
        .closed_call(&dialog.values, cancelled, object);
    if let Some((name, arguments)) = call
        && let Err(error) = ask_or_nothing(plugin, name, &arguments).await
    {
        tracing::debug!(plugin = plugin.id(), %error, "a plugin was not told of a closed dialog");
    }
}
