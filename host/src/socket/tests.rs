#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::entry::Entry;
use super::names::Names;
use super::*;
use crate::egress::{NetworkPolicy, OwnTarget};
use crate::instance::log::PluginLog;
use crate::limits::Limits;
use crate::log::{EventLog, LogCapacity};

fn policy(grants: &str, hub: &[&str]) -> Arc<NetworkPolicy> {
    let hub = hub.iter().map(|it| it.parse().unwrap()).collect();
    let grants = toml::from_str(grants).unwrap();
    Arc::new(NetworkPolicy::new(&OwnTarget::default(), grants, hub))
}

fn log() -> PluginLog {
    let events = EventLog::new(LogCapacity::default());
    PluginLog::new(events, "tests", &Limits::default())
}

fn sockets(grants: &str) -> Sockets {
    Sockets::new(policy(grants, &[]), &Limits::default(), log())
}

fn access(grants: &str, hub: &[&str]) -> Access {
    Access {
        policy: policy(grants, hub),
        names: Names::new(10),
        log: log(),
    }
}

fn allowed(access: &Access, target: &str) -> bool {
    let entry = Entry::new(false, Kind::Stream, 65_536).unwrap();
    let target: SocketAddr = target.parse().unwrap();
    access.check_target(&entry, target, &[]).is_ok()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_passes_for_the_granted_name_that_led_to_it() {
    let access = access("network = [\"device.lan:80\"]", &[]);
    assert!(!allowed(&access, "10.0.0.7:80"));
    access
        .names
        .remember("device.lan".to_owned(), &[ip("10.0.0.7")]);
    access
        .names
        .remember("other.lan".to_owned(), &[ip("10.0.0.8")]);
    assert!(allowed(&access, "10.0.0.7:80"));
    assert!(!allowed(&access, "10.0.0.7:81"));
    assert!(!allowed(&access, "10.0.0.8:80"));
}

#[test]
fn it_refuses_a_granted_name_that_was_rebound_to_what_must_be_named() {
    let access = access("network = [\"device.lan:*\", \"*:*\"]", &["10.0.0.9:8080"]);
    let bound = ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.9", "0.0.0.0"].map(ip);
    access.names.remember("device.lan".to_owned(), &bound);
    for target in [
        "127.0.0.1:80",
        "[::1]:80",
        "169.254.169.254:80",
        "10.0.0.9:8080",
        "0.0.0.0:80",
    ] {
        assert!(!allowed(&access, target), "{target}");
    }
    assert!(allowed(&access, "10.0.0.9:80"));
}

#[test]
fn names_are_bounded() {
    let names = Names::new(2);
    for n in 0..2000_u32 {
        names.remember(format!("{n}.lan"), &[IpAddr::V4(n.to_be_bytes().into())]);
    }
    assert!(names.of(IpAddr::V4(0_u32.to_be_bytes().into())).is_empty());
    assert_eq!(
        names.of(IpAddr::V4(1999_u32.to_be_bytes().into())),
        ["1999.lan"]
    );
    assert_eq!((names.count(), names.count()), (Ok(()), Ok(())));
    assert_eq!(names.count(), Err(Limits::hit("lookups", 3, 2)));
}

#[tokio::test]
async fn a_wait_ends_when_its_handle_is_closed_or_its_time_is_over() {
    let sockets = Arc::new(sockets(""));
    let (one, two) = sockets.pair(Kind::Stream).unwrap();
    let readable = Events {
        readable: true,
        ..Events::default()
    };
    let short = Some(Duration::from_millis(20));
    assert_eq!(sockets.wait(one, readable, short).await, Ok(false));
    let waiting = Arc::clone(&sockets);
    let wait = tokio::spawn(async move { waiting.wait(one, readable, None).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(sockets.close(one));
    assert_eq!(wait.await.unwrap(), Err(Failure::new(EBADF)));
    assert_eq!(
        sockets.receive(two, 10, MessageFlags::default()),
        Ok(Vec::new())
    );
    assert!(!sockets.close(one));
}

/// A stream that the poller saw before it connected would be ready for ever.
#[tokio::test]
async fn a_wait_after_a_second_connect_does_not_spin() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = refused.local_addr().unwrap();
    drop(refused);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let there = listener.local_addr().unwrap();
    let sockets = sockets("network = [\"127.0.0.1:*\"]");
    let socket = sockets.create(false, Kind::Stream).unwrap();
    let writable = Events {
        writable: true,
        ..Events::default()
    };
    let readable = Events {
        readable: true,
        ..Events::default()
    };
    for (target, error) in [(gone, 111), (there, 0)] {
        let mut begun = sockets.connect(socket, target);
        // The system tells of the connect that failed before once more (ECONNABORTED).
        if begun == Err(Failure::new(103)) {
            begun = sockets.connect(socket, target);
        }
        assert!(
            begun.is_ok() || begun == Err(Failure::new(115)) || error != 0,
            "{begun:?}"
        );
        let ready = sockets
            .wait(socket, writable, Some(Duration::from_secs(9)))
            .await;
        assert_eq!(ready, Ok(true));
        let told = sockets.get_option(socket, OptionName::SoError);
        assert!(
            told == Ok(error) || begun == Err(Failure::new(111)),
            "{told:?}"
        );
    }
    let before = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let quiet = sockets
        .wait(socket, readable, Some(Duration::from_millis(300)))
        .await;
    assert_eq!(quiet, Ok(false));
    let after = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let used = Duration::try_from(after).unwrap() - Duration::try_from(before).unwrap();
    assert!(used < Duration::from_millis(150), "{used:?}");
}

#[tokio::test]
async fn handles_are_the_lowest_free_numbers() {
    let sockets = sockets("");
    let made: Vec<_> = (0..3)
        .map(|_| sockets.create(false, Kind::Datagram).unwrap())
        .collect();
    assert_eq!(made, [FIRST_HANDLE, FIRST_HANDLE + 1, FIRST_HANDLE + 2]);
    sockets.close(FIRST_HANDLE + 1);
    assert_eq!(sockets.duplicate(FIRST_HANDLE), Ok(FIRST_HANDLE + 1));
    sockets.close(FIRST_HANDLE);
    assert!(sockets.local_address(FIRST_HANDLE + 1).is_ok());
}

/// A target that was allowed because it was the instance's own is asked about again.
#[tokio::test]
async fn a_port_that_was_its_own_is_not_when_somebody_else_has_it() {
    let sockets = sockets("");
    let listener = sockets.create(false, Kind::Stream).unwrap();
    sockets
        .bind(listener, "127.0.0.1:0".parse().unwrap())
        .unwrap();
    sockets.listen(listener, 5).unwrap();
    let target = sockets.local_address(listener).unwrap().unwrap();
    let client = sockets.create(false, Kind::Stream).unwrap();
    let begun = sockets.connect(client, target);
    assert!(
        begun.is_ok() || begun == Err(Failure::new(115)),
        "{begun:?}"
    );
    sockets.close(listener);
    let refused = sockets.connect(client, target).unwrap_err();
    assert_eq!(refused.number, EACCES);
}
