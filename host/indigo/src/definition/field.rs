//! A field of a configuration dialog.

use std::sync::Arc;

use super::named::{by_name, name_of};
use crate::bounds::count;

/// What kind of control a field is; decides what value it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text; its value is a string.
    TextField,
    /// A box to tick; its value is a boolean.
    CheckBox,
    /// One of several options; its value is the option's.
    Menu,
    /// Any number of several options; its value is a list of the options' values.
    List,
    /// Calls a method; it has no value.
    Button,
    /// Text to read; it has no value.
    Label,
    /// A line across the dialog; it has no value.
    Separator,
    /// A colour as three hexadecimal pairs with blanks between, such as `80 00 FF`.
    ColorPicker,
    /// A serial port, local or over the network: several values whose keys begin with
    /// the field's id.
    SerialPort,
}

impl FieldKind {
    /// All kinds with the name that a definition gives them, in lower case.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("textfield", Self::TextField),
        ("checkbox", Self::CheckBox),
        ("menu", Self::Menu),
        ("list", Self::List),
        ("button", Self::Button),
        ("label", Self::Label),
        ("separator", Self::Separator),
        ("colorpicker", Self::ColorPicker),
        ("serialport", Self::SerialPort),
    ];

    /// The kind of this name, whatever its case: `textField` is common.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        by_name(&Self::NAMES, name)
    }

    /// The name in a definition, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, &self)
    }

    /// Whether the field has a value of its own in the dialog's values.
    #[must_use]
    pub fn has_value(self) -> bool {
        !matches!(self, Self::Button | Self::Label | Self::Separator)
    }
}

/// One option of a menu or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the dialog's values hold when it is chosen.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// Which of the server's objects a menu or list offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectClass {
    /// `indigo.devices`.
    Devices,
    /// `indigo.triggers`.
    Triggers,
    /// `indigo.schedules`.
    Schedules,
    /// `indigo.actionGroups`.
    ActionGroups,
    /// `indigo.controlPages`.
    ControlPages,
    /// `indigo.variables`.
    Variables,
    /// `indigo.serialPorts`.
    SerialPorts,
}

impl ObjectClass {
    /// All classes with the name that a definition gives them.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("indigo.devices", Self::Devices),
        ("indigo.triggers", Self::Triggers),
        ("indigo.schedules", Self::Schedules),
        ("indigo.actionGroups", Self::ActionGroups),
        ("indigo.controlPages", Self::ControlPages),
        ("indigo.variables", Self::Variables),
        ("indigo.serialPorts", Self::SerialPorts),
    ];

    /// The class of this name, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        by_name(&Self::NAMES, name)
    }

    /// The name in a definition and the command namespace of the object store.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, &self)
    }
}

/// Where the options of a menu or list come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Options {
    /// Written in the definition.
    Fixed(Vec<Choice>),
    /// Objects of the server; value is the id, text the name.
    Objects {
        /// Which collection.
        class: ObjectClass,
        /// Filter as of the collection's iterator; empty for all.
        filter: String,
    },
    /// Asked of the plugin: `method(filter, valuesDict, typeId, targetId)`.
    Method {
        /// Name of the plugin's method.
        name: String,
        /// First argument; empty when the definition has none.
        filter: String,
        /// Asked again after each callback of a button or menu.
        dynamic_reload: bool,
    },
}

/// Shown only while another field has one of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleBinding {
    /// Id of the other field.
    pub field: String,
    /// The values by comma, as written.
    pub value: String,
}

/// Usable only while another field is ticked or has something selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnabledBinding {
    /// Id of the other field.
    pub field: String,
    /// The other way round.
    pub negate: bool,
}

/// How a field looks; the hub hands it on to whoever shows the dialog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Colour of a label's text, in lower case; empty when not given.
    pub font_color: String,
    /// `regular`, `small` or `mini`; empty when not given.
    pub font_size: String,
    /// `left`, `center` or `right`; empty when not given.
    pub align_text: String,
    /// A label starts where the controls start.
    pub align_with_control: bool,
    /// The dialog reserves room for the field even while it is not shown.
    pub always_in_height: bool,
    /// Rows of a list, at least 4.
    pub rows: u32,
}

/// One field of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Key in the dialog's values, unique in the dialog among fields that have values.
    pub id: String,
    /// The kind of control.
    pub kind: FieldKind,
    /// Value of a new dialog as written; `None` when the definition has none.
    pub default_value: Option<String>,
    /// Never shown; its value is kept.
    pub hidden: bool,
    /// Shown and not editable.
    pub read_only: bool,
    /// Masked while it is typed.
    pub secure: bool,
    /// Help text.
    pub tooltip: String,
    /// When it is shown.
    pub visible: Option<VisibleBinding>,
    /// When it can be used.
    pub enabled: Option<EnabledBinding>,
    /// Text before the control, or the label's own text.
    pub label: String,
    /// Text after the control.
    pub description: String,
    /// Text on a button.
    pub title: String,
    /// Method of the plugin that is called when a button is pressed or the value changes.
    pub callback: Option<String>,
    /// The options of a menu or list.
    pub options: Option<Options>,
    /// How it looks.
    pub layout: Layout,
    /// The file it is from, relative to `Contents`; a template's fields have the template.
    pub file: String,
    /// Line of the field in that file, from 1.
    pub line: u32,
}

/// A dialog: what `ConfigUI` and `PluginConfig` hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigUi {
    /// Address of a help page; `None` for the plugin's own.
    pub support_url: Option<String>,
    /// Fields in the order in which they are shown; those of templates in their place.
    /// Shared with the dialogs that are open.
    pub fields: Vec<Arc<Field>>,
    /// The dialog's element as XML, templates named and not put in; plugins that make
    /// dialogs of their own start from it.
    pub raw_xml: String,
}

impl Field {
    /// Bytes of memory that it takes, about.
    fn size(&self) -> u64 {
        const CHOICE: u64 = 128;
        const OWN: u64 = 1024;
        let own = [
            &self.id,
            &self.tooltip,
            &self.label,
            &self.description,
            &self.title,
            &self.file,
            &self.layout.font_color,
            &self.layout.font_size,
            &self.layout.align_text,
        ];
        let others = [
            self.default_value.as_ref(),
            self.callback.as_ref(),
            self.visible.as_ref().map(|it| &it.field),
            self.visible.as_ref().map(|it| &it.value),
            self.enabled.as_ref().map(|it| &it.field),
        ];
        let texts = own.into_iter().chain(others.into_iter().flatten());
        let texts = texts
            .map(|it| count(it.len()))
            .fold(OWN, u64::saturating_add);
        let options = match &self.options {
            None => 0,
            Some(Options::Objects { filter, .. }) => count(filter.len()),
            Some(Options::Method { name, filter, .. }) => {
                count(name.len()).saturating_add(count(filter.len()))
            }
            Some(Options::Fixed(choices)) => {
                let one = |it: &Choice| {
                    let texts = it.value.len().saturating_add(it.label.len());
                    count(texts).saturating_add(CHOICE)
                };
                choices.iter().map(one).fold(0, u64::saturating_add)
            }
        };
        texts.saturating_add(options)
    }
}

impl ConfigUi {
    /// Bytes of memory that it takes, about.
    #[must_use]
    pub fn size(&self) -> u64 {
        let fields = self.fields.iter().map(|it| it.size());
        fields.fold(count(self.raw_xml.len()), u64::saturating_add)
    }

    /// The field of this id.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&Field> {
        let mut fields = self.fields.iter();
        // A label may share its id with a control; the control is meant.
        let valued = fields.find(|field| field.id == id && field.kind.has_value());
        let found = valued.or_else(|| self.fields.iter().find(|field| field.id == id));
        found.map(AsRef::as_ref)
    }
}
