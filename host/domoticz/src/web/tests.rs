//! Tests of the API over real loopback sockets: the house they ask, and how.

mod bounds;
mod browsers;
mod devices;
mod history;
mod hub;
mod people;
mod places;
mod settings;
mod slow;
mod socket;
mod switching;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::{Change, DeliverError, DeviceLimits, HardwareInfo, HubEvent, Level, NewDevice};
use cordon_base::account::Account;
use cordon_base::log::{Level as LogLevel, LogCapacity};
use cordon_store::Store;
use cordon_web::config::WebConfig;
use cordon_web::server::serve;
use cordon_web::{origin, query, server};

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
    text: 64 << 10,
};

/// Content type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<(u32, HubEvent)>>,
    refuse: Mutex<Option<DeliverError>>,
    hardware: Mutex<Vec<HardwareInfo>>,
    accounts: Mutex<HashMap<u32, Arc<Account>>>,
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

    fn account(&self, hardware: u32) -> Option<Arc<Account>> {
        self.accounts.lock().unwrap().get(&hardware).cloned()
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
    start_with(connections, exchange, &WebConfig::default()).await
}

async fn start_with(connections: usize, exchange: Duration, web: &WebConfig) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
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
    let pools = Pools::default();
    let log = EventLog::new(LogCapacity::default());
    let api = HubApi {
        house: House::new(&store, devices.clone(), Arc::<Recorder>::clone(&plugins)),
        images: Images::new(store.clone()),
        board: Board::new(devices.clone(), pools.commands.clone()),
        devices,
        manager: None,
        problems: cordon_base::problems::Problems::default(),
        access: Access::new(web, "tests").with_log(log.clone()),
        budget: Budget::default(),
        pages: Pages::new(
            &folder.path().join("pages"),
            pools.files.clone(),
            plugins.clone(),
        ),
        history: History::new(store.clone()),
        favorites: Favorites::new(store.clone()),
        variables: Variables::new(store.clone()),
        preferences: Preferences::new(store),
        started: Instant::now(),
        log,
        plugins: Arc::<Recorder>::clone(&plugins),
        pools,
        version: VersionInfo {
            version: "2025.1".to_owned(),
            ..VersionInfo::default()
        },
        origins: Origins::new(web, ([127, 0, 0, 1], 0).into()),
        place: (0.0, 0.0),
        pages_origin: None,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = server::Server::new(router(api.clone()));
    let server = server.with_bounds(connections, connections, exchange);
    let serving = server.serve(listener, shutdown);
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

/// An API with a `[web]` section.
async fn fixture_with(web: &str) -> Fixture {
    let web = toml::from_str(web).unwrap();
    start_with(16, Duration::from_secs(20), &web).await
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

    async fn get_bytes(&self, path: &str) -> Vec<u8> {
        let (address, path) = (self.address, path.to_owned());
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            answer
        };
        tokio::task::spawn_blocking(exchange).await.unwrap()
    }

    /// Sends a body; returns the status line and the answer.
    async fn post(&self, path: &str, kind: &str, body: &str) -> (String, Value) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let answer = self.raw(head + body).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.lines().next().unwrap().to_owned();
        (status, serde_json::from_str(body).unwrap())
    }

    async fn form(&self, body: &str) -> Value {
        self.post("/json.htm", FORM, body).await.1
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
        let value = Some(crate::ValueUpdate {
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

fn rows(answer: &Value) -> Vec<Value> {
    assert_eq!(answer["status"], "OK", "{answer}");
    answer["result"].as_array().cloned().unwrap_or_default()
}

fn message(answer: &Value) -> &str {
    assert_eq!(answer["status"], "ERR", "{answer}");
    answer["message"].as_str().unwrap()
}
