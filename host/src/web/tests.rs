//! Tests of the API over real loopback sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::log::{Level as LogLevel, LogCapacity};
use crate::platform::domoticz::{
    Change, DeliverError, DeviceLimits, HardwareInfo, HubEvent, Level, NewDevice,
};
use crate::store::Store;

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
};

#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<(u32, HubEvent)>>,
    refuse: Mutex<Option<DeliverError>>,
    hardware: Mutex<Vec<HardwareInfo>>,
}

impl Plugins for Recorder {
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
        if let Some(error) = *self.refuse.lock().unwrap() {
            return Err(error);
        }
        self.events.lock().unwrap().push((hardware, event));
        Ok(())
    }

    fn hardware(&self) -> Vec<HardwareInfo> {
        self.hardware.lock().unwrap().clone()
    }
}

struct Fixture {
    _folder: TempDir,
    api: HubApi,
    plugins: Arc<Recorder>,
    hardware: u32,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

async fn start(connections: usize, exchange: Duration) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db")).unwrap();
    let hardware = store.hardware_for("HW", "K").await.unwrap();
    let plugins = Arc::new(Recorder::default());
    plugins.hardware.lock().unwrap().push(HardwareInfo {
        id: hardware,
        name: "HW".to_owned(),
        key: "K".to_owned(),
        state: "running".to_owned(),
        detail: "<since> 10:00".to_owned(),
    });
    let devices = DeviceTable::new(store.clone());
    let api = HubApi {
        house: House::new(&store, devices.clone(), Arc::<Recorder>::clone(&plugins)),
        images: Images::new(store.clone()),
        devices,
        manager: None,
        access: Access::new(&crate::config::WebConfig::default()),
        pages: Pages::new(&folder.path().join("pages")),
        history: History::new(store.clone()),
        favorites: Favorites::new(store.clone()),
        variables: Variables::new(store.clone()),
        preferences: Preferences::new(store),
        started: Instant::now(),
        log: EventLog::new(LogCapacity::default()),
        plugins: Arc::<Recorder>::clone(&plugins),
        version: VersionInfo {
            version: "2025.1".to_owned(),
            ..VersionInfo::default()
        },
        local_only: true,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    let serving = server::serve_bounded(
        listener,
        router(api.clone()),
        shutdown,
        connections,
        exchange,
    );
    tokio::spawn(serving);
    Fixture {
        _folder: folder,
        api,
        plugins,
        hardware,
        address,
        _stop: stop,
    }
}

async fn fixture() -> Fixture {
    start(16, Duration::from_secs(20)).await
}

impl Fixture {
    async fn raw(&self, request: String) -> String {
        let address = self.address;
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        tokio::task::spawn_blocking(exchange).await.unwrap()
    }

    async fn get(&self, path: &str, headers: &str) -> String {
        let host = format!("Host: {}\r\nConnection: close\r\n{headers}", self.address);
        self.raw(format!("GET {path} HTTP/1.1\r\n{host}\r\n")).await
    }

    async fn json(&self, query: &str) -> Value {
        let answer = self.get(&format!("/json.htm?{query}"), "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("application/json"), "{head}");
        serde_json::from_str(body).unwrap()
    }

    async fn command(&self, query: &str) -> Value {
        self.json(&format!("type=command&param={query}")).await
    }

    async fn add(&self, unit: u32, device: NewDevice) -> i64 {
        let device = NewDevice {
            unit,
            prefix_name: true,
            used: 1,
            signal_level: 12,
            battery_level: 255,
            ..device
        };
        self.api
            .devices
            .create(self.hardware, device, PLENTY)
            .await
            .unwrap()
            .id
    }

    async fn dimmer(&self) -> i64 {
        self.add(
            1,
            NewDevice {
                name: "Lamp".to_owned(),
                device_type: 244,
                sub_type: 73,
                switch_type: 7,
                ..NewDevice::default()
            },
        )
        .await
    }

    async fn set(&self, id: i64, n_value: i64, s_value: &str) {
        let value = Some(crate::platform::domoticz::ValueUpdate {
            n_value,
            s_value: s_value.to_owned(),
            signal_level: 12,
            battery_level: 255,
        });
        let change = Change {
            value,
            ..Change::default()
        };
        self.api
            .devices
            .update(self.hardware, id, change, PLENTY)
            .await
            .unwrap();
    }

    fn events(&self) -> Vec<(u32, HubEvent)> {
        std::mem::take(&mut self.plugins.events.lock().unwrap())
    }
}

fn message(answer: &Value) -> &str {
    assert_eq!(answer["status"], "ERR", "{answer}");
    answer["message"].as_str().unwrap()
}

#[tokio::test]
async fn getversion_names_the_version() {
    let f = fixture().await;
    let answer = f.command("getversion").await;
    assert_eq!(answer["status"], "OK");
    assert_eq!(answer["title"], "GetVersion");
    assert_eq!(answer["version"], "2025.1");
}

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

#[tokio::test]
async fn getlog_gives_every_line_to_a_client_that_follows() {
    let f = fixture().await;
    f.api.log.record(Some("HW"), LogLevel::Status, "first");
    f.api.log.record(None, LogLevel::Error, "bad");
    let all = f.command("getlog&lastlogtime=0&loglevel=268435455").await;
    assert_eq!(all["result"].as_array().unwrap().len(), 2);
    assert!(
        all["result"][0]["message"]
            .as_str()
            .unwrap()
            .ends_with("  Status: HW: first")
    );
    assert_eq!(all["result"][0]["level"], 2);
    let errors = f.command("getlog&loglevel=4").await;
    assert_eq!(errors["result"].as_array().unwrap().len(), 1);
    let mut last = all["LastLogTime"].as_str().unwrap().to_owned();
    f.api.log.record(None, LogLevel::Normal, "second");
    let mut seen = String::new();
    let give_up = Instant::now() + Duration::from_secs(10);
    while !seen.contains("second") && Instant::now() < give_up {
        let next = f.command(&format!("getlog&lastlogtime={last}")).await;
        seen.push_str(&next.to_string());
        last = next["LastLogTime"].as_str().unwrap().to_owned();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(seen.matches("second").count(), 1, "{seen}");
}

#[tokio::test]
async fn gethardware_lists_plugins_with_their_state() {
    let f = fixture().await;
    let row = f.json("type=hardware").await["result"][0].clone();
    assert_eq!(row["idx"], f.hardware.to_string());
    assert_eq!(
        (&row["Extra"], &row["State"]),
        (&Value::from("K"), &Value::from("running"))
    );
}

#[tokio::test]
async fn what_is_unknown_is_answered_with_err_alone() {
    let f = fixture().await;
    for query in [
        "type=command&param=nonsense",
        "type=nonsense",
        "",
        "param=",
        "type=command",
    ] {
        let answer = f.json(query).await;
        assert_eq!(answer, serde_json::json!({"status": "ERR"}), "{query}");
    }
    assert!(f.get("/other", "").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn other_sites_and_foreign_names_are_refused() {
    let f = fixture().await;
    let path = "/json.htm?type=command&param=getversion";
    let refused = async |headers: &str| f.get(path, headers).await.starts_with("HTTP/1.1 403");
    assert!(refused("Sec-Fetch-Site: cross-site\r\n").await);
    assert!(refused("Origin: http://evil.example\r\n").await);
    assert!(!refused(&format!("Origin: http://{}\r\n", f.address)).await);
    let foreign =
        format!("GET {path} HTTP/1.1\r\nHost: evil.example:8080\r\nConnection: close\r\n\r\n");
    assert!(f.raw(foreign).await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_query_that_is_too_long_is_refused() {
    let f = fixture().await;
    let long = format!(
        "/json.htm?type=command&param={}",
        "x".repeat(query::MAX_QUERY)
    );
    assert!(f.get(&long, "").await.starts_with("HTTP/1.1 414"));
}

#[tokio::test]
async fn the_page_shows_plugins_and_devices_escaped() {
    let f = fixture().await;
    let id = f.dimmer().await;
    f.api
        .devices
        .rename(id, "<script>alert(1)</script>".to_owned())
        .await
        .unwrap();
    let page = f.get("/", "").await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"));
    assert!(page.contains("<b>running</b> &lt;since&gt; 10:00"));
    assert!(
        page.to_lowercase()
            .contains("content-security-policy: default-src 'none'")
    );
}

#[tokio::test]
async fn a_slow_client_is_cut_off_and_its_place_is_given_to_the_next() {
    let f = start(1, Duration::from_millis(400)).await;
    let address = f.address;
    let began = Instant::now();
    let slow = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(b"GET /json.htm?type=com").unwrap();
        let mut rest = Vec::new();
        // Closed or reset: either ends it.
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(f.command("getversion").await["status"], "OK");
    assert!(
        began.elapsed() >= Duration::from_millis(350),
        "the only place was not held"
    );
    assert!(slow.await.unwrap().is_empty());
}

#[tokio::test]
async fn the_server_ends_when_told_although_a_client_holds_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let f = fixture().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(serve(listener, router(f.api.clone()), shutdown));
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET / HT").unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), serving).await;
    assert!(ended.unwrap().unwrap().is_ok());
}
