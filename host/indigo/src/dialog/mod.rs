//! Configuration dialogs: open, change, press buttons, save or cancel.
//!
//! A dialog is what a definition's `ConfigUI` says, or what the plugin's
//! `get...ConfigUiXml` makes of it, with values from the defaults, from what was saved
//! and from the plugin's `get...ConfigUiValues`. Every callback gets all values and may
//! return others. Saving asks the plugin's validation first. The callbacks run in the
//! plugin like all others, one at a time; who talks to the dialog waits for them.

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

/// How long a plugin may take for one callback of a dialog: some search the network for
/// devices.
pub const CALLBACK: Duration = Duration::from_secs(60);

/// Most bytes of a dialog's values, as JSON.
pub const MAX_VALUES: usize = 1 << 20;

/// Values of a dialog by field id, and whatever else was saved with them.
pub type Values = Map<String, Value>;

/// Value and label of each option of a menu or list.
pub type Pairs = Vec<(String, String)>;

/// A dialog as its user sees it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Names the open dialog.
    pub id: String,
    /// Text above it.
    pub title: String,
    /// Text on the button that saves it.
    pub button: String,
    /// Help page.
    pub support_url: Option<String>,
    /// The fields with what they show now.
    pub fields: Vec<ShownField>,
    /// All values.
    pub values: Values,
    /// Texts about fields that are wrong, by field id.
    pub errors: Map<String, Value>,
    /// A text to show before everything else.
    pub alert: Option<String>,
    /// Whoever pays for it.
    pub account: Arc<Account>,
}

/// A field as its user sees it.
#[derive(Debug, Clone)]
pub struct ShownField {
    /// The definition.
    pub field: Arc<Field>,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether it can be used.
    pub enabled: bool,
    /// The options of a menu or list, value and label; `None` where it is neither.
    pub options: Option<Arc<Pairs>>,
}

/// How saving ended.
#[derive(Debug, Clone)]
pub enum Saved {
    /// It was accepted.
    Yes {
        /// The values as saved.
        values: Values,
        /// The device, trigger or whatever else has them now.
        object: Option<i64>,
        /// Which step of it has them, if it has steps.
        step: Option<usize>,
        /// What an executed action or menu item returned.
        result: Option<Value>,
    },
    /// The plugin refused; the dialog stays open.
    No(Box<Shown>),
}

/// Why something with a dialog did not work.
#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    /// No open dialog has this name; it was closed, or forgotten after a while.
    #[error("there is no open dialog `{0}`; open it again")]
    NotOpen(String),
    /// Too many are open.
    #[error("{MAX_OPEN} dialogs are open; close one")]
    TooMany,
    /// What was asked for is not there.
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
        /// In which callback.
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

/// How often a dialog is held while it is shown, beside its text: as it is open, as it is
/// shown, and as what a callback gets or returns.
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
    /// What definition, values and options take of the plugin's account.
    charge: Charge,
}

impl Dialog {
    /// Takes what definition, values and options need now from the plugin's account.
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
