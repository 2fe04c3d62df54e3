//! UDP and ICMP: rules 96 to 98, spec 6.6 and 6.7.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::*;

impl Rig {
    async fn datagram(&mut self) -> (ConnectionId, SocketAddr, Inbound) {
        match self.event().await {
            ConnectionEvent::Message {
                id,
                sender: Some(sender),
                data,
                ..
            } => (id, sender, data),
            other => panic!("no datagram: {other:?}"),
        }
    }

    async fn listening(&self, id: ConnectionId) {
        let open = async {
            while self.flags(id) != Some((false, true)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, open).await.expect("open");
    }
}

async fn peer() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

fn grants(listen: u16) -> Setup {
    Setup {
        grants: format!("listen = [{listen}]"),
        ..Setup::default()
    }
}

#[tokio::test]
async fn a_datagram_comes_with_its_sender_who_may_be_answered_rules_96_97_98() {
    let (free, port) = peer().await;
    drop(free);
    let mut rig = grants(port).build();
    let listener = endpoint("UDP/IP", "Line", port);
    rig.listen(1, &listener);
    rig.listening(1).await;
    let (socket, from) = peer().await;
    socket.send_to(b"a\rb", ("127.0.0.1", port)).await.unwrap();
    let (id, sender, data) = rig.datagram().await;
    assert_eq!((id, sender.port()), (1, from));
    assert_eq!(data, Inbound::Bytes(b"a".to_vec()));
    // The rest of the first datagram is no part of the second.
    socket.send_to(b"c\r", ("127.0.0.1", port)).await.unwrap();
    assert_eq!(rig.datagram().await.2, Inbound::Bytes(b"c".to_vec()));
    assert_eq!(rig.connections.status(1).unwrap().bytes_transferred, 5);
    rig.send(1, &listener, b"x", 0);
    assert!(rig.errors()[0].contains("listens for datagrams"));
    // No grant names the sender.
    rig.send(2, &endpoint("UDP/IP", "Line", from), b"r", 0);
    let mut got = [0; 8];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut got)).await;
    assert_eq!(&got[..received.unwrap().unwrap().0], b"r");
    let (_stranger, elsewhere) = peer().await;
    rig.send(3, &endpoint("UDP/IP", "Line", elsewhere), b"r", 0);
    assert!(rig.errors()[1].contains("denied"), "{:?}", rig.errors());
    rig.disconnect(1);
    rig.no_event().await;
    assert_eq!(rig.connections.open(), 0);
}

#[tokio::test]
async fn a_listener_for_datagrams_that_fails_says_so_with_minus_one() {
    let taken = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut rig = grants(port).build();
    rig.listen(1, &endpoint("UDP/IP", "None", port));
    let expected = (1, -1, "Address already in use".to_owned());
    assert_eq!(rig.connected().await, expected);
    rig.listen(2, &endpoint("UDP/IP", "None", 1));
    assert_eq!(rig.connected().await.1, -1);
    rig.error_with("`--listen 1`").await;
    let group = Endpoint {
        address: "239.1.2.3".to_owned(),
        ..endpoint("UDP/IP", "None", port)
    };
    rig.listen(3, &group);
    assert_eq!(rig.connected().await.1, -1);
    rig.error_with(&format!("`--network 239.1.2.3:{port}`"))
        .await;
}

#[tokio::test]
async fn who_may_be_answered_is_bounded() {
    let senders = super::super::udp::Senders::default();
    for port in 1..=1000 {
        senders.note(SocketAddr::from(([10, 0, 0, 1], port)));
    }
    let known = (1..=1000).filter(|port| {
        let sender = SocketAddr::from(([10, 0, 0, 1], *port));
        senders.may_be_answered(sender)
    });
    assert_eq!(
        known.collect::<Vec<u16>>(),
        (937..=1000).collect::<Vec<u16>>()
    );
}

#[tokio::test]
async fn an_echo_request_needs_a_grant() {
    let mut rig = Setup::default().build();
    let host = endpoint("ICMP/IP", "ICMP", 1);
    rig.listen(1, &host);
    let expected = (1, -1, "Permission denied".to_owned());
    assert_eq!(rig.connected().await, expected);
    rig.error_with("`--icmp 127.0.0.1`").await;
    rig.no_event().await;
    rig.send(2, &host, b"x", 0);
    rig.error_with("it is not connected").await;
}

#[tokio::test]
async fn an_unknown_host_of_echo_requests_is_a_disconnect_alone() {
    let mut rig = Setup {
        grants: "icmp = [\"name.invalid\"]".to_owned(),
        ..Setup::default()
    }
    .build();
    let host = Endpoint {
        address: "name.invalid".to_owned(),
        ..endpoint("ICMP/IP", "ICMP", 1)
    };
    rig.listen(1, &host);
    assert_eq!(rig.disconnected().await, 1);
    rig.no_event().await;
}
