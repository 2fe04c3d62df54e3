//! `Info.plist`: who a plugin is.

use std::fmt;
use std::str::FromStr;

use super::bounds::quoted;
use super::property_list::{self, Node};
use crate::platform::bounds::INFO_NAME;

/// Longest text of a key that is kept, in bytes.
const MAX_TEXT: usize = 4096;
/// Longest identifier in bytes; it becomes part of paths and addresses.
const MAX_IDENTIFIER: usize = 200;

/// What stands before lines of the hub and of clients, in the log or in Indigo's event log.
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

/// What `Info.plist` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// `CFBundleIdentifier`: names the plugin everywhere. Safe as a file's name.
    pub identifier: String,
    /// `CFBundleDisplayName`.
    pub display_name: String,
    /// `PluginVersion`; falls back to `CFBundleVersion`.
    pub version: String,
    /// `ServerApiVersion`: what the plugin needs.
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
    /// What is wrong with it and what was expected.
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

    /// Whether the hub has what the plugin needs.
    ///
    /// # Errors
    /// Says what it needs and what there is.
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

    /// The name for the plugin's lines in the log, where the operator gives it none.
    ///
    /// # Errors
    /// Why the display name cannot be it: a bundle must not choose one that makes its lines
    /// look like those of the hub or of another plugin.
    pub fn log_name(&self) -> Result<&str, String> {
        let name = self.display_name.as_str();
        let of_client = name
            .get(..4)
            .is_some_and(|it| it.eq_ignore_ascii_case("API "));
        let taken = of_client || OF_OTHERS.iter().any(|it| name.eq_ignore_ascii_case(it));
        // A colon ends the name in a line, and names of the core log are in parentheses.
        if name.len() <= INFO_NAME && !name.contains(':') && !name.starts_with('(') && !taken {
            return Ok(name);
        }
        let shown = quoted(name);
        Err(format!(
            "plugin `{}`: with its own display name `{shown}` its lines in the log would look \
             like those of others; give it a `name` in its [[indigo]] section, or with --name",
            self.identifier
        ))
    }

    /// Whether it was written for the Python 2 of old servers, and may not run.
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

/// A string; numbers are accepted too, as `LoadPriority` and versions come as both.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(keys: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"><plist version=\"1.0\"><dict>\
             {keys}</dict></plist>"
        )
    }

    fn key(name: &str, value: &str) -> String {
        format!("<key>{name}</key><string>{value}</string>")
    }

    fn usual() -> String {
        key("CFBundleIdentifier", "com.example.lamp")
            + &key(
                "CFBundleDisplayName",
                "Lamp & Co".replace('&', "&amp;").as_str(),
            )
            + &key("PluginVersion", "2025.1.0")
            + &key("ServerApiVersion", "3.0.0")
    }

    fn read(keys: &str) -> Result<Info, String> {
        Info::parse(list(keys).as_bytes())
    }

    #[test]
    fn every_known_key_is_read() {
        let more = key("CFBundleVersion", "1.0.1")
            + &key("CFBundleName", "lamp")
            + &key("IwsApiVersion", "1.0.0")
            + "<key>LoadPriority</key><integer>101</integer>"
            + "<key>CFBundleURLTypes</key><array><dict><key>CFBundleURLName</key>\
               <string>https://example.com</string></dict></array>"
            + "<key>GithubInfo</key><dict><key>GithubUser</key><string>u</string>\
               <key>GithubRepo</key><string>r</string></dict>"
            + "<key>Other</key><date>2024-01-01T00:00:00Z</date><key>Flag</key><true/>";
        let info = read(&(usual() + &more)).unwrap();
        assert_eq!(info.identifier, "com.example.lamp");
        assert_eq!(info.display_name, "Lamp & Co");
        assert_eq!(info.version, "2025.1.0");
        assert_eq!(info.server_api, ApiVersion { major: 3, minor: 0 });
        assert_eq!(
            (info.bundle_version.as_str(), info.short_name.as_str()),
            ("1.0.1", "lamp")
        );
        assert_eq!(info.load_priority, Some(101));
        assert_eq!(info.support_url.as_deref(), Some("https://example.com"));
        assert_eq!(info.github.unwrap().repository, "r");
        assert_eq!(info.iws_api.as_deref(), Some("1.0.0"));
    }

    #[test]
    fn binary_lists_are_read_too() {
        let mut dictionary = plist::Dictionary::new();
        for (name, value) in [
            ("CFBundleIdentifier", "com.example.b"),
            ("CFBundleDisplayName", "B"),
            ("PluginVersion", "1.0"),
            ("ServerApiVersion", "3.8"),
        ] {
            dictionary.insert(name.to_owned(), plist::Value::String(value.to_owned()));
        }
        let mut bytes = Vec::new();
        plist::Value::Dictionary(dictionary)
            .to_writer_binary(&mut bytes)
            .unwrap();
        assert_eq!(Info::parse(&bytes).unwrap().identifier, "com.example.b");
    }

    #[test]
    fn missing_keys_and_wrong_values_say_what_was_expected() {
        assert!(
            read("")
                .unwrap_err()
                .contains("`CFBundleIdentifier` is missing")
        );
        let bad = usual().replace("com.example.lamp", "../x");
        assert!(read(&bad).unwrap_err().contains("expected letters, digits"));
        let bad = usual().replace("3.0.0", "new");
        assert!(
            read(&bad)
                .unwrap_err()
                .contains("ServerApiVersion: `new` is no API version")
        );
        assert!(Info::parse(b"{}").unwrap_err().contains("no property list"));
        let array = "<plist version=\"1.0\"><array/></plist>";
        assert!(
            Info::parse(array.as_bytes())
                .unwrap_err()
                .contains("no dictionary")
        );
    }

    #[test]
    fn no_display_name_makes_lines_look_like_those_of_others() {
        let named = |name: &str| {
            let keys = usual().replace("Lamp &amp; Co", name);
            let info = read(&keys).unwrap();
            info.log_name().map(str::to_owned)
        };
        for name in [
            "Lamp &amp; Co",
            "Status Board",
            "Hue (v2)",
            "APIs",
            "Error log",
        ] {
            assert_eq!(named(name).unwrap(), name.replace("&amp;", "&"));
        }
        let long = "x".repeat(201);
        for name in [
            "Status",
            "error",
            "Application",
            "API",
            "API (ann)",
            "Error: Lamps",
            "Lamps: x",
            "(Lamps) x",
            &long,
        ] {
            let refused = named(name).unwrap_err();
            assert!(refused.contains("give it a `name`"), "{refused}");
        }
    }

    #[test]
    fn versions_have_one_to_three_numbers() {
        let version = |text: &str| text.parse::<ApiVersion>().map(|it| it.to_string());
        assert_eq!(version("3.4.0").unwrap(), "3.4");
        assert_eq!(version(" 2 ").unwrap(), "2.0");
        assert!(version("3.4.0.1").is_err() && version("").is_err() && version("3.-1").is_err());
        let needs = |text: &str| read(&usual().replace("3.0.0", text)).unwrap();
        assert!(needs("3.8").check_api().is_ok());
        assert!(
            needs("3.9")
                .check_api()
                .unwrap_err()
                .contains("needs version 3.9")
        );
        assert!(needs("2.5").is_python2() && !needs("3.0").is_python2());
    }

    /// Two arrays that each name the next one twice, forty levels of them.
    fn binary_bomb() -> Vec<u8> {
        let mut bytes = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for level in 0..40u8 {
            offsets.push(u8::try_from(bytes.len()).unwrap());
            bytes.extend([0xA2, level + 1, level + 1]);
        }
        offsets.push(u8::try_from(bytes.len()).unwrap());
        bytes.push(0x08);
        let table = u8::try_from(bytes.len()).unwrap();
        bytes.extend(&offsets);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 41]);
        bytes.extend([0; 8]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, table]);
        bytes
    }

    #[test]
    fn endless_lists_end() {
        assert!(Info::parse(&binary_bomb()).unwrap_err().contains("deep"));
        let deep = format!("<plist version=\"1.0\">{}", "<array>".repeat(100_000));
        assert!(Info::parse(deep.as_bytes()).unwrap_err().contains("deep"));
        let many = list(&format!(
            "<key>k</key><array>{}</array>",
            "<true/>".repeat(20_000)
        ));
        assert!(Info::parse(many.as_bytes()).unwrap_err().contains("values"));
    }

    /// An array that names one long text many times.
    fn text_bomb(length: usize, times: u16) -> Vec<u8> {
        let mut bytes = b"bplist00".to_vec();
        let array = bytes.len();
        bytes.push(0xAF);
        bytes.push(0x11);
        bytes.extend(times.to_be_bytes());
        bytes.extend(std::iter::repeat_n(1, usize::from(times)));
        let text = bytes.len();
        bytes.extend([0x5F, 0x12]);
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.extend(std::iter::repeat_n(b'x', length));
        let table = bytes.len();
        for offset in [array, text] {
            bytes.extend(u32::try_from(offset).unwrap().to_be_bytes());
        }
        bytes.extend([0, 0, 0, 0, 0, 0, 4, 1]);
        bytes.extend(2u64.to_be_bytes());
        bytes.extend(0u64.to_be_bytes());
        bytes.extend(u64::try_from(table).unwrap().to_be_bytes());
        bytes
    }

    #[test]
    fn a_text_counts_as_often_as_it_is_named() {
        assert!(
            Info::parse(&text_bomb(1000, 100))
                .unwrap_err()
                .contains("no dictionary")
        );
        let start = crate::account::thread_cpu();
        let problem = Info::parse(&text_bomb(1_000_000, 9000)).unwrap_err();
        assert!(problem.contains("bytes of texts"), "{problem}");
        let spent = crate::account::thread_cpu().saturating_sub(start);
        assert!(spent < std::time::Duration::from_secs(2), "{spent:?}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, byte in any::<u8>()) {
            let _ = Info::parse(&bytes);
            let mut binary = b"bplist00".to_vec();
            binary.extend(&bytes);
            let _ = Info::parse(&binary);
            let mut bomb = binary_bomb();
            if let Some(place) = bomb.get_mut(at) {
                *place = byte;
            }
            let _ = Info::parse(&bomb);
        }
    }
}
