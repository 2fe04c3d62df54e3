//! Protocol HTTP against programs that others wrote: nginx as a server, curl as a client.

use std::path::Path;
use std::process::Command;

use crate::stage::{Stage, plugin_text, section};
use crate::support::ports::free_port;
use crate::tools::{Program, certificate, reachable};

/// Every kind of answer that the rules tell apart. SSI makes nginx answer in chunks.
fn nginx_config(port: u16, tls: u16) -> String {
    format!(
        r#"daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    default_type text/plain;
    location = /plain {{ return 200 hello; }}
    location = /cookies {{
      add_header Set-Cookie a=1; add_header Set-Cookie b=2; add_header Set-Cookie c=3;
      return 200 ok;
    }}
    location = /nothing {{ return 204; }}
    location = /moved {{ return 302 /plain; }}
    location = /chunked {{ ssi on; ssi_types text/plain; alias {{folder}}/chunked; }}
    location = /closed {{ keepalive_timeout 0; ssi on; ssi_types text/plain; chunked_transfer_encoding off; alias {{folder}}/chunked; }}
    location = /asked {{ return 200 "$request_method|$http_authorization|$http_user_agent|$content_length|$http_cookie"; }}
    location = /secret {{ auth_basic secret; auth_basic_user_file users; alias {{folder}}/chunked; }}
  }}
}}
"#
    )
}

fn nginx(folder: &Path, port: u16, tls: u16) -> Program {
    certificate(folder);
    let path = folder.to_str().expect("a path of text");
    let config = nginx_config(port, tls).replace("{folder}", path);
    std::fs::write(folder.join("nginx.conf"), config).expect("the configuration is written");
    std::fs::write(
        folder.join("chunked"),
        "<!--# echo var=\"uri\" --> in chunks",
    )
    .expect("a file");
    std::fs::write(folder.join("users"), "u:{PLAIN}p\n").expect("a file");
    // nginx is in the administrator's path on Debian.
    let path = format!(
        "{}:/usr/sbin:/usr/local/sbin",
        std::env::var("PATH").unwrap_or_default()
    );
    let mut command = Command::new("nginx");
    command
        .env("PATH", path)
        .arg("-p")
        .arg(folder)
        .args(["-c", "nginx.conf"]);
    // So that nginx, which would give up root, can read the test's folder.
    if rustix::process::geteuid().is_root() {
        command.args(["-g", "user root;"]);
    }
    Program::start(&mut command)
}

const CLIENT: &str = r#"
REQUESTS = [
    {"Verb": "get", "URL": "/plain"},
    {"Verb": "GET", "URL": "/cookies"},
    {"Verb": "GET", "URL": "/nothing"},
    {"Verb": "GET", "URL": "/moved"},
    {"Verb": "GET", "URL": "/chunked"},
    {"Verb": "GET", "URL": "/asked", "Headers": {"Cookie": ["a=1", "b=2"], "X-Skipped": 5}},
    {"Verb": "POST", "URL": "/asked", "Data": b"abc"},
    {"Verb": "GET", "URL": "/secret"},
    {"Verb": "GET", "URL": "/closed"},
]

def onStart():
    global conn
    conn = Domoticz.Connection(Name="web", Transport="TCP/IP", Protocol=Parameters["Mode1"],
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d" % Status)
    ask()

def ask():
    if REQUESTS:
        request = REQUESTS[0]
        request.setdefault("Headers", {})["Host"] = "device"
        conn.Send(request)

def onMessage(Connection, Data):
    request = REQUESTS.pop(0)
    Domoticz.Log("%s %r %s %r" % (request["URL"], Data["Status"], sorted(set(Data) - {"Status", "Headers"}),
                                  Data.get("Data", b"")[:60]))
    for name in ("Set-Cookie", "Location", "Transfer-Encoding"):
        if name in Data["Headers"]:
            Domoticz.Log("%s: %r" % (name, Data["Headers"][name]))
    ask()

def onDisconnect(Connection):
    Domoticz.Log("disconnect")
"#;

async fn client_against_nginx(protocol: &str, secure: bool) {
    let mut stage = Stage::new();
    let (port, tls) = (free_port(), free_port());
    let _nginx = nginx(stage.scratch(), port, tls);
    reachable(port).await;
    let folder = stage.plugin("client", &plugin_text("Client", CLIENT));
    let port = if secure { tls } else { port };
    let section = section(
        "HW",
        "Client",
        &format!(
            "parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\", Username = \"u\", \
             Password = \"p\", Mode1 = \"{protocol}\" }}"
        ),
    );
    stage.start(&[(section, folder)]).await;
    stage
        .lines(&[
            "HW: connect 0",
            "HW: /plain '200' ['Data'] b'hello'",
            "HW: /cookies '200' ['Data'] b'ok'",
            "HW: Set-Cookie: ['a=1', 'b=2', 'c=3']",
            "HW: /nothing '204' [] b''",
            "HW: /moved '302' ['Data'] b'<html>",
            "HW: Location: 'http",
            "HW: /chunked '200' ['Data'] b'/chunked in chunks'",
            "HW: Transfer-Encoding: 'chunked'",
            "HW: /asked '200' ['Data'] b'GET|Basic dTpw|Domoticz/1.0||a=1; b=2'",
            "HW: /asked '200' ['Data'] b'POST|Basic dTpw|Domoticz/1.0|3|'",
            "HW: /secret '200' ['Data']",
            "HW: /closed '200' ['Data'] b'/closed in chunks'",
            "HW: disconnect",
        ])
        .await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_117_118_119_120_121_125_126_127_128_a_client_understands_nginx() {
    client_against_nginx("HTTP", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_104_https_over_tcp_is_tls_and_understands_nginx_too() {
    client_against_nginx("HTTPS", true).await;
}

const SERVER: &str = r#"
clients = {}

def onStart():
    global server
    server = Domoticz.Connection(Name="server", Transport="TCP/IP", Protocol="HTTP", Port=Parameters["Port"])
    server.Listen()

def onConnect(Connection, Status, Description):
    clients[Connection.Name] = Connection
    named = Connection.Name == Connection.Address + ":" + Connection.Port
    Domoticz.Log("client %d %s %s %d" % (Status, named, Connection.Parent is server, Connection.Baud))

def onDisconnect(Connection):
    clients.pop(Connection.Name, None)

def onMessage(Connection, Data):
    Domoticz.Log("%s %s %s %r" % (Data["Verb"], Data["URL"], Data["Headers"]["Host"], Data.get("Data")))
    if Data["URL"] == "/chunks":
        Connection.Send({"Status": "200 OK", "Headers": {"X": ["1", "2"]}, "Chunk": True, "Data": "abc"})
        Connection.Send({"Chunk": True, "Data": "def"})
        Connection.Send({"Chunk": True})
    else:
        Connection.Send({"Status": "201 Created", "Headers": {"Content-Type": "text/plain"}, "Data": "h\u00e9"})
"#;

async fn curl(arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command
        .args(["-s", "-i", "--max-time", "30"])
        .args(arguments);
    let asked = tokio::task::spawn_blocking(move || {
        command
            .output()
            .expect("curl cannot be started, install it")
    });
    let output = asked.await.expect("curl ends");
    assert!(output.status.success(), "curl: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_091_122_130_131_curl_understands_a_listener() {
    let mut stage = Stage::new();
    let port = free_port();
    let folder = stage.plugin("server", &plugin_text("Server", SERVER));
    let config = format!("parameters = {{ Port = \"{port}\" }}\ngrants = {{ listen = [{port}] }}");
    stage
        .start(&[(section("HW", "Server", &config), folder)])
        .await;
    reachable(port).await;
    let url = format!("http://127.0.0.1:{port}");
    let created = curl(&["-d", "a=1&b=2", &format!("{url}/a?x=1")]).await;
    assert!(created.starts_with("HTTP/1.1 201 Created\r\n"), "{created}");
    assert!(
        created.contains("\r\nServer: Domoticz/1.0\r\n"),
        "{created}"
    );
    assert!(created.contains("\r\nContent-Length: 3\r\n"), "{created}");
    assert!(created.contains(" GMT\r\n"), "{created}");
    assert!(created.ends_with("\r\n\r\nh\u{e9}"), "{created}");
    let both = curl(&[&format!("{url}/one"), &format!("{url}/chunks")]).await;
    assert!(both.contains("\r\nX: 1\r\nX: 2\r\n"), "{both}");
    assert!(both.ends_with("\r\n\r\nabcdef"), "{both}");
    // Chunks of a client, and a client that waits for a word before it sends them.
    let chunked = [
        "-H",
        "Transfer-Encoding: chunked",
        "-H",
        "Expect: 100-continue",
    ];
    let up = format!("{url}/up");
    let sent = curl(&[&chunked[..], &["-d", "in chunks", &up]].concat()).await;
    assert!(sent.starts_with("HTTP/1.1 201 Created\r\n"), "{sent}");
    stage.line("HW: client 0 True True -1").await;
    let host = format!("127.0.0.1:{port}");
    let lines = [
        format!("HW: POST /a?x=1 {host} b'a=1&b=2'"),
        format!("HW: GET /one {host} None"),
        format!("HW: GET /chunks {host} None"),
        format!("HW: POST /up {host} b'in chunks'"),
    ];
    stage.lines(&lines.each_ref().map(String::as_str)).await;
    stage.stop().await;
}

/// Python's own server: it says "continue" to who asks for it. It says how it got
/// the body.
const CONTINUING: &str = r#"
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        kind = self.headers.get("Transfer-Encoding", "length")
        if kind == "length":
            body = self.rfile.read(int(self.headers["Content-Length"]))
        else:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        answer = kind.encode() + b" " + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

const POSTER: &str = r#"
def onStart():
    global conn
    conn = Domoticz.Connection(Name="web", Transport="TCP/IP", Protocol="HTTP",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    conn.Send({"Verb": "POST", "Headers": {"Host": "h", "Expect": "100-continue"}, "Data": "whole"})

def onMessage(Connection, Data):
    Domoticz.Log("%s %r" % (Data["Status"], Data.get("Data")))
    if Data.get("Data") == b"length whole":
        conn.Send({"Verb": "POST", "Headers": {"Host": "h"}, "Chunk": True, "Data": "in "})
        conn.Send({"Chunk": True, "Data": b"pieces"})
        conn.Send({"Chunk": True})
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_continue_and_takes_chunks() {
    let mut stage = Stage::new();
    let port = free_port();
    let mut command = Command::new("python3");
    let _server = Program::start(command.args(["-c", CONTINUING, &port.to_string()]));
    reachable(port).await;
    let folder = stage.plugin("poster", &plugin_text("Poster", POSTER));
    let config = format!("parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\" }}");
    stage
        .start(&[(section("HW", "Poster", &config), folder)])
        .await;
    stage
        .lines(&[
            "HW: 100 None",
            "HW: 200 b'length whole'",
            "HW: 200 b'chunked in pieces'",
        ])
        .await;
    stage.stop().await;
}
