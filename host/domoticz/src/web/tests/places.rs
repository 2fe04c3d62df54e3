//! Tests of who has to go when there are too many, and of requests that outlive their connections.

use std::net::Shutdown;

use super::*;

/// Opens a connection, sends this, and keeps it.
fn open(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Reads to the end of the connection, closed or reset.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    rest
}

#[tokio::test]
async fn a_slow_client_is_cut_off() {
    let f = start(4, Duration::from_millis(400)).await;
    let address = f.address;
    for text in [
        "",
        "GET /json.htm?type=com",
        "GET / HTTP/1.1\r\nHost: x\r\nX: ",
    ] {
        let slow = tokio::task::spawn_blocking(move || rest(open(address, text)));
        assert!(slow.await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn connections_that_wait_give_way_to_those_that_ask() {
    let f = start(8, Duration::from_secs(20)).await;
    let address = f.address;
    let silent = tokio::task::spawn_blocking(move || {
        let ask = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let body = "POST /json.htm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx";
        let text = |n: usize| ["", "GET / HT", ask, body][n % 4];
        let crowd: Vec<_> = (0..40).map(|n| open(address, text(n))).collect();
        std::thread::sleep(Duration::from_millis(200));
        crowd
    });
    let crowd = silent.await.unwrap();
    for _ in 0..10 {
        assert_eq!(f.command("getversion").await["status"], "OK");
    }
    // The oldest had to go.
    let oldest = crowd.into_iter().next().unwrap();
    let gone = tokio::task::spawn_blocking(move || rest(oldest)).await;
    assert!(gone.unwrap().is_empty());
}

/// Sends as fire-and-forget clients do: nobody waits for the answer.
#[tokio::test]
async fn a_request_that_came_whole_is_carried_out_whatever_the_client_does_next() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let address = f.address;
    let request = format!(
        "GET /json.htm?type=command&param=switchlight&idx={id}&switchcmd=On HTTP/1.1\r\n\
         Host: 127.0.0.1\r\n\r\n"
    );
    let send = request.clone();
    let closing = move || {
        for _ in 0..100 {
            drop(open(address, &send));
        }
    };
    tokio::task::spawn_blocking(closing).await.unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let mut arrived = 0;
    while arrived < 100 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
        arrived += f.events().len();
    }
    assert_eq!(arrived, 100);
    // Half-closed connections are answered.
    let half = move || {
        let stream = open(address, &request);
        stream.shutdown(Shutdown::Write).unwrap();
        String::from_utf8(rest(stream)).unwrap()
    };
    for _ in 0..20 {
        let answer = tokio::task::spawn_blocking(half.clone()).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
    assert_eq!(f.events().len(), 20);
}

#[tokio::test]
async fn a_plugin_that_is_behind_is_asked_again_later() {
    let f = fixture().await;
    let id = f.dimmer().await;
    *f.plugins.refuse.lock().unwrap() = Some(DeliverError::InboxFull);
    let switch = format!("/json.htm?type=command&param=switchlight&idx={id}&switchcmd=On");
    let answer = f.get(&switch, "").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("retry-after: 1") && answer.contains("\"ERR\""),
        "{answer}"
    );
    *f.plugins.refuse.lock().unwrap() = Some(DeliverError::NotRunning);
    assert!(f.get(&switch, "").await.starts_with("HTTP/1.1 200"));
}

/// A slow reader of a large answer, beside a crowd that wants its place.
#[tokio::test]
async fn an_answer_is_not_cut_while_it_is_sent() {
    const LARGE: usize = 16 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // In one piece.
    let large = || async { axum::body::Bytes::from(vec![b'x'; LARGE]) };
    let server = server::Server::new(Router::new().route("/", get(large)));
    let server = server.with_bounds(4, 4, Duration::from_secs(25));
    tokio::spawn(server.serve(listener, std::future::pending()));
    let reads = move || {
        let mut stream = open(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut first = [0; 1000];
        stream.read_exact(&mut first).unwrap();
        let crowd: Vec<_> = (0..20).map(|_| open(address, "")).collect();
        // Longer than a client may take for the head of its next request.
        std::thread::sleep(Duration::from_secs(11));
        let mut answer = first.to_vec();
        let mut piece = vec![0; 1 << 20];
        while answer.len() < LARGE {
            match stream.read(&mut piece) {
                Ok(length @ 1..) => answer.extend(&piece[..length]),
                end => panic!("{end:?} after {} bytes", answer.len()),
            }
        }
        drop(crowd);
    };
    tokio::task::spawn_blocking(reads).await.unwrap();
}

const ANN: &str = "networks = []\nusers = [{ name = 'ann', password = 'secret' }]";
const AS_ANN: &str = "GET /json.htm?type=command&param=getversion HTTP/1.1\r\nHost: 127.0.0.1\r\n\
     Authorization: Basic YW5uOnNlY3JldA==\r\n";

/// Many connections of one address, which send all that works without a password.
fn crowd(address: SocketAddr) -> Vec<TcpStream> {
    let refused = "GET /json.htm?type=command&param=getversion HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let body = "POST /json.htm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx";
    let many = refused.repeat(50);
    let texts = ["", "GET / HT", refused, body, &many];
    let connect = |n: usize| {
        let mut stream = TcpStream::connect(address).unwrap();
        // The server may have given the connection up already.
        let _ = stream.write_all(texts[n % texts.len()].as_bytes());
        stream
    };
    (0..300).map(connect).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_the_clients_own_address_takes_nothing_from_who_has_a_password() {
    let f = fixture_with(ANN).await;
    let address = f.address;
    let attack = move || {
        let mut known = open(address, &format!("{AS_ANN}\r\n"));
        let answer = |stream: &mut TcpStream| {
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece).unwrap();
            String::from_utf8_lossy(&piece[..length]).into_owned()
        };
        assert!(answer(&mut known).starts_with("HTTP/1.1 200"));
        for round in 0..10 {
            let _crowd = crowd(address);
            // A connection with one request is answered.
            let once = open(address, &format!("{AS_ANN}Connection: close\r\n\r\n"));
            let got = String::from_utf8(rest(once)).unwrap();
            assert!(got.starts_with("HTTP/1.1 200"), "new, {round}: {got:?}");
            known.write_all(format!("{AS_ANN}\r\n").as_bytes()).unwrap();
            let got = answer(&mut known);
            assert!(got.starts_with("HTTP/1.1 200"), "known, {round}: {got:?}");
        }
    };
    tokio::task::spawn_blocking(attack).await.unwrap();
}
