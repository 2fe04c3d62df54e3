//! Protocols WS and WSS against the server of the package `websockets`.

use std::process::Command;

use crate::stage::{Stage, plugin_text, section};
use crate::support::ports::free_port;
use crate::tools::{Program, certificate, reachable};

/// Debian's Python: the package is Debian's too.
const PYTHON: &str = "/usr/bin/python3";

const SERVER: &str = r#"
import asyncio, ssl, sys
import websockets

async def talk(socket):
    headers = socket.request_headers
    print("client", socket.path, headers["Origin"], headers["Cookie"], flush=True)
    await socket.send("héllo")
    await socket.send(b"\0\xff")
    await socket.send(["one ", "two ", "three"])
    await socket.send("x" * 126)
    await socket.send(b"y" * 65536)
    await socket.send("z" * 200000)
    await (await socket.ping(b"are you there"))
    print("pong", flush=True)
    for _ in range(4):
        data = await socket.recv()
        print("got", type(data).__name__, len(data), repr(data[:12]), flush=True)
    print("ping answered", flush=True)
    await socket.close(1001, "bye")
    print("closed", socket.close_code, flush=True)

async def main(port, certificate):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert.pem", "key.pem")
    async with websockets.serve(talk, "127.0.0.1", port, ssl=context):
        await asyncio.Future()

asyncio.run(main(int(sys.argv[1]), len(sys.argv) > 2))
"#;

const CLIENT: &str = r#"
import base64, secrets

def onStart():
    global conn
    conn = Domoticz.Connection(Name="ws", Transport="TCP/IP", Protocol=Parameters["Mode1"],
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d" % Status)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    Connection.Send({"URL": "/socket?a=1", "Headers": {
        "Host": "device", "Origin": "https://device", "Cookie": "c=1", "Sec-WebSocket-Key": key}})

def onMessage(Connection, Data):
    if "Status" in Data:
        Domoticz.Log("response %s %s" % (Data["Status"], Data["Headers"].get("Sec-WebSocket-Extensions")))
        return
    data = Data.get("Payload")
    size = len(data) if isinstance(data, (str, bytes)) else data
    Domoticz.Log("frame %s %s %s %s %r" % (Data.get("Operation"), Data.get("Finish"),
                 type(data).__name__, size, data[:12] if isinstance(data, (str, bytes)) else data))
    if Data.get("Operation") == "Ping":
        mask = secrets.randbits(32)
        Connection.Send({"Operation": "Pong", "Payload": data, "Mask": mask})
        Connection.Send({"Payload": "text é", "Mask": mask})
        Connection.Send({"Payload": b"\0\1", "Mask": str(mask)})
        Connection.Send({"Payload": "m" * 126, "Mask": 0})
        Connection.Send({"Operation": "Ping", "Payload": "p", "Mask": 7})
        Connection.Send({"Payload": b"l" * 300000, "Mask": mask})
    elif Data.get("Operation") == "Close":
        Connection.Send({"Operation": "Close", "Payload": data[:2], "Mask": 1})

def onDisconnect(Connection):
    Domoticz.Log("disconnect")
"#;

async fn talk(protocol: &str, secure: bool) {
    let mut stage = Stage::new();
    let port = free_port();
    let mut command = Command::new(PYTHON);
    command
        .args(["-c", SERVER, &port.to_string()])
        .current_dir(stage.scratch());
    if secure {
        certificate(stage.scratch());
        command.arg("tls");
    }
    let mut server = Program::start(&mut command);
    reachable(port).await;
    let folder = stage.plugin("client", &plugin_text("Client", CLIENT));
    let config = format!(
        "parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\", Mode1 = \"{protocol}\" }}"
    );
    stage
        .start(&[(section("HW", "Client", &config), folder)])
        .await;
    stage
        .lines(&[
            "HW: connect 0",
            "HW: response 101 permessage-deflate",
            "HW: frame None True str 5 'héllo'",
            "HW: frame None True bytes 2 b'\\x00\\xff'",
            "HW: frame None True str 13 'one two thre'",
            "HW: frame None True str 126 'xxxxxxxxxxxx'",
            "HW: frame None True bytes 65536 b'yyyyyyyyyyyy'",
            "HW: frame None True str 200000 'zzzzzzzzzzzz'",
            "HW: frame Ping None bytes 13 b'are you ther'",
            "HW: frame Pong None bytes 1 b'p'",
            "HW: frame Close True bytes 5 b'\\x03\\xe9bye'",
            "HW: disconnect",
        ])
        .await;
    let said = tokio::task::spawn_blocking(move || {
        for line in [
            "client /socket?a=1 https://device c=1",
            "pong",
            "got str 6 'text é'",
            "got bytes 2 b'\\x00\\x01'",
            "got str 126 'mmmmmmmmmmmm'",
            "got bytes 300000 b'llllllllllll'",
            "ping answered",
            "closed 1001",
        ] {
            server.line(line);
        }
    });
    said.await.expect("the server has said it all");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_132_133_134_135_136_137_138_a_client_understands_websockets() {
    talk("WS", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_104_wss_over_tcp_is_tls() {
    talk("WSS", true).await;
}
