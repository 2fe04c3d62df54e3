//! Echo requests: `cordon_icmp`, under the grant `icmp`.

use crate::support::{Bench, PluginText};

/// Whether the system lets this process open any ICMP socket. Where it does not,
/// what is tested is that plugins are told so.
fn allowed() -> bool {
    let (dgram, raw) = (socket2::Type::DGRAM, socket2::Type::from(3));
    let open = |kind| {
        let protocol = Some(socket2::Protocol::ICMPV4);
        socket2::Socket::new(socket2::Domain::IPV4, kind, protocol).is_ok()
    };
    open(dgram) || open(raw)
}

async fn start(bench: &mut Bench, source: &str, config: &str) {
    let source = format!(
        "
import socket, threading
import cordon_icmp
def ping(*args, **kwargs):
    try:
        r = cordon_icmp.ping(*args, **kwargs)
        print(args[0], 'answered', r.address, r.size, 0 < r.round_trip < 60)
    except OSError as e: print(args[0], 'failed:', type(e).__name__, e.strerror)
{source}
"
    );
    bench
        .start(PluginText {
            name: "Ping",
            source: &source,
            config,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_host_answers() {
    let mut bench = Bench::new();
    let source = "
def onStart():
    ping('127.0.0.1')
    ping('127.0.0.1', size=0, ttl=1)
    ping('127.0.0.1', size=1400)
    ping('::1')
    ping('name.invalid')
    print('up', cordon_icmp.is_up('127.0.0.1'))
";
    let config = "grants = { icmp = [\"127.0.0.1\", \"::1\", \"*\"] }";
    start(&mut bench, source, config).await;
    if allowed() {
        bench.line("127.0.0.1 answered 127.0.0.1 56 True").await;
        bench.line("127.0.0.1 answered 127.0.0.1 0 True").await;
        bench.line("127.0.0.1 answered 127.0.0.1 1400 True").await;
        bench.line("::1 answered ::1 56 True").await;
        bench.line("up True").await;
    } else {
        bench.line("127.0.0.1 failed: PermissionError").await;
        bench.line("net.ipv4.ping_group_range").await;
        bench.line("up False").await;
    }
    bench.line("name.invalid failed: gaierror").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_nobody_is_asked() {
    let mut bench = Bench::new();
    let source = "
def onStart():
    ping('127.0.0.1')
    ping('localhost')
";
    // A star stands for no address that must be named.
    let config = "grants = { icmp = [\"*\"] }\nparameters = { Address = \"192.0.2.9\" }";
    start(&mut bench, source, config).await;
    bench
        .line("127.0.0.1 failed: PermissionError denied: echo request to 127.0.0.1; to allow it, add `\"127.0.0.1\"` to `icmp` under [hardware.grants]")
        .await;
    bench.line("localhost failed: PermissionError").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_address_needs_no_grant() {
    let mut bench = Bench::new();
    let source = "
def onStart():
    ping('127.0.0.1')
    ping('192.0.2.7')
";
    let config = "parameters = { Address = \"127.0.0.1\", Port = \"80\" }";
    start(&mut bench, source, config).await;
    let outcome = if allowed() {
        "answered"
    } else {
        "failed: PermissionError the hub may open"
    };
    bench.line(&format!("127.0.0.1 {outcome}")).await;
    bench
        .line("192.0.2.7 failed: PermissionError denied: echo request to 192.0.2.7")
        .await;
}
