//! `/v2/api/indigo.devices` and so on: objects as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Early, Reply, error, json_answer, text_answer};
use super::keys::Wanted;
use super::lens::Lens;
use crate::platform::indigo::object::{NO_FOLDER, Object};
use crate::platform::indigo::table::Collection;
use crate::platform::indigo::view::view;

/// All objects of a collection.
pub(super) async fn list(
    State(api): State<IndigoApi>,
    Path(collection): Path<String>,
    asked: Asked,
) -> Reply {
    answer(&api, &collection, None, &asked).await
}

/// One object.
pub(super) async fn one(
    State(api): State<IndigoApi>,
    Path((collection, id)): Path<(String, String)>,
    asked: Asked,
) -> Reply {
    answer(&api, &collection, Some(&id), &asked).await
}

/// Whatever else stands below the version of the API.
pub(super) async fn unknown(State(api): State<IndigoApi>, asked: Asked) -> Reply {
    let methods = "GET, HEAD, POST";
    api.admit(&asked, Wanted::Look, methods)?;
    Err(missing("there is no such address"))
}

fn missing(text: &str) -> Early {
    error(StatusCode::NOT_FOUND, "not_found", text).into()
}

async fn answer(api: &IndigoApi, collection: &str, id: Option<&str>, asked: &Asked) -> Reply {
    let rights = api.admit(asked, Wanted::Look, "GET, HEAD")?;
    let name = collection.strip_prefix("indigo.");
    let Some(collection) = name.and_then(Collection::of_name) else {
        return Err(missing("there is no such collection"));
    };
    let table = collection.objects();
    // What is shared is taken under the lock, what is large is made without it.
    let (objects, folders) = {
        let database = api.server.database();
        let folders: Vec<_> = database.list(collection.folders()).cloned().collect();
        let objects: Vec<_> = match id {
            None => {
                let all = database.list(table).filter(|it| Lens::shows(it));
                all.cloned().collect()
            }
            Some(id) => {
                let id = id.parse().ok();
                let found = id.and_then(|id| database.any(id));
                found
                    .filter(|it| it.table == table && Lens::shows(it))
                    .cloned()
                    .into_iter()
                    .collect()
            }
        };
        (objects, folders)
    };
    let lens = Lens::new(&api.server, rights);
    let all = id.is_none();
    // As large as plugins make their objects: not on a thread that serves others.
    let server = &api.server;
    let made = server.pools().commands.run(server.own_account(), move || {
        let mut seen = seen(&lens, &objects, &folders);
        if !all {
            return seen.next().map(|it| json_answer(StatusCode::OK, &it));
        }
        // One after the other: as text they take far less.
        let mut text = String::from("[");
        for (place, object) in seen.enumerate() {
            if place > 0 {
                text.push(',');
            }
            text.push_str(&object.to_string());
        }
        text.push(']');
        Some(text_answer(StatusCode::OK, text))
    });
    match made.await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(missing("there is no object with this id in the collection")),
        Err(problem) => {
            let text = problem.to_string();
            Err(error(StatusCode::SERVICE_UNAVAILABLE, "busy", &text).into())
        }
    }
}

/// Objects with their folders, each made when it is asked for.
fn seen<'a>(
    lens: &'a Lens,
    objects: &'a [Arc<Object>],
    folders: &[Arc<Object>],
) -> impl Iterator<Item = Value> + use<'a> {
    let folders: HashMap<i64, Value> = folders
        .iter()
        .map(|folder| (folder.id, view(folder, None)))
        .collect();
    let with_folder = move |object: &Arc<Object>| {
        let mut seen = lens.of(object);
        let id = object.number("folderId");
        let folder = folders.get(&id).filter(|_| id != NO_FOLDER).cloned();
        if let Some(seen) = seen.as_object_mut() {
            seen.insert("folder".to_owned(), folder.unwrap_or_else(|| json!({})));
        }
        seen
    };
    objects.iter().map(with_folder)
}
