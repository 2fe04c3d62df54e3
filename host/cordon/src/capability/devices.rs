//! `devices`: the device rows of the instance's own hardware.
//!
//! The rules are the platform's; this module converts and reports limits.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::devices as abi;
use crate::instance::state::{InstanceState, Shared};
use cordon_base::error::Denied;
use cordon_domoticz::{self as platform, Security};

type Hub = Accessor<InstanceState, HasSelf<InstanceState>>;

fn shared(accessor: &Hub) -> std::sync::Arc<Shared> {
    accessor.with(|mut access| access.get().shared.clone())
}

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn list(accessor: &Hub) -> Vec<abi::Device> {
        let shared = shared(accessor);
        let rows = shared.devices.list(shared.hardware).await;
        match rows {
            Ok((rows, _charge)) => rows.into_iter().map(abi::Device::from).collect(),
            Err(error) => {
                refuse(&shared, error);
                Vec::new()
            }
        }
    }

    async fn get(accessor: &Hub, device_id: Option<String>, unit: u32) -> Option<abi::Device> {
        let shared = shared(accessor);
        let row = shared.devices.get(shared.hardware, device_id, unit).await;
        row.unwrap_or_else(|error| {
            refuse(&shared, error);
            None
        })
        .map(abi::Device::from)
    }

    async fn create(
        accessor: &Hub,
        device: abi::NewDevice,
    ) -> Result<abi::Device, abi::DeviceError> {
        let shared = shared(accessor);
        let made = shared
            .devices
            .create(shared.hardware, device.into(), shared.device_limits());
        answer(&shared, made.await)
    }

    async fn update(
        accessor: &Hub,
        id: i64,
        change: abi::Change,
    ) -> Result<abi::Device, abi::DeviceError> {
        let shared = shared(accessor);
        let limits = shared.device_limits();
        let is_reading = change.value.is_some();
        let updated = shared
            .devices
            .update(shared.hardware, id, change.into(), limits)
            .await;
        if let Ok(platform::Updated { before, after }) = &updated
            && is_reading
        {
            let house = &shared.domoticz.house;
            house.changed(before, after).await;
            guard(&shared, before, after).await;
        }
        answer(&shared, updated.map(|updated| updated.after))
    }

    async fn delete(accessor: &Hub, id: i64) -> Result<(), abi::DeviceError> {
        let shared = shared(accessor);
        let deleted = shared.devices.delete(shared.hardware, id).await;
        deleted.map_err(|error| refuse(&shared, error))
    }

    async fn touch(accessor: &Hub, id: i64) -> Result<abi::Device, abi::DeviceError> {
        let shared = shared(accessor);
        let touched = shared.devices.touch(shared.hardware, id).await;
        answer(&shared, touched)
    }
}

/// A panel is the plugin's to make and to change. Its report sets the status of the house only if
/// the operator gave the plugin that right.
async fn guard(shared: &Shared, before: &platform::Device, after: &platform::Device) {
    let Some(status) = Security::reported(before, after) else {
        return;
    };
    if !shared.domoticz.guards {
        shared.log.denied(&Denied {
            what: "setting the security status of the house".to_owned(),
            grant: "security = true".to_owned(),
        });
        return;
    }
    if let Err(error) = shared.domoticz.house.set_security(status).await {
        tracing::error!(hardware = shared.hardware, %error, "the status cannot be set");
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
