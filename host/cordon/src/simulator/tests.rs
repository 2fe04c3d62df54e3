//! The simulated devices over loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::time::timeout;

use super::*;

/// Long enough for a busy machine, short enough to fail a hanging test.
const SOON: Duration = Duration::from_secs(20);

async fn devices(listener: SocketAddr) -> Simulators {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let addresses = Addresses {
        thermometer: free,
        weather: free,
        listener,
    };
    start(addresses).await.unwrap()
}

async fn devices_without_listener() -> Simulators {
    devices(SocketAddr::from(([127, 0, 0, 1], 1))).await
}

async fn line(lines: &mut Lines<BufReader<TcpStream>>) -> Option<String> {
    timeout(SOON, lines.next_line()).await.unwrap().unwrap()
}

async fn ask(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 1024];
    stream
        .write_all(b"GET /weather HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    let n = timeout(SOON, stream.read(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer[..n].to_vec()).unwrap()
}

#[tokio::test]
async fn the_thermometer_reports_and_obeys() {
    let devices = devices_without_listener().await;
    let stream = TcpStream::connect(devices.thermometer()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert_eq!(line(&mut lines).await.unwrap(), "HEATER ON");
    assert_eq!(line(&mut lines).await.unwrap(), "TARGET 21.5");
    for _ in 0..2 {
        let reading = line(&mut lines).await.unwrap();
        assert!(
            reading
                .strip_prefix("TEMP ")
                .unwrap()
                .parse::<f64>()
                .unwrap()
                > 15.0
        );
    }
    lines
        .get_mut()
        .write_all(b"SET HEATER OFF\r\nSET NOTHING\r\n")
        .await
        .unwrap();
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let answer = line(&mut lines).await.unwrap();
        if !answer.starts_with("TEMP") {
            answers.push(answer);
        }
    }
    assert_eq!(answers, ["HEATER OFF", "ERR unknown command"]);
}

#[tokio::test]
async fn a_line_without_end_closes_the_connection() {
    let devices = devices_without_listener().await;
    let mut stream = TcpStream::connect(devices.thermometer()).await.unwrap();
    stream.write_all(&[b'x'; 1000]).await.unwrap();
    let mut received = Vec::new();
    // Reset or closed: what was not read may turn the close into a reset.
    let _ = timeout(SOON, stream.read_to_end(&mut received))
        .await
        .unwrap();
    assert!(
        received.len() < 200,
        "the thermometer went on for {} bytes",
        received.len()
    );
}

#[tokio::test]
async fn a_client_over_the_number_waits_for_a_place() {
    let devices = devices_without_listener().await;
    let mut first = Vec::new();
    for _ in 0..CLIENTS {
        let mut lines =
            BufReader::new(TcpStream::connect(devices.thermometer()).await.unwrap()).lines();
        assert!(line(&mut lines).await.is_some());
        first.push(lines);
    }
    let mut late = BufReader::new(TcpStream::connect(devices.thermometer()).await.unwrap()).lines();
    assert!(
        timeout(Duration::from_millis(300), late.next_line())
            .await
            .is_err()
    );
    drop(first.pop());
    assert_eq!(line(&mut late).await.unwrap(), "HEATER ON");
}

#[tokio::test]
async fn the_weather_service_answers_on_one_connection_and_bounds_its_clients() {
    let devices = devices_without_listener().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(devices.weather()).await.unwrap();
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
        clients.push(stream);
    }
    let answer = ask(&mut clients[0]).await;
    assert!(answer.contains("content-type: application/json"));
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(body["wind"]["gust"].as_f64().unwrap() > 0.0);

    let mut late = TcpStream::connect(devices.weather()).await.unwrap();
    assert!(
        timeout(Duration::from_millis(300), ask(&mut late))
            .await
            .is_err()
    );
    drop(clients.pop());
    let mut answer = [0; 12];
    timeout(SOON, late.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn the_sensors_post_to_the_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _devices = devices(listener.local_addr().unwrap()).await;
    let mut paths = Vec::new();
    while paths.len() < 2 {
        let (mut stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert_ne!(
                timeout(SOON, stream.read_buf(&mut request))
                    .await
                    .unwrap()
                    .unwrap(),
                0
            );
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let text = String::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        paths.push(head.lines().next().unwrap().to_owned());
    }
    assert_eq!(paths, ["POST /door HTTP/1.1", "POST /room HTTP/1.1"]);
}

#[tokio::test]
async fn dropping_them_closes_what_they_had_open() {
    let devices = devices_without_listener().await;
    let (thermometer, weather) = (devices.thermometer(), devices.weather());
    let mut lines = BufReader::new(TcpStream::connect(thermometer).await.unwrap()).lines();
    assert!(line(&mut lines).await.is_some());
    let mut http = TcpStream::connect(weather).await.unwrap();
    ask(&mut http).await;
    drop(devices);
    while let Ok(Some(_)) = timeout(SOON, lines.next_line()).await.unwrap() {}
    assert!(matches!(
        timeout(SOON, http.read(&mut [0; 8])).await.unwrap(),
        Ok(0) | Err(_)
    ));
    assert!(TcpStream::connect(thermometer).await.is_err());
    assert!(TcpStream::connect(weather).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = Addresses {
        thermometer: taken.local_addr().unwrap(),
        ..Addresses::default()
    };
    let error = start(addresses).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "simulated thermometer on {}",
            taken.local_addr().unwrap()
        )),
        "{error}"
    );
}
