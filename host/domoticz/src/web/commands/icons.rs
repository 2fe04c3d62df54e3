//! Icon sets: those of the hub's own names, and those that plugins and people bring.

use serde_json::json;

use super::super::HubApi;
use super::{Answer, Call, Outcome, failed};
use crate::image::{BUILT_IN, FIRST, Image};
use cordon_web::access::{Caller, Rights};

/// Bounds of texts that people write.
const MAX_TEXT: usize = 500;

pub(super) async fn choices(call: &Call<'_>) -> Outcome {
    let own = BUILT_IN.iter().map(|icon| {
        json!({
            "idx": icon.number, "imageSrc": icon.base, "text": icon.text,
            "description": icon.text,
        })
    });
    let images = call.api.images.all().await.map_err(failed)?;
    let weight = weight(&images);
    let row = |image: Image| {
        json!({
            "idx": image.id, "imageSrc": image.base, "text": image.name,
            "description": image.description,
        })
    };
    let rows = own.chain(images.into_iter().map(row));
    Ok(Answer::ok("CustomLightIcons").with_each(rows, weight))
}

pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let images = call.api.images.all().await.map_err(failed)?;
    let weight = weight(&images);
    let row = |image: Image| {
        json!({
            "idx": image.id.saturating_sub(FIRST).to_string(),
            "Title": image.name, "Description": image.description,
            "IconFile16": format!("images/{}.png", image.base),
            "IconFile48On": format!("images/{}48_On.png", image.base),
            "IconFile48Off": format!("images/{}48_Off.png", image.base),
        })
    };
    Ok(Answer::ok("GetCustomIconSet").with_each(images.into_iter().map(row), weight))
}

/// Bytes of what is told of these.
fn weight(images: &[Image]) -> usize {
    let texts = images.iter().map(|image| {
        let texts = [&image.base, &image.name, &image.description];
        texts.into_iter().map(String::len).sum()
    });
    texts.fold(size_of_val(images), usize::saturating_add)
}

pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let name = call.query.needed("name")?;
    let description = call.query.raw("description").unwrap_or("");
    if name.len() > MAX_TEXT || description.len() > MAX_TEXT {
        return Err(format!(
            "name and description may have {MAX_TEXT} bytes each"
        ));
    }
    let described = call
        .api
        .images
        .describe(number(call)?, name, description)
        .await;
    described.map_err(failed)?;
    Ok(Answer::ok("UpdateCustomIcon"))
}

pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let deleted = call.api.images.delete(None, number(call)?).await;
    deleted.map_err(failed)?;
    Ok(Answer::ok("DeleteCustomIcon"))
}

/// Sets are listed from 1; devices know them by a higher number, which is taken too.
fn number(call: &Call<'_>) -> Result<i64, String> {
    let idx = call.idx()?;
    Ok(if idx < FIRST {
        idx.saturating_add(FIRST)
    } else {
        idx
    })
}

const UPLOAD: &str = "UploadCustomIcon";

/// The answer to a caller who may bring no icons.
pub(in crate::web) fn refuses(caller: &Caller) -> Option<Answer> {
    let text = "this user has no right to do this";
    (caller.rights < Rights::Admin).then(|| Answer::error(UPLOAD, text))
}

/// Takes a zip file with icon sets.
pub(in crate::web) async fn upload(api: &HubApi, file: Vec<u8>) -> Answer {
    match api.images.upload(&api.pools.files, file).await {
        Ok(_) => Answer::ok(UPLOAD),
        Err(error) => Answer::error(UPLOAD, error.to_string()),
    }
}
