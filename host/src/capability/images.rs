//! `images`: the icon sets of the instance's own plugin.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::images as abi;
use crate::instance::state::{InstanceState, Shared};
use crate::limits::Limits;
use crate::platform::domoticz::image::{Image, ImageError};

type Hub = Accessor<InstanceState, HasSelf<InstanceState>>;

fn shared(accessor: &Hub) -> std::sync::Arc<Shared> {
    accessor.with(|mut access| access.get().shared.clone())
}

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn list(accessor: &Hub) -> Vec<abi::Image> {
        let shared = shared(accessor);
        let images = shared.domoticz.images.of(&shared.domoticz.key).await;
        images
            .unwrap_or_else(|error| {
                tracing::error!(hardware = shared.hardware, %error, "cannot list images");
                Vec::new()
            })
            .into_iter()
            .map(abi::Image::from)
            .collect()
    }

    async fn create(accessor: &Hub, archive: Vec<u8>) -> Result<Vec<abi::Image>, abi::ImageError> {
        let shared = shared(accessor);
        let key = &shared.domoticz.key;
        let limit = shared.limits.stored_bytes;
        let made = shared.domoticz.images.create(key, archive, limit).await;
        made.map(|images| images.into_iter().map(abi::Image::from).collect())
            .map_err(|error| refuse(&shared, error))
    }

    async fn delete(accessor: &Hub, id: i64) -> Result<(), abi::ImageError> {
        let shared = shared(accessor);
        let key = Some(shared.domoticz.key.as_str());
        let deleted = shared.domoticz.images.delete(key, id).await;
        deleted.map(drop).map_err(|error| refuse(&shared, error))
    }
}

fn refuse(shared: &Shared, error: ImageError) -> abi::ImageError {
    match error {
        ImageError::Missing => abi::ImageError::Missing,
        ImageError::Limit(hit) => {
            let hit = Limits::hit("stored-bytes", hit.used, hit.limit);
            shared.log.limit(&hit);
            abi::ImageError::Limit((hit.which.to_owned(), hit.used, hit.limit))
        }
        ImageError::Unavailable(error) => {
            tracing::error!(hardware = shared.hardware, %error, "the store refused an image");
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
