//! The rows of icon sets in the database, and their weight against `stored-bytes`.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{FIRST, Image, ImageError};
use crate::icons::IconSet;

/// The fixed weight of a set in `stored-bytes`, beside its texts and pictures: a set without
/// pictures is a row as well.
pub(super) const SET: u64 = 256;

/// The base of the set with this number, which a device shows; `None` where there is none.
///
/// # Errors
/// Errors of SQLite.
pub(crate) fn base(connection: &Connection, id: i64) -> Result<Option<String>, rusqlite::Error> {
    if id < FIRST {
        return Ok(None);
    }
    let sql = "SELECT base FROM icon_sets WHERE id = ?1 - 100";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([id], |row| row.get(0)).optional()
}

/// Writes the sets that are not there as they are.
pub(super) fn put(
    connection: &Connection,
    owner: &str,
    sets: &[IconSet],
) -> Result<Vec<Image>, ImageError> {
    let sql = "INSERT INTO icon_sets
                   (owner, base, name, description, icon_small, icon_on, icon_off)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (owner, base) DO UPDATE SET name = excluded.name,
                   description = excluded.description, icon_small = excluded.icon_small,
                   icon_on = excluded.icon_on, icon_off = excluded.icon_off
               WHERE (name, description, icon_small, icon_on, icon_off)
                   IS NOT (excluded.name, excluded.description, excluded.icon_small,
                           excluded.icon_on, excluded.icon_off)";
    let mut write = connection.prepare_cached(sql)?;
    let sql = "SELECT id, base, name, description FROM icon_sets WHERE owner = ?1 AND base = ?2";
    let mut read = connection.prepare_cached(sql)?;
    let mut images = Vec::with_capacity(sets.len());
    for set in sets {
        let pictures = (&set.small, &set.on, &set.off);
        write.execute(params![
            owner,
            set.base,
            set.name,
            set.description,
            pictures.0,
            pictures.1,
            pictures.2
        ])?;
        images.push(read.query_row((owner, &set.base), from_sql)?);
    }
    Ok(images)
}

/// The weight of a set against the limit of its owner.
pub(crate) fn set_weight(set: &IconSet) -> u64 {
    let IconSet {
        base,
        name,
        description,
        small,
        on,
        off,
    } = set;
    let texts = [base, name, description].map(String::len);
    let pictures = [small, on, off].map(Vec::len);
    let lengths = texts.into_iter().chain(pictures);
    lengths.fold(SET, |sum, length| {
        sum.saturating_add(u64::try_from(length).unwrap_or(u64::MAX))
    })
}

/// The weight of all sets of a key once these are written. Reads no picture.
pub(super) fn weight_with(
    connection: &Connection,
    key: &str,
    sets: &[IconSet],
) -> Result<u64, ImageError> {
    let sql = format!(
        "SELECT base, {SET} + octet_length(base) + octet_length(name) + octet_length(description)
             + length(icon_small) + length(icon_on) + length(icon_off)
         FROM icon_sets WHERE owner = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([key])?;
    // A base that the file has twice is written twice and stays once.
    let new: HashMap<&str, u64> = sets
        .iter()
        .map(|set| (set.base.as_str(), set_weight(set)))
        .collect();
    let mut used = new
        .values()
        .fold(0_u64, |sum, weight| sum.saturating_add(*weight));
    while let Some(row) = rows.next()? {
        let base = row.get_ref(0)?.as_str().unwrap_or_default();
        if !new.contains_key(base) {
            let weight: i64 = row.get(1)?;
            used = used.saturating_add(weight.unsigned_abs());
        }
    }
    Ok(used)
}

pub(super) fn from_sql(row: &rusqlite::Row<'_>) -> Result<Image, rusqlite::Error> {
    Ok(Image {
        id: row.get::<_, i64>(0)?.saturating_add(FIRST),
        base: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
    })
}
