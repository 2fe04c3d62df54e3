//! `indigo.server`: the log, the time, other plugins, messages, preferences.

mod itself;

use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

pub(crate) use itself::announce;
use itself::{broadcast, may_restart, save};

use super::{Context, unknown};
use crate::action::Step;
use crate::bounds;
use crate::event_line;
use crate::execute;
use crate::failure::{Failure, FailureKind};
use crate::info::SERVER_API;
use crate::paths::{INSTALL_FOLDER, SERVER_VERSION, logs};
use crate::plugin::{Asked, Broadcast, Plugin, definitions, definitions_size};
use crate::sun::Event;
use crate::timestamp::timestamp;
use cordon_base::log::Level;
use cordon_reach::serial::list::existing;

/// Most lines of the log in one answer.
const LINES: f64 = 10_000.0;

/// Bytes of a line in an answer beside its text.
const LINE: u64 = 2048;

/// Bytes of the facts about a plugin.
const FACTS: u64 = 64 << 10;

/// From this level of module `logging` on, a line is an error.
const ERROR: f64 = 40.0;

/// From this level on, below errors, a line is a warning.
const WARNING: f64 = 30.0;

/// Below this level a line is for debugging.
const INFO: f64 = 20.0;

/// Beginning of the names of serial ports' nodes over Bluetooth.
const BLUETOOTH: &str = "/rfcomm";

/// The reason why nothing is spoken, with a remedy.
const NO_SPEECH: &str = "this server has no voice; use an action of a plugin that controls a \
    loudspeaker";

/// Why a client's line is not in the log.
const TOO_MANY_LINES: &str = "clients have written too much to the log; try again in a moment";

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    let server = context.server;
    match command {
        "log" => log(&context),
        "error" => {
            let message = context.arguments.needed_text("message")?;
            say(&context, None, Level::Error, message)
        }
        "info" => Ok(info(&context)),
        "getTime" => Ok(json!(timestamp(&Zoned::now()))),
        "calculateSunrise" => sun(&context, Event::Rise),
        "calculateSunset" => sun(&context, Event::Set),
        "getLatitudeAndLongitude" => Ok(json!([
            server.options().latitude,
            server.options().longitude
        ])),
        "getInstallFolderPath" => Ok(json!(INSTALL_FOLDER)),
        "getLogsFolderPath" => Ok(json!(logs(context.arguments.text("pluginId")?))),
        "getDbFilePath" => Ok(json!(format!("{INSTALL_FOLDER}/Databases/cordon.indiDb"))),
        "getDbName" => Ok(json!("cordon.indiDb")),
        "getWebServerURL" => Ok(json!(server.options().web_url)),
        "getReflectorURL" => Ok(Value::Null),
        "getSerialPorts" => serial_ports(&context).await,
        "getDeprecatedElems" => Ok(json!([])),
        "waitUntilIdle" => Ok(Value::Null),
        "sendEmailTo" => mail(&context),
        "speak" => Err(Failure::unsupported(NO_SPEECH)),
        "removeAllDelayedActions" => {
            server.timers.clear(context.caller);
            Ok(Value::Null)
        }
        "getEventLogList" => event_log(&context),
        "getPlugin" => Ok(plugin(&context)?.1),
        "getPluginList" => {
            let plugins = server.plugins();
            context.room(bounds::count(plugins.len()).saturating_mul(FACTS))?;
            Ok(plugins.iter().map(|it| it.facts()).collect())
        }
        "pluginExecuteAction" => execute_action(&context).await,
        "pluginRestart" => restart(&context),
        "restartPlugin" | "stopPlugin" => stop(&context, command == "restartPlugin"),
        "pluginDefinitions" => {
            let plugin = own(&context)?;
            context.room(definitions_size(&plugin.bundle))?;
            Ok(definitions(&plugin.bundle))
        }
        "savePluginPrefs" => save(&context).await,
        "mayRestart" => may_restart(&context),
        "broadcastToSubscribers" => broadcast(&context),
        "subscribeToBroadcast" => {
            let text = |name| context.arguments.needed_text(name).map(str::to_owned);
            let wanted = Broadcast {
                sender: text("pluginId")?,
                message: text("messageName")?,
                method: text("methodName")?,
            };
            own(&context)?.subscribe(wanted)?;
            Ok(Value::Null)
        }
        "subscribeToLogBroadcasts" => {
            own(&context)?.follow_log();
            server.follow_log();
            Ok(Value::Null)
        }
        _ => Err(unknown(&format!("server.{command}"))),
    }
}

/// The plugin that calls.
fn own(context: &Context<'_>) -> Result<Arc<Plugin>, Failure> {
    let plugin = context.caller.plugin().cloned();
    plugin.ok_or_else(|| Failure::unsupported("only a plugin may do this"))
}

fn mail(context: &Context<'_>) -> Result<Value, Failure> {
    let arguments = &context.arguments;
    let to = arguments.given("emailTo").cloned().unwrap_or_default();
    let subject = arguments.text("subject")?.unwrap_or("");
    let body = arguments.text("body")?.unwrap_or("");
    context
        .server
        .send_mail(context.caller, &to, subject, body)
        .map(|()| Value::Null)
}

/// The ports that exist and that the plugin was granted, with their names for people.
async fn serial_ports(context: &Context<'_>) -> Result<Value, Failure> {
    let filter = context.arguments.text("filter")?.unwrap_or("");
    let wired_only = match filter.trim() {
        "" => false,
        "indigo.ignoreBluetooth" => true,
        other => {
            let text = format!("there is no filter '{other}' for serial ports");
            return Err(Failure::value(text));
        }
    };
    let plugin = own(context)?;
    let policy = Arc::clone(plugin.serial());
    // The kernel's tree of devices consists of files.
    let files = &context.server.pools.files;
    let listing = files.run(&plugin.account, move || existing(&policy)).await;
    let ports = listing.map_err(|_| Failure::other("the serial ports cannot be listed"))?;
    let ports = ports
        .into_iter()
        .filter(|it| !(wired_only && it.path.contains(BLUETOOTH)));
    let named = ports.map(|port| {
        let node = port.path.rsplit('/').next().unwrap_or_default();
        let name = match &port.product {
            Some(product) => format!("{node} ({product})"),
            None => node.to_owned(),
        };
        (port.path, Value::from(name))
    });
    Ok(Value::Object(named.collect()))
}

fn log(context: &Context<'_>) -> Result<Value, Failure> {
    let message = match context.arguments.given("message") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let level = context.arguments.number("level")?.unwrap_or(INFO);
    let is_error = context.arguments.flag("isError")?.unwrap_or(false);
    let level = if is_error || level >= ERROR {
        Level::Error
    } else if level >= WARNING {
        Level::Warning
    } else if level < INFO {
        Level::Debug
    } else {
        Level::Normal
    };
    say(context, context.arguments.text("type")?, level, &message)
}

/// Writes into the log. A type that begins with the plugin's own name stands for the name. Any
/// other type is shown behind the name, so that no plugin writes in another's name. The level at
/// the end of a type is left out, because each line shows its own. Clients of the
/// HTTP API write in nobody's name, and within their rate of lines.
fn say(
    context: &Context<'_>,
    kind: Option<&str>,
    level: Level,
    message: &str,
) -> Result<Value, Failure> {
    let Some(plugin) = context.caller.plugin() else {
        let text = match kind {
            Some(kind) => &*format!("{kind}: {message}"),
            None => message,
        };
        let text = text.replace(char::is_control, " ");
        return match context.server.events().record_client(level, &text) {
            true => Ok(Value::Null),
            false => Err(Failure::new(FailureKind::Busy, TOO_MANY_LINES)),
        };
    };
    let name = &plugin.bundle.info.display_name;
    match kind {
        Some(kind) if !kind.starts_with(name.as_str()) => {
            let kind = kind.strip_suffix(event_line::suffix(level)).unwrap_or(kind);
            let text = format!("{kind}: {message}");
            plugin.log.plugin(false, level, &text);
        }
        _ => plugin.log.plugin(false, level, message),
    }
    Ok(Value::Null)
}

fn info(context: &Context<'_>) -> Value {
    let options = context.server.options();
    json!({
        "version": SERVER_VERSION,
        "apiVersion": SERVER_API.to_string(),
        "address": "127.0.0.1",
        "portNum": options.port,
        "connectionGood": true,
        "licenseStatus": "ActiveSubscription",
        "latitude": options.latitude,
        "longitude": options.longitude,
        "installFolder": INSTALL_FOLDER,
        "logsFolder": logs(None),
        "webServerURL": options.web_url,
    })
}

/// The next sunrise or sunset, or that of a day.
fn sun(context: &Context<'_>, event: Event) -> Result<Value, Failure> {
    let sun = &context.server.sun;
    let time = match context.arguments.text("date")? {
        None => sun.next(event, &Zoned::now()),
        Some(text) => {
            let day = text
                .parse::<DateTime>()
                .map_err(|error| Failure::value(format!("date: {error}")))?;
            sun.on(event, day.date())
        }
    };
    let time = time.ok_or_else(|| Failure::value("the sun does neither rise nor set then"))?;
    Ok(json!(timestamp(&time)))
}

/// Lines of the log: of Indigo plugins and of the server, not of other hardware.
fn event_log(context: &Context<'_>) -> Result<Value, Failure> {
    let count = context.arguments.number("lineCount")?.unwrap_or(1500.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped before"
    )]
    let count = count.clamp(0.0, LINES) as usize;
    // The Python module makes the text itself, where the plugin wants one.
    let as_list = context.arguments.flag("returnAsList")?.unwrap_or(true);
    let stamped = context.arguments.flag("showTimeStamp")?.unwrap_or(true);
    let shown = context.server.shown_in_log();
    let events = context.server.events();
    let records = events.select(count, |name| shown.has(name), |_| true);
    // Room for each line as it is, in one text with the others, and as JSON.
    let bytes = records.iter().map(|record| {
        let text = bounds::count(record.text.len()).saturating_mul(2);
        text.saturating_add(bounds::written(&record.text))
            .saturating_add(LINE)
    });
    context.room(bytes.fold(0, u64::saturating_add))?;
    let records = records.into_iter();
    let stamp = |time: jiff::Timestamp| {
        let zoned = time.to_zoned(jiff::tz::TimeZone::system());
        zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
    };
    if as_list {
        let line = |record: Arc<cordon_base::log::Record>| {
            let time = stamp(record.time);
            json!({
                "Message": record.text,
                "TypeStr": event_line::title(&record),
                "TypeVal": event_line::number(record.level),
                "TimeStamp": time,
                "Timestamp": time,
            })
        };
        return Ok(records.map(line).collect());
    }
    let lines = records.map(|record| {
        let kind = event_line::title(&record);
        match stamped {
            true => format!("{}\t{kind}\t{}", stamp(record.time), record.text),
            false => format!("{kind}\t{}", record.text),
        }
    });
    Ok(json!(lines.collect::<Vec<_>>().join("\n")))
}

/// The plugin that is asked for, if it is there, and the facts about it.
fn plugin(context: &Context<'_>) -> Result<(Option<Arc<Plugin>>, Value), Failure> {
    let id = context.arguments.needed_text("pluginId")?;
    let found = context.server.plugin(id);
    let facts = match &found {
        Some(plugin) => plugin.facts(),
        None => json!({
            "pluginId": id,
            "pluginDisplayName": "",
            "pluginVersion": "",
            "pluginFolderPath": "",
            "pluginSupportURL": "",
            "isInstalled": false,
            "isEnabled": false,
            "isRunning": false,
        }),
    };
    Ok((found, facts))
}

async fn execute_action(context: &Context<'_>) -> Result<Value, Failure> {
    let arguments = &context.arguments;
    let props = arguments.dict("props")?;
    // The properties stand in the step, in the action object that is made of it, and in the text.
    let copies = props.map_or(0, bounds::map_footprint).saturating_mul(3);
    context.room(copies)?;
    let props = props.cloned().unwrap_or_default();
    let device = arguments.number("deviceId")?.unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "an id")]
    let device = device as i64;
    let mut fields = Map::new();
    fields.insert(
        "pluginId".to_owned(),
        json!(arguments.needed_text("pluginId")?),
    );
    fields.insert(
        "pluginTypeId".to_owned(),
        json!(arguments.needed_text("actionTypeId")?),
    );
    fields.insert("deviceId".to_owned(), json!(device));
    fields.insert("props".to_owned(), Value::Object(props));
    let step = Step::new("indigo.PluginAction", Value::Object(fields));
    if arguments.flag("waitUntilDone")?.unwrap_or(true) {
        let returned = execute::ask(context.server, context.caller, &step).await?;
        // The caller pays before the plugin that was asked no longer does.
        context.room(bounds::footprint(&returned.value).saturating_mul(2))?;
        return Ok(returned.value);
    }
    execute::begin(context.server, context.caller, step, None)?;
    Ok(Value::Null)
}

fn restart(context: &Context<'_>) -> Result<Value, Failure> {
    let (found, _) = plugin(context)?;
    let Some(plugin) = found else {
        return Err(Failure::no_plugin(
            context.arguments.needed_text("pluginId")?,
        ));
    };
    let asked = match context.caller.plugin() {
        None => Asked::Operator,
        Some(caller) if caller.id() == plugin.id() => Asked::Itself,
        Some(_) => Asked::Other,
    };
    // The operator's restarts are not counted: plugins must not keep the operator from one.
    if asked != Asked::Operator && !plugin.may_restart() {
        return Err(Failure::other(format!(
            "plugin '{}' was restarted a moment ago",
            plugin.id()
        )));
    }
    if let Some(port) = plugin.port() {
        port.restart(asked);
    }
    Ok(Value::Null)
}

/// Stops the calling plugin at its own wish, or stops it and starts it again.
fn stop(context: &Context<'_>, again: bool) -> Result<Value, Failure> {
    let plugin = own(context)?;
    if let Some(message) = context.arguments.text("message")? {
        let is_error = context.arguments.flag("isError")?.unwrap_or(false);
        let level = if is_error {
            Level::Error
        } else {
            Level::Normal
        };
        say(context, None, level, message)?;
    }
    if let Some(port) = plugin.port() {
        if again {
            port.restart(Asked::Itself);
        } else {
            port.halt();
        }
    }
    Ok(Value::Null)
}
