//! HTTP requests of a plugin through the hub's sockets, against CPython.

use axum::Router;
use axum::routing::get;
use cordon_runtime::engine::Engine;

use crate::Outcome;
use crate::report::Report;
use crate::twins::Twins;

const SECTION: &str = "requests";
const ROUNDS: usize = 9;

/// About what the state of a device in JSON comes to.
const BODY: usize = 1024;

/// Measures `urllib`, which takes a connection for each request, and `http.client`, which keeps one.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let body = "x".repeat(BODY);
    let router = Router::new().route("/", get(move || async { body }));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut twins = Twins::new(engine, "requesting", Some(port)).await?;
    for (order, what) in [
        ("urllib", "a request with urllib.request"),
        ("kept", "a request with http.client over one connection"),
    ] {
        let order = format!("requesting {order} {port}");
        for pair in twins.measure(&order, ROUNDS).await? {
            pair.report(report, SECTION, what, "ms");
            pair.rate(report, SECTION, what, 1000.0, "requests/s");
        }
    }
    report.note(
        SECTION,
        format!("GET of {BODY} bytes over loopback; the server is in the benchmark's process"),
    );
    twins.stop().await;
    server.abort();
    Ok(())
}
