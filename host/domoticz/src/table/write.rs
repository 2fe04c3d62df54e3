//! Changes of device rows inside a transaction: making, changing and removing one.
//!
//! Decides the effects of a change and their order, and that the row stays within the limits of its
//! hardware. Who may change which row is decided by the callers, who also bring colours in their
//! written form.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::super::device::{Change, Device, DeviceError, DeviceLimits, NewDevice};
use super::super::row::{self, StoredRow};
use super::super::{calibration, history, preferences, value};
use cordon_base::error::LimitHit;
use cordon_store::{StoreError, Writing};

/// The row of a hardware with this id.
pub(super) fn own(
    connection: &Connection,
    hardware: u32,
    id: i64,
) -> Result<StoredRow, DeviceError> {
    let found = row::find(connection, "id = ?1 AND hardware_id = ?2", (id, hardware))?;
    found.ok_or(DeviceError::Missing)
}

/// The row with this id, whoever owns it.
pub(super) fn any(connection: &Connection, id: i64) -> Result<StoredRow, DeviceError> {
    row::find(connection, "id = ?1", [id])?.ok_or(DeviceError::Missing)
}

/// Removes the row with this id.
pub(super) fn remove(connection: &Connection, id: i64) -> Result<(), DeviceError> {
    let sql = "DELETE FROM devices WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// Makes a row (spec 4.3, Create).
pub(super) fn insert(
    transaction: &Writing<'_>,
    hardware: u32,
    device: NewDevice,
    limits: DeviceLimits,
) -> Result<Device, DeviceError> {
    if !(1..=255).contains(&device.unit) {
        return Err(DeviceError::BadUnit);
    }
    if !preferences::accepts_new_hardware(transaction)? {
        return Err(DeviceError::NotAccepting);
    }
    let legacy = device.prefix_name;
    let mut row = new_row(transaction, hardware, device)?;
    let Device {
        unit, device_id, ..
    } = &row.device;
    // Legacy units are unique in the hardware, extended ones in the device.
    let same = "hardware_id = ?1 AND unit = ?2 AND (?3 OR device_id = ?4)";
    if row::find(transaction, same, (hardware, unit, legacy, device_id))?.is_some() {
        return Err(DeviceError::Exists);
    }
    let (devices, bytes) = row::usage(transaction, hardware)?;
    within("devices", devices.saturating_add(1), limits.devices)?;
    within(
        "stored-bytes",
        bytes.saturating_add(row.weight()),
        limits.stored_bytes,
    )?;
    row.device.id = row::save(transaction, &row)?;
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
            color: device.color,
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
pub(super) fn apply(
    transaction: &Writing<'_>,
    mut row: StoredRow,
    change: &Change,
    limits: Option<DeviceLimits>,
) -> Result<StoredRow, DeviceError> {
    let weight_before = row.weight();
    let now = Timestamp::now();
    let elapsed = now.duration_since(row.updated).as_secs_f64();
    let mut touched = set_types(&mut row, change);
    if let Some(reading) = &change.value {
        let reading = calibration::correct(&row.device, reading);
        let news = value::apply(&mut row.device, &reading, elapsed);
        history::record(transaction, &row.device, &reading.s_value, news, now)?;
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
        let (_, bytes) = row::usage(transaction, row.hardware)?;
        let bytes = bytes
            .saturating_sub(weight_before)
            .saturating_add(row.weight());
        within("stored-bytes", bytes, limits.stored_bytes)?;
    }
    row::save(transaction, &row)?;
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

/// Writes the texts, which count as a change whenever they are given.
fn set_texts(device: &mut Device, change: &Change) -> bool {
    let Change {
        name,
        description,
        color,
        ..
    } = change;
    replace(&mut device.name, name.clone());
    replace(&mut device.description, description.clone());
    replace(&mut device.color, color.clone());
    name.is_some() || description.is_some() || color.is_some()
}

/// Writes the numbers, which count as a change when they are different.
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
