//! Tests of questions about the hub itself.

use super::*;

#[tokio::test]
async fn getversion_names_the_version() {
    let f = fixture().await;
    let answer = f.command("getversion").await;
    assert_eq!(answer["status"], "OK");
    assert_eq!(answer["title"], "GetVersion");
    assert_eq!(answer["version"], "2025.1");
}

#[tokio::test]
async fn getlog_gives_every_line_to_a_client_that_follows() {
    let f = fixture().await;
    f.api.log.record(Some("HW"), LogLevel::Status, "first");
    f.api.log.record(None, LogLevel::Error, "bad");
    let all = f.command("getlog&lastlogtime=0&loglevel=268435455").await;
    assert_eq!(all["result"].as_array().unwrap().len(), 2);
    assert!(
        all["result"][0]["message"]
            .as_str()
            .unwrap()
            .ends_with("  Status: HW: first")
    );
    assert_eq!(all["result"][0]["level"], 2);
    let errors = f.command("getlog&loglevel=4").await;
    assert_eq!(errors["result"].as_array().unwrap().len(), 1);
    let mut last = all["LastLogTime"].as_str().unwrap().to_owned();
    f.api.log.record(None, LogLevel::Normal, "second");
    let mut seen = String::new();
    let give_up = Instant::now() + Duration::from_secs(10);
    while !seen.contains("second") && Instant::now() < give_up {
        let next = f.command(&format!("getlog&lastlogtime={last}")).await;
        seen.push_str(&next.to_string());
        last = next["LastLogTime"].as_str().unwrap().to_owned();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(seen.matches("second").count(), 1, "{seen}");
}

#[tokio::test]
async fn gethardware_lists_plugins_with_their_state() {
    let f = fixture().await;
    let row = f.json("type=hardware").await["result"][0].clone();
    assert_eq!(row["idx"], f.hardware.to_string());
    assert_eq!(
        (&row["Extra"], &row["State"]),
        (&Value::from("K"), &Value::from("running"))
    );
}

#[tokio::test]
async fn what_is_unknown_is_answered_with_err_alone() {
    let f = fixture().await;
    for query in [
        "type=command&param=nonsense",
        "type=nonsense",
        "",
        "param=",
        "type=command",
    ] {
        let answer = f.json(query).await;
        assert_eq!(answer, serde_json::json!({"status": "ERR"}), "{query}");
    }
    assert!(f.get("/other", "").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_page_shows_plugins_and_devices_escaped() {
    let f = fixture().await;
    let id = f.dimmer().await;
    f.api
        .devices
        .rename(id, "<script>alert(1)</script>".to_owned())
        .await
        .unwrap();
    let page = f.get("/", "").await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"));
    assert!(page.contains("<b>running</b> &lt;since&gt; 10:00"));
    assert!(
        page.to_lowercase()
            .contains("content-security-policy: default-src 'none'")
    );
}
