//! Tests of requests that are refused, and of bounds.

use super::*;

#[tokio::test]
async fn a_query_that_is_too_long_is_refused() {
    let f = fixture().await;
    let long = format!(
        "/json.htm?type=command&param={}",
        "x".repeat(query::MAX_QUERY)
    );
    assert!(f.get(&long, "").await.starts_with("HTTP/1.1 414"));
}

#[tokio::test]
async fn the_server_ends_when_told_although_a_client_holds_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let f = fixture().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(serve(listener, router(f.api.clone()), shutdown));
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET / HT").unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), serving).await;
    assert!(ended.unwrap().is_ok());
}

#[tokio::test]
async fn a_form_is_a_query_and_as_bounded() {
    let f = fixture().await;
    assert_eq!(
        f.form("type=command&param=getversion").await["status"],
        "OK"
    );
    // The form goes before the query.
    let path = "/json.htm?type=command&param=nonsense";
    let (_, answer) = f.post(path, FORM, "param=getversion").await;
    assert_eq!(answer["title"], "GetVersion");
    let long = format!("type=command&param=getversion&x={}", "x".repeat(MAX_FORM));
    let (status, answer) = f.post("/json.htm", FORM, &long).await;
    assert!(status.contains("413"), "{status}");
    assert_eq!(answer["status"], "ERR");
    let (_, answer) = f
        .post("/json.htm?type=command&param=getversion", "text/plain", "x")
        .await;
    assert_eq!(answer["status"], "OK");
}

#[tokio::test]
async fn a_name_that_anybody_can_have_needs_a_password() {
    let web = r#"users = [{ name = "ann", password = "secret" }]"#;
    let mut f = fixture_with(web).await;
    let config = toml::from_str(web).unwrap();
    f.api.origins = Origins::new(&config, ([0, 0, 0, 0], 80).into());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    f.address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router(f.api.clone()),
        std::future::pending(),
    ));
    let ask = async |host: &str, headers: &str| {
        let path = "/json.htm?type=command&param=getversion";
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        f.raw(request).await
    };
    assert!(ask("hub.lan", "").await.starts_with("HTTP/1.1 200"));
    assert!(ask("evil.example", "").await.starts_with("HTTP/1.1 403"));
    let ann = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
    assert!(
        ask("hub.example.org", ann)
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_log_message_is_one_bounded_line() {
    let f = fixture().await;
    f.command("addlogmessage&message=a%0Ab&level=4").await;
    let line = f.command("getlog").await["result"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(line.ends_with("Error: API (127.0.0.1): a b"), "{line}");
    let long = f
        .command(&format!("addlogmessage&message={}", "x".repeat(1025)))
        .await;
    assert!(message(&long).contains("1024 bytes"));
}

#[tokio::test]
async fn every_command_answers_whatever_it_is_given() {
    let f = fixture().await;
    let junk = [
        "",
        "0",
        "-1",
        "1",
        "1e308",
        "99999999999999999999",
        "a;b|c",
        "%00%F0%9F",
        "2024-13-99T",
    ];
    let names = [
        "idx",
        "devidx",
        "nvalue",
        "svalue",
        "level",
        "switchcmd",
        "color",
        "hex",
        "hue",
        "sat",
        "kelvin",
        "brightness",
        "setpoint",
        "sensor",
        "range",
        "actyear",
        "actmonth",
        "date",
        "used",
        "options",
        "addjvalue",
        "addjvalue2",
        "addjmulti",
        "addjmulti2",
        "groupby",
        "sensorarea",
        "evparam",
        "switchtype",
        "name",
        "extra",
        "htype",
        "vname",
        "vtype",
        "vvalue",
        "ttype",
        "twhen",
        "tvalue",
        "secstatus",
        "Latitude",
        "Longitude",
        "TempUnit",
        "lastlogtime",
        "loglevel",
        "settings",
        "order",
        "filter",
        "rid",
        "hwidx",
        "sensormappedtype",
        "sensorname",
        "subject",
        "body",
    ];
    let device_types = [
        (244, 73),
        (241, 2),
        (242, 1),
        (243, 29),
        (243, 33),
        (250, 1),
        (86, 1),
        (32, 131),
    ];
    for value in junk {
        for (unit, (device_type, sub_type)) in (1..).zip(device_types) {
            let (same, _charge) = f.api.devices.list(f.hardware).await.unwrap();
            if !same.iter().any(|row| row.unit == unit) {
                let device = NewDevice {
                    device_type,
                    sub_type,
                    s_value: "1;2;3;x".to_owned(),
                    ..NewDevice::default()
                };
                f.add(unit, device).await;
            }
        }
        let id = f.api.devices.all().await.unwrap()[0].device.id;
        for command in commands::names() {
            for idx in [value.to_owned(), id.to_string()] {
                let others = names.map(|name| format!("&{name}={value}")).concat();
                let answer = f.command(&format!("{command}{others}&idx={idx}")).await;
                assert!(answer["status"].is_string(), "{command} {value}: {answer}");
            }
        }
    }
    assert_eq!(f.command("getversion").await["status"], "OK");
}

#[tokio::test]
async fn what_a_client_stores_is_bounded() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let long = "x".repeat(20_000);
    for (fields, problem) in [
        (format!("udevice&idx={id}&nvalue=0&svalue={long}"), "8192"),
        (format!("switchlight&idx={id}&switchcmd={long}"), "200"),
        (format!("setused&idx={id}&description={long}"), "4096"),
        (format!("setused&idx={id}&options={long}"), "16384"),
        (
            format!("adduservariable&vname=n&vtype=2&vvalue={long}"),
            "4096",
        ),
        (format!("sendnotification&subject=a&body={long}"), "4096"),
        (
            format!("updatecustomicon&idx=1&name=n&description={long}"),
            "500",
        ),
        (
            format!("addnotification&idx={id}&ttype=8&tmsg={long}"),
            "4096",
        ),
        (
            format!(
                "createdevice&idx={}&sensorname={long}&sensormappedtype=0xF31F",
                f.hardware
            ),
            "200",
        ),
        (format!("storesettings&Title={long}"), "16384"),
    ] {
        let answer = f.form(&format!("type=command&param={fields}")).await;
        assert!(message(&answer).contains(problem), "{answer}");
    }
}
