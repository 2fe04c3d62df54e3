//! `configuration`: the values that a plugin keeps with `Domoticz.Configuration`.

use wasmtime::component::HasSelf;

use super::parts;
use crate::abi::cordon::plugin::configuration::{self, StoreError};
use crate::configuration::ConfigurationError;
use cordon_runtime::instance::guest::Hub;
use cordon_runtime::instance::state::InstanceState;

impl configuration::Host for InstanceState {}

impl configuration::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn load(hub: &Hub) -> wasmtime::Result<Option<String>> {
        let (shared, state) = parts(hub)?;
        Ok(match state.configuration.load(shared.hardware).await {
            // The text waits for the component now. The number of the component's threads bounds
            // how many texts wait.
            Ok(document) => document.map(|(text, _charge)| text),
            Err(ConfigurationError::Limit(hit)) => {
                shared.log.limit(&hit);
                None
            }
            Err(error) => {
                tracing::error!(hardware = shared.hardware, %error, "cannot read a configuration");
                None
            }
        })
    }

    async fn store(hub: &Hub, json: String) -> wasmtime::Result<Result<(), StoreError>> {
        let (shared, state) = parts(hub)?;
        let limit = shared.limits.stored_bytes;
        let stored = state.configuration.save(shared.hardware, json, limit);
        Ok(stored.await.map_err(|error| match error {
            ConfigurationError::Limit(hit) => {
                shared.log.limit(&hit);
                StoreError::TooLarge
            }
            ConfigurationError::Store(error) => {
                tracing::error!(hardware = shared.hardware, %error, "cannot store a configuration");
                StoreError::Unavailable
            }
        }))
    }
}
