//! `/PLUGINID/images/...` and so on: files of a bundle's `Resources`.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;

use super::admission::Asked;
use super::answer::{Early, Reply, error, wrong_method};
use super::file::{Desk, open_in_bundle};
use super::keys::Wanted;
use super::{IndigoApi, sandbox};

/// Folders that clients with a key may read. Older bundles write `video`.
const WITH_KEY: [&str; 4] = ["images", "static", "videos", "video"];
/// The folder that everybody may read.
const PUBLIC: &str = "public";

/// The methods with which files may be requested.
const METHODS: &str = "GET, HEAD";

/// A file of a bundle's resources.
pub(super) async fn get(
    State(api): State<IndigoApi>,
    Path((plugin, folder, path)): Path<(String, String, String)>,
    asked: Asked,
) -> Reply {
    let missing = || {
        Early::from(error(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such file",
        ))
    };
    let open = folder == PUBLIC;
    if !open && !WITH_KEY.contains(&folder.as_str()) {
        return Ok((StatusCode::NOT_FOUND, "not found\n").into_response());
    }
    if let Some(there) = api.elsewhere(&plugin, &asked) {
        return Ok(there);
    }
    if !open {
        api.admit(&asked, Wanted::Files(&plugin), METHODS)?;
    } else if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_method(METHODS).into());
    }
    // To be below the resources is not enough: `public/..` are the folders that need a key.
    if path.split('/').any(|part| part == "..") {
        return Err(missing());
    }
    let owner = api.server.plugin(&plugin).ok_or_else(missing)?;
    let resources = owner.bundle.resources.clone().ok_or_else(missing)?;
    let desk = Desk::new(&api.server.pools().files, &owner);
    let name = format!("{folder}/{path}");
    let wanted = name.clone();
    let opened = desk.run(move || open_in_bundle(&resources, &wanted)).await;
    let found = opened.map_err(|_| missing())?;
    let mut kinds = HeaderMap::new();
    let body = found.into_body(desk, &name, &mut kinds);
    let mut response = match asked.method {
        Method::HEAD => Body::empty().into_response(),
        _ => body.into_response(),
    };
    *response.headers_mut() = kinds;
    let cache = header::HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    Ok(sandbox(&api, &plugin, &asked.headers, response))
}
