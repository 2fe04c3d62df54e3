//! Opens a dialog: reads its definition and the saved values, and lets the plugin change both.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::registry::ask_or_nothing;
use super::{Dialog, DialogError, Subject, Values, options, reply, step, values};
use crate::definition::{ConfigUi, Definitions, MenuDialog, Source};
use crate::failure::Failure;
use crate::plugin::{Plugin, Returned};
use crate::preferences;
use crate::server::IndigoServer;
use cordon_base::account::Charge;
use cordon_base::bounds::FIELDS;
use cordon_base::log::Level;

/// Opens a dialog about a subject, and about the device that was made for the dialog. The plugin
/// may give texts at once about fields that it finds wrong.
pub(super) async fn open(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    (subject, draft): (Subject, Option<i64>),
) -> Result<(Dialog, Map<String, Value>), DialogError> {
    let subject = step::resolved(server, plugin, subject)?;
    let (saved, before) = saved(server, plugin, &subject).await?;
    let mut found = defined(plugin, &subject)?;
    let mut charge = plugin.account.charge(0).map_err(Failure::from)?;
    if let Some((ui, room)) = made(server, plugin, &subject).await? {
        (found.ui, charge) = (ui, room);
    }
    // Only plugins that make dialogs need the XML, and this dialog is made already.
    found.ui.raw_xml = String::new();
    let fields = found.ui.fields.len();
    if fields > FIELDS {
        return Err(DialogError::Wrong(format!(
            "the dialog has {fields} fields, {FIELDS} are allowed"
        )));
    }
    let own = found.ui.support_url.take();
    let fallback = plugin.bundle.info.support_url.clone();
    found.ui.support_url = own.or(found.support_url).or(fallback);
    let (name, arguments) = subject.values_call(&saved);
    let answer = ask_or_nothing(plugin, name, &arguments).await?;
    let (answer, answered) = answer.map_or((None, None), |it| (Some(it.value), it.charge));
    let (prepared, errors) = answer.map(reply::values).unwrap_or_default();
    let mut dialog = Dialog {
        plugin: plugin.id().to_owned(),
        ui: found.ui,
        title: found.title,
        button: found.button,
        values: prepared.unwrap_or(saved),
        options: Vec::new(),
        subject,
        draft,
        charge,
    };
    values::add_defaults(&dialog.ui, &mut dialog.values);
    values::check_size(&dialog.values)?;
    options::fill(server, plugin, &mut dialog, false).await?;
    // The dialog has paid for the data that it keeps.
    drop((before, answered));
    Ok((dialog, errors))
}

/// A dialog as the definition has it.
struct Defined {
    ui: ConfigUi,
    title: String,
    button: String,
    support_url: Option<String>,
}

fn defined(plugin: &Plugin, subject: &Subject) -> Result<Defined, DialogError> {
    let all = &plugin.bundle.definitions;
    let missing =
        |what: &str, id: &str| DialogError::Missing(format!("the plugin defines no {what} `{id}`"));
    let save = || "Save".to_owned();
    match subject {
        Subject::Device { type_id, .. } => {
            let found = all.devices.find(type_id);
            let found = found.ok_or_else(|| missing("device type", type_id))?;
            Ok(Defined {
                ui: found.config_ui.clone().unwrap_or_default(),
                title: found.name.clone(),
                button: save(),
                support_url: all.devices.support_url.clone(),
            })
        }
        Subject::Action { type_id, .. } => {
            let found = all.actions.find(type_id);
            let found = found.ok_or_else(|| missing("action", type_id))?;
            Ok(Defined {
                ui: found.config_ui.clone().unwrap_or_default(),
                title: found.name.clone(),
                button: save(),
                support_url: all.actions.support_url.clone(),
            })
        }
        Subject::Event { type_id, .. } => {
            let found = all.events.find(type_id);
            let found = found.ok_or_else(|| missing("event", type_id))?;
            Ok(Defined {
                ui: found.config_ui.clone().unwrap_or_default(),
                title: found.name.clone(),
                button: save(),
                support_url: all.events.support_url.clone(),
            })
        }
        Subject::Menu { item } => menu(all, item).ok_or_else(|| missing("menu item", item)),
        Subject::Preferences => {
            let config = all.config.clone().unwrap_or_default();
            if let Some(url) = config.url {
                let text = format!("the plugin is configured on a page: {url}");
                return Err(DialogError::Missing(text));
            }
            Ok(Defined {
                ui: config.config_ui,
                title: plugin.bundle.info.display_name.clone(),
                button: save(),
                support_url: None,
            })
        }
        Subject::Factory { .. } => {
            let none =
                || DialogError::Missing("the plugin defines no `<DeviceFactory>`".to_owned());
            let factory = all.devices.factory.clone().ok_or_else(none)?;
            let named = Some(factory.button_title).filter(|title| !title.is_empty());
            Ok(Defined {
                ui: factory.config_ui,
                title: factory.name,
                button: named.unwrap_or_else(save),
                support_url: all.devices.support_url.clone(),
            })
        }
    }
}

fn menu(all: &Definitions, item: &str) -> Option<Defined> {
    let found = all.menu_item(item)?;
    let ui = match &found.dialog {
        MenuDialog::None => ConfigUi::default(),
        MenuDialog::Own(ui) => ui.clone(),
        MenuDialog::Action(action) => {
            let action = all.actions.find(action)?;
            action.config_ui.clone().unwrap_or_default()
        }
    };
    // Without a method there is nothing to execute.
    let button = match found.callback {
        Some(_) => found.button_title.clone(),
        None => "Close".to_owned(),
    };
    Some(Defined {
        ui,
        title: found.name.clone(),
        button,
        support_url: None,
    })
}

/// The definition that the plugin makes of the dialog's own, and its charge to the plugin's account
/// until the dialog pays. `None` when the plugin leaves the dialog as it is.
async fn made(
    server: &IndigoServer,
    plugin: &Arc<Plugin>,
    subject: &Subject,
) -> Result<Option<(ConfigUi, Charge)>, DialogError> {
    let Some((name, arguments)) = subject.xml_call() else {
        return Ok(None);
    };
    let answer = ask_or_nothing(plugin, name, &arguments).await?;
    let Some(Returned {
        value: Value::String(text),
        charge: answered,
    }) = answer
    else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let bundle = &plugin.bundle;
    let source = Source::new(&bundle.contents, &bundle.server_plugin);
    // A dialog is a few times as large as the text that it is made of.
    let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let charge = plugin.account.charge(size.saturating_mul(8));
    let charge = charge.map_err(|hit| DialogError::Wrong(hit.to_string()))?;
    // Templates are files.
    let files = &server.pools.files;
    let log = plugin.log.clone();
    let read = files.run(&plugin.account, move || {
        let read = ConfigUi::from_xml(&text, name, &source);
        let read = read.map(|(ui, faults)| {
            for fault in faults {
                log.hub(Level::Warning, &fault.to_string());
            }
            ui
        });
        drop((text, answered));
        (read, charge)
    });
    match read.await {
        Ok((Ok(ui), charge)) => Ok(Some((ui, charge))),
        Ok((Err(problem), _)) => Err(DialogError::Wrong(format!(
            "what the plugin returned is no dialog: {problem}"
        ))),
        Err(error) => Err(DialogError::Wrong(format!(
            "what the plugin returned could not be read: {error}"
        ))),
    }
}

/// The values that were saved when the dialog was open the last time. Where the plugin has told
/// them, they come with their charge to the plugin's account.
async fn saved(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    subject: &Subject,
) -> Result<(Values, Option<Charge>), DialogError> {
    let values = match subject {
        Subject::Event { trigger: 0, .. } => Values::new(),
        Subject::Device { device, .. } => object(server, plugin, *device, "device")?,
        Subject::Event { trigger, .. } => object(server, plugin, *trigger, "trigger")?,
        Subject::Action { props, .. } => {
            values::check_size(props)?;
            props.clone()
        }
        Subject::Menu { .. } | Subject::Factory { .. } => Values::new(),
        Subject::Preferences => {
            let answer = ask_or_nothing(plugin, "pluginPrefs", &json!({})).await?;
            if let Some(Returned {
                value: Value::Object(prefs),
                charge,
            }) = answer
            {
                return Ok((prefs, charge));
            }
            let plugin = Arc::clone(plugin);
            let account = Arc::clone(&plugin.account);
            let read = server.pools.files.run(&account, move || {
                let most = plugin.limits.stored_bytes;
                preferences::load(&plugin.data, plugin.id(), most)
            });
            match read.await {
                Ok(Ok(prefs)) => prefs,
                // The plugin's log has had the reason since the plugin's start.
                Ok(Err(_)) | Err(_) => Values::new(),
            }
        }
    };
    Ok((values, None))
}

/// The plugin's own properties of one of its objects.
fn object(
    server: &IndigoServer,
    plugin: &Plugin,
    id: i64,
    noun: &str,
) -> Result<Values, DialogError> {
    let database = server.database();
    let found = database.any(id).filter(|object| {
        object.owner() == plugin.id()
            && !object.table.folders
            && object.table.collection.noun() == noun
    });
    let Some(found) = found else {
        let text = format!("there is no {noun} {id} of this plugin");
        return Err(DialogError::Missing(text));
    };
    Ok(found.props(plugin.id()).cloned().unwrap_or_default())
}
