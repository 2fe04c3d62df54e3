//! An Indigo plugin's definitions, in its XML files.
//!
//! [`Definitions::load`] reads `Devices.xml`, `Actions.xml`, `Events.xml`, `MenuItems.xml` and
//! `PluginConfig.xml` of a `Server Plugin` folder with the templates that they name. A file that is
//! missing defines nothing. A part that cannot be read, such as one field, is left out with a
//! [`Problem`] of the file, the line and a sentence about the form that was expected. A file that is
//! no XML, and one that goes past a bound, make the whole bundle unusable. An element that is merely unknown, because no page
//! of the documentation names it, is ignored with a remark.

mod action;
mod budget;
mod device;
mod field;
mod method;
mod named;
mod problem;
mod read;
mod read_devices;
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
pub use method::Method;
pub use problem::Problem;
pub use source::Source;
pub use state::{
    BoolType, Condition, DerivedState, StateDefinition, StateOption, TriggerChoice, ValueType,
};

/// All definitions of a plugin.
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
    /// Remarks on parts that were ignored, for the plugin's author.
    pub remarks: Vec<Problem>,
    /// Parts that cannot be used and were left out, for the operator.
    pub faults: Vec<Problem>,
}

impl Definitions {
    /// Reads the definitions of a `Server Plugin` folder. Templates may lie anywhere under
    /// `contents`, which is the bundle's `Contents`.
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
    /// `PluginConfig` element. `name` stands for the file in problems. Also returns the problems of the
    /// parts that were left out.
    ///
    /// # Errors
    /// [`Problem`] when the dialog cannot be used.
    pub fn from_xml(
        text: &str,
        name: &str,
        source: &Source,
    ) -> Result<(Self, Vec<Problem>), Problem> {
        read::config_ui(text, name, source)
    }
}
