//! Markup in the operator's texts that stands for a value of the server: `%%v:ID%%` for a
//! variable's value, `%%d:ID:STATE%%` for a device's state, `%%e:"PATH"%%` for a part of the
//! event's data, `%%t:"FORMAT"%%` for the time. Plugins substitute in their own texts.

use std::sync::Arc;

use jiff::Zoned;
use serde_json::Value;

use super::bounds::{count, quoted};
use super::database::Reference;
use super::object::{Object, weight};
use super::state;
use super::table::{Collection, Table};

/// The values that markup is replaced with.
pub struct Known<'a> {
    /// Finds an object. The database is not locked while its values, which are as large as plugins
    /// make them, are put into the text.
    pub find: &'a dyn Fn(Table, &Reference) -> Option<Arc<Object>>,
    /// The time.
    pub now: &'a Zoned,
    /// The data of the event.
    pub event: &'a Value,
}

/// A text with its markup replaced, and the complaints about markup that stays.
pub struct Substituted {
    /// The text, at most as long as was allowed.
    pub text: String,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Most problems that are told. Values of variables bring markup as well.
const PROBLEMS: usize = 10;

/// Longest format of a time, in bytes: a few of them stand for a hundred times as many.
const FORMAT: usize = 256;

/// Opens and closes markup.
const MARK: &str = "%%";

/// Replaces the markup in a text. Variables come first, because their values may bring
/// markup of devices; no other value is looked at again. The text is cut where it would
/// get longer than `most` bytes, before more of a value is copied.
#[must_use]
pub fn substitute(known: &Known<'_>, text: &str, most: usize) -> Substituted {
    let mut problems = Vec::new();
    let text = pass(text, most, &mut problems, |kind, rest, room| {
        (kind == "v").then(|| variable(known, rest, room))
    });
    let text = pass(&text, most, &mut problems, |kind, rest, room| match kind {
        "d" => Some(device(known, rest, room)),
        "e" => Some(event(known, rest, room)),
        "t" => Some(time(known, rest)),
        _ => None,
    });
    Substituted { text, problems }
}

/// Goes through a text once. `value` gives the text for markup of a kind that it knows, as far as
/// there is room.
fn pass(
    text: &str,
    most: usize,
    problems: &mut Vec<String>,
    value: impl Fn(&str, &str, usize) -> Option<Result<String, String>>,
) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(MARK) {
        add(&mut done, before, most);
        let room = most.saturating_sub(done.len());
        let found = behind.split_once(MARK).and_then(|(inside, after)| {
            let (kind, argument) = inside.split_once(':')?;
            Some((value(kind, argument, room)?, after))
        });
        match found {
            Some((Ok(value), after)) => {
                add(&mut done, &value, most);
                rest = after;
            }
            Some((Err(problem), _)) => {
                if problems.len() < PROBLEMS {
                    problems.push(problem);
                }
                add(&mut done, MARK, most);
                rest = behind;
            }
            None => {
                add(&mut done, MARK, most);
                rest = behind;
            }
        }
        if done.len() >= most {
            return done;
        }
    }
    add(&mut done, rest, most);
    done
}

/// Adds as much of a text as there is room for.
fn add(done: &mut String, text: &str, most: usize) {
    done.push_str(start(text, most.saturating_sub(done.len())));
}

/// The beginning of a text.
fn start(text: &str, room: usize) -> &str {
    text.get(..text.floor_char_boundary(room)).unwrap_or("")
}

/// The beginning of a value's text; no more of the value is copied. A list or dictionary has none.
fn plain(value: &Value, room: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(start(text, room).to_owned()),
        other => state::text(other, None),
    }
}

fn id(text: &str) -> Result<Reference, String> {
    let number = text.trim().parse();
    number
        .map(Reference::Id)
        .map_err(|_| format!("'{}' in the markup is no id", quoted(text)))
}

fn variable(known: &Known<'_>, argument: &str, room: usize) -> Result<String, String> {
    let table = Collection::Variables.objects();
    let found = (known.find)(table, &id(argument)?);
    let found =
        found.ok_or_else(|| format!("there is no variable with id {}", quoted(argument)))?;
    Ok(start(found.text("value"), room).to_owned())
}

fn device(known: &Known<'_>, argument: &str, room: usize) -> Result<String, String> {
    let (number, key) = argument.split_once(':').ok_or_else(|| {
        let shown = quoted(argument);
        format!("'{MARK}d:{shown}{MARK}' needs a device's id and a state")
    })?;
    let table = Collection::Devices.objects();
    let found = (known.find)(table, &id(number)?);
    let found = found.ok_or_else(|| format!("there is no device with id {}", quoted(number)))?;
    let value = found.state(key);
    value
        .and_then(|value| plain(value, room))
        .ok_or_else(|| format!("device {} has no state '{}'", found.id, quoted(key)))
}

fn unquoted(argument: &str) -> &str {
    argument.trim().trim_matches('"')
}

fn event(known: &Known<'_>, argument: &str, room: usize) -> Result<String, String> {
    let path = unquoted(argument);
    let mut value = known.event;
    for part in path.split('.') {
        let inner = match value {
            Value::Object(map) => map.get(part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        value = inner.ok_or_else(|| format!("the event has no '{}'", quoted(path)))?;
    }
    if let Some(text) = plain(value, room) {
        return Ok(text);
    }
    // A part of the value would be no JSON.
    if weight(value) > count(room) {
        return Err(format!("'{}' of the event is too long", quoted(path)));
    }
    Ok(value.to_string())
}

fn time(known: &Known<'_>, argument: &str) -> Result<String, String> {
    let format = unquoted(argument);
    if format.len() > FORMAT {
        return Err(format!("'{}' is too long for a time", quoted(format)));
    }
    jiff::fmt::strtime::format(format, known.now).map_err(|error| {
        format!(
            "the time cannot be written as '{}': {error}",
            quoted(format)
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::caller::Caller;
    use super::super::fixture::Fixture;
    use super::*;

    #[tokio::test]
    async fn markup_becomes_what_it_stands_for() {
        const DEVICES: &str =
            "<Devices><Device type=\"relay\" id=\"r\"><Name>R</Name></Device></Devices>";
        let files = [("Server Plugin/Devices.xml", DEVICES)];
        let fixture = Fixture::new(&files, |_, _| None).await;
        let server = &fixture.server;
        let caller = Caller::Plugin(fixture.plugin.clone());
        let made = json!({"name": "lamp", "deviceTypeId": "r", "props": {}});
        let lamp = server
            .command(&caller, "device.create", made)
            .await
            .unwrap()["id"]
            .clone();
        let value = format!("is %%d:{lamp}:onOffState%% %%v:1%%");
        let made = json!({"name": "word", "value": value});
        let word = server
            .command(&caller, "variable.create", made)
            .await
            .unwrap()["id"]
            .clone();
        let now: Zoned = "2024-05-01T08:05:00[UTC]".parse().unwrap();
        let event = json!({"device-id": 7, "nested": {"list": ["%%v:9%%", "b"]}});
        let find = |table, reference: &Reference| {
            let database = server.database();
            database.find(table, reference).cloned()
        };
        let known = Known {
            find: &find,
            now: &now,
            event: &event,
        };
        let done = |text: &str| substitute(&known, text, 1000);
        for (text, expected) in [
            (
                format!("100%% %%v:{word}%% 50%"),
                "100%% is false %%v:1%% 50%",
            ),
            (
                format!("%%d:{lamp}:onOffState%%%%d:{lamp}:onOffState%%"),
                "falsefalse",
            ),
            (
                "%%t:\"%H:%M\"%%, %%e:\"device-id\"%%".to_owned(),
                "08:05, 7",
            ),
            // A value is not looked at again.
            (
                "%%e:\"nested.list.0\"%%%%e:\"nested.list.1\"%%".to_owned(),
                "%%v:9%%b",
            ),
            (
                "%%x:1%% %%v:5 and no end".to_owned(),
                "%%x:1%% %%v:5 and no end",
            ),
        ] {
            let done = done(&text);
            assert_eq!(done.text, expected);
            assert!(done.problems.is_empty(), "{:?}", done.problems);
        }
        for (text, problem) in [
            ("%%v:word%%", "'word' in the markup is no id"),
            ("%%v:5%%", "there is no variable with id 5"),
            ("%%d:5%%", "needs a device's id and a state"),
            ("%%d:5:x%%", "there is no device with id 5"),
            ("%%e:\"other\"%%", "the event has no 'other'"),
            ("%%t:\"%Ö\"%%", "the time cannot be written as '%Ö'"),
        ] {
            let done = done(text);
            assert_eq!(done.text, text);
            assert!(done.problems[0].contains(problem), "{:?}", done.problems);
        }
        let text = format!("%%d:{lamp}:power%%");
        assert!(done(&text).problems[0].contains("has no state 'power'"));
        let many = format!("%%v:{word}%%").repeat(10_000);
        let many = done(&many).text.len();
        assert!((1..=1000).contains(&many), "{many}");
        // A few bytes of format that stand for 200 characters, over and over.
        let wide = format!("%%t:\"{}\"%%", "%200Y".repeat(100));
        assert!(done(&wide).problems[0].contains("too long for a time"));
    }
}
