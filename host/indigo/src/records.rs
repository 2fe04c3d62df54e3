//! Objects in the store: one row each, its attributes as JSON.

use rusqlite::{Connection, OptionalExtension, params};

use super::bounds::count;
use super::database::Row;
use super::object::Object;
use super::table::{Collection, Table};
use cordon_store::{StoreError, Writing};

/// Reads every object.
///
/// # Errors
///
/// What the store says; a row that cannot be understood, which only another program
/// could have written.
pub fn load(connection: &Connection) -> Result<Vec<Object>, StoreError> {
    let mut statement = connection
        .prepare("SELECT id, collection, folder, json FROM indigo_objects ORDER BY id")?;
    let rows = statement.query_map([], read)?;
    let mut objects = Vec::new();
    for row in rows {
        match row? {
            Some(object) => objects.push(object),
            None => tracing::error!("an object of the store cannot be read; it is left alone"),
        }
    }
    Ok(objects)
}

/// Reads one object again.
///
/// # Errors
///
/// What the store says.
pub fn load_one(connection: &Connection, id: i64) -> Result<Option<Object>, StoreError> {
    let sql = "SELECT id, collection, folder, json FROM indigo_objects WHERE id = ?1";
    let found = connection.query_row(sql, [id], read).optional()?;
    Ok(found.flatten())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Object>> {
    let id: i64 = row.get(0)?;
    let collection: String = row.get(1)?;
    let folders: bool = row.get(2)?;
    let json: String = row.get(3)?;
    let Some(collection) = Collection::of_name(&collection) else {
        return Ok(None);
    };
    let table = Table {
        collection,
        folders,
    };
    Ok(Object::from_json(id, table, &json).ok())
}

/// Writes the texts of objects, and removes those that are gone.
///
/// # Errors
///
/// What the store says.
pub fn save(transaction: &Writing<'_>, rows: &[(i64, Option<Row>)]) -> Result<(), StoreError> {
    let mut put = transaction.prepare_cached(
        "INSERT INTO indigo_objects (id, collection, folder, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET json = excluded.json",
    )?;
    let mut remove = transaction.prepare_cached("DELETE FROM indigo_objects WHERE id = ?1")?;
    for (id, row) in rows {
        match row {
            Some(row) => {
                let collection = row.table.collection.name();
                transaction.wrote(count(row.text.len()));
                put.execute(params![id, collection, row.table.folders, &*row.text])?;
            }
            None => {
                remove.execute([id])?;
            }
        }
    }
    Ok(())
}

/// The last id that was ever given out, so that none comes twice.
///
/// # Errors
///
/// What the store says.
pub fn last_id(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'indigo_objects'";
    let found = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(0))
}
