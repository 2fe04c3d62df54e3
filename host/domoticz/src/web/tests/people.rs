//! Tests of users and their rights, and of variables, notifications and icons that people keep.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

const USERS: &str = r#"
networks = []
users = [
    { name = "ann", password = "secret" },
    { name = "kid", password = "toy", rights = "user" },
    { name = "tv", password = "screen", rights = "viewer" },
]"#;

fn basic(user: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(user))
}

#[tokio::test]
async fn users_log_in_and_may_what_their_rights_are() {
    let f = fixture_with(USERS).await;
    let id = f.dimmer().await;
    let ask = async |command: &str, headers: &str| {
        let path = format!("/json.htm?type=command&param={command}");
        f.get(&path, headers).await
    };
    let nobody = ask("getversion", "").await;
    assert!(
        nobody.starts_with("HTTP/1.1 401") && nobody.contains("Basic realm"),
        "{nobody}"
    );
    for path in ["/", "/templates/x.html", "/images/x.png"] {
        assert!(f.get(path, "").await.starts_with("HTTP/1.1 401"), "{path}");
    }
    let (status, _) = f.post("/uploadcustomicon", "application/zip", "PK").await;
    assert!(status.contains("401"), "{status}");
    let auth = ask("getauth", &basic("kid:toy")).await;
    assert!(
        auth.contains("\"rights\":1") && auth.contains("\"user\":\"kid\""),
        "{auth}"
    );
    let may =
        async |user: &str, command: &str| !ask(command, &basic(user)).await.contains("no right");
    let switch = format!("switchlight&idx={id}&switchcmd=On");
    let rename = format!("renamedevice&idx={id}&name=n");
    assert!(may("tv:screen", "getdevices").await && !may("tv:screen", &switch).await);
    assert!(may("kid:toy", &switch).await && !may("kid:toy", &rename).await);
    assert!(may("ann:secret", &rename).await);
    // The form of a device is an admin's, the set point in it a user's.
    let heat = NewDevice {
        device_type: 242,
        sub_type: 1,
        ..NewDevice::default()
    };
    let heat = format!("setused&idx={}&used=true", f.add(2, heat).await);
    let warmer = format!("{heat}&setpoint=21");
    assert!(may("kid:toy", &warmer).await && !may("kid:toy", &heat).await);
    assert!(!may("tv:screen", &warmer).await);
    let users = ask("getusers", &basic("ann:secret")).await;
    assert!(
        users.contains("\"kid\"") && !users.contains("toy"),
        "{users}"
    );
    // User and password as parameters, in base64 or as an MD5.
    let login = "logincheck&username=YW5u&password=5ebe2294ecd0e0f08eab7690d2a6ee69";
    let login = ask(login, "").await;
    assert!(
        login.contains("\"status\":\"OK\"") && login.contains("\"rights\":2"),
        "{login}"
    );
    // An app and its library both put the text into percent codes.
    let twice = "logincheck&username=a2lk&password=dG95";
    assert!(ask(twice, "").await.contains("\"rights\":1"));
    let twice = "logincheck&username=WVc1dQ%253D%253D&password=5ebe2294ecd0e0f08eab7690d2a6ee69";
    let twice = ask(twice, "").await;
    assert!(twice.contains("\"rights\":2"), "{twice}");
    assert!(
        ask("getversion&username=YW5u&password=c2VjcmV0", "")
            .await
            .starts_with("HTTP/1.1 200")
    );
    for _ in 0..5 {
        assert!(
            ask("getversion", &basic("ann:guess"))
                .await
                .starts_with("HTTP/1.1 401")
        );
    }
    assert!(
        ask("getversion", &basic("ann:secret"))
            .await
            .starts_with("HTTP/1.1 429")
    );
    let lines = f.api.log.tail(None, 100);
    let lines: Vec<_> = lines.iter().map(|it| it.message()).collect();
    let refused = "Warning: login of user \"ann\" from 127.0.0.1 refused (HTTP Basic): ";
    assert!(
        lines.iter().all(|line| line.starts_with(refused)),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 6);
    assert!(lines[5].ends_with("locked out for a minute after too many wrong passwords"));
}

#[tokio::test]
async fn variables_are_kept_as_texts() {
    let f = fixture().await;
    let add = f.command("adduservariable&vname=n&vtype=0&vvalue=5").await;
    assert_eq!(add["status"], "OK");
    let row = rows(&f.command("getuservariables").await)[0].clone();
    let idx = row["idx"].as_str().unwrap().to_owned();
    assert_eq!(
        (&row["Name"], &row["Type"], &row["Value"]),
        (&"n".into(), &"0".into(), &"5".into())
    );
    assert!(
        message(&f.command("adduservariable&vname=n&vtype=0&vvalue=5").await).contains("already")
    );
    let update = format!("updateuservariable&idx={idx}&vname=m&vtype=2&vvalue=a%20b");
    assert_eq!(f.command(&update).await["status"], "OK");
    let one = f.command(&format!("getuservariable&idx={idx}")).await;
    assert_eq!(one["result"][0]["Value"], "a b");
    let bad = f
        .command(&format!(
            "updateuservariable&idx={idx}&vname=m&vtype=3&vvalue=today"
        ))
        .await;
    assert!(message(&bad).contains("DD/MM/YYYY"));
    assert!(
        message(&f.command("adduservariable&vname=x&vtype=9&vvalue=").await).contains("`vtype`")
    );
    f.command(&format!("deleteuservariable&idx={idx}")).await;
    assert!(rows(&f.command("getuservariables").await).is_empty());
}

#[tokio::test]
async fn notifications_have_rules_and_reach_plugins_that_take_them() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let types = rows(&f.command(&format!("getnotificationtypes&idx={id}")).await);
    let letters: Vec<_> = types
        .iter()
        .map(|row| row["ptag"].as_str().unwrap())
        .collect();
    assert_eq!(letters, ["S", "O"]);
    let add =
        format!("addnotification&idx={id}&ttype=8&tmsg=Lit&tpriority=1&tsendalways=true&tsystems=");
    assert_eq!(f.command(&add).await["status"], "OK");
    let rule = rows(&f.json(&format!("type=notifications&idx={id}")).await)[0].clone();
    assert_eq!(
        (&rule["Params"], &rule["CustomMessage"], &rule["Priority"]),
        (&"S".into(), &"Lit".into(), &1.into())
    );
    let nobody = f.command("sendnotification&subject=a&body=b").await;
    assert!(message(&nobody).contains("no plugin takes"));
    f.api.house.notifiers().register(f.hardware, "kodi");
    assert_eq!(
        f.command("sendnotification&subject=a&body=b&subsystem=kodi")
            .await["status"],
        "OK"
    );
    let events = f.events();
    assert!(
        matches!(&events[..], [(_, HubEvent::Notification(it))] if it.subject == "a" && it.text == "b")
    );
    f.command(&format!("udevice&idx={id}&nvalue=1&svalue="))
        .await;
    let told = f.events().into_iter().any(|(_, event)| {
        matches!(event, HubEvent::Notification(it) if it.text == "Lit" && it.status == "On")
    });
    assert!(told, "the rule made no notification");
    let idx = rule["idx"].as_i64().unwrap();
    let update = format!("updatenotification&idx={idx}&devidx={id}&ttype=17&tmsg=Dark");
    assert_eq!(f.command(&update).await["status"], "OK");
    assert_eq!(
        rows(&f.command(&format!("getnotifications&idx={id}")).await)[0]["Params"],
        "O"
    );
    assert!(
        message(
            &f.command(&format!(
                "addnotification&idx={id}&ttype=0&twhen=9&tvalue=1"
            ))
            .await
        )
        .contains("`twhen`")
    );
    f.command(&format!("deletenotification&idx={idx}")).await;
    assert!(
        message(&f.command(&format!("deletenotification&idx={idx}")).await)
            .contains("no notification")
    );
    f.command(&add).await;
    f.command(&format!("clearnotifications&idx={id}")).await;
    assert!(rows(&f.command(&format!("getnotifications&idx={id}")).await).is_empty());
}

/// A zip file with one icon set.
fn icons() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let png = b"\x89PNG\r\n\x1a\npicture";
    let files: [(&str, &[u8]); 4] = [
        ("icons.txt", b"Boiler;Boiler;A boiler"),
        ("Boiler.png", png),
        ("Boiler48_On.png", png),
        ("Boiler48_Off.png", png),
    ];
    for (name, content) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

impl Fixture {
    async fn upload(&self, file: Vec<u8>) -> String {
        let address = self.address;
        let sent = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let head = format!(
                "POST /uploadcustomicon HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
                 Content-Type: application/zip\r\nContent-Length: {}\r\n\r\n",
                file.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            // A server that has refused it already may have closed.
            let _ = stream.write_all(&file);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        });
        sent.await.unwrap()
    }
}

#[tokio::test]
async fn icons_are_uploaded_shown_and_deleted() {
    let f = fixture().await;
    assert!(f.upload(icons()).await.contains("\"status\":\"OK\""));
    let set = rows(&f.command("getcustomiconset").await)[0].clone();
    assert_eq!(
        (&set["Title"], &set["IconFile48On"]),
        (&"Boiler".into(), &"images/Boiler48_On.png".into())
    );
    let picture = f.get_bytes("/images/Boiler48_On.png").await;
    assert!(picture.ends_with(b"\x89PNG\r\n\x1a\npicture"));
    assert!(picture.starts_with(b"HTTP/1.1 200"));
    for missing in [
        "/images/Boiler49.png",
        "/images/..%2Fcordon.db",
        "/images/Boiler48_On.svg",
    ] {
        assert!(
            f.get(missing, "").await.starts_with("HTTP/1.1 404"),
            "{missing}"
        );
    }
    let choices = rows(&f.command("custom_light_icons").await);
    assert_eq!(choices.last().unwrap()["imageSrc"], "Boiler");
    let idx = set["idx"].as_str().unwrap().to_owned();
    f.command(&format!(
        "updatecustomicon&idx={idx}&name=Kettle&description=x"
    ))
    .await;
    assert_eq!(
        rows(&f.command("getcustomiconset").await)[0]["Title"],
        "Kettle"
    );
    assert_eq!(
        f.command(&format!("deletecustomicon&idx={idx}")).await["status"],
        "OK"
    );
    assert!(rows(&f.command("getcustomiconset").await).is_empty());
    assert!(
        f.upload(b"no zip".to_vec())
            .await
            .contains("\"status\":\"ERR\"")
    );
}

#[tokio::test]
async fn an_upload_is_bounded_and_the_hub_goes_on() {
    let f = fixture().await;
    let answer = f.upload(vec![0; MAX_UPLOAD + 1]).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );
    assert_eq!(f.command("getversion").await["status"], "OK");
}
