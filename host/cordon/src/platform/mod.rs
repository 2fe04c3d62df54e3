//! What each original hub means by device, hardware, command and setting.
//!
//! One folder per hub. Code here knows the store, never a plugin's component: what
//! reaches a plugin goes through the traits these modules declare.

pub mod domoticz;
pub mod indigo;
