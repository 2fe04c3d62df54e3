//! An object on its way into the database: written, weighed and paid for before anybody
//! has to wait for it.

use std::sync::Arc;

use super::bounds::Measure;
use super::failure::Failure;
use super::object::Object;
use cordon_base::account::{Account, Charge};

/// The size of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of memory, about.
    pub memory: u64,
    /// Bytes of its text in the store.
    pub weight: u64,
}

impl Size {
    fn of(text: &str) -> Self {
        Self {
            memory: Measure::of(text).memory(),
            weight: super::bounds::count(text.len()),
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            memory: self.memory.saturating_sub(other.memory),
            weight: self.weight.saturating_sub(other.weight),
        }
    }
}

/// Bytes that the name of a part takes in the store beside its letters.
const NAMED: u64 = 16;

/// The part of an object that counts for another plugin than the object does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Id of that plugin.
    pub plugin: String,
    /// The size of its part.
    pub size: Size,
}

/// Bytes of attributes that follow from others when an object is shown.
const DERIVED: u64 = 16 << 10;

impl Size {
    /// Bytes of memory of an object as somebody sees it, and of its text on the way there. The
    /// properties of a plugin stand in an object up to three times.
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
    pub(super) shares: Vec<Share>,
    pub(super) charge: Option<Charge>,
    /// Whether the store has the object in this form.
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

    /// Charges the object to the account of the plugin that it counts for.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`.
    pub fn pay(&mut self, account: &Arc<Account>) -> Result<(), Failure> {
        let own = self.own();
        let bytes = own.memory.saturating_add(own.weight);
        self.charge = Some(account.charge(bytes)?);
        Ok(())
    }

    /// The size of the object without the parts that count for others.
    pub(super) fn own(&self) -> Size {
        own(self.size(), &self.shares)
    }

    /// The size of the object.
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
        let shares = object.parts_of_others().map(|(plugin, part)| {
            let mut size = Size::of(&part);
            let name = super::bounds::count(plugin.len()).saturating_add(NAMED);
            size.weight = size.weight.saturating_add(name);
            let plugin = plugin.to_owned();
            Share { plugin, size }
        });
        Self {
            shares: shares.collect(),
            object,
            text,
            memory,
            charge: None,
            stored: true,
        }
    }
}

/// The size of an object without the parts that count for others.
pub(super) fn own(size: Size, shares: &[Share]) -> Size {
    shares.iter().fold(size, |left, it| left.less(it.size))
}
