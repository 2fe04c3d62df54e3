//! `images`: the icon sets of the instance's own plugin.

use std::sync::Arc;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::images as abi;
use crate::instance::state::{InstanceState, Shared};
use cordon_domoticz::image::{Image, ImageError, Owner};

type Hub = Accessor<InstanceState, HasSelf<InstanceState>>;

fn shared(accessor: &Hub) -> Arc<Shared> {
    accessor.with(|mut access| access.get().shared.clone())
}

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn list(accessor: &Hub) -> Vec<abi::Image> {
        let shared = shared(accessor);
        match shared.domoticz.images.of(&owner(&shared)).await {
            Ok((images, _charge)) => images.into_iter().map(abi::Image::from).collect(),
            Err(error) => {
                refuse(&shared, error);
                Vec::new()
            }
        }
    }

    async fn create(accessor: &Hub, archive: Vec<u8>) -> Result<Vec<abi::Image>, abi::ImageError> {
        let shared = shared(accessor);
        let made = shared
            .domoticz
            .images
            .create(&owner(&shared), archive)
            .await;
        made.map(|(images, _charge)| images.into_iter().map(abi::Image::from).collect())
            .map_err(|error| refuse(&shared, error))
    }

    async fn delete(accessor: &Hub, id: i64) -> Result<(), abi::ImageError> {
        let shared = shared(accessor);
        let key = Some(shared.domoticz.key.as_str());
        let deleted = shared.domoticz.images.delete(key, id).await;
        deleted.map(drop).map_err(|error| refuse(&shared, error))
    }
}

fn owner(shared: &Shared) -> Owner {
    Owner {
        key: shared.domoticz.key.clone(),
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
