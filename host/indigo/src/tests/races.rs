//! Tests of changes to objects that others are changing.
//!
//! Nobody waits for another plugin's commands, and no change that was answered is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::database::{Database, Reference};
use super::super::fixture::Fixture;
use super::super::object::{Hidden, NO_FOLDER, Object};
use super::super::places::Place;
use super::super::table::Collection;
use super::super::weighed::Weighed;
use super::{USER, fixture, plugin, user};

const VARIABLES: Collection = Collection::Variables;

async fn variable(fixture: &Fixture, name: &str) -> i64 {
    let made = user(fixture, "variable.create", json!({"name": name})).await;
    made.unwrap()["id"].as_i64().unwrap()
}

/// All places of the fixture's plugin. Its changes wait until these are dropped.
async fn places(fixture: &Fixture) -> Vec<Place> {
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(fixture.plugin.places.take().await);
    }
    held
}

/// Begins a command of the plugin, which comes as far as its turn.
async fn begun(
    fixture: &Fixture,
    name: &'static str,
    arguments: Value,
) -> tokio::task::JoinHandle<Result<Value, super::Failure>> {
    let server = fixture.server.clone();
    let caller = Caller::Plugin(fixture.plugin.clone());
    let doing = async move { server.command(&caller, name, arguments).await };
    let begun = tokio::spawn(doing);
    tokio::time::sleep(Duration::from_millis(300)).await;
    begun
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbours_changes_do_not_wait_behind_the_commands_of_a_plugin() {
    let fixture = fixture().await;
    let (neighbour, calls) = fixture.join("com.example.neighbour");
    fixture.server.begin(&neighbour);
    neighbour.follow(VARIABLES);
    variable(&fixture, "large").await;
    // The commands of a plugin with many threads, one after the other.
    let pools = fixture.server.pools().clone();
    for _ in 0..16 {
        let (pools, account) = (pools.clone(), fixture.plugin.account.clone());
        let busy = || std::thread::sleep(Duration::from_millis(250));
        tokio::spawn(async move { pools.commands.run(&account, busy).await });
    }
    // A change that takes long to tell.
    let find = |database: &Database| {
        let wanted = Reference::Name("large".to_owned());
        Ok(database.get(VARIABLES.objects(), &wanted)?.clone())
    };
    let attacker = Caller::Plugin(fixture.plugin.clone());
    let many = Value::Array(vec![json!([]); 1000]);
    let changed = fixture.server.alter(&USER, None, find, |_, object| {
        object.set("sharedProps", json!({"many": many}));
        Ok(((), Vec::new()))
    });
    changed.await.unwrap();
    let changed = fixture.server.alter(&attacker, None, find, |_, object| {
        object.set("value", "by the attacker");
        Ok(((), Vec::new()))
    });
    changed.await.unwrap();
    let caller = Caller::Plugin(neighbour.clone());
    let start = Instant::now();
    for n in 0..12 {
        let made = json!({"name": format!("n{n}")});
        let server = &fixture.server;
        server
            .command(&caller, "variable.create", made)
            .await
            .unwrap();
    }
    let written = start.elapsed();
    let told = |name: &str| {
        let calls = calls.lock().unwrap();
        let one = |(call, arguments): &(String, Value)| {
            call == "variableCreated" && arguments["var"]["name"] == name
        };
        calls.iter().any(one)
    };
    while !told("n11") {
        assert!(start.elapsed() < Duration::from_secs(3), "no notice came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(written < Duration::from_millis(1500), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_one_object_lose_nothing() {
    let fixture = fixture().await;
    let id = variable(&fixture, "v").await;
    let (copied, has_copied) = tokio::sync::oneshot::channel();
    let (changed, has_changed) = std::sync::mpsc::channel::<()>();
    let server = fixture.server.clone();
    let slow = tokio::spawn(async move {
        let find = |database: &Database| {
            let wanted = Reference::Id(id);
            Ok(database.get(VARIABLES.objects(), &wanted)?.clone())
        };
        let mut first = Some((copied, has_changed));
        let mut attempts = 0;
        let altered = server.alter(&USER, None, find, |_, object| {
            attempts += 1;
            // While it holds its copy, another change comes first, once.
            if let Some((copied, has_changed)) = first.take() {
                copied.send(()).unwrap();
                has_changed.recv().unwrap();
            }
            object.set("description", "slow");
            Ok(((), Vec::new()))
        });
        altered.await.unwrap();
        attempts
    });
    has_copied.await.unwrap();
    let quick = json!({"id": id, "value": "quick"});
    user(&fixture, "variable.updateValue", quick).await.unwrap();
    changed.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), 2);
    let object = fixture.server.database().any(id).cloned().unwrap();
    assert_eq!(
        (object.text("value"), object.text("description")),
        ("quick", "slow")
    );
}

#[tokio::test]
async fn a_folder_takes_along_what_is_in_it_when_it_goes() {
    for all in [true, false] {
        let fixture = fixture().await;
        let folder = json!({"name": "f"});
        user(&fixture, "variables.folder.create", folder)
            .await
            .unwrap();
        let ids = [
            variable(&fixture, "leaves").await,
            variable(&fixture, "comes").await,
        ];
        let to = |id: i64, folder: Value| json!({"id": id, "value": folder});
        let inside = to(ids[0], json!("f"));
        user(&fixture, "variable.moveToFolder", inside)
            .await
            .unwrap();
        let held = places(&fixture).await;
        let gone = json!({"id": "f", "deleteAllChildren": all});
        let deleting = begun(&fixture, "variables.folder.delete", gone).await;
        for moved in [to(ids[0], json!(0)), to(ids[1], json!("f"))] {
            user(&fixture, "variable.moveToFolder", moved)
                .await
                .unwrap();
        }
        drop(held);
        deleting.await.unwrap().unwrap();
        let database = fixture.server.database();
        assert!(database.list(VARIABLES.folders()).next().is_none());
        assert!(database.any(ids[0]).is_some(), "it was moved out before");
        assert_eq!(database.any(ids[1]).is_some(), !all);
        let mut left = database.list(VARIABLES.objects());
        assert!(left.all(|it| it.number("folderId") == NO_FOLDER));
    }
}

#[tokio::test]
async fn nothing_is_moved_into_a_folder_that_has_gone() {
    let fixture = fixture().await;
    let id = variable(&fixture, "v").await;
    user(&fixture, "variables.folder.create", json!({"name": "f"}))
        .await
        .unwrap();
    let held = places(&fixture).await;
    let into = json!({"id": id, "value": "f"});
    let moving = begun(&fixture, "variable.moveToFolder", into).await;
    user(&fixture, "variables.folder.delete", json!({"id": "f"}))
        .await
        .unwrap();
    drop(held);
    assert!(moving.await.unwrap().is_err());
    let object = fixture.server.database().any(id).cloned().unwrap();
    assert_eq!(object.number("folderId"), NO_FOLDER);
}

fn named(id: i64, name: &str) -> Object {
    Object {
        id,
        table: VARIABLES.objects(),
        fields: super::super::command::fields(name, "", 0),
        hidden: Hidden::default(),
    }
}

#[test]
fn a_save_that_failed_takes_back_no_newer_change() {
    let mut database = Database::default();
    let find = |database: &Database, name: &str| {
        let wanted = Reference::Name(name.to_owned());
        database.find(VARIABLES.objects(), &wanted).map(|it| it.id)
    };
    let id = database.add(named(0, "a"));
    let put = |database: &mut Database, name: &str| {
        database.put(id, Some(Weighed::new(named(id, name)).into()));
        database.versions(vec![id]).remove(0)
    };
    let failed = put(&mut database, "b");
    let newer = put(&mut database, "c");
    let stored = || Some(Weighed::loaded(named(id, "a")));
    database.restore(&failed, stored());
    assert_eq!(find(&database, "c"), Some(id));
    // A change that could not be written is taken back, but the name is not taken from another
    // object.
    let other = database.add(named(0, "a"));
    database.restore(&newer, stored());
    assert_eq!(database.any(id).unwrap().name(), "a");
    assert_eq!(
        (find(&database, "a"), find(&database, "c")),
        (Some(other), None)
    );
    put(&mut database, "d");
    assert_eq!(
        (find(&database, "a"), find(&database, "d")),
        (Some(other), Some(id))
    );
}

#[tokio::test]
async fn a_change_that_was_not_stored_did_not_happen() {
    let fixture = fixture().await;
    let id = variable(&fixture, "v").await;
    refuse_writes(&fixture).await;
    let value = json!({"id": id, "value": "x"});
    assert!(
        user(&fixture, "variable.updateValue", value).await.is_err(),
        "it was stored"
    );
    assert!(
        plugin(&fixture, "variable.delete", json!({"id": id}))
            .await
            .is_err()
    );
    let object = fixture.server.database().any(id).cloned().unwrap();
    assert_eq!((object.name(), object.text("value")), ("v", ""));
}

/// From here on no object that is stored is written again or removed.
pub(super) async fn refuse_writes(fixture: &Fixture) {
    let refuse = "CREATE TRIGGER no_update BEFORE UPDATE ON indigo_objects
                  BEGIN SELECT RAISE(ABORT, 'no'); END;
                  CREATE TRIGGER no_delete BEFORE DELETE ON indigo_objects
                  BEGIN SELECT RAISE(ABORT, 'no'); END;";
    let refused = fixture.store.write(move |writing| {
        writing.execute_batch(refuse)?;
        Ok::<_, cordon_store::StoreError>(())
    });
    refused.await.unwrap();
}
