//! Every reader of what somebody else has written: definitions, bundles, property lists,
//! requests. Seeds are mutated the way hostile files are made: parts are repeated, nested,
//! torn and mixed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use cordon_domoticz::definition;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::info::Info;

use crate::allocation::{allocated, computed};
use crate::random::Random;
use crate::support::Bench;
use crate::support::bundle::bundle;
use crate::{TURN, time};

/// The largest input.
const MOST: usize = 1 << 20;

/// The allowed cost of any input, whatever its size, and that of each of its bytes.
const BYTES: u64 = 8 << 20;
const BYTES_EACH: u64 = 256;
const NANOSECONDS: u64 = 300_000_000;
const NANOSECONDS_EACH: u64 = 4_000;

const DEFINITION: &str = r#""""
<plugin key="Seed" name="Seed &amp; more" author="a" version="1.0" externallink="http://example.org/">
  <description><h2>Title</h2><b id="x">bold <i>both</i></b><ul><li>one</li></ul><![CDATA[<p>]]></description>
  <params>
    <param field="Address" label="Address" width="200px" required="true" default="127.0.0.1"/>
    <param field="Mode1" label="Mode" width="75px"><options>
      <option label="True" value="Debug"/><option label="False" value="Normal" default="true"/>
    </options></param>
  </params>
</plugin>
"""
import Domoticz
"#;

const DEVICES: &str = r#"<?xml version="1.0"?><Devices>
<Device type="relay" id="relay"><Name>Relay</Name>
<ConfigUI><Template file="menu.xml"/><Field id="a" type="textfield" defaultValue="1" visibleBindingId="b" visibleBindingValue="x"><Label>A:</Label></Field>
<Field id="b" type="menu"><List><Option value="x">X</Option><Option value="y">Y</Option></List></Field></ConfigUI>
<States><State id="level"><ValueType>Integer</ValueType><TriggerLabel>Level</TriggerLabel></State>
<State id="mode"><ValueType><List><Option value="on">On</Option></List></ValueType></State></States>
<UiDisplayStateId>level</UiDisplayStateId></Device></Devices>"#;

const ACTIONS: &str = r#"<Actions><Action id="go" deviceFilter="self"><Name>Go</Name><CallbackMethod>go</CallbackMethod>
<ConfigUI><Field id="t" type="checkbox"><Label>T</Label></Field></ConfigUI></Action></Actions>"#;

const TEMPLATE: &str =
    r#"<Template><Field id="c" type="label"><Label>C</Label></Field></Template>"#;

const PLIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.seed</string><key>CFBundleDisplayName</key><string>Seed</string>
<key>PluginVersion</key><string>1.0</string><key>ServerApiVersion</key><string>3.0</string>
<key>CFBundleURLTypes</key><array><dict><key>CFBundleURLName</key><string>http://example.org</string></dict></array>
<key>GithubInfo</key><dict><key>GithubUser</key><string>u</string></dict></dict></plist>"#;

const REQUEST: &str = "GET /json.htm?type=command&param=getdevices&filter=all&used=true&rid=1,2&order=Name HTTP/1.1\r\n\
Host: 127.0.0.1\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n\
Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\nparam=getlog";

/// A mutation of a seed. Inputs stay text: all readers refuse other bytes than UTF-8 at once.
fn mutated(random: &mut Random, seed: &str) -> String {
    let mut text = seed.to_owned();
    for _ in 0..=random.below(4) {
        let size = random.size(MOST);
        let mut cut = |text: &str| -> (usize, usize) {
            let a = text.floor_char_boundary(random.below(text.len()));
            let b = text.floor_char_boundary(a + random.below(200));
            (a, b.max(a))
        };
        let (start, end) = cut(&text);
        let part = text[start..end].to_owned();
        let times = size / part.len().max(1);
        match random.below(5) {
            0 => text.insert_str(end, &part.repeat(times)),
            1 => text.insert_str(start, &part.repeat(times.min(2000))),
            2 => text.replace_range(start..end, ""),
            3 => {
                let alphabet = [
                    "<",
                    ">",
                    "&",
                    "\"",
                    "<a ",
                    "x=\"y\" ",
                    "%",
                    "\u{20ac}",
                    "]]>",
                    "<![CDATA[",
                ];
                let unit = alphabet[random.below(alphabet.len())];
                text.insert_str(start, &unit.repeat(size / unit.len()));
            }
            _ => text.insert_str(
                end,
                &seed[..seed.floor_char_boundary(random.below(seed.len()))],
            ),
        }
        text.truncate(text.floor_char_boundary(MOST));
    }
    text
}

/// Reads random inputs for the time of a test and asserts the cost of each.
fn costs(
    name: &str,
    mut random: Random,
    mut seed: impl FnMut(&mut Random) -> String,
    mut read: impl FnMut(&str),
) {
    let begun = Instant::now();
    let mut inputs = 0_u64;
    while begun.elapsed() < time() {
        let text = seed(&mut random);
        let before = (allocated(), computed());
        read(&text);
        let (bytes, nanoseconds) = (allocated() - before.0, computed() - before.1);
        let given = text.len() as u64;
        if bytes > BYTES + given * BYTES_EACH
            || nanoseconds > NANOSECONDS + given * NANOSECONDS_EACH
        {
            let kept = std::env::temp_dir().join(format!("cordon-cost-{name}"));
            std::fs::write(&kept, &text).unwrap();
            panic!(
                "{name}: {bytes} bytes and {nanoseconds} ns for {given} bytes, kept in {}",
                kept.display()
            );
        }
        inputs += 1;
    }
    println!("{name}: {inputs} inputs");
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_cost_what_they_are_long() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin.py");
    let seed = |random: &mut Random| mutated(random, DEFINITION);
    costs("plugin.py", Random::new(), seed, |text| {
        std::fs::write(&path, text).unwrap();
        let _ = definition::read_folder(folder.path());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_cost_what_they_are_long() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let seeds = [
        ("Devices.xml", DEVICES),
        ("Actions.xml", ACTIONS),
        ("Templates/menu.xml", TEMPLATE),
    ];
    let root = bundle(
        folder.path(),
        "Seed",
        "org.example.seed",
        &[("plugin.py", "")],
    );
    let code = root.join("Contents/Server Plugin");
    std::fs::create_dir_all(code.join("Templates")).unwrap();
    let put = |name: &str, text: &str| std::fs::write(code.join(name), text).unwrap();
    let which = std::cell::Cell::new(0);
    let seed = |random: &mut Random| {
        which.set(random.below(seeds.len()));
        mutated(random, seeds[which.get()].1)
    };
    costs("bundle", Random::new(), seed, |text| {
        for (name, seed) in seeds {
            put(name, seed);
        }
        put(seeds[which.get()].0, text);
        let _ = Bundle::open(&root);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn property_lists_cost_what_they_are_long() {
    let _turn = TURN.lock().await;
    let seed = |random: &mut Random| mutated(random, PLIST);
    costs("Info.plist", Random::new(), seed, |text| {
        let _ = Info::parse(text.as_bytes());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_cost_what_they_are_long() {
    let _turn = TURN.lock().await;
    let mut bench = Bench::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = cordon_domoticz::web::router(bench.hub.api(address));
    let server = tokio::spawn(cordon_web::server::serve(
        listener,
        router,
        std::future::pending(),
    ));
    let asked = tokio::task::spawn_blocking(move || {
        let seed = |random: &mut Random| mutated(random, REQUEST);
        costs("request", Random::new(), seed, |text| ask(address, text));
    });
    asked.await.unwrap();
    server.abort();
    bench.hub.stop().await;
}

/// Sends a request and reads the answer, however the server takes it.
fn ask(address: SocketAddr, text: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // A server that refuses closes early.
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = [0; 16384];
    while stream.read(&mut answer).is_ok_and(|count| count > 0) {}
}

/// A seed that no reader takes would show nothing.
#[test]
fn the_seeds_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plugin.py"), DEFINITION).unwrap();
    assert_eq!(definition::read_folder(folder.path()).unwrap().len(), 1);
    let files = [
        ("plugin.py", ""),
        ("Devices.xml", DEVICES),
        ("Actions.xml", ACTIONS),
    ];
    let root = bundle(folder.path(), "Seed", "org.example.seed", &files);
    let templates = root.join("Contents/Server Plugin/Templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(Path::new(&templates).join("menu.xml"), TEMPLATE).unwrap();
    Bundle::open(&root).unwrap();
    Info::parse(PLIST.as_bytes()).unwrap();
}
