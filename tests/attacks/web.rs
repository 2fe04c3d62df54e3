//! Clients of the API that mean no good: crowds of connections, those that hold theirs,
//! and those that are gone before the answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use cordon_domoticz::web;
use cordon_web::access::Access;
use cordon_web::config::WebConfig;
use cordon_web::origin::Origins;
use tokio::net::TcpListener;

use crate::scene::{FLAT, Scene};

/// How long the operator may wait for an answer on a busy machine. Before there were
/// shares it was half a minute at least.
const SOON: Duration = Duration::from_secs(5);

const LAMP: &str = "
def onStart():
    Domoticz.Device(Name='Lamp', Unit=1, TypeName='Switch', Used=1).Create()
    Domoticz.Log('there is a lamp')
count = 0
def onCommand(Unit, Command, Level, Color):
    global count
    count += 1
    Domoticz.Log('commands: %d.' % count)
";

/// Serves the API of a scene's hub.
async fn serve(scene: &Scene, config: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config: WebConfig = toml::from_str(config).unwrap();
    let mut api = scene.bench.hub.api(address);
    api.access = Access::new(&config, "tests");
    api.origins = Origins::new(&config, address);
    let router = web::router(api);
    tokio::spawn(cordon_web::server::serve(
        listener,
        router,
        std::future::pending(),
    ));
    address
}

fn request(query: &str) -> String {
    format!("GET /json.htm?type=command&param={query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// How long an honest client waits for its answer, for which it asks once.
fn honest(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut stream = connect(address);
    let ann = "GET /json.htm?type=command&param=getversion HTTP/1.1\r\nHost: 127.0.0.1\r\n\
               Authorization: Basic YW5uOnNlY3JldA==\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(ann.as_bytes()).unwrap();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    begun.elapsed()
}

const ANN: &str = "networks = []\nusers = [{ name = 'ann', password = 'secret' }]";

#[tokio::test(flavor = "multi_thread")]
async fn crowds_of_connections_hold_up_nobody() {
    let scene = Scene::new().await;
    let address = serve(&scene, ANN).await;
    let attack = move || {
        // Silent ones, half a head, a body that does not come, and some that are refused
        // again and again and keep their connection.
        let body = "POST /json.htm HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\nx";
        let refused = request("getversion");
        let texts = ["", "GET / HTTP/1.1\r\nX: ", body, refused.as_str()];
        let mut crowd = Vec::new();
        for n in 0..400 {
            let mut stream = connect(address);
            // The server may have given it up already.
            let _ = stream.write_all(texts[n % texts.len()].as_bytes());
            crowd.push(stream);
        }
        let mut waited = Vec::new();
        for _ in 0..20 {
            waited.push(honest(address));
            for stream in &mut crowd {
                let _ = stream.write_all(b"x");
            }
        }
        waited.into_iter().max().unwrap()
    };
    let waited = tokio::task::spawn_blocking(attack).await.unwrap();
    println!("an honest client waited {waited:?} at most");
    assert!(waited < SOON, "an honest client waited {waited:?}");
    scene.finish(FLAT).await;
}

/// Addresses of a network on one side, one honest client on the other.
#[tokio::test(flavor = "multi_thread")]
async fn many_addresses_together_hold_up_nobody() {
    let scene = Scene::new().await;
    let address = serve(&scene, ANN).await;
    let attack = move || {
        let from = |n: u8| {
            let socket =
                socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket
                .bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 1, n), 0)).into())
                .unwrap();
            socket.connect(&address.into()).unwrap();
            TcpStream::from(socket)
        };
        let crowd: Vec<_> = (0..600)
            .map(|n| from(u8::try_from(n % 200).unwrap()))
            .collect();
        let waited = honest(address);
        drop(crowd);
        waited
    };
    let waited = tokio::task::spawn_blocking(attack).await.unwrap();
    assert!(waited < SOON, "an honest client waited {waited:?}");
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_clients_that_are_gone_arrive() {
    let mut scene = Scene::new().await;
    scene.attack(LAMP, "").await;
    scene.said("there is a lamp").await;
    let address = serve(&scene, "").await;
    let mut expected = 0;
    for end in ["closed", "half closed", "after a moment"] {
        let command = request("switchlight&idx=1&switchcmd=On");
        let send = move || {
            for _ in 0..100 {
                let mut stream = connect(address);
                stream.write_all(command.as_bytes()).unwrap();
                match end {
                    "half closed" => {
                        stream.shutdown(Shutdown::Write).unwrap();
                        let mut answer = String::new();
                        stream.read_to_string(&mut answer).unwrap();
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
                    }
                    "after a moment" => std::thread::sleep(Duration::from_micros(500)),
                    _ => {}
                }
            }
        };
        tokio::task::spawn_blocking(send).await.unwrap();
        expected += 100;
        scene.said(&format!("commands: {expected}.")).await;
    }
    scene.finish(FLAT).await;
}

/// Eleven years of figures with three hundred digits: what a client asks of one device must
/// not keep others waiting.
#[tokio::test(flavor = "multi_thread")]
async fn charts_of_endless_figures_hold_up_nobody() {
    let source = "
import datetime, threading
def onStart():
    options = {'AddDBLogEntry': 'true', 'DisableLogAutoUpdate': 'true'}
    Domoticz.Device(Name='m', Unit=1, Type=250, Subtype=1, Used=1, Options=options).Create()
    first = datetime.date.today() - datetime.timedelta(days=4000)
    def work(n):
        for day in range(n, 4000, 15):
            date = first + datetime.timedelta(days=day)
            text = ';'.join(['1.5e300'] * 10 + [date.isoformat()])
            Devices[1].Update(nValue=0, sValue=text)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(15)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    Domoticz.Log('written')
";
    let mut scene = Scene::new().await;
    let limits = "limits = { callback-cpu = 60000, callback-wall = 600000, cpu-share = 200 }";
    scene.attack(source, limits).await;
    let patience = Duration::from_secs(240);
    scene.bench.line_within("Attacker: written", patience).await;
    let address = serve(&scene, "").await;
    let ask = move || {
        for _ in 0..3 {
            let mut stream = connect(address);
            let all = "graph&sensor=counter&idx=1&range=2000-01-01T2100-01-01 HTTP/1.1\r\n\
                       Host: 127.0.0.1\r\nConnection: close\r\n\r\n";
            let request = format!("GET /json.htm?type=command&param={all}");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.contains("e29"), "{} bytes", answer.len());
        }
    };
    let clients = [
        tokio::task::spawn_blocking(ask),
        tokio::task::spawn_blocking(ask),
    ];
    for client in clients {
        client.await.unwrap();
    }
    scene.finish(FLAT).await;
}
