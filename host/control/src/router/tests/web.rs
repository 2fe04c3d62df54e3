//! Tests of the API over HTTP: who may use it, and how long an answer may go on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use cordon_web::access::Access;
use cordon_web::budget::Budget;
use cordon_web::config::WebConfig;
use cordon_web::origin::Origins;
use cordon_web::server::Server;
use tokio::net::TcpListener;

use super::*;

const USERS: &str = "networks = []\nusers = [\
    { name = 'a', password = 'p' }, { name = 'u', password = 'p', rights = 'user' }, \
    { name = 'v', password = 'p', rights = 'viewer' }]";

/// Basic credentials of `a`, `u` and `v`.
const ADMIN: &str = "Authorization: Basic YTpw\r\n";
const USER: &str = "Authorization: Basic dTpw\r\n";
const VIEWER: &str = "Authorization: Basic djpw\r\n";

/// Serves the API; an exchange has so much time.
async fn served(site: &Site, web: &str, exchange: Duration) -> SocketAddr {
    let config: WebConfig = toml::from_str(web).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = Gate {
        access: Access::new(&config, "tests"),
        origins: Origins::new(&config, address),
        budget: Budget::default(),
    };
    let router = super::super::web(site.control.clone(), gate);
    let server = Server::new(router).with_bounds(64, 64, exchange);
    tokio::spawn(server.serve(listener, std::future::pending()));
    address
}

const LONG: Duration = Duration::from_secs(30);

async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: 0\r\n{headers}\r\n"
    );
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn admins_may_everything_users_look_and_viewers_nothing() {
    let site = site();
    let address = served(&site, USERS, LONG).await;
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let filled = path
            .replace("{name}", "grants")
            .replace("{action}", "restart");
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_ascii_uppercase();
            let of_users = method == "GET" && !path.ends_with("/log") && !path.ends_with("/grants");
            let refused = ask(address, &method, &filled, VIEWER).await;
            assert_eq!(status(&refused), "403", "{method} {path}: {refused}");
            let answer = ask(address, &method, &filled, USER).await;
            assert_eq!(
                status(&answer) != "403",
                of_users,
                "{method} {path}: {answer}"
            );
            assert!(site.hub.orders().is_empty(), "{method} {path}");
            let answer = ask(address, &method, &filled, ADMIN).await;
            assert_ne!(status(&answer), "403", "{method} {path}: {answer}");
            site.hub.orders();
        }
    }
}

#[tokio::test]
async fn grants_are_set_with_a_password_alone() {
    let site = site();
    let address = served(&site, "", LONG).await;
    let path = "/cordon/v1/instances/grants/grants";
    assert_eq!(status(&ask(address, "GET", path, "").await), "200");
    let refused = ask(address, "PUT", path, "").await;
    assert_eq!(status(&refused), "403", "{refused}");
    assert!(
        refused.contains("grants are set with a password"),
        "{refused}"
    );
    // That of an admin gets as far as the body, which is empty.
    let address = served(&site, USERS, LONG).await;
    assert_eq!(status(&ask(address, "PUT", path, ADMIN).await), "422");
}

#[tokio::test]
async fn users_do_not_see_what_may_hold_a_password() {
    let site = site();
    let address = served(&site, USERS, LONG).await;
    for path in ["hub", "instances", "instances/grants"] {
        let path = format!("/cordon/v1/{path}");
        let told = ask(address, "GET", &path, USER).await;
        assert_eq!(status(&told), "200");
        assert!(!told.contains("SECRET"), "{told}");
        assert!(ask(address, "GET", &path, ADMIN).await.contains("SECRET"));
    }
}

#[tokio::test]
async fn strangers_are_asked_who_they_are_in_json() {
    let site = site();
    let address = served(&site, USERS, LONG).await;
    for path in [
        "/cordon/v1/hub",
        "/cordon/v1/nothing",
        "/cordon/v1/hub?username=YQ==&password=cA==",
    ] {
        let answer = ask(address, "GET", path, "").await;
        assert_eq!(status(&answer), "401", "{path}: {answer}");
        assert!(answer.contains("www-authenticate: Basic"), "{answer}");
        assert!(answer.contains("{\"error\":\"log in"), "{answer}");
    }
    let wrong = "Authorization: Basic YTp4\r\n";
    let mut last = String::new();
    for _ in 0..10 {
        last = ask(address, "GET", "/cordon/v1/hub", wrong).await;
    }
    assert_eq!(status(&last), "429", "{last}");
    assert!(
        last.contains("{\"error\":\"too many wrong passwords"),
        "{last}"
    );
}

#[tokio::test]
async fn pages_of_others_command_nothing() {
    let site = site();
    let address = served(&site, "", LONG).await;
    let path = "/cordon/v1/instances/grants/stop";
    let browser = "User-Agent: Mozilla/5.0\r\n";
    for headers in [
        browser.to_owned(),
        format!("{browser}Origin: http://evil.example\r\n"),
        "Origin: http://evil.example\r\n".to_owned(),
    ] {
        let answer = ask(address, "POST", path, &headers).await;
        assert_eq!(status(&answer), "403", "{headers}: {answer}");
        assert!(answer.contains("{\"error\":"), "{answer}");
    }
    assert!(site.hub.orders().is_empty());
    for headers in ["", "User-Agent: Mozilla/5.0\r\nX-Cordon-Client: x\r\n"] {
        assert_eq!(status(&ask(address, "POST", path, headers).await), "204");
    }
    assert_eq!(site.hub.orders().len(), 2);
    let evil = format!("{browser}Origin: http://evil.example\r\n");
    assert_eq!(
        status(&ask(address, "GET", "/cordon/v1/hub", &evil).await),
        "403"
    );
}

#[tokio::test]
async fn a_log_is_followed_for_longer_than_an_exchange_takes() {
    let mut site = site();
    site.control.beat = Duration::from_millis(200);
    let address = served(&site, "", Duration::from_secs(1)).await;
    let (log, end) = (site.log.clone(), site.end.clone());
    let told = ask(address, "GET", "/cordon/v1/log?follow=true&lines=0", "");
    let late = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        log.record(None, Level::Status, "late line");
        end.cancel();
    };
    let (told, ()) = tokio::join!(told, late);
    assert!(told.contains("\"text\":\"late line\""), "{told}");
    assert!(told.ends_with("0\r\n\r\n"), "{told}");
}

#[tokio::test]
async fn a_follower_who_does_not_read_is_cut_off() {
    let mut site = site();
    site.control.beat = Duration::from_millis(100);
    let address = served(&site, "", Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET /cordon/v1/log?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).unwrap();
    let log = site.log.clone();
    let readers = Arc::clone(&site.control.readers);
    let cut_off = async {
        while readers.available_permits() == MAX_READERS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while readers.available_permits() < MAX_READERS {
            for _ in 0..100 {
                log.record(Some("A"), Level::Normal, "x".repeat(6000));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, cut_off).await.unwrap();
    drop(stream);
}
