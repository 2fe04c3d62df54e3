//! The device that a dialog is about to make.
//!
//! Plugins look their device up in every callback of a dialog, so it is there from the
//! beginning: not configured, and gone again when the dialog is not saved.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{DialogError, Subject};
use crate::platform::indigo::plugin::Plugin;
use crate::platform::indigo::server::{Caller, IndigoServer};

const USER: Caller = Caller::Operator("api-http");

/// Makes the device of a dialog that is about a new one; the subject with it, and its id.
pub(super) async fn begun(
    server: &Arc<IndigoServer>,
    plugin: &Plugin,
    subject: Subject,
) -> Result<(Subject, Option<i64>), DialogError> {
    let Subject::Device {
        type_id,
        device: 0,
        name,
    } = &subject
    else {
        return Ok((subject, None));
    };
    if plugin.bundle.definitions.devices.find(type_id).is_none() {
        // Opening it says so.
        return Ok((subject, None));
    }
    let arguments = json!({"protocol": "Plugin", "name": name, "deviceTypeId": type_id,
        "pluginId": plugin.id()});
    let made = server.command(&USER, "device.create", arguments).await?;
    let id = made.get("id").and_then(Value::as_i64).unwrap_or(0);
    let subject = Subject::Device {
        type_id: type_id.clone(),
        device: id,
        name: None,
    };
    Ok((subject, Some(id)))
}

/// Removes the device of a dialog that was not saved.
pub(super) async fn dropped(server: &Arc<IndigoServer>, draft: Option<i64>) {
    let Some(id) = draft else { return };
    let deleted = server.command(&USER, "device.delete", json!({"id": id}));
    if let Err(failure) = deleted.await {
        tracing::debug!(%failure, id, "the device of a cancelled dialog is gone already");
    }
}
