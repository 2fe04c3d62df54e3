//! The device that the dialog for a new device makes.
//!
//! Methods of the dialog find the device by its id, but it is not configured, and nobody is told of
//! it before it is saved.

use std::sync::Arc;

use serde_json::json;

use super::{DialogError, Subject};
use crate::caller::Caller;
use crate::command::device;
use crate::database::Database;
use crate::failure::Failure;
use crate::plugin::Plugin;
use crate::server::IndigoServer;

/// The caller that opens dialogs.
const OPERATOR: Caller = Caller::Operator("api-http");

/// Makes the device of the dialog for a new device. Returns the subject with the device, and the
/// device's id.
pub(super) async fn made(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    subject: Subject,
) -> Result<(Subject, Option<i64>), DialogError> {
    let Subject::Device {
        type_id,
        device: 0,
        name,
    } = subject
    else {
        return Ok((subject, None));
    };
    if plugin.bundle.definitions.devices.find(&type_id).is_none() {
        let text = format!("the plugin defines no device type `{type_id}`");
        return Err(DialogError::Missing(text));
    }
    let arguments = json!({"protocol": "Plugin", "name": name.as_deref().unwrap_or_default(),
        "deviceTypeId": type_id, "pluginId": plugin.id()});
    let device = device::draft(server, &OPERATOR, arguments).await?;
    let subject = Subject::Device {
        type_id,
        device,
        name,
    };
    Ok((subject, Some(device)))
}

/// Makes a real device of the draft, with the saved values. Only now is it told as new.
pub(super) async fn finish(
    server: &Arc<IndigoServer>,
    draft: Option<i64>,
) -> Result<(), DialogError> {
    let Some(device) = draft else { return Ok(()) };
    if server.database().any(device).is_none() {
        return Ok(());
    }
    let gone = || Failure::value("the device of the dialog is no longer there");
    let find = |database: &Database| database.any(device).cloned().ok_or_else(gone);
    let edited = server.alter(&OPERATOR, None, find, |_, object| {
        object.hidden.draft = false;
        Ok(((), Vec::new()))
    });
    edited.await?;
    Ok(())
}

/// Removes the device of a dialog that was not saved.
pub(super) async fn delete(server: &Arc<IndigoServer>, draft: Option<i64>) {
    let Some(device) = draft else { return };
    let gone = server.command(&OPERATOR, "device.delete", json!({ "id": device }));
    if let Err(failure) = gone.await {
        tracing::debug!(device, %failure, "the device of a dialog was gone before it");
    }
}
