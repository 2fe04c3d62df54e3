//! Configuration dialogs: opens, changes, saves and cancels them, and presses their buttons.
//!
//! A dialog comes from a definition's `ConfigUI`, which the plugin's `get...ConfigUiXml` may
//! replace. Its values come from the defaults, from the values that were saved, and from the
//! plugin's `get...ConfigUiValues`. Every callback gets all values and may return others. Saving
//! asks the plugin's validation first. The callbacks run in the plugin like all others, one at a
//! time, and whoever uses the dialog waits for them.

mod binding;
mod draft;
mod open;
mod options;
mod registry;
mod reply;
mod save;
mod step;
mod subject;
#[cfg(test)]
mod tests;
mod values;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::bounds::{count, map_footprint};
use super::definition::{ConfigUi, Field};
use super::failure::Failure;
use super::plugin::CallError;
use cordon_base::account::{Account, Charge};

pub use registry::{Dialogs, MAX_OPEN};
pub use step::Place;
pub use subject::Subject;
pub use values::add_stated_defaults;

/// How long a plugin may take for one callback of a dialog. Some search the network for devices.
pub const CALLBACK: Duration = Duration::from_secs(60);

/// Most bytes of a dialog's values, as JSON.
pub const MAX_VALUES: usize = 1 << 20;

/// Values of a dialog by field id, with everything else that was saved beside them.
pub type Values = Map<String, Value>;

/// Value and label of each option of a menu or list.
pub type Pairs = Vec<(String, String)>;

/// A dialog as its user sees it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Name of the open dialog.
    pub id: String,
    /// Text above the dialog.
    pub title: String,
    /// Text on the button that saves the dialog.
    pub button: String,
    /// Help page.
    pub support_url: Option<String>,
    /// The fields as they are shown now.
    pub fields: Vec<ShownField>,
    /// All values.
    pub values: Values,
    /// Texts about fields that are wrong, by field id.
    pub errors: Map<String, Value>,
    /// A text to show before everything else.
    pub alert: Option<String>,
    /// The account that pays for the dialog.
    pub account: Arc<Account>,
}

/// A field as its user sees it.
#[derive(Debug, Clone)]
pub struct ShownField {
    /// The definition.
    pub field: Arc<Field>,
    /// Whether the field is shown.
    pub visible: bool,
    /// Whether the field can be used.
    pub enabled: bool,
    /// The options of a menu or list, value and label; `None` where it is neither.
    pub options: Option<Arc<Pairs>>,
}

/// The outcome of saving.
#[derive(Debug, Clone)]
pub enum Saved {
    /// The plugin accepted the values.
    Yes {
        /// The values as saved.
        values: Values,
        /// The object that has the values now, such as a device or a trigger.
        object: Option<i64>,
        /// The step of the object that has the values, if it has steps.
        step: Option<usize>,
        /// The answer of an executed action or menu item.
        result: Option<Value>,
    },
    /// The plugin refused; the dialog stays open.
    No(Box<Shown>),
}

/// The reason why something with a dialog did not work.
#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    /// No open dialog has this name; it was closed, or forgotten after a while.
    #[error("there is no open dialog `{0}`; open it again")]
    NotOpen(String),
    /// Too many dialogs are open.
    #[error("{MAX_OPEN} dialogs are open; close one")]
    TooMany,
    /// Something that the request names is not there.
    #[error("{0}")]
    Missing(String),
    /// The request is wrong.
    #[error("{0}")]
    Wrong(String),
    /// Another request works with the dialog.
    #[error("the dialog is busy with a callback; wait for it")]
    Busy,
    /// The plugin could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The plugin raised.
    #[error("the plugin raised in {callback}; its log has the traceback")]
    Raised {
        /// Name of the callback.
        callback: String,
        /// Type, message and traceback, as the plugin's runtime told them.
        detail: Value,
    },
    /// The server refused to save.
    #[error(transparent)]
    Refused(#[from] Failure),
}

/// Bytes of an option beside its texts.
const OPTION: u64 = 128;

/// How many times a dialog is held while it is shown, beside its text: as it is open, as it is
/// shown, and as an argument or answer of a callback.
const SHOWN: u64 = 3;

/// A dialog's definition and the subject it is about.
#[derive(Debug)]
struct Dialog {
    plugin: String,
    subject: Subject,
    ui: ConfigUi,
    title: String,
    button: String,
    values: Values,
    /// Options of the menus and lists by field id.
    options: Vec<(String, Arc<Pairs>)>,
    /// The device that was made for it.
    draft: Option<i64>,
    /// Room for the definition, values and options in the plugin's account.
    charge: Charge,
}

impl Dialog {
    /// Adjusts the charge to the room that the definition, values and options need now.
    ///
    /// # Errors
    ///
    /// The limit `host-memory` of the plugin.
    fn pay(&mut self) -> Result<(), DialogError> {
        let options = self.options.iter().map(|(_, pairs)| size(pairs));
        let values = map_footprint(&self.values);
        let fields = self.ui.size();
        let bytes = options
            .fold(values.saturating_add(fields), u64::saturating_add)
            .saturating_mul(SHOWN);
        match bytes.checked_sub(self.charge.bytes()) {
            Some(more) => self.charge.grow(more).map_err(Failure::from)?,
            None => self.charge.shrink_to(bytes),
        }
        Ok(())
    }
}

/// Bytes that options take.
fn size(pairs: &[(String, String)]) -> u64 {
    let one = |(value, label): &(String, String)| {
        let texts = value.len().saturating_add(label.len());
        count(texts).saturating_add(OPTION)
    };
    pairs.iter().map(one).fold(0, u64::saturating_add)
}
