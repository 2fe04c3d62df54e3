//! What a command holds of somebody's account while it is carried out.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::failure::Failure;
use cordon_base::account::{Account, Charge, thread_cpu};
use cordon_base::limits::Limits;

/// Memory of an account that is given back when this is dropped. It grows while an answer
/// is made, before each part of it.
pub struct Hold {
    account: Arc<Account>,
    charge: Mutex<Option<Charge>>,
    /// Gone when nobody waits for the command any more.
    asker: OnceLock<Weak<()>>,
}

impl Hold {
    /// Nothing yet.
    #[must_use]
    pub fn new(account: &Arc<Account>) -> Self {
        Self {
            account: Arc::clone(account),
            charge: Mutex::default(),
            asker: OnceLock::new(),
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

    /// Whoever waits for the command keeps this; when it is dropped the command may end.
    #[must_use]
    pub fn asker(&self) -> Arc<()> {
        let asker = Arc::new(());
        // A command has one who waits for it.
        let _ = self.asker.set(Arc::downgrade(&asker));
        asker
    }

    /// Asks, in the middle of work that this thread began at a computing time of `begun`,
    /// whether to go on.
    ///
    /// # Errors
    ///
    /// Nobody waits any more, or the work alone takes longer than a callback may.
    pub fn ask(&self, begun: Duration, limits: Option<&Limits>) -> Result<(), Failure> {
        let gone = |asker: &Weak<()>| asker.strong_count() == 0;
        if self.asker.get().is_some_and(gone) {
            return Err(Failure::other("nobody waits for this command any more"));
        }
        let Some(limits) = limits else {
            return Ok(());
        };
        let spent = thread_cpu().saturating_sub(begun).as_millis();
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        if spent < limits.callback_cpu {
            return Ok(());
        }
        Err(Limits::hit("callback-cpu", spent, limits.callback_cpu).into())
    }

    /// Whose account it is.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn work_goes_on_while_somebody_waits_and_for_so_long_as_a_callback_may() {
        let limits = Limits {
            callback_cpu: 5,
            ..Limits::default()
        };
        let hold = Hold::new(&Account::new(&limits));
        let begun = thread_cpu();
        hold.ask(begun, None).unwrap();
        let asker = hold.asker();
        while thread_cpu().saturating_sub(begun) < Duration::from_millis(6) {}
        hold.ask(begun, None).unwrap();
        let failure = hold.ask(begun, Some(&limits)).unwrap_err();
        assert_eq!(failure.limit.unwrap().which, "callback-cpu");
        drop(asker);
        assert!(hold.ask(begun, None).is_err());
    }
}
