//! The machine goes to sleep and wakes up: what plugins are told of it.
//!
//! The hub cannot know when its machine is about to sleep, so somebody has to say so
//! before and after: the operator, or a hook of the system. A plugin is told once for
//! each sleep, and is woken only if it was put to sleep in its present life.

use std::sync::Arc;
use std::time::Duration;

use super::plugin::{Answer, Plugin};
use super::server::IndigoServer;
use cordon_base::log::Level;

/// How long all plugins together are waited for; a machine that wants to sleep does not
/// wait for long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What came of telling a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It has done what it does then.
    Done,
    /// It raised; its log has the traceback.
    Raised,
    /// It has not come to an end in time; it goes on by itself.
    Late,
    /// It has too much to do, or was stopped meanwhile.
    Lost,
}

impl Told {
    /// One word for answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Raised => "raised",
            Self::Late => "late",
            Self::Lost => "lost",
        }
    }
}

impl IndigoServer {
    /// Calls `prepareToSleep` of every plugin that runs and is awake, all at the same time,
    /// and waits for them, [`PATIENCE`] at most. What came of it, by plugin id.
    pub async fn prepare_to_sleep(&self) -> Vec<(String, Told)> {
        self.tell_all("prepareToSleep", true, PATIENCE).await
    }

    /// The same with `wakeUp`, for those that were put to sleep. What came due meanwhile is
    /// executed.
    pub async fn wake_up(&self) -> Vec<(String, Told)> {
        self.timers.changed.notify_one();
        self.tell_all("wakeUp", false, PATIENCE).await
    }

    async fn tell_all(
        &self,
        name: &'static str,
        asleep: bool,
        patience: Duration,
    ) -> Vec<(String, Told)> {
        let plugins = self.plugins().into_iter();
        let wanted: Vec<_> = plugins
            .filter(|plugin| plugin.running() && plugin.put_to_sleep(asleep))
            .collect();
        self.events().record(
            None,
            Level::Status,
            format!("{name}: {} plugins are told", wanted.len()),
        );
        // Each in a task of its own, which goes on when nobody waits any more: a call that
        // is given up would be left out, and the plugin would be woken without having slept.
        let end = tokio::time::Instant::now() + patience;
        let telling: Vec<_> = wanted
            .into_iter()
            .map(|plugin| (plugin.id().to_owned(), tokio::spawn(tell(plugin, name))))
            .collect();
        let mut told = Vec::with_capacity(telling.len());
        for (id, task) in telling {
            let answer = match tokio::time::timeout_at(end, task).await {
                Ok(answer) => answer.unwrap_or(Told::Lost),
                Err(_) => Told::Late,
            };
            told.push((id, answer));
        }
        told
    }
}

async fn tell(plugin: Arc<Plugin>, name: &'static str) -> Told {
    let answer = match plugin.start(name, &Arc::from("{}")) {
        Ok(answer) => answer.await,
        Err(error) => {
            plugin.log.hub(Level::Error, &format!("{name}: {error}"));
            return Told::Lost;
        }
    };
    match answer.map(|it| it.answer) {
        Ok(Answer::Raised(_)) => Told::Raised,
        Ok(Answer::Returned(_) | Answer::NotDefined) => Told::Done,
        Err(_) => Told::Lost,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fixture::{Fixture, ID};
    use super::*;

    async fn fixture(answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Fixture {
        Fixture::new(&[], move |name, _| answer(name)).await
    }

    #[tokio::test]
    async fn each_sleep_is_told_once_and_only_a_sleeper_is_woken() {
        let fixture = fixture(|_| Some(Answer::Returned(Value::Null))).await;
        let server = &fixture.server;
        assert_eq!(server.wake_up().await, []);
        let done = [(ID.to_owned(), Told::Done)];
        assert_eq!(server.prepare_to_sleep().await, done);
        assert_eq!(server.prepare_to_sleep().await, []);
        assert_eq!(server.wake_up().await, done);
        assert_eq!(fixture.names(), ["prepareToSleep", "wakeUp"]);
        // One that was started anew is awake.
        server.prepare_to_sleep().await;
        fixture.plugin.reset();
        assert_eq!(server.wake_up().await, []);
    }

    #[tokio::test]
    async fn one_that_does_not_run_is_left_alone() {
        let fixture = Fixture::with(&[], false, |_, _| None).await;
        assert_eq!(fixture.server.prepare_to_sleep().await, []);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_allowed() {
        let fixture = fixture(|_| None).await;
        let brief = Duration::from_millis(50);
        let told = fixture.server.tell_all("prepareToSleep", true, brief).await;
        assert_eq!(told, [(ID.to_owned(), Told::Late)]);
        // It may have begun, so it is woken.
        fixture.server.tell_all("wakeUp", false, brief).await;
        assert_eq!(fixture.names(), ["prepareToSleep", "wakeUp"]);
    }

    #[tokio::test]
    async fn what_it_raises_is_told() {
        let fixture = fixture(|_| Some(Answer::Raised(Value::Null))).await;
        let told = fixture.server.prepare_to_sleep().await;
        assert_eq!(told, [(ID.to_owned(), Told::Raised)]);
    }
}
