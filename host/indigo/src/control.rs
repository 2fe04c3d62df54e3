//! Hands an action on a device to the plugin that owns the device.
//!
//! This module chooses the method that is called and the action object that it gets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::action::Step;
use super::bounds::quoted;
use super::caller::Caller;
use super::device::DeviceClass;
use super::execute::{busy, find};
use super::failure::{Failure, FailureKind};
use super::object::Object;
use super::plugin::{Answer, Plugin};
use super::server::IndigoServer;
use super::table::Collection;
use super::view::view;
use cordon_base::log::Level;

/// A method of a plugin, and the action object that it is called with.
struct Way {
    method: &'static str,
    step: Step,
}

/// Whether steps of this class, named without `indigo.`, are about a device.
pub(super) fn takes(class: &str) -> bool {
    !methods(class).is_empty()
}

/// The methods that take actions of a class. The first one that a plugin has is called.
fn methods(class: &str) -> &'static [&'static str] {
    match class {
        "DeviceAction" | "DimmerRelayAction" => {
            &["actionControlDevice", "actionControlDimmerRelay"]
        }
        "SensorAction" => &["actionControlSensor"],
        "ThermostatAction" => &["actionControlThermostat"],
        "SpeedControlAction" => &["actionControlSpeedControl"],
        "SprinklerAction" => &["actionControlSprinkler"],
        "InputOutputAction" => &["actionControlIO"],
        "UniversalAction" | "GeneralDeviceAction" => {
            &["actionControlUniversal", "actionControlGeneral"]
        }
        _ => &[],
    }
}

/// All ways to carry a step out. A status request may also be one of the device's own class,
/// because plugins without a universal method know only that form.
fn ways(step: &Step, device: &Object) -> Vec<Way> {
    let class = step.class.strip_prefix("indigo.").unwrap_or(&step.class);
    let as_it_is = |method: &&'static str| {
        let mut step = step.clone();
        step.fields
            .insert("deviceId".to_owned(), Value::from(device.id));
        if *method == "actionControlGeneral" {
            "indigo.GeneralDeviceAction".clone_into(&mut step.class);
        }
        Way { method, step }
    };
    let mut ways: Vec<Way> = methods(class).iter().map(as_it_is).collect();
    let universal = matches!(class, "UniversalAction" | "GeneralDeviceAction");
    if universal && step.text("deviceAction") == "RequestStatus" {
        let own = status_request(device);
        let class = own.class.strip_prefix("indigo.").unwrap_or_default();
        ways.extend(methods(class).iter().map(|method| Way {
            method,
            step: own.clone(),
        }));
    }
    ways
}

/// A status request in the words of a device's class.
fn status_request(device: &Object) -> Step {
    let id = device.id;
    let (class, fields) = match device.hidden.device {
        DeviceClass::Relay | DeviceClass::Dimmer | DeviceClass::Custom => (
            "indigo.DeviceAction",
            json!({ "deviceId": id, "deviceAction": "RequestStatus", "actionValue": 0 }),
        ),
        DeviceClass::Sensor => (
            "indigo.SensorAction",
            json!({ "deviceId": id, "sensorAction": "RequestStatus", "actionValue": 0 }),
        ),
        DeviceClass::SpeedControl => (
            "indigo.SpeedControlAction",
            json!({ "deviceId": id, "speedControlAction": "RequestStatus", "actionValue": 0 }),
        ),
        DeviceClass::Thermostat => (
            "indigo.ThermostatAction",
            json!({
                "deviceId": id,
                "thermostatAction": "RequestStatusAll",
                "actionMode": Value::Null,
                "actionValue": 0,
            }),
        ),
        DeviceClass::Sprinkler => (
            "indigo.SprinklerAction",
            json!({
                "deviceId": id,
                "sprinklerAction": "RequestStatusAll",
                "zoneIndex": Value::Null,
                "zoneDurations": [],
                "multiplierVarId": Value::Null,
            }),
        ),
        DeviceClass::MultiIo => (
            "indigo.InputOutputAction",
            json!({ "deviceId": id, "action": "RequestStatusAll", "index": 0 }),
        ),
    };
    Step::new(class, fields)
}

/// Calls the plugin that owns the device of a step.
///
/// # Errors
///
/// The device or its plugin does not exist, or the plugin cannot be called now.
pub(super) fn control(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: &Step,
) -> Result<(), Failure> {
    let device = find(server, Collection::Devices, step, "deviceId")?;
    if !device.flag("enabled") {
        let line = format!(
            "device '{}' is disabled; the command is ignored",
            quoted(device.name())
        );
        server.note(caller, Level::Error, &line);
        return Ok(());
    }
    let plugin = owner(server, &device)?;
    let ways = ways(step, &device);
    let missing = lacking(&ways, &device);
    let room = server.database().size(device.id).shown();
    let room = server.account(caller).charge(room)?;
    // The first call is queued here, in the order of the commands. The hub remembers the methods
    // that a plugin lacks, so only the very first command may be late.
    let mut left = ways.into_iter().filter(|way| !plugin.lacks(way.method));
    let Some(first) = left.next() else {
        complain(server, caller, &plugin, &missing);
        return Ok(());
    };
    plugin.admit(caller.charged()).map_err(busy)?;
    let answer = plugin
        .start(first.method, &arguments(&first, &device, &plugin))
        .map_err(busy)?;
    drop(room);
    let left: Vec<Way> = left.collect();
    let (server, caller) = (Arc::clone(server), caller.clone());
    // The answer may take long, so nothing large is kept until it comes.
    let id = device.id;
    tokio::spawn(async move {
        let (mut method, mut answer) = (first.method, answer);
        let mut left = left.iter();
        loop {
            if answer.await.map(|it| it.answer) != Ok(Answer::NotDefined) {
                return;
            }
            plugin.miss(method);
            let Some(next) = left.next() else {
                return complain(&server, &caller, &plugin, &missing);
            };
            let Some(device) = server.database().any(id).cloned() else {
                return;
            };
            let started = plugin
                .admit(caller.charged())
                .and_then(|()| plugin.start(next.method, &arguments(next, &device, &plugin)));
            match started {
                Ok(started) => (method, answer) = (next.method, started),
                Err(error) => return complain(&server, &caller, &plugin, &error.to_string()),
            }
        }
    });
    Ok(())
}

/// The arguments of a method for an action on a device.
fn arguments(way: &Way, device: &Object, plugin: &Plugin) -> Arc<str> {
    let seen = view(device, Some(plugin.id()));
    let arguments = json!({ "action": way.step.object(), "dev": seen });
    arguments.to_string().into()
}

/// Writes that an action was not carried out, into the log of the plugin that asked for it. When no
/// plugin asked, the log of the device's plugin has the line.
fn complain(server: &IndigoServer, caller: &Caller, owner: &Plugin, text: &str) {
    match caller.plugin() {
        Some(plugin) if plugin.id() != owner.id() => {
            let line = format!("plugin '{}': {text}", owner.id());
            server.note(caller, Level::Error, &line);
        }
        Some(_) => server.note(caller, Level::Error, text),
        None => owner.log.hub(Level::Error, text),
    }
}

/// The message about a plugin that has no method for an action.
fn lacking(ways: &[Way], device: &Object) -> String {
    let methods: Vec<&str> = ways.iter().map(|way| way.method).collect();
    format!(
        "the plugin has no {} for device '{}'",
        methods.join(" or "),
        quoted(device.name())
    )
}

fn owner(server: &IndigoServer, device: &Object) -> Result<Arc<Plugin>, Failure> {
    server.plugin(device.owner()).ok_or_else(|| {
        let text = format!(
            "the plugin '{}' of device '{}' is not installed",
            device.owner(),
            device.name()
        );
        Failure::new(FailureKind::Plugin, text)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::object::Hidden;

    /// The methods and the action objects that a device of a class may get.
    fn asked(class: DeviceClass, action: &str) -> Vec<(&'static str, Value)> {
        let device = Object {
            id: 7,
            table: Collection::Devices.objects(),
            fields: serde_json::Map::new(),
            hidden: Hidden {
                device: class,
                ..Hidden::default()
            },
        };
        let fields = json!({ "deviceId": "lamp", "deviceAction": action });
        let ways = ways(&Step::new("indigo.UniversalAction", fields), &device);
        let ways = ways.into_iter();
        ways.map(|way| (way.method, way.step.object())).collect()
    }

    #[test]
    fn a_status_request_ends_in_the_words_of_the_class() {
        for (class, method, python, key, member) in [
            (
                DeviceClass::Relay,
                "actionControlDevice",
                "DeviceAction",
                "deviceAction",
                "RequestStatus",
            ),
            (
                DeviceClass::Sensor,
                "actionControlSensor",
                "SensorAction",
                "sensorAction",
                "RequestStatus",
            ),
            (
                DeviceClass::SpeedControl,
                "actionControlSpeedControl",
                "SpeedControlAction",
                "speedControlAction",
                "RequestStatus",
            ),
            (
                DeviceClass::Thermostat,
                "actionControlThermostat",
                "ThermostatAction",
                "thermostatAction",
                "RequestStatusAll",
            ),
            (
                DeviceClass::Sprinkler,
                "actionControlSprinkler",
                "SprinklerAction",
                "sprinklerAction",
                "RequestStatusAll",
            ),
            (
                DeviceClass::MultiIo,
                "actionControlIO",
                "InputOutputAction",
                "action",
                "RequestStatusAll",
            ),
        ] {
            let asked = asked(class, "RequestStatus");
            assert_eq!(asked[0].0, "actionControlUniversal");
            assert_eq!(asked[0].1["class"], "indigo.UniversalAction");
            assert_eq!(asked[1].1["class"], "indigo.GeneralDeviceAction");
            let (own, action) = &asked[2];
            assert_eq!(*own, method);
            assert_eq!(action["class"], format!("indigo.{python}"));
            assert_eq!(action[key], member, "{action}");
            assert!(asked.iter().all(|(_, action)| action["deviceId"] == 7));
        }
    }

    #[test]
    fn other_universal_actions_are_nobody_elses() {
        let asked = asked(DeviceClass::Sensor, "Beep");
        let methods: Vec<_> = asked.iter().map(|it| it.0).collect();
        assert_eq!(methods, ["actionControlUniversal", "actionControlGeneral"]);
    }
}
