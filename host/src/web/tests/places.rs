//! Who has to go when there are too many, and requests that outlive their connections.

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

/// Reads to the end; closed or reset, either is one.
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

/// As fire-and-forget clients do it: nobody waits for the answer.
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
    // Half-closed ones are answered.
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
