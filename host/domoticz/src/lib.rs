//! Domoticz as its plugins and its clients see it.
//!
//! Code here knows the store, never a plugin's component. A plugin is reached through the
//! traits that these modules declare. [`connection`] carries the traffic of plugins; [`web`] is
//! the HTTP API.
//!
//! Section and rule numbers in this folder are those of the behaviour specification.

pub mod calibration;
pub mod catalogue;
pub mod color;
pub mod command;
pub mod connection;
pub mod definition;
pub mod device;
pub mod event;
pub mod favorites;
pub mod history;
pub mod house;
mod icons;
pub mod image;
pub mod kind;
mod manifest;
pub mod notification;
pub mod options;
pub mod parameters;
mod picture;
pub mod preferences;
mod row;
pub mod rule;
pub mod security;
pub mod set_point;
pub mod table;
mod value;
pub mod variables;
pub mod web;

pub use device::{Change, Device, DeviceError, DeviceLimits, NewDevice, ValueUpdate};
pub use event::{DeliverError, HardwareInfo, HubEvent, Level, Plugins};
pub use house::House;
pub use notification::Notification;
pub use security::Security;
pub use table::{DeviceTable, Notice, Reading, Row, Shown, Updated};
