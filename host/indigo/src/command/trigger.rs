//! `indigo.trigger`, and the namespaces in which triggers of each class are made.

use serde_json::{Map, Value, json};

use super::{Context, action_group, common, unknown};
use crate::bounds::{COMPARED, KEY, short};
use crate::failure::Failure;
use crate::keys::check_keys;
use crate::object::Object;
use crate::state::text;
use crate::table::Collection;
use crate::trigger::{event, execute, merge};
use crate::view::class;
use crate::webhook;

const TABLE: Collection = Collection::Triggers;

/// A class of triggers: its namespace, its Python class, and its attributes with their first
/// values.
struct Class {
    namespace: &'static str,
    python: &'static str,
    fields: &'static [(&'static str, Start)],
}

/// The first value of an attribute.
enum Start {
    Text(&'static str),
    Zero,
}

use Start::{Text, Zero};

const CLASSES: [Class; 10] = [
    Class {
        namespace: "devStateChange",
        python: "indigo.DeviceStateChangeTrigger",
        fields: &[
            ("deviceId", Zero),
            ("stateChangeType", Text("Changes")),
            ("stateSelector", Text("OnOffState")),
            ("stateSelectorIndex", Zero),
            ("stateValue", Text("")),
        ],
    },
    Class {
        namespace: "varValueChange",
        python: "indigo.VariableValueChangeTrigger",
        fields: &[
            ("variableId", Zero),
            ("variableChangeType", Text("Changes")),
            ("variableValue", Text("")),
        ],
    },
    Class {
        namespace: "pluginEvent",
        python: "indigo.PluginEventTrigger",
        fields: &[("pluginId", Text("")), ("pluginTypeId", Text(""))],
    },
    Class {
        namespace: "serverStartup",
        python: "indigo.ServerStartupTrigger",
        fields: &[],
    },
    Class {
        namespace: "powerFail",
        python: "indigo.PowerFailureTrigger",
        fields: &[],
    },
    Class {
        namespace: "interfaceFail",
        python: "indigo.InterfaceFailureTrigger",
        fields: &[],
    },
    Class {
        namespace: "interfaceInit",
        python: "indigo.InterfaceInitializedTrigger",
        fields: &[],
    },
    Class {
        namespace: "emailRcvd",
        python: "indigo.EmailReceivedTrigger",
        fields: &[
            ("emailFilter", Text("AnyEmail")),
            ("emailFrom", Text("")),
            ("emailSubject", Text("")),
        ],
    },
    Class {
        namespace: "insteonCmdRcvd",
        python: "indigo.InsteonCommandReceivedTrigger",
        fields: &[
            ("command", Text("On")),
            ("commandSourceType", Text("AnyDevice")),
            ("deviceId", Zero),
            ("buttonOrGroup", Zero),
        ],
    },
    Class {
        namespace: "x10CmdRcvd",
        python: "indigo.X10CommandReceivedTrigger",
        fields: &[
            ("command", Text("On")),
            ("commandSourceType", Text("AnyDevice")),
            ("deviceId", Zero),
            ("address", Text("")),
            ("avButton", Text("")),
        ],
    },
];

/// Whether a namespace has its commands here.
pub(super) fn is_namespace(namespace: &str) -> bool {
    namespace == "trigger" || CLASSES.iter().any(|it| it.namespace == namespace)
}

pub(super) async fn run(
    context: Context<'_>,
    namespace: &str,
    command: &str,
) -> Result<Value, Failure> {
    let made = CLASSES.iter().find(|it| it.namespace == namespace);
    match (command, made) {
        ("create", Some(class)) => create(&context, class).await,
        ("execute", _) => execute_now(&context),
        ("replaceOnServer", _) => replace(context).await,
        ("setActions", _) => action_group::set_actions(&context, TABLE).await,
        ("getActions", _) => action_group::get_actions(&context, TABLE),
        _ => match common::run(&context, TABLE, command).await {
            Some(done) => done,
            None => Err(unknown(&format!("{namespace}.{command}"))),
        },
    }
}

/// The attributes of a class from the arguments.
fn own(context: &Context<'_>, class: &Class) -> Result<Map<String, Value>, Failure> {
    let mut own = Map::new();
    for (key, start) in class.fields {
        let given = context.arguments.given(key).cloned();
        let value = match (given, start) {
            (Some(value), Text(_)) => written(key, value)?,
            (Some(value), Zero) => Value::from(id(context, key, &value)?),
            (None, Text(text)) => Value::from(*text),
            (None, Zero) => Value::from(0),
        };
        own.insert((*key).to_owned(), value);
    }
    Ok(own)
}

/// The text of a value to compare with. It is text whatever type it has where the trigger is made.
/// It is also short, because each change of the watched object is compared with it.
fn written(key: &str, value: Value) -> Result<Value, Failure> {
    let most = match key {
        "stateValue" | "variableValue" => COMPARED,
        "stateSelector" | "stateChangeType" | "variableChangeType" => KEY,
        _ => return Ok(value),
    };
    if let Value::String(text) = &value {
        short(key, text, most)?;
        return Ok(value);
    }
    match key {
        "stateValue" | "variableValue" => Ok(text(&value, None).map_or(value, Value::from)),
        _ => Ok(value),
    }
}

/// The id in an argument that may be a name as well.
fn id(context: &Context<'_>, key: &str, value: &Value) -> Result<i64, Failure> {
    let collection = match key {
        "deviceId" => Collection::Devices,
        "variableId" => Collection::Variables,
        _ => {
            return value
                .as_i64()
                .ok_or_else(|| Failure::wrong_type(format!("{key} must be an int")));
        }
    };
    let reference = crate::database::reference(value)?;
    let database = context.server.database();
    Ok(database.get(collection.objects(), &reference)?.id)
}

async fn create(context: &Context<'_>, class: &Class) -> Result<Value, Failure> {
    let arguments = &context.arguments;
    let name = arguments.needed_text("name")?;
    let folder = common::folder_id(context, TABLE, arguments.given("folder"))?;
    let description = arguments.text("description")?.unwrap_or("");
    let mut fields = common::fields(name, description, folder);
    let enabled = arguments.flag("enabled")?.unwrap_or(true);
    fields.insert("enabled".to_owned(), json!(enabled));
    let quiet = arguments.flag("suppressLogging")?.unwrap_or(false);
    fields.insert("suppressLogging".to_owned(), json!(quiet));
    fields.insert("upload".to_owned(), json!(false));
    fields.extend(own(context, class)?);
    let mut trigger = common::object(context, TABLE, fields);
    trigger.hidden.class = class.python.to_owned();
    trigger.hidden.actions = action_group::steps(context)?.unwrap_or_default();
    trigger.hidden.condition = action_group::condition(context)?;
    if class.namespace == "pluginEvent" {
        event_of_plugin(context, &mut trigger)?;
    }
    context.add(trigger).await
}

fn event_of_plugin(context: &Context<'_>, trigger: &mut Object) -> Result<(), Failure> {
    if trigger.owner().is_empty() {
        trigger.set("pluginId", context.caller.plugin_id().unwrap_or_default());
    }
    let owner = trigger.owner().to_owned();
    let kind = trigger.text("pluginTypeId").to_owned();
    if webhook::is_own(trigger) {
        let mut props = context
            .arguments
            .dict("props")?
            .cloned()
            .unwrap_or_default();
        webhook::settle(&kind, &mut props)?;
        check_keys(&props)?;
        trigger.set("configured", true);
        trigger.set_props(&owner, Some(props));
        return Ok(());
    }
    let plugin = context.server.plugin(&owner);
    let plugin = plugin.ok_or_else(|| Failure::no_plugin(&owner))?;
    if plugin.bundle.definitions.events.find(&kind).is_none() {
        return Err(Failure::value(format!(
            "plugin '{owner}' has no event '{kind}'"
        )));
    }
    let configured = context.arguments.flag("configured")?.unwrap_or(true);
    trigger.set("configured", configured);
    if let Some(props) = context.arguments.dict("props")? {
        check_keys(props)?;
        trigger.set_props(&owner, Some(props.clone()));
    }
    Ok(())
}

fn execute_now(context: &Context<'_>) -> Result<Value, Failure> {
    let trigger = context.subject(TABLE.objects())?;
    if !trigger.flag("enabled") {
        return Ok(Value::Null);
    }
    let ignore = context.arguments.flag("ignoreConditions")?.unwrap_or(false);
    let given = action_group::event_data(context, "trigger_data")?;
    execute(context.server, context.caller, &trigger, ignore, || {
        let mut data = given;
        merge(&mut data, event(&trigger, context.caller));
        if class(&trigger) == "indigo.PluginEventTrigger" {
            let plugin = context.server.plugin(trigger.owner());
            let name = plugin.map(|it| it.bundle.info.display_name.clone());
            merge(
                &mut data,
                webhook::event_names(&trigger, &name.unwrap_or_default()),
            );
        }
        data
    });
    Ok(Value::Null)
}

async fn replace(mut context: Context<'_>) -> Result<Value, Failure> {
    if let Some(Value::Object(given)) = context.arguments.take("object") {
        let given = given.into_iter().map(|(key, value)| {
            let value = written(&key, value)?;
            Ok((key, value))
        });
        let given: Result<Map<_, _>, Failure> = given.collect();
        context.arguments.put("object", Value::Object(given?));
    }
    let trigger = context.subject(TABLE.objects())?;
    let mut allowed = vec![
        "name",
        "description",
        "enabled",
        "suppressLogging",
        "upload",
    ];
    let python = class(&trigger);
    if let Some(class) = CLASSES.iter().find(|it| it.python == python) {
        let own = class.fields.iter().map(|(key, _)| *key);
        allowed.extend(own.filter(|key| !key.starts_with("plugin")));
    }
    common::replace(&context, TABLE, &allowed, &["configured"]).await
}
