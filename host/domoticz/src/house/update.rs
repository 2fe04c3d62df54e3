//! Changes of a row that its own plugin makes, and their consequences.

use super::House;
use crate::device::{Change, Device, DeviceError, DeviceLimits};
use crate::security::Security;
use crate::table::Updated;
use cordon_base::error::Denied;
use cordon_base::plugin_log::PluginLog;

/// The hardware whose plugin changes a row.
#[derive(Clone, Copy)]
pub struct Hardware<'a> {
    /// The hub's number for the hardware.
    pub id: u32,
    /// Whether the operator lets the plugin's security panels set the status of the house.
    pub guards: bool,
    /// The plugin's log.
    pub log: &'a PluginLog,
}

impl House {
    /// Changes a row of this hardware and returns it as stored. A new reading alone has
    /// consequences for others; names, types and silent values have none (spec 4.3).
    ///
    /// # Errors
    /// [`DeviceError`]; nothing is changed then, and nobody is told.
    pub async fn update(
        &self,
        hardware: Hardware<'_>,
        id: i64,
        change: Change,
        limits: DeviceLimits,
    ) -> Result<Device, DeviceError> {
        let is_reading = change.value.is_some();
        let updated = self.devices.update(hardware.id, id, change, limits);
        let Updated { before, after } = updated.await?;
        if is_reading {
            self.changed(&before, &after).await;
            self.guard(hardware, &before, &after).await;
        }
        Ok(after)
    }

    /// A panel is the plugin's to make and to change. Its report sets the status of the house only
    /// if the operator gave the plugin that right.
    async fn guard(&self, hardware: Hardware<'_>, before: &Device, after: &Device) {
        let Some(status) = Security::reported(before, after) else {
            return;
        };
        if !hardware.guards {
            hardware.log.denied(&Denied::new(
                "setting the security status of the house",
                "security = true",
                hardware.log.origin(),
            ));
            return;
        }
        if let Err(error) = self.set_security(status).await {
            tracing::error!(hardware = hardware.id, %error, "the status cannot be set");
        }
    }
}
