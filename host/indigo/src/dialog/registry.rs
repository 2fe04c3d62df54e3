//! The dialogs that are open.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::{
    CALLBACK, Dialog, DialogError, Pairs, Saved, Shown, ShownField, Subject, Values, binding,
    draft, open, options, reply, save, values,
};
use crate::definition::{Field, FieldKind};
use crate::driven::driven;
use crate::failure::Failure;
use crate::plugin::{Answer, Answered, Plugin, Returned};
use crate::server::IndigoServer;
use cordon_base::account::Account;

/// Dialogs that can be open at a time.
pub const MAX_OPEN: usize = 64;
/// After this time without a request a dialog is cancelled when its place is needed.
const IDLE: Duration = Duration::from_secs(3600);

struct Entry {
    account: Arc<Account>,
    dialog: Arc<Turn<Dialog>>,
    used: Instant,
    /// The device that goes with it when it is not saved.
    draft: Option<i64>,
}

/// The open dialogs of a server.
pub struct Dialogs {
    server: Arc<IndigoServer>,
    open: Mutex<HashMap<String, Entry>>,
}

impl Dialogs {
    /// No dialogs yet.
    #[must_use]
    pub fn new(server: Arc<IndigoServer>) -> Self {
        Self {
            server,
            open: Mutex::default(),
        }
    }

    /// Does what a dialog needs, its answer included, on the pool of commands: it is as
    /// large as the plugin makes it, so it is done in turn with others and at its cost.
    ///
    /// # Errors
    /// [`DialogError::Refused`] when the pool has no thread for it.
    pub async fn apart<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, DialogError> {
        driven(&self.server.pools.commands, account, work)
            .await
            .map_err(|error| Failure::other(error.to_string()).into())
    }

    /// Whoever pays for the dialogs of a plugin.
    ///
    /// # Errors
    /// [`DialogError::Missing`] when there is no such plugin.
    pub fn account_of(&self, plugin: &str) -> Result<Arc<Account>, DialogError> {
        self.plugin(plugin).map(|it| Arc::clone(&it.account))
    }

    /// Whoever pays for an open dialog.
    ///
    /// # Errors
    /// [`DialogError::NotOpen`].
    pub fn account(&self, id: &str) -> Result<Arc<Account>, DialogError> {
        let entries = self.entries();
        let entry = entries.get(id).ok_or_else(|| not_open(id))?;
        Ok(Arc::clone(&entry.account))
    }

    /// Opens a dialog of a plugin.
    ///
    /// # Errors
    /// [`DialogError`] when plugin, type or object are not there, the plugin does not
    /// answer, what it makes of the dialog cannot be read, or too many are open.
    pub async fn open(&self, plugin: &str, subject: Subject) -> Result<Shown, DialogError> {
        for forgotten in self.forgotten() {
            draft::delete(&self.server, forgotten).await;
        }
        let plugin = self.plugin(plugin)?;
        if self.count() >= MAX_OPEN {
            return Err(DialogError::TooMany);
        }
        let subject = draft::made(&self.server, &plugin, subject).await?;
        let device = subject.1;
        let opened = open::open(&self.server, &plugin, subject).await;
        let opened = opened.and_then(|(dialog, errors)| self.enlist(dialog, errors));
        if opened.is_err() {
            draft::delete(&self.server, device).await;
        }
        opened
    }

    fn enlist(&self, dialog: Dialog, errors: Map<String, Value>) -> Result<Shown, DialogError> {
        let id = fresh_id();
        let shown = show(&id, &dialog, errors);
        let entry = Entry {
            account: Arc::clone(&shown.account),
            draft: dialog.draft,
            dialog: Arc::new(Turn::new(dialog)),
            used: Instant::now(),
        };
        let mut entries = self.entries();
        if entries.len() >= MAX_OPEN {
            return Err(DialogError::TooMany);
        }
        entries.insert(id, entry);
        Ok(shown)
    }

    /// What a dialog shows with these values entered; calls nothing of the plugin.
    ///
    /// # Errors
    /// [`DialogError`] when it is not open or a value has the wrong type.
    pub fn enter(&self, id: &str, sent: &Values) -> Result<Shown, DialogError> {
        let mut dialog = self.take(id)?;
        let Dialog { ui, values, .. } = &mut *dialog;
        values::take(ui, sent, values)?;
        dialog.pay()?;
        Ok(show(id, &dialog, Map::new()))
    }

    /// Presses a button, or tells that a field with a method was changed.
    ///
    /// # Errors
    /// [`DialogError`] also when the field has no method or cannot be used, and when the
    /// plugin raised; the dialog stays open.
    pub async fn press(&self, id: &str, field: &str, sent: &Values) -> Result<Shown, DialogError> {
        let mut dialog = self.take(id)?;
        let plugin = self.plugin(&dialog.plugin)?;
        let Dialog { ui, values, .. } = &mut *dialog;
        values::take(ui, sent, values)?;
        // A label may share its id with a button.
        let found = ui
            .fields
            .iter()
            .find(|it| it.id == field && it.callback.is_some());
        let Some((found, method)) = found.and_then(|it| Some((it, it.callback.clone()?))) else {
            return Err(DialogError::Missing(format!(
                "the dialog has no field `{field}` with a `<CallbackMethod>`"
            )));
        };
        let visible = binding::Bindings::new(ui, values).visible(found);
        if !visible || !binding::enabled(found, values) {
            return Err(DialogError::Wrong(format!(
                "the field `{field}` cannot be used now"
            )));
        }
        let name = format!("plugin.{method}");
        let arguments = dialog.subject.button_arguments(&dialog.values);
        // Paid for until the dialog pays.
        let Some(Returned { value, charge }) = ask(&plugin, &name, &arguments).await? else {
            return Err(DialogError::Missing(format!(
                "the plugin has no method `{method}`, which its definition names"
            )));
        };
        let (new, errors) = reply::values(value);
        if let Some(new) = new {
            values::check_size(&new)?;
            dialog.values = new;
            let Dialog { ui, values, .. } = &mut *dialog;
            values::add_defaults(ui, values);
        }
        options::fill(&self.server, &plugin, &mut dialog, true).await?;
        drop(charge);
        Ok(show(id, &dialog, errors))
    }

    /// Saves a dialog: asks the plugin, keeps the values, tells the plugin, closes it.
    /// With `execute` an action is executed at once; a menu item always is.
    ///
    /// # Errors
    /// [`DialogError`]; the dialog stays open.
    pub async fn save(&self, id: &str, sent: &Values, execute: bool) -> Result<Saved, DialogError> {
        let mut dialog = self.take(id)?;
        let plugin = self.plugin(&dialog.plugin)?;
        let Dialog { ui, values, .. } = &mut *dialog;
        values::take(ui, sent, values)?;
        // What the plugin answered is paid for until this is over.
        let (verdict, _charge) = save::validate(&plugin, &dialog).await?;
        if let Some(new) = verdict.values {
            values::check_size(&new)?;
            dialog.values = new;
            dialog.pay()?;
        }
        if !verdict.accepted {
            return Ok(Saved::No(Box::new(show(id, &dialog, verdict.errors))));
        }
        let kept = save::keep(&self.server, &plugin, &dialog, execute).await?;
        save::closed(&plugin, &dialog, false, kept.object).await;
        let values = dialog.values.clone();
        drop(dialog);
        self.entries().remove(id);
        Ok(Saved::Yes {
            values,
            object: kept.object,
            step: kept.step,
            result: kept.result,
        })
    }

    /// Cancels a dialog and tells the plugin.
    ///
    /// # Errors
    /// [`DialogError`] when it is not open or busy.
    pub async fn cancel(&self, id: &str) -> Result<(), DialogError> {
        let dialog = self.take(id)?;
        self.entries().remove(id);
        if let Ok(plugin) = self.plugin(&dialog.plugin) {
            save::closed(&plugin, &dialog, true, None).await;
        }
        draft::delete(&self.server, dialog.draft).await;
        Ok(())
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries().len()
    }

    /// Forgets dialogs that nobody used for long, if room is wanted; their devices.
    fn forgotten(&self) -> Vec<Option<i64>> {
        let mut entries = self.entries();
        if entries.len() < MAX_OPEN {
            return Vec::new();
        }
        let old = entries.extract_if(|_, entry| entry.used.elapsed() >= IDLE);
        old.map(|(_, entry)| entry.draft).collect()
    }

    fn plugin(&self, id: &str) -> Result<Arc<Plugin>, DialogError> {
        let found = self.server.plugin(id);
        found.ok_or_else(|| DialogError::Missing(format!("there is no plugin `{id}`")))
    }

    /// A dialog for one request; a second one meanwhile is refused, because the plugin
    /// may take a minute.
    fn take(&self, id: &str) -> Result<OwnedMutexGuard<Dialog>, DialogError> {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(id) else {
            return Err(not_open(id));
        };
        entry.used = Instant::now();
        let turn = Arc::clone(&entry.dialog).try_lock_owned();
        turn.map_err(|_| DialogError::Busy)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_open(id: &str) -> DialogError {
    DialogError::NotOpen(id.chars().take(40).collect())
}

/// A name that nobody guesses: two hashes with keys from the system.
fn fresh_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

fn show(id: &str, dialog: &Dialog, mut errors: Map<String, Value>) -> Shown {
    let alert = reply::alert(&mut errors);
    let known: HashMap<&str, &Arc<Pairs>> = dialog
        .options
        .iter()
        .map(|(field, pairs)| (field.as_str(), pairs))
        .collect();
    // A label may share its id with a list.
    let options = |field: &Field| {
        let has = matches!(field.kind, FieldKind::Menu | FieldKind::List);
        has.then(|| {
            known
                .get(field.id.as_str())
                .copied()
                .cloned()
                .unwrap_or_default()
        })
    };
    let mut bindings = binding::Bindings::new(&dialog.ui, &dialog.values);
    let fields = dialog.ui.fields.iter().map(|field| ShownField {
        visible: bindings.visible(field),
        enabled: binding::enabled(field, &dialog.values),
        options: options(field),
        field: Arc::clone(field),
    });
    Shown {
        account: Arc::clone(dialog.charge.account()),
        id: id.to_owned(),
        title: dialog.title.clone(),
        button: dialog.button.clone(),
        support_url: dialog.ui.support_url.clone(),
        fields: fields.collect(),
        values: dialog.values.clone(),
        errors,
        alert,
    }
}

/// Calls a function of a plugin; `None` when it has none.
pub(super) async fn ask(
    plugin: &Plugin,
    name: &str,
    arguments: &Value,
) -> Result<Option<Returned>, DialogError> {
    let Answered { answer, charge } = plugin.call(name, arguments, CALLBACK).await?;
    match answer {
        Answer::Returned(value) => Ok(Some(Returned { value, charge })),
        Answer::NotDefined => Ok(None),
        Answer::Raised(detail) => Err(DialogError::Raised {
            callback: name.to_owned(),
            detail,
        }),
    }
}

/// The same where raising is as good as having none: the dialog opens all the same.
pub(super) async fn ask_or_nothing(
    plugin: &Plugin,
    name: &str,
    arguments: &Value,
) -> Result<Option<Returned>, DialogError> {
    match ask(plugin, name, arguments).await {
        Err(DialogError::Raised { .. }) => Ok(None),
        other => other,
    }
}
