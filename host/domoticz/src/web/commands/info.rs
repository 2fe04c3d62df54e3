//! Questions of clients about the hub itself.

use jiff::Zoned;
use serde_json::{Value, json};

use super::super::HubApi;
use super::{Answer, Call, Outcome, failed};

pub(super) async fn version(call: &Call<'_>) -> Outcome {
    let info = &call.api.version;
    Ok(Answer::ok("GetVersion")
        .with("version", info.version.as_str())
        .with("Revision", info.revision)
        .with("build_time", info.build_time.as_str())
        .with("hash", info.hash.as_str())
        .with("python_version", info.python_version.as_str())
        .with("dzvents_version", "")
        .with("SystemName", std::env::consts::OS)
        .with("HaveUpdate", false)
        .with("UseUpdate", false)
        .with("DomoticzUpdateURL", ""))
}

pub(super) async fn no_update(_: &Call<'_>) -> Outcome {
    Ok(Answer::ok("CheckForUpdate")
        .with("HaveUpdate", false)
        .with("UseUpdate", false)
        .with("IsSecure", true)
        .with("Revision", 0)
        .with("SystemName", std::env::consts::OS)
        .with("DomoticzUpdateURL", ""))
}

pub(super) async fn auth(call: &Call<'_>) -> Outcome {
    Ok(Answer::ok("GetAuth")
        .with("user", call.caller.name.as_str())
        .with("rights", call.caller.rights.number())
        .with("version", call.api.version.version.as_str()))
}

/// The user whose name and password came with the request: with wrong ones it would have been
/// refused.
pub(super) async fn login_check(call: &Call<'_>) -> Outcome {
    Ok(Answer::ok("logincheck")
        .with("user", call.caller.name.as_str())
        .with("rights", call.caller.rights.number())
        .with("version", call.api.version.version.as_str())
        .with("require2fa", false))
}

pub(super) async fn users(call: &Call<'_>) -> Outcome {
    let row = |(number, (name, rights)): (usize, (&str, super::Rights))| {
        json!({
            "idx": number.to_string(), "Enabled": "true", "Username": name, "Password": "",
            "Rights": rights.number(), "RemoteSharing": 0, "TabsEnabled": 255,
        })
    };
    let users = call.api.access.users();
    Ok(Answer::ok("Users").with_result((1..).zip(users).map(row).collect()))
}

pub(super) async fn uptime(call: &Call<'_>) -> Outcome {
    let seconds = call.api.started.elapsed().as_secs();
    Ok(Answer::ok("GetUptime")
        .with("days", seconds / 86_400)
        .with("hours", seconds / 3600 % 24)
        .with("minutes", seconds / 60 % 60)
        .with("seconds", seconds % 60))
}

pub(super) async fn server_time(_: &Call<'_>) -> Outcome {
    let now = Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    Ok(Answer::ok("getServerTime").with("ServerTime", now))
}

pub(super) async fn title(call: &Call<'_>) -> Outcome {
    let title = setting(call, "Title").await?;
    let title = title.unwrap_or_else(|| "Cordon".to_owned());
    Ok(Answer::ok("GetTitle").with("Title", title))
}

pub(super) async fn language(call: &Call<'_>) -> Outcome {
    let language = setting(call, "Language").await?;
    Ok(Answer::ok("GetLanguage").with("language", language.unwrap_or_else(|| "en".to_owned())))
}

/// One setting as text.
pub(super) async fn setting(call: &Call<'_>, key: &str) -> Result<Option<String>, String> {
    let settings = call.api.preferences.settings().await.map_err(failed)?;
    let found = settings.into_iter().find(|(name, _)| name == key);
    Ok(found.map(|(_, value)| value))
}

/// Latitude and longitude of the hub: those of the settings, which are stored as two figures joined
/// by a semicolon, or else those of `[hub]`.
pub(super) fn place(api: &HubApi, location: &str) -> (String, String) {
    let (latitude, longitude) = location.split_once(';').unwrap_or(("0", "0"));
    let (latitude, longitude) = (latitude.trim(), longitude.trim());
    let unset = |text: &str| text.parse::<f64>().is_ok_and(|figure| figure == 0.0);
    match unset(latitude) && unset(longitude) {
        true => (api.place.0.to_string(), api.place.1.to_string()),
        false => (latitude.to_owned(), longitude.to_owned()),
    }
}

pub(super) async fn config(call: &Call<'_>) -> Outcome {
    let settings = call.api.preferences.settings().await.map_err(failed)?;
    let text = |key: &str| {
        let found = settings.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    let number = |key: &str, default: i64| text(key).parse().unwrap_or(default);
    let (latitude, longitude) = place(call.api, text("Location"));
    let (wind, wind_scale) = match number("WindUnit", 0) {
        1 => ("km/h", 0.36),
        2 => ("mph", 0.223_693_629_205),
        3 => ("kn", 0.194_384_449_412),
        4 => ("bf", 1.0),
        _ => ("m/s", 0.1),
    };
    let (temperature, scale) = match number("TempUnit", 0) {
        1 => ("F", 1.8),
        _ => ("C", 1.0),
    };
    let pages = call.api.pages.names().await.into_iter();
    let pages: Vec<Value> = pages
        .map(|page| Value::from(page.trim_end_matches(".html").trim_end_matches(".htm")))
        .collect();
    let tabs = json!({
        "EnableTabDashboard": true, "EnableTabFloorplans": false, "EnableTabLights": true,
        "EnableTabScenes": false, "EnableTabTemp": true, "EnableTabWeather": true,
        "EnableTabUtility": true, "EnableTabCustom": !pages.is_empty(), "EnableTabProxy": false,
        "ShowUpdatedEffect": true, "templates": pages,
    });
    Ok(Answer::ok("GetConfig")
        .with("language", text("Language"))
        .with("DashboardType", number("DashboardType", 0))
        .with("MobileType", number("MobileType", 0))
        .with("Latitude", latitude)
        .with("Longitude", longitude)
        .with("WindScale", wind_scale)
        .with("WindSign", wind)
        .with("TempScale", scale)
        .with("TempSign", temperature)
        .with("DegreeDaysBaseTemperature", 18.0)
        .with("FiveMinuteHistoryDays", number("5MinuteHistoryDays", 1))
        .with("AllowWidgetOrdering", false)
        .with("result", tabs))
}
