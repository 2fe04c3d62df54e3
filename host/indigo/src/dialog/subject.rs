//! What a dialog is about, and how the plugin's callbacks for it are called.

use serde_json::{Value, json};

use super::{Place, Values};

/// What a dialog is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Settings of a device; `device` is 0 for one that is to be made, with this name.
    Device {
        /// Device type.
        type_id: String,
        /// The device.
        device: i64,
        /// Name of a new device.
        name: Option<String>,
    },
    /// Settings of an action; they go to whoever keeps the action.
    Action {
        /// Id in `Actions.xml`.
        type_id: String,
        /// The device that it works on, or 0.
        device: i64,
        /// The settings so far.
        props: Values,
        /// Where it is kept; nowhere if it is only tried, or if its user keeps it.
        place: Option<Place>,
    },
    /// Settings of an event; `trigger` is 0 for one that is to be made, with this name.
    Event {
        /// Id in `Events.xml`.
        type_id: String,
        /// The trigger.
        trigger: i64,
        /// Name of a new trigger.
        name: Option<String>,
    },
    /// A menu item; nothing is kept.
    Menu {
        /// Id in `MenuItems.xml`.
        item: String,
    },
    /// The plugin's preferences.
    Preferences,
    /// The factory of devices; nothing is kept.
    Factory {
        /// The devices of the group.
        devices: Vec<i64>,
    },
}

impl Subject {
    /// The id of the type or item; empty where there is none.
    #[must_use]
    pub fn type_id(&self) -> &str {
        match self {
            Self::Device { type_id, .. }
            | Self::Action { type_id, .. }
            | Self::Event { type_id, .. } => type_id,
            Self::Menu { item } => item,
            Self::Preferences | Self::Factory { .. } => "",
        }
    }

    /// The object that it is about; 0 where there is none yet.
    #[must_use]
    pub fn target(&self) -> i64 {
        match self {
            Self::Device { device, .. } | Self::Action { device, .. } => *device,
            Self::Event { trigger, .. } => *trigger,
            Self::Menu { .. } | Self::Preferences | Self::Factory { .. } => 0,
        }
    }

    /// `get...ConfigUiXml`: name and arguments; `None` where the reference has none.
    pub(super) fn xml_call(&self) -> Option<(&'static str, Value)> {
        let (kind, target) = (self.type_id(), self.target());
        match self {
            Self::Device { .. } => {
                let arguments = json!({"typeId": kind, "devId": target});
                Some(("getDeviceConfigUiXml", arguments))
            }
            Self::Action { .. } => {
                let arguments = json!({"typeId": kind, "devId": target});
                Some(("getActionConfigUiXml", arguments))
            }
            Self::Event { .. } => {
                let arguments = json!({"typeId": kind, "eventId": target});
                Some(("getEventConfigUiXml", arguments))
            }
            Self::Menu { item } => Some(("getMenuActionConfigUiXml", json!({"menuId": item}))),
            Self::Preferences => Some(("getPrefsConfigUiXml", json!({}))),
            Self::Factory { .. } => None,
        }
    }

    /// `get...ConfigUiValues`: name and arguments.
    pub(super) fn values_call(&self, props: &Values) -> (&'static str, Value) {
        let (kind, target) = (self.type_id(), self.target());
        match self {
            Self::Device { .. } => {
                let arguments = json!({"pluginProps": props, "typeId": kind, "devId": target});
                ("getDeviceConfigUiValues", arguments)
            }
            Self::Action { .. } => {
                let arguments = json!({"pluginProps": props, "typeId": kind, "devId": target});
                ("getActionConfigUiValues", arguments)
            }
            Self::Event { .. } => {
                let arguments = json!({"pluginProps": props, "typeId": kind, "eventId": target});
                ("getEventConfigUiValues", arguments)
            }
            Self::Menu { item } => ("getMenuActionConfigUiValues", json!({"menuId": item})),
            Self::Preferences => ("getPrefsConfigUiValues", json!({})),
            Self::Factory { devices } => {
                ("getDeviceFactoryUiValues", json!({"devIdList": devices}))
            }
        }
    }

    /// `validate...ConfigUi`: name and arguments; a menu item has none, its own method
    /// answers in the same way.
    pub(super) fn validate_call(&self, values: &Values) -> Option<(&'static str, Value)> {
        let (kind, target) = (self.type_id(), self.target());
        match self {
            Self::Device { .. } => {
                let arguments = json!({"valuesDict": values, "typeId": kind, "devId": target});
                Some(("validateDeviceConfigUi", arguments))
            }
            Self::Action { .. } => {
                let arguments = json!({"valuesDict": values, "typeId": kind, "deviceId": target});
                Some(("validateActionConfigUi", arguments))
            }
            Self::Event { .. } => {
                let arguments = json!({"valuesDict": values, "typeId": kind, "eventId": target});
                Some(("validateEventConfigUi", arguments))
            }
            Self::Menu { .. } => None,
            Self::Preferences => Some(("validatePrefsConfigUi", json!({"valuesDict": values}))),
            Self::Factory { devices } => {
                let arguments = json!({"valuesDict": values, "devIdList": devices});
                Some(("validateDeviceFactoryUi", arguments))
            }
        }
    }

    /// `closed...ConfigUi`: name and arguments. `object` is what was saved, which for a
    /// new one is not the target of the dialog.
    pub(super) fn closed_call(
        &self,
        values: &Values,
        cancelled: bool,
        object: Option<i64>,
    ) -> Option<(&'static str, Value)> {
        let kind = self.type_id();
        let target = object.unwrap_or_else(|| self.target());
        let mut arguments = json!({"valuesDict": values, "userCancelled": cancelled});
        let (name, id, target) = match self {
            Self::Device { .. } => ("closedDeviceConfigUi", "devId", json!(target)),
            Self::Action { .. } => ("closedActionConfigUi", "actionId", json!(target)),
            Self::Event { .. } => ("closedEventConfigUi", "eventId", json!(target)),
            Self::Menu { .. } => return None,
            Self::Preferences => return Some(("closedPrefsConfigUi", arguments)),
            Self::Factory { devices } => ("closedDeviceFactoryUi", "devIdList", json!(devices)),
        };
        if let Some(arguments) = arguments.as_object_mut() {
            if !kind.is_empty() {
                arguments.insert("typeId".to_owned(), kind.into());
            }
            arguments.insert(id.to_owned(), target);
        }
        Some((name, arguments))
    }

    /// Arguments of a button's or field's method.
    pub(super) fn button_arguments(&self, values: &Values) -> Value {
        let arguments = match self {
            Self::Menu { item } => json!([values, item]),
            Self::Factory { devices } => json!([values, devices]),
            Self::Device { .. } | Self::Action { .. } | Self::Event { .. } | Self::Preferences => {
                json!([values, self.type_id(), self.target()])
            }
        };
        json!({"kind": "button", "args": arguments})
    }

    /// Arguments of a method that makes options.
    pub(super) fn list_arguments(&self, filter: &str, values: &Values) -> Value {
        let arguments = match self {
            Self::Factory { devices } => json!([filter, values, devices]),
            _ => json!([filter, values, self.type_id(), self.target()]),
        };
        json!({"kind": "list", "args": arguments})
    }
}
