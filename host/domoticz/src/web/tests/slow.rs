//! Tests of clients that ask for much and read it slowly: nothing is made before it is read.

use socket2::{Domain, Socket, Type};

use super::*;

/// Sends a request over a connection that takes little at a time, and waits until it is
/// full.
async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let host = format!("Host: {address}\r\nConnection: close\r\n");
    let request = format!("GET {path} HTTP/1.1\r\n{host}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stream
}

async fn read(mut stream: TcpStream) -> String {
    let read = move || {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Makes rows of devices whose names are long; returns their ids.
async fn long_names(f: &Fixture) -> Vec<i64> {
    let limits = DeviceLimits {
        stored_bytes: 64 << 20,
        ..PLENTY
    };
    let mut ids = Vec::new();
    for unit in 1..=150 {
        let device = NewDevice {
            name: format!("N{unit} {}", "<".repeat(60_000)),
            device_type: 243,
            sub_type: 19,
            unit,
            used: 1,
            ..NewDevice::default()
        };
        let made = f.api.devices.create(f.hardware, device, limits).await;
        ids.push(made.unwrap().id);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_made_while_they_are_read() {
    for path in [
        "/json.htm?type=command&param=devices_list",
        "/json.htm?type=command&param=getdevices",
    ] {
        let f = fixture().await;
        let ids = long_names(&f).await;
        let whole = f.get(path, "").await;
        assert!(whole.contains("N1 <<<") && whole.contains("N9 <<<"));
        let slow = ask(f.address, path).await;
        for id in ids {
            f.api.devices.remove(id).await.unwrap();
        }
        let late = read(slow).await;
        assert!(late.starts_with("HTTP/1.1 200"), "{}", late.len());
        // The answer began with the rows at that time, and has none of those that are gone.
        let (late, whole) = (late.matches(" <<<").count(), whole.matches(" <<<").count());
        assert!(0 < late && late < whole, "{path}: {late} of {whole}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_read_hold_bounded_room_and_give_it_back() {
    let f = start(64, Duration::from_secs(20)).await;
    long_names(&f).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        for path in ["/json.htm?type=command&param=devices_list", "/"] {
            let stream = TcpStream::connect(f.address).unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", f.address);
            (&stream).write_all(request.as_bytes()).unwrap();
            slow.push(stream);
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(f.api.budget.used() < 33 << 20, "{}", f.api.budget.used());
    // A client that reads has its answer in the meantime.
    assert_eq!(f.command("getversion").await["status"], "OK");
    drop(slow);
    let give_up = Instant::now() + Duration::from_secs(10);
    while f.api.budget.used() > 0 && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(f.api.budget.used(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_a_client_is_told_to_come_back() {
    let mut f = fixture().await;
    long_names(&f).await;
    f.api.budget = Budget::of(768 << 10);
    // Everybody takes what the others leave, until a piece has no room.
    let mut held = Vec::new();
    for n in 0..9 {
        let share = f.api.budget.share(Ipv4Addr::new(10, 0, 0, n).into());
        while let Ok(room) = share.take_now(1 << 10) {
            held.push(room);
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    f.address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router(f.api.clone()),
        std::future::pending(),
    ));
    let refused = f.get("/json.htm?type=command&param=devices_list", "").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 1"));
    assert_eq!(f.command("getversion").await["status"], "OK");
}

#[tokio::test]
async fn a_client_that_floods_the_log_is_told_and_the_hub_is_still_heard() {
    let f = fixture().await;
    f.api.log.record(None, LogLevel::Status, "ready");
    let mut refused = 0;
    for _ in 0..300 {
        let answer = f.command("addlogmessage&message=flood").await;
        refused += usize::from(answer["status"] == "ERR");
    }
    assert!(refused > 0);
    f.api.log.record(None, LogLevel::Error, "news");
    let log = f.command("getlog").await.to_string();
    assert!(log.contains("ready") && log.contains("news") && log.contains("flood"));
}
