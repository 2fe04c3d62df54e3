//! The hub's settings, with the names that the form for them uses.

use serde_json::json;

use super::info::place;
use super::{Answer, Call, Outcome, failed};
use cordon_web::access::md5_hex;

/// The setting with the MD5 of the code for the security panel.
pub(super) const CODE: &str = "SecPassword";
/// The setting with the seconds between arming and being armed.
pub(super) const DELAY: &str = "SecOnDelay";

/// Settings that a client may store, by the type of their values.
const NUMBERS: &[&str] = &[
    "5MinuteHistoryDays",
    "AcceptNewHardware",
    "CostEnergy",
    "CostEnergyR1",
    "CostEnergyR2",
    "CostEnergyT2",
    "CostGas",
    "CostWater",
    "DashboardType",
    "ElectricVoltage",
    "EnergyDivider",
    "GasDivider",
    "LightHistoryDays",
    "MobileType",
    "RandomTimerFrame",
    DELAY,
    "SensorTimeout",
    "ShortLogDays",
    "TempUnit",
    "WaterDivider",
    "WeightUnit",
    "WindUnit",
];
const TEXTS: &[&str] = &["Language", "Title", "WebTheme"];

pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let settings = call.api.preferences.settings().await.map_err(failed)?;
    // Clients look for it before anybody has set it.
    let mut answer = Answer::ok("Settings").with(DELAY, 0);
    for (key, text) in settings {
        // The names of the fields that every answer has.
        if matches!(key.as_str(), "status" | "title" | "result") {
            continue;
        }
        answer = match (key.as_str(), text.parse::<i64>()) {
            ("Location", _) => {
                let (latitude, longitude) = place(call.api, &text);
                answer.with(&key, json!({"Latitude": latitude, "Longitude": longitude}))
            }
            (_, Ok(number)) => answer.with(&key, number),
            _ => answer.with(&key, text),
        };
    }
    let code = call.api.preferences.secret(CODE).await.map_err(failed)?;
    Ok(answer.with(CODE, code.unwrap_or_default()))
}

/// Stores the settings that the hub knows, and then tells all plugins.
pub(super) async fn store(call: &Call<'_>) -> Outcome {
    let query = call.query;
    let mut known: Vec<(String, String, i64)> = Vec::new();
    for key in NUMBERS.iter().filter(|key| query.text(key).is_some()) {
        let number = match query.flag(key) {
            true => 1,
            false => query.number(key)?.unwrap_or(0),
        };
        known.push(((*key).to_owned(), String::new(), number));
    }
    for key in TEXTS {
        let given = query.text(key);
        known.extend(given.map(|text| ((*key).to_owned(), text.to_owned(), 0)));
    }
    known.extend(location(call)?);
    if let Some(code) = query.raw(CODE) {
        known.push((CODE.to_owned(), hashed(code), 0));
    }
    if known.is_empty() {
        return Err("there is no setting in this that the hub knows".to_owned());
    }
    let stored = call.api.house.set_preferences(&known).await;
    stored.map_err(failed)?;
    Ok(Answer::ok("StoreSettings"))
}

fn location(call: &Call<'_>) -> Result<Option<(String, String, i64)>, String> {
    let latitude: Option<f64> = call.query.number("Latitude")?;
    let longitude: Option<f64> = call.query.number("Longitude")?;
    let Some((latitude, longitude)) = latitude.zip(longitude) else {
        return Ok(None);
    };
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return Err("`Latitude` is from -90 to 90, `Longitude` from -180 to 180".to_owned());
    }
    Ok(Some((
        "Location".to_owned(),
        format!("{latitude};{longitude}"),
        0,
    )))
}

/// A code that a client read before comes back as it is.
fn hashed(code: &str) -> String {
    let is_hash = code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (code.is_empty(), is_hash) {
        (true, _) => String::new(),
        (_, true) => code.to_ascii_lowercase(),
        _ => md5_hex(code),
    }
}
