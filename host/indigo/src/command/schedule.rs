//! `indigo.schedule`: steps at a time.

use serde_json::{Value, json};

use super::{Context, action_group, common, unknown};
use crate::bounds::{self, DAYS};
use crate::failure::Failure;
use crate::schedule::Timing;
use crate::table::Collection;
use crate::trigger::{event, execute, merge};

const TABLE: Collection = Collection::Schedules;

const DATES: [&str; 5] = [
    "Absolute",
    "EveryDay",
    "DaysOfWeek",
    "DaysOfMonth",
    "DaysOfMonthInterval",
];

const TIMES: [&str; 4] = ["Absolute", "Countdown", "Sunrise", "Sunset"];

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "create" => create(&context).await,
        "execute" => {
            let schedule = context.subject(TABLE.objects())?;
            let ignore = context.arguments.flag("ignoreConditions")?.unwrap_or(false);
            let given = action_group::event_data(&context, "schedule_data")?;
            execute(context.server, context.caller, &schedule, ignore, || {
                let mut data = given;
                merge(&mut data, event(&schedule, context.caller));
                data
            });
            Ok(Value::Null)
        }
        "replaceOnServer" => {
            let allowed = [
                "name",
                "description",
                "enabled",
                "suppressLogging",
                "upload",
                "remoteDisplay",
                "autoDelete",
                "absoluteDate",
                "absoluteTime",
                "absoluteDateTime",
                "sunDelta",
                "randomizeBy",
                "timeType",
                "configured",
            ];
            times(&context)?;
            common::replace(&context, TABLE, &allowed, &[]).await
        }
        "setActions" => action_group::set_actions(&context, TABLE).await,
        "getActions" => action_group::get_actions(&context, TABLE),
        _ => match common::run(&context, TABLE, command).await {
            Some(done) => done,
            None => Err(unknown(&format!("schedule.{command}"))),
        },
    }
}

/// Checks the attributes that the times of a schedule follow from and that shall be replaced.
fn times(context: &Context<'_>) -> Result<(), Failure> {
    let Some(given) = context.arguments.dict("object")? else {
        return Ok(());
    };
    if let Some(given) = given.get("timeType") {
        let known = given.as_str().is_some_and(|it| TIMES.contains(&it));
        if !known {
            let text = format!("timeType is one of {}", TIMES.join(", "));
            return Err(Failure::value(text));
        }
    }
    for key in ["absoluteDate", "absoluteTime", "absoluteDateTime"] {
        if let Some(Value::String(text)) = given.get(key) {
            bounds::short(key, text, bounds::KEY)?;
        }
        match given.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.parse::<jiff::civil::DateTime>().is_ok() => {}
            Some(_) => {
                let text = format!("{key} is a day and time, YYYY-MM-DDTHH:MM:SS");
                return Err(Failure::value(text));
            }
        }
    }
    Ok(())
}

/// Makes a schedule. The original's scripts cannot do this; here they and the API can.
async fn create(context: &Context<'_>) -> Result<Value, Failure> {
    let arguments = &context.arguments;
    let name = arguments.needed_text("name")?;
    let folder = common::folder_id(context, TABLE, arguments.given("folder"))?;
    let mut fields = common::fields(name, arguments.text("description")?.unwrap_or(""), folder);
    let date_type = member(context, "dateType", &DATES, "EveryDay")?;
    let time_type = member(context, "timeType", &TIMES, "Absolute")?;
    let seconds = |name: &str| -> Result<Value, Failure> {
        Ok(json!(whole(arguments.number(name)?.unwrap_or(0.0))))
    };
    for (key, value) in [
        ("enabled", json!(arguments.flag("enabled")?.unwrap_or(true))),
        ("configured", json!(true)),
        ("dateType", json!(date_type)),
        ("timeType", json!(time_type)),
        ("absoluteDate", moment(context, "absoluteDate")?),
        ("absoluteTime", moment(context, "absoluteTime")?),
        ("absoluteDateTime", moment(context, "absoluteDateTime")?),
        ("sunDelta", seconds("sunDelta")?),
        ("randomizeBy", seconds("randomizeBy")?),
        (
            "autoDelete",
            json!(arguments.flag("autoDelete")?.unwrap_or(false)),
        ),
        ("nextExecution", Value::Null),
        (
            "suppressLogging",
            json!(arguments.flag("suppressLogging")?.unwrap_or(false)),
        ),
        ("upload", json!(false)),
    ] {
        fields.insert(key.to_owned(), value);
    }
    let timing: Timing = match arguments.given("timing") {
        Some(timing) => serde_json::from_value(timing.clone())
            .map_err(|error| Failure::value(format!("timing: {error}")))?,
        None => Timing::default(),
    };
    let days = timing.days.len().max(timing.weekdays.len());
    if days > DAYS || !timing.countdown.is_finite() {
        return Err(Failure::value(format!(
            "a timing has {DAYS} days at most, and a countdown of some seconds"
        )));
    }
    let mut schedule = common::object(context, TABLE, fields);
    schedule.hidden.actions = action_group::steps(context)?.unwrap_or_default();
    schedule.hidden.condition = action_group::condition(context)?;
    schedule.hidden.timing = Some(timing);
    context.add(schedule).await
}

fn member(
    context: &Context<'_>,
    name: &str,
    members: &[&'static str],
    default: &'static str,
) -> Result<&'static str, Failure> {
    match context.arguments.text(name)? {
        None => Ok(default),
        Some(given) => {
            let found = members.iter().find(|it| **it == given).copied();
            found.ok_or_else(|| Failure::value(format!("{name} is one of {}", members.join(", "))))
        }
    }
}

/// A day and time, `YYYY-MM-DDTHH:MM:SS`.
fn moment(context: &Context<'_>, name: &str) -> Result<Value, Failure> {
    match context.arguments.text(name)? {
        None => Ok(Value::Null),
        Some(text) => match text.parse::<jiff::civil::DateTime>() {
            Ok(time) => Ok(json!(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())),
            Err(error) => Err(Failure::value(format!("{name}: {error}"))),
        },
    }
}

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
    let whole = value.clamp(-1e9, 1e9) as i64;
    whole
}
