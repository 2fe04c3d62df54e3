//! The states of switches in words, as clients know them, and the pictures of devices.

use crate::image::BUILT_IN;
use crate::{Device, kind};

/// The words of security devices, by numeric value.
const SECURITY: [(i64, &str); 14] = [
    (0, "Normal"),
    (1, "Normal Delayed"),
    (2, "Alarm"),
    (3, "Alarm Delayed"),
    (4, "Motion"),
    (5, "No Motion"),
    (6, "Panic"),
    (7, "Panic End"),
    (8, "IR"),
    (9, "Arm Away"),
    (10, "Arm Away Delayed"),
    (11, "Arm Home"),
    (12, "Arm Home Delayed"),
    (13, "Disarm"),
];

/// The state of a switch in words.
pub(super) fn status(device: &Device, level: i64) -> String {
    let switch = kind::switch(device);
    let sets_level = match device.device_type {
        kind::COLOR_SWITCH => device.n_value == 15,
        _ => device.n_value == 2,
    };
    let [on, off] = switch.states;
    if device.device_type == kind::SECURITY {
        let words = SECURITY.iter().find(|(value, _)| *value == device.n_value);
        return words.map_or(on, |(_, words)| *words).to_owned();
    }
    let words = match (device.device_type, device.n_value) {
        _ if sets_level => return format!("Set Level: {level} %"),
        (_, 17) if switch.blinds => "Stopped",
        (kind::LIGHT_SWITCH, 3) if switch.states == ["On", "Off"] => "Group Off",
        (kind::LIGHT_SWITCH, 4) if switch.states == ["On", "Off"] => "Group On",
        (kind::COLOR_SWITCH, 10) => "Set Color",
        (kind::COLOR_SWITCH, 14) => "Set To White",
        _ if kind::is_on(device) => on,
        _ => off,
    };
    words.to_owned()
}

/// Icon family of a device.
pub(super) fn type_image(device: &Device) -> &'static str {
    let own = kind::of(device).icon;
    match kind::switch(device).icon {
        "" => own,
        icon if kind::is_switch(device) && own != "security" => icon,
        _ => own,
    }
}

/// The picture that the user, or the plugin, chose among those that clients have themselves; that
/// of a lamp for a switch without a choice.
pub(super) fn chosen_image(device: &Device) -> Option<&'static str> {
    let chosen = BUILT_IN.iter().find(|icon| icon.number == device.image);
    match chosen {
        Some(icon) if icon.number != 0 || kind::is_switch(device) => Some(icon.base),
        _ => kind::is_switch(device).then_some("Light"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_follow_the_switch_type_and_the_choice() {
        let of = |device_type, switch_type, image| Device {
            device_type,
            switch_type,
            image,
            ..Device::default()
        };
        assert_eq!(type_image(&of(244, 13, 0)), "blinds");
        assert_eq!(type_image(&of(244, 18, 0)), "lightbulb");
        assert_eq!(type_image(&of(32, 7, 0)), "security");
        assert_eq!(type_image(&of(248, 7, 0)), "current");
        assert_eq!(chosen_image(&of(244, 2, 0)), Some("Light"));
        assert_eq!(chosen_image(&of(244, 7, 8)), Some("Speaker"));
        assert_eq!(chosen_image(&of(248, 0, 0)), None);
        assert_eq!(chosen_image(&of(248, 0, 11)), Some("Water"));
    }

    #[test]
    fn states_have_the_words_of_their_switch_type() {
        let of = |switch_type, n_value| {
            let device = Device {
                device_type: 244,
                switch_type,
                n_value,
                ..Device::default()
            };
            status(&device, 30)
        };
        assert_eq!((of(0, 1).as_str(), of(0, 3).as_str()), ("On", "Group Off"));
        assert_eq!(
            (of(22, 17).as_str(), of(22, 1).as_str()),
            ("Stopped", "Open")
        );
        assert_eq!(
            (of(20, 1).as_str(), of(19, 1).as_str()),
            ("Unlocked", "Locked")
        );
        assert_eq!(of(18, 2), "Set Level: 30 %");
        let panel = |n_value| {
            let device = Device {
                device_type: kind::SECURITY,
                n_value,
                ..Device::default()
            };
            status(&device, 0)
        };
        assert_eq!(
            (panel(0).as_str(), panel(11).as_str()),
            ("Normal", "Arm Home")
        );
    }
}
