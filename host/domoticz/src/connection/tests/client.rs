//! Outgoing connections: rules 79 to 90, 99, 103, 105.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;

#[tokio::test]
async fn data_flows_both_ways_and_is_counted_rule_86() {
    let (mut rig, mut peer, endpoint) = pair(Setup::default(), "None").await;
    rig.send(1, &endpoint, b"hello", 0);
    let mut got = [0; 5];
    peer.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
    peer.write_all(b"abc").await.unwrap();
    assert_eq!(rig.message().await, (1, b"abc".to_vec()));
    let state = rig.connections.status(1).unwrap();
    assert!(state.connected && !state.connecting);
    assert_eq!(state.bytes_transferred, 8);
    assert_eq!(state.last_seen.len(), "2026-11-21 02:03:16".len());
    assert!(state.last_seen.starts_with("20"), "{}", state.last_seen);
    assert_eq!(rig.connections.board().status(1), Some(state));
}

#[tokio::test]
async fn a_short_timeout_is_refused_rule_79() {
    let mut rig = Setup::default().build();
    rig.connect_for(1, &endpoint("TCP/IP", "None", 1), 100);
    rig.no_event().await;
    assert!(
        rig.errors()[0].contains("at least 200 ms"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn transports_that_cannot_connect_give_an_error_and_no_event_rule_81() {
    let mut rig = Setup::default().build();
    for (id, transport) in ["UDP/IP", "ICMP/IP", "Pigeon"].into_iter().enumerate() {
        rig.connect(id as u32, &endpoint(transport, "None", 1));
        assert!(rig.errors()[id].contains(transport), "{:?}", rig.errors());
    }
    rig.no_event().await;
}

#[tokio::test]
async fn an_empty_port_gives_an_error_and_no_event_rule_82() {
    let mut rig = Setup::default().build();
    let endpoint = Endpoint {
        port: String::new(),
        ..endpoint("TCP/IP", "None", 1)
    };
    rig.connect(1, &endpoint);
    rig.no_event().await;
    assert!(
        rig.errors()[0].contains("needs a Port"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn connecting_twice_opens_one_socket_rule_83() {
    let (listener, port) = server().await;
    let mut rig = Setup::default().build();
    let endpoint = endpoint("TCP/IP", "None", port);
    rig.connect(1, &endpoint);
    rig.connect(1, &endpoint);
    assert!(
        rig.errors()[0].contains("it is connecting"),
        "{:?}",
        rig.errors()
    );
    let _peer = listener.accept().await.unwrap();
    assert_eq!(rig.connected().await.1, 0);
    rig.connect(1, &endpoint);
    assert!(
        rig.errors()[1].contains("it is connected"),
        "{:?}",
        rig.errors()
    );
    let second = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(second.is_err());
}

#[tokio::test]
async fn a_closed_port_gives_111_and_then_a_disconnect_rule_84() {
    let mut rig = Setup::default().build();
    rig.connect(1, &endpoint("TCP/IP", "None", free_port()));
    assert_eq!(rig.flags(1), Some((true, false)));
    assert_eq!(
        rig.connected().await,
        (1, 111, "Connection refused".to_owned())
    );
    assert_eq!(rig.flags(1), None);
    assert_eq!(rig.disconnected().await, 1);
    rig.no_event().await;
    assert_eq!(rig.connections.open(), 0);
}

#[tokio::test]
async fn an_unknown_host_or_service_fails_in_the_same_way_rule_85() {
    let mut rig = Setup {
        grants: "network = [\"nowhere.invalid:80\"]".to_owned(),
        ..Setup::default()
    }
    .build();
    let nowhere = Endpoint {
        address: "nowhere.invalid".to_owned(),
        ..endpoint("TCP/IP", "None", 80)
    };
    rig.connect(1, &nowhere);
    let (_, status, description) = rig.connected().await;
    assert!(matches!(status, 1 | 2), "{status} {description}");
    assert!(description.starts_with("Host not found"), "{description}");
    assert_eq!(rig.disconnected().await, 1);
    let service = Endpoint {
        port: "telepathy".to_owned(),
        ..nowhere
    };
    rig.connect(2, &service);
    assert_eq!(
        rig.connected().await,
        (2, -8, "Service not found".to_owned())
    );
    assert_eq!(rig.disconnected().await, 2);
}

#[tokio::test]
async fn a_denied_target_is_never_connected_and_the_log_has_the_line() {
    let (listener, port) = server().await;
    let mut rig = Setup {
        grants: "network = [\"*:*\"]".to_owned(),
        ..Setup::default()
    }
    .build();
    let by_name = Endpoint {
        address: "localhost".to_owned(),
        ..endpoint("TCP/IP", "None", port)
    };
    for (id, endpoint) in [(1, endpoint("TCP/IP", "None", port)), (2, by_name)] {
        rig.connect(id, &endpoint);
        assert_eq!(
            rig.connected().await,
            (id, 13, "Permission denied".to_owned())
        );
        assert_eq!(rig.disconnected().await, id);
    }
    rig.error_with(&format!("`--network 127.0.0.1:{port}`"))
        .await;
    let reached = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(reached.is_err());
}

#[tokio::test]
async fn send_before_the_connection_is_made_is_refused_rule_87() {
    let (listener, port) = server().await;
    let mut rig = Setup::default().build();
    let endpoint = endpoint("TCP/IP", "None", port);
    rig.send(1, &endpoint, b"early", 0);
    rig.connect(1, &endpoint);
    rig.send(1, &endpoint, b"early", 0);
    assert_eq!(rig.errors().len(), 2);
    assert!(
        rig.errors()[1].contains("'Test': it is not connected"),
        "{:?}",
        rig.errors()
    );
    let (mut peer, _) = listener.accept().await.unwrap();
    assert_eq!(rig.connected().await.1, 0);
    rig.send(1, &endpoint, b"now", 0);
    rig.disconnect(1);
    let mut got = String::new();
    peer.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "now");
}

#[tokio::test]
async fn own_disconnect_gives_the_event_and_connected_is_false_before_it_rule_88() {
    let (mut rig, mut peer, endpoint) = pair(Setup::default(), "None").await;
    // Unread data must not turn the close into a reset that eats "bye".
    peer.write_all(&[b'x'; 100]).await.unwrap();
    rig.send(1, &endpoint, b"bye", 0);
    rig.disconnect(1);
    assert_ne!(rig.flags(1).map(|flags| flags.1), Some(true));
    let mut got = String::new();
    peer.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "bye");
    loop {
        match rig.event().await {
            ConnectionEvent::Disconnected(1) => break,
            ConnectionEvent::Message { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(peer.take_error().unwrap().is_none(), "the peer was reset");
    assert_eq!(rig.flags(1), None);
    rig.disconnect(1);
    assert_eq!(rig.errors().len(), 1);
}

#[tokio::test]
async fn a_release_closes_like_a_disconnect_rule_89() {
    let (mut rig, mut peer, _) = pair(Setup::default(), "None").await;
    let asked = Instant::now();
    rig.connections.carry_out(Request::Release { id: 1 });
    assert_eq!(peer.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(asked.elapsed() < Duration::from_secs(1));
    assert_eq!(rig.disconnected().await, 1);
    rig.connections.carry_out(Request::Release { id: 1 });
    assert!(rig.errors().is_empty());
}

#[tokio::test]
async fn leftovers_come_before_the_disconnect_rule_105() {
    let (mut rig, mut peer, _) = pair(Setup::default(), "Line").await;
    peer.write_all(b"a\r\nb\rc").await.unwrap();
    drop(peer);
    for expected in [b"a", b"b", b"c"] {
        assert_eq!(rig.message().await.1, expected);
    }
    assert_eq!(rig.disconnected().await, 1);
    assert!(rig.errors().is_empty(), "{:?}", rig.errors());
}

#[tokio::test]
async fn a_reset_is_logged_and_gives_the_disconnect() {
    let (mut rig, peer, _) = pair(Setup::default(), "None").await;
    peer.set_zero_linger().unwrap();
    drop(peer);
    assert_eq!(rig.disconnected().await, 1);
    assert!(
        rig.errors()[0].contains("Connection reset by peer"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn a_plugin_may_connect_again_at_once() {
    let (listener, port) = server().await;
    let mut setup = Setup::default();
    setup.limits.connections = 1;
    let (mut rig, _peer, _) = pair(setup, "None").await;
    let endpoint = endpoint("TCP/IP", "None", port);
    rig.disconnect(1);
    rig.connect(1, &endpoint);
    rig.disconnect(1);
    rig.connect(1, &endpoint);
    assert_eq!(rig.disconnected().await, 1);
    // The second was cancelled while it waited for the first; the third refused.
    assert_eq!(
        rig.connected().await,
        (1, 125, "Operation canceled".to_owned())
    );
    assert_eq!(rig.disconnected().await, 1);
    assert!(
        rig.errors()[0].contains("still disconnecting"),
        "{:?}",
        rig.errors()
    );
    rig.connect(1, &endpoint);
    let _peer = listener.accept().await.unwrap();
    assert_eq!(rig.connected().await.1, 0);
}

#[tokio::test]
async fn a_plugin_at_its_limit_may_replace_a_connection_that_ended() {
    let mut setup = Setup::default();
    setup.limits.connections = 1;
    let mut rig = setup.build();
    for id in 1..50 {
        // Each connection has its own port: a second attempt at one port would have to wait.
        rig.connect(id, &endpoint("TCP/IP", "None", free_port()));
        assert_eq!(rig.connected().await.1, 111);
        assert_eq!(rig.disconnected().await, id);
    }
    assert!(rig.errors().is_empty(), "{:?}", rig.errors());
}

#[tokio::test]
async fn delayed_messages_are_overtaken_rule_99() {
    let (mut rig, mut peer, endpoint) = pair(Setup::default(), "None").await;
    let asked = Instant::now();
    rig.send(1, &endpoint, b"late", 1);
    rig.send(1, &endpoint, b"r", 1);
    rig.send(1, &endpoint, b"now ", 0);
    // A waiting message is a reference (spec 5.3): the release comes after it.
    rig.connections.carry_out(Request::Release { id: 1 });
    let mut got = String::new();
    peer.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "now later");
    assert!(asked.elapsed() >= Duration::from_secs(1));
    assert_eq!(rig.disconnected().await, 1);
}

#[tokio::test]
async fn silence_times_out_again_and_again_rule_103() {
    let (listener, port) = server().await;
    let mut rig = Setup::default().build();
    rig.connect_for(1, &endpoint("TCP/IP", "None", port), 300);
    let (mut peer, _) = listener.accept().await.unwrap();
    assert_eq!(rig.connected().await.1, 0);
    let start = Instant::now();
    for _ in 0..2 {
        assert!(matches!(rig.event().await, ConnectionEvent::TimedOut(1)));
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(580), "{took:?}");
    peer.write_all(b"x").await.unwrap();
    assert_eq!(rig.message().await.1, b"x");
    assert_eq!(rig.flags(1), Some((false, true)));
}

#[tokio::test]
async fn serial_fails_with_minus_one_and_no_disconnect() {
    let mut rig = Setup::default().build();
    let port = Endpoint {
        address: "/dev/ttyNone".to_owned(),
        ..endpoint("Serial", "Line", 1)
    };
    rig.connect(1, &port);
    let denied = (1, -1, "Permission denied".to_owned());
    assert_eq!(rig.connected().await, denied);
    rig.no_event().await;
    assert_eq!((rig.connections.open(), rig.errors().len()), (0, 1));
    assert!(rig.errors()[0].contains("`--serial /dev/ttyNone`"));
    let grants = "serial = [\"/dev/ttyNone\"]".to_owned();
    let mut rig = Setup {
        grants,
        ..Setup::default()
    }
    .build();
    rig.connect(1, &port);
    let missing = (1, -1, "No such file or directory".to_owned());
    assert_eq!(rig.connected().await, missing);
    rig.no_event().await;
}

#[tokio::test]
async fn a_target_that_refuses_again_and_again_is_tried_ever_more_seldom() {
    let mut rig = Setup::default().build();
    let closed = endpoint("TCP/IP", "None", free_port());
    let begun = Instant::now();
    for id in 1..=5 {
        rig.connect(id, &closed);
        assert_eq!(rig.connected().await.1, 111);
        assert_eq!(rig.disconnected().await, id);
    }
    // Two attempts at once, then pauses of 250, 500 and 1000 ms.
    assert!(begun.elapsed() >= Duration::from_millis(1750));
    rig.connect(6, &closed);
    assert_eq!(rig.flags(6), Some((true, false)));
    rig.disconnect(6);
    assert_eq!(rig.connected().await.1, 125);
    assert_eq!(rig.disconnected().await, 6);
}

#[tokio::test]
async fn a_target_that_hangs_up_at_once_is_tried_ever_more_seldom() {
    let (listener, port) = server().await;
    let mut rig = Setup::default().build();
    let endpoint = endpoint("TCP/IP", "None", port);
    let begun = Instant::now();
    for id in 1..=4 {
        rig.connect(id, &endpoint);
        drop(listener.accept().await.unwrap());
        assert_eq!(rig.connected().await.1, 0);
        assert_eq!(rig.disconnected().await, id);
    }
    assert!(begun.elapsed() >= Duration::from_millis(750));
    // A peer that says something, and a connection that the plugin closes, end as ever.
    for id in [5, 6] {
        rig.connect(id, &endpoint);
        let (mut peer, _) = listener.accept().await.unwrap();
        assert_eq!(rig.connected().await.1, 0);
        if id == 5 {
            peer.write_all(b"hello").await.unwrap();
            assert_eq!(rig.message().await, (id, b"hello".to_vec()));
        } else {
            rig.disconnect(id);
        }
        drop(peer);
        assert_eq!(rig.disconnected().await, id);
    }
}

#[tokio::test]
async fn a_datagram_needs_no_connection_but_a_grant() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut rig = Setup::default().build();
    rig.send(1, &endpoint("UDP/IP", "None", port), b"ping", 0);
    let mut got = [0; 8];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut got)).await;
    assert_eq!(&got[..received.unwrap().unwrap().0], b"ping");
    let elsewhere = Endpoint {
        address: "192.0.2.7".to_owned(),
        ..endpoint("UDP/IP", "None", port)
    };
    rig.send(1, &elsewhere, b"ping", 0);
    assert!(rig.errors()[0].contains("192.0.2.7"), "{:?}", rig.errors());
}

#[tokio::test]
async fn a_peer_that_does_not_speak_http_is_disconnected_with_an_error() {
    let (mut rig, mut peer, _) = pair(Setup::default(), "HTTP").await;
    peer.write_all(b"SSH-2.0-Rude\r\n\r\n").await.unwrap();
    assert_eq!(rig.disconnected().await, 1);
    assert!(
        rig.errors()[0].contains("no HTTP request"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn shutdown_ends_everything_with_its_events_and_ignores_what_follows() {
    let (mut rig, mut peer, endpoint) = pair(Setup::default(), "None").await;
    rig.send(1, &endpoint, b"late", 60);
    rig.connections.shutdown();
    assert_eq!(rig.disconnected().await, 1);
    tokio::time::timeout(PATIENCE, rig.connections.drained())
        .await
        .unwrap();
    assert_eq!(peer.read(&mut [0; 1]).await.unwrap(), 0);
    rig.connect(2, &endpoint);
    rig.send(1, &endpoint, b"x", 0);
    rig.no_event().await;
    let lines = rig.lines.lock().unwrap();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.0 == LogLevel::Normal));
}

#[tokio::test]
async fn dropping_the_instance_closes_its_sockets() {
    let (rig, mut peer, _) = pair(Setup::default(), "None").await;
    drop(rig.connections);
    let read = tokio::time::timeout(PATIENCE, peer.read(&mut [0; 1])).await;
    assert_eq!(read.unwrap().unwrap(), 0);
}
