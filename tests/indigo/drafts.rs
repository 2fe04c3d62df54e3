//! Dialogs for new devices, as plugins of the wild use them: the device is there while its
//! dialog is open.

use serde_json::{Value, json};

use crate::site::{Site, send};
use crate::stage::{PLUGIN, Stage};

const DEVICES: &str = "<Devices><Device type='sensor' id='zone'><Name>Zone</Name><ConfigUI>\
    <Field id='member' type='menu'><List class='self' method='members'/></Field>\
    <Field id='add' type='button'><CallbackMethod>add</CallbackMethod></Field>\
    <Field id='chosen' type='textfield' hidden='true'/></ConfigUI></Device></Devices>";

/// Looks its device up in every method of the dialog.
const CODE: &str = "
import time

class Plugin(indigo.PluginBase):
    def members(self, filter, valuesDict, typeId, targetId):
        me = indigo.devices[targetId]
        return [(name, name) for name in ('hall of ' + me.name, 'attic')]

    def add(self, valuesDict, typeId, devId):
        valuesDict['chosen'] = valuesDict['member'] + ' ' + indigo.devices[devId].name
        return valuesDict

    def validateDeviceConfigUi(self, valuesDict, typeId, devId):
        if indigo.devices[devId].name == 'Slow':
            time.sleep(27)
        self.logger.info('validates %s %s' % (indigo.devices[devId].name, indigo.devices[devId].configured))
        return (True, valuesDict)

    def closedDeviceConfigUi(self, valuesDict, userCancelled, typeId, devId):
        self.logger.info('closed %s %s' % (indigo.devices[devId].name, userCancelled))

    def deviceStartComm(self, dev):
        self.logger.info('starts %s %s' % (dev.name, dev.pluginProps['chosen']))

    def deviceCreated(self, dev):
        self.logger.info('created %s %s' % (dev.name, dev.pluginProps['chosen']))
        super().deviceCreated(dev)

    def deviceDeleted(self, dev):
        self.logger.info('deleted %s' % dev.name)

    def deviceStopComm(self, dev):
        self.logger.info('stops %s' % dev.name)
";

async fn started() -> (Stage, Site) {
    let mut stage = Stage::new();
    let files = [("plugin.py", CODE), ("Devices.xml", DEVICES)];
    stage
        .start("Case", PLUGIN, &files, "[limits]\ncallback-wall = 60000\n")
        .await;
    let site = Site::open(&mut stage).await;
    let running = async |stage: &mut Stage| stage.server().await.plugin(PLUGIN).unwrap().running();
    stage.until("the plugin", running).await;
    (stage, site)
}

async fn ask(site: &Site, method: &'static str, path: &str, body: Value) -> (u16, Value) {
    let path = format!("/cordon/indigo/dialogs{path}");
    let (status, _, text) = send(site, method, &path, body).await;
    (status, serde_json::from_str(&text).expect(&text))
}

/// Opens the dialog of a new zone: its path, and its content.
async fn open(site: &Site, name: Option<&str>) -> (String, Value) {
    let mut opening = json!({"pluginId": PLUGIN, "kind": "device", "typeId": "zone"});
    if let Some(name) = name {
        opening["name"] = json!(name);
    }
    let (status, shown) = ask(site, "POST", "", opening).await;
    assert_eq!(status, 201, "{shown}");
    (format!("/{}", shown["dialog"].as_str().unwrap()), shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_of_a_dialog_find_the_new_device_which_starts_when_it_is_saved() {
    let (mut stage, site) = started().await;
    let (path, shown) = open(&site, Some("Loft")).await;
    assert_eq!(shown["fields"][0]["options"][0]["value"], "hall of Loft");
    let device = stage.done("devices.get", json!({"id": "Loft"})).await;
    assert_eq!(device["configured"], false);
    let body = json!({"field": "add", "values": {"member": "attic"}});
    let (_, shown) = ask(&site, "POST", &format!("{path}/press"), body).await;
    assert_eq!(shown["values"]["chosen"], "attic Loft");
    let (_, saved) = ask(&site, "POST", &format!("{path}/save"), json!({})).await;
    assert_eq!(saved["objectId"], device["id"], "{saved}");
    stage.line("validates Loft False").await;
    stage.line("created Loft attic Loft").await;
    stage.line("starts Loft attic Loft").await;
    // The dialog is closed and the device told of at the same time.
    let closed = async |stage: &mut Stage| stage.transcript().contains("closed Loft False");
    stage.until("the end of the dialog", closed).await;
    let device = stage.done("devices.get", json!({"id": "Loft"})).await;
    assert_eq!(device["configured"], true);
    let all = stage.transcript();
    assert_eq!(all.matches("created").count(), 1, "{all}");
    assert!(!all.contains("stops Loft"), "{all}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_dialog_takes_its_device_away() {
    let (mut stage, site) = started().await;
    let (first, _) = open(&site, None).await;
    let (second, _) = open(&site, None).await;
    assert_eq!(
        stage
            .done("devices.list", json!({}))
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let (status, _) = ask(&site, "DELETE", &first, Value::Null).await;
    assert_eq!(status, 200);
    stage.line("closed new Zone True").await;
    let left = stage.done("devices.objects", json!({})).await;
    assert_eq!(left[0]["name"], "new Zone 2", "{left}");
    let (status, _) = ask(&site, "DELETE", &second, Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(stage.done("devices.list", json!({})).await, json!([]));
    let all = stage.transcript();
    for word in ["created", "stops", "deleted"] {
        assert!(!all.contains(word), "nobody is told of a draft: {all}");
    }
    // A name that is taken is refused before there is a dialog.
    open(&site, Some("Loft")).await;
    let opening = json!({"pluginId": PLUGIN, "kind": "device", "typeId": "zone", "name": "Loft"});
    let (status, refused) = ask(&site, "POST", "", opening).await;
    assert_eq!(status, 400, "{refused}");
    // The rest of a dialog when the hub ends is gone when it starts again.
    stage.stop().await;
    stage.open();
    assert_eq!(stage.done("devices.list", json!({})).await, json!([]));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_that_takes_long_is_answered_and_goes_on() {
    let (mut stage, site) = started().await;
    let (path, _) = open(&site, Some("Slow")).await;
    let (status, answer) = ask(&site, "POST", &format!("{path}/save"), json!({})).await;
    assert_eq!(status, 504, "{answer}");
    let text = answer["description"].as_str().unwrap();
    assert!(text.contains("longer than 25 s; it goes on"), "{text}");
    let (status, _) = ask(&site, "DELETE", &path, Value::Null).await;
    assert_eq!(status, 409, "it is busy");
    stage.line("starts Slow").await;
    stage.stop().await;
}
