//! Lists of devices over HTTP, and one device of many, against aiohttp with sqlite3.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use cordon_domoticz::web::HubApi;
use cordon_domoticz::{DeviceLimits, NewDevice};
use cordon_runtime::engine::Engine;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::Outcome;
use crate::native::{self, Process};
use crate::report::{Goal, Report};
use crate::rig::{Rig, Scratch, UNLIMITED, program};
use crate::rustpython::tools;
use crate::sample::Samples;
use crate::twins::text;

const SECTION: &str = "listing";
const PATIENCE: Duration = Duration::from_secs(300);
const AIOHTTP: &str = "3.14.5";

/// Figures of each arm, and clients that ask at the same time.
const ROUNDS: usize = 7;
const CLIENTS: usize = 8;

/// Devices, and requests of each client for one figure of the list, and of one device.
const SIZES: [(usize, usize); 2] = [(1000, 10), (10_000, 1)];
const SINGLE: usize = 200;

/// Devices of one hardware.
const EACH: usize = 250;

const LIMITS: DeviceLimits = DeviceLimits {
    devices: 100_000,
    stored_bytes: 64 << 20,
    text: 64 << 10,
};

/// Measures both sizes.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let packages = match install() {
        Ok(folder) => folder,
        Err(error) => {
            report.note(SECTION, format!("left out: no aiohttp ({error})"));
            return Ok(());
        }
    };
    let mut single = Vec::new();
    for (devices, requests) in SIZES {
        single.push(size(report, engine, &packages, devices, requests).await?);
    }
    if let [few, many] = single.as_slice() {
        report.ratio(
            SECTION,
            "one device of 10,000 / one of 1,000, hub",
            many.median() / few.median(),
            Goal::AtMost(1.5),
        );
    }
    report.note(
        SECTION,
        format!(
            "{CLIENTS} connections that are kept; clients and hub are in the benchmark's process; \
             aiohttp {AIOHTTP} has the same rows in sqlite3 and makes the same fields of them"
        ),
    );
    Ok(())
}

/// One size; returns the hub's times of one device.
async fn size(
    report: &mut Report,
    engine: &Engine,
    packages: &std::path::Path,
    devices: usize,
    requests: usize,
) -> Outcome<Samples> {
    let mut rig = Rig::new(engine, "listing")?;
    let source = std::fs::read_to_string(program("quiet_plugin.py"))?;
    let plugin = rig.plugin("Quiet", &source, &[])?;
    let mut hardware = Vec::new();
    for n in 0..devices.div_ceil(EACH) {
        let remote = rig.start(&plugin, &format!("Quiet{n}"), UNLIMITED).await?;
        hardware.push(remote.spec.hardware);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let ours = listener.local_addr()?;
    let api = rig.hub.api(ours);
    fill(&api, &hardware, devices).await?;
    let router = cordon_domoticz::web::router(api);
    let server = tokio::spawn(cordon_web::server::serve(
        listener,
        router,
        std::future::pending(),
    ));
    let scratch = Scratch::new("listing-peer")?;
    let file = scratch.path().join("devices.db");
    let rows = devices.to_string();
    let listing = program("listing.py");
    let arguments = [
        text(&listing)?,
        text(packages)?,
        text(&file)?,
        rows.as_str(),
    ];
    let mut process = Process::start(&native::python()?, &arguments)?;
    let theirs = SocketAddr::from(([127, 0, 0, 1], process.line()?.parse()?));
    let list = "type=command&param=getdevices";
    let one = format!("{list}&rid={}", devices / 2);
    let what = format!("a list of {devices} devices");
    let goal = if devices == 1000 {
        Goal::AtLeast(10.0)
    } else {
        Goal::None
    };
    pair(report, (ours, theirs), list, requests, (&what, goal)).await?;
    let what = format!("one device of {devices}");
    let single = pair(report, (ours, theirs), &one, SINGLE, (&what, Goal::None)).await?;
    server.abort();
    rig.hub.stop().await;
    Ok(single)
}

/// Both arms of a request in turns, and their ratio; returns the hub's.
async fn pair(
    report: &mut Report,
    (ours, theirs): (SocketAddr, SocketAddr),
    query: &str,
    requests: usize,
    (what, goal): (&str, Goal),
) -> Outcome<Samples> {
    let (mut hub, mut peer) = (Samples::default(), Samples::default());
    for round in 0..=ROUNDS {
        let times = [
            ask(ours, query, requests).await?,
            ask(theirs, query, requests).await?,
        ];
        if round > 0 {
            hub.push(times[0]);
            peer.push(times[1]);
        }
    }
    report.arm(SECTION, &format!("hub, {what}"), "us", &hub);
    report.arm(SECTION, &format!("aiohttp, {what}"), "us", &peer);
    let rate = peer.median() / hub.median();
    report.ratio(
        SECTION,
        &format!("rate of the hub / of aiohttp, {what}"),
        rate,
        goal,
    );
    report.note(
        SECTION,
        format!(
            "{what}: hub {:.0} requests/s, aiohttp {:.0}",
            1e6 / hub.median(),
            1e6 / peer.median()
        ),
    );
    Ok(hub)
}

/// Microseconds of a request when all clients ask so often.
async fn ask(address: SocketAddr, query: &str, requests: usize) -> Outcome<f64> {
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|_| tokio::spawn(client(address, query.to_owned(), requests)));
    for client in clients.collect::<Vec<_>>() {
        timeout(PATIENCE, client).await???;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / (CLIENTS * requests) as f64)
}

async fn client(address: SocketAddr, query: String, requests: usize) -> Outcome<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(256 << 10, stream);
    let request = format!("GET /json.htm?{query} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut body = Vec::new();
    for _ in 0..requests {
        stream.get_mut().write_all(request.as_bytes()).await?;
        let mut length = None;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Err("the connection was closed".into());
            }
            match line.trim().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = Some(value.trim().parse()?);
                }
                _ if line.trim().is_empty() => break,
                _ => {}
            }
        }
        match length {
            Some(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body).await?;
            }
            None => chunks(&mut stream, &mut body).await?,
        }
        if !body.starts_with(b"{\"status\"") || !body.ends_with(b"]}") {
            return Err("an answer is no list of devices".into());
        }
    }
    Ok(())
}

/// The body of an answer that does not say how long it is.
async fn chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Outcome<()> {
    body.clear();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16)?;
        let begun = body.len();
        // With the end of the line behind it.
        body.resize(begun + length + 2, 0);
        let chunk = body.get_mut(begun..).unwrap_or_default();
        stream.read_exact(chunk).await?;
        body.truncate(begun + length);
        if length == 0 {
            return Ok(());
        }
    }
}

async fn fill(api: &HubApi, hardware: &[u32], devices: usize) -> Outcome<()> {
    let numbers: Vec<usize> = (1..=devices).collect();
    // Those that wait at the same time share a commit.
    for some in numbers.chunks(EACH) {
        let made = some.iter().map(|number| {
            let device = NewDevice {
                unit: 1,
                device_id: format!("{number:08X}"),
                name: format!("Lamp {number}"),
                device_type: 244,
                sub_type: 73,
                n_value: i64::from(number % 2 == 1),
                signal_level: 12,
                battery_level: 255,
                used: 1,
                ..NewDevice::default()
            };
            let owner = hardware.get((number - 1) / EACH).copied().unwrap_or(0);
            let table = api.devices.clone();
            tokio::spawn(async move { table.create(owner, device, LIMITS).await })
        });
        for made in made.collect::<Vec<_>>() {
            made.await??;
        }
    }
    Ok(())
}

/// Installs aiohttp into the cache if need be; the folder.
fn install() -> Outcome<PathBuf> {
    let folder = tools()?.join(format!("aiohttp-{AIOHTTP}"));
    if folder.join("aiohttp").is_dir() {
        return Ok(folder);
    }
    let output = Command::new(native::python()?)
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(&folder)
        .arg(format!("aiohttp=={AIOHTTP}"))
        .output()?;
    if output.status.success() {
        return Ok(folder);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
