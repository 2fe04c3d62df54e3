//! `/v2/api/indigo.devices` and so on: objects as JSON.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Early, Reply, error};
use super::keys::Wanted;
use super::lens::Lens;
use crate::IndigoServer;
use crate::object::{NO_FOLDER, Object};
use crate::table::{Collection, Table};
use crate::view::view;
use cordon_web::budget;
use cordon_web::rows::{Commas, Framed, PIECE, Pieces};

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
    let shown = |object: &&Arc<Object>| object.table == table && Lens::shows(object);
    let ids: Vec<i64> = {
        let database = api.server.database();
        match id {
            None => database.list(table).filter(shown).map(|it| it.id).collect(),
            Some(id) => {
                let found = id.parse().ok().and_then(|id| database.any(id));
                found.filter(shown).map(|it| it.id).into_iter().collect()
            }
        }
    };
    if id.is_some() && ids.is_empty() {
        let text = "there is no object with this id in the collection";
        return Err(missing(text));
    }
    let lens = Lens::new(&api.server, rights);
    let seen = Box::new(Seen {
        server: Arc::clone(&api.server),
        lens: Arc::new(lens),
        table,
        ids: ids.into(),
        commas: Commas::default(),
    });
    let pieces: Box<dyn Pieces> = match id {
        None => Box::new(Framed::new("[".to_owned(), seen, "]")),
        Some(_) => seen,
    };
    let Some((length, pieces)) = api.share(asked).send(pieces, 0).await else {
        return Ok(budget::full());
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let body = Body::from_stream(pieces.map(Ok::<_, Infallible>));
    let mut answer = (headers, body).into_response();
    if let Some(length) = length {
        let length = HeaderValue::from(length);
        answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    Ok(answer)
}

/// Objects with their folders, each as it is when it is sent; one that is gone by then is
/// left out.
struct Seen {
    server: Arc<IndigoServer>,
    lens: Arc<Lens>,
    table: Table,
    ids: VecDeque<i64>,
    commas: Commas,
}

impl Pieces for Seen {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let (server, lens, table) =
                (Arc::clone(&self.server), Arc::clone(&self.lens), self.table);
            let mut ids = std::mem::take(&mut self.ids);
            let mut commas = std::mem::take(&mut self.commas);
            let mut made = std::mem::take(piece);
            let work = move || {
                while made.len() < PIECE {
                    let Some(id) = ids.pop_front() else { break };
                    if let Some(object) = object(&server, &lens, table, id) {
                        commas.before(&mut made);
                        made.push_str(&object.to_string());
                    }
                }
                (made, ids, commas)
            };
            // As large as plugins make their objects: not on a thread that serves others.
            let commands = &self.server.pools().commands;
            let done = commands.run(self.server.own_account(), work).await;
            let Ok((made, ids, commas)) = done else {
                return false;
            };
            (*piece, self.ids, self.commas) = (made, ids, commas);
            !self.ids.is_empty()
        })
    }

    fn weight(&self) -> usize {
        self.ids.len().saturating_mul(size_of::<i64>())
    }
}

fn object(server: &IndigoServer, lens: &Lens, table: Table, id: i64) -> Option<Value> {
    // What is shared is taken under the lock, what is large is made without it.
    let (object, folder) = {
        let database = server.database();
        let object = database.any(id).filter(|it| it.table == table)?;
        let folder = object.number("folderId");
        let folder = database.any(folder).filter(|_| folder != NO_FOLDER);
        let folder = folder.filter(|it| it.table.folders);
        (Arc::clone(object), folder.cloned())
    };
    let mut seen = lens.of(&object);
    if let Some(seen) = seen.as_object_mut() {
        let folder = folder.map(|folder| view(&folder, None));
        seen.insert("folder".to_owned(), folder.unwrap_or_else(|| json!({})));
    }
    Some(seen)
}
