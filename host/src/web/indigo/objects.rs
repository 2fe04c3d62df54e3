//! `/v2/api/indigo.devices` and so on: objects as JSON.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Early, Reply, error, json_answer};
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
    answer(&api, &collection, None, &asked)
}

/// One object.
pub(super) async fn one(
    State(api): State<IndigoApi>,
    Path((collection, id)): Path<(String, String)>,
    asked: Asked,
) -> Reply {
    answer(&api, &collection, Some(&id), &asked)
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

fn answer(api: &IndigoApi, collection: &str, id: Option<&str>, asked: &Asked) -> Reply {
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
    let with_folder = |object: &Object| {
        let mut seen = lens.of(object);
        let id = object.number("folderId");
        let folder = folders
            .iter()
            .find(|folder| folder.id == id && id != NO_FOLDER);
        if let Some(seen) = seen.as_object_mut() {
            let folder = folder.map_or_else(|| json!({}), |folder| view(folder, None));
            seen.insert("folder".to_owned(), folder);
        }
        seen
    };
    let mut seen = objects.iter().map(|object| with_folder(object));
    match id {
        None => Ok(json_answer(StatusCode::OK, &seen.collect())),
        Some(_) => match seen.next() {
            Some(object) => Ok(json_answer(StatusCode::OK, &object)),
            None => Err(missing("there is no object with this id in the collection")),
        },
    }
}
