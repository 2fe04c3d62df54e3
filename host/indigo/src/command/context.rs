//! The server, the caller and the arguments that every command works with.

use std::sync::Arc;

use serde_json::Value;

use crate::action::Step;
use crate::arguments::Arguments;
use crate::caller::Caller;
use crate::change::StateChange;
use crate::database::Database;
use crate::execute;
use crate::failure::Failure;
use crate::hold::Hold;
use crate::object::Object;
use crate::server::IndigoServer;
use crate::table::{Collection, Table};
use cordon_base::account::thread_cpu;

/// The server, the caller and the arguments that every command works with.
pub(super) struct Context<'a> {
    pub(super) server: &'a Arc<IndigoServer>,
    pub(super) caller: &'a Caller,
    pub(super) arguments: Arguments,
    /// The memory that the command holds of the caller's account.
    pub(super) hold: &'a Hold,
}

impl Context<'_> {
    /// The object that the command is about.
    pub(super) fn subject(&self, table: Table) -> Result<Arc<Object>, Failure> {
        let reference = self.arguments.subject()?;
        self.server.database().get(table, &reference).cloned()
    }

    /// The device that the command is about.
    pub(super) fn device(&self) -> Result<Arc<Object>, Failure> {
        self.subject(Collection::Devices.objects())
    }

    /// The object as the caller sees it. The command has room for it already.
    pub(super) fn see(&self, object: &Object) -> Value {
        self.server.see(self.caller, object)
    }

    /// The object as the caller sees it, for which room is taken first.
    pub(super) fn show(&self, object: &Object) -> Result<Value, Failure> {
        let size = self.server.database().size(object.id);
        self.hold.take(size.shown())?;
        Ok(self.see(object))
    }

    /// Takes room for so many bytes of an answer.
    pub(super) fn room(&self, bytes: u64) -> Result<(), Failure> {
        self.hold.take(bytes)
    }

    /// Begins work on many items. The closure, called before each item, fails when the work should
    /// not go on.
    pub(super) fn patience(&self) -> impl Fn() -> Result<(), Failure> {
        let begun = thread_cpu();
        move || self.hold.ask(begun, self.caller.limits())
    }

    /// Carries out a step after the delay that the command was given.
    pub(super) fn act(&self, step: Step) -> Result<Value, Failure> {
        let delay = self.arguments.number("delay")?.unwrap_or(0.0);
        execute::begin(self.server, self.caller, step.after(delay), None)?;
        Ok(Value::Null)
    }

    /// Whether the caller may change things that belong to the owner of an object.
    pub(super) fn owns(&self, object: &Object) -> Result<(), Failure> {
        match self.caller.plugin_id() {
            Some(id) if id != object.owner() => Err(Failure::value(format!(
                "'{}' belongs to plugin '{}'; only that one may do this",
                object.name(),
                object.owner()
            ))),
            _ => Ok(()),
        }
    }

    /// Changes the object that the command is about, and takes room to show it.
    pub(super) async fn change(
        &self,
        table: Table,
        mut change: impl FnMut(&mut Object) -> Result<(), Failure>,
    ) -> Result<Arc<Object>, Failure> {
        let altered = self.alter(table, |_, object| {
            change(object)?;
            Ok(((), Vec::new()))
        });
        Ok(altered.await?.0)
    }

    /// Changes the object that the command is about. The closure also gets the earlier object, and
    /// returns the states that fire triggers.
    pub(super) async fn alter<T>(
        &self,
        table: Table,
        change: impl FnMut(&Object, &mut Object) -> Result<(T, Vec<StateChange>), Failure>,
    ) -> Result<(Arc<Object>, T), Failure> {
        let reference = self.arguments.subject()?;
        let find = |database: &Database| database.get(table, &reference).cloned();
        let hold = Some(self.hold);
        self.server.alter(self.caller, hold, find, change).await
    }

    /// Adds an object, and shows it.
    pub(super) async fn add(&self, object: Object) -> Result<Value, Failure> {
        let made = self.put(object).await?;
        Ok(self.see(&made))
    }

    /// Adds an object, and takes room to show it.
    pub(super) async fn put(&self, object: Object) -> Result<Arc<Object>, Failure> {
        let weighed = self.server.weigh(self.caller, object, Some(self.hold))?;
        let made = self.server.edit(self.caller, |edit| edit.create(weighed));
        made.await
    }
}
