//! `configuration`: what a plugin keeps with `Domoticz.Configuration`.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::configuration::{self, StoreError};
use crate::instance::state::InstanceState;
use cordon_store::ConfigurationError;

impl configuration::Host for InstanceState {}

impl configuration::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn load(accessor: &Accessor<InstanceState, Self>) -> Option<String> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        match shared.store.configuration(shared.hardware).await {
            // The text waits for the component now. Its threads bound how many do.
            Ok(document) => document.map(|(text, _charge)| text),
            Err(ConfigurationError::Limit(hit)) => {
                shared.log.limit(&hit);
                None
            }
            Err(error) => {
                tracing::error!(hardware = shared.hardware, %error, "cannot read a configuration");
                None
            }
        }
    }

    async fn store(
        accessor: &Accessor<InstanceState, Self>,
        json: String,
    ) -> Result<(), StoreError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let limit = shared.limits.stored_bytes;
        let stored = shared.store.set_configuration(shared.hardware, json, limit);
        stored.await.map_err(|error| match error {
            ConfigurationError::Limit(hit) => {
                shared.log.limit(&hit);
                StoreError::TooLarge
            }
            ConfigurationError::Store(error) => {
                tracing::error!(hardware = shared.hardware, %error, "cannot store a configuration");
                StoreError::Unavailable
            }
        })
    }
}
