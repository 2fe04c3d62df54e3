//! Listeners: rules 91 to 95.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn listening(protocol: &str) -> (Rig, u16) {
    let port = free_port();
    let mut rig = Setup::listen(port).build();
    rig.listen(1, &endpoint("TCP/IP", protocol, port));
    (rig, port)
}

/// Connects as soon as the listener is there.
async fn client(port: u16) -> TcpStream {
    let connecting = async {
        loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, connecting).await.unwrap()
}

#[tokio::test]
async fn a_client_becomes_a_child_with_the_protocol_of_the_listener_rule_91() {
    let (mut rig, port) = listening("Line").await;
    assert_eq!(rig.flags(1), Some((true, false)), "rule 93");
    let mut peer = client(port).await;
    let own = peer.local_addr().unwrap();
    let child = match rig.event().await {
        ConnectionEvent::Connected {
            id,
            parent: Some(1),
            peer_address,
            peer_port,
            status: 0,
            ..
        } => {
            assert_eq!(
                (peer_address, peer_port),
                (own.ip().to_string(), own.port().to_string())
            );
            id
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(child, FIRST_CHILD);
    assert_eq!(rig.flags(child), Some((false, true)));
    peer.write_all(b"line\r").await.unwrap();
    assert_eq!(rig.message().await, (child, b"line".to_vec()));
    rig.send(child, &Endpoint::default(), b"answer", 0);
    rig.disconnect(child);
    let mut got = String::new();
    peer.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "answer");
    assert_eq!(rig.disconnected().await, child);
    let _second = client(port).await;
    assert_eq!(rig.connected().await.0, FIRST_CHILD + 1);
}

#[tokio::test]
async fn a_child_that_is_released_is_closed_rule_92() {
    let (mut rig, port) = listening("None").await;
    let mut peer = client(port).await;
    let child = rig.connected().await.0;
    rig.connections.carry_out(Request::Release { id: child });
    assert_eq!(peer.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(rig.disconnected().await, child);
}

#[tokio::test]
async fn a_listener_ends_without_its_children_rule_94() {
    let (mut rig, port) = listening("None").await;
    let mut peer = client(port).await;
    let child = rig.connected().await.0;
    rig.disconnect(1);
    assert_eq!(rig.disconnected().await, 1);
    assert_eq!(rig.flags(1), None);
    peer.write_all(b"still here").await.unwrap();
    assert_eq!(rig.message().await, (child, b"still here".to_vec()));
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    // The port can be used again although a child of it is open.
    rig.listen(1, &endpoint("TCP/IP", "None", port));
    let _peer = client(port).await;
    assert_eq!(rig.connected().await.0, child + 1);
}

#[tokio::test]
async fn a_port_in_use_gives_minus_one_rule_95() {
    let (_taken, port) = server().await;
    let mut rig = Setup::listen(port).build();
    rig.listen(1, &endpoint("TCP/IP", "None", port));
    let (id, status, description) = rig.connected().await;
    assert_eq!(
        (id, status, description.as_str()),
        (1, -1, "Address already in use")
    );
    rig.no_event().await;
    assert!(rig.errors().is_empty());
    assert_eq!(rig.lines.lock().unwrap().len(), 1);
    assert_eq!(rig.flags(1), None);
}

#[tokio::test]
async fn a_port_without_grant_is_not_opened() {
    let port = free_port();
    let mut rig = Setup::default().build();
    rig.listen(1, &endpoint("TCP/IP", "None", port));
    assert_eq!(
        rig.connected().await,
        (1, -1, "Permission denied".to_owned())
    );
    assert!(
        rig.errors()[0].contains(&format!("`--listen {port}`")),
        "{:?}",
        rig.errors()
    );
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn transports_that_cannot_listen_are_refused() {
    let mut rig = Setup::default().build();
    for (id, transport) in [(1, "TLS/IP"), (2, "Serial")] {
        rig.listen(id, &endpoint(transport, "None", 1));
    }
    rig.no_event().await;
    assert_eq!(rig.errors().len(), 2);
}

#[tokio::test]
async fn a_client_beyond_the_limit_is_closed_at_once() {
    let port = free_port();
    let mut setup = Setup::listen(port);
    setup.limits.connections = 2;
    let mut rig = setup.build();
    rig.listen(1, &endpoint("TCP/IP", "None", port));
    let first = client(port).await;
    let child = rig.connected().await.0;
    for _ in 0..3 {
        let mut refused = client(port).await;
        let read = tokio::time::timeout(PATIENCE, refused.read(&mut [0; 1])).await;
        assert!(matches!(read.unwrap(), Ok(0) | Err(_)));
    }
    let line = rig.error_with("limit connections").await;
    assert!(
        line.contains("3 used, 2 allowed") && line.contains("`--limit connections=4`"),
        "{line}"
    );
    assert_eq!(rig.errors().len(), 1, "one line for the flood");
    drop(first);
    assert_eq!(rig.disconnected().await, child);
    let _next = client(port).await;
    assert_eq!(rig.connected().await.0, child + 1);
}

#[tokio::test]
async fn a_shutdown_ends_listeners_and_children() {
    let (mut rig, port) = listening("None").await;
    let _peer = client(port).await;
    rig.connected().await;
    rig.connections.shutdown();
    let mut ended = [rig.disconnected().await, rig.disconnected().await];
    ended.sort_unstable();
    assert_eq!(ended, [1, FIRST_CHILD]);
    tokio::time::timeout(PATIENCE, rig.connections.drained())
        .await
        .unwrap();
    assert_eq!(rig.connections.open(), 0);
}

#[tokio::test]
async fn an_http_listener_takes_requests_and_answers_them() {
    let (mut rig, port) = listening("HTTP").await;
    let mut peer = client(port).await;
    peer.write_all(b"POST /hook HTTP/1.1\r\nContent-")
        .await
        .unwrap();
    let child = rig.connected().await.0;
    peer.write_all(b"Length: 2\r\n\r\nhi").await.unwrap();
    match rig.event().await {
        ConnectionEvent::Message {
            data: Inbound::Http(request),
            ..
        } => assert_eq!(request.data.as_deref(), Some(&b"hi"[..])),
        other => panic!("{other:?}"),
    }
    let answer = cordon_protocol::HttpOutbound {
        status: Some("200 OK".to_owned()),
        data: Some(b"done".to_vec()),
        ..Default::default()
    };
    rig.connections.carry_out(Request::Send {
        id: child,
        endpoint: endpoint("TCP/IP", "HTTP", port),
        message: Outbound::Http(answer),
        delay_seconds: 0,
    });
    rig.disconnect(child);
    let mut got = String::new();
    peer.read_to_string(&mut got).await.unwrap();
    assert!(got.starts_with("HTTP/1.1 200 OK\r\nDate: "), "{got}");
    assert!(got.ends_with("Content-Length: 4\r\n\r\ndone"), "{got}");
}
