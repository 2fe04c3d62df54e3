//! Custom icons: sets of three pictures that plugins and people bring in zip files.
//!
//! A set has a base name, by which plugins know it, and the number that devices store
//! plus [`FIRST`]. It belongs to the plugin that made it, by that plugin's whole key, or to
//! the operator. Two plugins may have sets of the same base, of which neither can change the
//! other's. A plugin sees its own sets, and those of the operator whose base starts with its key
//! (spec 2.3). The pictures are in the database and are served from there.

mod built_in;
mod rows;

use std::sync::Arc;

use rusqlite::OptionalExtension;

use super::icons;
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::pool::{Pool, PoolError};
use cordon_store::{Store, StoreError};
use rows::{SET, from_sql, put, weight_with};

pub use built_in::{BUILT_IN, BuiltIn};
pub(crate) use rows::{base, set_weight};

/// Added to the row id of a set to make the number that devices and plugins use: the lower numbers
/// are those of the hub's own pictures.
pub const FIRST: i64 = 100;

/// Owner of the sets that the operator brought.
const OPERATOR: &str = "";

/// Bytes that one file of the operator may bring.
const OPERATORS: u64 = 16 << 20;

/// Whether a base starts with the key of its owner, without regard to case in ASCII, in SQL.
const NAMED: &str = "(lower(substr(base, 1, length(owner))) = lower(owner))";

/// A set of icons without its pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Number as devices store it, from [`FIRST`] on.
    pub id: i64,
    /// The name by which plugins know the set.
    pub base: String,
    /// Name for people.
    pub name: String,
    /// More for people.
    pub description: String,
}

/// Which picture of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// 16 by 16 points, `<base>.png`.
    Small,
    /// 48 by 48 points, `<base>48_On.png`.
    On,
    /// 48 by 48 points, `<base>48_Off.png`.
    Off,
}

/// Why a set was not stored or removed; the store is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file is no set of icons; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// The base is that of a picture that clients have themselves.
    #[error("base `{0}` is the name of a picture that every client has; choose another")]
    BuiltIn(String),
    /// There is no such set, or not of this plugin.
    #[error("there is no such image")]
    Missing,
    /// A limit of the instance.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The file could not be unpacked for want of a thread.
    #[error(transparent)]
    Busy(#[from] PoolError),
    /// The store failed.
    #[error("the store is not available: {0}")]
    Unavailable(#[from] StoreError),
}

/// A plugin that makes or lists sets, with its limit and account.
#[derive(Clone)]
pub struct Owner {
    /// Key of the plugin.
    pub key: String,
    /// Bytes of all sets of the key together.
    pub limit: u64,
    /// Who pays for the work and the memory.
    pub account: Arc<Account>,
    /// Where files are unpacked.
    pub pool: Pool,
}

impl From<rusqlite::Error> for ImageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// The icon sets in a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Images {
    store: Store,
}

impl Images {
    /// The icon sets in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// These sets by way of another handle on the store: the handle of an instance.
    #[must_use]
    pub fn through(&self, store: &Store) -> Self {
        Self {
            store: store.clone(),
        }
    }

    /// All sets, by number.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn all(&self) -> Result<Vec<Image>, StoreError> {
        self.store
            .read(|connection| {
                let sql = "SELECT id, base, name, description FROM icon_sets ORDER BY id";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map([], from_sql)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The sets that a plugin sees, by number, and the charge for them. They are its own sets, and
    /// those of the operator whose base starts with its key and is not one of its own.
    ///
    /// # Errors
    /// [`ImageError::Limit`] for `host-memory`, [`ImageError::Unavailable`].
    pub async fn of(&self, owner: &Owner) -> Result<(Vec<Image>, Charge), ImageError> {
        let owner = owner.clone();
        self.store
            .read(move |connection| {
                let condition = "FROM icon_sets WHERE owner = ?1 OR owner = ''
                    AND lower(substr(base, 1, length(?1))) = lower(?1)
                    AND base NOT IN (SELECT base FROM icon_sets WHERE owner = ?1)";
                let sql = format!(
                    "SELECT coalesce(sum({SET} + octet_length(base) + octet_length(name)
                         + octet_length(description)), 0) {condition}"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let bytes: i64 = statement.query_row([&owner.key], |row| row.get(0))?;
                let charge = owner.account.charge(bytes.unsigned_abs())?;
                let sql = format!("SELECT id, base, name, description {condition} ORDER BY id");
                let mut statement = connection.prepare_cached(&sql)?;
                let rows = statement.query_map([&owner.key], from_sql)?;
                Ok((rows.collect::<Result<_, _>>()?, charge))
            })
            .await
    }

    /// A picture of the set with this number.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn icon(&self, id: i64, icon: Icon) -> Result<Option<Vec<u8>>, StoreError> {
        let condition = "id = ?1 - 100";
        self.picture(condition, id, icon).await
    }

    /// A picture of the set with this base. Of several sets the operator's is taken, else that of
    /// the plugin that the base is named after, which is the one with the longest key that the
    /// base starts with, else the oldest.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn icon_of(&self, base: &str, icon: Icon) -> Result<Option<Vec<u8>>, StoreError> {
        self.picture("base = ?1", base.to_owned(), icon).await
    }

    async fn picture(
        &self,
        condition: &'static str,
        value: impl rusqlite::ToSql + Send + 'static,
        icon: Icon,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let column = match icon {
            Icon::Small => "icon_small",
            Icon::On => "icon_on",
            Icon::Off => "icon_off",
        };
        self.store
            .read(move |connection| {
                let sql = format!(
                    "SELECT {column} FROM icon_sets WHERE {condition}
                     ORDER BY owner <> '', {NAMED} DESC, {NAMED} * length(owner) DESC, id LIMIT 1"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                Ok(statement.query_row([value], |row| row.get(0)).optional()?)
            })
            .await
    }

    /// Stores the sets in a zip file of a plugin; those of its own that are there already are
    /// replaced. Returns the sets in the order of the file, and the charge for them.
    ///
    /// # Errors
    /// Any [`ImageError`]; nothing is stored then.
    pub async fn create(
        &self,
        owner: &Owner,
        archive: Vec<u8>,
    ) -> Result<(Vec<Image>, Charge), ImageError> {
        let bytes = u64::try_from(archive.len()).unwrap_or(u64::MAX);
        let mut charge = owner.account.charge(bytes)?;
        let limit = owner.limit;
        let unpack = move || Ok((icons::read(&archive, limit, &mut charge)?, charge));
        let unpacked: Result<_, ImageError> = owner.pool.run(&owner.account, unpack).await?;
        let (sets, charge) = unpacked?;
        for set in &sets {
            built_in::check_base(&set.base)?;
        }
        let key = owner.key.clone();
        let images = self.store.write(move |transaction| {
            transaction.wrote(sets.iter().map(set_weight).sum());
            let used = weight_with(transaction, &key, &sets)?;
            if used > limit {
                let which = "stored-bytes";
                return Err(LimitHit { which, used, limit }.into());
            }
            put(transaction, &key, &sets)
        });
        Ok((images.await?, charge))
    }

    /// Stores the sets in a zip file that the operator brought, whatever their bases; `pool`
    /// unpacks it.
    ///
    /// # Errors
    /// [`ImageError::Invalid`], [`ImageError::Limit`], [`ImageError::Busy`],
    /// [`ImageError::Unavailable`].
    pub async fn upload(&self, pool: &Pool, archive: Vec<u8>) -> Result<Vec<Image>, ImageError> {
        let account = Account::of_hub();
        let mut charge = account.charge(0)?;
        let unpack = move || icons::read(&archive, OPERATORS, &mut charge);
        let sets = pool.run(&account, unpack).await??;
        self.store
            .write(move |transaction| put(transaction, OPERATOR, &sets))
            .await
    }

    /// Removes a set of the plugin with this key; of any for `None`, which is the
    /// operator. Devices that show it keep its number.
    ///
    /// # Errors
    /// [`ImageError::Missing`], [`ImageError::Unavailable`].
    pub async fn delete(&self, key: Option<&str>, id: i64) -> Result<Image, ImageError> {
        let key = key.map(str::to_owned);
        let changes = self.store.changes().clone();
        self.store
            .write(move |transaction| {
                // Lists name the picture of each device.
                let sql = "SELECT id FROM devices WHERE image = ?1";
                let mut statement = transaction.prepare_cached(sql)?;
                let mut shown = statement.query([id])?;
                while let Some(row) = shown.next()? {
                    changes.mark(row.get(0)?);
                }
                let sql = "DELETE FROM icon_sets
                           WHERE id = ?1 - 100 AND owner = coalesce(?2, owner)
                           RETURNING id, base, name, description";
                let removed = transaction
                    .prepare_cached(sql)?
                    .query_row((id, key), from_sql)
                    .optional()?;
                removed.ok_or(ImageError::Missing)
            })
            .await
    }

    /// Changes the name and the description of a set.
    ///
    /// # Errors
    /// [`ImageError::Missing`], [`ImageError::Unavailable`].
    pub async fn describe(&self, id: i64, name: &str, description: &str) -> Result<(), ImageError> {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.store
            .write(move |transaction| {
                let sql = "UPDATE icon_sets SET name = ?2, description = ?3 WHERE id = ?1 - 100";
                let changed = transaction
                    .prepare_cached(sql)?
                    .execute((id, name, description))?;
                match changed {
                    0 => Err(ImageError::Missing),
                    _ => Ok(()),
                }
            })
            .await
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
