//! The operator's commands about hardware that was added through the API.

use std::sync::Arc;

use super::{Inner, Manager, definition, section};
use crate::hub::command::{command, failed, refused};
use cordon_base::grants::Grants;
use cordon_control::operator::{Action, OperatorError};
use cordon_runtime::instance::supervisor::Handle;
use cordon_store::ManagedHardware;

/// Hardware, and its actor unless it is disabled or cannot be made.
pub(in crate::hub) type Operated = (ManagedHardware, Option<Arc<Handle>>);

impl Manager {
    /// All hardware, by id.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Failed`] when the store cannot be read.
    pub(in crate::hub) async fn operated(&self) -> Result<Vec<Operated>, OperatorError> {
        let inner = &self.inner;
        let stored = inner.hardware.domoticz.store.managed_hardware().await;
        let stored = stored.map_err(failed)?;
        let running = inner.running.lock().await;
        let with_actor = |it: ManagedHardware| {
            let handle = running.get(&it.id).cloned();
            (it, handle)
        };
        Ok(stored.into_iter().map(with_actor).collect())
    }

    /// Does this with the hardware of this name; nothing when there is none.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; the hardware is as it was.
    pub(in crate::hub) async fn act(
        &self,
        name: &str,
        action: Action,
    ) -> Option<Result<(), OperatorError>> {
        let (found, _) = match self.named(name).await {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        Some(self.inner.act(found.id, action).await)
    }

    /// The grants of the hardware of this name; nothing when there is none.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Failed`] when they cannot be read.
    pub(in crate::hub) async fn grants(&self, name: &str) -> Result<Option<Grants>, OperatorError> {
        let Some((found, _)) = self.named(name).await? else {
            return Ok(None);
        };
        let decided = self.inner.decided(found.id).await;
        decided
            .map(|decided| Some(decided.grants))
            .map_err(OperatorError::Failed)
    }

    /// Stores the grants of the hardware of this name, and starts it anew with them, unless it is
    /// disabled or stopped. False when there is no such hardware.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; the grants are as they were, or are stored and the hardware does not run.
    pub(in crate::hub) async fn set_grants(
        &self,
        name: &str,
        grants: &Grants,
    ) -> Result<bool, OperatorError> {
        let Some((found, _)) = self.named(name).await? else {
            return Ok(false);
        };
        let text = serde_json::to_string(grants).map_err(failed)?;
        let inner = &self.inner;
        let _turn = inner.turns.take(found.id).await;
        let hardware = inner.stored(found.id).await?;
        let store = &inner.hardware.domoticz.store;
        store.decide_grants(found.id, text).await.map_err(failed)?;
        if hardware.enabled {
            inner.start_anew(&hardware).await?;
        }
        Ok(true)
    }

    async fn named(&self, name: &str) -> Result<Option<Operated>, OperatorError> {
        let all = self.operated().await?;
        Ok(all.into_iter().find(|(it, _)| it.name == name))
    }
}

impl Inner {
    async fn act(&self, id: u32, action: Action) -> Result<(), OperatorError> {
        let _turn = self.turns.take(id).await;
        let hardware = self.stored(id).await?;
        let name = &hardware.name;
        let store = &self.hardware.domoticz.store;
        if !hardware.enabled && action != Action::Stop {
            return Err(refused(format!(
                "`{name}` is disabled; enable the hardware through the API, and it starts"
            )));
        }
        let running = self.running.lock().await.get(&id).cloned();
        match running {
            Some(handle) if action != Action::Reload => {
                let grace = self.hardware.maker.services.grace;
                command(store, &handle.remote(), action, grace).await
            }
            _ => {
                // Also when it does not run, for the next start of the hub.
                let stopped = action == Action::Stop;
                store.decide_stopped(id, stopped).await.map_err(failed)?;
                if stopped {
                    return Ok(());
                }
                self.start_anew(&hardware).await
            }
        }
    }

    /// The hardware with this id as it is stored now.
    async fn stored(&self, id: u32) -> Result<ManagedHardware, OperatorError> {
        let stored = self.hardware.domoticz.store.managed_hardware().await;
        let stored = stored.map_err(failed)?;
        let found = stored.into_iter().find(|it| it.id == id);
        found.ok_or_else(|| OperatorError::Missing("this hardware was removed".to_owned()))
    }

    /// Reads the plugin of the hardware and starts it, in the place of its former actor. To be
    /// called with the turn of its id.
    async fn start_anew(&self, hardware: &ManagedHardware) -> Result<(), OperatorError> {
        let catalogue = self.library.look().await;
        // All that may fail comes before the former one has ended.
        let fits = async {
            let definition = definition(&catalogue, &hardware.key)?;
            let decided = self.decided(hardware.id).await?;
            let section = section(hardware, definition, &decided);
            let spec = self.hardware.spec(hardware.id, &section, definition);
            spec.map(drop).map_err(|error| error.to_string())
        };
        fits.await.map_err(OperatorError::Refused)?;
        self.stop_one(hardware.id).await;
        match self.start(hardware, &catalogue).await {
            Ok(()) => {
                self.problems.forget_section(&hardware.name);
                Ok(())
            }
            Err(problem) => {
                self.refuse(&hardware.name, problem.clone());
                Err(refused(problem))
            }
        }
    }
}
