//! Indigo as its plugins and its clients see it.

pub mod bundle;
pub mod definition;
pub mod info;
mod property_list;
