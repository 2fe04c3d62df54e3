//! A plugin that is behind: changes and restarts that it is told of later.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::backlog::{Backlog, Taken};
use super::restarts::Verdict;
use super::{CATCH_UP, CallError, Plugin};
use crate::change::What;
use crate::object::Object;
use cordon_base::limits::Limits;
use cordon_base::log::Level;

/// How long a restart waits for room in the inbox.
const AGAIN: Duration = Duration::from_secs(1);

/// How long changes that are held wait for room in the plugin's account before they are tried again.
/// Nothing tells when an account has room.
const ROOM: Duration = Duration::from_millis(200);

impl Plugin {
    /// Whether a change has to wait, because earlier ones do or the inbox is full.
    pub(crate) fn is_behind(&self) -> bool {
        !self.backlog().is_empty() || self.port().is_some_and(|port| port.room() == 0)
    }

    /// Holds a change until there is room for it.
    pub(crate) fn hold(self: &Arc<Self>, what: &What, memory: u64) {
        let held = {
            let mut backlog = self.backlog();
            backlog.hold(what, memory, &self.account, self.limits.held_changes)
        };
        if let Err(hit) = held {
            self.log.limit(&hit);
        }
        // The plugin may have made room meanwhile, and then nothing else would wake it.
        if self.port().is_some_and(|port| port.room() > 0) {
            self.wake();
        }
    }

    /// Calls the plugin to take the changes that are held, unless it was called already.
    fn wake(self: &Arc<Self>) {
        if std::mem::replace(&mut self.backlog().called, true) {
            return;
        }
        match self.send(CATCH_UP, &"{}".into()) {
            Ok(()) => {}
            Err(CallError::Busy(_)) => {
                self.woken();
                self.wake_later();
            }
            Err(_) => self.forget_changes(),
        }
    }

    /// Calls the plugin in a moment to take the changes that are held. The plugin looks after each
    /// call in its inbox; but its account may be full while its inbox is empty.
    fn wake_later(self: &Arc<Self>) {
        if std::mem::replace(&mut self.backlog().again, true) {
            return;
        }
        let plugin = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(ROOM).await;
            let Some(plugin) = plugin.upgrade() else {
                return;
            };
            plugin.backlog().again = false;
            if !plugin.backlog().is_empty() {
                plugin.wake();
            }
        });
    }

    /// Refuses a call that another plugin has caused when the inbox is half full: the other half is
    /// the operator's, the server's, and the plugin's own. `sender` is the id of that other plugin,
    /// empty for none.
    pub(crate) fn admit(&self, sender: &str) -> Result<(), CallError> {
        let room = self.port().map_or(u64::MAX, |port| port.room());
        match sender.is_empty() || sender == self.id() || room > self.limits.inbox / 2 {
            true => Ok(()),
            false => Err(CallError::Busy(self.id().to_owned())),
        }
    }

    /// Notes that the plugin looks for changes that are held.
    pub(crate) fn woken(&self) {
        self.backlog().called = false;
    }

    /// The next of the changes that were held, as long as half of the inbox is free.
    pub(crate) fn take_held(&self) -> Option<Taken> {
        let port = self.port()?;
        if port.room() <= self.limits.inbox / 2 {
            return None;
        }
        self.backlog().take()
    }

    /// Tells the plugin of a change that was held. False when there is no room for it yet.
    pub(crate) fn tell_held(
        self: &Arc<Self>,
        taken: Taken,
        name: &str,
        arguments: &Arc<str>,
    ) -> bool {
        let bytes = u64::try_from(arguments.len()).unwrap_or(u64::MAX);
        let told = self.send(name, arguments);
        // A change that can never be told is lost; the log has the limit.
        if matches!(told, Err(CallError::Busy(_))) && bytes <= self.limits.inbox_bytes {
            self.backlog().put_back(taken);
            self.wake_later();
            return false;
        }
        drop(taken);
        let merged = self.backlog().told();
        if let Some(merged) = merged {
            let line = format!(
                "{merged} changes of objects came while too many waited for the plugin; each was \
                 told with the next one of its object"
            );
            self.log.hub(Level::Warning, &line);
        }
        true
    }

    /// Forgets the changes that were held.
    pub(super) fn forget_changes(&self) {
        let held = std::mem::take(&mut *self.backlog());
        drop(held);
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of the plugin's objects may be restarted now because it changed. If not, the
    /// plugin is called when it may.
    pub(crate) fn may_restart_object(self: &Arc<Self>, object: &Object) -> bool {
        let most = self.limits.object_restarts;
        match self.restarts.take(object.id, most) {
            Verdict::Now => true,
            Verdict::Waits => false,
            Verdict::After(time) => {
                let used = most.saturating_add(1);
                let hit = Limits::hit("restarts-per-minute", used, most);
                self.log.limit(&hit);
                let line = format!(
                    "'{}' is changed so often that it is not restarted each time; a plugin that \
                     changes a property whenever the object starts has it restarted for ever",
                    object.name()
                );
                self.log.hub(Level::Warning, &line);
                let life = self.life.load(Ordering::Acquire);
                tokio::spawn(restart_later(Arc::downgrade(self), life, object.id, time));
                false
            }
        }
    }
}

/// Has an object restarted after this time, in the same life of the plugin.
async fn restart_later(plugin: Weak<Plugin>, life: u64, id: i64, time: Duration) {
    let arguments: Arc<str> = serde_json::json!({ "id": id }).to_string().into();
    let mut wait = time;
    loop {
        tokio::time::sleep(wait).await;
        let plugin = plugin.upgrade();
        let same = |it: &Arc<Plugin>| it.life.load(Ordering::Acquire) == life;
        let Some(plugin) = plugin.filter(same) else {
            return;
        };
        plugin.restarts.waited(id);
        wait = match plugin.restarts.take(id, plugin.limits.object_restarts) {
            Verdict::After(longer) => longer,
            Verdict::Waits => return,
            Verdict::Now => match plugin.send("restartHeldBack", &arguments) {
                Err(CallError::Busy(_)) => AGAIN,
                Ok(()) | Err(_) => return,
            },
        };
    }
}
