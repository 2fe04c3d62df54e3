//! Translates the commands of clients to the arguments of `onCommand` (behaviour spec 8.5).
//!
//! Pure: a device row and a request in, an event out. The row is not changed, that
//! is the plugin's part (spec 11).

use super::color;
use super::device::Device;
use super::event::{HubEvent, Level};
use super::kind;

/// Domoticz' "no set point", which cannot be asked for.
const NO_SETPOINT: f64 = -273.15;

/// A switch command as a client words it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `On`, `Off`, `Toggle`, `Set Level`, `Stop`, or anything else.
    pub action: &'a str,
    /// Level, where the client gave one.
    pub level: Option<i32>,
    /// Colour JSON, where the client gave one.
    pub color: Option<&'a str>,
}

/// The event for a switch command.
#[must_use]
pub fn switch(device: &Device, request: &Request<'_>) -> HubEvent {
    let color = request.color.map(color::normalise).unwrap_or_default();
    let (command, level) = if is_colored(request.action, &color) {
        ("Set Color", request.level.unwrap_or(last_level(device)))
    } else if kind::is_blinds(device) {
        blinds(device, request)
    } else {
        plain(device, request)
    };
    event(device, command, Level::Whole(level.max(0)), color)
}

/// The event for a set point, or `None` for a value that no set point can have.
#[must_use]
pub fn set_point(device: &Device, value: f64) -> Option<HubEvent> {
    if !value.is_finite() || (value - NO_SETPOINT).abs() < 0.001 {
        return None;
    }
    // Single precision on purpose: 20.3 arrives as 20.299999237060547 (rule 155).
    let level = f64::from(value as f32);
    let set = || event(device, "Set Level", Level::Real(level), String::new());
    level.is_finite().then(set)
}

fn event(device: &Device, command: &str, level: Level, color: String) -> HubEvent {
    HubEvent::Command {
        device_id: device.device_id.clone(),
        unit: device.unit,
        command: command.to_owned(),
        level,
        color,
    }
}

fn is_colored(action: &str, color: &str) -> bool {
    match action {
        "Set Color" => true,
        "On" | "Set Level" => !color.is_empty(),
        _ => false,
    }
}

/// The command and level of every device but blinds.
fn plain<'a>(device: &Device, request: &Request<'a>) -> (&'a str, i32) {
    let last = last_level(device);
    let given = request.level.unwrap_or(last);
    match request.action {
        "On" if device.switch_type == kind::DIMMER && last > 0 => ("Set Level", last),
        "On" => ("On", last),
        "Set Level" if given > 0 => ("Set Level", given),
        "Off" | "Set Level" if device.switch_type == kind::SELECTOR => ("Off", 0),
        "Off" | "Set Level" => ("Off", last),
        "Toggle" if kind::is_on(device) => ("Off", given),
        "Toggle" => ("On", given),
        other => (other, given),
    }
}

fn blinds<'a>(device: &Device, request: &Request<'a>) -> (&'a str, i32) {
    let given = request.level.unwrap_or(last_level(device));
    let swap = device.option_is_true("ReverseState");
    let (open, close) = if swap {
        ("Close", "Open")
    } else {
        ("Open", "Close")
    };
    match request.action {
        "On" | "Open" => (open, 100),
        "Off" | "Close" => (close, 0),
        "Toggle" if kind::is_on(device) => (close, given),
        "Toggle" => (open, given),
        "Set Level" => blinds_position(device, given),
        other => (other, given),
    }
}

/// ReversePosition counts from the other end; ReverseState has no say here.
fn blinds_position(device: &Device, asked: i32) -> (&'static str, i32) {
    let asked = asked.clamp(0, 100);
    let reverse = device.option_is_true("ReversePosition");
    match if reverse { 100 - asked } else { asked } {
        100 => ("Open", 100),
        0 => ("Close", 0),
        position => ("Set Level", position),
    }
}

/// The stored last level in steps of the type.
fn last_level(device: &Device) -> i32 {
    i32::try_from(kind::steps(device, device.last_level, true)).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn device(switch_type: i64, n_value: i64, last_level: i64) -> Device {
        Device {
            unit: 1,
            device_id: "000C0001".to_owned(),
            device_type: kind::LIGHT_SWITCH,
            sub_type: 73,
            switch_type,
            n_value,
            last_level,
            ..Device::default()
        }
    }

    fn with_option(mut device: Device, key: &str) -> Device {
        device.options.push((key.to_owned(), "true".to_owned()));
        device
    }

    fn mapped(device: &Device, action: &str, level: Option<i32>) -> (String, i32) {
        let request = Request {
            action,
            level,
            color: None,
        };
        match switch(device, &request) {
            HubEvent::Command {
                command,
                level: Level::Whole(level),
                color,
                unit: 1,
                ..
            } => {
                assert_eq!(color, "");
                (command, level)
            }
            other => panic!("{other:?}"),
        }
    }

    fn check(device: &Device, rows: &[(&str, Option<i32>, &str, i32)]) {
        for (action, given, command, level) in rows {
            let expected = ((*command).to_owned(), *level);
            assert_eq!(
                mapped(device, action, *given),
                expected,
                "{action} {given:?}"
            );
        }
    }

    #[test]
    fn an_on_off_switch_is_told_as_the_table_says() {
        check(
            &device(0, 0, 40),
            &[
                ("On", None, "On", 40),
                ("On", Some(7), "On", 40),
                ("Off", None, "Off", 40),
                ("Set Level", Some(30), "Set Level", 30),
                ("Set Level", Some(0), "Off", 40), // rule 159
                ("Set Level", Some(-5), "Off", 40),
                ("Toggle", None, "On", 40),
                ("Toggle", Some(9), "On", 9),
                ("Pause", None, "Pause", 40),
                ("Arm Home", Some(3), "Arm Home", 3),
                ("Weird", Some(-3), "Weird", 0),
            ],
        );
        check(&device(0, 1, 40), &[("Toggle", None, "Off", 40)]);
        check(&device(0, 3, 40), &[("Toggle", None, "On", 40)]);
    }

    #[test]
    fn a_dimmer_goes_on_at_its_last_level() {
        // Rule 156; without a last level it is a plain On; Toggle never sets a level.
        check(
            &device(7, 0, 40),
            &[("On", None, "Set Level", 40), ("Toggle", None, "On", 40)],
        );
        check(&device(7, 0, 0), &[("On", None, "On", 0)]);
    }

    #[test]
    fn a_selector_goes_off_at_level_0() {
        // Rule 157.
        check(
            &device(18, 2, 20),
            &[
                ("Off", None, "Off", 0),
                ("Set Level", Some(0), "Off", 0),
                ("Set Level", Some(10), "Set Level", 10),
                ("Toggle", None, "Off", 20),
                ("Set Level", Some(410), "Set Level", 410),
            ],
        );
        check(
            &device(18, 0, 410),
            &[("Toggle", None, "On", 410), ("On", None, "On", 410)],
        );
    }

    #[test]
    fn blinds_open_close_and_move() {
        // Rule 158.
        for switch_type in [3, 13, 14, 15, 21, 22] {
            check(
                &device(switch_type, 0, 60),
                &[
                    ("On", None, "Open", 100),
                    ("Open", None, "Open", 100),
                    ("Off", Some(3), "Close", 0),
                    ("Close", None, "Close", 0),
                    ("Set Level", Some(100), "Open", 100),
                    ("Set Level", Some(0), "Close", 0),
                    ("Set Level", Some(30), "Set Level", 30),
                    ("Stop", None, "Stop", 60),
                    ("Stop", Some(5), "Stop", 5),
                    ("Toggle", None, "Open", 60),
                ],
            );
            check(
                &device(switch_type, 1, 60),
                &[("Toggle", Some(4), "Close", 4)],
            );
        }
    }

    #[test]
    fn reversed_blinds_swap_either_position_or_state() {
        check(
            &with_option(device(13, 0, 60), "ReversePosition"),
            &[
                ("Set Level", Some(30), "Set Level", 70),
                ("Set Level", Some(100), "Close", 0),
                ("On", None, "Open", 100),
            ],
        );
        check(
            &with_option(device(13, 0, 60), "ReverseState"),
            &[
                ("On", None, "Close", 100),
                ("Off", None, "Open", 0),
                ("Toggle", None, "Close", 60),
                ("Set Level", Some(100), "Open", 100),
                ("Stop", None, "Stop", 60),
            ],
        );
    }

    #[test]
    fn a_colour_makes_it_set_color() {
        // Rule 160.
        let rgb = Device {
            device_type: kind::COLOR_SWITCH,
            ..device(7, 1, 50)
        };
        for action in ["Set Color", "On", "Set Level"] {
            let color = Some(r#"{"m":3,"r":255}"#);
            let event = switch(
                &rgb,
                &Request {
                    action,
                    level: Some(80),
                    color,
                },
            );
            let expected = HubEvent::Command {
                device_id: "000C0001".to_owned(),
                unit: 1,
                command: "Set Color".to_owned(),
                level: Level::Whole(80),
                color: r#"{"b":0,"cw":0,"g":0,"m":3,"r":255,"t":0,"ww":0}"#.to_owned(),
            };
            assert_eq!(event, expected);
        }
        let junk = Request {
            action: "Off",
            level: None,
            color: Some("junk"),
        };
        let HubEvent::Command { command, color, .. } = switch(&rgb, &junk) else {
            panic!("no command");
        };
        assert_eq!((command.as_str(), color.as_str()), ("Off", ""));
    }

    #[test]
    fn a_set_point_goes_through_single_precision() {
        // Rule 155.
        let event = set_point(&device(0, 0, 0), 20.3).unwrap();
        let HubEvent::Command {
            command,
            level,
            color,
            ..
        } = event
        else {
            panic!("no command");
        };
        assert_eq!((command.as_str(), color.as_str()), ("Set Level", ""));
        assert_eq!(level, Level::Real(20.299_999_237_060_547));
        for bad in [NO_SETPOINT, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(set_point(&device(0, 0, 0), bad), None);
        }
    }

    #[test]
    fn the_last_level_is_scaled_to_the_steps_of_the_type() {
        let lighting = Device {
            device_type: 17,
            ..device(0, 0, 50)
        };
        assert_eq!(mapped(&lighting, "On", None), ("On".to_owned(), 8));
    }
}
