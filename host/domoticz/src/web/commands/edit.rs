//! Changes that people make to devices.

use super::{Answer, Call, Outcome, explain};
use crate::Change;
use crate::calibration::{self, Calibration};
use cordon_web::access::decode;
use cordon_web::query::Query;

/// Longest name and description in bytes.
const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 4096;
/// Longest options in bytes, as they come.
const MAX_OPTIONS: usize = 16 << 10;

pub(super) async fn rename(call: &Call<'_>) -> Outcome {
    let name = name(call.query.needed("name")?)?;
    let renamed = call.api.devices.rename(call.idx()?, name).await;
    call.changed(renamed).await?;
    Ok(Answer::ok("RenameDevice"))
}

pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    for id in call.ids()? {
        let removed = call.api.devices.remove(id).await;
        call.changed(removed).await?;
    }
    Ok(Answer::ok("DeleteDevice"))
}

pub(super) async fn set_unused(call: &Call<'_>) -> Outcome {
    for id in call.ids()? {
        let changed = call.api.devices.set_used(id, false).await;
        call.changed(changed).await?;
    }
    Ok(Answer::ok("SetUnused"))
}

/// Stores the form for a device. Only fields that are given are changed.
pub(super) async fn set_used(call: &Call<'_>) -> Outcome {
    let query = call.query;
    // The older form for set points.
    if query.text("setpoint").is_some() {
        return super::device::set_point(call).await;
    }
    let used = query.text("used").map(|_| i64::from(query.flag("used")));
    let description = query.raw("description").map(text).transpose()?;
    let options = query.text("options").map(options).transpose()?;
    let change = Change {
        used,
        name: query.text("name").map(name).transpose()?,
        description,
        switch_type: query.number("switchtype")?,
        image: query.number("customimage")?,
        options,
        ..Change::default()
    };
    let calibration = Given::of(query)?;
    if change == Change::default() && calibration == Given::default() {
        return Err("parameter `used` is missing".to_owned());
    }
    if calibration != Given::default() {
        let set = move |before| calibration.over(before);
        let calibrated = call.api.devices.calibrate(call.idx()?, set).await;
        calibrated.map_err(explain)?;
    }
    let edited = call.api.devices.edit(call.idx()?, change).await;
    call.changed(edited).await?;
    Ok(Answer::ok("SetUsed"))
}

/// The figures of a calibration that a client gave.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Given([Option<f64>; 4]);

impl Given {
    fn of(query: &Query) -> Result<Self, String> {
        let names = ["addjvalue", "addjmulti", "addjvalue2", "addjmulti2"];
        let mut given = Self::default();
        for (place, name) in given.0.iter_mut().zip(names) {
            let figure = query.number(name)?;
            *place = figure
                .map(|figure| calibration::checked(name, figure))
                .transpose()?;
        }
        Ok(given)
    }

    fn over(self, before: Calibration) -> Calibration {
        let [value, multiplier, value2, multiplier2] = self.0;
        Calibration {
            value: value.unwrap_or(before.value),
            multiplier: multiplier.unwrap_or(before.multiplier),
            value2: value2.unwrap_or(before.value2),
            multiplier2: multiplier2.unwrap_or(before.multiplier2),
        }
    }
}

/// A name that can be shown.
pub(super) fn name(name: &str) -> Result<String, String> {
    match name.len() {
        1..=MAX_NAME => Ok(name.to_owned()),
        _ => Err(format!("a name has 1 to {MAX_NAME} bytes")),
    }
}

fn text(text: &str) -> Result<String, String> {
    match text.len() {
        0..=MAX_TEXT => Ok(text.to_owned()),
        _ => Err(format!("a description may have {MAX_TEXT} bytes")),
    }
}

/// Options in base64: pairs of key and value with a colon, joined by semicolons.
pub(super) fn options(coded: &str) -> Result<Vec<(String, String)>, String> {
    if coded.len() > MAX_OPTIONS {
        return Err(format!("`options` may have {MAX_OPTIONS} bytes"));
    }
    let text = decode(coded).ok_or("`options` must be text in base64")?;
    let pairs = text.split(';').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(':')?;
        Some((key.to_owned(), unescape(value)))
    };
    let pairs: Option<Vec<_>> = pairs.map(pair).collect();
    pairs.ok_or_else(|| {
        "`options` must be pairs such as SelectorStyle:0;LevelNames:Off|On".to_owned()
    })
}

/// Values that hold a semicolon come with their bytes in percent signs.
fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn options_are_pairs_in_base64() {
        let coded = BASE64_STANDARD.encode("SelectorStyle:0;LevelNames:Off|A%3BB|100%");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            options(&coded).unwrap(),
            [
                pair("SelectorStyle", "0"),
                pair("LevelNames", "Off|A;B|100%")
            ]
        );
        assert!(options("%%%").is_err());
        assert!(options(&BASE64_STANDARD.encode("nonsense")).is_err());
    }
}
