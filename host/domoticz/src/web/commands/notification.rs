//! Notifications: the rules of a device, and messages to people.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, failed};
use crate::kind;
use crate::notification::Notification;
use crate::rule::Rule;

/// Longest text of a message in bytes.
const MAX_TEXT: usize = 4096;

pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let rules = call.api.house.rules().of(device.id).await.map_err(failed)?;
    let row = |rule: &Rule| {
        json!({
            "idx": rule.id, "Params": rule.params, "CustomMessage": rule.message,
            "CustomAction": "", "ActiveSystems": rule.systems, "Priority": rule.priority,
            "SendAlways": rule.send_always, "Active": true,
        })
    };
    let notifiers = call.api.house.notifiers().list().into_iter();
    let notifiers: Vec<Value> = notifiers
        .map(|(_, name)| json!({"name": name, "description": name}))
        .collect();
    Ok(Answer::ok("GetNotifications")
        .with("notifiers", notifiers)
        .with_result(rules.iter().map(row).collect()))
}

/// Kinds of notification by number, letter, name and unit.
const TYPES: &[(i64, char, &str, &str)] = &[
    (0, 'T', "Temperature", "°C"),
    (2, 'H', "Humidity", "%"),
    (5, 'U', "UV", "UVI"),
    (6, 'M', "Usage", "W"),
    (7, 'B', "Baro", "hPa"),
    (8, 'S', "Switch On", ""),
    (17, 'O', "Switch Off", ""),
    (11, 'P', "Percentage", "%"),
    (14, 'N', "Set Point", "°C"),
    (12, 'F', "Value", ""),
];

pub(super) async fn types(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let fits = |letter: char| match letter {
        'S' | 'O' => kind::is_switch(&device),
        'F' => !kind::is_switch(&device),
        _ => kind::of(&device).rules.contains(letter),
    };
    let row = |(number, letter, name, unit): &(i64, char, &str, &str)| json!({"val": number, "text": name, "ptag": letter.to_string(), "unit": unit});
    let fitting = TYPES.iter().filter(|(_, letter, _, _)| fits(*letter));
    Ok(Answer::ok("GetNotificationTypes").with_result(fitting.map(row).collect()))
}

pub(super) async fn add(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device.id;
    save(call, 0, device).await?;
    Ok(Answer::ok("AddNotification"))
}

pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let device: i64 = call.query.required("devidx")?;
    let id = call.idx()?;
    let rules = call.api.house.rules().of(device).await.map_err(failed)?;
    if !rules.iter().any(|rule| rule.id == id) {
        return Err("no notification of this device has this idx".to_owned());
    }
    save(call, id, device).await?;
    Ok(Answer::ok("UpdateNotification"))
}

async fn save(call: &Call<'_>, id: i64, device: i64) -> Result<(), String> {
    let query = call.query;
    let number: i64 = query.required("ttype")?;
    let found = TYPES.iter().find(|(known, ..)| *known == number);
    let (_, letter, ..) = found.ok_or("see getnotificationtypes for the values of `ttype`")?;
    let params = match letter {
        'S' | 'O' => letter.to_string(),
        _ => {
            let compare = match query.text("twhen").unwrap_or("0") {
                "0" => ">",
                "1" => ">=",
                "2" => "=",
                "3" => "!=",
                "4" => "<=",
                "5" => "<",
                _ => return Err("`twhen` is from 0 (greater) to 5 (less)".to_owned()),
            };
            let value: f64 = query.required("tvalue")?;
            format!("{letter};{compare};{value}")
        }
    };
    let rule = Rule {
        id,
        device,
        params,
        message: query.raw("tmsg").unwrap_or("").to_owned(),
        systems: query.raw("tsystems").unwrap_or("").to_owned(),
        priority: query.number("tpriority")?.unwrap_or(0),
        send_always: query.flag("tsendalways"),
    };
    call.api.house.rules().save(rule).await.map_err(failed)?;
    Ok(())
}

pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let removed = call.api.house.rules().remove(call.idx()?).await;
    match removed.map_err(failed)? {
        true => Ok(Answer::ok("DeleteNotification")),
        false => Err("no notification has this idx".to_owned()),
    }
}

pub(super) async fn clear(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let cleared = call.api.house.rules().clear(device.id).await;
    cleared.map_err(failed)?;
    Ok(Answer::ok("ClearNotification"))
}

pub(super) async fn send(call: &Call<'_>) -> Outcome {
    let (subject, body) = (call.query.needed("subject")?, call.query.needed("body")?);
    if subject.len() > MAX_TEXT || body.len() > MAX_TEXT {
        return Err(format!("subject and body may have {MAX_TEXT} bytes each"));
    }
    let priority: i32 = call.query.number("priority")?.unwrap_or(0).clamp(-2, 2);
    let sound = call.query.text("sound").unwrap_or("");
    let systems = call.query.text("subsystem").unwrap_or("");
    let notification = Notification::message(subject, body, priority, sound);
    match call.api.house.notify(&notification, systems) {
        0 => Err("no plugin takes notifications under this name".to_owned()),
        _ => Ok(Answer::ok("SendNotification")),
    }
}
