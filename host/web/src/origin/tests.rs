use axum::http::{HeaderName, HeaderValue};

use super::*;

const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/140.0.0.0 Safari/537.36";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("192.168.1.2:8080"));
    for (name, value) in lines {
        let name = HeaderName::try_from(*name).unwrap();
        headers.insert(name, HeaderValue::try_from(*value).unwrap());
    }
    headers
}

fn origins(listener: &str, names: &[&str]) -> Origins {
    let config = WebConfig {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..WebConfig::default()
    };
    Origins::new(&config, listener.parse().unwrap())
}

fn may(lines: &[(&str, &str)], method: &Method, act: Act) -> bool {
    let origins = origins("192.168.1.2:8080", &["hub.example.org"]);
    origins.check(&headers(lines), method, act).is_ok()
}

/// Headers of programs: curl, wget, aiohttp, okhttp, URLSession of iOS, Node, PowerShell, a
/// microcontroller.
const PROGRAMS: [&[(&str, &str)]; 8] = [
    &[("user-agent", "curl/8.14.1"), ("accept", "*/*")],
    &[
        ("user-agent", "Wget/1.25.0"),
        ("accept-encoding", "identity"),
    ],
    &[(
        "user-agent",
        "HomeAssistant/2025.9.0 aiohttp/3.12 Python/3.13",
    )],
    &[("user-agent", "okhttp/4.12.0"), ("accept-encoding", "gzip")],
    &[
        (
            "user-agent",
            "Domoticz/1 CFNetwork/3826.500.131 Darwin/24.5.0",
        ),
        ("accept", "*/*"),
        ("accept-language", "de-DE,de;q=0.9"),
    ],
    &[
        ("user-agent", "node"),
        ("accept-language", "*"),
        ("sec-fetch-mode", "cors"),
    ],
    &[(
        "user-agent",
        "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1",
    )],
    &[],
];

#[test]
fn programs_give_commands_as_ever() {
    for program in PROGRAMS {
        for method in [Method::GET, Method::POST] {
            assert!(may(program, &method, Act::Change), "{method} {program:?}");
        }
    }
}

/// Headers of browsers for requests that a page or an address bar made.
const BROWSERS: [&[(&str, &str)]; 6] = [
    // Plain HTTP in a local network: a link, a picture, `fetch` without CORS.
    &[
        ("user-agent", CHROME),
        ("upgrade-insecure-requests", "1"),
        ("accept", "text/html,application/xhtml+xml"),
        ("accept-language", "en"),
    ],
    &[("user-agent", CHROME), ("accept", "image/*")],
    &[(
        "user-agent",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Mobile/15E148",
    )],
    &[("accept-language", "en"), ("accept", "*/*")],
    &[
        ("user-agent", CHROME),
        ("sec-fetch-site", "none"),
        ("sec-fetch-mode", "navigate"),
    ],
    // An app's WebView adds its name to every request of a page.
    &[
        ("user-agent", CHROME),
        ("x-requested-with", "com.example.app"),
    ],
];

#[test]
fn browsers_look_and_give_no_commands_without_a_sign_of_who_made_them() {
    for browser in BROWSERS {
        assert!(may(browser, &Method::GET, Act::Look), "{browser:?}");
        for method in [Method::GET, Method::POST] {
            assert!(!may(browser, &method, Act::Change), "{method} {browser:?}");
        }
    }
}

#[test]
fn the_hubs_own_pages_and_clients_that_name_themselves_give_commands() {
    let own = [
        ("user-agent", CHROME),
        ("origin", "http://192.168.1.2:8080"),
    ];
    assert!(may(&own, &Method::POST, Act::Change));
    assert!(!may(&own, &Method::GET, Act::Change));
    for header in [
        ("x-cordon-client", "panel"),
        ("x-requested-with", "XMLHttpRequest"),
    ] {
        assert!(may(
            &[("user-agent", CHROME), header],
            &Method::GET,
            Act::Change
        ));
    }
    assert!(!may(
        &[("user-agent", CHROME), ("x-cordon-client", " ")],
        &Method::GET,
        Act::Change
    ));
}

#[test]
fn other_origins_are_refused_whatever_else_they_send() {
    for foreign in [
        ("origin", "http://evil.example"),
        ("origin", "http://192.168.1.2:8081"),
        ("origin", "http://192.168.1.2"),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            for act in [Act::Look, Act::Change] {
                let sent = [("user-agent", CHROME), ("x-cordon-client", "x"), foreign];
                assert!(!may(&sent, &method, act), "{foreign:?} {method} {act:?}");
                assert!(
                    !may(&[foreign], &method, act),
                    "{foreign:?} {method} {act:?}"
                );
            }
        }
        assert!(may(&[foreign], &Method::GET, Act::Show));
    }
    // Two headers of a name are refused when one of them is foreign.
    let mut two = headers(&[("origin", "http://192.168.1.2:8080")]);
    two.append("origin", HeaderValue::from_static("http://evil.example"));
    let origins = origins("192.168.1.2:8080", &[]);
    assert!(origins.check(&two, &Method::POST, Act::Change).is_err());
}

#[test]
fn a_name_that_somebody_leads_here_is_no_name_of_the_hub() {
    let origins = origins("0.0.0.0:8080", &["Hub.example.org"]);
    let browser = |host: &str| {
        let headers = headers(&[("host", host), ("user-agent", CHROME)]);
        origins.check(&headers, &Method::GET, Act::Look).is_ok()
    };
    for own in [
        "192.168.1.2",
        "[fd00::2]:80",
        "localhost",
        "hub.example.org:443",
        "HUB.example.org",
    ] {
        assert!(browser(own), "{own}");
    }
    for foreign in [
        "evil.example",
        "evil.local",
        "evil",
        "127.0.0.1.evil.example",
        "hub.example.org.",
        "a@b",
    ] {
        assert!(!browser(foreign), "{foreign}");
    }
    let machine = &origins.0.machine;
    assert!(browser(machine) && browser(&format!("{machine}.lan:8080")));
    assert!(!browser(&format!("{machine}.evil.example")) && !browser(&format!("{machine}x")));
    // A page of such a name has the name for its origin, too.
    let sent = [
        ("host", "evil.example:8080"),
        ("origin", "http://evil.example:8080"),
        ("user-agent", CHROME),
    ];
    assert!(
        origins
            .check(&headers(&sent), &Method::POST, Act::Change)
            .is_err()
    );
}

#[test]
fn a_loopback_listener_is_for_this_machine() {
    let local = origins("127.0.0.1:8080", &["hub.example.org"]);
    let asks = |host: &str| {
        local
            .check(&headers(&[("host", host)]), &Method::GET, Act::Look)
            .is_ok()
    };
    for own in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1:8080",
        "[::1]:8080",
        "",
        "hub.example.org",
    ] {
        assert!(asks(own), "{own}");
    }
    assert!(!asks("localhost.evil.example") && !asks("192.168.1.2:80") && !asks("hub"));
}

#[test]
fn without_a_password_only_private_names_are_taken() {
    let origins = origins("0.0.0.0:8080", &["hub.example.org"]);
    let named = |host: &str| origins.check_host(&headers(&[("host", host)])).is_ok();
    for host in [
        "192.168.1.2:8080",
        "[fd00::2]:80",
        "hub",
        "hub.lan:80",
        "hub.example.org",
    ] {
        assert!(named(host), "{host}");
    }
    assert!(!named("evil.example") && !named("evil.example:8080"));
}

#[test]
fn a_referer_counts_when_it_is_of_this_origin() {
    let path = |referer: &str| own_referer(&headers(&[("referer", referer)])).map(str::to_owned);
    let own = "http://192.168.1.2:8080";
    assert_eq!(
        path(&format!("{own}/message/p/a?x=/b")).as_deref(),
        Some("/message/p/a")
    );
    assert_eq!(path(own).as_deref(), Some(""));
    for foreign in [
        "http://evil.example/message/p",
        "http://192.168.1.2:8081/",
        "/message/p",
        "http://192.168.1.2:8080@evil.example/",
        "",
    ] {
        assert_eq!(path(foreign), None, "{foreign}");
    }
}

#[test]
fn a_listed_site_may_do_what_the_hubs_own_pages_may_and_no_other() {
    let config = WebConfig {
        origins: vec![
            "http://Dash.lan:8082/".to_owned(),
            "https://x.org:443".to_owned(),
        ],
        ..WebConfig::default()
    };
    let listener = "192.168.1.2:8080".parse().unwrap();
    let origins = Origins::new(&config, listener);
    let may = |origin: &str, method: &Method| {
        let lines = [
            ("user-agent", CHROME),
            ("sec-fetch-site", "cross-site"),
            ("origin", origin),
        ];
        origins.check(&headers(&lines), method, Act::Change).is_ok()
    };
    for method in [Method::GET, Method::POST, Method::PUT] {
        assert!(may("http://dash.lan:8082", &method));
        assert!(may("https://x.org", &method));
        for other in [
            "http://dash.lan",
            "https://dash.lan:8082",
            "http://x.org",
            "http://dash.lan:8082.evil.example",
            "http://evil.example/http://dash.lan:8082",
            "null",
            "",
        ] {
            assert!(!may(other, &method), "{other}");
        }
    }
    let two = [
        ("origin", "http://evil.example"),
        ("origin", "http://dash.lan:8082"),
    ];
    let mut both = headers(&[("user-agent", CHROME)]);
    for (name, value) in two {
        both.append(name, HeaderValue::from_static(value));
    }
    assert!(origins.check(&both, &Method::GET, Act::Look).is_err());
    // A picture or a link on a listed page does not say where it is.
    let silent = headers(&[("user-agent", CHROME), ("sec-fetch-site", "cross-site")]);
    assert!(origins.check(&silent, &Method::GET, Act::Change).is_err());
    // Pages of plugins have an origin without commands.
    let pages = Origins::of_pages(&config, listener);
    let page = headers(&[("origin", "http://dash.lan:8082")]);
    assert!(pages.check(&page, &Method::GET, Act::Look).is_err());
    // A name that leads here by somebody's trick is refused all the same.
    let mut renamed = headers(&[("user-agent", CHROME), ("origin", "http://dash.lan:8082")]);
    renamed.insert("host", HeaderValue::from_static("evil.example:8080"));
    assert!(origins.check(&renamed, &Method::GET, Act::Look).is_err());
}

#[test]
fn what_is_no_origin_is_refused_with_the_form_of_one() {
    for wrong in [
        "dash.lan",
        "*",
        "null",
        "http://",
        "http://dash.lan/path",
        "ftp://dash.lan",
    ] {
        let config = WebConfig {
            origins: vec![wrong.to_owned()],
            ..WebConfig::default()
        };
        let refused = config.check().unwrap_err();
        assert!(refused.contains("`origins` under [web]"), "{refused}");
    }
}
