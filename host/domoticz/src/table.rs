//! The hub's device table: changes that plugins make to their rows, and changes by others.
//!
//! Every change is one transaction and is answered when it is on disk. A plugin
//! reaches only the rows of its own hardware; the functions for the web API take a
//! row id and return the event that the owning plugin must get (rule 55: a plugin is
//! never told of its own changes). `TimedOut` lives here in memory and nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::calibration::{self, Calibration};
use super::color;
use super::device::{Change, Device, DeviceError, DeviceLimits, NewDevice, ValueUpdate};
use super::event::HubEvent;
use super::kind;
use super::row::{self, StoredRow};
use super::security::PANEL;
use cordon_base::account::Charge;
use cordon_store::{Changes, Store};
use write::{any, apply, insert, own, remove};

/// Bytes of rows after which a plugin that reads all of its rows lets others read.
const PIECE: u64 = 64 << 10;

mod shown;
mod write;

pub use shown::Shown;

/// The rows of all hardware. Clones share them.
#[derive(Debug, Clone)]
pub struct DeviceTable {
    store: Store,
    /// By row id, with the hardware; rows that are not timed out are absent.
    timed_out: Arc<Mutex<HashMap<i64, (u32, i64)>>>,
    /// Rows that lists have read, for tests.
    #[cfg(test)]
    read: Arc<std::sync::atomic::AtomicUsize>,
}

/// A row as the hub's own API sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Hardware that owns the row.
    pub hardware: u32,
    /// The row.
    pub device: Device,
    /// The value that the plugin last gave as `TimedOut`.
    pub timed_out: i64,
    /// Time of the last update.
    pub updated: Timestamp,
}

/// A change from outside and the event its plugin must get.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Hardware whose plugin must be told.
    pub hardware: u32,
    /// The event for the plugin.
    pub event: HubEvent,
    /// The row after the change; before it, for a removal.
    pub device: Device,
    /// The row before a new reading; `None` for every other change.
    pub before: Option<Device>,
}

impl Notice {
    fn new(
        hardware: u32,
        device: Device,
        before: Option<Device>,
        event: impl FnOnce(String, u32) -> HubEvent,
    ) -> Self {
        Self {
            hardware,
            event: event(device.device_id.clone(), device.unit),
            device,
            before,
        }
    }
}

/// A row before and after a change of its own plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The row before.
    pub before: Device,
    /// The row as it is stored now.
    pub after: Device,
}

/// A reading from outside; `None` leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Numeric value.
    pub n_value: Option<i64>,
    /// Text value.
    pub s_value: Option<String>,
    /// Signal level.
    pub signal_level: Option<i64>,
    /// Battery level in percent.
    pub battery_level: Option<i64>,
}

impl DeviceTable {
    /// The device table in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            timed_out: Arc::default(),
            #[cfg(test)]
            read: Arc::default(),
        }
    }

    /// The changes of rows, by which copies know which rows to read again.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        self.store.changes()
    }

    /// Rows that lists have read so far.
    #[cfg(test)]
    pub fn rows_read(&self) -> usize {
        self.read.load(std::sync::atomic::Ordering::Relaxed)
    }

    #[cfg(test)]
    fn count(&self, rows: usize) {
        let order = std::sync::atomic::Ordering::Relaxed;
        self.read.fetch_add(rows, order);
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, reason = "only tests count")]
    fn count(&self, _rows: usize) {}

    /// These rows by way of another handle on the store: the handle of an instance.
    #[must_use]
    pub fn through(&self, store: &Store) -> Self {
        Self {
            store: store.clone(),
            timed_out: Arc::clone(&self.timed_out),
            #[cfg(test)]
            read: Arc::clone(&self.read),
        }
    }

    /// All rows of a hardware, by device id and unit, and the charge for them. Many are read a few
    /// at a time.
    ///
    /// # Errors
    /// [`DeviceError::Limit`] when there is no room for so much in `host-memory`,
    /// [`DeviceError::Unavailable`].
    pub async fn list(&self, hardware: u32) -> Result<(Vec<Device>, Charge), DeviceError> {
        let mut charge = self.store.account().charge(0)?;
        let condition = "hardware_id = ?1";
        let few = self.store.read_brief(move |connection| {
            Ok::<_, DeviceError>(row::select_brief(connection, condition, [hardware])?)
        });
        if let Some(rows) = few.await? {
            let devices: Vec<_> = rows.into_iter().map(|row| row.device).collect();
            charge.grow(devices.iter().map(Device::size).sum())?;
            return Ok((devices, charge));
        }
        let ids = self.store.read(move |connection| {
            let sql = "SELECT id FROM devices WHERE hardware_id = ?1 ORDER BY device_id, unit";
            let mut statement = connection.prepare_cached(sql)?;
            let ids = statement.query_map([hardware], |row| row.get(0))?;
            Ok::<_, DeviceError>(ids.collect::<Result<Vec<i64>, _>>()?)
        });
        let mut ids = ids.await?.into_iter();
        let mut devices = Vec::new();
        while ids.len() > 0 {
            let piece = self.store.read(move |connection| {
                let (mut found, mut bytes) = (Vec::new(), 0_u64);
                for id in ids.by_ref() {
                    // A row that was removed meanwhile is no longer there.
                    let Some(row) = row::find(connection, "id = ?1", [id])? else {
                        continue;
                    };
                    charge.grow(row.device.size())?;
                    bytes = bytes.saturating_add(row.weight());
                    found.push(row.device);
                    if bytes > PIECE {
                        break;
                    }
                }
                Ok::<_, DeviceError>((found, ids, charge))
            });
            let found;
            (found, ids, charge) = piece.await?;
            devices.extend(found);
        }
        Ok((devices, charge))
    }

    /// The row of a hardware with this device id (any if `None`) and unit.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn get(
        &self,
        hardware: u32,
        device_id: Option<String>,
        unit: u32,
    ) -> Result<Option<Device>, DeviceError> {
        let condition = "hardware_id = ?1 AND unit = ?2 AND device_id = coalesce(?3, device_id)";
        let found = self.store.read_brief(move |connection| {
            let parameters = (hardware, unit, device_id);
            Ok::<_, DeviceError>(row::find(connection, condition, parameters)?)
        });
        Ok(found.await?.map(|row| row.device))
    }

    /// Makes a row for a plugin and returns it as stored (spec 4.3, Create).
    ///
    /// # Errors
    /// Any [`DeviceError`].
    pub async fn create(
        &self,
        hardware: u32,
        mut device: NewDevice,
        limits: DeviceLimits,
    ) -> Result<Device, DeviceError> {
        device.check(limits)?;
        let charge = self.store.account().charge(device.cost())?;
        // Here and not on the store's thread, where others would wait for it.
        device.color = color::stored(&device.color);
        self.store
            .write(move |transaction| {
                let _held = charge;
                insert(transaction, hardware, device, limits)
            })
            .await
    }

    /// Changes a row for a plugin (spec 4.3, Update). [`super::House::changed`] tells others of the
    /// consequences.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Limit`], [`DeviceError::Unavailable`].
    pub async fn update(
        &self,
        hardware: u32,
        id: i64,
        mut change: Change,
        limits: DeviceLimits,
    ) -> Result<Updated, DeviceError> {
        change.check(limits)?;
        let charge = self.store.account().charge(change.cost())?;
        // As in `create`.
        change.color = change.color.map(|color| color::stored(&color));
        let timed_out = change.timed_out;
        let operation = self.store.write(move |transaction| {
            let _held = charge;
            let row = own(transaction, hardware, id)?;
            let before = row.device.clone();
            let after = apply(transaction, row, &change, Some(limits))?.device;
            Ok::<_, DeviceError>(Updated { before, after })
        });
        let updated = operation.await?;
        if let Some(timed_out) = timed_out {
            self.set_timed_out(hardware, id, timed_out);
        }
        Ok(updated)
    }

    /// Removes a row for a plugin (spec 4.3, Delete).
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn delete(&self, hardware: u32, id: i64) -> Result<(), DeviceError> {
        let operation = self.store.write(move |transaction| {
            own(transaction, hardware, id)?;
            remove(transaction, id)
        });
        operation.await?;
        self.set_timed_out(hardware, id, 0);
        Ok(())
    }

    /// Sets the time of a row's last update to now (spec 4.3, Touch).
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn touch(&self, hardware: u32, id: i64) -> Result<Device, DeviceError> {
        let operation = self.store.write(move |transaction| {
            let mut row = own(transaction, hardware, id)?;
            row.touch(Timestamp::now());
            row::save(transaction, &row)?;
            Ok::<_, DeviceError>(row.device)
        });
        operation.await
    }

    /// All rows of all hardware, by id.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn all(&self) -> Result<Vec<Row>, DeviceError> {
        let rows = self
            .store
            .read(|connection| Ok::<_, DeviceError>(row::select(connection, "true", [])?));
        let rows = rows.await?;
        self.count(rows.len());
        let mut rows: Vec<_> = rows.into_iter().map(|row| self.visible(row)).collect();
        rows.sort_by_key(|row| row.device.id);
        Ok(rows)
    }

    /// The row with this id.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn find(&self, id: i64) -> Result<Row, DeviceError> {
        let row = self
            .store
            .read(move |connection| any(connection, id))
            .await?;
        Ok(self.visible(row))
    }

    /// The first security panel of each hardware that has one: hardware, device id, unit.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn panels(&self) -> Result<Vec<(u32, String, u32)>, DeviceError> {
        let panels = self.store.read(|connection| {
            // The other columns are those of the row with the least id.
            let sql = "SELECT hardware_id, device_id, unit, min(id) FROM devices
                       WHERE device_type = ?1 AND sub_type = ?2
                       GROUP BY hardware_id ORDER BY hardware_id";
            let mut statement = connection.prepare_cached(sql)?;
            let panels = statement.query_map([kind::SECURITY, PANEL], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            Ok::<_, DeviceError>(panels.collect::<Result<_, _>>()?)
        });
        panels.await
    }

    /// A reading from outside, such as `udevice`.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn read_in(&self, id: i64, reading: Reading) -> Result<Notice, DeviceError> {
        self.change_from_outside(id, move |device| Change {
            value: Some(ValueUpdate {
                n_value: reading.n_value.unwrap_or(device.n_value),
                s_value: reading.s_value.unwrap_or_else(|| device.s_value.clone()),
                signal_level: reading.signal_level.unwrap_or(device.signal_level),
                battery_level: reading.battery_level.unwrap_or(device.battery_level),
            }),
            ..Change::default()
        })
        .await
    }

    /// A new name from outside, stored as it is (rule 162).
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn rename(&self, id: i64, name: String) -> Result<Notice, DeviceError> {
        let change = |_: &Device| Change {
            name: Some(name),
            ..Change::default()
        };
        self.change_from_outside(id, change).await
    }

    /// Shows or hides a row from outside.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn set_used(&self, id: i64, used: bool) -> Result<Notice, DeviceError> {
        let change = move |_: &Device| Change {
            used: Some(i64::from(used)),
            ..Change::default()
        };
        self.change_from_outside(id, change).await
    }

    /// Any change from outside, such as of the switch type or the options.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn edit(&self, id: i64, mut change: Change) -> Result<Notice, DeviceError> {
        // As in `create`.
        change.color = change.color.map(|color| color::normalise(&color));
        self.change_from_outside(id, move |_| change).await
    }

    /// Sets how the readings of a row are corrected from now on. `change` gets the figures as they
    /// are.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn calibrate(
        &self,
        id: i64,
        change: impl FnOnce(Calibration) -> Calibration + Send + 'static,
    ) -> Result<(), DeviceError> {
        let changes = self.changes().clone();
        let operation = self.store.write(move |transaction| {
            let before = any(transaction, id)?.device.calibration;
            changes.mark(id);
            calibration::write(transaction, id, change(before))?;
            Ok::<_, DeviceError>(())
        });
        operation.await
    }

    /// Makes a row from outside.
    ///
    /// # Errors
    /// Any [`DeviceError`].
    pub async fn add(
        &self,
        hardware: u32,
        device: NewDevice,
        limits: DeviceLimits,
    ) -> Result<Notice, DeviceError> {
        let device = self.create(hardware, device, limits).await?;
        Ok(Notice::new(hardware, device, None, |device_id, unit| {
            HubEvent::DeviceAdded { device_id, unit }
        }))
    }

    /// Removes a row from outside (rule 161).
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn remove(&self, id: i64) -> Result<Notice, DeviceError> {
        let operation = self.store.write(move |transaction| {
            let row = any(transaction, id)?;
            remove(transaction, id)?;
            Ok::<_, DeviceError>(row)
        });
        let StoredRow {
            hardware, device, ..
        } = operation.await?;
        self.set_timed_out(hardware, id, 0);
        Ok(Notice::new(hardware, device, None, |device_id, unit| {
            HubEvent::DeviceRemoved { device_id, unit }
        }))
    }

    async fn change_from_outside(
        &self,
        id: i64,
        change: impl FnOnce(&Device) -> Change + Send + 'static,
    ) -> Result<Notice, DeviceError> {
        let operation = self.store.write(move |transaction| {
            let row = any(transaction, id)?;
            let before = row.device.clone();
            let change = change(&before);
            let after = apply(transaction, row, &change, None)?;
            let before = change.value.is_some().then_some(before);
            Ok::<_, DeviceError>((before, after))
        });
        let (before, after) = operation.await?;
        let StoredRow {
            hardware, device, ..
        } = after;
        Ok(Notice::new(hardware, device, before, |device_id, unit| {
            HubEvent::DeviceModified { device_id, unit }
        }))
    }

    /// A plugin that is started anew has no device that is timed out (spec 4.3).
    pub fn forget_timed_out(&self, hardware: u32) {
        let mut forgotten = Vec::new();
        self.lock().retain(|id, (owner, _)| {
            let kept = *owner != hardware;
            if !kept {
                forgotten.push(*id);
            }
            kept
        });
        for id in forgotten {
            self.changes().mark(id);
        }
    }

    fn set_timed_out(&self, hardware: u32, id: i64, timed_out: i64) {
        let mut all = self.lock();
        match timed_out {
            0 => all.remove(&id),
            _ => all.insert(id, (hardware, timed_out)),
        };
        drop(all);
        self.changes().mark(id);
    }

    fn visible(&self, row: StoredRow) -> Row {
        let timed_out = self.lock().get(&row.device.id).map(|(_, value)| *value);
        Row {
            hardware: row.hardware,
            timed_out: timed_out.unwrap_or(0),
            updated: row.updated,
            device: row.device,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, (u32, i64)>> {
        self.timed_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
