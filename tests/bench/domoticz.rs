//! The usual work of a Domoticz plugin: messages of a device that become values in the
//! database, events for many instances, and commands from the API.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cordon_runtime::engine::Engine;
use cordon_runtime::instance::remote::Remote;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::Outcome;
use crate::native::{self, Process};
use crate::report::Report;
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::sample::Samples;
use crate::twins::{Pair, text};

const SECTION: &str = "domoticz";
const PATIENCE: Duration = Duration::from_secs(300);

/// Figures of each arm.
const ROUNDS: usize = 7;

/// Meters that send at the same time, and the values of each for one figure.
const METERS: [(usize, usize); 2] = [(1, 500), (20, 100)];

/// Instances that get events, and how many each gets for one figure.
const INSTANCES: usize = 200;
const EVENTS: u64 = 200;

/// Requests of a figure of the latency, and the time between two.
const REQUESTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(4);

/// Measures all three.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    for (meters, values) in METERS {
        messages(report, engine, meters, values).await?;
    }
    events(report, engine).await?;
    latency(report, engine).await
}

/// TCP, protocol Line, `onMessage`, `Device.Update`, SQLite; against asyncio and sqlite3.
async fn messages(
    report: &mut Report,
    engine: &Engine,
    meters: usize,
    values: usize,
) -> Outcome<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let mut rig = Rig::new(engine, "meters")?;
    let source = std::fs::read_to_string(program("meter_plugin.py"))?;
    let plugin = rig.plugin("Meter", &source, &[])?;
    let mut ours = Vec::new();
    for n in 0..meters {
        let config =
            format!("parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\" }}\n{UNLIMITED}");
        rig.start(&plugin, &format!("Meter{n}"), &config).await?;
        ours.push(accept(&listener).await?);
    }
    let file = program("meter.py");
    let mut process = Process::start(&native::python()?, &[text(&file)?])?;
    if process.ask(&format!("{port} {meters}"))? != "up" {
        return Err("the Python meters did not connect".into());
    }
    let mut theirs = Vec::new();
    for _ in 0..meters {
        theirs.push(accept(&listener).await?);
    }
    let mut pair = Pair::default();
    for round in 0..=ROUNDS {
        let times = [
            send_all(&mut ours, values).await?,
            send_all(&mut theirs, values).await?,
        ];
        if round > 0 {
            pair.ours.push(times[0]);
            pair.theirs.push(times[1]);
        }
    }
    let what = match meters {
        1 => "a message of one device to its stored value".to_owned(),
        meters => format!("a message of {meters} devices to its stored value"),
    };
    pair.report(report, SECTION, &what, "us");
    pair.rate(report, SECTION, &what, 1e6, "messages/s");
    if meters == 1 {
        report.note(
            SECTION,
            "messages: CPython runs asyncio and sqlite3; each value is on disk (WAL, synchronous FULL) before \
             the next is read, on both sides; the hub puts the values of plugins that wait at the same time \
             into one commit",
        );
    }
    drop(theirs);
    rig.hub.stop().await;
    Ok(())
}

async fn accept(listener: &TcpListener) -> Outcome<BufReader<TcpStream>> {
    let (stream, _) = timeout(PATIENCE, listener.accept()).await??;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Sends the values at once to all; returns the microseconds of each value until all were stored.
async fn send_all(streams: &mut [BufReader<TcpStream>], values: usize) -> Outcome<f64> {
    let mut lines: String = (1..values)
        .map(|n| format!("{}.{:02}\r", n % 90, n % 100))
        .collect();
    lines.push_str("99.0\r");
    let begun = Instant::now();
    for stream in streams.iter_mut() {
        timeout(PATIENCE, stream.get_mut().write_all(lines.as_bytes())).await??;
    }
    for stream in streams.iter_mut() {
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_until(b'\r', &mut answer)).await??;
        if answer != b"stored\r" {
            return Err(format!("a meter answered {answer:?}").into());
        }
    }
    let stored = (values * streams.len()) as f64;
    Ok(begun.elapsed().as_secs_f64() * 1e6 / stored)
}

/// Commands for 200 instances as fast as they take them.
async fn events(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, "events")?;
    let source = std::fs::read_to_string(program("noop_plugin.py"))?;
    let plugin = rig.plugin("Noop", &source, &[])?;
    let mut remotes = Vec::new();
    for n in 0..INSTANCES {
        remotes.push(rig.start(&plugin, &format!("N{n}"), UNLIMITED).await?);
    }
    let mut times = Samples::default();
    for round in 0..=ROUNDS {
        let before = calls(&remotes);
        let begun = Instant::now();
        for _ in 0..EVENTS {
            for remote in &remotes {
                deliver(remote, command("On")).await?;
            }
        }
        let wanted = before + EVENTS * INSTANCES as u64;
        let handled = async {
            while calls(&remotes) < wanted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, handled).await?;
        if round > 0 {
            let count = (EVENTS * INSTANCES as u64) as f64;
            times.push(begun.elapsed().as_secs_f64() * 1e6 / count);
        }
    }
    let name = format!("an event, of those that {INSTANCES} instances get");
    report.arm(SECTION, &name, "us", &times);
    report.note(
        SECTION,
        format!(
            "{INSTANCES} instances: {:.0} events/s",
            1e6 / times.median()
        ),
    );
    rig.hub.stop().await;
    Ok(())
}

fn calls(remotes: &[Remote]) -> u64 {
    let counts = remotes
        .iter()
        .map(|remote| remote.counters.calls.load(Ordering::Relaxed));
    counts.sum()
}

/// From a request to the API until the plugin's `onCommand` runs.
async fn latency(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, "latency")?;
    let source = std::fs::read_to_string(program("clock_plugin.py"))?;
    let plugin = rig.plugin("Clock", &source, &[])?;
    let remote = rig.start(&plugin, "Clock", UNLIMITED).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = cordon_domoticz::web::router(rig.hub.api(address));
    let server = tokio::spawn(cordon_web::server::serve(
        listener,
        router,
        std::future::pending(),
    ));
    let mut client = Client::new(address).await?;
    arrivals(&mut rig, &remote).await?;
    let (mut p50, mut p99, mut all) = (Samples::default(), Samples::default(), Samples::default());
    for round in 0..=ROUNDS {
        let mut asked = Vec::with_capacity(REQUESTS);
        for n in 0..REQUESTS {
            let order = if n % 2 == 0 { "On" } else { "Off" };
            asked.push(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64());
            client.switch(order).await?;
            tokio::time::sleep(PAUSE).await;
        }
        let told = arrivals(&mut rig, &remote).await?;
        if told.len() != asked.len() {
            return Err(format!("{} commands of {} arrived", told.len(), asked.len()).into());
        }
        let mut times = Samples::default();
        for (asked, told) in asked.iter().zip(&told) {
            times.push((told - asked) * 1000.0);
        }
        if round > 0 {
            p50.push(times.quantile(0.5));
            p99.push(times.quantile(0.99));
            times.figures().iter().for_each(|time| all.push(*time));
        }
    }
    for (name, samples) in [("p50", &p50), ("p99", &p99)] {
        let name = format!("switchlight to onCommand, {name} of {REQUESTS}");
        report.arm(SECTION, &name, "ms", samples);
    }
    report.arm(SECTION, "switchlight to onCommand, each", "ms", &all);
    report.note(
        SECTION,
        format!(
            "latency: from before the request is written until the plugin's clock is read, over a kept \
             connection, a request every {} ms",
            PAUSE.as_millis()
        ),
    );
    server.abort();
    rig.hub.stop().await;
    Ok(())
}

/// When commands arrived since it was asked last, in seconds.
async fn arrivals(rig: &mut Rig, remote: &Remote) -> Outcome<Vec<f64>> {
    deliver(remote, command("tell")).await?;
    let (first, after): (f64, Vec<f64>) =
        serde_json::from_str(&rig.answer("TIMES ", PATIENCE).await?)?;
    Ok(after.iter().map(|time| first + time / 1e6).collect())
}

/// A client of the API that keeps its connection.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    async fn new(address: std::net::SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
            host: address.to_string(),
        };
        // The first answer shows that there is such a device.
        client.switch("On").await?;
        client.switch("Off").await?;
        Ok(client)
    }

    async fn switch(&mut self, order: &str) -> Outcome<()> {
        let request = format!(
            "GET /json.htm?type=command&param=switchlight&idx=1&switchcmd={order} HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.host
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err("the API closed the connection".into());
            }
            match line.trim().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse()?;
                }
                _ if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        let body = String::from_utf8(body)?;
        if body.contains("\"OK\"") {
            Ok(())
        } else {
            Err(format!("the API answered {body}").into())
        }
    }
}
