//! An object on its way into the database: written, weighed and paid for before anybody
//! has to wait for it.

use std::sync::Arc;

use super::bounds::Measure;
use super::failure::Failure;
use super::object::Object;
use cordon_base::account::{Account, Charge};

/// What an object takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of memory, about.
    pub memory: u64,
    /// Bytes of its text in the store.
    pub weight: u64,
}

/// Bytes of what follows from other attributes when an object is shown.
const DERIVED: u64 = 16 << 10;

impl Size {
    /// Bytes of memory of an object as somebody sees it, and of its text on the way there:
    /// the properties of a plugin stand in it up to three times.
    #[must_use]
    pub fn shown(self) -> u64 {
        self.memory
            .saturating_add(self.weight)
            .saturating_mul(3)
            .saturating_add(DERIVED)
    }
}

/// An object with its text in the store.
pub struct Weighed {
    pub(super) object: Object,
    pub(super) text: Arc<str>,
    pub(super) memory: u64,
    pub(super) charge: Option<Charge>,
    /// Whether the store has it so.
    pub(super) stored: bool,
}

impl Weighed {
    /// Writes an object; nobody has paid for it yet.
    #[must_use]
    pub fn new(object: Object) -> Self {
        Self {
            stored: false,
            ..Self::loaded(object)
        }
    }

    /// Takes what it needs from the account of whoever it counts for.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`.
    pub fn pay(&mut self, account: &Arc<Account>) -> Result<(), Failure> {
        let size = self.size();
        let bytes = size.memory.saturating_add(size.weight);
        self.charge = Some(account.charge(bytes)?);
        Ok(())
    }

    /// What it takes.
    #[must_use]
    pub fn size(&self) -> Size {
        Size {
            memory: self.memory,
            weight: super::bounds::count(self.text.len()),
        }
    }

    /// An object that the store has already.
    #[must_use]
    pub fn loaded(object: Object) -> Self {
        let text: Arc<str> = object.to_json().into();
        let memory = Measure::of(&text).memory();
        Self {
            object,
            text,
            memory,
            charge: None,
            stored: true,
        }
    }
}
