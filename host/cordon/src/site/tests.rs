//! Tests of both listeners with the APIs of both frameworks.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::schemas::SCHEMAS;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::pool::Pools;
use cordon_base::problems::Problems;
use cordon_control::client::Client;
use cordon_control::operator::{Action, Answer, OperatorError};
use cordon_control::report::{Changes, HubReport, InstanceReport};
use cordon_domoticz::favorites::Favorites;
use cordon_domoticz::history::History;
use cordon_domoticz::image::Images;
use cordon_domoticz::preferences::Preferences;
use cordon_domoticz::variables::Variables;
use cordon_domoticz::web::{Board, Pages, VersionInfo};
use cordon_domoticz::{DeviceTable, House};
use cordon_indigo::web::IndigoApiConfig;
use cordon_indigo::{IndigoServer, ServerOptions};
use cordon_runtime::instance::switchboard::Switchboard;
use cordon_store::Store;
use cordon_web::access::Access;
use cordon_web::budget::Budget;
use cordon_web::origin::Origins;

const CHROME: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0\r\n";

/// Whether the answer is this status.
fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

struct Fixture {
    folder: TempDir,
    api: HubApi,
}

/// The API of a hub without plugins.
fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
    let plugins = Arc::new(Switchboard::default());
    let devices = DeviceTable::new(store.clone());
    let pools = Pools::default();
    let web = WebConfig::default();
    let api = HubApi {
        house: House::new(&store, devices.clone(), Arc::<Switchboard>::clone(&plugins)),
        images: Images::new(store.clone()),
        board: Board::new(devices.clone(), pools.commands.clone()),
        devices,
        manager: None,
        problems: Problems::default(),
        access: Access::new(&web, cordon_indigo::web::REALM),
        budget: Budget::default(),
        pages: Pages::new(
            &folder.path().join("pages"),
            pools.files.clone(),
            Arc::<Switchboard>::clone(&plugins),
        ),
        history: History::new(store.clone()),
        favorites: Favorites::new(store.clone()),
        variables: Variables::new(store.clone()),
        preferences: Preferences::new(store),
        started: Instant::now(),
        log: EventLog::new(LogCapacity::default()),
        plugins,
        pools,
        version: VersionInfo::default(),
        origins: Origins::new(&web, ([127, 0, 0, 1], 0).into()),
        place: (0.0, 0.0),
        pages_origin: None,
    };
    Fixture { folder, api }
}

async fn ask(address: SocketAddr, request: String) -> String {
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

/// Both listeners, as `cordon serve` has them.
async fn listeners(f: &Fixture, web: &str) -> [SocketAddr; 2] {
    listeners_with(f, web, None).await
}

async fn listeners_with(
    f: &Fixture,
    web: &str,
    operator: Option<Arc<dyn Operator>>,
) -> [SocketAddr; 2] {
    let web: WebConfig = toml::from_str(web).unwrap();
    let listeners = Listeners::bind(([127, 0, 0, 1], 0).into(), &web).await;
    let mut listeners = listeners.unwrap();
    listeners.open_socket(&f.folder.path().join("s")).unwrap();
    let [here, there] = listeners.addresses();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("indigo.db"), SCHEMAS).unwrap();
    let log = EventLog::new(LogCapacity::default());
    let indigo = IndigoServer::open(store, log, Pools::default(), ServerOptions::default()).await;
    let indigo = indigo.unwrap();
    let origins = Origins::new(&web, here);
    let config = IndigoApiConfig::default();
    let indigo_api = IndigoApi::new(indigo.clone(), &config, f.api.access.clone(), origins);
    let api = f.api.clone();
    tokio::spawn(async move {
        let _store = folder;
        let forever = std::future::pending();
        listeners
            .serve(&web, api, indigo_api, operator, forever)
            .await;
    });
    [here, ([127, 0, 0, 1], there.port()).into()]
}

/// A browser that asks for an address.
async fn follow(to: SocketAddr, host: &str, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    ask(to, format!("{head}{CHROME}\r\n")).await
}

#[tokio::test]
async fn a_page_may_be_behind_a_proxy() {
    let f = fixture();
    let folder = f.folder.path().join("pages/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Mine.html"), "<p>mine</p>").unwrap();
    let web = "pages-url = 'https://Pages.example.org/'";
    let [here, there] = listeners(&f, web).await;
    let path = "/templates/Mine.html";
    let answer = follow(here, "localhost", path).await;
    let (_, place) = answer.split_once("location: https://").unwrap();
    let (host, rest) = place.split_once('/').unwrap();
    assert!(rest.starts_with("templates/Mine.html\r\n"), "{answer}");
    // The request as the proxy passes it on.
    let page = follow(there, host, path).await;
    assert!(is(&page, 200) && page.ends_with("<p>mine</p>"), "{page}");
    // The name is none of the API's.
    assert!(is(&follow(here, host, path).await, 403));
    assert!(is(&follow(there, "evil.example", path).await, 403));
}

#[tokio::test]
async fn pages_have_an_address_that_the_api_does_not_have() {
    let f = fixture();
    let folder = f.folder.path().join("pages/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Mine.html"), "<p>mine</p>").unwrap();
    let [here, there] = listeners(&f, "pages = '0.0.0.0:0'").await;
    let path = "/templates/Mine.html";
    let page = follow(there, "192.168.1.2:8090", path).await;
    assert!(is(&page, 200) && page.ends_with("<p>mine</p>"), "{page}");
    assert!(is(&follow(here, "192.168.1.2", path).await, 403));
    // Browsers are sent to an address that was chosen, under whatever name they came.
    let [here, _] = listeners(&f, "pages = '127.0.0.2:0'").await;
    let answer = follow(here, "localhost", path).await;
    assert!(answer.contains("location: http://127.0.0.2:"), "{answer}");
}

/// A hub without instances.
struct Empty;

impl Operator for Empty {
    fn hub(&self) -> HubReport {
        HubReport {
            version: "of the test".to_owned(),
            pid: 1,
            started: 1,
            configuration: None,
            loading: false,
            resident: 1,
            problems: Vec::new(),
        }
    }

    fn instances(&self) -> futures_util::future::BoxFuture<'_, Vec<InstanceReport>> {
        Box::pin(async { Vec::new() })
    }

    fn act<'a>(&'a self, name: &'a str, _: Action) -> Answer<'a, ()> {
        Box::pin(async move { Err(OperatorError::Missing(name.to_owned())) })
    }

    fn grants<'a>(&'a self, name: &'a str) -> Answer<'a, serde_json::Value> {
        Box::pin(async move { Err(OperatorError::Missing(name.to_owned())) })
    }

    fn set_grants<'a>(&'a self, name: &'a str, _: serde_json::Value) -> Answer<'a, ()> {
        Box::pin(async move { Err(OperatorError::Missing(name.to_owned())) })
    }

    fn reload(&self) -> Answer<'_, Changes> {
        Box::pin(async { Ok(Changes::default()) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_api_is_on_the_socket_and_beside_the_others() {
    let f = fixture();
    let [here, there] = listeners_with(&f, "", Some(Arc::new(Empty))).await;
    let hub = "/cordon/v1/hub";
    let answer = follow(here, "localhost", hub).await;
    assert!(
        is(&answer, 200) && answer.contains("of the test"),
        "{answer}"
    );
    assert!(is(&follow(here, "evil.example", hub).await, 403));
    let nothing = follow(here, "localhost", "/cordon/v1/nothing").await;
    assert!(
        is(&nothing, 404) && nothing.contains("{\"error\":"),
        "{nothing}"
    );
    // The other APIs are where they were, and pages of plugins have none.
    let devices = "/json.htm?type=command&param=getdevices";
    assert!(is(&follow(here, "localhost", devices).await, 200));
    assert!(is(&follow(there, "localhost", hub).await, 404));
    let client = Client::at(f.folder.path().join("s"));
    let told = tokio::task::spawn_blocking(move || client.hub()).await;
    assert_eq!(told.unwrap().unwrap(), Empty.hub());
}

#[tokio::test]
async fn without_an_operator_there_is_no_operators_api() {
    let f = fixture();
    let [here, _] = listeners(&f, "").await;
    assert!(is(&follow(here, "localhost", "/cordon/v1/hub").await, 404));
    assert!(!f.folder.path().join("s").exists());
}
