//! The states of a device: their keys, their types, and how values get in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::bounds::count;
use super::definition;

/// The type of a state, by the member of `indigo.kTriggerKeyType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateType {
    /// A line between others, with no value.
    #[serde(alias = "Separator")]
    Label,
    /// Shown as true and false.
    BoolTrueFalse,
    /// Shown as on and off.
    BoolOnOff,
    /// Shown as yes and no.
    BoolYesNo,
    /// Shown as 1 and 0.
    BoolOneZero,
    /// A number, whole or not.
    Number,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Real,
    /// Text.
    #[default]
    String,
    /// Anything, such as a list; kept as it comes.
    Compound,
    /// One of several words, with a truth value for each.
    Enumeration,
}

/// One choice of a state that is an enumeration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Choice {
    /// The word.
    pub value: String,
    /// Text for users.
    pub label: String,
}

/// A state as it is declared. The JSON is the one that `getDeviceStateList` returns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct StateDefinition {
    /// Its key in `dev.states`.
    pub key: String,
    /// Its type.
    #[serde(rename = "Type")]
    pub kind: StateType,
    /// Its name where triggers are edited.
    pub trigger_label: String,
    /// Its name where control pages are edited.
    pub state_label: String,
    /// Whether the state is not offered to users.
    #[serde(skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// The choices of an enumeration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The value that a new device starts with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_value: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference over"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl StateDefinition {
    /// A state without labels of its own.
    #[must_use]
    pub fn new(key: impl Into<String>, kind: StateType) -> Self {
        let key = key.into();
        Self {
            trigger_label: key.clone(),
            state_label: key.clone(),
            key,
            kind,
            ..Self::default()
        }
    }

    /// The value of the state before anybody has set it.
    #[must_use]
    pub fn initial(&self) -> Value {
        if !self.default_value.is_empty() {
            let given = Value::String(self.default_value.clone());
            if let Some(value) = self.convert(&given, None) {
                return value;
            }
        }
        match self.kind {
            StateType::Label => Value::Null,
            StateType::BoolTrueFalse
            | StateType::BoolOnOff
            | StateType::BoolYesNo
            | StateType::BoolOneZero => Value::Bool(false),
            StateType::Number | StateType::Integer => Value::from(0),
            StateType::Real => Value::from(0.0),
            StateType::String | StateType::Compound | StateType::Enumeration => Value::from(""),
        }
    }

    /// A value as this state keeps it, rounded to so many places. Nothing when the value does not
    /// fit.
    #[must_use]
    pub fn convert(&self, value: &Value, places: Option<u32>) -> Option<Value> {
        match self.kind {
            StateType::Label => None,
            StateType::BoolTrueFalse
            | StateType::BoolOnOff
            | StateType::BoolYesNo
            | StateType::BoolOneZero => truth(value).map(Value::Bool),
            StateType::Integer => whole(value),
            StateType::Number => number(value, places),
            StateType::Real => number(value, places)
                .and_then(|value| value.as_f64())
                .and_then(Number::from_f64)
                .map(Value::Number),
            StateType::String | StateType::Enumeration => Some(Value::String(text(value, places)?)),
            StateType::Compound => Some(value.clone()),
        }
    }

    /// How a value is shown when the plugin says nothing else.
    #[must_use]
    pub fn shown(&self, value: &Value, places: Option<u32>) -> String {
        let word = |yes: &'static str, no: &'static str| {
            let on = value.as_bool() == Some(true);
            (if on { yes } else { no }).to_owned()
        };
        match self.kind {
            StateType::BoolTrueFalse => word("true", "false"),
            StateType::BoolOnOff => word("on", "off"),
            StateType::BoolYesNo => word("yes", "no"),
            StateType::BoolOneZero => word("1", "0"),
            StateType::Enumeration => {
                let chosen = self
                    .options
                    .iter()
                    .find(|it| Some(it.value.as_str()) == value.as_str());
                match chosen {
                    Some(choice) => choice.label.clone(),
                    None => text(value, None).unwrap_or_default(),
                }
            }
            _ => text(value, places).unwrap_or_default(),
        }
    }
}

/// The room that the states of a device will take, summed up before they are built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Bytes in the store: definitions, keys and values.
    pub kept: u64,
    /// Bytes of memory while they are built: a copy of the definitions, the definitions that
    /// the device keeps, and the states.
    pub built: u64,
}

/// Bytes of a state in the store beside its texts, and of a truth value.
const STATE: u64 = 64;
/// Bytes of a choice in the store beside its texts.
const CHOICE: u64 = 32;
/// Bytes of a state, choice or truth value in memory beside its texts.
const PLACE: u64 = 192;

impl Sum {
    /// Sums up the room of these states.
    #[must_use]
    pub fn of<'a, T: Summed + 'a>(states: impl IntoIterator<Item = &'a T>) -> Self {
        let mut sum = Self::default();
        for state in states {
            state.add_to(&mut sum);
        }
        sum
    }

    fn state(&mut self, key: &str, texts: [&str; 3]) {
        let texts = texts.iter().map(|it| count(it.len()));
        let texts = texts.fold(0, u64::saturating_add);
        // The key of the definition and the key of the state.
        let key = count(key.len()).saturating_mul(2);
        let kept = texts.saturating_add(key).saturating_add(STATE);
        self.kept = self.kept.saturating_add(kept);
        let built = kept.saturating_add(PLACE).saturating_mul(2);
        self.built = self.built.saturating_add(built);
    }

    /// Each choice is a state as well, with the key of its own state in front.
    fn choice(&mut self, key: &str, value: &str, label: &str) {
        let truth = count(key.len()).saturating_add(count(value.len()));
        let texts = count(value.len()).saturating_add(count(label.len()));
        let kept = truth.saturating_add(texts).saturating_add(CHOICE);
        self.kept = self.kept.saturating_add(kept);
        let built = kept.saturating_add(PLACE).saturating_mul(2);
        self.built = self.built.saturating_add(built);
    }
}

/// A definition of a state that is summed up.
pub trait Summed {
    /// Adds the room that the state takes.
    fn add_to(&self, sum: &mut Sum);
}

impl Summed for StateDefinition {
    fn add_to(&self, sum: &mut Sum) {
        let labels = [&*self.trigger_label, &self.state_label, &self.default_value];
        sum.state(&self.key, labels);
        for choice in &self.options {
            sum.choice(&self.key, &choice.value, &choice.label);
        }
    }
}

impl Summed for definition::StateDefinition {
    fn add_to(&self, sum: &mut Sum) {
        let default = self.default_value.as_deref().unwrap_or_default();
        let labels = [&*self.trigger_label, &self.control_page_label, default];
        sum.state(&self.id, labels);
        if let definition::ValueType::Enumeration(options) = &self.value_type {
            for option in options {
                sum.choice(&self.id, &option.value, &option.label);
            }
        }
    }
}

impl From<&definition::StateDefinition> for StateDefinition {
    fn from(declared: &definition::StateDefinition) -> Self {
        use definition::{BoolType, ValueType};
        let kind = match &declared.value_type {
            ValueType::String => StateType::String,
            ValueType::Number => StateType::Number,
            ValueType::Integer => StateType::Integer,
            ValueType::Float => StateType::Real,
            ValueType::Boolean(BoolType::TrueFalse) => StateType::BoolTrueFalse,
            ValueType::Boolean(BoolType::OnOff) => StateType::BoolOnOff,
            ValueType::Boolean(BoolType::YesNo) => StateType::BoolYesNo,
            ValueType::Boolean(BoolType::OneZero) => StateType::BoolOneZero,
            ValueType::Separator => StateType::Label,
            ValueType::Enumeration(_) => StateType::Enumeration,
        };
        let options = match &declared.value_type {
            ValueType::Enumeration(options) => options.as_slice(),
            _ => &[],
        };
        let choice = |option: &definition::StateOption| Choice {
            value: option.value.clone(),
            label: option.label.clone(),
        };
        Self {
            key: declared.id.clone(),
            kind,
            trigger_label: declared.trigger_label.clone(),
            state_label: declared.control_page_label.clone(),
            disabled: false,
            options: options.iter().map(choice).collect(),
            default_value: declared.default_value.clone().unwrap_or_default(),
        }
    }
}

/// Longest text that is read as a truth value or a number, in bytes; a longer one is neither.
/// Plugins keep long texts in such places, and each is looked at again and again.
const WORD: usize = 512;

/// A truth value in one of the spellings that plugins and dialogs use.
#[must_use]
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => number.as_f64().map(|it| it != 0.0),
        Value::String(text) if text.len() > WORD => None,
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "y" | "t" | "1" | "open" | "locked" => Some(true),
            "false" | "off" | "no" | "n" | "f" | "0" | "closed" | "unlocked" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A number, from one or from its digits.
#[must_use]
pub fn figure(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() > WORD => None,
        Value::String(text) => text.trim().parse().ok().filter(|it: &f64| it.is_finite()),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<Value> {
    if let Some(value) = value.as_i64() {
        return Some(Value::from(value));
    }
    let figure = figure(value)?.trunc();
    // Beyond this a float has no exact whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "in range, and whole")]
    (figure.abs() <= EXACT).then(|| Value::from(figure as i64))
}

fn number(value: &Value, places: Option<u32>) -> Option<Value> {
    if let (Value::Number(number), None) = (value, places) {
        return Some(Value::Number(number.clone()));
    }
    if let Value::String(text) = value
        && text.len() <= WORD
        && let (Ok(whole), None) = (text.trim().parse::<i64>(), places)
    {
        return Some(Value::from(whole));
    }
    let figure = rounded(figure(value)?, places);
    if places == Some(0) {
        return whole(&Number::from_f64(figure).map(Value::Number)?);
    }
    Number::from_f64(figure).map(Value::Number)
}

/// Rounds to so many decimal places; 12 at most, more means nothing to a float.
fn rounded(value: f64, places: Option<u32>) -> f64 {
    let Some(places) = places else {
        return value;
    };
    let factor = 10_f64.powi(i32::try_from(places.min(12)).unwrap_or(12));
    let rounded = (value * factor).round() / factor;
    if rounded.is_finite() { rounded } else { value }
}

/// The text of a value as Python's `str` writes it. Only truth values differ: the server writes
/// them in lower case.
#[must_use]
pub fn text(value: &Value, places: Option<u32>) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(match (places, number.as_f64()) {
            (Some(places), Some(figure)) => {
                let places = usize::try_from(places.min(12)).unwrap_or(12);
                format!("{figure:.places$}")
            }
            _ => number.to_string(),
        }),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The values of a device's states after its list of states changed. A state that is still there
/// keeps its value where it fits, and everything else starts anew.
#[must_use]
pub fn rebuild(definitions: &[StateDefinition], old: &Map<String, Value>) -> Map<String, Value> {
    let mut states = Map::new();
    for definition in definitions {
        if definition.kind == StateType::Label {
            continue;
        }
        let key = &definition.key;
        let kept = old
            .get(key)
            .and_then(|value| definition.convert(value, None));
        let fresh = kept.is_none();
        let value = kept.unwrap_or_else(|| definition.initial());
        let shown = format!("{key}.ui");
        if let (false, Some(text)) = (fresh, old.get(&shown)) {
            states.insert(key.clone(), value.clone());
            states.insert(shown, text.clone());
        } else {
            states.insert(key.clone(), value.clone());
        }
        choices(definition, &value, &mut states);
    }
    states
}

/// The truth values that go with an enumeration: `mode.heat` for each of its words.
pub fn choices(definition: &StateDefinition, value: &Value, states: &mut Map<String, Value>) {
    if definition.kind != StateType::Enumeration {
        return;
    }
    for choice in &definition.options {
        let chosen = value.as_str() == Some(choice.value.as_str());
        let key = format!("{}.{}", definition.key, choice.value);
        states.insert(key, Value::Bool(chosen));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
