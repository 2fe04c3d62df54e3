//! Every function of the contract, called by a plugin.

use std::collections::BTreeSet;
use std::time::Instant;

use cordon_base::limits::work::{BASE_BYTES, BASE_NANOSECONDS, NANOSECONDS_PER_BYTE, WORK, Work};
use cordon_domoticz::{Deliver, HubEvent, Level};
use cordon_runtime::instance::remote::Remote;

use crate::allocation::{allocated, computed};
use crate::indigo;
use crate::random::Random;
use crate::support::{Bench, PluginText};
use crate::{TURN, time};

const SOURCE: &str = include_str!("functions.py");

/// Called once at each start, before any line of the plugin, and closed for it.
const NOT_FOR_PLUGINS: [&str; 1] = ["memory.prepare"];

/// The largest argument. Most functions take less.
pub const MOST: usize = 1 << 20;

/// Bytes that the way of one command into the plugin and of its answer into the log
/// allocate in the hub, and the calls that a function needs beside it: a program is
/// spawned, read from and waited for.
const ROUND: u64 = 1 << 20;

/// Computing time of the interpreter for one command, whatever it does.
const ROUND_NANOSECONDS: u64 = 300_000_000;

/// How often a call is repeated that cost too much.
pub const ATTEMPTS: usize = 4;

/// The cost of one call, and for how many bytes.
#[derive(Debug)]
pub struct Spent {
    pub given: u64,
    pub bytes: u64,
    pub nanoseconds: u64,
}

impl Spent {
    /// The bytes and the nanoseconds that the row of a function allows for it.
    pub fn allowed(&self, work: &Work) -> (u64, u64) {
        (
            BASE_BYTES + ROUND + self.given * (work.bytes_per_byte + 8),
            BASE_NANOSECONDS + ROUND_NANOSECONDS + self.given * NANOSECONDS_PER_BYTE,
        )
    }

    pub fn is_within(&self, (bytes, time): (u64, u64)) -> bool {
        self.bytes <= bytes && self.nanoseconds <= time
    }
}

/// The process that holds the other end of the serial port.
struct Peer(std::process::Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Caller {
    bench: Bench,
    _peer: Peer,
    plugin: Remote,
    calls: BTreeSet<String>,
    number: u64,
}

pub fn name(work: &Work) -> String {
    format!("{}.{}", work.interface, work.function)
}

impl Caller {
    async fn new() -> Self {
        let mut bench = Bench::new();
        let mut peer = std::process::Command::new("python3")
            .args(["-c", "import os,sys\npair=os.openpty()\nprint(os.ttyname(pair[1]),flush=True)\nwhile os.read(pair[0],65536): pass"])
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut path = String::new();
        let output = peer.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut path).unwrap();
        let path = path.trim();
        let config = format!(
            "parameters = {{ Mode1 = {path:?} }}\n\
             grants = {{ exec = [\"/bin/cat\", \"/bin/echo\"], serial = [{path:?}], icmp = [\"127.0.0.1\"], \
             network = [\"127.0.0.1:1\"] }}\n\
             limits = {{ log-lines-per-second = 10000, callback-cpu = 600000, cpu-share = 400, \
             lookups = 100000, echoes = 1024 }}"
        );
        let plugin = PluginText {
            name: "Cost",
            source: SOURCE,
            config: &config,
        };
        let plugin = bench.start(plugin).await;
        let line = bench.line("Cost: calls ").await;
        let calls = line.split_once("calls ").unwrap().1;
        let calls = calls.split_whitespace().map(str::to_owned).collect();
        Self {
            bench,
            _peer: Peer(peer),
            plugin,
            calls,
            number: 0,
        }
    }

    async fn call(&mut self, function: &str, size: usize, shape: usize) -> Spent {
        self.number += 1;
        let number = self.number;
        self.bench.drain();
        self.bench.seen.clear();
        let before = (allocated(), computed());
        self.plugin
            .deliver(HubEvent::Command {
                device_id: String::new(),
                unit: 1,
                command: format!("{number} {function} {size} {shape}"),
                level: Level::Whole(0),
                color: String::new(),
            })
            .unwrap();
        let line = self.bench.line(&format!("Cost: done {number} ")).await;
        let after = (allocated(), computed());
        let mut words = line.trim_end_matches('.').split(' ').rev();
        let out: u64 = words.next().unwrap().parse().unwrap();
        let into: u64 = words.next().unwrap().parse().unwrap();
        Spent {
            given: into + out,
            bytes: after.0 - before.0,
            nanoseconds: after.1 - before.1,
        }
    }

    /// A cost that is the function's own is there each time. Work that the call before has
    /// left for later, such as a message on its way out, is not.
    async fn check(&mut self, work: &Work, size: usize, shape: usize) {
        let function = name(work);
        let mut seen = Vec::new();
        while seen.len() < ATTEMPTS {
            let spent = self.call(&function, size, shape).await;
            let allowed = spent.allowed(work);
            if spent.is_within(allowed) {
                return;
            }
            seen.push((spent, allowed));
        }
        panic!("{function} with size {size} and shape {shape}, with what is allowed: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_costs_no_more_than_its_row_says() {
    let _turn = TURN.lock().await;
    let mut random = Random::new();
    let mut caller = Caller::new().await;
    let declared: BTreeSet<_> = WORK.iter().map(name).collect();
    let mut covered = caller.calls.clone();
    covered.extend(NOT_FOR_PLUGINS.map(str::to_owned));
    covered.extend(indigo::FUNCTIONS.map(str::to_owned));
    assert_eq!(
        covered, declared,
        "tests/cost/functions.py calls every function that is not for Indigo plugins"
    );

    let callable: Vec<_> = WORK
        .iter()
        .filter(|work| caller.calls.contains(&name(work)))
        .collect();
    for work in &callable {
        for (shape, size) in [1, 1000, 60_000, MOST].into_iter().enumerate() {
            caller.check(work, size, shape).await;
        }
    }
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < time() {
        let work = callable[random.below(callable.len())];
        caller
            .check(work, random.size(MOST), random.below(64))
            .await;
        calls += 1;
    }
    println!("{calls} random calls");
    caller.bench.hub.stop().await;
}
