//! A plugin that does the same thing again and again needs no more memory for it.
//!
//! Plugins call every function of the contract and use every transport many times and look
//! at the bytes that are in use in their own heap before and after. `CORDON_SLOPE` is the
//! number of calls; `make slope` has it at 100,000.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../platform/certificates.rs"]
mod certificates;
mod contract;
mod hub;
mod indigo;
mod peers;

use std::time::Duration;

use cordon_domoticz::{Deliver, HubEvent, Level, Notification, Security};
use cordon_runtime::instance::remote::Remote;

use certificates::self_signed;
use peers::Port;
use support::Bench;
use support::ports::free_port;

/// The part that all plugins here begin with.
pub const MEASURE: &str = include_str!("measure.py");

/// Calls of each case.
pub fn count() -> u32 {
    let count = std::env::var("CORDON_SLOPE").ok();
    count.map_or(1000, |count| count.parse().expect("a number of calls"))
}

/// How long all cases of a plugin may take.
pub fn patience() -> Duration {
    Duration::from_secs(240) * count().div_ceil(1000)
}

/// Limits that nothing here is about.
pub const LIMITS: &str = "callback-cpu = 600000, callback-wall = 3600000, cpu-share = 400, \
    log-lines-per-second = 10000, lookups = 100000, echoes = 1024, threads = 64";

const HEAD: &str = "\"\"\"\n<plugin key=\"Slope\" name=\"Slope\" version=\"1.0\" author=\"tests\">\n\
    <params><param field=\"Mode1\" label=\"m\"/><param field=\"Address\" label=\"a\"/>\
    <param field=\"Port\" label=\"p\"/></params>\n</plugin>\n\"\"\"\n";

/// Starts the plugin with these options, a JSON object.
async fn start(module: &str, source: &str, options: &str, grants: &str) -> (Bench, Remote) {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Slope");
    std::fs::create_dir_all(&folder).unwrap();
    self_signed("leaf", &["leaf"]).write(&folder, "leaf");
    let text = format!("{HEAD}import {module} as Domoticz\n{MEASURE}\n{source}");
    let config = format!(
        "parameters = {{ Mode1 = '{options}' }}\nlimits = {{ {LIMITS} }}\ngrants = {{ {grants} }}"
    );
    let remote = bench.start_whole("Slope", &text, &config).await;
    (bench, remote)
}

/// Waits for the results and asserts that every case of the source has one and is level.
async fn levels(bench: &mut Bench, source: &str, more: usize) {
    bench.line_within("slope: all ", patience()).await;
    judge(&bench.seen_lines(), source, more);
}

/// Asserts the same of lines of the log.
pub fn judge(lines: &[String], source: &str, more: usize) {
    let mut told: Vec<_> = lines
        .iter()
        .filter_map(|line| Some(line.split_once("slope ")?.1))
        .collect();
    told.sort_unstable();
    told.dedup();
    let shown = told.join("\n");
    println!("{shown}");
    let level = told
        .iter()
        .filter(|line| line.starts_with("level "))
        .count();
    let cases = source.matches("\n@measure(").count() + more;
    assert_eq!(level, told.len(), "{shown}");
    assert_eq!(level, cases, "{shown}\n{}", lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_and_what_else_domoticz_has() {
    let source = include_str!("devices.py");
    let events = count() / 4;
    let options = format!("{{\"count\": {}, \"events\": {events}}}", count());
    let (mut bench, remote) = start("Domoticz", source, &options, "").await;
    levels(&mut bench, source, 0).await;
    for event in events_of("0001", 1) {
        for _ in 0..events + 60 {
            deliver(&remote, &event).await;
        }
    }
    bench.line_within("level onNotification", patience()).await;
    let all = source.matches("\n@measure(").count() + 4;
    let told = format!("slope: all {all} told");
    bench.line_within(&told, patience()).await;
    levels(&mut bench, source, 4).await;
}

/// One event of each kind that a plugin has a callback for.
fn events_of(device_id: &str, unit: u32) -> Vec<HubEvent> {
    let device_id = device_id.to_owned();
    let of_device = || device_id.clone();
    vec![
        HubEvent::Command {
            device_id: of_device(),
            unit,
            command: "On".to_owned(),
            level: Level::Real(20.5),
            color: "{\"m\":1}".to_owned(),
        },
        HubEvent::DeviceModified {
            device_id: of_device(),
            unit,
        },
        HubEvent::Security {
            device_id: of_device(),
            unit,
            status: Security::ArmedAway,
        },
        HubEvent::Settings(vec![("Language".to_owned(), "en".to_owned())]),
        HubEvent::Notification(Notification::message("subject", "text", 0, "")),
    ]
}

/// Delivers one as soon as there is room for it.
async fn deliver(remote: &Remote, event: &HubEvent) {
    while remote.deliver(event.clone()).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_and_units_of_the_extended_module() {
    let source = include_str!("extended.py");
    let options = format!("{{\"count\": {}}}", count());
    let (mut bench, _) = start("DomoticzEx", source, &options, "").await;
    levels(&mut bench, source, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_threads_files_and_databases() {
    let source = include_str!("language.py");
    let options = format!("{{\"count\": {}}}", count());
    let (mut bench, _) = start("Domoticz", source, &options, "").await;
    levels(&mut bench, source, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_tls_programs_and_ports() {
    let source = include_str!("system.py");
    let port = Port::new();
    let (own, closed) = (free_port(), free_port());
    let options = format!(
        "{{\"count\": {}, \"port\": {own}, \"closed\": {closed}, \"serial\": {:?}}}",
        count(),
        port.path
    );
    let grants = format!(
        "network = [\"127.0.0.1:{own}\", \"127.0.0.1:{closed}\", \"239.255.83.17:*\"], \
         listen = [{own}], exec = [\"/bin/cat\"], serial = [{:?}], icmp = [\"127.0.0.1\"]",
        port.path
    );
    let (mut bench, _) = start("Domoticz", source, &options, &grants).await;
    levels(&mut bench, source, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_and_protocol() {
    let source = include_str!("transports.py");
    let port = Port::new();
    let (echo, tls) = (
        peers::serve(None).await,
        peers::serve(Some(support::tls::acceptor())).await,
    );
    let (closed, served, datagrams) = (free_port(), free_port(), free_port());
    peers::clients_of(served);
    peers::datagrams_to(datagrams);
    let options = format!(
        "{{\"count\": {}, \"echo\": {echo}, \"tls\": {tls}, \"closed\": {closed}, \
         \"served\": {served}, \"datagrams\": {datagrams}, \"serial\": {:?}}}",
        count(),
        port.path
    );
    let grants = format!(
        "network = [\"127.0.0.1:{echo}\", \"127.0.0.1:{tls}\", \"127.0.0.1:{closed}\"], \
         listen = [{served}, {datagrams}], serial = [{:?}], icmp = [\"127.0.0.1\"]",
        port.path
    );
    let (mut bench, _) = start("Domoticz", source, &options, &grants).await;
    levels(&mut bench, source, 17).await;
}
