//! The values that a plugin gives the states of its device, in the form that the states take.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::bounds::{COMPLAINTS, quoted};
use crate::failure::Failure;
use crate::object::Object;
use crate::state::{StateDefinition, StateType, choices, figure, text, truth};

/// Complaints about the values that a plugin gave. One call may give many values.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    pub(super) lines: Vec<String>,
    more: usize,
}

impl Complaints {
    /// Adds a complaint about a device's state; `text` begins behind the state's key.
    fn add(&mut self, device: &Object, key: &str, text: impl FnOnce() -> String) {
        if self.lines.len() >= COMPLAINTS {
            self.more = self.more.saturating_add(1);
            return;
        }
        let (name, key) = (quoted(device.name()), quoted(key));
        let text = text();
        self.lines
            .push(format!("device \"{name}\" state key {key} {text}"));
    }

    /// The lines for the log.
    pub(super) fn told(self) -> Vec<String> {
        let mut lines = self.lines;
        if self.more > 0 {
            lines.push(format!("and {} more of these", self.more));
        }
        lines
    }
}

/// The last value that a state was given, converted.
pub(super) struct Given<'a> {
    pub(super) key: &'a str,
    definition: &'a StateDefinition,
    value: Value,
    /// The text to show, where the plugin gives one.
    shown: Option<&'a Value>,
    places: Option<u32>,
    /// Whether the value fires no triggers.
    pub(super) silent: bool,
}

/// The values that one call gives, the last of each state.
pub(super) struct Values<'a> {
    /// In the order in which their keys came first.
    pub(super) latest: Vec<Given<'a>>,
    /// The states for which the plugin gave a text to show.
    pub(super) labelled: HashSet<&'a str>,
    /// Whether the device has no error any more.
    pub(super) clears_error: bool,
}

impl<'a> Values<'a> {
    /// Converts the values. A value that does not fit, and one of a state that there is not, is left
    /// out with a complaint.
    ///
    /// # Errors
    ///
    /// A value without a key.
    pub(super) fn read(
        old: &'a Object,
        given: &'a [Value],
        complaints: &mut Complaints,
    ) -> Result<Self, Failure> {
        let definitions = old.hidden.states.iter().rev();
        let definitions: HashMap<&str, &StateDefinition> =
            definitions.map(|it| (it.key.as_str(), it)).collect();
        let class = OfClass::new(old);
        let mut values = Self {
            latest: Vec::new(),
            labelled: HashSet::new(),
            clears_error: false,
        };
        // The place of each key in `latest`.
        let mut places: HashMap<&str, usize> = HashMap::new();
        for item in given {
            let Some(key) = item.get("key").and_then(Value::as_str) else {
                return Err(Failure::key("a state needs a key"));
            };
            let shown = item.get("uiValue").filter(|it| !it.is_null());
            values.labelled.extend(shown.map(|_| key));
            let given = match definitions.get(key) {
                Some(definition) => Given::read(&class, definition, item, shown),
                None => Err("not defined (ignoring update request)".to_owned()),
            };
            let given = match given {
                Ok(given) => given,
                Err(text) => {
                    complaints.add(old, key, || text);
                    continue;
                }
            };
            values.clears_error |= item.get("clearErrorState").and_then(truth) != Some(false);
            let place = *places.entry(key).or_insert(values.latest.len());
            match values.latest.get_mut(place) {
                Some(earlier) => {
                    let silent = earlier.silent || given.silent;
                    *earlier = Given { silent, ..given };
                }
                None => values.latest.push(given),
            }
        }
        Ok(values)
    }
}

impl<'a> Given<'a> {
    /// Converts one value, or says what is wrong with it.
    fn read(
        class: &OfClass<'_>,
        definition: &'a StateDefinition,
        item: &'a Value,
        shown: Option<&'a Value>,
    ) -> Result<Self, String> {
        let Some(value) = item.get("value").filter(|value| !value.is_null()) else {
            return Err("was given no value".to_owned());
        };
        let places = item.get("decimalPlaces").and_then(Value::as_i64);
        let places = places.and_then(|it| u32::try_from(it).ok());
        let Some(value) = taken(class, definition, value, places) else {
            let shown = quoted(&value.to_string());
            return Err(format!(
                "cannot hold {shown}; it is a {:?}",
                definition.kind
            ));
        };
        Ok(Self {
            key: &definition.key,
            definition,
            value,
            shown,
            places,
            silent: item.get("triggerEvents").and_then(truth) == Some(false),
        })
    }
}

/// Puts values and their texts for people into the states.
pub(super) fn put_in(latest: Vec<Given<'_>>, states: &mut Map<String, Value>) {
    let mut unlabelled = HashSet::new();
    for given in latest {
        unlabelled.extend(show(given, states));
    }
    if !unlabelled.is_empty() {
        states.retain(|key, _| !unlabelled.contains(key));
    }
}

/// Puts one value and its text for people in. Returns the key of a label that is to be removed.
fn show(given: Given<'_>, states: &mut Map<String, Value>) -> Option<String> {
    let Given {
        key,
        definition,
        value,
        ..
    } = given;
    let shown = match given.shown {
        Some(shown) => text(shown, None).unwrap_or_default(),
        None => definition.shown(&value, given.places),
    };
    choices(definition, &value, states);
    let plain = text(&value, None).as_deref() == Some(&shown);
    states.insert(key.to_owned(), value);
    let label = format!("{key}.ui");
    // A text that equals its value needs no entry of its own.
    if plain {
        return states.contains_key(&label).then_some(label);
    }
    states.insert(label, Value::from(shown));
    None
}

/// The keys of the states that a device has from its class, looked up when first asked for.
struct OfClass<'a> {
    device: &'a Object,
    keys: OnceCell<HashSet<String>>,
}

impl<'a> OfClass<'a> {
    fn new(device: &'a Object) -> Self {
        Self {
            device,
            keys: OnceCell::new(),
        }
    }

    fn has(&self, key: &str) -> bool {
        let keys = self.keys.get_or_init(|| {
            let empty = Map::new();
            let props = self.device.props(self.device.owner()).unwrap_or(&empty);
            let states = self.device.hidden.device.states(props);
            states.into_iter().map(|it| it.key).collect()
        });
        keys.contains(key)
    }
}

/// A value as a state takes it. A state of the class has its type. A number that the plugin
/// declared itself has the form that the plugin gives it: a fraction in a whole number, or text in
/// either. The SDK's example does both each second.
fn taken(
    class: &OfClass<'_>,
    definition: &StateDefinition,
    value: &Value,
    places: Option<u32>,
) -> Option<Value> {
    let kept = definition.convert(value, places);
    let number = matches!(
        definition.kind,
        StateType::Integer | StateType::Number | StateType::Real
    );
    let whole =
        definition.kind != StateType::Integer || figure(value).is_none_or(|it| it.fract() == 0.0);
    if !number || (kept.is_some() && whole) {
        return kept;
    }
    if class.has(&definition.key) {
        return kept;
    }
    let real = StateDefinition::new("", StateType::Number);
    let text = StateDefinition::new("", StateType::String);
    let follows = real.convert(value, places);
    follows.or_else(|| text.convert(value, None))
}
