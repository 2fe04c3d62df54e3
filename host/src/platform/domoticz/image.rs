//! Custom icons: sets of three pictures that plugins and people bring in zip files.
//!
//! A set has a base name, by which plugins know it, and the number that devices store
//! plus [`FIRST`]. A plugin sees and changes only the sets whose base starts with its
//! key (spec 2.3 and 4.7). The pictures are in the database and are served from there.

use rusqlite::{Connection, OptionalExtension};

use super::icons::{self, IconSet};
use crate::error::LimitHit;
use crate::store::{Store, StoreError};

/// What is added to the row id of a set to make the number that devices and plugins
/// use: the lower ones are those of the hub's own pictures.
pub const FIRST: i64 = 100;

/// Sets that are read at once by whoever asks.
const BRIEF: usize = 32;

/// A set of icons without its pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Number as devices store it, from [`FIRST`] on.
    pub id: i64,
    /// The name by which plugins know it.
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
    /// The base belongs to another plugin.
    #[error("base `{base}` does not start with `{key}`, the key of the plugin")]
    NotOwn {
        /// The base in the file.
        base: String,
        /// What it must start with.
        key: String,
    },
    /// There is no such set, or not of this plugin.
    #[error("there is no such image")]
    Missing,
    /// A limit of the instance.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The store failed.
    #[error("the store is not available: {0}")]
    Unavailable(#[from] StoreError),
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

    /// The same sets by way of another handle on the store: that of an instance.
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
        self.select(None).await
    }

    /// The sets of the plugin with this key, by number.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn of(&self, key: &str) -> Result<Vec<Image>, StoreError> {
        self.select(Some(key.to_owned())).await
    }

    /// The sets of one key, or of all. Plugins choose how many there are, so the thread of
    /// the caller reads few only.
    async fn select(&self, key: Option<String>) -> Result<Vec<Image>, StoreError> {
        let wanted = key.clone();
        let few = self
            .store
            .read_brief(move |connection| select(connection, wanted.as_deref(), BRIEF));
        if let Some(few) = few.await? {
            return Ok(few);
        }
        let all = self
            .store
            .read(move |connection| select(connection, key.as_deref(), usize::MAX));
        Ok(all.await?.unwrap_or_default())
    }

    /// A picture of the set with this number, as PNG.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn icon(&self, id: i64, icon: Icon) -> Result<Option<Vec<u8>>, StoreError> {
        let condition = "id = ?1 - 100";
        self.picture(condition, id, icon).await
    }

    /// A picture of the set with this base, as PNG.
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
                let sql = format!("SELECT {column} FROM images WHERE {condition}");
                let mut statement = connection.prepare_cached(&sql)?;
                Ok(statement.query_row([value], |row| row.get(0)).optional()?)
            })
            .await
    }

    /// Stores the sets in a zip file of a plugin with this key; those whose base is
    /// there already are replaced. Returns them in the order of the file. `limit` is
    /// the bytes of all sets of the key together.
    ///
    /// # Errors
    /// Any [`ImageError`]; nothing is stored then.
    pub async fn create(
        &self,
        key: &str,
        archive: Vec<u8>,
        limit: u64,
    ) -> Result<Vec<Image>, ImageError> {
        let sets = unpack(archive).await?;
        if let Some(set) = sets.iter().find(|set| !is_own(&set.base, key)) {
            return Err(ImageError::NotOwn {
                base: set.base.clone(),
                key: key.to_owned(),
            });
        }
        let key = key.to_owned();
        self.store
            .write(move |transaction| {
                transaction.wrote(sets.iter().map(size).sum());
                let images = put(transaction, &sets)?;
                let used = weight(transaction, &key)?;
                if used > limit {
                    let which = "stored-bytes";
                    return Err(LimitHit { which, used, limit }.into());
                }
                Ok(images)
            })
            .await
    }

    /// Stores the sets in a zip file that the operator brought, whatever their bases.
    ///
    /// # Errors
    /// [`ImageError::Invalid`], [`ImageError::Unavailable`].
    pub async fn upload(&self, archive: Vec<u8>) -> Result<Vec<Image>, ImageError> {
        let sets = unpack(archive).await?;
        self.store
            .write(move |transaction| put(transaction, &sets))
            .await
    }

    /// Removes a set of the plugin with this key; of any for `None`, which is the
    /// operator. Devices that show it keep its number.
    ///
    /// # Errors
    /// [`ImageError::Missing`], [`ImageError::Unavailable`].
    pub async fn delete(&self, key: Option<&str>, id: i64) -> Result<Image, ImageError> {
        let key = key.map(str::to_owned);
        self.store
            .write(move |transaction| {
                let sql = "DELETE FROM images WHERE id = ?1 - 100
                           RETURNING id, base, name, description";
                let removed = transaction
                    .prepare_cached(sql)?
                    .query_row([id], from_sql)
                    .optional()?;
                removed
                    .filter(|image| key.is_none_or(|key| is_own(&image.base, &key)))
                    .ok_or(ImageError::Missing)
            })
            .await
    }

    /// Changes what people read of a set.
    ///
    /// # Errors
    /// [`ImageError::Missing`], [`ImageError::Unavailable`].
    pub async fn describe(&self, id: i64, name: &str, description: &str) -> Result<(), ImageError> {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.store
            .write(move |transaction| {
                let sql = "UPDATE images SET name = ?2, description = ?3 WHERE id = ?1 - 100";
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

/// Whether a base is one of the plugin with this key (spec 2.3: no difference between
/// upper and lower case in ASCII).
fn is_own(base: &str, key: &str) -> bool {
    let start = base.get(..key.len());
    !key.is_empty() && start.is_some_and(|start| start.eq_ignore_ascii_case(key))
}

/// Unpacks beside the runtime's own threads.
async fn unpack(archive: Vec<u8>) -> Result<Vec<IconSet>, ImageError> {
    let unpacked = tokio::task::spawn_blocking(move || icons::read(&archive)).await;
    let failed = || ImageError::Invalid("the file could not be unpacked".to_owned());
    unpacked.map_err(|_| failed())?.map_err(ImageError::Invalid)
}

fn put(connection: &Connection, sets: &[IconSet]) -> Result<Vec<Image>, ImageError> {
    let sql = "INSERT INTO images (base, name, description, icon_small, icon_on, icon_off)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (base) DO UPDATE SET name = excluded.name,
                   description = excluded.description, icon_small = excluded.icon_small,
                   icon_on = excluded.icon_on, icon_off = excluded.icon_off
               RETURNING id, base, name, description";
    let mut statement = connection.prepare_cached(sql)?;
    let stored = sets.iter().map(|set| {
        let texts = (&set.base, &set.name, &set.description);
        let values = (texts.0, texts.1, texts.2, &set.small, &set.on, &set.off);
        statement.query_row(values, from_sql)
    });
    Ok(stored.collect::<Result<_, _>>()?)
}

/// Bytes of a set.
fn size(set: &IconSet) -> u64 {
    let texts = set.base.len() + set.name.len() + set.description.len();
    let pictures = set.small.len() + set.on.len() + set.off.len();
    u64::try_from(texts + pictures).unwrap_or(u64::MAX)
}

/// Bytes of all sets of a key.
fn weight(connection: &Connection, key: &str) -> Result<u64, ImageError> {
    let sql = "SELECT base, octet_length(base) + octet_length(name) + octet_length(description)
                   + length(icon_small) + length(icon_on) + length(icon_off) FROM images";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let mut used = 0_u64;
    for row in rows {
        let (base, bytes) = row?;
        if is_own(&base, key) {
            used = used.saturating_add(bytes.unsigned_abs());
        }
    }
    Ok(used)
}

/// The sets of one key, or of all; `None` when there are more than `most` in the store.
fn select(
    connection: &Connection,
    key: Option<&str>,
    most: usize,
) -> Result<Option<Vec<Image>>, StoreError> {
    let sql = "SELECT id, base, name, description FROM images ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let (mut found, mut seen) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        seen = seen.saturating_add(1);
        if seen > most {
            return Ok(None);
        }
        let base = row.get_ref(1)?.as_str().unwrap_or_default();
        if key.is_none_or(|key| is_own(base, key)) {
            found.push(from_sql(row)?);
        }
    }
    Ok(Some(found))
}

fn from_sql(row: &rusqlite::Row<'_>) -> Result<Image, rusqlite::Error> {
    Ok(Image {
        id: row.get::<_, i64>(0)?.saturating_add(FIRST),
        base: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::super::icons::tests::{PNG, archive};
    use super::*;

    fn images(folder: &std::path::Path) -> Images {
        Images::new(Store::open(&folder.join("db")).unwrap())
    }

    fn set(base: &str) -> Vec<u8> {
        archive(&format!("{base};Name;About"), &[base])
    }

    #[tokio::test]
    async fn a_plugin_has_the_sets_whose_base_starts_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let made = images
            .create("kodi", set("KodiBlack"), 1 << 20)
            .await
            .unwrap();
        let expected = Image {
            id: 101,
            base: "KodiBlack".to_owned(),
            name: "Name".to_owned(),
            description: "About".to_owned(),
        };
        assert_eq!(made, [expected]);
        assert_eq!(images.of("Kodi").await.unwrap(), made);
        assert_eq!(images.of("Other").await.unwrap(), []);
        let refused = images.create("Other", set("KodiBlack"), 1 << 20).await;
        assert!(matches!(refused, Err(ImageError::NotOwn { .. })));
        for icon in [Icon::Small, Icon::On, Icon::Off] {
            assert_eq!(images.icon(101, icon).await.unwrap().unwrap(), PNG);
        }
        assert_eq!(images.icon(1, Icon::On).await.unwrap(), None);
        let by_base = images.icon_of("KodiBlack", Icon::On).await.unwrap();
        assert_eq!(by_base.unwrap(), PNG);
    }

    #[tokio::test]
    async fn a_set_that_is_there_is_replaced_and_keeps_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        images.upload(set("Kodi")).await.unwrap();
        let again = archive("Kodi;New;Text", &["Kodi"]);
        let made = images.create("Kodi", again, 1 << 20).await.unwrap();
        assert_eq!((made[0].id, made[0].name.as_str()), (101, "New"));
        images.describe(101, "N", "D").await.unwrap();
        assert_eq!(images.all().await.unwrap()[0].description, "D");
        assert_eq!(images.describe(9, "N", "D").await, Err(ImageError::Missing));
    }

    #[tokio::test]
    async fn a_plugin_removes_its_own_sets_only() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        images.upload(set("Kodi")).await.unwrap();
        assert_eq!(
            images.delete(Some("Other"), 101).await,
            Err(ImageError::Missing)
        );
        assert_eq!(images.all().await.unwrap().len(), 1);
        assert_eq!(images.delete(Some("Kodi"), 101).await.unwrap().base, "Kodi");
        assert_eq!(images.delete(None, 101).await, Err(ImageError::Missing));
    }

    #[tokio::test]
    async fn all_sets_of_a_key_count_against_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let one = u64::try_from(3 * PNG.len() + 1 + "NameAbout".len()).unwrap();
        images.create("K", set("K"), one).await.unwrap();
        let refused = images.create("K", set("KA"), one).await.unwrap_err();
        let ImageError::Limit(hit) = refused else {
            panic!("{refused}");
        };
        assert_eq!((hit.which, hit.limit), ("stored-bytes", one));
        assert_eq!(images.all().await.unwrap().len(), 1);
        images.create("Other", set("Other"), one + 4).await.unwrap();
    }
}
