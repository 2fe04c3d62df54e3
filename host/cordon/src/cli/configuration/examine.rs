//! Finds every problem of a `cordon.toml`, with its line.
//!
//! Reading a file stops at its first fault. Here the faulty entry is taken out and the rest is read
//! again, until nothing is left to complain of. Then the sections are compared with the plugins
//! folder and the files that they name.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use crate::config::{Config, Fault, MAX_FILE, explained, warnings};
use cordon_base::error::EngineError;
use cordon_base::grants::Grants;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::private::{self, Standing};
use cordon_base::problems::Problems;
use cordon_base::regular_file::RegularFile;
use cordon_domoticz::catalogue::{Catalogue, Library};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::parameters::{HardwareConfig, HubFacts, parameters};
use cordon_indigo::bundle::Bundle;
use cordon_indigo::config::IndigoSection;

/// Most faults that are looked for in the words of a file.
const MOST: usize = 50;

/// Names of plugins that are proposed when one is not found.
const PROPOSED: usize = 10;

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Line in the file, from 1; none when it is about the file as a whole.
    pub line: Option<usize>,
    /// The problem and its remedy, in words.
    pub text: String,
    /// Whether the hub or the instance does not start.
    pub grave: bool,
}

/// Every problem of a file, in the order of its lines.
///
/// # Errors
/// [`EngineError::Io`] when the file cannot be read.
pub(super) async fn examine(path: &Path) -> Result<Vec<Problem>, EngineError> {
    let io = |error| EngineError::io(format!("cannot read {}", path.display()), error);
    let file = RegularFile::open(path).map_err(io)?;
    let standing = private::standing(file.as_file(), path).map_err(io)?;
    let text = file.whole(MAX_FILE).map_err(io)?;
    let mut found = Found::default();
    if standing == Standing::Writable {
        let text = "everybody can change the file or put another in its place; use `chmod go-w` on \
                    the file and its folder";
        found.add(None, text.to_owned(), true);
    }
    let Ok(text) = String::from_utf8(text) else {
        found.add(
            None,
            "it is no UTF-8; save it in this encoding".to_owned(),
            true,
        );
        return Ok(found.problems);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some((config, table)) = found.words(&text) {
        for text in warnings(&standing, config.has_secrets()) {
            found.add(None, text, false);
        }
        let examined = Examined {
            text: &text,
            table: &table,
            plugins: folder.join(&config.hub.plugins),
        };
        for Fault { place, key, text } in config.faults() {
            found.add(examined.line(place, key), text, true);
        }
        examined.instances(&config, &mut found).await;
    }
    found.problems.sort_by_key(|problem| problem.line);
    Ok(found.problems)
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
}

impl Found {
    fn add(&mut self, line: Option<usize>, text: String, grave: bool) {
        self.problems.push(Problem { line, text, grave });
    }

    /// Reads the words of the file. The configuration is without the entries that are wrong; there
    /// is none when the file is no TOML.
    fn words<'t>(&mut self, text: &'t str) -> Option<(Config, DeTable<'t>)> {
        let (table, faults) = DeTable::parse_recoverable(text);
        for fault in faults.iter().take(MOST) {
            self.fault(fault, text);
        }
        if !faults.is_empty() {
            return None;
        }
        let whole = table.span();
        let mut table = table.into_inner();
        for _ in 0..MOST {
            let source = Spanned::new(whole.clone(), table.clone());
            let fault = match Config::deserialize(Deserializer::from(source)) {
                Ok(config) => return Some((config, table)),
                Err(fault) => fault,
            };
            self.fault(&fault, text);
            let span = fault.span()?;
            if !remove(&mut table, &span) {
                break;
            }
        }
        None
    }

    fn fault(&mut self, fault: &toml::de::Error, text: &str) {
        let line = fault.span().map(|span| line_of(text, span.start));
        let told = explained(fault, text);
        // The line is told by itself.
        let words = match told.split_once(": ") {
            Some((place, words)) if place.starts_with("line ") => words.to_owned(),
            _ => told,
        };
        self.add(line, words, true);
    }
}

fn line_of(text: &str, place: usize) -> usize {
    let before = text.as_bytes().get(..place).unwrap_or_default();
    let rows = before.iter().filter(|byte| **byte == b'\n').count();
    rows.saturating_add(1)
}

/// Takes the innermost entry around this place out of a table.
fn remove(table: &mut DeTable<'_>, place: &Range<usize>) -> bool {
    let around = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    for (_, value) in table.iter_mut() {
        match value.get_mut() {
            DeValue::Table(inner) => {
                let removed = remove(inner, place);
                if removed {
                    return true;
                }
            }
            DeValue::Array(items) => {
                let mut inner = items.iter_mut().filter_map(|item| match item.get_mut() {
                    DeValue::Table(table) => Some(table),
                    _ => None,
                });
                if inner.any(|table| remove(table, place)) {
                    return true;
                }
                let before = items.len();
                let kept = std::mem::replace(items, DeArray::from_iter([])).into_iter();
                *items = kept.filter(|item| !around(item.span())).collect();
                if items.len() < before {
                    return true;
                }
            }
            _ => {}
        }
    }
    let found = table
        .iter()
        .find(|(key, value)| around(key.span()) || around(value.span()));
    let found = found.map(|(key, _)| key.get_ref().to_string());
    found.is_some_and(|key| table.remove(key.as_str()).is_some())
}

/// A file whose words are right.
struct Examined<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    plugins: PathBuf,
}

impl Examined<'_> {
    /// Line of a key, or of its section.
    fn line(&self, (section, index): (&str, usize), key: &str) -> Option<usize> {
        let (name, value) = self.table.get_key_value(section)?;
        let (mut place, table) = match value.get_ref() {
            DeValue::Table(table) => (name.span(), Some(table)),
            DeValue::Array(items) => {
                let item = items.get(index)?;
                let table = item.get_ref().as_table();
                (item.span(), table)
            }
            _ => (value.span(), None),
        };
        if let Some((key, _)) = table.and_then(|table| table.get_key_value(key)) {
            place = key.span();
        }
        Some(line_of(self.text, place.start))
    }

    async fn instances(&self, config: &Config, found: &mut Found) {
        let shown = self.plugins.display();
        if !self.plugins.is_dir() {
            let text = format!(
                "there is no folder {shown}; make it, or name another with `plugins` under [hub]"
            );
            let wanted = !config.hardware.is_empty() || !config.indigo.is_empty();
            found.add(self.line(("hub", 0), "plugins"), text, wanted);
            return;
        }
        let events = EventLog::new(LogCapacity::default());
        let library = Library::new(&self.plugins, events, Problems::default());
        let catalogue = library.look().await;
        for problem in &catalogue.problems {
            let text = format!("{}: {}", problem.name(), problem.reason_and_place());
            found.add(None, text, false);
        }
        for (index, section) in config.hardware.iter().enumerate() {
            self.hardware(index, section, &catalogue, found);
            self.grants(("hardware", index), &section.instance.grants, found);
        }
        for (index, section) in config.indigo.iter().enumerate() {
            self.indigo(index, section, found).await;
            self.grants(("indigo", index), &section.instance.grants, found);
        }
    }

    fn hardware(
        &self,
        index: usize,
        section: &HardwareSection,
        catalogue: &Catalogue,
        found: &mut Found,
    ) {
        let place = ("hardware", index);
        let Some(definition) = catalogue.find(&section.plugin) else {
            let mut keys: Vec<_> = catalogue.plugins.iter().map(|it| it.key.as_str()).collect();
            let more = keys.len() > PROPOSED;
            keys.truncate(PROPOSED);
            let there = match (keys.is_empty(), catalogue.partial) {
                (_, true) => "some folders there do not answer".to_owned(),
                (true, _) => "there is no plugin in it".to_owned(),
                _ => format!(
                    "there are {}{}",
                    keys.join(", "),
                    if more { ", ..." } else { "" }
                ),
            };
            let text = format!(
                "no plugin with key `{}` in {}; {there}",
                section.plugin,
                self.plugins.display()
            );
            return found.add(self.line(place, "plugin"), text, true);
        };
        if let Err(text) = of_parameters(section, definition) {
            found.add(self.line(place, "parameters"), text, true);
        }
    }

    async fn indigo(&self, index: usize, section: &IndigoSection, found: &mut Found) {
        let opened = Bundle::open_in_time(&self.plugins.join(&section.bundle)).await;
        let fault = match opened {
            Ok(bundle) if section.name.is_none() => bundle.info.log_name().err(),
            Ok(_) => None,
            Err(problem) => Some(problem.to_string()),
        };
        if let Some(text) = fault {
            found.add(self.line(("indigo", index), "bundle"), text, true);
        }
    }

    /// Things of this machine that grants name.
    fn grants(&self, place: (&'static str, usize), grants: &Grants, found: &mut Found) {
        let line = self.line(place, "grants");
        let mut missing = |what: &str, path: &Path| {
            let text = format!(
                "there is no {what} {}; correct the path, or remove the grant",
                path.display()
            );
            found.add(line, text, false);
        };
        for grant in &grants.exec {
            if !grant.program.path().exists() {
                missing("program", grant.program.path());
            }
        }
        for port in grants.serial.iter().filter(|port| !port.path().exists()) {
            missing("serial port", port.path());
        }
        for key in &grants.keys {
            for path in [&key.certificate, &key.key] {
                if let Err(error) = RegularFile::open(path) {
                    let text = format!(
                        "cannot read {}: {error}; a key's files have to be readable by the hub",
                        path.display()
                    );
                    found.add(line, text, false);
                }
            }
        }
    }
}

/// Whether the parameters of a section are those of its plugin.
fn of_parameters(section: &HardwareSection, definition: &PluginDefinition) -> Result<(), String> {
    let values = section.parameters.clone();
    HardwareConfig::from_values(1, &section.name, definition, values)
        .and_then(|hardware| parameters(hardware, definition, &HubFacts::default()))
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    async fn problems(text: &str) -> Vec<(Option<usize>, String, bool)> {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("cordon.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let plugin = scratch.path().join("plugins/Hello");
        std::fs::create_dir_all(&plugin).unwrap();
        let definition = "\"\"\"\n<plugin key=\"Hello\" name=\"H\" author=\"a\" version=\"1\">\
            <params><param field=\"Address\" label=\"A\" required=\"true\"/></params></plugin>\n\
            \"\"\"\n";
        std::fs::write(plugin.join("plugin.py"), definition).unwrap();
        let found = examine(&path).await.unwrap();
        found
            .into_iter()
            .map(|it| (it.line, it.text, it.grave))
            .collect()
    }

    #[tokio::test]
    async fn a_file_that_is_right_has_no_problem() {
        let right = "[hub]\ninstances = 2\n[[hardware]]\nname = \"A\"\nplugin = \"Hello\"\n\
            parameters = { Address = \"192.168.1.1\" }\n";
        assert_eq!(problems(right).await, []);
        assert_eq!(problems("").await, []);
    }

    #[tokio::test]
    async fn every_problem_is_told_with_its_line() {
        let text = "[hub]\n\
            prot = 1\n\
            stop-seconds = 0\n\
            latitude = \"north\"\n\
            [web]\n\
            users = [{ name = \"a\", password = \"SECRET\", rigths = \"admin\" }, \
            { name = \"\", password = \"p\" }]\n\
            [[hardware]]\n\
            plugin = \"Hello\"\n\
            [[hardware]]\n\
            name = \"A\"\n\
            plugin = \"Helo\"\n\
            [[hardware]]\n\
            name = \"A\"\n\
            plugin = \"Hello\"\n\
            parameters = { Adress = \"192.168.1.1\" }\n\
            grants = { network = [\"nothing\"], exec = [\"/nonexistent/tool\"] }\n\
            [[indigo]]\n\
            bundle = \"None.indigoPlugin\"\n";
        let found = problems(text).await;
        let lines = [
            (2, "unknown field `prot`, expected one of", true),
            (3, "`stop-seconds` under [hub] must be", true),
            (4, "invalid type: string, expected", true),
            (6, "unknown field `rigths`", true),
            (6, "needs a name of its own", true),
            (7, "missing field `name`", true),
            (11, "no plugin with key `Helo`", true),
            (13, "two [[hardware]] sections are called `A`", true),
            (
                15,
                "there is no parameter `Adress`; plugin `Hello` takes Address",
                true,
            ),
            (16, "nothing", true),
            (16, "there is no program /nonexistent/tool", false),
            (18, "None.indigoPlugin", true),
        ];
        for (line, words, grave) in lines {
            let told = found.iter().any(|(at, text, is_grave)| {
                *at == Some(line) && text.contains(words) && *is_grave == grave
            });
            assert!(told, "no {words:?} at {line} in {found:#?}");
        }
        assert_eq!(found.len(), lines.len(), "{found:#?}");
        assert!(found.iter().all(|(_, text, _)| !text.contains("SECRET")));
    }

    #[tokio::test]
    async fn a_file_that_is_no_toml_is_told_with_its_lines() {
        let found = problems("[hub\nlisten = \"127.0.0.1:1\"\n[web]\nnames = [\"a\"\n").await;
        assert_eq!(
            found.first().and_then(|(line, ..)| *line),
            Some(1),
            "{found:?}"
        );
        assert!(found.iter().all(|(_, _, grave)| *grave));
    }

    #[tokio::test]
    async fn a_file_of_many_faults_is_given_up_after_some() {
        let text: String = (0..200).map(|n| format!("wrong{n} = 1\n")).collect();
        assert_eq!(problems(&text).await.len(), MOST);
    }
}
