//! `images`: the icon sets of the instance's own plugin.

use std::sync::Arc;

use wasmtime::component::HasSelf;

use super::parts;
use crate::abi::cordon::plugin::images as abi;
use crate::image::{Image, ImageError, Owner};
use crate::state::State;
use cordon_runtime::instance::guest::Hub;
use cordon_runtime::instance::state::{InstanceState, Shared};

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn list(hub: &Hub) -> wasmtime::Result<Vec<abi::Image>> {
        let (shared, state) = parts(hub)?;
        Ok(match state.images.of(&owner(&shared, &state)).await {
            Ok((images, _charge)) => images.into_iter().map(abi::Image::from).collect(),
            Err(error) => {
                refuse(&shared, error);
                Vec::new()
            }
        })
    }

    async fn create(
        hub: &Hub,
        archive: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<abi::Image>, abi::ImageError>> {
        let (shared, state) = parts(hub)?;
        let made = state.images.create(&owner(&shared, &state), archive).await;
        Ok(made
            .map(|(images, _charge)| images.into_iter().map(abi::Image::from).collect())
            .map_err(|error| refuse(&shared, error)))
    }

    async fn delete(hub: &Hub, id: i64) -> wasmtime::Result<Result<(), abi::ImageError>> {
        let (shared, state) = parts(hub)?;
        let deleted = state.images.delete(Some(&state.key), id).await;
        Ok(deleted.map(drop).map_err(|error| refuse(&shared, error)))
    }
}

fn owner(shared: &Shared, state: &State) -> Owner {
    Owner {
        key: state.key.clone(),
        limit: shared.limits.stored_bytes,
        account: Arc::clone(&shared.account),
        pool: shared.pools.files.clone(),
    }
}

fn refuse(shared: &Shared, error: ImageError) -> abi::ImageError {
    match error {
        ImageError::Missing => abi::ImageError::Missing,
        ImageError::Limit(hit) => {
            shared.log.limit(&hit);
            abi::ImageError::Limit((hit.which.to_owned(), hit.used, hit.limit))
        }
        ImageError::Unavailable(_) | ImageError::Busy(_) => {
            tracing::error!(hardware = shared.hardware, %error, "an image was not stored or read");
            abi::ImageError::Unavailable
        }
        invalid => abi::ImageError::Invalid(invalid.to_string()),
    }
}

impl From<Image> for abi::Image {
    fn from(image: Image) -> Self {
        Self {
            id: image.id,
            base: image.base,
            name: image.name,
            description: image.description,
        }
    }
}
