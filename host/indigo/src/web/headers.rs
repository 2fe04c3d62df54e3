//! Headers that a plugin's page may have: those that are about the page itself.
//!
//! Others would be about the hub's whole host or lead away from the plugin's pages:
//! cookies and stored data, other services, who may read answers, redirects. What is
//! not known to be harmless is left out.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use url::Url;

use super::admission::Asked;
use super::reply::text;

/// Most headers that a plugin may set.
const MAX_HEADERS: usize = 100;

/// What is passed on as it is.
const PASSED: [HeaderName; 15] = [
    header::ACCEPT_RANGES,
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::RETRY_AFTER,
    header::VARY,
    header::X_FRAME_OPTIONS,
];

/// Beginnings of names of a plugin's own that proxies before the hub would obey.
const OF_PROXIES: [&str; 10] = [
    "x-accel-",
    "x-cache-",
    "x-envoy-",
    "x-forwarded-",
    "x-lighttpd-",
    "x-litespeed-",
    "x-middleware-",
    "x-original-",
    "x-reproxy-",
    "x-sendfile",
];

/// The page that a plugin answers with.
pub(super) struct Place {
    /// Its address, where that is one.
    url: Option<Url>,
    /// How the paths of the plugin's pages begin.
    own: [String; 2],
}

impl Place {
    pub(super) fn new(plugin: &str, asked: &Asked) -> Self {
        let host = asked.headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or("");
        let url = Url::parse(&format!("http://{host}/")).ok();
        let path = asked.uri.path_and_query().map_or("/", |it| it.as_str());
        Self {
            url: url.and_then(|url| url.join(path).ok()),
            own: [format!("/message/{plugin}/"), format!("/{plugin}/")],
        }
    }

    /// Where an address leads as a browser reads it: path and query, if these are the
    /// plugin's.
    fn lead(&self, address: &str) -> Option<String> {
        let here = self.url.as_ref()?;
        let there = here.join(address).ok()?;
        let same = there.host() == here.host()
            && there.port() == here.port()
            && matches!(there.scheme(), "http" | "https")
            && there.username().is_empty()
            && there.password().is_none();
        let path = there.path();
        // Whatever is decoded once more behind this stays inside.
        let climbs = path.split('/').any(|part| {
            let part = part.to_ascii_lowercase().replace("%2e", ".");
            part == ".." || part.contains("%2f") || part.contains("%5c")
        });
        if !same || climbs || !self.own.iter().any(|own| path.starts_with(own.as_str())) {
            return None;
        }
        let query = there.query().map(|query| format!("?{query}"));
        let fragment = there.fragment().map(|fragment| format!("#{fragment}"));
        Some(
            [
                path,
                &query.unwrap_or_default(),
                &fragment.unwrap_or_default(),
            ]
            .concat(),
        )
    }
}

/// The headers that a plugin set, without those that are not for it to set.
pub(super) fn of_plugin(value: Option<&Value>, place: &Place) -> Result<HeaderMap, String> {
    let mut found = HeaderMap::new();
    let given = match value {
        None | Some(Value::Null) => return Ok(found),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("`headers` is no dictionary".to_owned()),
    };
    if given.len() > MAX_HEADERS {
        return Err(format!("more than {MAX_HEADERS} headers"));
    }
    for (name, value) in given {
        let shown: String = name.chars().take(40).collect();
        let wrong = || format!("the header `{shown}` has a wrong name or value");
        let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        let mut value = text(value.clone());
        if name == header::LOCATION {
            value = place.lead(&value).ok_or(
                "`Location` may only lead to a page of the same plugin, such as \
                 /message/PLUGINID/ACTIONID",
            )?;
        }
        let kept = is_kept(&name, &value);
        let value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        if kept {
            found.insert(name, value);
        }
    }
    Ok(found)
}

fn is_kept(name: &HeaderName, value: &str) -> bool {
    if *name == header::REFRESH {
        // With anything but a time it leads elsewhere.
        return value.trim().bytes().all(|byte| byte.is_ascii_digit());
    }
    if *name == header::CONTENT_SECURITY_POLICY {
        // Reports are requests that the browser makes by itself.
        return !value.to_ascii_lowercase().contains("report-");
    }
    let own = name.as_str().starts_with("x-");
    let own = own
        && !OF_PROXIES
            .iter()
            .any(|start| name.as_str().starts_with(start));
    *name == header::LOCATION || PASSED.contains(name) || own
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place() -> Place {
        let url = "http://hub.lan:8081/message/com.a/go/deep?api-key=secret";
        Place {
            url: Url::parse(url).ok(),
            own: ["/message/com.a/".to_owned(), "/com.a/".to_owned()],
        }
    }

    #[test]
    fn redirects_stay_among_the_plugins_own_pages() {
        for (address, expected) in [
            ("/message/com.a/other", "/message/com.a/other"),
            ("other?x=1#y", "/message/com.a/go/other?x=1#y"),
            ("../other", "/message/com.a/other"),
            ("?x=1", "/message/com.a/go/deep?x=1"),
            (
                "http://hub.lan:8081/com.a/static/a.html",
                "/com.a/static/a.html",
            ),
            ("//hub.lan:8081/message/com.a/b", "/message/com.a/b"),
        ] {
            assert_eq!(
                place().lead(address).as_deref(),
                Some(expected),
                "{address}"
            );
        }
        for address in [
            "/json.htm?type=command&param=x",
            "/",
            "",
            "../../com.b/go",
            "%2e%2e/%2E./com.b/go",
            "/message/com.a/..%2f..%2fjson.htm",
            "/message/com.a/..%5c..%5cjson.htm",
            "/message/com.a/..\\..\\json.htm",
            "/message/com.a",
            "/message/com.ab/x",
            "/\t/evil.example",
            "\\\\evil.example/message/com.a/x",
            "//evil.example/message/com.a/x",
            "http://hub.lan:8080/message/com.a/x",
            "http://hub.lan/message/com.a/x",
            "http://x@hub.lan:8081/message/com.a/x",
            "https://evil.example/message/com.a/x",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            // The empty one is the page itself.
            let expected = address
                .is_empty()
                .then_some("/message/com.a/go/deep?api-key=secret");
            assert_eq!(place().lead(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn headers_about_more_than_the_page_are_left_out() {
        let given = json!({
            "Content-Type": "text/html", "X-Own": "1", "Cache-Control": "no-store",
            "Refresh": "5", "Content-Security-Policy": "default-src 'self'",
            "Set-Cookie": "a=b", "Clear-Site-Data": "\"*\"", "Link": "</json.htm>; rel=prefetch",
            "Access-Control-Allow-Origin": "*", "Alt-Svc": "h2=\"evil.example:443\"",
            "WWW-Authenticate": "Basic", "Service-Worker-Allowed": "/", "NEL": "{}",
            "Report-To": "{}", "Reporting-Endpoints": "x", "Speculation-Rules": "\"/x\"",
            "Strict-Transport-Security": "max-age=1", "Content-Length": "9", "Connection": "x",
            "Transfer-Encoding": "chunked", "X-Accel-Redirect": "/etc/passwd", "X-Sendfile": "/etc",
            "Content-Location": "/", "SourceMap": "/x", "Upgrade": "h2c", "Origin-Trial": "x",
        });
        let kept = of_plugin(Some(&given), &place()).unwrap();
        let mut names: Vec<_> = kept.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "cache-control",
                "content-security-policy",
                "content-type",
                "refresh",
                "x-own"
            ]
        );
        for (name, value) in [
            ("Refresh", "0; url=/json.htm"),
            ("Refresh", "0,/json.htm"),
            (
                "Content-Security-Policy",
                "default-src 'none'; Report-URI /json.htm",
            ),
        ] {
            let kept = of_plugin(Some(&json!({name: value})), &place()).unwrap();
            assert!(kept.is_empty(), "{value}");
        }
        let refused = of_plugin(Some(&json!({"Location": "/json.htm"})), &place());
        assert!(refused.unwrap_err().contains("`Location`"));
    }
}
