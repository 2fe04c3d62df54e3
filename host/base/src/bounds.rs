//! Bounds on what plugins bring: files that lie in the plugins folder or in a bundle.
//!
//! The one place where they are declared; `docs/limits.md` is made from the table. They
//! are the same for every plugin and no configuration changes them, because they hold
//! before there is an instance. What is beyond one is refused with a line in the log, and
//! the rest of the hub goes on. Enforcement is the business of the readers.

/// One bound as declared.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Where it holds.
    pub of: &'static str,
    /// What is counted.
    pub meaning: &'static str,
    /// The most that is taken.
    pub most: usize,
}

macro_rules! bounds {
    ($($of:literal: { $($(#[doc = $meaning:literal])+ $name:ident = $value:expr;)+ })+) => {
        $($($(#[doc = $meaning])+ pub const $name: usize = $value;)+)+

        /// All bounds, in the order of the documentation.
        pub const BOUNDS: &[Bound] = &[$($(Bound {
            of: $of,
            meaning: concat!($($meaning),+),
            most: $name,
        },)+)+];
    };
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

bounds! {
    "plugins folder": {
        /// entries that are looked at
        FOLDERS = 4096;
        /// seconds that one folder or bundle may take to be read, before it is left alone
        FOLDER_SECONDS = 5;
        /// seconds that all folders together may take, before the rest is left for the next time
        FOLDERS_SECONDS = 20;
        /// folders that do not come back from the system, before no further one is read
        HUNG_FOLDERS = 8;
        /// bytes of all definitions together
        CATALOGUE_BYTES = 64 * MIB;
    }
    "`plugin.py`": {
        /// bytes of a file that is run
        SOURCE_BYTES = 16 * MIB;
        /// bytes from its start in which a definition is looked for
        SEARCHED_BYTES = 4 * MIB;
    }
    "definition in a `plugin.py`": {
        /// bytes from its first to its last line
        DEFINITION_BYTES = 512 * KIB;
        /// plugins in one file
        DEFINITION_PLUGINS = 16;
        /// elements
        DEFINITION_ELEMENTS = 10_000;
        /// elements in elements
        DEFINITION_DEPTH = 32;
        /// attributes of all elements
        DEFINITION_ATTRIBUTES = 20_000;
        /// attributes of one element
        ELEMENT_ATTRIBUTES = 64;
        /// bytes of an attribute's value
        ATTRIBUTE_BYTES = 16 * KIB;
        /// parameters of a plugin
        PARAMETERS = 64;
        /// options of a parameter
        PARAMETER_OPTIONS = 1000;
        /// bytes of a description
        DESCRIPTION_BYTES = 64 * KIB;
        /// tags in a description; one that has more is not shown
        DESCRIPTION_TAGS = 2000;
        /// tags in a description, multiplied by those of them that set type, such as `<b>`
        DESCRIPTION_WORK = 100_000;
    }
    "`Info.plist`": {
        /// bytes
        INFO_BYTES = MIB;
        /// values, keys counted
        INFO_VALUES = 10_000;
        /// values in values
        INFO_DEPTH = 16;
        /// bytes of all values, as often as they are named
        INFO_TEXT = 2 * MIB;
    }
    "XML of a bundle": {
        /// bytes of one file, or of a dialog that the plugin makes
        XML_BYTES = 4 * MIB;
        /// elements in one file
        XML_ELEMENTS = 50_000;
        /// elements in elements
        XML_DEPTH = 32;
        /// attributes of one element
        XML_ATTRIBUTES = 64;
        /// bytes of all files, a template as often as it is named
        XML_ALL_BYTES = 8 * MIB;
        /// elements and attributes of all files, counted the same way
        XML_ALL_NODES = 200_000;
        /// templates that are named, however often each
        TEMPLATES = 1000;
        /// templates in templates
        TEMPLATE_DEPTH = 8;
        /// device types, actions, events or menu items
        DEFINITIONS = 5000;
        /// states of a device type
        DECLARED_STATES = 1000;
        /// options of a state
        DECLARED_OPTIONS = 1000;
        /// fields of a dialog
        FIELDS = 1000;
        /// options of a list in a dialog
        OPTIONS = 5000;
        /// bytes of an id, of the name of a method, and of an option of a state
        ID_BYTES = 256;
        /// bytes of the name of a device type, action, event or menu item, and of a text of a state
        LABEL_BYTES = 1024;
        /// bytes of any other attribute's value, and of the text of any element
        TEXT_BYTES = 16 * KIB;
        /// values of a field at which another one is shown
        BINDING_VALUES = 256;
        /// bytes of all dialogs, written as XML for plugins that start from it
        DIALOG_BYTES = 8 * MIB;
    }
    "other files": {
        /// bytes of a `requirements.txt`
        REQUIREMENTS_BYTES = MIB;
        /// entries of a folder in which a file or a module is looked for
        ENTRIES = 10_000;
    }
}

/// The table as Markdown, for `docs/limits.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "\n## Bounds on what plugins bring\n\nFiles that lie in the plugins folder or in a bundle \
         are read before there is an instance to charge. These bounds hold for all of them, and \
         no configuration changes them; declared in `host/base/src/bounds.rs`. What is beyond \
         one is refused with a line in the log, and everything else goes on.\n\n\
         | of | at most | what is counted |\n|---|---|---|\n",
    );
    for bound in BOUNDS {
        text.push_str(&format!(
            "| {} | {} |{} |\n",
            bound.of, bound.most, bound.meaning
        ));
    }
    text
}
