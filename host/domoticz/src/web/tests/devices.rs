//! Tests of lists of devices, and of changes to them.

use super::*;

#[tokio::test]
async fn a_dimmer_is_listed_with_the_fields_that_clients_read() {
    let f = fixture().await;
    assert_eq!(f.command("getdevices").await.get("result"), None);
    let id = f.dimmer().await;
    f.set(id, 2, "40").await;
    let answer = f
        .command("getdevices&used=true&filter=all&order=Name")
        .await;
    assert_eq!(answer["status"], "OK");
    assert!(answer["ActTime"].is_i64() && answer["ServerTime"].is_string());
    let device = &answer["result"][0];
    let expected = serde_json::json!({
        "idx": id.to_string(), "Name": "HW - Lamp", "Type": "Light/Switch", "SubType": "Switch",
        "SwitchType": "Dimmer", "SwitchTypeVal": 7, "Status": "Set Level: 40 %",
        "Data": "Set Level: 40 %", "Level": 40, "LevelInt": 40, "MaxDimLevel": 100,
        "HaveDimmer": true, "HardwareID": f.hardware, "HardwareName": "HW", "HardwareType": "K",
        "HardwareTypeVal": 94, "ID": format!("{:04X}0001", f.hardware), "Unit": 1, "Used": 1,
        "BatteryLevel": 255, "SignalLevel": "-", "HaveTimeout": false, "Favorite": 0,
        "TypeImg": "dimmer", "PlanID": "0",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&device[name], value, "{name}");
    }
    assert_eq!(device["LastUpdate"].as_str().unwrap().len(), 19);
    f.set(id, 0, "0").await;
    let off = f.json(&format!("type=devices&rid={id}")).await;
    assert_eq!(
        (&off["result"][0]["Status"], &off["result"][0]["Level"]),
        (&Value::from("Off"), &Value::from(40))
    );
}

#[tokio::test]
async fn filters_choose_among_devices() {
    let f = fixture().await;
    let lamp = f.dimmer().await.to_string();
    let sensor = |name: &str, device_type, sub_type, s_value: &str| NewDevice {
        name: name.to_owned(),
        device_type,
        sub_type,
        s_value: s_value.to_owned(),
        ..NewDevice::default()
    };
    let temp = f.add(2, sensor("T", 80, 5, "19.6")).await.to_string();
    let meter = f.add(3, sensor("M", 243, 29, "200;1500")).await.to_string();
    let custom = NewDevice {
        options: vec![("Custom".to_owned(), "1;ppm".to_owned())],
        ..sensor("C", 243, 31, "7")
    };
    let custom = f.add(4, custom).await.to_string();
    let ids = async |query: &str| -> Vec<String> {
        let answer = f.command(&format!("getdevices&order=ID{query}")).await;
        let rows = answer["result"].as_array().cloned().unwrap_or_default();
        rows.iter()
            .map(|row| row["idx"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("").await.len(), 4);
    assert_eq!(ids("&filter=light").await, [lamp]);
    assert_eq!(ids("&filter=temp").await, std::slice::from_ref(&temp));
    assert_eq!(
        ids("&filter=utility").await,
        [meter.clone(), custom.clone()]
    );
    assert!(ids("&used=false").await.is_empty());
    assert!(ids("&favorite=1").await.is_empty());
    assert!(ids("&lastupdate=99999999999").await.is_empty());
    let one =
        async |id: &str| f.command(&format!("getdevices&rid={id}")).await["result"][0].clone();
    assert_eq!(one(&temp).await["Data"], "19.6 C");
    assert_eq!(one(&temp).await["Temp"], 19.6);
    assert_eq!(one(&meter).await["Data"], "1.500 kWh");
    assert_eq!(one(&meter).await["Usage"], "200 Watt");
    assert_eq!(one(&custom).await["Data"], "7 ppm");
}

#[tokio::test]
async fn changes_are_stored_and_told_to_the_plugin() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let query = format!("udevice&idx={id}&nvalue=1&svalue=a%20b%3B2&battery=89&rssi=5");
    assert_eq!(f.command(&query).await["status"], "OK");
    let row = f.api.devices.find(id).await.unwrap().device;
    assert_eq!((row.n_value, row.s_value.as_str()), (1, "a b;2"));
    assert_eq!((row.battery_level, row.signal_level), (89, 5));
    let device_id = row.device_id;
    let modified = HubEvent::DeviceModified {
        device_id: device_id.clone(),
        unit: 1,
    };
    assert_eq!(f.events(), [(f.hardware, modified.clone())]);
    f.command(&format!("renamedevice&idx={id}&name=It%27s%20new"))
        .await;
    assert_eq!(
        f.api.devices.find(id).await.unwrap().device.name,
        "It's new"
    );
    assert_eq!(f.events(), [(f.hardware, modified)]);
    f.command(&format!("deletedevice&idx={id}")).await;
    assert_eq!(
        f.events(),
        [(f.hardware, HubEvent::DeviceRemoved { device_id, unit: 1 })]
    );
    assert_eq!(message(&f.command(&query).await), "no device has this idx");
    assert!(
        message(&f.command(&format!("udevice&idx={id}")).await).contains("`nvalue` or `svalue`")
    );
}

fn sensor(name: &str, device_type: i64, sub_type: i64, s_value: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        device_type,
        sub_type,
        s_value: s_value.to_owned(),
        ..NewDevice::default()
    }
}

#[tokio::test]
async fn favourites_hardware_and_plans_choose_too() {
    let f = fixture().await;
    let (lamp, temp) = (f.dimmer().await, f.add(2, sensor("T", 80, 5, "1")).await);
    f.command(&format!("makefavorite&idx={temp}&isfavorite=1"))
        .await;
    let ids = async |query: &str| -> Vec<String> {
        let answer = f.command(&format!("getdevices&order=ID{query}")).await;
        rows(&answer)
            .iter()
            .map(|row| row["idx"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("&favorite=1").await, [temp.to_string()]);
    let row = f.command(&format!("getdevices&rid={temp}")).await["result"][0].clone();
    assert_eq!(row["Favorite"], 1);
    f.command(&format!("makefavorite&idx={temp}&isfavorite=0"))
        .await;
    assert!(ids("&favorite=1").await.is_empty());
    assert_eq!(ids(&format!("&hwidx={}", f.hardware)).await.len(), 2);
    assert!(ids("&hwidx=99").await.is_empty());
    assert_eq!(ids("&plan=0").await.len(), 2);
    assert!(ids("&plan=3").await.is_empty());
    let missing = f.command("makefavorite&idx=99&isfavorite=1").await;
    assert_eq!(message(&missing), "no device has this idx");
    let lists = rows(&f.command("getlightswitches").await);
    assert_eq!(lists[0]["idx"], lamp.to_string());
    assert_eq!(
        (&lists[0]["IsDimmer"], &lists[0]["Name"]),
        (&Value::from(true), &Value::from("HW - Lamp"))
    );
    assert_eq!(rows(&f.command("devices_list").await).len(), 2);
}

#[tokio::test]
async fn the_form_of_a_device_changes_what_is_given() {
    let f = fixture().await;
    let id = f.dimmer().await;
    // SelectorStyle:0;LevelNames:Off|On
    let options = "U2VsZWN0b3JTdHlsZTowO0xldmVsTmFtZXM6T2ZmfE9u";
    let query = format!(
        "setused&idx={id}&used=true&name=New&description=d&switchtype=18&customimage=9&options={options}"
    );
    assert_eq!(f.command(&query).await["status"], "OK");
    let row = f.api.devices.find(id).await.unwrap().device;
    assert_eq!((row.name.as_str(), row.description.as_str()), ("New", "d"));
    assert_eq!((row.switch_type, row.image, row.used), (18, 9, 1));
    assert_eq!(row.option("LevelNames"), Some("Off|On"));
    assert!(matches!(
        f.events()[..],
        [(_, HubEvent::DeviceModified { .. })]
    ));
    f.command(&format!("setunused&idx={id}")).await;
    let row = f.api.devices.find(id).await.unwrap().device;
    assert_eq!((row.used, row.name.as_str()), (0, "New"));
    assert!(message(&f.command(&format!("setused&idx={id}")).await).contains("`used`"));
    let long = f
        .command(&format!("renamedevice&idx={id}&name={}", "x".repeat(201)))
        .await;
    assert!(message(&long).contains("1 to 200 bytes"));
}

#[tokio::test]
async fn people_make_devices_and_the_plugin_is_told() {
    let f = fixture().await;
    f.dimmer().await;
    let query = format!(
        "createvirtualsensor&idx={}&sensorname=Made&sensormappedtype=0xF31F&sensoroptions=1;ppm",
        f.hardware
    );
    let answer = f.command(&query).await;
    let id: i64 = answer["idx"].as_str().unwrap().parse().unwrap();
    let row = f.api.devices.find(id).await.unwrap().device;
    assert_eq!((row.unit, row.device_type, row.sub_type), (2, 243, 31));
    assert_eq!((row.name.as_str(), row.used), ("Made", 1));
    assert_eq!(row.option("Custom"), Some("1;ppm"));
    assert!(matches!(
        f.events()[..],
        [(_, HubEvent::DeviceAdded { unit: 2, .. })]
    ));
    for (query, problem) in [
        ("idx=99&sensorname=x&sensormappedtype=0xF31F", "no hardware"),
        ("idx=1&sensorname=x&sensormappedtype=zz", "0xF31F"),
        (
            "idx=1&sensorname=x&devicetype=300&devicesubtype=1",
            "0 to 255",
        ),
        ("idx=1&sensormappedtype=0xF31F", "`sensorname`"),
    ] {
        let answer = f.command(&format!("createdevice&{query}")).await;
        assert!(message(&answer).contains(problem), "{answer}");
    }
    for unit in 3..=255 {
        f.add(unit, sensor("n", 80, 5, "1")).await;
    }
    assert!(message(&f.command(&query).await).contains("all 255 units"));
    let ids = f.api.devices.all().await.unwrap();
    let ids: Vec<_> = ids.iter().map(|row| row.device.id.to_string()).collect();
    f.command(&format!("deletedevice&idx={}", ids.join(";")))
        .await;
    assert!(f.api.devices.all().await.unwrap().is_empty());
}

#[tokio::test]
async fn counters_show_what_they_counted_today() {
    let f = fixture().await;
    let meter = f.add(1, sensor("M", 243, 29, "")).await;
    f.set(meter, 0, "100;1000").await;
    f.api
        .history
        .tick(jiff::Timestamp::now(), 60)
        .await
        .unwrap();
    f.set(meter, 0, "150;2500").await;
    let row = f.command(&format!("getdevices&rid={meter}")).await["result"][0].clone();
    assert_eq!(
        (&row["CounterToday"], &row["Usage"]),
        (&Value::from("1.500 kWh"), &Value::from("150 Watt"))
    );
}

#[tokio::test]
async fn the_picture_of_a_row_follows_the_choice() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let image = async || {
        let row = f.command(&format!("getdevices&rid={id}")).await["result"][0].clone();
        row["Image"].as_str().unwrap().to_owned()
    };
    assert_eq!(image().await, "Light");
    f.command(&format!("setused&idx={id}&customimage=8")).await;
    assert_eq!(image().await, "Speaker");
    let owner = crate::image::Owner {
        key: "K".to_owned(),
        limit: 1 << 20,
        account: Account::of_hub(),
        pool: f.api.pools.files.clone(),
    };
    let archive = crate::icons::tests::archive("Kettle;Kettle;", &["Kettle"]);
    let (sets, _) = f.api.images.create(&owner, archive).await.unwrap();
    f.command(&format!("setused&idx={id}&customimage={}", sets[0].id))
        .await;
    // Also in a list, which has copies of the rows.
    let listed = async || f.command("getdevices").await["result"][0]["Image"].clone();
    assert_eq!(
        (image().await.as_str(), listed().await),
        ("Kettle", "Kettle".into())
    );
    f.command(&format!("deletecustomicon&idx={}", sets[0].id))
        .await;
    assert_eq!(
        (image().await.as_str(), listed().await),
        ("Light", "Light".into())
    );
}

#[tokio::test]
async fn several_rows_are_asked_for_by_their_numbers() {
    let f = fixture().await;
    let mut ids = Vec::new();
    for unit in 1..=3 {
        ids.push(f.add(unit, sensor("T", 80, 5, "1")).await);
    }
    let some = f
        .command(&format!("getdevices&rid={},%20{}", ids[0], ids[2]))
        .await;
    let found: Vec<_> = rows(&some).iter().map(|row| row["idx"].clone()).collect();
    assert_eq!(found, [ids[0].to_string(), ids[2].to_string()]);
    assert_eq!(rows(&f.command("getdevices&rid=98,99").await).len(), 0);
    let many = vec!["1"; 101].join(",");
    let many = f.command(&format!("getdevices&rid={many}")).await;
    assert!(message(&many).contains("100 numbers"), "{many}");
    assert!(message(&f.command("getdevices&rid=1,x").await).contains("joined by `,`"));
}

#[tokio::test]
async fn readings_of_a_calibrated_device_are_corrected_before_they_are_stored() {
    let f = fixture().await;
    let id = f.add(1, sensor("T", 84, 1, "20.0;50;1;1010;1")).await;
    let row = async || f.command(&format!("getdevices&rid={id}")).await["result"][0].clone();
    let plain = row().await;
    assert_eq!(
        (&plain["AddjValue"], &plain["AddjMulti"]),
        (&0.0.into(), &1.0.into())
    );
    let set = format!("setused&idx={id}&used=true&addjvalue=1.5&addjvalue2=-2");
    assert_eq!(f.command(&set).await["status"], "OK");
    let before = row().await;
    assert_eq!(
        (&before["AddjValue"], &before["Temp"]),
        (&1.5.into(), &20.0.into())
    );
    // By its plugin and from outside.
    f.set(id, 0, "21.0;50;1;1010;1").await;
    let stored = async || f.api.devices.find(id).await.unwrap().device.s_value;
    assert_eq!(stored().await, "22.5;50;1;1008;1");
    f.command(&format!("udevice&idx={id}&nvalue=0&svalue=10;50;1;1000;1"))
        .await;
    assert_eq!(stored().await, "11.5;50;1;998;1");
    // Figures that are not given stay.
    f.command(&format!("setused&idx={id}&addjvalue=0")).await;
    let after = row().await;
    assert_eq!(
        (&after["AddjValue"], &after["AddjValue2"]),
        (&0.0.into(), &(-2.0).into())
    );
    let wrong = f.command(&format!("setused&idx={id}&addjvalue=inf")).await;
    assert!(message(&wrong).contains("`addjvalue`"));
    let nobody = f.command("setused&idx=99&addjvalue=1").await;
    assert_eq!(message(&nobody), "no device has this idx");
}

#[tokio::test]
async fn scripts_see_the_state_of_each_device() {
    let f = fixture().await;
    let lamp = f.dimmer().await;
    f.set(lamp, 1, "40").await;
    f.add(2, sensor("T", 80, 5, "19.5")).await;
    for form in [
        "type=events&param=currentstates",
        "type=command&param=events&evparam=currentstates",
    ] {
        let states = rows(&f.json(form).await);
        assert_eq!(
            (&states[0]["id"], &states[0]["value"], &states[1]["svalues"]),
            (&lamp.to_string().into(), &"On".into(), &"19.5".into()),
            "{form}"
        );
    }
}

#[tokio::test]
async fn the_rain_of_today_is_shown_and_not_all_that_ever_fell() {
    let f = fixture().await;
    let id = f.add(1, sensor("R", 85, 3, "0;15.5")).await;
    f.api
        .history
        .tick(jiff::Timestamp::now(), 60)
        .await
        .unwrap();
    f.set(id, 0, "250;18.7").await;
    let row = f.command(&format!("getdevices&rid={id}")).await["result"][0].clone();
    assert_eq!(
        (&row["Rain"], &row["RainRate"]),
        (&"3.2".into(), &"2.5".into())
    );
}
