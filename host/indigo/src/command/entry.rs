//! The ways in which a command comes to the server, and the threads that carry it out.

use std::sync::Arc;

use serde_json::Value;

use super::{is_light, run};
use crate::arguments::Arguments;
use crate::bounds;
use crate::caller::Caller;
use crate::driven::driven;
use crate::failure::Failure;
use crate::hold::Hold;
use crate::plugin::Plugin;
use crate::server::IndigoServer;
use cordon_base::account::Account;

/// Longest arguments of a command that is carried out on the thread of its caller, in bytes.
const SMALL: usize = 4096;

impl IndigoServer {
    /// Carries out a command.
    ///
    /// `name` is the command's name in Indigo without `indigo.`, such as
    /// `variable.updateValue`; `arguments` a JSON object by the documented names.
    ///
    /// # Errors
    ///
    /// [`Failure`]; then nothing was changed.
    pub async fn command(
        self: &Arc<Self>,
        caller: &Caller,
        name: &str,
        arguments: Value,
    ) -> Result<Value, Failure> {
        let arguments = Arguments::new(arguments)?;
        let hold = Hold::new(self.account(caller));
        let _asker = hold.asker();
        if is_light(self, name, &arguments) {
            return run(self, caller, name, arguments, &hold).await;
        }
        let account = Arc::clone(self.account(caller));
        let (server, caller, name) = (Arc::clone(self), caller.clone(), name.to_owned());
        self.apart(&account, async move {
            run(&server, &caller, &name, arguments, &hold).await
        })
        .await
    }

    /// Carries out a command of a plugin, from JSON to JSON. A command that is not known to be
    /// small is done on a pool, in turn with others and at the plugin's cost.
    ///
    /// # Errors
    ///
    /// As [`Self::command`], and `command-values`.
    pub async fn command_of(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        name: String,
        text: String,
    ) -> Result<String, Failure> {
        let hold = Hold::new(&plugin.account);
        let _asker = hold.asker();
        let caller = Caller::Plugin(Arc::clone(plugin));
        let mut begun = None;
        if text.len() <= SMALL {
            let arguments = bounds::read(&text, Some(&plugin.limits), &hold)?;
            let arguments = Arguments::new(arguments)?;
            if is_light(self, &name, &arguments) {
                let done = run(self, &caller, &name, arguments, &hold).await;
                return done.map(|value| value.to_string());
            }
            begun = Some(arguments);
        }
        let (server, limits) = (Arc::clone(self), plugin.limits.clone());
        self.apart(&plugin.account, async move {
            let arguments = match begun {
                Some(arguments) => arguments,
                None => Arguments::new(bounds::read(&text, Some(&limits), &hold)?)?,
            };
            drop(text);
            let done = run(&server, &caller, &name, arguments, &hold).await?;
            Ok(done.to_string())
        })
        .await
    }

    /// Does work that may be long on the pool of commands.
    async fn apart<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        driven(&self.pools.commands, account, work)
            .await
            .unwrap_or_else(|error| Err(Failure::other(error.to_string())))
    }
}
