//! `cordon.toml`: the operator's configuration.
//!
//! Unknown words are errors that name the word and the words expected; nothing is guessed. Paths
//! are relative to the file's own folder. Each section is its own crate's; this module puts them
//! together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use cordon_base::error::EngineError;
use cordon_base::log::LogConfig;
use cordon_base::private::{self, Standing};
use cordon_base::regular_file::RegularFile;
use cordon_domoticz::config::HardwareSection;
use cordon_indigo::config::IndigoSection;
use cordon_indigo::web::IndigoApiConfig;
use cordon_reach::mail::MailConfig;
use cordon_web::config::WebConfig;

/// Largest file in bytes.
pub(crate) const MAX_FILE: usize = 16 << 20;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The hub itself.
    #[serde(default)]
    pub hub: HubConfig,
    /// The log on the console and in a file.
    #[serde(default)]
    pub log: LogConfig,
    /// The HTTP API.
    #[serde(default)]
    pub web: WebConfig,
    /// The plugin instances, in the order in which they are started.
    #[serde(default)]
    pub hardware: Vec<HardwareSection>,
    /// The Indigo plugins, started after the others.
    #[serde(default)]
    pub indigo: Vec<IndigoSection>,
    /// The mail server, for Indigo plugins and actions.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// The HTTP API for Indigo's clients.
    #[serde(default, rename = "indigo-api")]
    pub indigo_api: IndigoApiConfig,
    /// Warnings for the operator about the file.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// The `[hub]` section.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubConfig {
    /// The address on which the HTTP API listens.
    pub listen: SocketAddr,
    /// Folder for the database and the plugins' data folders.
    pub data: PathBuf,
    /// Folder with one folder per plugin.
    pub plugins: PathBuf,
    /// Unix socket of the operator's verbs; an empty path for none, `cordon.sock` in the data folder
    /// without the key.
    pub socket: Option<PathBuf>,
    /// Plugin instances that can be alive at once; the pool is made for as many.
    pub instances: u32,
    /// Seconds that all plugins together have to stop when the hub does.
    #[serde(rename = "stop-seconds")]
    pub stop_seconds: u64,
    /// Seconds that an instance is parked before it is tried again, at first; 0 for ever.
    #[serde(rename = "parked-seconds")]
    pub parked_seconds: u64,
    /// Where the hub is, in degrees north: for sunrise and sunset.
    pub latitude: f64,
    /// Where the hub is, in degrees east.
    pub longitude: f64,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: "data".into(),
            plugins: "plugins".into(),
            socket: None,
            instances: 1000,
            stop_seconds: 20,
            parked_seconds: 600,
            latitude: 0.0,
            longitude: 0.0,
        }
    }
}

impl HubConfig {
    /// Makes the paths relative to the folder of the file.
    fn lies_in(&mut self, folder: &Path) {
        self.data = folder.join(&self.data);
        self.plugins = folder.join(&self.plugins);
        if let Some(socket) = &mut self.socket
            && !socket.as_os_str().is_empty()
        {
            *socket = folder.join(&*socket);
        }
    }

    /// The Unix socket of the operator's verbs, unless there is none.
    #[must_use]
    pub fn socket_path(&self) -> Option<PathBuf> {
        let default = || self.data.join("cordon.sock");
        let socket = self.socket.clone().unwrap_or_else(default);
        Some(socket).filter(|it| !it.as_os_str().is_empty())
    }
}

/// The parts of a file that tell where its hub is. Everything else in it is passed over, so that a
/// mistake elsewhere keeps nobody from the hub that runs.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Whereabouts {
    hub: Folders,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Folders {
    data: Option<PathBuf>,
    socket: Option<PathBuf>,
}

/// The Unix socket of the hub of a file, unless the hub has none.
///
/// # Errors
///
/// [`EngineError::Io`] when the file cannot be read, [`EngineError::Config`] when it is no TOML.
pub fn socket_of(path: &Path) -> Result<Option<PathBuf>, EngineError> {
    let io = |error| EngineError::io(format!("cannot read {}", path.display()), error);
    let wrong = |what: String| EngineError::Config(format!("{}: {what}", path.display()));
    let text = RegularFile::open(path).and_then(|file| file.whole(MAX_FILE));
    let text = String::from_utf8(text.map_err(io)?).map_err(|_| wrong("it is no UTF-8".into()))?;
    let found = whereabouts(&text).map_err(|error| wrong(explained(&error, &text)))?;
    let default = HubConfig::default();
    let mut hub = HubConfig {
        data: found.hub.data.unwrap_or(default.data),
        socket: found.hub.socket,
        ..HubConfig::default()
    };
    hub.lies_in(path.parent().unwrap_or(Path::new("")));
    Ok(hub.socket_path())
}

/// The part of a file that names the hub's places. A file that is broken further down is read up to
/// the mistake: its hub runs on, and the verbs have to find it.
fn whereabouts(text: &str) -> Result<Whereabouts, toml::de::Error> {
    let error = match toml::from_str(text) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let before = error.span().and_then(|span| text.get(..span.start));
    let before = before.map_or("", |before| {
        before.rsplit_once('\n').map_or("", |(lines, _)| lines)
    });
    match before.contains("[hub]") {
        true => toml::from_str(before).map_err(|_| error),
        false => Err(error),
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] with the line and the words expected there.
    pub fn load(path: &Path) -> Result<Self, EngineError> {
        let io = |error| EngineError::io(format!("cannot read {}", path.display()), error);
        let wrong = |what: &dyn std::fmt::Display| {
            EngineError::Config(format!("{}: {what}", path.display()))
        };
        let file = RegularFile::open(path).map_err(io)?;
        let standing = private::standing(file.as_file(), path).map_err(io)?;
        if standing == Standing::Writable {
            return Err(wrong(
                &"everybody can change it or put another in its place, and so have programs \
                  started; use `chmod go-w` on the file and its folder",
            ));
        }
        let text = file.whole(MAX_FILE).map_err(io)?;
        let text = String::from_utf8(text).map_err(|_| wrong(&"it is no UTF-8"))?;
        let mut config: Self =
            toml::from_str(&text).map_err(|error| wrong(&explained(&error, &text)))?;
        config.check().map_err(|error| wrong(&error))?;
        config.warnings = warnings(&standing, config.has_secrets());
        let folder = path.parent().unwrap_or(Path::new(""));
        config.hub.lies_in(folder);
        config.log.found_in(folder);
        for section in &mut config.indigo {
            section.bundle = config.hub.plugins.join(&section.bundle);
        }
        Ok(config)
    }

    /// Whether a password or a key stands in it. Any parameter may be one.
    pub(crate) fn has_secrets(&self) -> bool {
        let mail = self
            .mail
            .as_ref()
            .is_some_and(|mail| mail.password.is_some());
        let mut typed = self.hardware.iter().map(|it| it.parameters.keys());
        mail || !self.web.users.is_empty()
            || !self.indigo_api.keys.is_empty()
            || typed.any(|mut names| names.any(|name| name.contains("assword")))
    }

    fn check(&self) -> Result<(), String> {
        let first = self.faults().into_iter().next();
        first.map_or(Ok(()), |fault| Err(fault.text))
    }

    /// Everything that is wrong beyond the words of the file.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut add = |place: (&'static str, usize), key: &'static str, text: String| {
            faults.push(Fault { place, key, text });
        };
        if let Err((key, text)) = self.log.check() {
            add(("log", 0), key, text);
        }
        if let Err(text) = self.web.check() {
            add(("web", 0), "", text);
        }
        let mut users = std::collections::BTreeSet::new();
        for user in &self.web.users {
            if user.name.is_empty() || user.password.is_empty() || !users.insert(&user.name) {
                let text = "each of `users` under [web] needs a name of its own and a password";
                add(("web", 0), "users", text.to_owned());
            }
            // Clients send the two joined by a colon.
            if user.name.contains(':') || user.name.contains(char::is_control) {
                let text = format!(
                    "the user `{}` under [web] could not log in; a name has no colon and no \
                     control character",
                    user.name.escape_debug()
                );
                add(("web", 0), "users", text);
            }
        }
        let mut names = std::collections::BTreeSet::new();
        for (index, hardware) in self.hardware.iter().enumerate() {
            let place = ("hardware", index);
            if hardware.name.trim().is_empty() {
                let text = "a [[hardware]] section has an empty name; give it one".to_owned();
                add(place, "name", text);
            } else if !names.insert(&hardware.name) {
                let text = format!(
                    "two [[hardware]] sections are called `{}`; names must differ",
                    hardware.name
                );
                add(place, "name", text);
            }
        }
        for (index, indigo) in self.indigo.iter().enumerate() {
            let named = indigo.name.as_ref();
            if let Some(name) = named
                && !names.insert(name)
            {
                let text = format!("two sections are called `{name}`; names must differ");
                add(("indigo", index), "name", text);
            }
        }
        let hub = ("hub", 0);
        if !(1..=3600).contains(&self.hub.stop_seconds) {
            let text = "`stop-seconds` under [hub] must be from 1 to 3600".to_owned();
            add(hub, "stop-seconds", text);
        }
        if self.hub.parked_seconds > 86_400 {
            let text = "`parked-seconds` under [hub] must be from 0 to 86400".to_owned();
            add(hub, "parked-seconds", text);
        }
        if !(-90.0..=90.0).contains(&self.hub.latitude) {
            let text = "latitude must be from -90 to 90 degrees".to_owned();
            add(hub, "latitude", text);
        }
        if !(-180.0..=180.0).contains(&self.hub.longitude) {
            let text = "longitude must be from -180 to 180 degrees".to_owned();
            add(hub, "longitude", text);
        }
        if let Some(Err(text)) = self.mail.as_ref().map(MailConfig::check) {
            add(("mail", 0), "", text);
        }
        let loopback = self.hub.listen.ip().is_loopback();
        if let Err(text) = self.indigo_api.check(loopback) {
            add(("indigo-api", 0), "", text);
        }
        let wanted = self.hardware.len().saturating_add(self.indigo.len());
        if usize::try_from(self.hub.instances).is_ok_and(|room| wanted > room) {
            let text = format!(
                "{wanted} [[hardware]] and [[indigo]] sections and room for {}; raise `instances` \
                 under [hub]",
                self.hub.instances
            );
            add(hub, "instances", text);
        }
        faults
    }
}

/// Something wrong in a section.
pub(crate) struct Fault {
    /// Name of the section, and which of those with this name, from 0.
    pub place: (&'static str, usize),
    /// The key in the section; empty for the section as a whole.
    pub key: &'static str,
    /// The fault and its remedy, in words.
    pub text: String,
}

/// The place of an error and the words expected there. The line may hold a password, so neither the
/// line nor any value is told.
pub(crate) fn explained(error: &toml::de::Error, text: &str) -> String {
    let message = without_values(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return message;
    };
    let row = before.matches('\n').count().saturating_add(1);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = line.chars().count().saturating_add(1);
    format!("line {row}, column {column}: {message}")
}

/// The message of an error without the value that is wrong, which stands before the words expected.
fn without_values(message: &str) -> String {
    const KINDS: [&str; 4] = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
    ];
    let Some(kind) = KINDS.iter().find(|kind| message.starts_with(**kind)) else {
        return message.to_owned();
    };
    let value = message.get(kind.len()..).unwrap_or_default();
    let (value, expected) = value.rsplit_once(", expected ").unwrap_or((value, ""));
    // Such as `string "..."` and integer `1`.
    let what = value.split(['"', '`']).next().unwrap_or_default().trim();
    let what = format!("{kind}{what}");
    let what = what.trim_end().trim_end_matches(':');
    match expected {
        "" => what.to_owned(),
        expected => format!("{what}, expected {expected}"),
    }
}

/// Warnings for the operator about who may read and write the file.
pub(crate) fn warnings(standing: &Standing, secrets: bool) -> Vec<String> {
    let text = match standing {
        Standing::GroupWritable => {
            "its group can change cordon.toml, and so have programs started; use `chmod g-w`"
        }
        Standing::Readable if secrets => {
            "others can read the passwords in cordon.toml; use `chmod go-r`"
        }
        _ => return Vec::new(),
    };
    vec![text.to_owned()]
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;
    use cordon_base::limits::{DECLARATIONS, Limits};
    use cordon_runtime::section::InstanceSection;

    fn refusal(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_word_is_refused_with_its_line() {
        let text = refusal("[hub]\nlisten = \"127.0.0.1:1\"\nport = 4\n");
        assert!(text.contains("port") && text.contains("line 3"), "{text}");
    }

    #[test]
    fn an_error_says_where_it_is_and_no_value() {
        let user = |rest: &str| format!("# é\n[web]\nusers = [{{ {rest} }}]\n");
        for (text, said) in [
            (
                user("name = \"a\", password = \"SECRET\", rigths = \"user\""),
                "line 3, column 45: unknown field `rigths`, expected one of",
            ),
            (user("name = \"a\", password = SECRET"), "line 3, column"),
            (
                user("name = \"a\", password = 735773"),
                "invalid type: integer, expected a string",
            ),
            (
                user("name = \"a\", password = \"p\", rights = \"SECRET\""),
                "unknown variant, expected one of `viewer`",
            ),
            (
                "hub = \"SECRET, expected \\\"\"\n".to_owned(),
                "line 1, column 7: invalid type: string, expected struct",
            ),
            (
                "\n\n[web\npassword = \"SECRET\"".to_owned(),
                "line 3, column",
            ),
            (user("name = \"a\", password = \"SECRET"), "line 3, column"),
        ] {
            let refused = refusal(&text);
            assert!(refused.contains(said), "{text}: {refused}");
            assert!(
                !refused.contains("SECRET") && !refused.contains("735773"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_file_that_is_none_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.toml");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let refused = Config::load(&path).unwrap_err().to_string();
        assert!(refused.contains("it is no regular file"), "{refused}");
    }

    #[test]
    fn a_user_whose_name_cannot_be_sent_is_refused() {
        for name in ["a:b", "a\\nb"] {
            let text = format!("[web]\nusers = [{{ name = \"{name}\", password = \"p\" }}]\n");
            let refused = refusal(&text);
            assert!(refused.contains("a name has no colon"), "{refused}");
        }
    }

    fn loaded(text: &str, mode: u32) -> Result<Vec<String>, String> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let config = Config::load(&path);
        config
            .map(|it| it.warnings)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_everybody_can_change_is_refused() {
        let text = loaded("", 0o666).unwrap_err();
        assert!(text.contains("chmod go-w"), "{text}");
    }

    #[test]
    fn who_else_reads_passwords_or_changes_the_file_is_told() {
        let users = "[web]\nusers = [{ name = \"a\", password = \"b\" }]\n";
        assert!(loaded(users, 0o600).unwrap().is_empty());
        assert!(loaded("", 0o644).unwrap().is_empty());
        assert!(loaded(users, 0o644).unwrap()[0].contains("chmod go-r"));
        assert!(loaded("", 0o664).unwrap()[0].contains("chmod g-w"));
    }

    #[test]
    fn names_and_origins_of_the_web_are_what_they_seem() {
        for (line, expected) in [
            ("names = [\"hub.example.org:8080\"]", "without a port"),
            ("names = [\"192.168.1.2\"]", "is no name"),
            ("pages-url = \"pages.example.org\"", "is no origin"),
            (
                "pages-url = \"https://pages.example.org/x\"",
                "is no origin",
            ),
            ("proxies = [\"proxy.lan\"]", "is no address"),
        ] {
            let text = refusal(&format!("[web]\n{line}\n"));
            assert!(text.contains(expected), "{line}: {text}");
        }
    }

    /// The line of a hint and the table that it belongs into.
    fn pasted(hint: &str) -> Option<(String, String)> {
        let line = hint.split('`').nth(1)?;
        let table = hint.split("under [").nth(1)?.split(']').next()?;
        Some((table.to_owned(), line.to_owned()))
    }

    /// The instance of the only section, when this hint is pasted below it.
    fn with_hint(section: &str, hint: &str) -> InstanceSection {
        let (table, line) = pasted(hint).unwrap();
        let text = format!("{section}[{table}]\n{line}\n");
        let config: Config =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{hint}: {error}"));
        let hardware = config.hardware.into_iter().map(|it| it.instance);
        let indigo = config.indigo.into_iter().map(|it| it.instance);
        hardware.chain(indigo).next().unwrap()
    }

    #[test]
    fn every_hint_can_be_pasted_into_the_section_that_it_names() {
        let sections = [
            "[[hardware]]\nname = \"A \\\"b\\\"\"\nplugin = \"P\"\n",
            "[[indigo]]\nbundle = \"X.indigoPlugin\"\n",
            "[[indigo]]\nbundle = \"X.indigoPlugin\"\nname = \"N\"\n",
        ];
        let lines = [
            "network = [\"192.168.1.9:80\"]",
            "network = [\"[fd00::1]:80\"]",
            "listen = [8080]",
            "icmp = [\"device.lan\"]",
            "exec = [\"/usr/bin/uptime\"]",
            "serial = [\"/dev/ttyUSB0\"]",
            "mail = [\"me@example.org\"]",
            "security = true",
            "legacy-tls = [\"192.168.1.7\"]",
            "keys = [{ name = \"w\", certificate = \"/c.pem\", key = \"/k.pem\" }]",
        ];
        for section in sections {
            let config: Config = toml::from_str(section).unwrap();
            let hardware = config.hardware.iter().map(|it| &it.instance);
            let mut all = hardware.chain(config.indigo.iter().map(|it| &it.instance));
            let origin = all.next().unwrap().origin.clone();
            for line in lines {
                let hint = origin.grant(line);
                let key = line.split(' ').next().unwrap();
                assert_eq!(with_hint(section, &hint).grants.granted(), [key], "{hint}");
            }
            for declared in DECLARATIONS.iter().filter(|it| it.default < it.ceiling) {
                let hint = origin.limit(&Limits::hit(
                    declared.name,
                    declared.default,
                    declared.default,
                ));
                let limits = with_hint(section, &hint).limits;
                let (_, value) = limits
                    .iter()
                    .find(|(it, _)| it.name == declared.name)
                    .unwrap();
                assert!(value > declared.default, "{hint}");
                // The section is named by a line that stands in it.
                let name = hint.rsplit(" with ").next().unwrap();
                assert!(
                    section.contains(name.split(", or ").next().unwrap()),
                    "{hint}"
                );
            }
            let hint = origin.copy_on_write();
            let line = hint.split('`').nth(1).unwrap();
            assert!(
                toml::from_str::<Config>(&format!("{section}{line}\n")).is_ok(),
                "{hint}"
            );
        }
    }

    #[test]
    fn a_hint_for_a_list_that_is_there_is_one_more_entry() {
        let section =
            "[[hardware]]\nname = \"A\"\nplugin = \"P\"\n[hardware.grants]\nlisten = [1]\n";
        let config: Config = toml::from_str(section).unwrap();
        let origin = &config.hardware[0].instance.origin;
        let hint = origin.grant("listen = [8080]");
        assert!(
            hint.contains("add `8080` to `listen` under [hardware.grants] of"),
            "{hint}"
        );
        let (_, entry) = pasted(&hint).unwrap();
        let text = section.replace("[1]", &format!("[1, {entry}]"));
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(config.hardware[0].instance.grants.listen.len(), 2);
    }

    #[test]
    fn two_sections_of_one_name_are_refused() {
        let section = "[[hardware]]\nname = \"A\"\nplugin = \"P\"\n";
        let text = refusal(&format!("{section}{section}"));
        assert!(
            text.contains("two [[hardware]] sections are called `A`"),
            "{text}"
        );
    }

    #[test]
    fn more_sections_than_room_are_refused() {
        let section = "[[hardware]]\nname = \"A\"\nplugin = \"P\"\n";
        let text = refusal(&format!("[hub]\ninstances = 0\n{section}"));
        assert!(text.contains("raise `instances`"), "{text}");
    }

    #[test]
    fn a_log_file_has_a_size_and_a_number_of_predecessors() {
        for (line, expected) in [
            ("rotate-bytes = 1000", "must be from 64 KiB to 1024 GiB"),
            ("rotate-bytes = '10 MB'", "such as `10 MiB`"),
            ("keep = 1000", "must be from 0 to 100"),
            ("console = 'color'", "expected one of `auto`"),
        ] {
            let text = refusal(&format!("[log]\n{line}\n"));
            assert!(text.contains(expected), "{line}: {text}");
        }
    }

    #[test]
    fn a_hub_has_a_second_to_an_hour_to_stop() {
        let text = refusal("[hub]\nstop-seconds = 0\n");
        assert!(text.contains("must be from 1 to 3600"), "{text}");
        let hub: HubConfig = toml::from_str("stop-seconds = 5").unwrap();
        assert_eq!(hub.stop_seconds, 5);
    }

    #[test]
    fn an_instance_is_parked_for_a_day_at_most() {
        let text = refusal("[hub]\nparked-seconds = 86401\n");
        assert!(text.contains("must be from 0 to 86400"), "{text}");
        let hub: HubConfig = toml::from_str("parked-seconds = 0").unwrap();
        assert_eq!(hub.parked_seconds, 0);
    }

    #[test]
    fn users_need_a_password_and_networks_are_addresses() {
        let text = refusal("[web]\nusers = [{ name = \"a\", password = \"\" }]\n");
        assert!(text.contains("a name of its own and a password"), "{text}");
        for network in ["router.lan", "10.0.0.0/99", "*"] {
            let text = refusal(&format!("[web]\nnetworks = [\"{network}\"]\n"));
            assert!(
                text.contains(&format!("`{network}` is no address")),
                "{text}"
            );
        }
        let web: WebConfig =
            toml::from_str("users = [{ name = \"a\", password = \"secret\" }]").unwrap();
        assert!(!format!("{web:?}").contains("secret"));
    }

    #[test]
    fn a_mail_server_needs_a_sender_and_both_halves_of_a_login() {
        let text = refusal("[mail]\nserver = \"mail\"\nfrom = \"nobody\"\n");
        assert!(text.contains("`nobody` is no mail address"), "{text}");
        let text = refusal("[mail]\nserver = \"mail\"\nfrom = \"a@b\"\nuser = \"a\"\n");
        assert!(text.contains("`user` and `password`"), "{text}");
        let mail: MailConfig = toml::from_str(
            "server = \"mail\"\nfrom = \"a@b\"\nuser = \"a\"\npassword = \"secret\"",
        )
        .unwrap();
        assert_eq!(mail.port, 587);
        assert!(!format!("{mail:?}").contains("secret"));
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.toml");
        let text = "[hub]\nplugins = \"p\"\n[log]\nfile = \"log/c.log\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.hub.plugins, folder.path().join("p"));
        assert_eq!(config.log.file, Some(folder.path().join("log/c.log")));
    }

    #[test]
    fn the_socket_is_found_where_the_hub_has_it_whatever_else_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.toml");
        let here = |name: &str| Some(folder.path().join(name));
        for (text, expected) in [
            ("", here("data/cordon.sock")),
            ("[hub]\ndata = \"d\"\n", here("d/cordon.sock")),
            ("[hub]\nsocket = \"s\"\n", here("s")),
            ("[hub]\nsocket = \"/run/s\"\n", Some("/run/s".into())),
            ("[hub]\nsocket = \"\"\n", None),
        ] {
            std::fs::write(&path, text).unwrap();
            let config = Config::load(&path).unwrap();
            assert_eq!(config.hub.socket_path(), expected, "{text}");
            let wrong = format!("{text}\n[[hardware]]\nnmae = 1\n[webb]\n");
            for text in [text, &wrong] {
                std::fs::write(&path, text).unwrap();
                assert_eq!(socket_of(&path).unwrap(), expected, "{text}");
            }
            if text.contains("[hub]") {
                std::fs::write(&path, format!("{text}nonsense\n")).unwrap();
                assert_eq!(socket_of(&path).unwrap(), expected, "{text}");
            }
        }
        std::fs::write(&path, "[hub\n").unwrap();
        let refused = socket_of(&path).unwrap_err().to_string();
        assert!(refused.contains("line 1"), "{refused}");
    }
}
