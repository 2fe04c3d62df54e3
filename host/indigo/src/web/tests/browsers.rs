//! Tests of requests that a browser sends because of another site's page, or a plugin's.

use super::*;

const CHROME: (&str, &str) = (
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0",
);
/// The password of ann, who may do everything.
const ANN: (&str, &str) = ("Authorization", "Basic YW5uOmEgcGFzczp3b3Jk");

async fn ask(site: &Site, method: &str, path: &str, more: &[(&str, &str)]) -> Got {
    let headers = [&[CHROME], more].concat();
    let body = match path.starts_with("/cordon/") {
        true => json!({"command": "server.getTime"}),
        false => json!({"message": "indigo.server.log", "messageText": "x"}),
    };
    site.send(method, path, &headers, body.to_string().as_bytes())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_browser_adds_gives_no_commands_to_strangers() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let own = format!("http://{}", site.address);
    for path in ["/v2/api/command", "/cordon/indigo/command"] {
        assert_eq!(ask(&site, "POST", path, &[ANN]).await.status, 403, "{path}");
        for origin in ["null", "http://127.0.0.1:1", "http://evil.example"] {
            let got = ask(&site, "POST", path, &[ANN, ("Origin", origin)]).await;
            assert_eq!(got.status, 403, "{path} {origin}");
        }
        for sign in [("Origin", own.as_str()), ("X-Cordon-Client", "panel")] {
            let got = ask(&site, "POST", path, &[ANN, sign]).await;
            assert_eq!(got.status, 200, "{path} {sign:?} {got:?}");
        }
    }
    assert_eq!(
        ask(&site, "GET", "/v2/api/indigo.devices", &[ANN])
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_commands_nothing_with_the_key_of_its_address() {
    let site = site(|_, _| returned(json!("{}"))).await;
    for path in ["/v2/api/command", "/cordon/indigo/command"] {
        let path = format!("{path}?api-key={KEY}");
        let got = ask(&site, "POST", &path, &[("Origin", "null")]).await;
        assert_eq!(got.status, 403, "{path}");
    }
    let look = format!("/v2/api/indigo.devices?api-key={KEY}");
    assert_eq!(
        ask(&site, "GET", &look, &[("Origin", "null")]).await.status,
        403
    );
    assert_eq!(ask(&site, "GET", &look, &[]).await.status, 200);
    // The page's own plugin answers the request.
    let page = format!("/message/{ID}/api?api-key={KEY}");
    assert_eq!(
        ask(&site, "POST", &page, &[("Origin", "null")])
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sits_there_is_asked_before_a_page_is_opened_with_a_password() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let page = format!("/message/{ID}/api/?x=<1>");
    let page = page.replace('<', "%3C").replace('>', "%3E");
    let asked = ask(&site, "GET", &page, &[ANN]).await;
    assert_eq!(asked.status, 403);
    assert!(
        asked.body.contains(&format!("<a href=\"{page}\">")),
        "{asked:?}"
    );
    assert!(
        asked.head.contains("frame-ancestors 'none'"),
        "{}",
        asked.head
    );
    assert!(site.fixture.names().is_empty());
    // The link of the answer, and a page of the plugin itself.
    for from in [page.as_str(), "/message/com.example.fixture/other?y=1"] {
        let from = format!("http://{}{from}", site.address);
        let got = ask(&site, "GET", &page, &[ANN, ("Referer", &from)]).await;
        assert_eq!(got.status, 200, "{from}");
    }
    for from in [
        "http://evil.example/message/com.example.fixture/x".to_owned(),
        format!("http://{}/message/com.example.other/x", site.address),
        format!("http://{}/templates/x.html", site.address),
        format!("http://{}/", site.address),
    ] {
        let got = ask(&site, "GET", &page, &[ANN, ("Referer", &from)]).await;
        assert_eq!(got.status, 403, "{from}");
    }
    assert_eq!(ask(&site, "POST", &page, &[ANN]).await.status, 403);
    let told = &site.fixture.calls()[0].1["args"][0]["props"]["headers"];
    assert_eq!(
        (&told["referer"], &told["cookie"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_sent_to_the_origin_of_pages() {
    let config = IndigoApiConfig {
        same_origin_pages: vec!["com.example.trusted".to_owned()],
        ..config()
    };
    let fixture = Fixture::new(&FILES, |_, _| returned(json!("page"))).await;
    let web = cordon_web::config::WebConfig::default();
    let access = Access::new(&web, REALM);
    let bind = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    };
    let ((listener, address), (pages, place)) = (bind().await, bind().await);
    let origins = Origins::new(&web, address);
    let api = IndigoApi::new(fixture.server.clone(), &config, access, origins);
    let there = pages_router(api.clone());
    let here = router(api.with_pages(PagesOrigin::new(&web, place)));
    tokio::spawn(
        async move { cordon_web::server::serve(pages, there, std::future::pending()).await },
    );
    tokio::spawn(
        async move { cordon_web::server::serve(listener, here, std::future::pending()).await },
    );
    let mut site = Site {
        fixture,
        address,
        budget: Budget::default(),
    };
    let page = format!("/message/{ID}/api?api-key={KEY}");
    for path in [page.as_str(), &format!("/{ID}/public/p.txt")] {
        let got = ask(&site, "GET", path, &[]).await;
        let there = format!("location: http://127.0.0.1:{}{path}", place.port());
        assert!(got.status == 307 && got.head.contains(&there), "{got:?}");
        assert_eq!(site.send("GET", path, &[], b"").await.status, 200, "{path}");
    }
    let trusted = format!("/message/com.example.trusted/api?api-key={KEY}");
    assert_eq!(ask(&site, "GET", &trusted, &[]).await.status, 501);
    let renamed = ask(&site, "GET", &page, &[("Host", "evil.example")]).await;
    assert!(renamed.status != 307, "{renamed:?}");
    site.address = place;
    assert_eq!(ask(&site, "GET", &page, &[]).await.body, "page");
    for path in [
        "/v2/api/command",
        "/v2/api/indigo.devices",
        "/cordon/indigo/plugins",
        "/webhook/x",
    ] {
        let path = format!("{path}?api-key={KEY}");
        assert_eq!(
            site.send("GET", &path, &[], b"").await.status,
            404,
            "{path}"
        );
    }
}
