//! Reads the definition of a plugin from its `plugin.py`.
//!
//! The XML is cut out of the file and parsed (behaviour spec 1.2 to 1.5). The Python code itself is
//! never looked at. The file is a stranger's: [`bounds`] limits its content, and reading it takes
//! time and memory in proportion to its size.

mod description;

use std::path::{Path, PathBuf};

use super::manifest::{self, Element};
use cordon_base::bounds;
use cordon_base::regular_file::RegularFile;

/// The description that a plugin gives of itself. Attributes that are missing are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginDefinition {
    /// The key that names the plugin in the configuration.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Author.
    pub author: String,
    /// Version, free text.
    pub version: String,
    /// Address of a wiki page.
    pub wikilink: String,
    /// Address of the product's page.
    pub externallink: String,
    /// HTML that can be shown in a page, with a `<description>` element around it; or empty.
    pub description: String,
    /// The parameters that the operator fills in, in order.
    pub params: Vec<Param>,
    /// The folder with its `plugin.py`.
    pub folder: PathBuf,
}

/// One parameter of a plugin, as written. Attributes that only a form uses are not checked (rule
/// 183).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Param {
    /// Key in `Parameters`: `Address`, `Mode1` or a name of the plugin's own (rule 179).
    pub field: String,
    /// Kind of input in a form: `number`, `slider`, `boolean`; anything else is text.
    pub input: String,
    /// Least number that the form takes.
    pub min: String,
    /// Greatest number that the form takes.
    pub max: String,
    /// Distance of the numbers that the form takes.
    pub step: String,
    /// `Field=value`: the form shows the parameter while that field has that value.
    pub visible_when: String,
    /// Label of the group that the parameter is in; empty outside of groups (rule 185).
    pub group: String,
    /// Label for people.
    pub label: String,
    /// Width in a form.
    pub width: String,
    /// `true` when it must be given.
    pub required: String,
    /// Value when nothing is given.
    pub default: String,
    /// `true` or `1` when it is a secret; see [`Param::is_password`].
    pub password: String,
    /// Rows of a text area.
    pub rows: String,
    /// HTML that can be shown in a page, as in the plugin's description.
    pub description: String,
    /// The values to choose from; empty for free text.
    pub options: Vec<ParamOption>,
}

impl Param {
    /// Whether the value is a secret, which no list shows (rule 183).
    #[must_use]
    pub fn is_password(&self) -> bool {
        self.password == "1" || self.password.eq_ignore_ascii_case("true")
    }
}

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParamOption {
    /// Label for people.
    pub label: String,
    /// Value in `Parameters`.
    pub value: String,
    /// Whether the option is marked as default, with exactly `true` (rule 7).
    pub default: bool,
}

/// A definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("plugin folder `{}`: {reason}{}", folder.display(), place(*position))]
pub struct DefinitionProblem {
    /// The folder with the `plugin.py`.
    pub folder: PathBuf,
    /// The mistake, as a text for people.
    pub reason: String,
    /// Row and column in the definition, both from 1.
    pub position: Option<(usize, usize)>,
}

fn place(position: Option<(usize, usize)>) -> String {
    position.map_or_else(String::new, |(row, column)| {
        format!(" (row {row}, column {column} of the definition)")
    })
}

impl PluginDefinition {
    /// Bytes of the definition's texts.
    #[must_use]
    pub(super) fn weight(&self) -> usize {
        let params = self.params.iter().map(|param| {
            let options = param.options.iter();
            let options = options.map(|it| sum([&it.label, &it.value]));
            let own = sum([
                &param.field,
                &param.input,
                &param.min,
                &param.max,
                &param.step,
                &param.visible_when,
                &param.group,
                &param.label,
                &param.width,
                &param.required,
                &param.default,
                &param.password,
                &param.rows,
                &param.description,
            ]);
            options.fold(own, usize::saturating_add)
        });
        let own = sum([
            &self.key,
            &self.name,
            &self.author,
            &self.version,
            &self.wikilink,
            &self.externallink,
            &self.description,
        ]);
        params.fold(own, usize::saturating_add)
    }
}

/// Bytes of some texts, with the fixed cost of each.
fn sum<const N: usize>(texts: [&String; N]) -> usize {
    let each = texts
        .iter()
        .map(|text| text.len().saturating_add(size_of::<String>()));
    each.fold(0, usize::saturating_add)
}

/// The definitions in one folder's `plugin.py`: one, as a rule. Blocks.
///
/// # Errors
/// [`DefinitionProblem`] when there is no file, no definition, or a broken one.
pub fn read_folder(folder: &Path) -> Result<Vec<PluginDefinition>, DefinitionProblem> {
    let file = RegularFile::open(&folder.join("plugin.py"))
        .map_err(|error| DefinitionProblem::new(folder, unreadable(&error), None))?;
    read(folder, file)
}

/// The definitions in the open `plugin.py` of a folder.
pub(super) fn read(
    folder: &Path,
    file: RegularFile,
) -> Result<Vec<PluginDefinition>, DefinitionProblem> {
    let problem = |reason: String, position| DefinitionProblem::new(folder, reason, position);
    let size = file.size();
    if u64::try_from(bounds::SOURCE_BYTES).is_ok_and(|most| size > most) {
        let most = bounds::SOURCE_BYTES;
        let reason = format!("plugin.py has {size} bytes; at most {most} are taken");
        return Err(problem(reason, None));
    }
    let source = file
        .first(bounds::SEARCHED_BYTES)
        .map_err(|error| problem(unreadable(&error), None))?;
    let Extract { xml, whole } = extract(&source);
    drop(source);
    if xml.is_empty() {
        let reason = "plugin.py has no `<plugin ...>` definition in its first 4 MiB";
        return Err(problem(reason.to_owned(), None));
    }
    let roots = manifest::parse(&xml).map_err(|error| {
        if !whole {
            let most = bounds::DEFINITION_BYTES;
            return problem(format!("its definition has more than {most} bytes"), None);
        }
        problem(error.reason, Some((error.row, error.column)))
    })?;
    drop(xml);
    definitions(folder, &roots).map_err(|reason| problem(reason, None))
}

fn unreadable(error: &std::io::Error) -> String {
    format!("plugin.py cannot be read: {error}")
}

impl DefinitionProblem {
    /// A problem with this folder. A reason may quote the file, so it is cut to the length of a
    /// line.
    #[must_use]
    pub fn new(folder: &Path, mut reason: String, position: Option<(usize, usize)>) -> Self {
        const LINE: usize = 400;
        if reason.len() > LINE {
            reason.truncate(reason.floor_char_boundary(LINE));
            reason.push_str("...");
        }
        Self {
            folder: folder.to_owned(),
            reason,
            position,
        }
    }

    /// The name of the folder.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The mistake and its place, without the folder.
    #[must_use]
    pub fn reason_and_place(&self) -> String {
        format!("{}{}", self.reason, place(self.position))
    }
}

/// The text that was cut out of a file.
struct Extract {
    xml: String,
    /// Whether this is all of the text: there may be more than a definition can have.
    whole: bool,
}

/// The lines from the first with `<plugin` to the first with `</plugin>` (spec 1.2).
fn extract(source: &[u8]) -> Extract {
    // Both markers begin with this byte, and hardly any other byte of a file is one.
    let has = |line: &[u8], marker: &[u8]| {
        let mut rest = line;
        while let Some(place) = rest.iter().position(|byte| *byte == b'<') {
            rest = rest.get(place..).unwrap_or_default();
            if rest.starts_with(marker) {
                return true;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        false
    };
    let mut xml = Vec::new();
    let mut whole = true;
    for line in source.split(|byte| *byte == b'\n') {
        if !xml.is_empty() || has(line, b"<plugin") {
            if xml.len().saturating_add(line.len()) > bounds::DEFINITION_BYTES {
                // Behind an element that closes itself anything may follow.
                let room = bounds::DEFINITION_BYTES.saturating_sub(xml.len());
                xml.extend_from_slice(line.get(..room).unwrap_or(line));
                whole = false;
                break;
            }
            xml.extend_from_slice(line);
            xml.push(b'\n');
        }
        if has(line, b"</plugin>") {
            break;
        }
    }
    Extract {
        xml: String::from_utf8_lossy(&xml).into_owned(),
        whole,
    }
}

fn definitions(folder: &Path, roots: &[Element]) -> Result<Vec<PluginDefinition>, String> {
    let plugins: Vec<_> = roots
        .iter()
        .skip_while(|root| root.name != "plugin")
        .collect();
    if plugins.len() > bounds::DEFINITION_PLUGINS {
        let most = bounds::DEFINITION_PLUGINS;
        return Err(format!("plugin.py defines more than {most} plugins"));
    }
    // Of several elements, the last one's version and author hold for all (spec 1.5).
    let Some(last) = plugins.last() else {
        return Ok(Vec::new());
    };
    let (version, author) = (last.attribute("version"), last.attribute("author"));
    let described = plugins.iter().map(|plugin| {
        // Configurations, logs and lists have the key in a line.
        let key = plugin.attribute("key");
        if key.contains(char::is_control) {
            let key = key.escape_debug();
            return Err(format!(
                "its key `{key}` has a line break or another control character"
            ));
        }
        Ok(PluginDefinition {
            key: key.to_owned(),
            name: plugin.attribute("name").to_owned(),
            author: author.to_owned(),
            version: version.to_owned(),
            wikilink: plugin.attribute("wikilink").to_owned(),
            externallink: plugin.attribute("externallink").to_owned(),
            description: description(plugin)?,
            params: params(plugin)?,
            folder: folder.to_owned(),
        })
    });
    described.collect()
}

/// The parameters of a plugin, those in groups among them, in order.
fn params(plugin: &Element) -> Result<Vec<Param>, String> {
    let Some(list) = plugin.child("params") else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut begun = false;
    for element in list.elements() {
        if element.name == "group" {
            // One level deep: a group in a group is none.
            let members = element.elements().filter(|it| it.name == "param");
            let label = element.attribute("label");
            found.extend(members.map(|member| (label, member)));
        } else {
            begun |= element.name == "param";
            // Elements after the first are parameters whatever they are called (spec 1.4).
            found.extend(begun.then_some(("", element)));
        }
        if found.len() > bounds::PARAMETERS {
            return Err(too_many(bounds::PARAMETERS, "param"));
        }
    }
    let key = plugin.attribute("key");
    let named = found.into_iter().filter(|(_, element)| {
        let named = !element.attribute("field").is_empty();
        if !named {
            // Rule 182.
            tracing::error!(plugin = key, "a `<param>` without `field` is left out");
        }
        named
    });
    named
        .map(|(group, element)| param(group, element))
        .collect()
}

fn param(group: &str, element: &Element) -> Result<Param, String> {
    let attribute = |name| element.attribute(name).to_owned();
    let options = all_under(element, "options", "option", bounds::PARAMETER_OPTIONS)?;
    Ok(Param {
        field: attribute("field"),
        input: attribute("type"),
        min: attribute("min"),
        max: attribute("max"),
        step: attribute("step"),
        visible_when: attribute("visible_when"),
        group: group.to_owned(),
        label: attribute("label"),
        width: attribute("width"),
        required: attribute("required"),
        default: attribute("default"),
        password: attribute("password"),
        rows: attribute("rows"),
        description: description(element)?,
        options: options.into_iter().map(option).collect(),
    })
}

fn option(element: &Element) -> ParamOption {
    ParamOption {
        label: element.attribute("label").to_owned(),
        value: element.attribute("value").to_owned(),
        default: element.attribute("default") == "true",
    }
}

fn all_under<'a>(
    parent: &'a Element,
    list: &str,
    first: &str,
    most: usize,
) -> Result<Vec<&'a Element>, String> {
    let list = parent.child(list);
    let found: Vec<_> = list.map_or_else(Vec::new, |list| list.starting_at(first).collect());
    match found.len() > most {
        true => Err(too_many(most, first)),
        false => Ok(found),
    }
}

fn too_many(most: usize, name: &str) -> String {
    format!("there are more than {most} `<{name}>` elements in a list")
}

fn description(element: &Element) -> Result<String, String> {
    let Some(xml) = element.child("description").map(Element::to_xml) else {
        return Ok(String::new());
    };
    if xml.len() > bounds::DESCRIPTION_BYTES {
        let most = bounds::DESCRIPTION_BYTES;
        return Err(format!("a `<description>` has more than {most} bytes"));
    }
    Ok(description::safe_html(&xml))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
