//! Conversations with servers that know old algorithms only.
#![allow(clippy::unwrap_used, reason = "tests")]

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::SslAcceptor;
use openssl::x509::{X509, X509NameBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn identity() -> (PKey<Private>, X509) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "device").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(86400).unwrap())
        .unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (key, builder.build())
}

/// A server that echoes one line for each client, and its port.
fn server(settings: impl Fn(&mut SslContextBuilder)) -> std::net::SocketAddr {
    let (key, certificate) = identity();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_private_key(&key).unwrap();
    builder.set_certificate(&certificate).unwrap();
    settings(&mut builder);
    let acceptor = builder.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = acceptor.accept(stream.unwrap()) else {
                continue;
            };
            let mut bytes = vec![0; 300_000];
            let mut filled = 0;
            while !bytes[..filled].ends_with(b"\n") {
                let count = stream.read(&mut bytes[filled..]).unwrap();
                if count == 0 {
                    break;
                }
                filled += count;
            }
            let _ = stream.write_all(&bytes[..filled]);
            let _ = stream.shutdown();
        }
    });
    address
}

async fn echoed(address: std::net::SocketAddr, data: &[u8]) -> io::Result<(Vec<u8>, Agreed)> {
    let socket = tokio::net::TcpStream::connect(address).await?;
    let mut stream = LegacyStream::connect("device", socket).await?;
    let agreed = stream.session.agreed().unwrap();
    stream.write_all(data).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok((answer, agreed))
}

#[tokio::test]
async fn old_key_exchanges_ciphers_and_versions_are_spoken() {
    for (ciphers, version, suite) in [
        ("AES128-SHA", SslVersion::TLS1_2, 0x002f),
        ("AES256-GCM-SHA384", SslVersion::TLS1_2, 0x009d),
        ("ECDHE-RSA-AES128-SHA", SslVersion::TLS1_2, 0xc013),
        ("AES128-SHA", SslVersion::TLS1, 0x002f),
    ] {
        let address = server(|builder| {
            builder.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1);
            builder.set_security_level(0);
            builder.set_min_proto_version(Some(version)).unwrap();
            builder.set_max_proto_version(Some(version)).unwrap();
            builder
                .set_cipher_list(&format!("{ciphers}:@SECLEVEL=0"))
                .unwrap();
        });
        let (answer, agreed) = echoed(address, b"hello\n").await.unwrap();
        assert_eq!(answer, b"hello\n", "{ciphers}");
        assert_eq!(agreed.suite, suite, "{ciphers}");
        assert_eq!(agreed.chain.len(), 1);
        let number = if version == SslVersion::TLS1 {
            0x0301
        } else {
            0x0303
        };
        assert_eq!(agreed.version, number);
    }
}

#[tokio::test]
async fn more_than_the_buffers_hold_goes_through() {
    let address = server(|builder| {
        builder
            .set_max_proto_version(Some(SslVersion::TLS1_2))
            .unwrap();
    });
    let mut data = vec![b'x'; 250_000];
    data.push(b'\n');
    let (answer, _) = echoed(address, &data).await.unwrap();
    assert_eq!(answer, data);
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_an_error_with_words() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket
            .write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    };
    let (error, ()) = tokio::join!(echoed(address, b"hello\n"), serve);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("wrong version number"), "{text}");
}

#[test]
fn a_session_takes_no_more_than_it_holds() {
    let mut session = LegacySession::new(None).unwrap();
    assert!(!session.take(1 << 20).is_empty());
    // A record that announces more than has come.
    let mut bytes = vec![22, 3, 3, 0x3f, 0xff];
    bytes.resize(1 << 20, 2);
    let taken = session.feed(&bytes);
    assert!(taken.is_err() || taken.is_ok_and(|taken| taken <= HELD));
    assert_eq!(session.write(b"early").unwrap_or(0), 0);
}

/// A conversation in memory whose hands are shaken, and its server.
fn conversation(settings: impl Fn(&mut SslContextBuilder)) -> (LegacySession, SslStream<Pipe>) {
    let (key, certificate) = identity();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_private_key(&key).unwrap();
    builder.set_certificate(&certificate).unwrap();
    settings(&mut builder);
    let ssl = Ssl::new(builder.build().context()).unwrap();
    let mut server = SslStream::new(ssl, Pipe::default()).unwrap();
    let mut client = LegacySession::new(Some("device")).unwrap();
    let mut accepted = false;
    for _ in 0..10 {
        let sent = client.take(1 << 20);
        server.get_mut().incoming.extend(sent);
        if !accepted {
            match server.accept() {
                Ok(()) => accepted = true,
                Err(error) => assert!(waits(&error), "{error}"),
            }
        }
        deliver(&mut server, &mut client);
    }
    assert!(accepted && client.is_open());
    (client, server)
}

/// Offers what the server has sent for as long as the client takes some; answers how many bytes it
/// took.
fn deliver(server: &mut SslStream<Pipe>, client: &mut LegacySession) -> usize {
    let mut all = 0;
    loop {
        let sent = &mut server.get_mut().outgoing;
        let taken = client.feed(sent).unwrap();
        sent.drain(..taken);
        all += taken;
        if taken == 0 {
            return all;
        }
    }
}

fn only(version: SslVersion) -> impl Fn(&mut SslContextBuilder) {
    move |builder| {
        builder.set_min_proto_version(Some(version)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
    }
}

#[test]
fn bytes_for_a_peer_that_takes_none_are_bounded() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let (mut client, mut server) = conversation(only(version));
        let mut accepted = 0;
        loop {
            match client.write(&[b'x'; 100_000]).unwrap() {
                0 => break,
                count => accepted += count,
            }
            assert!(accepted < 10 * OUTGOING, "it never ends");
        }
        let held = client.stream.get_ref().outgoing.len();
        assert!(
            (OUTGOING..OUTGOING + RECORD + 1024).contains(&held),
            "{held}"
        );
        // Such a peer is not read either, so it cannot have answers made.
        server.ssl_write(b"more").unwrap();
        assert_eq!((client.room(), deliver(&mut server, &mut client)), (0, 0));
        assert_eq!(client.take(1 << 20).len(), held);
        assert!(client.write(b"more").unwrap() > 0);
        assert!(deliver(&mut server, &mut client) > 0);
        assert_eq!(client.read(100), b"more");
    }
}

#[test]
fn bytes_that_nobody_reads_are_bounded() {
    let (mut client, mut server) = conversation(only(SslVersion::TLS1_2));
    for _ in 0..40 {
        server.ssl_write(&[b'y'; RECORD]).unwrap();
    }
    let taken = deliver(&mut server, &mut client);
    assert!(taken <= INCOMING + 4096 + RECORD + HELD, "{taken}");
    assert!(client.waiting() < INCOMING + 4096, "{}", client.waiting());
    assert!(client.stream.get_ref().incoming.len() <= HELD);
    // Nothing of it is lost.
    let mut read = 0;
    while read < 40 * RECORD {
        let piece = client.read(1 << 20).len();
        assert!(piece > 0 || deliver(&mut server, &mut client) > 0, "{read}");
        read += piece;
    }
    assert_eq!((read, client.waiting()), (40 * RECORD, 0));
}

/// A server may offer to take a session up again as often as it likes: the hub keeps none.
#[test]
fn sessions_that_a_server_offers_are_not_kept() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let (client, _server) = conversation(|builder| {
            only(version)(builder);
            builder.clear_options(SslOptions::NO_TICKET);
            builder.set_num_tickets(200).unwrap();
        });
        assert_eq!(client.waiting(), 0);
        assert!(client.stream.get_ref().incoming.is_empty());
        assert!(!client.stream.ssl().session_reused());
    }
    let mut ours = settings().unwrap();
    assert!(ours.options().contains(SslOptions::NO_TICKET));
    let before = ours.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    assert!(before == SslSessionCacheMode::OFF);
}
