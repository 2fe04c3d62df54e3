//! Domoticz hardware of the hub: the services that its plugins share, and its instances.

use std::path::Path;
use std::sync::Arc;

use super::maker::{Draft, Maker};
use super::{BUILD_TIME, DOMOTICZ_VERSION};
use cordon_base::account::Account;
use cordon_base::error::EngineError;
use cordon_base::folders::{DATA_FOLDER, Folders, PLUGIN_FOLDER, PLUGINS_FOLDER};
use cordon_base::plugin_log::PluginLog;
use cordon_domoticz::Domoticz;
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::parameters::{HardwareConfig, HubFacts, parameters};
use cordon_protocol::Credentials;
use cordon_reach::egress::OwnTarget;
use cordon_reach::serial::SerialPolicy;
use cordon_runtime::instance::Spec;
use cordon_runtime::section::PluginFolder;

/// Makes instances of Domoticz plugins. Clones share the services.
#[derive(Clone)]
pub(super) struct HardwareMaker {
    pub(super) maker: Maker,
    pub(super) domoticz: Domoticz,
}

impl HardwareMaker {
    /// Everything that an instance is made from.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when the section does not fit the definition.
    pub(super) fn spec(
        &self,
        id: u32,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<Spec, EngineError> {
        let config = |error: &dyn std::fmt::Display| EngineError::Config(error.to_string());
        let values = section.parameters.clone();
        let hardware = HardwareConfig::from_values(id, &section.name, definition, values)
            .map_err(|error| config(&error))?;
        let own = OwnTarget {
            address: hardware.address.clone().unwrap_or_default(),
            port: hardware.port.clone().unwrap_or_default(),
        };
        let parameters =
            parameters(hardware, definition, &facts()).map_err(|error| config(&error))?;
        let value = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let credentials = Credentials {
            username: value("Username"),
            password: value("Password"),
        };
        let instance = &section.instance;
        let typed = section.parameters.get("SerialPort").map(String::as_str);
        let typed = typed.filter(|_| section.typed_serial);
        let serial = SerialPolicy::new(&instance.grants.serial, typed);
        let serial = serial.with_origin(&instance.origin);
        let events = self.maker.services.events.clone();
        let log = PluginLog::with_levels(
            events,
            &section.name,
            &instance.limits,
            section.log_level,
            instance.origin.clone(),
        );
        let guards = instance.grants.security;
        let draft = Draft {
            id,
            name: section.name.clone(),
            key: definition.key.clone(),
            folders: self.folders(id, instance.plugin_folder, &definition.folder),
            log,
            account: Account::new(&instance.limits),
            parameters,
            own,
            serial: Arc::new(serial),
            framework: self.domoticz.instance(&definition.key, credentials, guards),
        };
        self.maker.spec(instance, draft)
    }

    /// The folders of the hardware with this row id.
    pub(super) fn folders(&self, id: u32, access: PluginFolder, plugin: &Path) -> Folders {
        self.maker.folders(id, access, plugin, PLUGINS_FOLDER)
    }
}

fn facts() -> HubFacts {
    HubFacts {
        home_folder: PLUGIN_FOLDER.to_owned(),
        startup_folder: DATA_FOLDER.to_owned(),
        user_data_folder: DATA_FOLDER.to_owned(),
        web_root: String::new(),
        database: String::new(),
        domoticz_version: DOMOTICZ_VERSION.to_owned(),
        domoticz_hash: env!("CARGO_PKG_VERSION").to_owned(),
        domoticz_build_time: BUILD_TIME.to_owned(),
    }
}
