//! Tests of the requests that a browser may send, whoever made it ask.

use super::*;

const CHROME: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0\r\n";

/// Whether the answer is this status.
fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

#[tokio::test]
async fn other_sites_and_foreign_names_are_refused() {
    let f = fixture().await;
    let path = "/json.htm?type=command&param=getversion";
    let refused = async |headers: &str| is(&f.get(path, headers).await, 403);
    assert!(refused("Sec-Fetch-Site: cross-site\r\n").await);
    assert!(refused("Sec-Fetch-Site: same-site\r\n").await);
    assert!(refused("Origin: http://evil.example\r\n").await);
    assert!(refused("Origin: http://127.0.0.1:1\r\n").await);
    assert!(!refused(&format!("Origin: http://{}\r\n", f.address)).await);
    let foreign =
        format!("GET {path} HTTP/1.1\r\nHost: evil.example:8080\r\nConnection: close\r\n\r\n");
    assert!(is(&f.raw(foreign).await, 403));
}

/// Every command that changes something, by a browser without a sign of who made it.
#[tokio::test]
async fn a_browser_gives_no_command_by_an_address_alone() {
    let f = fixture().await;
    let id = f.dimmer().await;
    let switch = format!("/json.htm?type=command&param=switchlight&idx={id}&switchcmd=On");
    assert!(is(&f.get(&switch, CHROME).await, 403));
    let older = format!("/json.htm?type=setused&idx={id}&used=false");
    assert!(is(&f.get(&older, CHROME).await, 403));
    assert!(f.events().is_empty());
    for command in commands::names() {
        let path = format!("/json.htm?type=command&param={command}");
        let answer = f.get(&path, CHROME).await;
        let looks = command.starts_with("get") || is(&answer, 200);
        let query = Query::of(&[("type", "command"), ("param", command)]);
        assert_eq!(
            looks,
            commands::act_of(&query) == origin::Act::Look,
            "{command}"
        );
        assert!(
            is(&answer, if looks { 200 } else { 403 }),
            "{command}: {answer}"
        );
    }
    // A program does, and a browser's page of this origin, by POST.
    assert!(is(
        &f.get(&switch, "User-Agent: okhttp/4.12.0\r\n").await,
        200
    ));
    assert!(is(
        &f.get(&switch, &format!("{CHROME}X-Cordon-Client: panel\r\n"))
            .await,
        200
    ));
    let own = format!("{CHROME}Origin: http://{}\r\n", f.address);
    assert!(is(&f.get(&switch, &own).await, 403));
    let post = |headers: &str| {
        let head = format!(
            "POST {switch} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            f.address
        );
        f.raw(format!("{head}{headers}Content-Length: 0\r\n\r\n"))
    };
    assert!(is(&post(&own).await, 200));
    assert!(is(&post(CHROME).await, 403));
    assert!(is(&post(&format!("{CHROME}Origin: null\r\n")).await, 403));
    assert_eq!(f.events().len(), 3);
}

#[tokio::test]
async fn icons_are_not_uploaded_by_other_sites() {
    let f = fixture().await;
    let head = format!(
        "POST /uploadcustomicon HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{CHROME}",
        f.address
    );
    let upload = |headers: &str| f.raw(format!("{head}{headers}Content-Length: 1\r\n\r\nx"));
    assert!(is(&upload("").await, 403));
    assert!(is(&upload("Origin: null\r\n").await, 403));
    let own = format!("Origin: http://{}\r\n", f.address);
    assert!(!is(&upload(&own).await, 403));
}

#[tokio::test]
async fn a_page_of_a_plugin_is_shown_and_can_reach_nothing() {
    let f = fixture().await;
    let folder = f._folder.path().join("pages/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Mine.html"), "<p>mine</p>").unwrap();
    let page = f.get("/templates/Mine.html", "").await;
    assert!(page.ends_with("<p>mine</p>"), "{page}");
    let lower = page.to_lowercase();
    assert!(lower.contains("content-security-policy: sandbox allow-scripts; default-src 'none'"));
    // Requests of such a page come from an origin of its own.
    let path = "/json.htm?type=command&param=getversion";
    assert!(
        f.get(path, "Origin: null\r\n")
            .await
            .starts_with("HTTP/1.1 403")
    );
    assert!(
        f.get("/", "")
            .await
            .contains("href=\"templates/Mine.html\"")
    );
    assert_eq!(
        f.command("getconfig").await["result"]["templates"][0],
        "Mine"
    );
    for path in [
        "/templates/../cordon.db",
        "/templates/%2e%2e%2fcordon.db",
        "/templates/",
        "/templates/x.html",
    ] {
        assert!(f.get(path, "").await.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test]
async fn browsers_find_pages_of_plugins_on_an_origin_of_their_own() {
    let mut f = fixture().await;
    let folder = f._folder.path().join("pages/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Mine.html"), "<p>mine</p>").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pages = listener.local_addr().unwrap();
    let there = pages_router(f.api.clone());
    tokio::spawn(serve(listener, there, std::future::pending()));
    f.api.pages_origin = Some(PagesOrigin::new(&WebConfig::default(), pages));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    f.address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router(f.api.clone()),
        std::future::pending(),
    ));
    let answer = f.get("/templates/Mine.html?x=1", CHROME).await;
    let place = format!(
        "location: http://127.0.0.1:{}/templates/Mine.html?x=1",
        pages.port()
    );
    assert!(is(&answer, 307) && answer.contains(&place), "{answer}");
    // Programs have no origins.
    assert!(
        f.get("/templates/Mine.html", "")
            .await
            .ends_with("<p>mine</p>")
    );
    f.address = pages;
    let same_site = format!("{CHROME}Sec-Fetch-Site: same-site\r\n");
    let page = f.get("/templates/Mine.html", &same_site).await;
    assert!(is(&page, 200) && page.ends_with("<p>mine</p>"), "{page}");
    for path in [
        "/json.htm?type=command&param=getversion",
        "/",
        "/uploadcustomicon",
    ] {
        assert!(is(&f.get(path, "").await, 404), "{path}");
    }
}

/// A plugin whose folder is slow holds up its own pages, and pays for the reading.
#[tokio::test(flavor = "multi_thread")]
async fn each_plugin_pays_and_waits_for_its_own_pages() {
    let f = fixture().await;
    let account = || Account::new(&cordon_base::limits::Limits::default());
    let (slow, good) = (account(), account());
    let accounts = [(1, Arc::clone(&slow)), (2, Arc::clone(&good))];
    *f.plugins.accounts.lock().unwrap() = accounts.into();
    for (n, name) in [(1, "Slow"), (2, "Good")] {
        let folder = f._folder.path().join(format!("pages/{n}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.html")), name).unwrap();
    }
    let page = async |name: &str| f.get(&format!("/templates/{name}.html"), "").await;
    assert!(page("Slow").await.ends_with("Slow") && page("Good").await.ends_with("Good"));
    let billed = good.billed();
    assert!(billed > Duration::ZERO && slow.billed() > Duration::ZERO);
    // The account has all that it may have at a time.
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let ends = Arc::new(Mutex::new(ends));
    for _ in 0..2 {
        let (files, slow, ends) = (f.api.pools.files.clone(), slow.clone(), ends.clone());
        tokio::spawn(async move {
            let hang = move || ends.lock().unwrap().recv().is_ok();
            files.run(&slow, hang).await
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(page("Good").await.ends_with("Good"));
    assert!(is(&page("Slow").await, 404) && f.get("/", "").await.contains("Good.html"));
    drop(end);
    assert!(good.billed() > billed && page("Slow").await.ends_with("Slow"));
}

/// A dashboard on another port may be let in by name, and nobody else with it.
#[tokio::test]
async fn pages_of_a_listed_site_use_the_api_and_others_do_not() {
    let web = "origins = [\"http://dash.lan:8082\"]\n\
               users = [{ name = \"ann\", password = \"secret\" }]\nnetworks = []";
    let f = fixture_with(web).await;
    let id = f.dimmer().await;
    let switch = format!("/json.htm?type=command&param=switchlight&idx={id}&switchcmd=On");
    let from = |site: &str| format!("{CHROME}Sec-Fetch-Site: cross-site\r\nOrigin: {site}\r\n");
    let (mine, evil) = (from("http://dash.lan:8082"), from("http://evil.example"));
    let ann = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
    let allowed = "access-control-allow-origin: http://dash.lan:8082\r\n";
    // The question of the browser needs no password.
    let ask = async |headers: &str| {
        let more = "Access-Control-Request-Method: GET\r\n\
                    Access-Control-Request-Headers: authorization\r\n";
        let host = f.address;
        f.raw(format!(
            "OPTIONS {switch} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{more}\r\n"
        ))
        .await
        .to_lowercase()
    };
    let told = ask(&mine).await;
    assert!(
        is(&told.to_uppercase(), 204) && told.contains(allowed),
        "{told}"
    );
    assert!(told.contains("access-control-allow-headers: authorization"));
    assert!(told.contains("access-control-allow-credentials: true"));
    assert!(!ask(&evil).await.contains("access-control-"));
    assert!(f.events().is_empty(), "a question does nothing");
    // Without a password the page sees that one is wanted.
    let unknown = f.get(&switch, &mine).await.to_lowercase();
    assert!(
        is(&unknown.to_uppercase(), 401) && unknown.contains(allowed),
        "{unknown}"
    );
    let done = f.get(&switch, &format!("{mine}{ann}")).await.to_lowercase();
    assert!(
        is(&done.to_uppercase(), 200) && done.contains(allowed),
        "{done}"
    );
    assert!(done.contains("vary: origin"), "{done}");
    assert_eq!(f.events().len(), 1);
    let refused = f.get(&switch, &format!("{evil}{ann}")).await;
    assert!(is(&refused, 403) && !refused.to_lowercase().contains("access-control-"));
    assert!(f.events().is_empty());
}
