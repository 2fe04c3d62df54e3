//! Which plugins there are: the definitions in `plugins/*/plugin.py`.
//!
//! Finds the files, cuts the XML out of them and reads it (behaviour spec 1.1 to 1.5).
//! The Python code itself is never looked at. A definition that cannot be read is
//! reported and hides no other.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::manifest::{self, Element};
use crate::error::EngineError;

/// How much of a `plugin.py` is looked at, in bytes.
pub const MAX_SOURCE: u64 = 4 << 20;

/// What a plugin says about itself. Attributes that are missing are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginDefinition {
    /// Names the plugin in the configuration.
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
    /// Compact XML with its `<description>` element; [`safe_html`] makes it fit for a page.
    pub description: String,
    /// The parameters that the operator fills in, in order.
    pub params: Vec<Param>,
    /// The folder with its `plugin.py`.
    pub folder: PathBuf,
}

/// One parameter of a plugin, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Param {
    /// Key in `Parameters`, such as `Address` or `Mode1`.
    pub field: String,
    /// Label for people.
    pub label: String,
    /// Width in a form.
    pub width: String,
    /// `true` when it must be given.
    pub required: String,
    /// Value when nothing is given.
    pub default: String,
    /// `true` when it is a secret.
    pub password: String,
    /// Rows of a text area.
    pub rows: String,
    /// Compact XML with its `<description>` element, or empty.
    pub description: String,
    /// The values to choose from; empty for free text.
    pub options: Vec<ParamOption>,
}

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParamOption {
    /// Label for people.
    pub label: String,
    /// Value in `Parameters`.
    pub value: String,
    /// Whether it is marked as default, with exactly `true` (rule 7).
    pub default: bool,
}

/// A definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin folder `{}`: {reason}{}", folder.display(), place(*position))]
pub struct DefinitionProblem {
    /// The folder with the `plugin.py`.
    pub folder: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// Row and column in the definition, both from 1.
    pub position: Option<(usize, usize)>,
}

fn place(position: Option<(usize, usize)>) -> String {
    position.map_or_else(String::new, |(row, column)| {
        format!(" (row {row}, column {column} of the definition)")
    })
}

/// All plugins of a folder, ordered bytewise by their folders' names.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The usable definitions.
    pub plugins: Vec<PluginDefinition>,
    /// The others.
    pub problems: Vec<DefinitionProblem>,
    /// Folders that have a `plugin.py`.
    pub folders: usize,
}

impl Catalogue {
    /// Looks through the direct sub-folders of `root`; no `root`, no plugins.
    ///
    /// # Errors
    /// [`EngineError::Io`] when `root` cannot be listed.
    pub fn discover(root: &Path) -> Result<Self, EngineError> {
        let mut catalogue = Self::default();
        for folder in plugin_folders(root)? {
            catalogue.folders += 1;
            match read_folder(&folder) {
                Ok(found) => catalogue.plugins.extend(found),
                Err(problem) => catalogue.problems.push(problem),
            }
        }
        Ok(catalogue)
    }

    /// The plugin with this key: the first where several have it (rule 9).
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&PluginDefinition> {
        self.plugins.iter().find(|plugin| plugin.key == key)
    }
}

/// The definitions in one folder's `plugin.py`: one, as a rule.
///
/// # Errors
/// [`DefinitionProblem`] when there is no file, no definition, or a broken one.
pub fn read_folder(folder: &Path) -> Result<Vec<PluginDefinition>, DefinitionProblem> {
    let problem = |reason: String, position| DefinitionProblem {
        folder: folder.to_owned(),
        reason,
        position,
    };
    let source = read_source(&folder.join("plugin.py"))
        .map_err(|error| problem(format!("plugin.py cannot be read: {error}"), None))?;
    let xml = extract(&source);
    if xml.is_empty() {
        let reason = "plugin.py has no `<plugin ...>` definition in its first 4 MiB";
        return Err(problem(reason.to_owned(), None));
    }
    let roots = manifest::parse(&xml)
        .map_err(|error| problem(error.reason, Some((error.row, error.column))))?;
    Ok(definitions(folder, &roots))
}

/// A description as HTML that can be shown in a page: what it looks like stays, what
/// could run or load something goes. The `<description>` element stays around it, as
/// clients expect it (spec 1.4).
#[must_use]
pub fn safe_html(description: &str) -> String {
    let inner = description
        .strip_prefix("<description>")
        .and_then(|rest| rest.strip_suffix("</description>"))
        .unwrap_or_default();
    if inner.is_empty() {
        return String::new();
    }
    let looks = [
        "class", "style", "align", "valign", "bgcolor", "width", "height", "border",
    ];
    let properties = [
        "background-color",
        "border",
        "color",
        "display",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "line-height",
        "list-style",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "vertical-align",
        "white-space",
        "width",
    ];
    let clean = ammonia::Builder::default()
        .add_tags(["font", "u"])
        .add_tag_attributes("font", ["color", "size"])
        .add_generic_attributes(looks)
        .filter_style_properties(properties.into_iter().collect())
        .link_rel(Some("noopener noreferrer"))
        .clean(inner)
        .to_string();
    format!("<description>{clean}</description>")
}

fn plugin_folders(root: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let failed = |error| EngineError::io(format!("listing `{}`", root.display()), error);
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Follows links, of the folder and of the file (spec 1.1, 3 and 4).
        let file = fs::metadata(entry.path().join("plugin.py"));
        if entry.file_name() != "examples" && file.is_ok_and(|file| file.is_file()) {
            folders.push(entry.path());
        }
    }
    // With the separator that the original's map has at the end of its keys.
    folders.sort_by_key(|folder| folder.join("").into_os_string().into_encoded_bytes());
    Ok(folders)
}

fn read_source(file: &Path) -> std::io::Result<Vec<u8>> {
    // A pipe or a device named plugin.py would never end.
    if !fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut source = Vec::new();
    File::open(file)?
        .take(MAX_SOURCE)
        .read_to_end(&mut source)?;
    Ok(source)
}

/// The lines from the first with `<plugin` to the first with `</plugin>` (spec 1.2).
fn extract(source: &[u8]) -> String {
    let has = |line: &[u8], marker: &[u8]| line.windows(marker.len()).any(|part| part == marker);
    let mut xml = Vec::new();
    for line in source.split(|byte| *byte == b'\n') {
        if !xml.is_empty() || has(line, b"<plugin") {
            xml.extend_from_slice(line);
            xml.push(b'\n');
        }
        if has(line, b"</plugin>") {
            break;
        }
    }
    String::from_utf8_lossy(&xml).into_owned()
}

fn definitions(folder: &Path, roots: &[Element]) -> Vec<PluginDefinition> {
    let plugins: Vec<_> = roots
        .iter()
        .skip_while(|root| root.name != "plugin")
        .collect();
    // With several elements the last one's version and author hold for all (spec 1.5).
    let Some(last) = plugins.last() else {
        return Vec::new();
    };
    let (version, author) = (last.attribute("version"), last.attribute("author"));
    let described = plugins.iter().map(|plugin| PluginDefinition {
        key: plugin.attribute("key").to_owned(),
        name: plugin.attribute("name").to_owned(),
        author: author.to_owned(),
        version: version.to_owned(),
        wikilink: plugin.attribute("wikilink").to_owned(),
        externallink: plugin.attribute("externallink").to_owned(),
        description: description(plugin),
        params: all_under(plugin, "params", "param", param),
        folder: folder.to_owned(),
    });
    described.collect()
}

fn param(element: &Element) -> Param {
    let attribute = |name| element.attribute(name).to_owned();
    Param {
        field: attribute("field"),
        label: attribute("label"),
        width: attribute("width"),
        required: attribute("required"),
        default: attribute("default"),
        password: attribute("password"),
        rows: attribute("rows"),
        description: description(element),
        options: all_under(element, "options", "option", option),
    }
}

fn option(element: &Element) -> ParamOption {
    ParamOption {
        label: element.attribute("label").to_owned(),
        value: element.attribute("value").to_owned(),
        default: element.attribute("default") == "true",
    }
}

fn all_under<T>(parent: &Element, list: &str, first: &str, read: fn(&Element) -> T) -> Vec<T> {
    let list = parent.child(list);
    list.map_or_else(Vec::new, |list| list.starting_at(first).map(read).collect())
}

fn description(element: &Element) -> String {
    element
        .child("description")
        .map_or_else(String::new, Element::to_xml)
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
