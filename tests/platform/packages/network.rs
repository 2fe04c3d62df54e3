//! The same packages over the network: servers on this machine with a private CA.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{cache, give};
use crate::sockets::{Program, python};
use crate::support::ports::free_port;
use crate::support::{Bench, PluginText};

/// How long imports and a few exchanges may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// The WebSocket server's package, for the Python of the machine.
const WEBSOCKETS: &str = "websockets==15.0.1";

/// A private CA and a certificate of it for 127.0.0.1 and localhost.
struct Authority(tempfile::TempDir);

impl Authority {
    fn new() -> Self {
        let it = Self(tempfile::tempdir().unwrap());
        std::fs::write(
            it.file("extensions"),
            "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n",
        )
        .unwrap();
        it.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=Private -addext keyUsage=critical,keyCertSign");
        it.openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
        it.openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out server.pem -extfile extensions");
        it
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.path())
            .output()
            .expect("openssl is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts a server with a configuration file of this text and waits for its port.
    fn serve(&self, program: &str, option: &str, port: u16, config: &str) -> Program {
        let path = self.file("server.conf");
        std::fs::write(
            &path,
            config.replace("{folder}", self.0.path().to_str().unwrap()),
        )
        .unwrap();
        let log = std::fs::File::create(self.file("log")).unwrap();
        let mut child = Command::new(program)
            .arg(option)
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is installed: {error}"));
        for _ in 0..1000 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Program(child);
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!(
            "{program}: {}",
            std::fs::read_to_string(self.file("log")).unwrap()
        );
    }

    fn nginx(&self) -> (Program, u16) {
        let port = free_port();
        let config = format!(
            "user root; daemon off; master_process off; pid {{folder}}/pid; error_log stderr;
             events {{}}
             http {{
               access_log off; client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy;
               fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
               default_type application/json;
               server {{
                 listen 127.0.0.1:{port} ssl;
                 ssl_certificate {{folder}}/server.pem; ssl_certificate_key {{folder}}/server.key;
                 location / {{ return 200 '{{\"uri\": \"$request_uri\", \"method\": \"$request_method\"}}'; }}
                 location = /old {{ return 302 /new?a=b; }}
                 location = /missing {{ return 404 'no'; }}
               }}
             }}"
        );
        (self.serve("nginx", "-c", port, &config), port)
    }
}

/// Runs `main()` of a plugin with the packages, and the CA in its folder.
async fn answer(authority: Option<&Authority>, source: &str, port: u16) -> String {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Network");
    give(&folder);
    if let Some(authority) = authority {
        std::fs::copy(authority.file("ca.pem"), folder.join("ca.pem")).unwrap();
    }
    let source = format!(
        "
import threading, traceback
PORT = {port}
{source}
def report():
    try:
        answer = main()
    except BaseException:
        answer = traceback.format_exc()
    Domoticz.Log('answer: %s.' % (answer,))
def onStart():
    threading.Thread(target=report).start()
"
    );
    let config = format!(
        "grants = {{ network = [\"127.0.0.1:{port}\", \"localhost:{port}\"] }}\nlimits = {{ cpu-share = 200, callback-cpu = 120000 }}"
    );
    let plugin = PluginText {
        name: "Network",
        source: &source,
        config: &config,
    };
    bench.start(plugin).await;
    let line = bench.line_within("answer: ", PATIENCE).await;
    line.split_once("answer: ")
        .unwrap()
        .1
        .trim_end_matches('.')
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_httpx_speak_https_with_a_private_authority_only() {
    let authority = Authority::new();
    let (_nginx, port) = authority.nginx();
    let requests = "
import requests
def main():
    base = 'https://127.0.0.1:%d' % PORT
    try:
        requests.get(base, timeout=20)
        return 'accepted an unknown authority'
    except requests.exceptions.SSLError:
        pass
    with requests.Session() as session:
        session.verify = '/plugin/ca.pem'
        first = session.get(base + '/x', params={'k': 'v'}, timeout=20).json()
        posted = session.post(base + '/y', json={'a': 1}, timeout=20).json()['method']
        moved = session.get(base + '/old', timeout=20)
        missing = session.get(base + '/missing', timeout=20).status_code
    return first['uri'], posted, moved.url[-8:], len(moved.history), missing
";
    let expected = "('/x?k=v', 'POST', '/new?a=b', 1, 404)";
    assert_eq!(answer(Some(&authority), requests, port).await, expected);
    let httpx = "
import asyncio, httpx, ssl
def main():
    base = 'https://127.0.0.1:%d' % PORT
    try:
        httpx.get(base, timeout=20)
        return 'accepted an unknown authority'
    except httpx.ConnectError:
        pass
    context = ssl.create_default_context(cafile='/plugin/ca.pem')
    with httpx.Client(verify=context, timeout=20) as client:
        return client.get(base + '/x').json()['uri'], client.get(base + '/missing').status_code
";
    assert_eq!(answer(Some(&authority), httpx, port).await, "('/x', 404)");
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_speaks_mqtt_over_tls_with_mosquitto() {
    let authority = Authority::new();
    let port = free_port();
    let config = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\ncertfile {{folder}}/server.pem\nkeyfile {{folder}}/server.key\n"
    );
    let _mosquitto = authority.serve("mosquitto", "-c", port, &config);
    let source = "
import queue
import paho.mqtt.client as mqtt
def main():
    got = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id='cordon')
    client.tls_set(ca_certs='/plugin/ca.pem')
    client.on_connect = lambda c, u, flags, reason, p: c.subscribe('test/#', qos=1)
    client.on_subscribe = lambda c, u, mid, codes, p: c.publish('test/a', 'payload', qos=1)
    client.on_message = lambda c, u, message: got.put((message.topic, message.payload))
    client.connect('127.0.0.1', PORT, 30)
    client.loop_start()
    message = got.get(timeout=60)
    client.disconnect()
    client.loop_stop()
    return message
";
    assert_eq!(
        answer(Some(&authority), source, port).await,
        "('test/a', b'payload')"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_client_speaks_with_a_websocket_server() {
    let library = cache().join(WEBSOCKETS.replace("==", "-"));
    if !library.is_dir() {
        let installed = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .args([library.to_str().unwrap(), WEBSOCKETS])
            .status();
        assert!(installed.unwrap().success());
    }
    let server = format!(
        "
import asyncio, sys
sys.path.insert(0, {:?})
from websockets.asyncio.server import serve
async def echo(peer):
    async for message in peer:
        await peer.send(message if isinstance(message, bytes) else message.upper())
async def main():
    async with serve(echo, '127.0.0.1', 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()
asyncio.run(main())
",
        library.display().to_string()
    );
    let (_server, port) = python(&server);
    let source = "
import threading, websocket
def main():
    peer = websocket.create_connection('ws://127.0.0.1:%d/' % PORT, timeout=30)
    peer.send('hello')
    text = peer.recv()
    peer.send_binary(bytes(70000))
    size = len(peer.recv())
    peer.close()
    seen = []
    def opened(app): app.send('again')
    def message(app, text):
        seen.append(text)
        app.close()
    websocket.WebSocketApp('ws://127.0.0.1:%d/' % PORT, on_open=opened, on_message=message).run_forever()
    return text, size, seen
";
    assert_eq!(
        answer(None, source, port).await,
        "('HELLO', 70000, ['AGAIN'])"
    );
}

/// A test that could not tell a file of the plugin from one of the packages would prove nothing.
#[test]
fn the_packages_are_those_of_the_lock_file() {
    let folder = super::installed();
    let has = |path: &str| Path::new(folder).join("Packages").join(path).is_file();
    assert!(has("requests/__init__.py") && has("paho/mqtt/client.py") && has("websocket/_core.py"));
}
