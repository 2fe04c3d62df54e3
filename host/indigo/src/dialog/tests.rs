//! Tests of dialogs with a plugin of closures: order and arguments of the callbacks.

use serde_json::json;

use super::*;
use crate::database::Reference;
use crate::fixture::{Fixture, ID};
use crate::plugin::Answer;
use crate::table::Collection;

const DEVICES: &str = "<Devices><SupportURL>https://example.com/devices</SupportURL>\
    <Device type='custom' id='lamp'><Name>Lamp</Name><ConfigUI>\
    <Field id='address' type='textfield' defaultValue='1.2.3.4'><Label>Address:</Label></Field>\
    <Field id='more' type='checkbox'/>\
    <Field id='extra' type='textfield' visibleBindingId='more' visibleBindingValue='true'/>\
    <Field id='used' type='textfield' enabledBindingId='more'/>\
    <Field id='room' type='menu'><List class='self' method='rooms' filter='all' \
     dynamicReload='true'/><CallbackMethod>room_changed</CallbackMethod></Field>\
    <Field id='fixed' type='list'><List class='self' method='once'/></Field>\
    <Field id='go' type='button' visibleBindingId='more' visibleBindingValue='true'>\
     <Title>Go</Title><CallbackMethod>pressed</CallbackMethod></Field>\
    </ConfigUI></Device><DeviceFactory><Name>Make</Name><ButtonTitle>Done</ButtonTitle><ConfigUI>\
    <Field id='add' type='button'><CallbackMethod>add</CallbackMethod></Field></ConfigUI>\
    </DeviceFactory></Devices>";
const MENU: &str = "<MenuItems><MenuItem id='plain'><Name>Plain</Name>\
    <CallbackMethod>plain</CallbackMethod></MenuItem><MenuItem id='asks'><Name>Asks</Name>\
    <CallbackMethod>asked</CallbackMethod><ConfigUI><Field id='x' type='textfield' \
    defaultValue='5'/></ConfigUI></MenuItem></MenuItems>";
const PREFS: &str = "<PluginConfig><Field id='level' type='menu' defaultValue='20'><List>\
    <Option value='10'>Debug</Option><Option value='20'>Info</Option></List></Field></PluginConfig>";
const ACTIONS: &str = "<Actions><Action id='beep' deviceFilter='self'><Name>Beep</Name>\
    <CallbackMethod>beep</CallbackMethod><ConfigUI><Field id='times' type='textfield' \
    defaultValue='1'/></ConfigUI></Action></Actions>";

const FILES: [(&str, &str); 4] = [
    ("Server Plugin/Devices.xml", DEVICES),
    ("Server Plugin/MenuItems.xml", MENU),
    ("Server Plugin/PluginConfig.xml", PREFS),
    ("Server Plugin/Actions.xml", ACTIONS),
];

async fn fixture(
    behaviour: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static,
) -> (Fixture, Dialogs) {
    let fixture = Fixture::new(&FILES, behaviour).await;
    let dialogs = Dialogs::new(fixture.server.clone());
    (fixture, dialogs)
}

fn returned(value: Value) -> Option<Answer> {
    Some(Answer::Returned(value))
}

/// A plugin with a few rooms and nothing else of its own.
fn rooms(name: &str, arguments: &Value) -> Option<Answer> {
    match name {
        "plugin.rooms" => {
            let filter = &arguments["args"][0];
            returned(json!([
                ["r1", format!("Room of {filter}")],
                ["r2", "Room 2"]
            ]))
        }
        "plugin.once" => returned(json!([["a", "A"]])),
        _ => Some(Answer::NotDefined),
    }
}

fn new_lamp() -> Subject {
    Subject::Device {
        type_id: "lamp".to_owned(),
        device: 0,
        name: Some("Hall".to_owned()),
    }
}

fn entered(value: Value) -> Values {
    value.as_object().unwrap().clone()
}

fn shown<'a>(dialog: &'a Shown, id: &str) -> &'a ShownField {
    dialog.fields.iter().find(|it| it.field.id == id).unwrap()
}

/// The id of a device, and whether it is configured.
fn device(fixture: &Fixture, name: &str) -> Option<(i64, bool)> {
    let database = fixture.server.database();
    let wanted = Reference::Name(name.to_owned());
    let found = database.find(Collection::Devices.objects(), &wanted)?;
    Some((found.id, found.flag("configured")))
}

#[tokio::test]
async fn a_new_device_is_there_from_the_beginning_and_stays_when_it_is_saved() {
    let (fixture, dialogs) = fixture(rooms).await;
    let id = dialogs.open(ID, new_lamp()).await.unwrap().id;
    let (hall, configured) = device(&fixture, "Hall").unwrap();
    assert!(!configured);
    for (name, arguments) in fixture.calls() {
        let told = arguments.get("devId").or(arguments["args"].get(3));
        assert_eq!(told.unwrap(), hall, "{name}");
    }
    let twin = dialogs.open(ID, new_lamp()).await.unwrap_err();
    assert!(twin.to_string().contains("NameNotUniqueError"), "{twin}");
    dialogs.cancel(&id).await.unwrap();
    assert_eq!(device(&fixture, "Hall"), None);
    let id = dialogs.open(ID, new_lamp()).await.unwrap().id;
    let sent = entered(json!({"address": "10.0.0.1"}));
    let Saved::Yes { object, .. } = dialogs.save(&id, &sent, false).await.unwrap() else {
        panic!("it was refused");
    };
    assert_eq!(device(&fixture, "Hall"), Some((object.unwrap(), true)));
}

#[tokio::test]
async fn a_dialog_that_does_not_open_leaves_no_device() {
    let (fixture, dialogs) = fixture(|name, arguments| match name {
        "getDeviceConfigUiXml" => returned(json!("<ConfigUI><Field")),
        _ => rooms(name, arguments),
    })
    .await;
    dialogs.open(ID, new_lamp()).await.unwrap_err();
    assert_eq!(device(&fixture, "Hall"), None);
}

#[tokio::test]
async fn a_new_dialog_has_defaults_options_and_bindings() {
    let (fixture, dialogs) = fixture(rooms).await;
    let dialog = dialogs.open(ID, new_lamp()).await.unwrap();
    let expected = json!({"address": "1.2.3.4", "more": false, "extra": "", "used": "",
        "room": "r1", "fixed": []});
    assert_eq!(Value::Object(dialog.values.clone()), expected);
    assert_eq!(
        dialog.support_url.as_deref(),
        Some("https://example.com/devices")
    );
    assert!(!shown(&dialog, "extra").visible && !shown(&dialog, "used").enabled);
    assert_eq!(
        shown(&dialog, "room").options.as_ref().unwrap()[0].1,
        "Room of \"all\""
    );
    let names = fixture.names();
    assert_eq!(
        names,
        [
            "getDeviceConfigUiXml",
            "getDeviceConfigUiValues",
            "plugin.rooms",
            "plugin.once"
        ]
    );
    let again = dialogs
        .enter(&dialog.id, &entered(json!({"more": "true"})))
        .unwrap();
    assert!(shown(&again, "extra").visible && shown(&again, "used").enabled);
    assert!(fixture.names().is_empty());
}

#[tokio::test]
async fn buttons_and_menus_make_a_round_trip() {
    let (fixture, dialogs) = fixture(|name, arguments| match name {
        "plugin.pressed" => {
            let mut values = arguments["args"][0].clone();
            values["extra"] = json!("found");
            values.as_object_mut().unwrap().shift_remove("used");
            returned(json!([values, {"address": "hm", "showAlertText": "look"}]))
        }
        "plugin.room_changed" => returned(Value::Null),
        _ => rooms(name, arguments),
    })
    .await;
    let id = dialogs.open(ID, new_lamp()).await.unwrap().id;
    let refused = dialogs.press(&id, "go", &Values::new()).await.unwrap_err();
    assert!(
        refused.to_string().contains("cannot be used now"),
        "{refused}"
    );
    let refused = dialogs
        .press(&id, "address", &Values::new())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("no field `address` with"),
        "{refused}"
    );
    fixture.calls();
    let sent = entered(json!({"more": true, "address": "10.0.0.1"}));
    let after = dialogs.press(&id, "go", &sent).await.unwrap();
    assert_eq!(after.values["extra"], "found");
    assert_eq!(after.values["used"], "");
    assert_eq!(after.alert.as_deref(), Some("look"));
    assert_eq!(Value::Object(after.errors), json!({"address": "hm"}));
    let calls = fixture.calls();
    assert_eq!(calls[0].0, "plugin.pressed");
    assert_eq!(calls[0].1["kind"], "button");
    assert_eq!(calls[0].1["args"][0]["address"], "10.0.0.1");
    assert_eq!(calls[0].1["args"][1], "lamp");
    assert_eq!(calls[0].1["args"][2], device(&fixture, "Hall").unwrap().0);
    // Only the dynamic list is made again.
    assert_eq!(calls[1].0, "plugin.rooms");
    assert_eq!(calls.len(), 2);
    let after = dialogs
        .press(&id, "room", &entered(json!({"room": "r2"})))
        .await
        .unwrap();
    assert_eq!(after.values["room"], "r2");
}

#[tokio::test]
async fn a_refused_dialog_stays_open_and_a_cancelled_one_is_told() {
    let (fixture, dialogs) = fixture(|name, arguments| match name {
        "validateDeviceConfigUi" => {
            let mut values = arguments["valuesDict"].clone();
            values["address"] = json!("corrected");
            returned(json!([false, values, {"address": "no such host"}]))
        }
        _ => rooms(name, arguments),
    })
    .await;
    let id = dialogs.open(ID, new_lamp()).await.unwrap().id;
    let Saved::No(again) = dialogs.save(&id, &Values::new(), false).await.unwrap() else {
        panic!("it was saved");
    };
    assert_eq!(again.values["address"], "corrected");
    assert_eq!(again.errors["address"], "no such host");
    assert_eq!(dialogs.count(), 1);
    fixture.calls();
    dialogs.cancel(&id).await.unwrap();
    let calls = fixture.calls();
    assert_eq!(calls[0].0, "closedDeviceConfigUi");
    assert_eq!(calls[0].1["userCancelled"], true);
    assert_eq!(calls[0].1["valuesDict"]["address"], "corrected");
    let refused = dialogs.cancel(&id).await.unwrap_err();
    assert!(matches!(refused, DialogError::NotOpen(_)));
}

#[tokio::test]
async fn preferences_start_from_the_plugins_and_are_merged_before_the_dialog_is_closed() {
    let (fixture, dialogs) = fixture(|name, _| match name {
        "pluginPrefs" => returned(json!({"level": "10", "other": [1]})),
        "validatePrefsConfigUi" => returned(json!(true)),
        "mergePluginPrefs" => returned(Value::Null),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let dialog = dialogs.open(ID, Subject::Preferences).await.unwrap();
    assert_eq!(
        Value::Object(dialog.values),
        json!({"level": "10", "other": [1]})
    );
    fixture.calls();
    let saved = dialogs
        .save(&dialog.id, &entered(json!({"level": "20"})), false)
        .await
        .unwrap();
    assert!(matches!(saved, Saved::Yes { .. }));
    let calls = fixture.calls();
    let names: Vec<_> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "validatePrefsConfigUi",
            "mergePluginPrefs",
            "closedPrefsConfigUi"
        ]
    );
    assert_eq!(
        calls[1].1["valuesDict"],
        json!({"level": "20", "other": [1]})
    );
    assert_eq!(calls[2].1["userCancelled"], false);
    assert_eq!(dialogs.count(), 0);
}

#[tokio::test]
async fn menu_items_are_executed_with_and_without_a_dialog() {
    let (fixture, dialogs) = fixture(|name, _| match name {
        "plugin.plain" => returned(json!(false)),
        "plugin.asked" => returned(json!([true, {"x": "6"}])),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let menu = |item: &str| Subject::Menu {
        item: item.to_owned(),
    };
    let plain = dialogs.open(ID, menu("plain")).await.unwrap();
    assert_eq!(plain.button, "Execute");
    fixture.calls();
    let saved = dialogs
        .save(&plain.id, &Values::new(), false)
        .await
        .unwrap();
    assert!(
        matches!(saved, Saved::Yes { .. }),
        "the value of a plain item means nothing"
    );
    assert_eq!(
        fixture.calls(),
        [(
            "plugin.plain".to_owned(),
            json!({"kind": "menu", "args": []})
        )]
    );
    let asks = dialogs.open(ID, menu("asks")).await.unwrap();
    assert_eq!(asks.values["x"], "5");
    fixture.calls();
    let Saved::Yes { values, .. } = dialogs.save(&asks.id, &Values::new(), false).await.unwrap()
    else {
        panic!("it was refused");
    };
    assert_eq!(values["x"], "6");
    let expected = json!({"kind": "menu", "args": [{"x": "5"}, "asks"]});
    assert_eq!(fixture.calls(), [("plugin.asked".to_owned(), expected)]);
}

#[tokio::test]
async fn the_factory_passes_its_devices_on() {
    let (fixture, dialogs) = fixture(|name, _| match name {
        "plugin.add" => returned(json!({"note": "added"})),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let subject = Subject::Factory { devices: vec![7] };
    let dialog = dialogs.open(ID, subject).await.unwrap();
    assert_eq!(
        (dialog.title.as_str(), dialog.button.as_str()),
        ("Make", "Done")
    );
    dialogs
        .press(&dialog.id, "add", &Values::new())
        .await
        .unwrap();
    dialogs
        .save(&dialog.id, &Values::new(), false)
        .await
        .unwrap();
    let calls = fixture.calls();
    let names: Vec<_> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "getDeviceFactoryUiValues",
            "plugin.add",
            "validateDeviceFactoryUi",
            "closedDeviceFactoryUi"
        ]
    );
    assert_eq!(calls[1].1["args"], json!([{}, [7]]));
    assert_eq!(calls[3].1["devIdList"], json!([7]));
}

#[tokio::test]
async fn actions_hand_their_values_back() {
    let (_fixture, dialogs) = fixture(|name, arguments| match name {
        "getActionConfigUiValues" => {
            let mut values = arguments["pluginProps"].clone();
            values["seen"] = json!("yes");
            returned(json!([values, {}]))
        }
        _ => Some(Answer::NotDefined),
    })
    .await;
    let subject = Subject::Action {
        type_id: "beep".to_owned(),
        device: 9,
        props: entered(json!({"times": "3"})),
        place: None,
    };
    let dialog = dialogs.open(ID, subject).await.unwrap();
    let Saved::Yes { values, object, .. } = dialogs
        .save(&dialog.id, &Values::new(), false)
        .await
        .unwrap()
    else {
        panic!("it was refused");
    };
    assert_eq!(Value::Object(values), json!({"times": "3", "seen": "yes"}));
    assert_eq!(object, None);
}

#[tokio::test]
async fn a_dialog_may_be_made_by_the_plugin() {
    let (_fixture, dialogs) = fixture(|name, _| match name {
        "getDeviceConfigUiXml" => returned(json!(
            "<ConfigUI><SupportURL>https://x</SupportURL><Field id='made' type='checkbox' \
             defaultValue='true'/></ConfigUI>"
        )),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let dialog = dialogs.open(ID, new_lamp()).await.unwrap();
    assert_eq!(Value::Object(dialog.values), json!({"made": true}));
    assert_eq!(dialog.support_url.as_deref(), Some("https://x"));
}

#[tokio::test]
async fn what_plugins_do_wrong_is_said() {
    let raised = || {
        Some(Answer::Raised(
            json!({"type": "KeyError", "traceback": "T"}),
        ))
    };
    let (_fixture, dialogs) = fixture(move |name, arguments| match name {
        "plugin.rooms" | "getDeviceConfigUiValues" => raised(),
        "plugin.room_changed" => raised(),
        "getEventConfigUiXml" => returned(json!("<broken")),
        _ => rooms(name, arguments),
    })
    .await;
    // Lists and values that cannot be made leave the dialog usable.
    let dialog = dialogs.open(ID, new_lamp()).await.unwrap();
    assert!(shown(&dialog, "room").options.as_ref().unwrap().is_empty());
    let failed = dialogs
        .press(&dialog.id, "room", &Values::new())
        .await
        .unwrap_err();
    let DialogError::Raised { callback, detail } = failed else {
        panic!("{failed}");
    };
    assert_eq!(
        (callback.as_str(), &detail["traceback"]),
        ("plugin.room_changed", &json!("T"))
    );
    let sent = entered(json!({"more": true}));
    let failed = dialogs.press(&dialog.id, "go", &sent).await.unwrap_err();
    assert!(
        failed.to_string().contains("no method `pressed`"),
        "{failed}"
    );
    for subject in [
        Subject::Device {
            type_id: "none".to_owned(),
            device: 0,
            name: None,
        },
        Subject::Device {
            type_id: "lamp".to_owned(),
            device: 4711,
            name: None,
        },
        Subject::Event {
            type_id: "none".to_owned(),
            trigger: 0,
            name: None,
        },
        Subject::Menu {
            item: "none".to_owned(),
        },
    ] {
        let failed = dialogs.open(ID, subject).await.unwrap_err();
        assert!(matches!(failed, DialogError::Missing(_)), "{failed}");
    }
    assert!(
        dialogs
            .open("com.none", Subject::Preferences)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn open_dialogs_are_counted_and_one_request_works_at_a_time() {
    let (_fixture, dialogs) = fixture(|name, arguments| match name {
        "plugin.room_changed" => None,
        _ => rooms(name, arguments),
    })
    .await;
    let first = dialogs.open(ID, new_lamp()).await.unwrap().id;
    for _ in 1..MAX_OPEN {
        dialogs.open(ID, Subject::Preferences).await.unwrap();
    }
    let refused = dialogs.open(ID, Subject::Preferences).await.unwrap_err();
    assert!(matches!(refused, DialogError::TooMany));
    let nothing = Values::new();
    let waiting = dialogs.press(&first, "room", &nothing);
    let other = async {
        tokio::task::yield_now().await;
        dialogs.enter(&first, &Values::new())
    };
    tokio::select! {
        biased;
        _ = waiting => panic!("the plugin never answers"),
        refused = other => assert!(matches!(refused, Err(DialogError::Busy))),
    }
    dialogs.enter(&first, &Values::new()).unwrap();
}

/// The definition that a plugin makes for a dialog stays for as long as the dialog is open.
#[tokio::test]
async fn an_open_dialog_is_paid_for_with_all_that_it_has() {
    let label = "x".repeat(16_000);
    let field = |n| format!("<Field id='l{n}' type='label'><Label>{label}</Label></Field>");
    let fields: String = (0..13).map(field).collect();
    let behaviour = move |name: &str, arguments: &Value| match name {
        "getDeviceConfigUiXml" => returned(json!(format!("<ConfigUI>{fields}</ConfigUI>"))),
        _ => rooms(name, arguments),
    };
    let (fixture, dialogs) = fixture(behaviour).await;
    let account = &fixture.plugin.account;
    let id = dialogs.open(ID, new_lamp()).await.unwrap().id;
    assert!(account.used() > 200_000, "{}", account.used());
    dialogs.enter(&id, &Values::new()).unwrap();
    assert!(account.used() > 200_000, "{}", account.used());
    dialogs.cancel(&id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(account.used(), 0);
}

/// Labels that share their id with a list have none of its options, and the list has them
/// once, however often it is shown.
#[tokio::test]
async fn options_are_not_copied_for_each_field() {
    let labels = "<Field id='x' type='label'><Label>x</Label></Field>".repeat(900);
    let prefs = format!(
        "<PluginConfig><Field id='x' type='list'><List class='self' method='lst'/></Field>{labels}\
         </PluginConfig>"
    );
    let files = [("Server Plugin/PluginConfig.xml", prefs.as_str())];
    let fixture = Fixture::new(&files, |name, _| match name {
        "plugin.lst" => {
            let pair = |n| json!([format!("{n}"), "x".repeat(500)]);
            returned((0..5000).map(pair).collect())
        }
        _ => Some(Answer::NotDefined),
    })
    .await;
    let dialogs = Dialogs::new(fixture.server.clone());
    let first = dialogs.open(ID, Subject::Preferences).await.unwrap();
    assert_eq!(first.fields.len(), 901);
    let with = first.fields.iter().filter(|it| it.options.is_some());
    assert_eq!(with.count(), 1);
    let second = dialogs.enter(&first.id, &Values::new()).unwrap();
    let options = |shown: &Shown| Arc::clone(shown.fields[0].options.as_ref().unwrap());
    assert_eq!(options(&first).len(), 5000);
    assert!(Arc::ptr_eq(&options(&first), &options(&second)));
}

/// What a dialog needs is computed on the pool and billed to its plugin.
#[tokio::test]
async fn the_work_of_a_dialog_is_its_plugins() {
    let (fixture, dialogs) = fixture(rooms).await;
    let dialogs = Arc::new(dialogs);
    let account = dialogs.account_of(ID).unwrap();
    let here = std::thread::current().id();
    let inner = Arc::clone(&dialogs);
    let work = async move {
        let shown = inner.open(ID, new_lamp()).await.unwrap();
        (shown, std::thread::current().id())
    };
    let (shown, there) = dialogs.apart(&account, work).await.unwrap();
    assert!(here != there);
    assert!(fixture.plugin.account.billed() > Duration::ZERO);
    assert!(Arc::ptr_eq(&dialogs.account(&shown.id).unwrap(), &account));
    assert!(matches!(
        dialogs.account("none"),
        Err(DialogError::NotOpen(_))
    ));
    assert!(matches!(
        dialogs.account_of("none"),
        Err(DialogError::Missing(_))
    ));
}
