//! The hub's device table: what plugins do to their rows and what others do to them.
//!
//! Every change is one transaction and is answered when it is on disk. A plugin
//! reaches only the rows of its own hardware; the functions for the web API take a
//! row id and return the event that the owning plugin must get (rule 55: a plugin is
//! never told of its own changes). `TimedOut` lives here in memory and nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::device::{Change, Device, DeviceError, DeviceLimits, NewDevice, ValueUpdate};
use super::event::HubEvent;
use super::row::{self, StoredRow};
use super::{color, history, preferences, value};
use crate::error::LimitHit;
use crate::store::{Store, StoreError};

/// The rows of all hardware. Clones share them.
#[derive(Debug, Clone)]
pub struct DeviceTable {
    store: Store,
    /// By row id; rows that are not timed out are absent.
    timed_out: Arc<Mutex<HashMap<i64, i64>>>,
}

/// A row as the hub's own API sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Hardware that owns it.
    pub hardware: u32,
    /// The row.
    pub device: Device,
    /// What the plugin last gave as `TimedOut`.
    pub timed_out: i64,
    /// Time of the last update.
    pub updated: Timestamp,
}

/// A change from outside and the event its plugin must get.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Hardware whose plugin must be told.
    pub hardware: u32,
    /// What it must be told.
    pub event: HubEvent,
    /// The row after the change; before it, for a removal.
    pub device: Device,
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
        }
    }

    /// All rows of a hardware, by device id and unit.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn list(&self, hardware: u32) -> Result<Vec<Device>, DeviceError> {
        let rows = self.store.read(move |connection| {
            Ok::<_, DeviceError>(row::select(connection, "hardware_id = ?1", [hardware])?)
        });
        Ok(rows.await?.into_iter().map(|row| row.device).collect())
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
        let found = self.store.read(move |connection| {
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
        device: NewDevice,
        limits: DeviceLimits,
    ) -> Result<Device, DeviceError> {
        self.store
            .write(move |transaction| insert(transaction, hardware, device, limits))
            .await
    }

    /// Changes a row for a plugin and returns it as stored (spec 4.3, Update).
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Limit`], [`DeviceError::Unavailable`].
    pub async fn update(
        &self,
        hardware: u32,
        id: i64,
        change: Change,
        limits: DeviceLimits,
    ) -> Result<Device, DeviceError> {
        let timed_out = change.timed_out;
        let operation = self.store.write(move |transaction| {
            let row = own(transaction, hardware, id)?;
            apply(transaction, row, &change, Some(limits))
        });
        let row = operation.await?;
        if let Some(timed_out) = timed_out {
            self.set_timed_out(id, timed_out);
        }
        Ok(row.device)
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
        self.set_timed_out(id, 0);
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
        let timed_out = self.lock();
        let mut rows: Vec<_> = rows.into_iter().map(|row| shown(row, &timed_out)).collect();
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
        Ok(shown(row, &self.lock()))
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
        let event = HubEvent::DeviceAdded {
            device_id: device.device_id.clone(),
            unit: device.unit,
        };
        Ok(Notice {
            hardware,
            event,
            device,
        })
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
        self.set_timed_out(id, 0);
        let event = HubEvent::DeviceRemoved {
            device_id: device.device_id.clone(),
            unit: device.unit,
        };
        Ok(Notice {
            hardware,
            event,
            device,
        })
    }

    async fn change_from_outside(
        &self,
        id: i64,
        change: impl FnOnce(&Device) -> Change + Send + 'static,
    ) -> Result<Notice, DeviceError> {
        let operation = self.store.write(move |transaction| {
            let row = any(transaction, id)?;
            let change = change(&row.device);
            apply(transaction, row, &change, None)
        });
        let StoredRow {
            hardware, device, ..
        } = operation.await?;
        let event = HubEvent::DeviceModified {
            device_id: device.device_id.clone(),
            unit: device.unit,
        };
        Ok(Notice {
            hardware,
            event,
            device,
        })
    }

    fn set_timed_out(&self, id: i64, timed_out: i64) {
        let mut all = self.lock();
        match timed_out {
            0 => all.remove(&id),
            _ => all.insert(id, timed_out),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, i64>> {
        self.timed_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(row: StoredRow, timed_out: &HashMap<i64, i64>) -> Row {
    Row {
        hardware: row.hardware,
        timed_out: timed_out.get(&row.device.id).copied().unwrap_or(0),
        updated: row.updated,
        device: row.device,
    }
}

fn own(connection: &Connection, hardware: u32, id: i64) -> Result<StoredRow, DeviceError> {
    let found = row::find(connection, "id = ?1 AND hardware_id = ?2", (id, hardware))?;
    found.ok_or(DeviceError::Missing)
}

fn any(connection: &Connection, id: i64) -> Result<StoredRow, DeviceError> {
    row::find(connection, "id = ?1", [id])?.ok_or(DeviceError::Missing)
}

fn remove(connection: &Connection, id: i64) -> Result<(), DeviceError> {
    let sql = "DELETE FROM devices WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

fn insert(
    connection: &Connection,
    hardware: u32,
    device: NewDevice,
    limits: DeviceLimits,
) -> Result<Device, DeviceError> {
    if !(1..=255).contains(&device.unit) {
        return Err(DeviceError::BadUnit);
    }
    if !preferences::accepts_new_hardware(connection)? {
        return Err(DeviceError::NotAccepting);
    }
    let legacy = device.prefix_name;
    let mut row = new_row(connection, hardware, device)?;
    let Device {
        unit, device_id, ..
    } = &row.device;
    // Legacy units are unique in the hardware, extended ones in the device.
    let same = "hardware_id = ?1 AND unit = ?2 AND (?3 OR device_id = ?4)";
    if row::find(connection, same, (hardware, unit, legacy, device_id))?.is_some() {
        return Err(DeviceError::Exists);
    }
    let (devices, bytes) = row::usage(connection, hardware)?;
    within("devices", devices.saturating_add(1), limits.devices)?;
    within(
        "stored-bytes",
        bytes.saturating_add(row.weight()),
        limits.stored_bytes,
    )?;
    row.device.id = row::save(connection, &row)?;
    Ok(row.device)
}

fn new_row(
    connection: &Connection,
    hardware: u32,
    device: NewDevice,
) -> Result<StoredRow, DeviceError> {
    let hardware_name: Option<String> = connection
        .prepare_cached("SELECT name FROM hardware WHERE id = ?1")?
        .query_row([hardware], |row| row.get(0))
        .optional()?;
    let Some(hardware_name) = hardware_name else {
        let text = format!("there is no hardware {hardware}");
        return Err(StoreError::Conflict(text).into());
    };
    let NewDevice { unit, name, .. } = device;
    let prefixed = device
        .prefix_name
        .then(|| format!("{hardware_name} - {name}"));
    let default_id = || format!("{hardware:04X}{unit:04X}"); // rule 32
    let given_id = Some(device.device_id).filter(|id| !id.is_empty());
    let mut row = StoredRow {
        hardware,
        device: Device {
            unit,
            device_id: given_id.unwrap_or_else(default_id),
            name: prefixed.unwrap_or(name),
            device_type: device.device_type,
            sub_type: device.sub_type,
            switch_type: device.switch_type,
            n_value: device.n_value,
            s_value: device.s_value,
            signal_level: value::eight_bits(device.signal_level),
            battery_level: value::eight_bits(device.battery_level),
            image: device.image,
            used: device.used,
            description: device.description,
            color: color::normalise(&device.color),
            ..Device::default()
        },
        options: String::new(),
        updated: Timestamp::default(),
    };
    row.set_options(&device.options);
    row.touch(Timestamp::now());
    Ok(row)
}

/// The effects of a change in the order of spec 4.3, the type first.
fn apply(
    connection: &Connection,
    mut row: StoredRow,
    change: &Change,
    limits: Option<DeviceLimits>,
) -> Result<StoredRow, DeviceError> {
    let weight_before = row.weight();
    let now = Timestamp::now();
    let elapsed = now.duration_since(row.updated).as_secs_f64();
    let mut touched = set_types(&mut row, change);
    if let Some(reading) = &change.value {
        let news = value::apply(&mut row.device, reading, elapsed);
        history::record(connection, &row.device, &reading.s_value, news, now)?;
        touched = true;
    }
    if let Some(reading) = &change.silent_value {
        value::apply_silently(&mut row.device, reading);
        touched = true;
    }
    touched |= set_texts(&mut row.device, change);
    touched |= set_numbers(&mut row.device, change);
    if touched {
        row.touch(now);
    }
    // Not an update: only steps 4 to 7 of spec 4.3 refresh LastUpdate.
    if let Some(options) = &change.options {
        row.set_options(options);
    }
    if !touched && change.options.is_none() {
        return Ok(row);
    }
    // Shrinking is allowed even over a limit that was lowered.
    if let Some(limits) = limits
        && row.weight() > weight_before
    {
        let (_, bytes) = row::usage(connection, row.hardware)?;
        let bytes = bytes
            .saturating_sub(weight_before)
            .saturating_add(row.weight());
        within("stored-bytes", bytes, limits.stored_bytes)?;
    }
    row::save(connection, &row)?;
    Ok(row)
}

fn set_types(row: &mut StoredRow, change: &Change) -> bool {
    let device = &mut row.device;
    let written = replace(&mut device.device_type, change.device_type)
        | replace(&mut device.sub_type, change.sub_type)
        | replace(&mut device.switch_type, change.switch_type);
    row.read_options();
    written
}

/// What is written whenever it is given.
fn set_texts(device: &mut Device, change: &Change) -> bool {
    let color = change.color.as_deref().map(color::normalise);
    let given = change.name.is_some() || change.description.is_some() || color.is_some();
    replace(&mut device.name, change.name.clone());
    replace(&mut device.description, change.description.clone());
    replace(&mut device.color, color);
    given
}

/// What is written when it is different.
fn set_numbers(device: &mut Device, change: &Change) -> bool {
    let signal = change.signal_level.map(value::eight_bits);
    let battery = change.battery_level.map(value::eight_bits);
    replace(&mut device.image, change.image)
        | replace(&mut device.battery_level, battery)
        | replace(&mut device.signal_level, signal)
        | replace(&mut device.used, change.used)
}

/// Whether the column has another value now.
fn replace<T: PartialEq>(column: &mut T, new: Option<T>) -> bool {
    match new {
        Some(new) if new != *column => {
            *column = new;
            true
        }
        _ => false,
    }
}

fn within(which: &'static str, used: u64, limit: u64) -> Result<(), DeviceError> {
    if used <= limit {
        return Ok(());
    }
    Err(LimitHit { which, used, limit }.into())
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
