//! Domoticz as its plugins and its clients see it.
//!
//! [`framework`] is the part of an instance that is Domoticz': its life, and the interfaces of the
//! contract for its plugins alone. All other code knows the store, never a plugin's component, and
//! reaches a plugin through the traits that these modules declare. [`connection`] carries the
//! traffic of plugins; [`web`] is the HTTP API.
//!
//! Section and rule numbers in this folder are those of the behaviour specification.

mod abi;
pub mod announcement;
pub mod calibration;
mod capability;
pub mod catalogue;
pub mod color;
pub mod command;
pub mod config;
pub mod configuration;
pub mod connection;
mod convert;
pub mod definition;
mod delivery;
pub mod device;
pub mod event;
pub mod favorites;
pub mod framework;
pub mod history;
pub mod house;
mod icons;
pub mod image;
pub mod kind;
mod life;
mod manifest;
pub mod notification;
pub mod options;
pub mod parameters;
mod picture;
pub mod preferences;
mod requests;
mod row;
pub mod rule;
pub mod schema;
pub mod security;
pub mod set_point;
mod state;
pub mod table;
mod things;
pub mod topics;
mod value;
pub mod variables;
pub mod web;

pub use delivery::Deliver;
pub use device::{Change, Device, DeviceError, DeviceLimits, NewDevice, ValueUpdate};
pub use event::{DeliverError, HardwareInfo, HubEvent, Level, Plugins};
pub use framework::Domoticz;
pub use house::House;
pub use notification::Notification;
pub use schema::SCHEMA;
pub use security::Security;
pub use table::{DeviceTable, Notice, Reading, Row, Shown, Updated};
