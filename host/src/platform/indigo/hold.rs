//! What a command holds of somebody's account while it is carried out.

use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;
use crate::account::{Account, Charge};

/// Memory of an account that is given back when this is dropped. It grows while an answer
/// is made, before each part of it.
pub struct Hold {
    account: Arc<Account>,
    charge: Mutex<Option<Charge>>,
}

impl Hold {
    /// Nothing yet.
    #[must_use]
    pub fn new(account: &Arc<Account>) -> Self {
        Self {
            account: Arc::clone(account),
            charge: Mutex::default(),
        }
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`.
    pub fn take(&self, bytes: u64) -> Result<(), Failure> {
        let mut charge = self.charge.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *charge {
            Some(charge) => charge.grow(bytes)?,
            none => *none = Some(self.account.charge(bytes)?),
        }
        Ok(())
    }

    /// Whose account it is.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}
