//! The file with a plugin's preferences, in the original's format.
//!
//! `Preferences/Plugins/PLUGINID.indiPref` in the install folder, which is the plugin's
//! data folder: typed XML, a `Prefs` element with one child for each key. It lies where
//! the plugin can write itself, so nothing in it is trusted: no link is followed on the
//! way to it, its size and depth are bounded, and a file that cannot be read is put
//! aside and counts as none. It is replaced as a whole, so that a crash leaves the old
//! file or the new one.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rustix::fs::{AtFlags, Mode, OFlags};
use serde_json::{Map, Number, Value};

use super::bounds::count;
use super::paths::{PREFERENCES, folder};

/// Deepest nesting of values.
const DEPTH: usize = 64;

/// Most values: an element of a few bytes takes much more room than its text.
const VALUES: usize = 65_536;

/// The reason why preferences could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PreferencesError {
    /// The file system refused, or a link is in the way.
    #[error("the file of preferences: {0}")]
    Io(#[from] std::io::Error),
    /// The text is not in the format.
    #[error("the file of preferences: {0}")]
    Format(String),
}

impl From<rustix::io::Errno> for PreferencesError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

fn wrong(what: impl std::fmt::Display) -> PreferencesError {
    PreferencesError::Format(what.to_string())
}

/// Reads the preferences of a plugin from its data folder; nothing when there are none.
/// Blocks.
///
/// # Errors
///
/// [`PreferencesError`]; a file in the wrong format is put aside first.
pub fn load(data: &Path, plugin: &str, most: u64) -> Result<Map<String, Value>, PreferencesError> {
    let Some(folder) = folder(data, PREFERENCES, false)? else {
        return Ok(Map::new());
    };
    let name = format!("{plugin}.indiPref");
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, name.as_str(), flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(Map::new()),
        Err(error) => return Err(error.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(wrong("it is no file"));
    }
    let most = longest(most);
    let mut text = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut text)?;
    let parsed = if u64::try_from(text.len()).unwrap_or(u64::MAX) > most {
        Err(wrong("it is too large"))
    } else {
        parse(&text)
    };
    if parsed.is_err() {
        let aside = format!("{name}.damaged");
        rustix::fs::renameat(&folder, name.as_str(), &folder, aside.as_str())?;
    }
    parsed
}

/// Longest file of preferences of which `most` bytes may be stored. XML takes more room than the
/// values in it.
#[must_use]
pub fn longest(most: u64) -> u64 {
    most.saturating_mul(TIMES)
}

/// How many times as long as the preferences their file may be.
pub const TIMES: u64 = 4;

/// Writes the preferences of a plugin into its data folder; they are on disk when this returns.
/// Blocks.
///
/// # Errors
///
/// [`PreferencesError`]; then the old file is still there. This also happens when [`load`] with the
/// same `most` would refuse the new file.
pub fn save(
    data: &Path,
    plugin: &str,
    preferences: &Map<String, Value>,
    most: u64,
) -> Result<(), PreferencesError> {
    let Written { bytes, values } = Written::of(preferences);
    if bytes > longest(most) || values > VALUES {
        return Err(wrong("it would be too large to be read again"));
    }
    let text = write(preferences);
    let Some(folder) = folder(data, PREFERENCES, true)? else {
        return Err(wrong("its folder cannot be made"));
    };
    let name = format!("{plugin}.indiPref");
    let temporary = format!("{name}.new");
    match rustix::fs::unlinkat(&folder, temporary.as_str(), AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let mut file = File::from(rustix::fs::openat(
        &folder,
        temporary.as_str(),
        flags,
        mode,
    )?);
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    rustix::fs::renameat(&folder, temporary.as_str(), &folder, name.as_str())?;
    rustix::fs::fsync(&folder)?;
    Ok(())
}

/// The size of a file of preferences before it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub bytes: u64,
    /// Values, lists and dictionaries counted.
    pub values: usize,
}

impl Written {
    /// Counts the size without writing the file.
    #[must_use]
    pub fn of(preferences: &Map<String, Value>) -> Self {
        let mut counted = Self::default();
        file(&mut counted, preferences);
        counted
    }

    /// Whether a file has too many values to be read.
    #[must_use]
    pub fn has_too_many(&self) -> bool {
        self.values > VALUES
    }
}

/// A receiver of the file's text.
trait Sink {
    fn push(&mut self, piece: &str);
    /// A value begins.
    fn value(&mut self) {}
}

impl Sink for String {
    fn push(&mut self, piece: &str) {
        self.push_str(piece);
    }
}

impl Sink for Written {
    fn push(&mut self, piece: &str) {
        self.bytes = self.bytes.saturating_add(count(piece.len()));
    }

    fn value(&mut self) {
        self.values = self.values.saturating_add(1);
    }
}

/// The text of the file.
#[must_use]
pub fn write(preferences: &Map<String, Value>) -> String {
    let mut text = String::new();
    file(&mut text, preferences);
    text
}

fn file(text: &mut impl Sink, preferences: &Map<String, Value>) {
    text.push("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    dictionary(text, "Prefs", preferences, 0);
}

fn dictionary(text: &mut impl Sink, name: &str, map: &Map<String, Value>, depth: usize) {
    open_tag(text, name, "dict", depth);
    text.push("\n");
    for (key, value) in map {
        element(text, key, value, depth + 1);
    }
    text.push(indent(depth));
    close_tag(text, name);
}

fn element(text: &mut impl Sink, name: &str, value: &Value, depth: usize) {
    let (kind, value) = match value {
        // The format has no word for nothing.
        Value::Null => ("string", Cow::Borrowed("")),
        Value::Bool(value) => ("bool", Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) if number.is_f64() => ("real", Cow::Owned(number.to_string())),
        Value::Number(number) => ("integer", Cow::Owned(number.to_string())),
        Value::String(value) => ("string", Cow::Borrowed(value.as_str())),
        Value::Array(items) => {
            open_tag(text, name, "vector", depth);
            text.push("\n");
            for item in items {
                element(text, "Item", item, depth + 1);
            }
            text.push(indent(depth));
            return close_tag(text, name);
        }
        Value::Object(map) => return dictionary(text, name, map, depth),
    };
    open_tag(text, name, kind, depth);
    escape(text, &value);
    close_tag(text, name);
}

fn open_tag(text: &mut impl Sink, name: &str, kind: &str, depth: usize) {
    text.value();
    for piece in [indent(depth), "<", name, " type=\"", kind, "\">"] {
        text.push(piece);
    }
}

fn close_tag(text: &mut impl Sink, name: &str) {
    for piece in ["</", name, ">\n"] {
        text.push(piece);
    }
}

/// The tabs before a line; no value is nested deeper than there are.
fn indent(depth: usize) -> &'static str {
    const TABS: &str = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t";
    TABS.get(..depth).unwrap_or(TABS)
}

/// Text for XML. Characters that XML cannot hold at all are left out.
fn escape(text: &mut impl Sink, value: &str) {
    let special = |it: char| {
        matches!(it, '&' | '<' | '>' | '\u{fffe}' | '\u{ffff}')
            || (it.is_control() && !matches!(it, '\t' | '\n'))
    };
    let mut rest = value;
    while let Some((before, at)) = rest.find(special).and_then(|at| rest.split_at_checked(at)) {
        text.push(before);
        let mut behind = at.chars();
        text.push(match behind.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            // A reader makes a line feed of it.
            Some('\r') => "&#13;",
            _ => "",
        });
        rest = behind.as_str();
    }
    text.push(rest);
}

/// A value that is being read.
struct Open {
    name: String,
    kind: String,
    text: String,
    map: Map<String, Value>,
    items: Vec<Value>,
}

impl Open {
    fn new(start: &BytesStart<'_>) -> Result<Self, PreferencesError> {
        let name = start.name().0.to_owned();
        let mut kind = "string".to_owned();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(wrong)?;
            if attribute.key.0 == "type" {
                kind = attribute.value.into_owned();
            }
        }
        Ok(Self {
            name,
            kind,
            text: String::new(),
            map: Map::new(),
            items: Vec::new(),
        })
    }

    fn take(&mut self, name: String, value: Value) {
        if self.is_list() {
            self.items.push(value);
        } else {
            self.map.insert(name, value);
        }
    }

    fn is_list(&self) -> bool {
        matches!(self.kind.as_str(), "vector" | "list" | "array")
    }

    fn value(self) -> Result<Value, PreferencesError> {
        let number = self.text.trim();
        let no_number = || wrong(format!("'{number}' of {} is no {}", self.name, self.kind));
        Ok(match self.kind.as_str() {
            "dict" => Value::Object(self.map),
            "vector" | "list" | "array" => Value::Array(self.items),
            "bool" => Value::Bool(number.eq_ignore_ascii_case("true")),
            "integer" => match (number.parse::<i64>(), number.parse::<u64>()) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(number)) => Value::from(number),
                _ => return Err(no_number()),
            },
            "real" => {
                let real = number.parse().map_err(|_| no_number())?;
                Value::Number(Number::from_f64(real).ok_or_else(no_number)?)
            }
            _ => Value::String(self.text),
        })
    }
}

/// The preferences in the text of a file.
///
/// # Errors
///
/// [`PreferencesError::Format`] with the reason.
pub fn parse(text: &[u8]) -> Result<Map<String, Value>, PreferencesError> {
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut values = 0_usize;
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Start(start) => {
                if open.len() >= DEPTH {
                    return Err(wrong("its values are nested too deep"));
                }
                one_more(&mut values)?;
                open.push(Open::new(&start)?);
            }
            Event::Empty(start) => {
                one_more(&mut values)?;
                let element = Open::new(&start)?;
                if let Some(done) = close(&mut open, element)? {
                    return Ok(done);
                }
            }
            Event::Text(piece) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&piece);
                }
            }
            Event::CData(piece) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&piece);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(element) = open.last_mut() {
                    let character = reference.resolve_char_ref().map_err(wrong)?;
                    match (character, &*reference) {
                        (Some(character), _) => element.text.push(character),
                        (None, "amp") => element.text.push('&'),
                        (None, "lt") => element.text.push('<'),
                        (None, "gt") => element.text.push('>'),
                        (None, "quot") => element.text.push('"'),
                        (None, "apos") => element.text.push('\''),
                        (None, other) => return Err(wrong(format!("&{other}; is not known"))),
                    }
                }
            }
            Event::End(_) => {
                let Some(element) = open.pop() else {
                    return Err(wrong("an element ends that did not begin"));
                };
                if let Some(done) = close(&mut open, element)? {
                    return Ok(done);
                }
            }
            Event::Eof => return Err(wrong("it ends too early")),
            _ => {}
        }
    }
}

/// Counts a value.
fn one_more(values: &mut usize) -> Result<(), PreferencesError> {
    *values = values.saturating_add(1);
    if *values > VALUES {
        return Err(wrong(format!("it has more than {VALUES} values")));
    }
    Ok(())
}

/// Puts a finished element into the one around it; the outermost is the result.
fn close(open: &mut [Open], element: Open) -> Result<Option<Map<String, Value>>, PreferencesError> {
    let Some(around) = open.last_mut() else {
        return match element.name.as_str() {
            "Prefs" => Ok(Some(element.map)),
            other => Err(wrong(format!("it begins with {other}, not with Prefs"))),
        };
    };
    let name = element.name.clone();
    around.take(name, element.value()?);
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
