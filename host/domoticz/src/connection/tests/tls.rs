//! TLS connections: rules 101, 102 and 104.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::*;

fn acceptor() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["somebody.else".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Echoes each line; closes without TLS goodbye.
async fn echo_server() -> u16 {
    let (listener, port) = server().await;
    let acceptor = acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut buffer = [0; 1024];
                let count = stream.read(&mut buffer).await.unwrap_or(0);
                let _ = stream.write_all(&buffer[..count]).await;
                let _ = stream.flush().await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_self_signed_certificate_of_another_host_is_accepted_rules_101_and_104() {
    let port = echo_server().await;
    let mut rig = Setup::default().build();
    for (id, transport, protocol) in [(1, "TLS/IP", "None"), (2, "TCP/IP", "HTTPS")] {
        let endpoint = endpoint(transport, protocol, port);
        rig.connect(id, &endpoint);
        assert_eq!(rig.connected().await, (id, 0, "Success".to_owned()));
        assert_eq!(rig.flags(id), Some((false, true)));
        if protocol == "None" {
            rig.send(id, &endpoint, b"secret", 0);
            assert_eq!(rig.message().await, (id, b"secret".to_vec()));
        } else {
            rig.disconnect(id);
        }
        assert_eq!(rig.disconnected().await, id);
    }
    assert!(rig.errors().is_empty(), "{:?}", rig.errors());
}

#[tokio::test]
async fn verification_refuses_it_when_the_operator_wants_that() {
    let port = echo_server().await;
    let mut rig = Setup {
        verify: true,
        ..Setup::default()
    }
    .build();
    rig.connect(1, &endpoint("TLS/IP", "None", port));
    let (_, status, description) = rig.connected().await;
    assert_eq!(status, 71);
    assert!(description.contains("certificate"), "{description}");
    assert_eq!(rig.disconnected().await, 1);
}

#[tokio::test]
async fn a_server_without_tls_gives_a_status_and_a_disconnect_rule_102() {
    let (listener, port) = server().await;
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"220 this is a mail server\r\n")
            .await
            .unwrap();
        let _ = peer.read_to_end(&mut Vec::new()).await;
    });
    let mut rig = Setup::default().build();
    rig.connect(1, &endpoint("TLS/IP", "None", port));
    let (_, status, description) = rig.connected().await;
    assert_eq!(status, 71);
    assert!(
        description.starts_with("TLS handshake failed"),
        "{description}"
    );
    assert_eq!(rig.disconnected().await, 1);
    let lines = rig.lines.lock().unwrap();
    assert_eq!((lines[0].0, lines[0].1), (LogLevel::Error, LogOrigin::Core));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (_listener, port) = server().await;
    let mut setup = Setup::default();
    setup.limits.handshake_timeout = Duration::from_millis(100);
    let mut rig = setup.build();
    rig.connect(1, &endpoint("TLS/IP", "None", port));
    assert_eq!(rig.connected().await.1, 110);
    assert_eq!(rig.disconnected().await, 1);
}

#[tokio::test]
async fn a_disconnect_while_connecting_gives_125() {
    let (listener, port) = server().await;
    let mut rig = Setup::default().build();
    rig.connect(1, &endpoint("TLS/IP", "None", port));
    let _silent = listener.accept().await.unwrap();
    assert_eq!(rig.flags(1), Some((true, false)));
    rig.disconnect(1);
    assert_eq!(
        rig.connected().await,
        (1, 125, "Operation canceled".to_owned())
    );
    assert_eq!(rig.disconnected().await, 1);
}
