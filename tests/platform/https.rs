//! Module `ssl` over sockets, with real peers: `openssl s_server` and `s_client`,
//! nginx, curl, CPython.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::certificates::Authority;
use crate::sockets::{free_port, network};
use crate::support::{Bench, PATIENCE, PluginText};
use crate::tls::PRELUDE;

/// A peer that is ended with its test.
struct Peer {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with `leaf.pem`, `leaf.key` and `ca.pem`.
fn folder(ca: &Authority) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    ca.pair("device", &["127.0.0.1", "device.lan"])
        .write(folder.path(), "leaf");
    std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
    folder
}

async fn reachable(port: u16) {
    let knock = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, knock).await;
    assert!(waited.is_ok(), "nobody listens on port {port}");
}

async fn peer(folder: tempfile::TempDir, port: u16, program: &str, arguments: &[&str]) -> Peer {
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started, install it: {error}"));
    let peer = Peer { child, folder };
    reachable(port).await;
    peer
}

/// `openssl s_server` that answers HTTP with a page about the session.
async fn s_server(ca: &Authority, port: u16, more: &[&str]) -> Peer {
    let port_text = port.to_string();
    let mut arguments = vec![
        "s_server", "-quiet", "-www", "-cert", "leaf.pem", "-key", "leaf.key", "-accept",
        &port_text,
    ];
    arguments.extend(more);
    peer(folder(ca), port, "openssl", &arguments).await
}

/// Runs a plugin with `ca.pem` in its folder until it ended.
async fn plugin(ca: &Authority, config: &str, source: &str) -> Bench {
    let mut bench = started(ca, config, source).await;
    bench.line("it ").await;
    bench.drain();
    assert!(
        bench.seen_line("it ended.").is_some(),
        "{}",
        bench.transcript()
    );
    bench
}

async fn started(ca: &Authority, config: &str, source: &str) -> Bench {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Https");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    ca.pair("plugin", &["127.0.0.1", "plugin.lan"])
        .write(&folder, "leaf");
    let source = format!("{PRELUDE}\n{source}");
    bench
        .start(PluginText {
            name: "Https",
            source: &source,
            config,
        })
        .await;
    bench
}

fn expect(bench: &Bench, lines: &[&str]) {
    for line in lines {
        assert!(
            bench.seen_line(line).is_some(),
            "no {line:?} in\n{}",
            bench.transcript()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn urllib_and_http_client_read_a_page_of_openssl() {
    let ca = Authority::new("Test CA");
    let port = free_port();
    let _peer = s_server(&ca, port, &[]).await;
    let source = r#"
import http.client, urllib.request, urllib.error
def get(context, host="127.0.0.1"):
    with urllib.request.urlopen("https://%s:PORT/" % host, timeout=20, context=context) as answer:
        return answer.status, "Cipher" in answer.read().decode()
def run():
    Domoticz.Log("trusted %s." % told(lambda: get(client_context())))
    Domoticz.Log("system %s." % told(lambda: get(None)))
    Domoticz.Log("unverified %s." % told(lambda: get(ssl._create_unverified_context())))
    connection = http.client.HTTPSConnection("127.0.0.1", PORT, timeout=20, context=client_context())
    connection.request("GET", "/")
    answer = connection.getresponse()
    Domoticz.Log("client %d %s." % (answer.status, "Cipher" in answer.read().decode()))
    connection.close()
    wrong = client_context()
    with __import__("socket").create_connection(("127.0.0.1", PORT), 20) as plain:
        Domoticz.Log("name %s" % told(lambda: wrong.wrap_socket(plain, server_hostname="other.lan")))
    Domoticz.Log("certificate %s." % ("BEGIN CERTIFICATE" in ssl.get_server_certificate(("127.0.0.1", PORT))))
"#
    .replace("PORT", &port.to_string());
    let bench = plugin(&ca, &network(port), &source).await;
    expect(
        &bench,
        &[
            "trusted (200, True).",
            "system URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1000)>.",
            "unverified (200, True).",
            "client 200 True.",
            "name SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'other.lan'.",
            "certificate True.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_gets_a_client_certificate_and_sends_a_large_page() {
    let ca = Authority::new("Test CA");
    let port = free_port();
    let folder = folder(&ca);
    let path = folder.path().display().to_string();
    std::fs::write(folder.path().join("big"), vec![b'x'; 3_000_000]).unwrap();
    let config = format!(
        "daemon off; error_log {path}/error.log; pid {path}/pid; events {{}}\n\
         http {{ access_log off; client_body_temp_path {path}/a; proxy_temp_path {path}/b; \
         fastcgi_temp_path {path}/c; uwsgi_temp_path {path}/d; scgi_temp_path {path}/e;\n\
         server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {path}/leaf.pem; \
         ssl_certificate_key {path}/leaf.key; ssl_client_certificate {path}/ca.pem; \
         ssl_verify_client optional; ssl_protocols TLSv1.2; root {path};\n\
         location /who {{ return 200 \"$ssl_client_verify $ssl_protocol\"; }} }} }}\n"
    );
    std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
    // The workers of a server started by root read the files as another user.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).unwrap();
    let conf = format!("{path}/nginx.conf");
    let _peer = peer(folder, port, "nginx", &["-p", &path, "-c", &conf]).await;
    let source = r#"
import urllib.request
def get(context, path):
    with urllib.request.urlopen("https://127.0.0.1:PORT" + path, timeout=20, context=context) as answer:
        return answer.read()
def run():
    context = client_context()
    Domoticz.Log("none %r." % get(context, "/who"))
    Domoticz.Log("big %d." % len(get(context, "/big")))
    context.load_cert_chain("/plugin/leaf.pem", "/plugin/leaf.key")
    Domoticz.Log("shown %r." % get(context, "/who"))
"#
    .replace("PORT", &port.to_string());
    let bench = plugin(&ca, &network(port), &source).await;
    expect(
        &bench,
        &[
            "none b'NONE TLSv1.2'.",
            "big 3000000.",
            "shown b'SUCCESS TLSv1.2'.",
        ],
    );
}

/// The output of a client program of this machine to a server in a plugin.
fn curl(folder: &Path, port: u16) -> String {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "25",
            "--cacert",
            "ca.pem",
        ])
        .arg(format!("https://127.0.0.1:{port}/"))
        .current_dir(folder)
        .output()
        .expect("install curl");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_an_https_server_for_curl_and_openssl() {
    let ca = Authority::new("Test CA");
    let port = free_port();
    let source = r#"
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("hello over " + self.connection.version()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
def run():
    global server
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    server.socket = server_context().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
"#
    .replace("PORT", &port.to_string());
    let config = format!("grants = {{ listen = [{port}] }}");
    let mut bench = started(&ca, &config, &source).await;
    bench.line("it ended.").await;
    let folder = folder(&ca);
    let path = folder.path().to_owned();
    let said = tokio::task::spawn_blocking(move || curl(&path, port))
        .await
        .unwrap();
    assert_eq!(said, "hello over TLSv1.3", "{}", bench.transcript());
    let path = folder.path().to_owned();
    let verified = tokio::task::spawn_blocking(move || {
        let mut client = Command::new("openssl");
        client.args([
            "s_client", "-brief", "-CAfile", "ca.pem", "-tls1_2", "-connect",
        ]);
        let client = client.arg(format!("127.0.0.1:{port}")).current_dir(path);
        let output = client
            .stdin(Stdio::null())
            .output()
            .expect("install openssl");
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    let verified = verified.await.unwrap();
    assert!(verified.contains("Verification: OK"), "{verified}");
    bench.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asyncio_is_client_and_server_over_tls() {
    let ca = Authority::new("Test CA");
    let port = free_port();
    let source = r#"
import asyncio
async def serve(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, ssl=server_context())
    async def client(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=client_context())
        writer.write(b"line %d\n" % n)
        await writer.drain()
        line = await reader.readline()
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
        return line, version
    answers = await asyncio.gather(*(client(n) for n in range(4)))
    server.close()
    return answers
def run():
    Domoticz.Log("answers %r" % asyncio.run(main()))
"#
    .replace("PORT", &port.to_string());
    let config = format!("grants = {{ network = [\"127.0.0.1:{port}\"], listen = [{port}] }}");
    let bench = plugin(&ca, &config, &source).await;
    expect(
        &bench,
        &["answers [(b'LINE 0\\n', 'TLSv1.3'), (b'LINE 1\\n', 'TLSv1.3')"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn timeouts_and_threads_on_one_secure_socket() {
    let ca = Authority::new("Test CA");
    let port = free_port();
    let source = r#"
import socket, threading, time
def serve(listener):
    secure, _ = listener.accept()
    while True:
        data = secure.recv(65536)
        if not data: break
        secure.sendall(data)
    secure.close()
def run():
    plain = socket.create_server(("127.0.0.1", PORT))
    listener = server_context().wrap_socket(plain, server_side=True)
    server = threading.Thread(target=serve, args=(listener,))
    server.start()
    client = client_context().wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="127.0.0.1")
    client.settimeout(0.2)
    Domoticz.Log("timeout " + told(lambda: client.recv(1)))
    client.setblocking(False)
    Domoticz.Log("nothing " + told(lambda: client.recv(1)))
    client.settimeout(20)
    data = bytes(range(256)) * 2000
    writer = threading.Thread(target=client.sendall, args=(data,))
    writer.start()
    got = bytearray()
    while len(got) < len(data):
        got += client.recv(65536)
    writer.join()
    Domoticz.Log("echoed %r" % (got == data))
    client.close()
    server.join(20)
    Domoticz.Log("server ended %r" % (not server.is_alive()))
"#
    .replace("PORT", &port.to_string());
    let config = format!("grants = {{ network = [\"127.0.0.1:{port}\"], listen = [{port}] }}");
    let bench = plugin(&ca, &config, &source).await;
    expect(
        &bench,
        &[
            "timeout TimeoutError: The read operation timed out",
            "nothing SSLWantReadError: The operation did not complete (read)",
            "echoed True",
            "server ended True",
        ],
    );
}

/// Devices that know only what nobody should use any more, with the grant and without.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_device_is_reached_with_its_grant_and_the_way_out_is_named_without() {
    let ca = Authority::new("Test CA");
    let mut peers = Vec::new();
    let mut ports = Vec::new();
    for cipher in ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES256-GCM-SHA384"] {
        let rsa = rsa_identity();
        let port = free_port();
        let text = port.to_string();
        let arguments = [
            "s_server", "-quiet", "-www", "-tls1_2", "-cipher", cipher, "-cert", "rsa.pem", "-key",
            "rsa.key", "-accept", &text,
        ];
        peers.push(peer(rsa, port, "openssl", &arguments).await);
        ports.push(port);
    }
    let source = format!(
        r#"
import socket
PORTS = {ports:?}
class Ask:
    def __init__(self, port):
        self.port = port
        self.c = Domoticz.Connection(Name=str(port), Transport="TCP/IP", Protocol="HTTPS", Address="127.0.0.1", Port=str(port))
        self.c.Connect(Target=self)
    def onConnect(self, c, status, description):
        if status: Domoticz.Log("connection %d: %s" % (self.port, description))
        else: c.Send({{"Verb": "GET", "URL": "/", "Headers": {{"Host": "d"}}}})
    def onMessage(self, c, data):
        Domoticz.Log("connection %d: answered %s" % (self.port, data["Status"]))
def ask(port, context, name="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", port), 10) as raw:
        with context.wrap_socket(raw, server_hostname=name) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while more := s.recv(65536): answer += more
            return answer[:15], s.cipher()[0], s.version()
def run():
    global asked
    asked = [Ask(port) for port in PORTS]
    context = ssl._create_unverified_context()
    for port in PORTS: Domoticz.Log("ssl %d: %s" % (port, told(lambda: ask(port, context))))
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    Domoticz.Log("chosen %s" % told(lambda: ask(PORTS[0], context, None)))
    strict = client_context(); strict.check_hostname = False
    Domoticz.Log("strict %s" % told(lambda: ask(PORTS[0], strict)))
"#
    );
    let targets: Vec<_> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let granted = format!("grants = {{ network = {targets:?}, legacy-tls = [\"127.0.0.1\"] }}");
    let mut bench = plugin(&ca, &granted, &source).await;
    bench.line("grant legacy-tls").await;
    expect(
        &bench,
        &[
            &format!(
                "ssl {}: (b'HTTP/1.0 200 ok', 'AES128-SHA', 'TLSv1.2')",
                ports[0]
            ),
            &format!(
                "ssl {}: (b'HTTP/1.0 200 ok', 'ECDHE-RSA-AES128-SHA', 'TLSv1.2')",
                ports[1]
            ),
            &format!(
                "ssl {}: (b'HTTP/1.0 200 ok', 'AES256-GCM-SHA384', 'TLSv1.2')",
                ports[2]
            ),
            "chosen (b'HTTP/1.0 200 ok', 'AES128-SHA', 'TLSv1.2')",
            "strict SSLError",
        ],
    );
    for port in &ports {
        bench
            .line(&format!("connection {port}: answered 200"))
            .await;
    }
    let denied = format!("grants = {{ network = {targets:?} }}");
    let mut bench = plugin(&ca, &denied, &source).await;
    for port in &ports {
        let line = bench.line(&format!("connection {port}: TLS")).await;
        assert!(line.contains("legacy-tls = [\"127.0.0.1\"]"), "{line}");
    }
    let line = bench.seen_line(&format!("ssl {}: SSLError", ports[0]));
    assert!(line.unwrap().contains("legacy-tls = ["));
}

/// A folder with a certificate that has a key of RSA, as those of old devices have.
fn rsa_identity() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "rsa:2048",
            "-subj",
            "/CN=device",
        ])
        .args(["-keyout", "rsa.key", "-out", "rsa.pem"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl is installed").success());
    folder
}
