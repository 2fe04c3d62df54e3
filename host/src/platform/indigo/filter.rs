//! Filters of collections, as `indigo.devices.iter("self, indigo.relay")` has them.
//!
//! Parts are joined by commas. Parts about what an object is are all to hold; of
//! several types of a plugin one is enough.

use super::bounds::{FILTER, short};
use super::failure::Failure;
use super::object::Object;
use super::table::Collection;
use super::view::class;

/// A filter that was understood.
#[derive(Debug, Default)]
pub struct Filter {
    /// Plugin, and type of it where one is named: one of them.
    owners: Vec<(String, Option<String>)>,
    /// Words behind `indigo.`: every one.
    words: Vec<String>,
    /// Property of the owner that must say yes: every one.
    props: Vec<String>,
}

impl Filter {
    /// Reads a filter as the plugin `own` writes it.
    ///
    /// # Errors
    ///
    /// A filter that is too long. What is not known is the id of a plugin, which may not be
    /// there.
    pub fn parse(text: &str, own: Option<&str>, plugins: &[String]) -> Result<Self, Failure> {
        short("a filter", text, FILTER)?;
        let mut filter = Self::default();
        for part in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            if let Some(word) = part.strip_prefix("indigo.") {
                filter.words.push(word.to_owned());
            } else if let Some(prop) = part.strip_prefix("props.") {
                filter.props.push(prop.to_owned());
            } else if let Some(rest) = part.strip_prefix("self")
                && (rest.is_empty() || rest.starts_with('.'))
            {
                let kind = rest.strip_prefix('.').map(str::to_owned);
                let own = own.unwrap_or_default().to_owned();
                filter.owners.push((own, kind));
            } else {
                filter.owners.push(owner(part, plugins));
            }
        }
        Ok(filter)
    }

    /// Whether it takes an object.
    #[must_use]
    pub fn takes(&self, object: &Object) -> bool {
        let collection = object.table.collection;
        let kind = match collection {
            Collection::Triggers => object.text("pluginTypeId"),
            _ => object.text("deviceTypeId"),
        };
        let owned = |(plugin, wanted): &(String, Option<String>)| {
            object.owner() == plugin && wanted.as_deref().is_none_or(|wanted| wanted == kind)
        };
        let says = |name: &String| {
            let value = object.owner_prop(name);
            value.and_then(super::state::truth) == Some(true)
        };
        (self.owners.is_empty() || self.owners.iter().any(owned))
            && self.words.iter().all(|word| named(object, word))
            && self.props.iter().all(says)
    }
}

/// `PLUGINID` or `PLUGINID.TYPE`: ids have full stops themselves, so the longest id that
/// is known decides, and without one the whole is an id.
fn owner(text: &str, plugins: &[String]) -> (String, Option<String>) {
    let known = plugins.iter().filter_map(|id| {
        let rest = text.strip_prefix(id.as_str())?;
        match rest.strip_prefix('.') {
            Some(kind) => Some((id.clone(), Some(kind.to_owned()))),
            None => rest.is_empty().then(|| (id.clone(), None)),
        }
    });
    let best = known.max_by_key(|(id, _)| id.len());
    best.unwrap_or_else(|| (text.to_owned(), None))
}

fn named(object: &Object, word: &str) -> bool {
    match object.table.collection {
        Collection::Devices => match word {
            // No such interface here.
            "zwave" | "insteon" | "x10" | "controller" => false,
            "responder" => true,
            word => object.hidden.device.matches(word),
        },
        Collection::Triggers => {
            let class = class(object);
            let stem = match word {
                "devStateChange" => "DeviceStateChangeTrigger",
                "varValueChange" => "VariableValueChangeTrigger",
                "pluginEvent" => "PluginEventTrigger",
                "serverStartup" => "ServerStartupTrigger",
                "powerFailure" | "powerFail" => "PowerFailureTrigger",
                "interfaceFail" => "InterfaceFailureTrigger",
                "interfaceInit" => "InterfaceInitializedTrigger",
                "emailRcvd" => "EmailReceivedTrigger",
                "insteonCmdRcvd" => "InsteonCommandReceivedTrigger",
                "x10CmdRcvd" => "X10CommandReceivedTrigger",
                _ => return false,
            };
            class.strip_prefix("indigo.") == Some(stem)
        }
        Collection::Variables => word == "readWrite" && !object.flag("readOnly"),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::platform::indigo::device::DeviceClass;
    use crate::platform::indigo::object::Hidden;
    use serde_json::json;

    fn device(plugin: &str, kind: &str, class: DeviceClass) -> Object {
        let fields = json!({"name": "x", "pluginId": plugin, "deviceTypeId": kind,
            "globalProps": {plugin: {"SupportsOnState": "true"}}});
        Object {
            id: 1,
            table: Collection::Devices.objects(),
            fields: fields.as_object().unwrap().clone(),
            hidden: Hidden {
                device: class,
                ..Hidden::default()
            },
        }
    }

    fn takes(filter: &str, object: &Object) -> bool {
        let plugins = ["com.a.b".to_owned(), "com.a.b.c".to_owned()];
        let filter = Filter::parse(filter, Some("com.a.b"), &plugins).unwrap();
        filter.takes(object)
    }

    #[test]
    fn own_devices_and_types_are_found() {
        let lamp = device("com.a.b", "lamp", DeviceClass::Dimmer);
        assert!(takes("self", &lamp));
        assert!(takes("self.lamp", &lamp));
        assert!(takes("self.other, self.lamp", &lamp));
        assert!(!takes("self.other", &lamp));
        assert!(takes("com.a.b.lamp", &lamp));
        assert!(!takes("com.a.b.c", &lamp));
        assert!(takes("", &lamp));
    }

    #[test]
    fn kinds_and_owners_are_both_to_hold() {
        let lamp = device("com.a.b", "lamp", DeviceClass::Dimmer);
        assert!(takes("indigo.relay, self", &lamp));
        assert!(takes("indigo.dimmer", &lamp));
        assert!(!takes("indigo.sensor, self", &lamp));
        assert!(!takes("indigo.zwave", &lamp));
        assert!(takes("props.SupportsOnState", &lamp));
        assert!(!takes("props.SupportsRGB", &lamp));
    }

    #[test]
    fn the_longest_known_id_is_the_plugin() {
        let other = device("com.a.b.c", "lamp", DeviceClass::Relay);
        assert!(takes("com.a.b.c", &other));
        assert!(takes("com.a.b.c.lamp", &other));
        assert!(!takes("com.a.b.c.x", &other));
    }
}
