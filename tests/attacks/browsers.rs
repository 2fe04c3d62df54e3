//! Pages that make a real browser command the hub: of any site, of another port of the
//! same host, and of plugins.
//!
//! Chromium opens each page in a profile of its own. `hub.lan` leads to loopback, and
//! is plain HTTP to the browser, as a hub in a local network is: it says nothing there
//! of where a request comes from. Every page tries all that a page can, and leads the
//! browser to a command at last, so that the text it ends with is the hub's refusal.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordon::site::Listeners;
use cordon_indigo::config::IndigoSection;
use cordon_indigo::web::{IndigoApi, IndigoApiConfig, KeyConfig};
use cordon_web::config::WebConfig;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::support::bundle::bundle;
use crate::support::{Bench, PluginText};

const KEY: &str = "a-key-of-the-operator";
const ID: &str = "org.example.attacker";

/// The command that pages try to give; each way of asking has a name of its own.
const COMMAND: &str = "/json.htm?type=command&param=adduservariable&vtype=2&vvalue=x&vname=";

/// How the hub refuses a command of a browser.
const REFUSAL: &str = "a browser may give commands by POST";

const DOMOTICZ: &str = "
import os
def onStart():
    os.makedirs('www/templates', exist_ok=True)
    open('www/templates/nice.html', 'w').write('''PAGE''')
    Domoticz.Log('the page is there')
";

const INDIGO: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log('up')
    def go(self, action, dev=None, callerWaitingForResult=True):
        to = action.props['url_query_args']['to']
        return {'status': 302, 'headers': {'Location': to}, 'content': ''}
    def page(self, action, dev=None, callerWaitingForResult=True):
        return {'status': 200, 'content': '''PAGE''', 'headers': {'Content-Type': 'text/html',
            'Refresh': '0; url=HUBrefreshed', 'Set-Cookie': 'a=b', 'Link': '<HUBlinked>; rel=preload; as=image'}}
";

const ACTIONS: &str = "<Actions>\
    <Action id=\"go\"><Name>Go</Name><CallbackMethod>go</CallbackMethod></Action>\
    <Action id=\"page\"><Name>Page</Name><CallbackMethod>page</CallbackMethod></Action></Actions>";

/// A page that asks in every way for commands of the hub at this address, and of its
/// own origin, before it leads the browser to one.
fn page(hub: &str) -> String {
    let ask = format!("{hub}{COMMAND}");
    let field = |(name, value)| format!("<input type=hidden name={name} value={value}>");
    let fields = [
        ("type", "command"),
        ("param", "adduservariable"),
        ("vtype", "2"),
        ("vvalue", "x"),
        ("vname", "get"),
    ];
    let fields = fields.map(field).concat();
    format!(
        "<h1>Nice</h1><link rel=stylesheet href=\"{ask}style\"><img src=\"{ask}img\">\
         <script src=\"{ask}script\"></script><iframe src=\"{ask}frame\"></iframe>\
         <iframe name=one></iframe><iframe name=two></iframe>\
         <form id=post method=post target=one action=\"{ask}form\"></form>\
         <form id=get target=two action=\"{hub}/json.htm\">{fields}</form><script>\
         const ask = (way, more) => fetch(\"{ask}\" + way, more).catch(() => 0);\
         ask(\"fetch\", {{mode: \"no-cors\", credentials: \"include\"}});\
         ask(\"post\", {{mode: \"no-cors\", method: \"POST\", referrerPolicy: \"no-referrer\"}});\
         ask(\"cors\", {{headers: {{\"X-Cordon-Client\": \"x\"}}}});\
         for (const id of [\"post\", \"get\"]) try {{ document.getElementById(id).submit(); }} catch (e) {{}}\
         try {{ navigator.sendBeacon(\"{ask}beacon\", \"x\"); }} catch (e) {{}}\
         setTimeout(() => location = \"{ask}location\", 700);</script>"
    )
}

/// The page as Chromium shows it after a while; the names lead to this machine. Its virtual time
/// may stand still when a page leads to another port of its own host, or end too early,
/// depending on features that have nothing to do with the matter: every other try is
/// without them.
fn browse(url: String, again: usize) -> String {
    let without = match again % 2 {
        0 => "--disable-features=PaintHolding,BackForwardCache",
        _ => "--disable-features=None",
    };
    let profile = tempfile::tempdir().unwrap();
    let chromium = Command::new("timeout")
        .args(["--kill-after=5", "30", "chromium"])
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--host-resolver-rules=MAP hub.lan 127.0.0.1, MAP evil.example 127.0.0.1")
        .args(["--virtual-time-budget=8000", without, "--dump-dom", &url])
        .stdin(Stdio::null())
        .output();
    let chromium = chromium.expect("chromium can be started; install it");
    String::from_utf8_lossy(&chromium.stdout).into_owned()
}

/// A site of somebody else, which shows this page and notes the requests.
struct Evil {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Evil {
    fn new(page: Arc<Mutex<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (page, notes) = (Arc::clone(&page), Arc::clone(&notes));
                std::thread::spawn(move || answer(stream, &page.lock().unwrap().clone(), &notes));
            }
        });
        Self { address, asked }
    }
}

fn answer(mut stream: std::net::TcpStream, page: &str, notes: &Mutex<Vec<String>>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    notes
        .lock()
        .unwrap()
        .push(head.lines().next().unwrap_or_default().to_owned());
    // All else is the end of it: a page that contains itself would never be done.
    let page = match head.starts_with("GET / ") {
        true => page,
        false => "<p>the end</p>",
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nReferrer-Policy: no-referrer\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
}

/// The hub with its web side.
struct Site {
    bench: Bench,
    api: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Site {
    async fn new() -> Self {
        // A site that may use the API opens the door to no other.
        let web = "names = ['hub.lan']\nnetworks = ['127.0.0.0/8']\n\
                   origins = ['http://dash.example:8082', 'https://evil.example']";
        let web: WebConfig = toml::from_str(web).unwrap();
        let listeners = Listeners::bind(([127, 0, 0, 1], 0).into(), &web)
            .await
            .unwrap();
        let [api, _] = listeners.addresses();
        let mut bench = Bench::new();
        bench.hub.set_web(web.clone());
        let hub = format!("http://hub.lan:{}", api.port());
        let source = DOMOTICZ.replace("PAGE", &page(&hub));
        bench
            .start(PluginText {
                name: "Pages",
                source: &source,
                config: "",
            })
            .await;
        bench.line("the page is there").await;
        let source = INDIGO
            .replace("PAGE", &page(&hub))
            .replace("HUB", &format!("{hub}{COMMAND}"));
        let folder = bench.data_folder().join("../bundles");
        let files = [("plugin.py", source.as_str()), ("Actions.xml", ACTIONS)];
        let root = bundle(&folder, "Attacker", ID, &files);
        let section = format!("bundle = {:?}", root.display().to_string());
        let section: IndigoSection = toml::from_str(&section).unwrap();
        bench.hub.start_indigo(&section).await.unwrap();
        bench.line("Attacker: up").await;
        let server = bench.hub.indigo().await.unwrap();
        server.ready();
        let config = IndigoApiConfig {
            keys: vec![KeyConfig {
                name: "operator".to_owned(),
                key: KEY.to_owned(),
                plugins: Vec::new(),
                rights: cordon_web::access::Rights::Admin,
            }],
            ..IndigoApiConfig::default()
        };
        let domoticz = bench.hub.api(api);
        let (access, origins) = (domoticz.access.clone(), domoticz.origins.clone());
        let indigo = IndigoApi::new(server, &config, access, origins);
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            listeners
                .serve(&web, domoticz, indigo, None, shutdown)
                .await;
        });
        Self {
            bench,
            api,
            _stop: stop,
        }
    }

    /// The names of the variables that somebody made, asked by a program.
    async fn made(&self) -> Vec<String> {
        let url = format!(
            "http://{}/json.htm?type=command&param=getuservariables",
            self.api
        );
        let asking = tokio::task::spawn_blocking(move || {
            let mut answer = ureq::get(url).call().unwrap();
            answer.body_mut().read_to_string().unwrap()
        });
        let answer: Value = serde_json::from_str(&asking.await.unwrap()).unwrap();
        let rows = answer["result"].as_array().cloned().unwrap_or_default();
        let name = |row: &Value| row["Name"].as_str().unwrap().to_owned();
        rows.iter().map(name).collect()
    }

    /// Opens a page; nothing of it may have commanded the hub, which said so at its end.
    async fn open(&self, what: &str, url: String, ends_with: &str) {
        let mut shown = String::new();
        // On a busy machine it may show nothing yet when it ends.
        for again in 0..6 {
            let url = url.clone();
            shown = tokio::task::spawn_blocking(move || browse(url, again))
                .await
                .unwrap();
            assert_eq!(self.made().await, [""; 0], "{what}");
            if shown.contains(ends_with) {
                break;
            }
        }
        assert!(shown.contains(ends_with), "{what} shows: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_anybody_makes_a_browser_command_the_hub() {
    let mut site = Site::new().await;
    let port = site.api.port();
    let text = Arc::new(Mutex::new(String::new()));
    let evil = Evil::new(Arc::clone(&text));
    let there = evil.address.port();
    for (what, from, hub) in [
        ("any site, LAN", "evil.example", "hub.lan"),
        ("any site, loopback", "evil.example", "127.0.0.1"),
        ("another port, LAN", "hub.lan", "hub.lan"),
        ("another port, loopback", "127.0.0.1", "127.0.0.1"),
    ] {
        *text.lock().unwrap() = page(&format!("http://{hub}:{port}"));
        let expected = match hub {
            "hub.lan" => REFUSAL,
            _ => "requests from pages of another origin are refused",
        };
        site.open(what, format!("http://{from}:{there}/"), expected)
            .await;
    }
    // The same page, led to its own site, arrives: the browser does ask in these ways.
    *text.lock().unwrap() = page(&format!("http://evil.example:{there}"));
    evil.asked.lock().unwrap().clear();
    let own = format!("http://evil.example:{there}/");
    site.open("a page of its own", own, "the end").await;
    let asked = evil.asked.lock().unwrap().join("\n");
    for way in [
        "img", "script", "frame", "fetch", "post", "cors", "form", "get", "beacon", "location",
    ] {
        assert!(asked.contains(&format!("vname={way}")), "{way} in {asked}");
    }
    site.bench.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_a_plugin_makes_a_browser_command_the_hub() {
    let mut site = Site::new().await;
    let port = site.api.port();
    for host in ["hub.lan", "127.0.0.1"] {
        let hub = format!("http://{host}:{port}");
        // The pages lead to hub.lan; from the other name that is another site.
        let page = format!("{hub}/templates/nice.html");
        site.open("a page of a Domoticz plugin", page, REFUSAL)
            .await;
        let page = format!("{hub}/message/{ID}/page/?api-key={KEY}");
        site.open("a page of an Indigo plugin", page, REFUSAL).await;
        for to in ["/json.htm", "//hub.lan/json.htm", "http://evil.example/"] {
            let to = to.replace("//hub.lan", &format!("//hub.lan:{port}"));
            let to = format!(
                "{to}?type=command%26param=adduservariable%26vname=redirect%26vtype=2%26vvalue=x"
            );
            let page = format!("{hub}/message/{ID}/go/?api-key={KEY}&to={to}");
            site.open(
                "a redirect of a plugin",
                page,
                "may only lead to a page of the same plugin",
            )
            .await;
        }
    }
    site.bench.hub.stop().await;
}
