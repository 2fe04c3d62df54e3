//! Actions, events and menu items: what the other definition files hold.

use super::field::ConfigUi;

/// An action, or with neither name nor method a separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionType {
    /// Unique in the plugin; last part of an HTTP address.
    pub id: String,
    /// Text for people; empty in a separator.
    pub name: String,
    /// Method of the plugin; `None` in a separator or a mere label.
    pub callback: Option<String>,
    /// Filter of the device that it works on; `None` when it works on none.
    pub device_filter: Option<String>,
    /// `DeviceActions`, `NotificationActions`, `hidden`, or a sub-menu of its own; empty
    /// for the plugin's menu.
    pub ui_path: String,
    /// Settings dialog.
    pub config_ui: Option<ConfigUi>,
    /// Line in `Actions.xml`, from 1.
    pub line: u32,
}

impl ActionType {
    /// Whether it is only a line in the menu.
    #[must_use]
    pub fn is_separator(&self) -> bool {
        self.name.is_empty() && self.callback.is_none()
    }

    /// Whether people never see it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.ui_path.eq_ignore_ascii_case("hidden")
    }
}

/// What `Actions.xml` defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionDefinitions {
    /// Help page; `None` for the plugin's own.
    pub support_url: Option<String>,
    /// The actions in order, with separators.
    pub types: Vec<ActionType>,
}

impl ActionDefinitions {
    /// The action of this id; never a separator.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&ActionType> {
        let mut actions = self.types.iter();
        actions.find(|action| action.id == id && !action.is_separator())
    }
}

/// An event that triggers can wait for, or with no name a separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// Unique in the plugin; the `pluginTypeId` of its triggers.
    pub id: String,
    /// Text for people; empty in a separator.
    pub name: String,
    /// Settings dialog.
    pub config_ui: Option<ConfigUi>,
    /// Line in `Events.xml`, from 1.
    pub line: u32,
}

/// What `Events.xml` defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventDefinitions {
    /// Help page; `None` for the plugin's own.
    pub support_url: Option<String>,
    /// The events in order, with separators.
    pub types: Vec<EventType>,
}

impl EventDefinitions {
    /// The event of this id; never a separator.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&EventType> {
        let mut events = self.types.iter();
        events.find(|event| event.id == id && !event.name.is_empty())
    }
}

/// What a menu item's dialog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuDialog {
    /// No dialog.
    None,
    /// A dialog of its own.
    Own(ConfigUi),
    /// Dialog and method of the action with this id.
    Action(String),
}

/// An item of the plugin's menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// Unique in the file; may be empty in a separator.
    pub id: String,
    /// A line between items.
    pub separator: bool,
    /// Text for people.
    pub name: String,
    /// Method of the plugin: without a dialog called with nothing, with one with
    /// `(valuesDict, menuId)`.
    pub callback: Option<String>,
    /// Dialog.
    pub dialog: MenuDialog,
    /// Text on the button that executes it.
    pub button_title: String,
    /// Page to open instead.
    pub url: Option<String>,
    /// Line in `MenuItems.xml`, from 1.
    pub line: u32,
}

/// What `PluginConfig.xml` defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginConfig {
    /// Page to open in place of a dialog.
    pub url: Option<String>,
    /// The dialog.
    pub config_ui: ConfigUi,
}
