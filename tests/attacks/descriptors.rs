//! A hub whose plugins have used up its open files: the API and the store go on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::PATIENCE;

/// Takes as many sockets as it gets.
const GREEDY: &str = "\"\"\"
<plugin key=\"Greedy\" name=\"Greedy\" version=\"1\" author=\"tests\"><params/></plugin>
\"\"\"
import Domoticz
import socket
held = []
def onStart():
    Domoticz.Device(Name='n', Unit=1, TypeName='Text', Used=1).Create()
    try:
        for n in range(4000):
            taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taken.bind(('127.0.0.1', 0))
            held.append(taken)
    except OSError as error:
        Domoticz.Log('took %d' % len(held))
";

fn ask(address: &str, query: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the API listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "GET /json.htm?type=command&param={query} HTTP/1.1\r\nHost: {address}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// A connection from another address of this machine, `127.0.0.HOST`.
fn connect_from(host: u16, address: &str) -> Option<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).ok()?;
    let own = std::net::SocketAddr::from(([127, 0, 0, 2 + host as u8], 0));
    socket.bind(&own.into()).ok()?;
    let target: std::net::SocketAddr = address.parse().ok()?;
    socket.connect(&target.into()).ok()?;
    Some(socket)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_store_have_a_reserve_of_open_files() {
    tokio::task::spawn_blocking(attack).await.unwrap();
}

fn attack() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugins/greedy");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("plugin.py"), GREEDY).unwrap();
    let config = folder.path().join("cordon.toml");
    let text = "[hub]\nlisten = \"127.0.0.1:0\"\ninstances = 5\n\
                [[hardware]]\nname = \"Greedy\"\nplugin = \"Greedy\"\nlimits = { sockets = 4000 }\n";
    std::fs::write(&config, text).unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 640 && exec \"$0\" \"$@\""])
        .arg(crate::support::cordon())
        .args(["serve", "--config"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut said = Vec::new();
    let mut line = |text: &str| -> String {
        let end = Instant::now() + 2 * PATIENCE;
        if let Some(found) = said.iter().find(|line: &&String| line.contains(text)) {
            return found.clone();
        }
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let next = lines.recv_timeout(left);
            let next = next.unwrap_or_else(|error| panic!("no {text}: {error} in {said:#?}"));
            said.push(next.clone());
            if next.contains(text) {
                return next;
            }
        }
    };
    let ready = line("ready on http://");
    let address = ready
        .rsplit("http://")
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let took = line("Greedy: took ");
    println!("{took}");
    for n in 0..20 {
        let answer = ask(&address, &format!("udevice&idx=1&nvalue=0&svalue=v{n}"));
        assert!(answer.contains("\"OK\""), "{answer}");
    }
    assert!(ask(&address, "getdevices&rid=1").contains("v19"));
    // More connections than there are files, from several hosts: those that wait go first.
    let waiting: Vec<_> = (0..500_u16)
        .filter_map(|n| connect_from(n / 60, &address))
        .collect();
    std::thread::sleep(Duration::from_secs(1));
    assert!(ask(&address, "getversion").contains("\"OK\""));
    drop(waiting);
    let told = line("the API accepts connections from its reserve");
    assert!(told.contains("LimitNOFILE"), "{told}");
    let _ = child.kill();
    let _ = child.wait();
}
