//! What a trigger, a schedule or an action group does: one step after the other.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One step. The JSON is the action object of the object model with its class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Class of the action, such as `indigo.DeviceAction`.
    pub class: String,
    /// Seconds from the event to the step.
    #[serde(default, rename = "delayAmount")]
    pub delay: f64,
    /// Whether it takes the place of one that waits already, of the same step.
    #[serde(default, rename = "replaceExisting")]
    pub replace: bool,
    /// Everything else, by the attribute names of the class.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}
