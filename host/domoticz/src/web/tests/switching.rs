//! Tests of commands on their way to plugins.

use super::*;

#[tokio::test]
async fn switchlight_reaches_the_plugin_and_changes_nothing() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let before = f.api.devices.find(id).await.unwrap();
    let answer = f
        .command(&format!(
            "switchlight&idx={id}&switchcmd=Set%20Level&level=30"
        ))
        .await;
    assert_eq!(
        (&answer["status"], &answer["title"]),
        (&Value::from("OK"), &Value::from("SwitchLight"))
    );
    let command = |command: &str, level| HubEvent::Command {
        device_id: before.device.device_id.clone(),
        unit: 1,
        command: command.to_owned(),
        level: Level::Whole(level),
        color: String::new(),
    };
    assert_eq!(f.events(), [(f.hardware, command("Set Level", 30))]);
    f.command(&format!("switchlight&idx={id}&switchcmd=Toggle"))
        .await;
    assert_eq!(f.events(), [(f.hardware, command("On", 0))]);
    assert_eq!(f.api.devices.find(id).await.unwrap(), before);
}

#[tokio::test]
async fn switchlight_says_why_it_could_not() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let text = f
        .add(
            2,
            NewDevice {
                device_type: 243,
                sub_type: 19,
                ..NewDevice::default()
            },
        )
        .await;
    let fails =
        async |query: String| message(&f.command(&format!("switchlight&{query}")).await).to_owned();
    assert_eq!(
        fails("idx=999&switchcmd=On".to_owned()).await,
        "no device has this idx"
    );
    assert_eq!(
        fails("switchcmd=On".to_owned()).await,
        "parameter `idx` is missing"
    );
    assert_eq!(
        fails("idx=x&switchcmd=On".to_owned()).await,
        "parameter `idx` must be a number"
    );
    assert_eq!(
        fails(format!("idx={text}&switchcmd=On")).await,
        "this device is no switch"
    );
    assert_eq!(
        fails(format!("idx={id}")).await,
        "parameter `switchcmd` is missing"
    );
    assert!(
        fails(format!("idx={id}&switchcmd=Set%20Level"))
            .await
            .contains("`level`")
    );
    *f.plugins.refuse.lock().unwrap() = Some(DeliverError::NotRunning);
    assert!(
        fails(format!("idx={id}&switchcmd=On"))
            .await
            .contains("the plugin is not running")
    );
    assert!(f.events().is_empty());
}

#[tokio::test]
async fn setsetpoint_carries_a_float() {
    let f = fixture().await;
    let id = f
        .add(
            1,
            NewDevice {
                device_type: 242,
                sub_type: 1,
                ..NewDevice::default()
            },
        )
        .await;
    f.command(&format!("setsetpoint&idx={id}&setpoint=20.3"))
        .await;
    let events = f.events();
    let HubEvent::Command { level, .. } = &events[0].1 else {
        panic!("{events:?}")
    };
    assert_eq!(*level, Level::Real(20.299_999_237_060_547));
    let refused = f
        .command(&format!("setsetpoint&idx={id}&setpoint=nan"))
        .await;
    assert_eq!(message(&refused), "no set point has this value");
}

#[tokio::test]
async fn every_value_for_a_set_point_is_a_command_for_its_plugin() {
    let f = fixture().await;
    let set_point = NewDevice {
        device_type: 242,
        sub_type: 1,
        s_value: "18".to_owned(),
        ..NewDevice::default()
    };
    let id = f.add(1, set_point).await;
    let level = || match f.events().remove(0).1 {
        HubEvent::Command {
            command,
            level: Level::Real(level),
            ..
        } => {
            assert_eq!(command, "Set Level");
            level
        }
        other => panic!("{other:?}"),
    };
    for query in [
        format!("type=command&param=udevice&idx={id}&nvalue=0&svalue=21.5"),
        format!("type=setused&idx={id}&used=true&setpoint=21.5"),
        format!("type=setpoint&idx={id}&setpoint=21.5"),
    ] {
        assert_eq!(f.json(&query).await["status"], "OK", "{query}");
        assert_eq!(level(), 21.5, "{query}");
    }
    let row = f.api.devices.find(id).await.unwrap().device;
    assert_eq!(row.s_value, "18", "only the plugin knows whether it is set");
    let missing = f.command(&format!("udevice&idx={id}&nvalue=21")).await;
    assert_eq!(message(&missing), "parameter `svalue` is missing");
}

#[tokio::test]
async fn any_method_gives_a_command_but_the_one_that_asks_for_methods() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let path = format!("/json.htm?type=command&param=switchlight&idx={id}&switchcmd=On");
    let ask = async |method: &str| {
        let host = f.address;
        f.raw(format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await
    };
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "REPORT"] {
        let answer = ask(method).await;
        assert!(answer.contains("\"status\":\"OK\""), "{method}: {answer}");
        assert_eq!(f.events().len(), 1, "{method}");
    }
    assert!(ask("OPTIONS").await.starts_with("HTTP/1.1 204"));
    assert!(f.events().is_empty());
}

#[tokio::test]
async fn the_levels_of_a_selector_go_on_beyond_a_hundred() {
    let f = fixture().await;
    let selector = NewDevice {
        device_type: 244,
        sub_type: 62,
        switch_type: 18,
        ..NewDevice::default()
    };
    let id = f.add(1, selector).await;
    f.set(id, 2, "410").await;
    let row = f.command(&format!("getdevices&rid={id}")).await["result"][0].clone();
    assert_eq!(
        (&row["Level"], &row["LevelInt"]),
        (&410.into(), &410.into())
    );
    assert_eq!(row["Status"], "Set Level: 410 %");
    let log = rows(&f.command(&format!("getlightlog&idx={id}")).await);
    assert_eq!(log[0]["Level"], 410);
    assert_eq!(f.api.devices.find(id).await.unwrap().device.last_level, 410);
}

#[tokio::test]
async fn colours_of_every_form_become_one() {
    let f = fixture().await;
    let light = NewDevice {
        device_type: 241,
        sub_type: 2,
        switch_type: 7,
        ..NewDevice::default()
    };
    let id = f.add(1, light).await;
    let color = async |query: &str| {
        let answer = f.command(&format!("{query}&idx={id}")).await;
        assert_eq!(answer["status"], "OK", "{answer}");
        match f.events().remove(0).1 {
            HubEvent::Command {
                command,
                level: Level::Whole(level),
                color,
                ..
            } => {
                assert_eq!(command, "Set Color");
                (level, color)
            }
            other => panic!("{other:?}"),
        }
    };
    let red = r#"{"b":0,"cw":0,"g":0,"m":3,"r":255,"t":0,"ww":0}"#.to_owned();
    for query in [
        "setcolbrightnessvalue&hex=FF0000&brightness=40",
        "setcolbrightnessvalue&hue=0&sat=100&brightness=40",
        "setcolbrightnessvalue&color=%7B%22m%22:3,%22r%22:255%7D&brightness=40.4",
    ] {
        assert_eq!(color(query).await, (40, red.clone()), "{query}");
    }
    let (level, white) = color("setcolbrightnessvalue&hue=10&iswhite=true").await;
    assert!(level == 100 && white.contains("\"m\":1"), "{white}");
    let (_, warm) = color("setkelvinlevel&kelvin=100").await;
    assert!(
        warm.contains("\"t\":255") && warm.contains("\"m\":2"),
        "{warm}"
    );
    let junk = f
        .command(&format!("setcolbrightnessvalue&idx={id}&hex=red"))
        .await;
    assert!(message(&junk).contains("`hex`"));
    let dimmer = f
        .add(
            2,
            NewDevice {
                device_type: 244,
                sub_type: 73,
                ..NewDevice::default()
            },
        )
        .await;
    let plain = f
        .command(&format!("setcolbrightnessvalue&idx={dimmer}&hex=FF0000"))
        .await;
    assert_eq!(message(&plain), "this device has no colours");
}

#[tokio::test]
async fn the_house_is_armed_with_its_code() {
    let f = fixture().await;
    let panel = NewDevice {
        device_type: 32,
        sub_type: 131,
        ..NewDevice::default()
    };
    f.add(1, panel).await;
    let status = f.command("getSecStatus").await;
    assert_eq!(
        (&status["secstatus"], &status["secondelay"]),
        (&Value::from(0), &Value::from(0))
    );
    assert_eq!(f.command("setsecstatus&secstatus=2").await["status"], "OK");
    let events = f.events();
    assert!(
        matches!(events[..], [(_, HubEvent::Security { unit: 1, .. })]),
        "{events:?}"
    );
    f.form("type=command&param=storesettings&SecPassword=1234&SecOnDelay=30")
        .await;
    f.events();
    assert_eq!(
        message(&f.command("setsecstatus&secstatus=0&seccode=1").await),
        "WRONG CODE"
    );
    assert_eq!(
        message(&f.command("setsecstatus&secstatus=0").await),
        "WRONG CODE"
    );
    let md5 = "81dc9bdb52d04dc20036dbd8313ed055";
    for code in ["1234", md5] {
        let set = f
            .command(&format!("setsecstatus&secstatus=0&seccode={code}"))
            .await;
        assert_eq!(set["status"], "OK");
    }
    let status = f.command("getsecstatus").await;
    assert_eq!(
        (&status["secstatus"], &status["secondelay"]),
        (&Value::from(0), &Value::from(30))
    );
    // Plugins get the other settings, and never the code.
    let settings = f.api.preferences.settings().await.unwrap();
    assert!(settings.iter().all(|(key, _)| key != "SecPassword"));
    // Guessing is slowed down.
    for _ in 0..5 {
        f.command("setsecstatus&secstatus=1&seccode=9").await;
    }
    let late = f
        .command(&format!("setsecstatus&secstatus=1&seccode={md5}"))
        .await;
    assert!(message(&late).contains("wait a minute"));
}
