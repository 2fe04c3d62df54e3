//! `/v2/api/indigo.devices` and so on: objects as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Early, Reply, error};
use super::keys::Wanted;
use super::lens::Lens;
use super::room::{Full, Room, Sheet};
use crate::platform::indigo::object::{NO_FOLDER, Object};
use crate::platform::indigo::table::Collection;
use crate::platform::indigo::view::view;
use crate::platform::indigo::weighed::Size;

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
        let folders = database.measured(collection.folders());
        let objects = match id {
            None => database.measured(table),
            Some(id) => {
                let found = id.parse().ok().and_then(|id| database.any(id));
                let found = found.filter(|it| it.table == table);
                let sized = |it: &Arc<Object>| (Arc::clone(it), database.size(it.id));
                found.map(sized).into_iter().collect()
            }
        };
        (objects, folders)
    };
    let lens = Lens::new(&api.server, rights);
    let (all, room) = (id.is_none(), api.room.clone());
    // As large as plugins make their objects: not on a thread that serves others.
    let server = &api.server;
    let made = server.pools().feeds.run(server.own_account(), move || {
        written(&room, &lens, &objects, &folders, all)
    });
    match made.await {
        Ok(Ok(Some(sheet))) => Ok(sheet.answer(StatusCode::OK)),
        Ok(Ok(None)) => Err(missing("there is no object with this id in the collection")),
        Ok(Err(full)) => Err(full.into()),
        Err(problem) => {
            let text = problem.to_string();
            Err(error(StatusCode::SERVICE_UNAVAILABLE, "busy", &text).into())
        }
    }
}

/// An object with what it takes.
type Measured = (Arc<Object>, Size);

/// Memory up to which a folder is shown in each of its objects.
const FOLDER: u64 = 16 << 10;

/// Objects with their folders, in a list where all are asked for; nothing where the only one
/// is not there. No more than one of them is there at a time but for its text.
fn written(
    room: &Room,
    lens: &Lens,
    objects: &[Measured],
    folders: &[Measured],
    all: bool,
) -> Result<Option<Sheet>, Full> {
    let folders: HashMap<i64, Value> = folders
        .iter()
        .map(|(folder, size)| (folder.id, shown_in(folder, *size)))
        .collect();
    let mut sheet = room.sheet()?;
    let shown = objects.iter().filter(|(object, _)| Lens::shows(object));
    if !all && shown.clone().next().is_none() {
        return Ok(None);
    }
    sheet.values(all, shown, |(object, size)| {
        let see = || {
            let mut seen = lens.of(object);
            let id = object.number("folderId");
            let folder = folders.get(&id).filter(|_| id != NO_FOLDER).cloned();
            if let Some(seen) = seen.as_object_mut() {
                seen.insert("folder".to_owned(), folder.unwrap_or_else(|| json!({})));
            }
            seen
        };
        (size.shown().saturating_add(FOLDER), see)
    })?;
    Ok(Some(sheet))
}

/// A folder as it stands in each of its objects: one that a plugin has made large by its
/// name only.
fn shown_in(folder: &Object, size: Size) -> Value {
    if size.memory <= FOLDER {
        return view(folder, None);
    }
    json!({"class": "indigo.Folder", "id": folder.id, "name": folder.name()})
}
