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
use super::*;
use crate::Reach;
use crate::egress::{NetworkPolicy, OwnTarget};
use cordon_base::account::Account;
use cordon_base::descriptors::Descriptors;
use cordon_base::limits::Limits;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pools;

fn policy(grants: &str, hub: &[&str]) -> Arc<NetworkPolicy> {
    let hub = hub.iter().map(|it| it.parse().unwrap()).collect();
    let grants = toml::from_str(grants).unwrap();
    Arc::new(NetworkPolicy::new(&OwnTarget::default(), grants, hub))
}

fn log() -> PluginLog {
    let events = EventLog::new(LogCapacity::default());
    PluginLog::new(events, "tests", &Limits::default())
}

fn reach(grants: &str, hub: &[&str]) -> Reach {
    let limits = Limits::default();
    Reach::new(
        policy(grants, hub),
        Arc::default(),
        Account::new(&limits),
        &limits,
        &Pools::default(),
        &Descriptors::new(10_000),
    )
}

fn sockets(grants: &str) -> Sockets {
    Sockets::new(reach(grants, &[]), &Limits::default(), log())
}

fn access(grants: &str, hub: &[&str]) -> Access {
    let reach = reach(grants, hub);
    Access {
        policy: reach.network,
        names: reach.names,
        log: log(),
    }
}

impl Access {
    fn remember(&self, name: &str, addresses: &[IpAddr]) {
        let addresses = addresses.iter().copied();
        self.names.remember(name.to_owned(), addresses).unwrap();
    }
}

fn allowed(access: &Access, target: &str) -> bool {
    let permit = reach("", &[]).descriptors.take(1).unwrap();
    let entry = Entry::new(false, Kind::Stream, 65_536, permit).unwrap();
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
    access.remember("device.lan", &[ip("10.0.0.7")]);
    access.remember("other.lan", &[ip("10.0.0.8")]);
    assert!(allowed(&access, "10.0.0.7:80"));
    assert!(!allowed(&access, "10.0.0.7:81"));
    assert!(!allowed(&access, "10.0.0.8:80"));
}

#[test]
fn it_refuses_a_granted_name_that_was_rebound_to_what_must_be_named() {
    let access = access("network = [\"device.lan:*\", \"*:*\"]", &["10.0.0.9:8080"]);
    let bound = ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.9", "0.0.0.0"].map(ip);
    access.remember("device.lan", &bound);
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

/// A listener that was shut down keeps its port, where somebody else may listen now.
#[tokio::test]
async fn a_listener_that_was_shut_down_is_no_socket_of_its_own() {
    let sockets = sockets("");
    let listener = sockets.create(false, Kind::Stream).unwrap();
    let reuse = sockets.set_option(listener, OptionName::SoReuseaddr, 1);
    reuse.unwrap();
    let bound = sockets.bind(listener, "127.0.0.1:0".parse().unwrap());
    bound.unwrap();
    sockets.listen(listener, 5).unwrap();
    let target = sockets.local_address(listener).unwrap().unwrap();
    assert_eq!(
        sockets.get_option(listener, OptionName::SoAcceptconn),
        Ok(1)
    );
    sockets.shutdown(listener, Direction::Both).unwrap();
    assert_eq!(
        sockets.get_option(listener, OptionName::SoAcceptconn),
        Ok(0)
    );
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    other.set_reuse_address(true).unwrap();
    other.bind(&target.into()).unwrap();
    other.listen(1).unwrap();
    let client = sockets.create(false, Kind::Stream).unwrap();
    let refused = sockets.connect(client, target).unwrap_err();
    assert_eq!(refused.number, EACCES);
}

/// With SO_REUSEPORT another program may listen beside it.
#[tokio::test]
async fn a_port_that_others_may_share_is_not_its_own() {
    let sockets = sockets("");
    for (kind, option) in [
        (Kind::Stream, OptionName::SoReuseport),
        (Kind::Datagram, OptionName::SoReuseport),
        (Kind::Datagram, OptionName::SoReuseaddr),
    ] {
        let shared = sockets.create(false, kind).unwrap();
        sockets.set_option(shared, option, 1).unwrap();
        let bound = sockets.bind(shared, "127.0.0.1:0".parse().unwrap());
        bound.unwrap();
        if kind == Kind::Stream {
            sockets.listen(shared, 5).unwrap();
        }
        let target = sockets.local_address(shared).unwrap().unwrap();
        let client = sockets.create(false, kind).unwrap();
        let refused = match kind {
            Kind::Stream => sockets.connect(client, target),
            Kind::Datagram => sockets
                .send_to(client, b"x", target, MessageFlags::default())
                .map(drop),
        };
        assert_eq!(refused.unwrap_err().number, EACCES, "{kind:?} {option:?}");
        sockets.close(shared);
        sockets.close(client);
    }
}

#[tokio::test]
async fn open_sockets_count_among_the_open_files_of_the_hub() {
    let limits = Limits {
        descriptors: 3,
        ..Limits::default()
    };
    let all = Descriptors::new(10_000);
    let reach = Reach::new(
        policy("", &[]),
        Arc::default(),
        Account::new(&limits),
        &limits,
        &Pools::default(),
        &all,
    );
    let sockets = Sockets::new(reach, &limits, log());
    let first = sockets.create(false, Kind::Stream).unwrap();
    sockets.pair(Kind::Stream).unwrap();
    assert_eq!(
        sockets.create(false, Kind::Stream),
        Err(Failure::new(EMFILE))
    );
    // A second handle is no second open file.
    assert!(sockets.duplicate(first).is_ok());
    assert_eq!(all.held(), 3);
    drop(sockets);
    assert_eq!(all.held(), 0);
}
