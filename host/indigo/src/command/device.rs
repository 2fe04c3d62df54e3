//! `indigo.device`: making, changing and operating devices.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, common, states, unknown};
use crate::action::{Step, opposite};
use crate::arguments::Arguments;
use crate::caller::Caller;
use crate::database::reference;
use crate::definition::DeviceType;
use crate::device::DeviceClass;
use crate::execute;
use crate::failure::Failure;
use crate::hold::Hold;
use crate::keys::check_keys;
use crate::object::{Hidden, Object};
use crate::server::IndigoServer;
use crate::state::truth;
use crate::table::Collection;

const TABLE: Collection = Collection::Devices;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    if let Some(done) = common::run(&context, TABLE, command).await {
        return done;
    }
    match command {
        "create" => create(&context).await,
        "replaceOnServer" => {
            let allowed = ["name", "description", "remoteDisplay"];
            let owners = ["model", "subModel", "subType", "configured", "enabled"];
            common::replace(&context, TABLE, &allowed, &owners).await
        }
        "updateStatesOnServer"
        | "updateStateImageOnServer"
        | "setErrorStateOnServer"
        | "stateListOrDisplayStateIdChanged"
        | "updateTimeStampOnServer"
        | "resetEnergyAccumTotal"
        | "energyResetTotal" => states::run(&context, command).await,
        "turnOn" | "turnOff" | "toggle" | "lock" | "unlock" | "open" | "close" => {
            switch(&context, command).await
        }
        "statusRequest" => universal(&context, "RequestStatus"),
        "beep" => universal(&context, "Beep"),
        "energyUpdate" => universal(&context, "EnergyUpdate"),
        "ping" => ping(&context).await,
        // Only interfaces of the server itself have such commands; plugins have none.
        "allOff" | "allLightsOn" | "allLightsOff" => Ok(Value::Null),
        "getGroupList" => group_list(&context),
        "groupWithDevice" => group(&context).await,
        "ungroupDevice" => ungroup(&context).await,
        "changeDeviceTypeId" => change_type(&context).await,
        _ => Err(unknown(&format!("device.{command}"))),
    }
}

/// Carries out commands such as on and off, for a while if a duration is given.
pub(super) async fn switch(context: &Context<'_>, command: &str) -> Result<Value, Failure> {
    let device = context.device()?;
    let member = match command {
        "turnOn" => "TurnOn",
        "turnOff" => "TurnOff",
        "toggle" => "Toggle",
        "lock" => "Lock",
        "unlock" => "Unlock",
        "open" => "Open",
        _ => "Close",
    };
    if matches!(member, "Lock" | "Unlock") {
        let is_lock = device.owner_prop("IsLockSubType").and_then(truth);
        if is_lock != Some(true) && device.text("subType") != "Lock" {
            return Err(Failure::value(format!("'{}' is no lock", device.name())));
        }
    }
    if states::only(context)? {
        let on = match member {
            "TurnOn" | "Lock" | "Open" => true,
            "Toggle" => !device.state("onOffState").and_then(truth).unwrap_or(false),
            _ => false,
        };
        return states::put(context, vec![("onOffState".to_owned(), json!(on))]).await;
    }
    let delay = context.arguments.number("delay")?.unwrap_or(0.0);
    let duration = context.arguments.number("duration")?.unwrap_or(0.0);
    if let (true, Some(back)) = (duration > 0.0, opposite(member)) {
        let step = action(&device, back)?.after(delay + duration);
        execute::begin(context.server, context.caller, step, None)?;
    }
    context.act(action(&device, member)?)
}

/// The step that operates a device of this class.
pub(super) fn action(device: &Object, member: &str) -> Result<Step, Failure> {
    let (class, key) = match device.hidden.device {
        DeviceClass::Sensor => ("indigo.SensorAction", "sensorAction"),
        DeviceClass::SpeedControl => ("indigo.SpeedControlAction", "speedControlAction"),
        DeviceClass::Relay | DeviceClass::Dimmer => ("indigo.DeviceAction", "deviceAction"),
        DeviceClass::Custom if device.state("onOffState").is_some() => {
            ("indigo.DeviceAction", "deviceAction")
        }
        _ => {
            return Err(Failure::value(format!(
                "'{}' cannot be switched",
                device.name()
            )));
        }
    };
    Ok(Step::new(
        class,
        json!({ "deviceId": device.id, key: member, "actionValue": 0 }),
    ))
}

fn universal(context: &Context<'_>, member: &str) -> Result<Value, Failure> {
    let device = context.device()?;
    let fields = json!({ "deviceId": device.id, "deviceAction": member });
    context.act(Step::new("indigo.UniversalAction", fields))
}

/// Measures the way of a status request into the plugin, in milliseconds. There is nothing else
/// between the hub and a plugin that could be measured.
async fn ping(context: &Context<'_>) -> Result<Value, Failure> {
    let begun = std::time::Instant::now();
    let asked = universal(context, "RequestStatus");
    let delta = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(json!({ "Success": asked.is_ok(), "TimeDelta": delta }))
}

async fn create(context: &Context<'_>) -> Result<Value, Failure> {
    let made = make(context, false).await?;
    Ok(context.see(&made))
}

/// Makes the device of a dialog that is not saved yet. Returns its id.
pub(crate) async fn draft(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    arguments: Value,
) -> Result<i64, Failure> {
    let context = Context {
        server,
        caller,
        arguments: Arguments::new(arguments)?,
        hold: &Hold::new(server.account(caller)),
    };
    Ok(make(&context, true).await?.id)
}

async fn make(context: &Context<'_>, draft: bool) -> Result<Arc<Object>, Failure> {
    let arguments = &context.arguments;
    let protocol = arguments.text("protocol")?.unwrap_or("Plugin");
    if protocol != "Plugin" {
        return Err(Failure::unsupported(format!(
            "this server has no {protocol} interface; only devices of plugins can be created"
        )));
    }
    let own = context.caller.plugin_id().unwrap_or_default();
    let plugin = arguments
        .text("pluginId")?
        .filter(|it| !it.is_empty())
        .unwrap_or(own);
    let type_id = arguments.needed_text("deviceTypeId")?;
    let owner = context
        .server
        .plugin(plugin)
        .ok_or_else(|| Failure::no_plugin(plugin))?;
    let kind = owner.bundle.definitions.devices.find(type_id);
    let kind = kind.ok_or_else(|| {
        Failure::value(format!("plugin '{plugin}' has no device type '{type_id}'"))
    })?;
    let mut props = arguments.dict("props")?.cloned().unwrap_or_default();
    check_keys(&props)?;
    if let Some(address) = arguments.given("address") {
        props.insert("address".to_owned(), address.clone());
    }
    let folder = common::folder_id(context, TABLE, arguments.given("folder"))?;
    let name = match arguments.text("name")? {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => fresh_name(context, &kind.name),
    };
    let description = arguments.text("description")?.unwrap_or("");
    let mut fields = common::fields(&name, description, folder);
    // Without a dialog only the plugin itself can say that a device is configured. A device that a
    // plugin creates with properties is.
    let configured =
        kind.config_ui.is_none() || arguments.given("props").is_some() || !own.is_empty();
    describe(&mut fields, plugin, kind, configured && !draft);
    let mut device = Object {
        id: 0,
        table: TABLE.objects(),
        fields,
        hidden: Hidden {
            charged: match context.caller.charged() {
                "" => plugin.to_owned(),
                charged => charged.to_owned(),
            },
            device: kind.class.into(),
            draft,
            ..Hidden::default()
        },
    };
    device.set_props(plugin, Some(props));
    let _room = states::settle_props(context, &mut device)?;
    if let Some(with) = arguments.given("groupWithDevice")
        && with.as_i64() != Some(0)
    {
        device.hidden.group = Some(root(context, with)?);
    }
    context.put(device).await
}

/// The first device of the group that a device belongs to.
fn root(context: &Context<'_>, with: &Value) -> Result<i64, Failure> {
    let with = reference(with)?;
    let database = context.server.database();
    let root = database.get(TABLE.objects(), &with)?;
    Ok(root.hidden.group.unwrap_or(root.id))
}

fn fresh_name(context: &Context<'_>, kind: &str) -> String {
    let database = context.server.database();
    let free = |name: &String| {
        let reference = crate::database::Reference::Name(name.clone());
        database.find(TABLE.objects(), &reference).is_none()
    };
    let first = format!("new {kind}");
    let numbered = (2..).map(|number: u64| format!("new {kind} {number}"));
    std::iter::once(first)
        .chain(numbered)
        .find(free)
        .unwrap_or_default()
}

/// The attributes that a device has from its type.
fn describe(fields: &mut Map<String, Value>, plugin: &str, kind: &DeviceType, configured: bool) {
    let sub_type = kind.sub_type.as_ref();
    let sub_type = sub_type.map(|it| match &it.ui {
        Some(ui) => format!("{}, ui={ui}", it.member),
        None => it.member.clone(),
    });
    for (key, value) in [
        ("address", json!("")),
        ("version", json!("")),
        ("model", json!(kind.name)),
        ("subModel", json!("")),
        ("subType", json!(sub_type.unwrap_or_default())),
        ("deviceTypeId", json!(kind.id)),
        ("pluginId", json!(plugin)),
        ("protocol", json!("Plugin")),
        ("enabled", json!(true)),
        ("configured", json!(configured)),
        ("lastChanged", json!(common::now())),
        ("lastSuccessfulComm", json!(common::now())),
        ("errorState", json!("")),
        ("buttonGroupCount", json!(0)),
        ("states", json!({})),
        ("displayStateId", json!("")),
        ("displayStateImageSel", json!("Auto")),
        ("energyAccumBaseTime", Value::Null),
        ("energyAccumTimeDelta", Value::Null),
    ] {
        fields.insert(key.to_owned(), value);
    }
}

fn group_list(context: &Context<'_>) -> Result<Value, Failure> {
    let device = context.device()?;
    let root = device.hidden.group.unwrap_or(device.id);
    let database = context.server.database();
    let members = database
        .list(TABLE.objects())
        .filter(|it| it.hidden.group == Some(root) && it.id != root)
        .map(|it| it.id);
    Ok(std::iter::once(root).chain(members).collect())
}

async fn group(context: &Context<'_>) -> Result<Value, Failure> {
    let other = context
        .arguments
        .first(&["groupWithDevice", "device2", "value"]);
    let other = other.ok_or_else(|| Failure::wrong_type("groupWithDevice is missing"))?;
    let root = root(context, other)?;
    let changed = context.change(TABLE.objects(), |device| {
        device.hidden.group = (device.id != root).then_some(root);
        Ok(())
    });
    changed.await.map(|_| Value::Null)
}

async fn ungroup(context: &Context<'_>) -> Result<Value, Failure> {
    let changed = context.change(TABLE.objects(), |device| {
        device.hidden.group = None;
        Ok(())
    });
    changed.await.map(|_| Value::Null)
}

async fn change_type(context: &Context<'_>) -> Result<Value, Failure> {
    let wanted = context
        .arguments
        .first(&["typeId", "deviceTypeId", "value"]);
    let Some(Value::String(wanted)) = wanted else {
        return Err(Failure::wrong_type("typeId must be a str"));
    };
    let mut room = None;
    let changed = context
        .change(TABLE.objects(), |device| {
            context.owns(device)?;
            drop(room.take());
            let owner = context.server.plugin(device.owner());
            let kind = owner
                .as_ref()
                .and_then(|it| it.bundle.definitions.devices.find(wanted));
            let kind =
                kind.ok_or_else(|| Failure::value(format!("there is no device type '{wanted}'")))?;
            device.set("deviceTypeId", kind.id.clone());
            device.set("model", kind.name.clone());
            device.hidden.device = kind.class.into();
            device.hidden.own_states = None;
            device.hidden.own_display = None;
            room = Some(states::settle_props(context, device)?);
            Ok(())
        })
        .await?;
    Ok(context.see(&changed))
}
