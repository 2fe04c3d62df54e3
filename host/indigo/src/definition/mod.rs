//! What an Indigo plugin says about itself in its XML files.
//!
//! [`Definitions::load`] reads `Devices.xml`, `Actions.xml`, `Events.xml`,
//! `MenuItems.xml` and `PluginConfig.xml` of a `Server Plugin` folder with the templates
//! they name. A file that is missing defines nothing. What cannot be read is a
//! [`Problem`] with file, line and what was expected; what is only unknown, as an
//! element that no page of the documentation names, is a remark, and ignored.

mod action;
mod budget;
mod device;
mod field;
mod named;
mod problem;
mod read;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod ui;
mod xml;

use std::path::Path;

pub use action::{
    ActionDefinitions, ActionType, EventDefinitions, EventType, MenuDialog, MenuItem, PluginConfig,
};
pub use device::{DeviceClass, DeviceDefinitions, DeviceFactory, DeviceType, SubType};
pub use field::{
    Choice, ConfigUi, EnabledBinding, Field, FieldKind, Layout, ObjectClass, Options,
    VisibleBinding,
};
pub use problem::Problem;
pub use source::Source;
pub use state::{
    BoolType, Condition, DerivedState, StateDefinition, StateOption, TriggerChoice, ValueType,
};

/// All that a plugin defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definitions {
    /// `Devices.xml`.
    pub devices: DeviceDefinitions,
    /// `Actions.xml`.
    pub actions: ActionDefinitions,
    /// `Events.xml`.
    pub events: EventDefinitions,
    /// `MenuItems.xml`, in order.
    pub menu: Vec<MenuItem>,
    /// `PluginConfig.xml`; `None` when there is no such file.
    pub config: Option<PluginConfig>,
    /// What was ignored, for the plugin's author.
    pub remarks: Vec<Problem>,
}

impl Definitions {
    /// Reads the definitions of a `Server Plugin` folder; templates may lie anywhere
    /// under `contents`, which is the bundle's `Contents`.
    ///
    /// Reads files, so call it where blocking is allowed.
    ///
    /// # Errors
    /// The first [`Problem`] that makes a file unusable.
    pub fn load(contents: &Path, server_plugin: &Path) -> Result<Self, Problem> {
        read::definitions(&Source::new(contents, server_plugin))
    }

    /// The menu item of this id.
    #[must_use]
    pub fn menu_item(&self, id: &str) -> Option<&MenuItem> {
        let mut items = self.menu.iter();
        items.find(|item| item.id == id && !item.separator)
    }
}

impl ConfigUi {
    /// Reads the dialog that a plugin's `get...ConfigUiXml` returned: a `ConfigUI` or
    /// `PluginConfig` element. `name` stands for the file in problems.
    ///
    /// # Errors
    /// [`Problem`] when it cannot be used.
    pub fn from_xml(text: &str, name: &str, source: &Source) -> Result<Self, Problem> {
        read::config_ui(text, name, source)
    }
}
