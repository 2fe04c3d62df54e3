//! Tests of settings and their consequences.

use super::*;

#[tokio::test]
async fn settings_are_numbers_and_texts_and_plugins_get_them() {
    let f = fixture().await;
    let settings = f.json("type=settings").await;
    assert_eq!(
        (&settings["Language"], &settings["TempUnit"]),
        (&"en".into(), &0.into())
    );
    let stored = f
        .form("type=command&param=storesettings&Language=nl&TempUnit=1&Latitude=52.37&Longitude=4.9&Unknown=1")
        .await;
    assert_eq!(stored["status"], "OK", "{stored}");
    let events = f.events();
    let [(_, HubEvent::Settings(given))] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(given.contains(&("Language".to_owned(), "nl".to_owned())));
    assert!(given.iter().all(|(key, _)| key != "Unknown"));
    let settings = f.command("getsettings").await;
    assert_eq!(
        (&settings["Language"], &settings["TempUnit"]),
        (&"nl".into(), &1.into())
    );
    assert_eq!(settings["Location"]["Latitude"], "52.37");
    let config = f.command("getconfig").await;
    assert_eq!(
        (&config["TempSign"], &config["language"]),
        (&"F".into(), &"nl".into())
    );
    let sun = f.command("getSunRiseSet").await;
    assert_eq!(sun["Sunrise"].as_str().unwrap().len(), 5, "{sun}");
    assert!(message(&f.command("storesettings&Unknown=1").await).contains("no setting"));
    assert!(
        message(&f.command("storesettings&Latitude=99&Longitude=0").await).contains("-90 to 90")
    );
}

#[tokio::test]
async fn the_place_of_the_configuration_counts_until_the_settings_have_one() {
    let mut f = fixture().await;
    f.api.place = (52.1, 5.1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    f.address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router(f.api.clone()),
        std::future::pending(),
    ));
    let latitude = async || f.command("getconfig").await["Latitude"].clone();
    assert_eq!(latitude().await, "52.1");
    assert_eq!(
        f.command("getsettings").await["Location"]["Longitude"],
        "5.1"
    );
    assert_eq!(f.command("getSunRiseSet").await["status"], "OK");
    f.form("type=command&param=storesettings&Latitude=48.5&Longitude=2")
        .await;
    assert_eq!(latitude().await, "48.5");
    assert_eq!(f.command("getsettings").await["SecOnDelay"], 0);
    let time = f.command("getServerTime").await;
    assert_eq!(time["ServerTime"].as_str().unwrap().len(), 19);
}

#[tokio::test]
async fn without_a_place_there_is_no_sun() {
    let f = fixture().await;
    assert!(message(&f.command("getSunRiseSet").await).contains("Latitude"));
}

#[tokio::test]
async fn a_hub_without_a_manager_takes_no_hardware() {
    let f = fixture().await;
    for command in [
        "addhardware&htype=94&name=n&extra=K",
        "deletehardware&idx=1",
        "gethardwaretypes",
    ] {
        assert!(
            message(&f.command(command).await).contains("add-hardware"),
            "{command}"
        );
    }
}

#[tokio::test]
async fn what_nobody_uses_is_empty() {
    let f = fixture().await;
    for command in [
        "getplans",
        "getscenes",
        "getcameras",
        "getmobiles",
        "gettimers",
        "getfloorplans",
        "events",
        "getschedules",
        "getsetpointtimers",
    ] {
        assert!(rows(&f.command(command).await).is_empty(), "{command}");
    }
    assert!(rows(&f.json("type=scenes").await).is_empty());
    assert_eq!(f.command("getplans").await["title"], "Plans");
    assert_eq!(f.command("getuptime").await["days"], 0);
}
