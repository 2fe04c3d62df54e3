//! Tests of floods from both sides, and of every limit of this module.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Socket buffers of both ends on loopback, as far as the kernel lets them grow.
const KERNEL: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn a_peer_that_floods_is_stopped_when_nobody_takes_its_data() {
    let setup = Setup {
        inbox: 4,
        ..Setup::default()
    };
    let (mut rig, mut peer, _) = pair(setup, "None").await;
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let flood = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        while peer.write_all(&chunk).await.is_ok() {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
        }
    });
    let mut before = usize::MAX;
    while written.load(Ordering::Relaxed) != before {
        before = written.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert!(before < KERNEL, "{before} bytes were taken");
    // At most the inbox and the read that waits have left the kernel.
    let taken = rig.connections.status(1).unwrap().bytes_transferred;
    assert!(taken <= 5 * 4096, "{taken}");
    // The peer goes on as soon as somebody takes its messages, and ends when told to.
    for _ in 0..2000 {
        rig.message().await;
    }
    rig.disconnect(1);
    while !matches!(rig.event().await, ConnectionEvent::Disconnected(1)) {}
    flood.await.unwrap();
}

#[tokio::test]
async fn large_messages_wait_for_the_plugin_even_if_the_inbox_has_room() {
    let setup = Setup {
        inbox: 1000,
        ..Setup::default()
    };
    let bound = setup.limits.buffer_bytes as usize;
    let (mut rig, mut peer, _) = pair(setup, "Line").await;
    let flood = tokio::spawn(async move {
        let mut line = vec![b'x'; bound / 2];
        line.push(b'\r');
        for _ in 0..100 {
            peer.write_all(&line).await.unwrap();
        }
        peer
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let waiting = rig.events.len();
    assert!(
        (1..=2).contains(&waiting),
        "{waiting} messages of half the bound each"
    );
    for _ in 0..100 {
        assert_eq!(rig.message().await.1.len(), bound / 2);
    }
    drop(flood.await.unwrap());
    assert_eq!(rig.disconnected().await, 1);
}

#[tokio::test]
async fn a_disconnect_is_not_held_up_by_a_full_inbox() {
    let setup = Setup {
        inbox: 1,
        ..Setup::default()
    };
    let (mut rig, mut peer, _) = pair(setup, "None").await;
    for _ in 0..4 {
        peer.write_all(b"x").await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.disconnect(1);
    let read = tokio::time::timeout(PATIENCE, peer.read(&mut [0; 1])).await;
    assert_eq!(read.unwrap().unwrap(), 0);
    assert_eq!(rig.message().await.1, b"x");
}

#[tokio::test]
async fn a_plugin_that_floods_a_peer_is_refused_at_the_limit() {
    let (mut rig, peer, endpoint) = pair(Setup::default(), "None").await;
    let chunk = vec![b'x'; 16 * 1024];
    let mut sent = 0;
    while rig.errors().is_empty() {
        rig.send(1, &endpoint, &chunk, 0);
        sent += chunk.len();
        assert!(sent < KERNEL, "{sent} bytes were taken");
        tokio::task::yield_now().await;
    }
    let line = &rig.errors()[0];
    assert!(line.contains("limit connection-buffer"), "{line}");
    assert!(
        line.contains("65536 allowed") && line.contains("--limit connection-buffer=128KiB"),
        "{line}"
    );
    // The peer never reads: the connection ends all the same.
    rig.disconnect(1);
    assert_eq!(rig.disconnected().await, 1);
    drop(peer);
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_the_connection() {
    let (mut rig, mut peer, _) = pair(Setup::default(), "JSON").await;
    peer.write_all(b"{\"a\":\"").await.unwrap();
    // The connection is closed while this is on its way.
    let _ = peer.write_all(&vec![b'x'; 70_000]).await;
    assert_eq!(rig.disconnected().await, 1);
    let line = rig.error_with("limit connection-buffer").await;
    assert!(line.contains("65537 used, 65536 allowed"), "{line}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_with_the_line_that_raises_it() {
    let (_listener, port) = server().await;
    let mut rig = Setup::default().build();
    let endpoint = endpoint("TCP/IP", "None", port);
    for id in 1..=100 {
        rig.connect(id, &endpoint);
    }
    assert_eq!((rig.connections.open(), rig.errors().len()), (8, 92));
    assert!(rig.errors()[0].contains("limit connections: 9 used, 8 allowed"));
    for _ in 0..8 {
        assert_eq!(rig.connected().await.1, 0);
    }
    rig.no_event().await;
}

#[tokio::test]
async fn delayed_messages_beyond_the_limit_are_refused() {
    let (mut rig, _peer, endpoint) = pair(Setup::default(), "None").await;
    for _ in 0..5 {
        rig.send(1, &endpoint, b"x", 60);
    }
    assert_eq!(rig.errors().len(), 1);
    assert!(
        rig.errors()[0].contains("limit timers: 5 used, 4 allowed"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn delayed_bytes_beyond_the_limit_are_refused() {
    let (mut rig, _peer, endpoint) = pair(Setup::default(), "None").await;
    for _ in 0..2 {
        rig.send(1, &endpoint, &vec![b'x'; 40_000], 60);
    }
    assert_eq!(rig.errors().len(), 1);
    assert!(
        rig.errors()[0].contains("limit connection-buffer"),
        "{:?}",
        rig.errors()
    );
}

#[tokio::test]
async fn the_system_holds_no_more_than_may_wait() {
    use crate::connection::context::bound_buffers;
    use socket2::SockRef;

    let (listener, port) = server().await;
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    let stream = stream.unwrap();
    let _peer = listener.accept().await.unwrap();
    let socket = SockRef::from(&stream);
    for bound in [1 << 20, 1024] {
        let limits = ConnectionLimits {
            buffer_bytes: bound,
            ..Setup::default().limits
        };
        bound_buffers(&stream, &limits);
        let most = usize::try_from(bound).unwrap().max(128 << 10);
        for size in [socket.send_buffer_size(), socket.recv_buffer_size()] {
            let size = size.unwrap();
            assert!((100 << 10..=most).contains(&size), "{size} bytes of {most}");
        }
    }
}
