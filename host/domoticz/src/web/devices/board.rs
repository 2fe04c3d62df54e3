//! A copy of the device table for clients, made anew for the rows that changed.
//!
//! The copy has two things of each row: the fields that lists choose and sort by, and its JSON.
//! [`cordon_store::Changes`] says which rows to read again, so an answer has every change that was
//! answered before it was asked for. Two things are no change of a row: the names of hardware,
//! which are put in with each answer, and the day, at whose begin all is made anew (counters show
//! the use of the day).
//!
//! Bounded: a long row is kept without its JSON, and so are those beyond [`KEPT`] bytes
//! in all, of which no hardware has more than its part. Whoever lists them reads them again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, Zoned};

use super::super::commands::midnight;
use super::row;
use crate::kind::{self, Tab};
use crate::{Device, DeviceError, DeviceTable, Shown};
use cordon_base::account::Account;
use cordon_base::pool::Pool;
use cordon_store::Changes;

/// Bytes of text in all that are kept.
const KEPT: usize = 48 << 20;
/// Hardware that have room when each takes as much as it can.
const PARTS: usize = 8;
/// Bytes of the texts of a row whose JSON is kept.
const LONG: u64 = 16 << 10;
/// Bytes of a name that count for the order.
const NAME: usize = 256;

/// The copy. Clones share it.
#[derive(Clone)]
pub struct Board {
    inner: Arc<Inner>,
}

struct Inner {
    devices: DeviceTable,
    /// The threads that put a long row together, and the account that pays.
    commands: Pool,
    account: Arc<Account>,
    kept: usize,
    rows: Mutex<Arc<Rows>>,
    /// Held by whoever makes the next copy.
    turn: tokio::sync::Mutex<()>,
}

/// All rows as of one moment.
#[derive(Debug, Default)]
pub(in crate::web) struct Rows {
    /// Changes from this moment on are not in the copy.
    moment: u64,
    /// When the day of the copy began, in Unix seconds.
    day: i64,
    by_id: Vec<Arc<Entry>>,
    by_name: Vec<Arc<Entry>>,
}

/// The facts about a row that are known without reading it.
#[derive(Debug)]
pub(in crate::web) struct Entry {
    pub id: i64,
    pub hardware: u32,
    pub used: bool,
    pub favorite: bool,
    /// Whether the name of the device begins with `$`.
    pub hidden: bool,
    pub switch: bool,
    pub temperature: bool,
    pub weather: bool,
    /// Steps of the device's level, where it has one.
    pub steps: Option<i64>,
    pub main: &'static str,
    pub sub: &'static str,
    pub updated: Timestamp,
    /// The name in lower case, cut.
    order: Box<str>,
    /// Name and JSON; `None` when they are too long to be kept.
    pub texts: Option<Texts>,
}

/// The texts of a row.
#[derive(Debug)]
pub(in crate::web) struct Texts {
    pub name: Box<str>,
    /// A JSON object with all fields but those about the hardware.
    pub json: Box<str>,
}

impl Board {
    /// The board of these devices; long rows are put together by `commands`.
    #[must_use]
    pub fn new(devices: DeviceTable, commands: Pool) -> Self {
        Self::keeping(devices, commands, KEPT)
    }

    pub(super) fn keeping(devices: DeviceTable, commands: Pool, kept: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                devices,
                commands,
                account: Account::of_hub(),
                kept,
                rows: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// All rows, with every change that was answered before this is called.
    pub(in crate::web) async fn all(&self) -> Result<Arc<Rows>, DeviceError> {
        let day = today();
        if let Some(rows) = self.fresh(day) {
            return Ok(rows);
        }
        let _turn = self.inner.turn.lock().await;
        if let Some(rows) = self.fresh(day) {
            return Ok(rows);
        }
        let rows = Arc::new(self.renewed(day).await?);
        *self.lock() = Arc::clone(&rows);
        Ok(rows)
    }

    /// The row with this id and its texts, however many others there are.
    pub(in crate::web) async fn one(&self, id: i64) -> Result<Option<Arc<Entry>>, DeviceError> {
        let day = today();
        let rows = Arc::clone(&self.lock());
        // The rows are looked at first: they are never older than they say.
        if rows.day == day && self.changes().is_same(id, rows.moment) {
            match rows.find(id) {
                Some(entry) if entry.texts.is_none() => {}
                found => return Ok(found.cloned()),
            }
        }
        let (shown, _) = self.inner.devices.shown(vec![id], day).await?;
        let Some(shown) = shown.into_iter().next() else {
            return Ok(None);
        };
        if shown.weight <= LONG {
            return Ok(Some(Arc::new(Entry::of(&shown, true))));
        }
        // Rows are made on a thread that serves nobody else.
        let Inner {
            commands, account, ..
        } = &*self.inner;
        let made = commands.run(account, move || Entry::of(&shown, true));
        Ok(made.await.ok().map(Arc::new))
    }

    fn fresh(&self, day: i64) -> Option<Arc<Rows>> {
        let rows = Arc::clone(&self.lock());
        (rows.day == day && self.changes().none_since(rows.moment)).then_some(rows)
    }

    async fn renewed(&self, day: i64) -> Result<Rows, DeviceError> {
        let old = Arc::clone(&self.lock());
        let news = self.changes().since(old.moment);
        let known = news.rows.filter(|_| old.day == day);
        let is_old = known.is_some();
        let mut ids = match known {
            Some(ids) => ids,
            None => self.inner.devices.ids().await?,
        };
        ids.sort_unstable();
        let kept = |entries: &[Arc<Entry>]| -> Vec<Arc<Entry>> {
            let same = |entry: &&Arc<Entry>| is_old && ids.binary_search(&entry.id).is_err();
            entries.iter().filter(same).cloned().collect()
        };
        let (mut by_id, mut by_name) = (kept(&old.by_id), kept(&old.by_name));
        let mut room = Room::of(self.inner.kept);
        for entry in &by_id {
            room.take(entry);
        }
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let some = rest.iter().take(DeviceTable::SHOWN).copied().collect();
            let (shown, done) = self.inner.devices.shown(some, day).await?;
            for shown in shown {
                let mut entry = Entry::of(&shown, shown.weight <= LONG);
                if !room.take(&entry) {
                    entry.texts = None;
                }
                let entry = Arc::new(entry);
                by_id.push(Arc::clone(&entry));
                by_name.push(entry);
            }
            rest = rest.get(done.max(1)..).unwrap_or_default();
            tokio::task::yield_now().await;
        }
        // Both are in order but for the new ones at their end, which is soon done.
        by_id.sort_by_key(|entry| entry.id);
        by_name.sort_by(|a, b| (&a.order, a.id).cmp(&(&b.order, b.id)));
        Ok(Rows {
            moment: news.moment,
            day,
            by_id,
            by_name,
        })
    }

    fn changes(&self) -> &Changes {
        self.inner.devices.changes()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Rows>> {
        let rows = self.inner.rows.lock();
        rows.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for the texts that are kept.
struct Room {
    all: usize,
    each: usize,
    used: HashMap<u32, usize>,
}

impl Room {
    fn of(kept: usize) -> Self {
        Self {
            all: kept,
            each: kept / PARTS,
            used: HashMap::new(),
        }
    }

    /// Whether there is room for the texts of a row; then they have it.
    fn take(&mut self, entry: &Entry) -> bool {
        let bytes = entry.bytes();
        let used = self.used.entry(entry.hardware).or_default();
        let fits = bytes <= self.all && used.saturating_add(bytes) <= self.each;
        if fits {
            self.all = self.all.saturating_sub(bytes);
            *used = used.saturating_add(bytes);
        }
        fits
    }
}

impl Rows {
    /// The rows by name, whatever its case.
    pub(in crate::web) fn by_name(&self) -> &[Arc<Entry>] {
        &self.by_name
    }

    pub(in crate::web) fn by_id(&self) -> &[Arc<Entry>] {
        &self.by_id
    }

    /// The rows by update, the newest first.
    pub(in crate::web) fn by_update(&self) -> Vec<Arc<Entry>> {
        let mut rows = self.by_id.clone();
        rows.sort_by_key(|entry| std::cmp::Reverse(entry.updated));
        rows
    }

    fn find(&self, id: i64) -> Option<&Arc<Entry>> {
        let place = self.by_id.binary_search_by_key(&id, |entry| entry.id);
        self.by_id.get(place.ok()?)
    }
}

impl Entry {
    fn of(shown: &Shown, texts: bool) -> Self {
        let row = &shown.row;
        let device = &row.device;
        let tab = kind::of(device).tab;
        let start = device.name.floor_char_boundary(NAME);
        let start = device.name.get(..start).unwrap_or_default();
        let texts = texts.then(|| Texts {
            name: device.name.as_str().into(),
            json: row::text(shown).into(),
        });
        Self {
            id: device.id,
            hardware: row.hardware,
            used: device.used != 0,
            favorite: shown.favorite,
            hidden: device.name.starts_with('$'),
            switch: kind::is_switch(device),
            temperature: matches!(tab, Tab::Temp | Tab::Both),
            weather: matches!(tab, Tab::Weather | Tab::Both),
            steps: steps(device),
            main: kind::main_name(device),
            sub: kind::of(device).name,
            updated: row.updated,
            order: start.to_lowercase().into(),
            texts,
        }
    }

    fn bytes(&self) -> usize {
        let texts = self.texts.as_ref();
        texts.map_or(0, |texts| texts.name.len().saturating_add(texts.json.len()))
    }
}

fn steps(device: &Device) -> Option<i64> {
    kind::dims(device).then(|| kind::dim_range(device))
}

/// When the day began, in Unix seconds.
fn today() -> i64 {
    midnight(Zoned::now().date()).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
