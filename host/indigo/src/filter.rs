//! Filters of collections, as `indigo.devices.iter("self, indigo.relay")` has them.
//!
//! Parts are joined by commas. Parts about what an object is are all to hold; of
//! several types of a plugin one is enough. A part that is written many times is looked at
//! once, and whose types are wanted is found at once, however many parts name them.

use std::collections::{BTreeSet, HashMap};

use super::bounds::{FILTER, short};
use super::failure::Failure;
use super::object::Object;
use super::state::truth;
use super::table::Collection;
use super::view::class;

/// A filter that was understood.
#[derive(Debug, Default)]
pub struct Filter {
    /// What is wanted of each plugin: one of them.
    owners: HashMap<String, Kinds>,
    /// Words behind `indigo.`: every one.
    words: BTreeSet<String>,
    /// Property of the owner that must say yes: every one.
    props: BTreeSet<String>,
}

/// The types of a plugin that are wanted.
#[derive(Debug, Default)]
struct Kinds {
    all: bool,
    some: BTreeSet<String>,
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
                filter.words.insert(word.to_owned());
            } else if let Some(prop) = part.strip_prefix("props.") {
                filter.props.insert(prop.to_owned());
            } else if let Some(rest) = part.strip_prefix("self")
                && (rest.is_empty() || rest.starts_with('.'))
            {
                filter.want(own.unwrap_or_default(), rest.strip_prefix('.'));
            } else {
                let (plugin, kind) = owner(part, plugins);
                filter.want(plugin, kind);
            }
        }
        Ok(filter)
    }

    /// Wants a type of a plugin, or all that it has.
    fn want(&mut self, plugin: &str, kind: Option<&str>) {
        let kinds = self.owners.entry(plugin.to_owned()).or_default();
        match kind {
            Some(kind) => drop(kinds.some.insert(kind.to_owned())),
            None => kinds.all = true,
        }
    }

    /// Whether it takes an object.
    #[must_use]
    pub fn takes(&self, object: &Object) -> bool {
        let owner = object.owner();
        if !self.owners.is_empty() {
            let kind = match object.table.collection {
                Collection::Triggers => object.text("pluginTypeId"),
                _ => object.text("deviceTypeId"),
            };
            let wanted = self.owners.get(owner);
            if !wanted.is_some_and(|it| it.all || it.some.contains(kind)) {
                return false;
            }
        }
        if !self.words.iter().all(|word| named(object, word)) {
            return false;
        }
        if self.props.is_empty() {
            return true;
        }
        let says = |name: &String| object.props(owner)?.get(name).and_then(truth);
        self.props.iter().all(|name| says(name) == Some(true))
    }
}

/// `PLUGINID` or `PLUGINID.TYPE`: ids have full stops themselves, so the longest id that
/// is known decides, and without one the whole is an id.
fn owner<'a>(text: &'a str, plugins: &'a [String]) -> (&'a str, Option<&'a str>) {
    let known = plugins.iter().filter_map(|id| {
        let rest = text.strip_prefix(id.as_str())?;
        match rest.strip_prefix('.') {
            Some(kind) => Some((id.as_str(), Some(kind))),
            None => rest.is_empty().then_some((id.as_str(), None)),
        }
    });
    let best = known.max_by_key(|(id, _)| id.len());
    best.unwrap_or((text, None))
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
    use crate::device::DeviceClass;
    use crate::object::Hidden;
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

    /// Five hundred times the same part, about a property of megabytes: it was read as a truth
    /// value each time, in seconds.
    #[test]
    fn a_part_costs_what_it_looks_at_once() {
        let mut lamp = device("com.a.b", "lamp", DeviceClass::Dimmer);
        let blanks = " ".repeat(2_000_000);
        let props = json!({"a": format!("{blanks}1{blanks}"), "b": " yes "});
        lamp.set_props("com.a.b", props.as_object().cloned());
        let begun = cordon_base::account::thread_cpu();
        let many = ["props.a"; 500].join(",");
        assert!(
            !takes(&many, &lamp),
            "a text of megabytes is no truth value"
        );
        let many = ["self.other"; 370].join(",");
        assert!(!takes(&many, &lamp));
        let spent = cordon_base::account::thread_cpu().saturating_sub(begun);
        assert!(spent < std::time::Duration::from_millis(500), "{spent:?}");
        let many = ["props.b"; 500].join(",");
        assert!(takes(&many, &lamp));
        let filter = Filter::parse(&many, None, &[]).unwrap();
        assert_eq!(filter.props.len(), 1);
    }

    #[test]
    fn the_longest_known_id_is_the_plugin() {
        let other = device("com.a.b.c", "lamp", DeviceClass::Relay);
        assert!(takes("com.a.b.c", &other));
        assert!(takes("com.a.b.c.lamp", &other));
        assert!(!takes("com.a.b.c.x", &other));
    }
}
