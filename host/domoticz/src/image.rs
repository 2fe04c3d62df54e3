//! Custom icons: sets of three pictures that plugins and people bring in zip files.
//!
//! A set has a base name, by which plugins know it, and the number that devices store
//! plus [`FIRST`]. It belongs to the plugin that made it, by that plugin's whole key, or to
//! the operator. Two plugins may have sets of the same base, of which neither can change the
//! other's. A plugin sees its own sets, and those of the operator whose base starts with its key
//! (spec 2.3). The pictures are in the database and are served from there.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::icons::{self, IconSet};
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::pool::{Pool, PoolError};
use cordon_store::{Store, StoreError};

/// Added to the row id of a set to make the number that devices and plugins use: the lower numbers
/// are those of the hub's own pictures.
pub const FIRST: i64 = 100;

/// Owner of the sets that the operator brought.
const OPERATOR: &str = "";

/// Bytes that one file of the operator may bring.
const OPERATORS: u64 = 16 << 20;

/// Whether a base starts with the key of its owner, without regard to case in ASCII, in SQL.
const NAMED: &str = "(lower(substr(base, 1, length(owner))) = lower(owner))";

/// The fixed weight of a set in `stored-bytes`, beside its texts and pictures: a set without
/// pictures is a row as well.
const SET: u64 = 256;

/// A picture that clients have themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Number as devices store it.
    pub number: i64,
    /// Name of the picture.
    pub base: &'static str,
    /// Name for people.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($number:literal $base:literal $text:literal;)+) => {
        /// Pictures that clients have themselves, with Domoticz' numbers. No plugin has sets of
        /// these names.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            number: $number,
            base: $base,
            text: $text,
        },)+];
    };
}

built_in! {
    0 "Light" "Default";
    1 "WallSocket" "Wall Socket";
    2 "TV" "TV";
    3 "Harddisk" "Harddisk";
    4 "Printer" "Printer";
    5 "Amplifier" "Amplifier";
    6 "Computer" "Computer";
    7 "Fan" "Fan";
    8 "Speaker" "Speaker";
    9 "Generic" "Generic";
    10 "Fireplace" "Fireplace";
    11 "Water" "Water";
    12 "Media" "Media";
    13 "Alarm" "Alarm";
    14 "ChristmasTree" "Christmas Tree";
    15 "Heating" "Heating";
    16 "Cooling" "Cooling";
}

/// More of these pictures, which devices show by their type.
const BY_TYPE: [&str; 6] = ["blinds", "contact", "door", "media", "motion", "smoke"];

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
            check_base(&set.base)?;
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

/// The base of the set with this number, which a device shows; `None` where there is none.
///
/// # Errors
/// Errors of SQLite.
pub(super) fn base(connection: &Connection, id: i64) -> Result<Option<String>, rusqlite::Error> {
    if id < FIRST {
        return Ok(None);
    }
    let sql = "SELECT base FROM icon_sets WHERE id = ?1 - 100";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([id], |row| row.get(0)).optional()
}

/// Refuses the name of a picture that clients have: it would be shown for everybody's devices.
fn check_base(base: &str) -> Result<(), ImageError> {
    let mut built_in = BUILT_IN.iter().map(|icon| icon.base).chain(BY_TYPE);
    match built_in.any(|name| name.eq_ignore_ascii_case(base)) {
        true => Err(ImageError::BuiltIn(base.to_owned())),
        false => Ok(()),
    }
}

/// Writes the sets that are not there as they are.
fn put(connection: &Connection, owner: &str, sets: &[IconSet]) -> Result<Vec<Image>, ImageError> {
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
pub(super) fn set_weight(set: &IconSet) -> u64 {
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
fn weight_with(connection: &Connection, key: &str, sets: &[IconSet]) -> Result<u64, ImageError> {
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

fn from_sql(row: &rusqlite::Row<'_>) -> Result<Image, rusqlite::Error> {
    Ok(Image {
        id: row.get::<_, i64>(0)?.saturating_add(FIRST),
        base: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::super::icons::tests::{PNG, archive, files, zeros};
    use super::*;
    use cordon_base::limits::Limits;
    use cordon_base::pool::Pools;

    fn images(folder: &std::path::Path) -> Images {
        Images::new(Store::open(&folder.join("db"), &[crate::SCHEMA]).unwrap())
    }

    fn set(base: &str) -> Vec<u8> {
        archive(&format!("{base};Name;About"), &[base])
    }

    fn owner(key: &str) -> Owner {
        Owner {
            key: key.to_owned(),
            limit: 1 << 20,
            account: Account::new(&Limits::default()),
            pool: Pools::default().files,
        }
    }

    async fn create(images: &Images, key: &str, file: Vec<u8>) -> Result<Vec<Image>, ImageError> {
        let made = images.create(&owner(key), file).await;
        made.map(|(images, _)| images)
    }

    async fn bases(images: &Images, key: &str) -> Vec<String> {
        let (images, _) = images.of(&owner(key)).await.unwrap();
        images.into_iter().map(|image| image.base).collect()
    }

    #[tokio::test]
    async fn a_plugin_makes_sets_and_sees_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let made = create(&images, "kodi", set("KodiBlack")).await.unwrap();
        let expected = Image {
            id: 101,
            base: "KodiBlack".to_owned(),
            name: "Name".to_owned(),
            description: "About".to_owned(),
        };
        assert_eq!(made, [expected]);
        assert_eq!(images.of(&owner("kodi")).await.unwrap().0, made);
        assert!(bases(&images, "Other").await.is_empty());
        for icon in [Icon::Small, Icon::On, Icon::Off] {
            assert_eq!(images.icon(101, icon).await.unwrap().unwrap(), PNG);
        }
        assert_eq!(images.icon(1, Icon::On).await.unwrap(), None);
        let by_base = images.icon_of("KodiBlack", Icon::On).await.unwrap();
        assert_eq!(by_base.unwrap(), PNG);
    }

    #[tokio::test]
    async fn plugins_of_which_one_key_begins_the_other_share_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        // The shorter key comes first and takes the name; it does not keep it from anybody.
        let early = create(&images, "K", set("KodiWhite")).await.unwrap();
        let mine = create(&images, "Kodi", set("KodiBlack")).await.unwrap();
        let other = files(&[
            ("icons.txt", b"KodiBlack;REPLACED;D"),
            ("KodiBlack.png", &zeros(9)),
            ("KodiBlack48_On.png", &zeros(9)),
            ("KodiBlack48_Off.png", &zeros(9)),
        ]);
        let theirs = create(&images, "K", other.clone()).await.unwrap();
        assert_ne!(theirs[0].id, mine[0].id);
        assert_eq!(bases(&images, "Kodi").await, ["KodiBlack"]);
        let (seen, _) = images.of(&owner("Kodi")).await.unwrap();
        assert_eq!(seen, mine, "nothing of it was replaced");
        let shown = images.icon_of("KodiBlack", Icon::On).await.unwrap();
        assert_eq!(shown.unwrap(), PNG);
        for id in [mine[0].id, early[0].id + 50] {
            let removed = images.delete(Some("K"), id).await;
            assert_eq!(removed, Err(ImageError::Missing));
        }
        let removed = images.delete(Some("K"), early[0].id).await.unwrap();
        assert_eq!(removed.base, "KodiWhite");
        // The operator's set goes before both, and neither plugin can change it.
        images.upload(&Pools::default().files, other).await.unwrap();
        let shown = images.icon_of("KodiBlack", Icon::On).await.unwrap();
        assert_eq!(shown.unwrap(), zeros(9));
    }

    #[tokio::test]
    async fn a_base_need_not_start_with_the_key_and_is_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let other = |content: &[u8]| {
            files(&[
                ("icons.txt", b"heat;N;D"),
                ("heat.png", content),
                ("heat48_On.png", content),
                ("heat48_Off.png", content),
            ])
        };
        let first = create(&images, "Thermostat", other(&PNG)).await.unwrap();
        let second = create(&images, "LongestKeyOfAll", other(&zeros(9)))
            .await
            .unwrap();
        assert_ne!(first[0].id, second[0].id);
        assert_eq!(bases(&images, "Thermostat").await, ["heat"]);
        let shown = async || images.icon_of("heat", Icon::On).await.unwrap().unwrap();
        assert_eq!(shown().await, PNG, "the oldest");
        create(&images, "hea", other(&zeros(10))).await.unwrap();
        assert_eq!(shown().await, zeros(10), "the one that is named so");
        let removed = images.delete(Some("LongestKeyOfAll"), first[0].id).await;
        assert_eq!(removed, Err(ImageError::Missing));
    }

    #[tokio::test]
    async fn a_plugin_sees_what_the_operator_brought_and_does_not_change_it() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let brought = images
            .upload(&Pools::default().files, set("KodiBlue"))
            .await
            .unwrap();
        assert_eq!(bases(&images, "kodi").await, ["KodiBlue"]);
        assert!(bases(&images, "Other").await.is_empty());
        let removed = images.delete(Some("kodi"), brought[0].id).await;
        assert_eq!(removed, Err(ImageError::Missing));
        let made = create(&images, "kodi", set("KodiBlue")).await.unwrap();
        assert_ne!(made[0].id, brought[0].id);
        assert_eq!(
            images.of(&owner("kodi")).await.unwrap().0,
            made,
            "one of each base"
        );
        assert_eq!(
            images.delete(None, brought[0].id).await.unwrap().base,
            "KodiBlue"
        );
    }

    #[tokio::test]
    async fn no_plugin_has_the_names_of_pictures_that_everybody_has() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        for (key, base) in [("L", "Light"), ("tv", "TV"), ("m", "Motion")] {
            let refused = create(&images, key, set(base)).await;
            assert_eq!(refused, Err(ImageError::BuiltIn(base.to_owned())));
        }
        create(&images, "L", set("Light2")).await.unwrap();
    }

    #[tokio::test]
    async fn a_set_that_is_there_is_replaced_and_keeps_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        create(&images, "Kodi", set("Kodi")).await.unwrap();
        let again = archive("Kodi;New;Text", &["Kodi"]);
        let made = create(&images, "Kodi", again).await.unwrap();
        assert_eq!((made[0].id, made[0].name.as_str()), (101, "New"));
        images.describe(101, "N", "D").await.unwrap();
        assert_eq!(images.all().await.unwrap()[0].description, "D");
        assert_eq!(images.describe(9, "N", "D").await, Err(ImageError::Missing));
    }

    #[tokio::test]
    async fn a_set_that_is_the_same_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        let changes = async |file| {
            create(&images, "Kodi", file).await.unwrap();
            let written = images
                .store
                .write(|transaction| Ok::<_, StoreError>(transaction.total_changes()));
            written.await.unwrap()
        };
        let first = changes(set("Kodi")).await;
        assert_eq!(changes(set("Kodi")).await, first);
        assert_eq!(
            changes(archive("Kodi;New;About", &["Kodi"])).await,
            first + 1
        );
    }

    #[tokio::test]
    async fn a_plugin_removes_its_own_sets_only() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        create(&images, "Kodi", set("Kodi")).await.unwrap();
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
        let one = u64::try_from(3 * PNG.len() + 1 + "NameAbout".len()).unwrap() + SET;
        let tight = |key: &str, limit| Owner {
            limit,
            ..owner(key)
        };
        images.create(&tight("K", one), set("K")).await.unwrap();
        // The set comes again and counts once.
        images.create(&tight("K", one), set("K")).await.unwrap();
        let more = images.create(&tight("K", one + 1), set("KA")).await;
        let ImageError::Limit(hit) = more.unwrap_err() else {
            panic!("no limit");
        };
        assert_eq!((hit.which, hit.limit), ("stored-bytes", one + 1));
        assert_eq!(images.all().await.unwrap().len(), 1);
        images
            .create(&tight("Other", one + 4), set("Other"))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn what_is_listed_is_charged_first() {
        let folder = tempfile::tempdir().unwrap();
        let images = images(folder.path());
        create(&images, "Kodi", set("Kodi")).await.unwrap();
        let limits: Limits = toml::from_str("host-memory = 256").unwrap();
        let poor = Owner {
            account: Account::new(&limits),
            ..owner("Kodi")
        };
        assert!(matches!(images.of(&poor).await, Err(ImageError::Limit(_))));
        let (_, charge) = images.of(&owner("Kodi")).await.unwrap();
        assert!(charge.bytes() > SET);
    }
}
