//! The functions of the contract that are for Indigo plugins, called by one.

use std::sync::Arc;
use std::time::Instant;

use cordon_base::limits::work::{WORK, Work};
use cordon_indigo::{Caller, IndigoServer};
use serde_json::{Value, json};

use crate::allocation::{allocated, computed};
use crate::functions::{ATTEMPTS, MOST, Spent, name};
use crate::random::Random;
use crate::support::Bench;
use crate::support::bundle::bundle;
use crate::{TURN, time};

const SOURCE: &str = include_str!("indigo.py");
const PLUGIN: &str = "org.example.cost";
const ACTIONS: &str = "<Actions><Action id='work' uiPath='hidden'><Name>Work</Name>\
    <CallbackMethod>work</CallbackMethod></Action></Actions>";
const DEVICES: &str =
    "<Devices><Device type='custom' id='custom'><Name>Custom</Name></Device></Devices>";

/// The functions that [`SOURCE`] calls.
pub const FUNCTIONS: [&str; 2] = ["indigo.call", "indigo.reply"];

/// Kinds of commands in [`SOURCE`], times the shapes of their arguments.
const SHAPES: usize = 6 * 8;

async fn call(server: &Arc<IndigoServer>, function: &str, size: usize, shape: usize) -> Spent {
    let before = (allocated(), computed());
    let props = json!({"function": function, "size": size, "shape": shape});
    let arguments = json!({"pluginId": PLUGIN, "actionTypeId": "work", "props": props,
        "waitUntilDone": true});
    let caller = Caller::Operator("api-http");
    let done = server.command(&caller, "server.pluginExecuteAction", arguments);
    let returned = done.await.unwrap();
    let after = (allocated(), computed());
    let given = match function {
        "indigo.call" => {
            let parts = returned.as_array().unwrap();
            parts.iter().filter_map(Value::as_u64).sum()
        }
        _ => returned.to_string().len() as u64,
    };
    Spent {
        given,
        bytes: after.0 - before.0,
        nanoseconds: after.1 - before.1,
    }
}

/// As for other functions: a cost that is the function's own is there each time.
async fn check(server: &Arc<IndigoServer>, work: &Work, size: usize, shape: usize) {
    let function = name(work);
    let mut seen = Vec::new();
    while seen.len() < ATTEMPTS {
        let spent = call(server, &function, size, shape).await;
        let allowed = spent.allowed(work);
        if spent.is_within(allowed) {
            return;
        }
        seen.push((spent, allowed));
    }
    panic!("{function} with size {size} and shape {shape}, with what is allowed: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_of_indigo_costs_no_more_than_its_row_says() {
    let _turn = TURN.lock().await;
    let mut random = Random::new();
    let mut bench = Bench::new();
    let files = [
        ("plugin.py", SOURCE),
        ("Actions.xml", ACTIONS),
        ("Devices.xml", DEVICES),
    ];
    let folder = bench.data_folder().join("../bundles");
    let root = bundle(&folder, "Cost", PLUGIN, &files);
    let section = format!(
        "bundle = {root:?}\nlimits = {{ log-lines-per-second = 10000, callback-cpu = 600000, \
         cpu-share = 400, write-bytes-per-minute = 68719476736 }}"
    );
    let section = toml::from_str(&section).unwrap();
    bench.hub.start_indigo(&section).await.unwrap();
    let server = bench.hub.indigo().await.unwrap();
    let plugin = server.plugin(PLUGIN).unwrap();
    while !plugin.running() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let callable: Vec<_> = WORK
        .iter()
        .filter(|work| FUNCTIONS.contains(&name(work).as_str()))
        .collect();
    assert_eq!(callable.len(), FUNCTIONS.len());
    for work in &callable {
        for shape in 0..6 {
            for size in [1, 60_000, MOST / 4] {
                check(&server, work, size, shape).await;
            }
        }
    }
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < time() {
        let work = callable[random.below(callable.len())];
        let size = random.size(MOST / 4);
        check(&server, work, size, random.below(SHAPES)).await;
        calls += 1;
    }
    println!("{calls} random calls");
    bench.hub.stop().await;
}
