//! A state of a device type, and what triggers can be made of it.

use super::named::by_name;

/// How a boolean is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoolType {
    /// True and False.
    #[default]
    TrueFalse,
    /// On and Off.
    OnOff,
    /// Yes and No.
    YesNo,
    /// 1 and 0.
    OneZero,
}

impl BoolType {
    /// All types with the name that a definition gives them.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("TrueFalse", Self::TrueFalse),
        ("OnOff", Self::OnOff),
        ("YesNo", Self::YesNo),
        ("OneZero", Self::OneZero),
    ];

    /// The type of this name, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        by_name(&Self::NAMES, name)
    }

    /// What people read for a value.
    #[must_use]
    pub fn text(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::TrueFalse, true) => "True",
            (Self::TrueFalse, false) => "False",
            (Self::OnOff, true) => "On",
            (Self::OnOff, false) => "Off",
            (Self::YesNo, true) => "Yes",
            (Self::YesNo, false) => "No",
            (Self::OneZero, true) => "1",
            (Self::OneZero, false) => "0",
        }
    }
}

/// One value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateOption {
    /// The value, as the plugin sets it.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// What a state holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueType {
    /// Text.
    String,
    /// A number with or without decimals.
    Number,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Float,
    /// True or false.
    Boolean(BoolType),
    /// No value: a line between states.
    Separator,
    /// One of several texts.
    Enumeration(Vec<StateOption>),
}

/// A state as defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDefinition {
    /// Key in the device's states.
    pub id: String,
    /// What it holds.
    pub value_type: ValueType,
    /// Text in the trigger editor.
    pub trigger_label: String,
    /// Text before an option's label in the trigger editor; enumerations only.
    pub trigger_label_prefix: String,
    /// Text in the page editor.
    pub control_page_label: String,
    /// Text before an option's label in the page editor; enumerations only.
    pub control_page_label_prefix: String,
    /// Marked as not settable; the original makes no use of it.
    pub read_only: bool,
    /// Value of a new device as written; not documented, and seen in two plugins.
    pub default_value: Option<String>,
    /// Line in `Devices.xml`, from 1.
    pub line: u32,
}

/// A boolean that an enumeration brings with it: `mode.heat` is true while `mode` is
/// `heat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedState {
    /// Key in the device's states, `STATE.OPTION`.
    pub key: String,
    /// The option at which it is true.
    pub option: String,
    /// Text in the trigger editor.
    pub trigger_label: String,
    /// Text in the page editor.
    pub control_page_label: String,
}

/// What a trigger can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// A boolean turns true.
    BecomesTrue,
    /// A boolean turns false.
    BecomesFalse,
    /// The value becomes a given one.
    BecomesEqual,
    /// The value becomes another than a given one.
    BecomesNotEqual,
    /// The number rises over a given one.
    BecomesGreaterThan,
    /// The number falls under a given one.
    BecomesLessThan,
    /// Any change.
    Changes,
}

impl Condition {
    /// The member of `indigo.kStateChange`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BecomesTrue => "BecomesTrue",
            Self::BecomesFalse => "BecomesFalse",
            Self::BecomesEqual => "BecomesEqual",
            Self::BecomesNotEqual => "BecomesNotEqual",
            Self::BecomesGreaterThan => "BecomesGreaterThan",
            Self::BecomesLessThan => "BecomesLessThan",
            Self::Changes => "Changes",
        }
    }
}

/// One line of the trigger editor's popup for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerChoice {
    /// The state's key; that of a derived state for an option of an enumeration.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What can be waited for; empty for a separator.
    pub conditions: Vec<Condition>,
}

impl StateDefinition {
    /// The booleans that come with an enumeration; none for other states.
    #[must_use]
    pub fn derived(&self) -> Vec<DerivedState> {
        let ValueType::Enumeration(options) = &self.value_type else {
            return Vec::new();
        };
        let derive = |option: &StateOption| DerivedState {
            key: format!("{}.{}", self.id, option.value),
            option: option.value.clone(),
            trigger_label: prefixed(
                &self.trigger_label_prefix,
                &self.trigger_label,
                &option.label,
            ),
            control_page_label: prefixed(
                &self.control_page_label_prefix,
                &self.control_page_label,
                &option.label,
            ),
        };
        options.iter().map(derive).collect()
    }

    /// What triggers can be made of this state: the state itself, then its derived ones.
    #[must_use]
    pub fn trigger_choices(&self) -> Vec<TriggerChoice> {
        use Condition::{
            BecomesEqual, BecomesFalse, BecomesGreaterThan, BecomesLessThan, BecomesNotEqual,
            BecomesTrue, Changes,
        };
        let conditions = match &self.value_type {
            ValueType::Boolean(_) => vec![BecomesTrue, BecomesFalse, Changes],
            ValueType::Number | ValueType::Integer | ValueType::Float => vec![
                BecomesEqual,
                BecomesNotEqual,
                BecomesGreaterThan,
                BecomesLessThan,
                Changes,
            ],
            ValueType::String => vec![BecomesEqual, BecomesNotEqual, Changes],
            // Each option has a line of its own.
            ValueType::Enumeration(_) => vec![Changes],
            ValueType::Separator => Vec::new(),
        };
        let mut choices = vec![TriggerChoice {
            key: self.id.clone(),
            label: self.trigger_label.clone(),
            conditions,
        }];
        choices.extend(self.derived().into_iter().map(|derived| TriggerChoice {
            key: derived.key,
            label: derived.trigger_label,
            conditions: vec![BecomesTrue, BecomesFalse, Changes],
        }));
        choices
    }
}

/// The label of an enumeration's option: with its prefix, or with the state's label where
/// the definition has no prefix, so that options of two states can be told apart.
fn prefixed(prefix: &str, label: &str, option: &str) -> String {
    let before = if prefix.is_empty() { label } else { prefix };
    if before.is_empty() {
        option.to_owned()
    } else {
        format!("{before} {option}")
    }
}
