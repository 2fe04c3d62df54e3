//! `devices`: the device rows of the instance's own hardware.
//!
//! The rules are the platform's; this module converts and reports limits.

use wasmtime::component::HasSelf;

use super::parts;
use crate as platform;
use crate::abi::cordon::plugin::devices as abi;
use crate::house::Hardware;
use cordon_runtime::instance::guest::Hub;
use cordon_runtime::instance::state::{InstanceState, Shared};

type Answer<T> = wasmtime::Result<Result<T, abi::DeviceError>>;

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn list(hub: &Hub) -> wasmtime::Result<Vec<abi::Device>> {
        let (shared, state) = parts(hub)?;
        let rows = state.devices.list(shared.hardware).await;
        Ok(match rows {
            Ok((rows, _charge)) => rows.into_iter().map(abi::Device::from).collect(),
            Err(error) => {
                refuse(&shared, error);
                Vec::new()
            }
        })
    }

    async fn get(
        hub: &Hub,
        device_id: Option<String>,
        unit: u32,
    ) -> wasmtime::Result<Option<abi::Device>> {
        let (shared, state) = parts(hub)?;
        let row = state.devices.get(shared.hardware, device_id, unit).await;
        let row = row.unwrap_or_else(|error| {
            refuse(&shared, error);
            None
        });
        Ok(row.map(abi::Device::from))
    }

    async fn create(hub: &Hub, device: abi::NewDevice) -> Answer<abi::Device> {
        let (shared, state) = parts(hub)?;
        let limits = platform::DeviceLimits::from(&shared.limits);
        let made = state
            .devices
            .create(shared.hardware, device.into(), limits)
            .await;
        Ok(answer(&shared, made))
    }

    async fn update(hub: &Hub, id: i64, change: abi::Change) -> Answer<abi::Device> {
        let (shared, state) = parts(hub)?;
        let limits = platform::DeviceLimits::from(&shared.limits);
        let hardware = Hardware {
            id: shared.hardware,
            guards: state.guards,
            log: &shared.log,
        };
        let updated = state.house.update(hardware, id, change.into(), limits);
        Ok(answer(&shared, updated.await))
    }

    async fn delete(hub: &Hub, id: i64) -> Answer<()> {
        let (shared, state) = parts(hub)?;
        let deleted = state.devices.delete(shared.hardware, id).await;
        Ok(deleted.map_err(|error| refuse(&shared, error)))
    }

    async fn touch(hub: &Hub, id: i64) -> Answer<abi::Device> {
        let (shared, state) = parts(hub)?;
        let touched = state.devices.touch(shared.hardware, id).await;
        Ok(answer(&shared, touched))
    }
}

fn answer(
    shared: &Shared,
    result: Result<platform::Device, platform::DeviceError>,
) -> Result<abi::Device, abi::DeviceError> {
    result
        .map(abi::Device::from)
        .map_err(|error| refuse(shared, error))
}

/// Says in the plugin's log which limit was hit; Python words the other errors.
fn refuse(shared: &Shared, error: platform::DeviceError) -> abi::DeviceError {
    match error {
        platform::DeviceError::BadUnit => abi::DeviceError::BadUnit,
        platform::DeviceError::Exists => abi::DeviceError::Exists,
        platform::DeviceError::Missing => abi::DeviceError::Missing,
        platform::DeviceError::NotAccepting => abi::DeviceError::NotAccepting,
        platform::DeviceError::Limit(hit) => {
            shared.log.limit(&hit);
            abi::DeviceError::Limit((hit.which.to_owned(), hit.used, hit.limit))
        }
        error => {
            tracing::error!(hardware = shared.hardware, %error, "the store refused a plugin");
            abi::DeviceError::Unavailable
        }
    }
}

impl From<platform::Device> for abi::Device {
    fn from(row: platform::Device) -> Self {
        Self {
            id: row.id,
            unit: row.unit,
            device_id: row.device_id,
            name: row.name,
            device_type: row.device_type,
            sub_type: row.sub_type,
            switch_type: row.switch_type,
            n_value: row.n_value,
            s_value: row.s_value,
            signal_level: row.signal_level,
            battery_level: row.battery_level,
            last_level: row.last_level,
            image: row.image,
            used: row.used,
            description: row.description,
            color: row.color,
            options: row.options,
            last_update: row.last_update,
            adjustment: row.calibration.value,
            multiplier: row.calibration.multiplier,
        }
    }
}

impl From<abi::NewDevice> for platform::NewDevice {
    fn from(device: abi::NewDevice) -> Self {
        Self {
            unit: device.unit,
            device_id: device.device_id,
            name: device.name,
            prefix_name: device.prefix_name,
            device_type: device.device_type,
            sub_type: device.sub_type,
            switch_type: device.switch_type,
            n_value: device.n_value,
            s_value: device.s_value,
            signal_level: device.signal_level,
            battery_level: device.battery_level,
            image: device.image,
            used: device.used,
            description: device.description,
            color: device.color,
            options: device.options,
        }
    }
}

impl From<abi::ValueUpdate> for platform::ValueUpdate {
    fn from(value: abi::ValueUpdate) -> Self {
        Self {
            n_value: value.n_value,
            s_value: value.s_value,
            signal_level: value.signal_level,
            battery_level: value.battery_level,
        }
    }
}

impl From<abi::Change> for platform::Change {
    fn from(change: abi::Change) -> Self {
        Self {
            value: change.value.map(Into::into),
            silent_value: change.silent_value.map(Into::into),
            name: change.name,
            description: change.description,
            device_type: change.device_type,
            sub_type: change.sub_type,
            switch_type: change.switch_type,
            image: change.image,
            signal_level: change.signal_level,
            battery_level: change.battery_level,
            used: change.used,
            color: change.color,
            options: change.options,
            timed_out: change.timed_out,
        }
    }
}
