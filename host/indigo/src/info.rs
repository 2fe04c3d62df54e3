//! `Info.plist`: the identity of a plugin.

use std::fmt;
use std::str::FromStr;

use super::bounds::quoted;
use super::property_list::{self, Node};
use cordon_base::bounds::INFO_NAME;

/// Longest text of a key that is kept, in bytes.
const MAX_TEXT: usize = 4096;
/// Longest identifier in bytes; it becomes part of paths and addresses.
const MAX_IDENTIFIER: usize = 200;

/// Words before lines of the hub and of clients, in the log or in Indigo's event log.
const OF_OTHERS: [&str; 6] = ["API", "Application", "Debug", "Error", "Status", "Warning"];

/// The version of Indigo's programming interface that the hub offers.
pub const SERVER_API: ApiVersion = ApiVersion { major: 3, minor: 8 };

/// A version of the programming interface: `MAJOR.MINOR`; a third number is read and has
/// no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// Rises when something breaks; plugins below 3 were written for Python 2.
    pub major: u32,
    /// Rises when something is added.
    pub minor: u32,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no API version; expected one such as `3.0`");
        let mut numbers = Vec::new();
        for part in text.trim().split('.') {
            numbers.push(part.trim().parse::<u32>().map_err(|_| wrong())?);
        }
        match numbers.as_slice() {
            [major] => Ok(Self {
                major: *major,
                minor: 0,
            }),
            [major, minor] | [major, minor, _] => Ok(Self {
                major: *major,
                minor: *minor,
            }),
            _ => Err(wrong()),
        }
    }
}

/// Where the plugin's source is kept, for update checks of old plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubInfo {
    /// Account.
    pub user: String,
    /// Repository.
    pub repository: String,
}

/// The keys of `Info.plist` that the hub uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// `CFBundleIdentifier`: names the plugin everywhere. Safe as a file's name.
    pub identifier: String,
    /// `CFBundleDisplayName`.
    pub display_name: String,
    /// `PluginVersion`; falls back to `CFBundleVersion`.
    pub version: String,
    /// `ServerApiVersion`: the API that the plugin needs.
    pub server_api: ApiVersion,
    /// `CFBundleVersion`: version of the bundle's layout; empty when missing.
    pub bundle_version: String,
    /// `CFBundleName`; empty when missing.
    pub short_name: String,
    /// First address of `CFBundleURLTypes`.
    pub support_url: Option<String>,
    /// `IwsApiVersion`.
    pub iws_api: Option<String>,
    /// `LoadPriority`: plugins of smaller numbers are started first.
    pub load_priority: Option<i64>,
    /// `GithubInfo`.
    pub github: Option<GithubInfo>,
}

impl Info {
    /// Reads a property list, XML or binary.
    ///
    /// # Errors
    /// A sentence about the wrong part and the form that was expected.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let keys =
            property_list::read(bytes).map_err(|reason| format!("no property list: {reason}"))?;
        if !matches!(keys, Node::Dictionary(_)) {
            return Err("the property list holds no dictionary".to_owned());
        }
        let identifier = required(&keys, "CFBundleIdentifier", "com.example.my-plugin")?;
        check_identifier(&identifier)?;
        let bundle_version = text(&keys, "CFBundleVersion").unwrap_or_default();
        let version = text(&keys, "PluginVersion");
        let server_api = required(&keys, "ServerApiVersion", "3.0")?;
        Ok(Self {
            display_name: required(&keys, "CFBundleDisplayName", "My Plugin")?,
            version: version.unwrap_or_else(|| bundle_version.clone()),
            server_api: server_api
                .parse()
                .map_err(|reason| format!("ServerApiVersion: {reason}"))?,
            bundle_version,
            short_name: text(&keys, "CFBundleName").unwrap_or_default(),
            support_url: support_url(&keys),
            iws_api: text(&keys, "IwsApiVersion"),
            load_priority: number(&keys, "LoadPriority"),
            github: github(&keys),
            identifier,
        })
    }

    /// Whether the hub has the API that the plugin needs.
    ///
    /// # Errors
    /// Names the version that the plugin needs and the one that the hub has.
    pub fn check_api(&self) -> Result<(), String> {
        let needed = self.server_api;
        if needed > SERVER_API {
            return Err(format!(
                "it needs version {needed} of Indigo's API and this hub has {SERVER_API}; \
                 look for an older release of the plugin"
            ));
        }
        Ok(())
    }

    /// The name for the plugin's lines in the log, where the operator gives it none: the display
    /// name, with the identifier in brackets where it has letters beyond ASCII.
    ///
    /// # Errors
    /// Why the display name cannot be it: a bundle must not choose one that makes its lines
    /// look like those of the hub or of another plugin.
    pub fn log_name(&self) -> Result<String, String> {
        let name = self.display_name.as_str();
        let of_client = name
            .get(..4)
            .is_some_and(|it| it.eq_ignore_ascii_case("API "));
        let taken = of_client || OF_OTHERS.iter().any(|it| name.eq_ignore_ascii_case(it));
        // A colon ends the name in a line, and names of the core log are in parentheses.
        if name.len() <= INFO_NAME && !name.contains(':') && !name.starts_with('(') && !taken {
            // Letters of another script may look like those of another plugin's name.
            let is_foreign = name.chars().any(|it| !it.is_ascii() && it.is_alphabetic());
            return Ok(match is_foreign || name.ends_with(']') {
                true => format!("{name} [{}]", self.identifier),
                false => name.to_owned(),
            });
        }
        let shown = quoted(name);
        Err(format!(
            "plugin `{}`: with its own display name `{shown}` its lines in the log would look \
             like those of others; give it a `name` in its [[indigo]] section, or with --name",
            self.identifier
        ))
    }

    /// Whether the plugin was written for the Python 2 of old servers, and therefore may not run.
    #[must_use]
    pub fn is_python2(&self) -> bool {
        self.server_api.major < 3
    }
}

/// Identifiers become parts of paths and addresses.
fn check_identifier(identifier: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let starts_well = identifier.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && identifier.len() <= MAX_IDENTIFIER && identifier.chars().all(allowed) {
        return Ok(());
    }
    let shown: String = identifier.chars().take(80).collect();
    Err(format!(
        "CFBundleIdentifier `{shown}`: expected letters, digits, dots, hyphens and underscores, \
         at most {MAX_IDENTIFIER}, and a letter or digit first"
    ))
}

fn required(keys: &Node, key: &str, example: &str) -> Result<String, String> {
    let found = text(keys, key).filter(|text| !text.is_empty());
    found
        .ok_or_else(|| format!("the key `{key}` is missing; expected a string such as `{example}`"))
}

/// A string. Numbers are accepted too, because `LoadPriority` and versions come as both.
fn text(keys: &Node, key: &str) -> Option<String> {
    let text = match keys.get(key)? {
        Node::Text(text) => text.trim().to_owned(),
        Node::Integer(number) => number.to_string(),
        Node::Real(number) => number.to_string(),
        _ => return None,
    };
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).map(str::to_owned)
}

fn number(keys: &Node, key: &str) -> Option<i64> {
    text(keys, key)?.parse().ok()
}

fn support_url(keys: &Node) -> Option<String> {
    let Node::Array(types) = keys.get("CFBundleURLTypes")? else {
        return None;
    };
    let mut found = types
        .iter()
        .filter_map(|entry| text(entry, "CFBundleURLName"));
    found.find(|address| !address.is_empty())
}

fn github(keys: &Node) -> Option<GithubInfo> {
    let info = keys.get("GithubInfo")?;
    Some(GithubInfo {
        user: text(info, "GithubUser")?,
        repository: text(info, "GithubRepo")?,
    })
}

#[cfg(test)]
mod tests;
