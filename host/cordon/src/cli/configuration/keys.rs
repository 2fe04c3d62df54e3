//! Every key of `cordon.toml`: the table of `docs/configuration.md`.
//!
//! The types that read the file are the truth. The tests ask them for the keys that they know and
//! for the values that they have without a key, and compare.

/// One key.
struct Key {
    name: &'static str,
    /// The form of its value.
    value: &'static str,
    /// Its default in TOML; empty when there is none.
    default: &'static str,
    /// A value that is accepted, in TOML.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the tests read the file with it")
    )]
    example: &'static str,
    meaning: &'static str,
}

/// One section.
struct Section {
    /// Its head in the file.
    head: &'static str,
    /// Lines that come before the head in a file that has little else.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the tests read the file with it")
    )]
    before: &'static str,
    keys: &'static [Key],
}

impl Section {
    /// Its own keys, and those of every instance.
    fn keys(&self) -> impl Iterator<Item = &'static Key> {
        let shared: &[Key] = match self.head {
            "[[hardware]]" | "[[indigo]]" => INSTANCE,
            _ => &[],
        };
        self.keys.iter().chain(shared)
    }
}

macro_rules! keys {
    ($($name:literal $value:literal = $default:literal, $example:literal: $meaning:literal;)+) => {
        &[$(Key {
            name: $name,
            value: $value,
            default: $default,
            example: $example,
            meaning: $meaning,
        },)+]
    };
}

/// The keys of every section that starts an instance, whatever its framework.
const INSTANCE: &[Key] = keys! {
    "environment" "table of texts" = "{}", "{ TZ = 'UTC' }": "environment variables that the plugin sees";
    "grants" "table" = "{}", "{ security = true }": "permissions; the rows of `[hardware.grants]` below";
    "limits" "table" = "{}", "{ memory = '512 MiB', callback-cpu = '20 s' }": "limits other than the defaults, as numbers or with a unit ([limits.md](limits.md))";
    "plugin-folder" "word" = "'read-only'", "'copy-on-write'": "the access of the plugin to its own folder: `read-only`, or `copy-on-write` with its changes kept apart";
    "verify_tls" "true or false" = "false", "true": "whether TLS connections demand a certificate that can be verified";
};

const HARDWARE: &str = "[[hardware]]\nname = 'A'\nplugin = 'P'\n";

const SECTIONS: &[Section] = &[
    Section {
        head: "[hub]",
        before: "",
        keys: keys! {
            "listen" "address:port" = "'127.0.0.1:8080'", "'0.0.0.0:80'": "where the HTTP APIs are offered";
            "data" "folder" = "'data'", "'/var/lib/cordon'": "the database and the files of the instances; relative to the file";
            "plugins" "folder" = "'plugins'", "'/opt/plugins'": "the folder with the plugins' folders and the bundles; relative to the file";
            "socket" "path" = "", "'/run/cordon.sock'": "Unix socket of the operator's verbs, for the hub's own account alone; `cordon.sock` in the data folder without it, and none with an empty text";
            "instances" "number" = "1000", "20": "instances that can be alive at once; the pool of memory is made for as many";
            "stop-seconds" "number" = "20", "60": "time that all plugins together have to stop when the hub does, from 1 to 3600";
            "parked-seconds" "number" = "600", "0": "seconds that a parked instance waits before it is tried again, doubled every time up to a day; 0: it waits for the operator";
            "latitude" "degrees" = "0.0", "52.1": "where the hub is, to the north, for sunrise and sunset";
            "longitude" "degrees" = "0.0", "5.1": "the same to the east";
        },
    },
    Section {
        head: "[log]",
        before: "",
        keys: keys! {
            "file" "path" = "", "'log/cordon.log'": "the log file, for the hub's account alone; relative to the file";
            "rotate-bytes" "size" = "'10 MiB'", "'1 GiB'": "size at which the log file becomes `cordon.log.1` and a new one begins, from 64 KiB";
            "keep" "number" = "5", "0": "how many earlier log files are kept, at most 100";
            "format" "word" = "'text'", "'json'": "`text`, or `json`: an object with `time`, `level`, `instance` and `text` in each line";
            "least-level" "word" = "'debug'", "'warning'": "the least important level in the file and on the console: `debug`, `normal`, `status`, `warning` or `error`";
            "console" "word" = "'auto'", "'none'": "`plain`, `colour` (on a terminal), `journald` (priorities instead of times), `none`, or `auto`: the one that fits";
        },
    },
    Section {
        head: "[web]",
        before: "",
        keys: keys! {
            "users" "list" = "[]", "[{ name = 'a', password = 'p' }]": "who has a password; the rows of `[[web.users]]` below";
            "networks" "list of addresses and networks" = "['127.0.0.0/8', '::1']", "['192.168.1.0/24']": "from where no password is needed";
            "proxies" "list of addresses and networks" = "[]", "['192.168.1.2']": "proxies whose `X-Forwarded-For` is believed";
            "names" "list of names" = "[]", "['hub.example.org']": "names under which browsers may use the hub, beside its addresses, `localhost` and the machine's own name";
            "origins" "list of origins" = "[]", "['https://dashboard.example.org']": "sites whose pages may use the API in a browser";
            "pages" "address:port" = "", "'127.0.0.1:8081'": "where pages of plugins are served; the port after that of `listen` without it";
            "pages-url" "origin" = "", "'https://pages.example.org'": "where browsers find them, when that is another address, as behind a proxy";
            "add-hardware" "true or false" = "true", "false": "whether admins may add hardware through the API";
        },
    },
    Section {
        head: "[[web.users]]",
        before: "",
        keys: keys! {
            "name" "text" = "", "'ann'": "name to log in with; no colon in it";
            "password" "text" = "", "'secret'": "password";
            "rights" "word" = "'admin'", "'viewer'": "`viewer` looks, `user` also switches, `admin` also changes devices, settings and hardware";
        },
    },
    Section {
        head: "[mail]",
        before: "",
        keys: keys! {
            "server" "name or address" = "", "'mail.example.org'": "the mail server, for Indigo plugins and actions";
            "port" "number" = "587", "465": "its port";
            "security" "word" = "'starttls'", "'tls'": "`starttls`, `tls` from the first byte, or `none`";
            "from" "address" = "", "'hub@example.org'": "sender of all letters";
            "user" "text" = "", "'hub'": "name to log in with; nobody logs in without one";
            "password" "text" = "", "'secret'": "password of the user";
            "verify" "true or false" = "true", "false": "whether the server needs a certificate that the system's roots vouch for";
        },
    },
    Section {
        head: "[indigo-api]",
        before: "",
        keys: keys! {
            "authentication" "true or false" = "true", "false": "whether a key is asked for; `false` only with `listen` on a loopback address";
            "keys" "list" = "[]", "[{ name = 'a', key = '0123456789abcdef' }]": "the keys; the rows of `[[indigo-api.keys]]` below";
            "same-origin-pages" "list of plugin ids" = "[]", "['com.example.x']": "plugins whose pages may act in the name of the hub's own pages";
        },
    },
    Section {
        head: "[[indigo-api.keys]]",
        before: "",
        keys: keys! {
            "name" "text" = "", "'phone'": "name of the key's user, for the operator";
            "key" "text" = "", "'0123456789abcdef'": "the secret, of 16 to 512 characters";
            "plugins" "list of plugin ids" = "[]", "['com.example.x']": "plugins whose pages the key opens; it opens everything without any";
            "rights" "word" = "'admin'", "'user'": "rights of the key, as a user has them";
        },
    },
    Section {
        head: "[[hardware]]",
        before: "",
        keys: keys! {
            "name" "text" = "", "'Living room'": "name, unique in the file; the devices are kept under it";
            "plugin" "text" = "", "'LineThermometer'": "the plugin's key";
            "parameters" "table of texts" = "{}", "{ Address = '192.168.1.20', Port = 8080 }": "values of the plugin's parameters, where a number stands for its text: Address, Port, SerialPort, Username, Password, Mode1 to Mode6";
            "log-level" "number" = "7", "4": "which levels of the plugin's lines are kept: 1 normal, 2 status, 4 error, added up";
        },
    },
    Section {
        head: "[[indigo]]",
        before: "",
        keys: keys! {
            "bundle" "folder" = "", "'Lamps.indigoPlugin'": "the bundle, in the plugins folder";
            "name" "text" = "", "'Lamps'": "name in logs, unique in the file; that of the bundle without it";
        },
    },
    Section {
        head: "[hardware.grants]",
        before: HARDWARE,
        keys: keys! {
            "network" "list of HOST:PORTS" = "[]", "['192.168.1.0/24:80']": "where the plugin may connect: `192.168.1.20:80`, `device.lan:1883`, `192.168.1.0/24:8000-8010`, `*:443`";
            "listen" "list of ports" = "[]", "[8090, '9000-9010']": "ports on which it may listen";
            "icmp" "list of hosts" = "[]", "['192.168.1.0/24']": "hosts that it may ping";
            "legacy-tls" "list of hosts" = "[]", "['192.168.1.7']": "old devices that the machine's OpenSSL speaks TLS with, where nothing is verified";
            "exec" "list of programs" = "[]", "['/usr/bin/uptime']": "programs that the hub runs for it; a path, or the rows of `[[hardware.grants.exec]]` below";
            "serial" "list of paths" = "[]", "['/dev/ttyUSB0']": "serial ports that it may open";
            "mail" "list of addresses" = "[]", "['me@example.org']": "to whom an Indigo plugin may write; `*` for anybody";
            "security" "true or false" = "false", "true": "whether its security panels arm and disarm the house";
            "keys" "list" = "[]", "[{ name = 'w', certificate = '/c', key = '/k' }]": "certificates that it may show; the rows of `[[hardware.grants.keys]]` below";
        },
    },
    Section {
        head: "[[hardware.grants.exec]]",
        before: HARDWARE,
        keys: keys! {
            "program" "path" = "", "'/usr/bin/curl'": "the program, by its whole path";
            "env" "list of names" = "[]", "['http_proxy']": "variables of its environment that the plugin may set";
        },
    },
    Section {
        head: "[[hardware.grants.keys]]",
        before: HARDWARE,
        keys: keys! {
            "name" "text" = "", "'web'": "the plugin's name for the certificate: `load_cert_chain(\"grant:web\")`";
            "certificate" "path" = "", "'/etc/cordon/web.pem'": "PEM file with the certificate and those that lead to its root";
            "key" "path" = "", "'/etc/cordon/web.key'": "PEM file with the private key, not encrypted; the plugin never sees it";
        },
    },
];

/// All keys as Markdown, for `docs/configuration.md`.
pub(super) fn markdown() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Generated by `cordon config --markdown`; declared in `host/cordon/src/cli/configuration/keys.rs`.\n\
         `cordon.toml` may have all of these keys and no others. `cordon init` writes a file to begin with, and\n\
         `cordon check --config cordon.toml` finds the mistakes in one. Paths are relative to the file's folder.\n\
         [running.md](running.md) tells how a hub is run.\n\n\
         | section | key | value | default | meaning |\n|---|---|---|---|---|\n",
    );
    for section in SECTIONS {
        for key in section.keys() {
            let default = match (key.default, is_needed(section, key)) {
                ("", true) => "has to be given".to_owned(),
                ("", false) => "none".to_owned(),
                (default, _) => format!("`{}`", default.replace('\'', "\"")),
            };
            text.push_str(&format!(
                "| `{}` | `{}` | {} | {default} | {} |\n",
                section.head, key.name, key.value, key.meaning
            ));
        }
    }
    text
}

/// Keys without a default without which their section is refused.
fn is_needed(section: &Section, key: &Key) -> bool {
    !matches!(
        (section.head, key.name),
        ("[hub]", "socket")
            | ("[log]", "file")
            | ("[web]", "pages" | "pages-url")
            | ("[mail]", "user" | "password")
            | ("[[indigo]]", "name")
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Config;

    /// A file with this section, in which these keys have these values.
    fn file(section: &Section, keys: &[(&str, &str)]) -> String {
        let mut text = format!("{}{}\n", section.before, section.head);
        for (name, value) in keys {
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }

    fn needed(section: &Section) -> Vec<(&str, &str)> {
        let needed = |key: &&Key| key.default.is_empty() && is_needed(section, key);
        let keys = section.keys().filter(needed);
        keys.map(|key| (key.name, key.example)).collect()
    }

    #[test]
    fn the_documentation_is_the_table() {
        let documented = std::fs::read_to_string("../../docs/configuration.md").unwrap();
        assert_eq!(
            documented,
            markdown(),
            "run `cordon config --markdown > docs/configuration.md`"
        );
    }

    #[test]
    fn the_table_has_the_keys_that_the_file_may_have_and_no_others() {
        for section in SECTIONS {
            let text = file(section, &[("zz", "1")]);
            let error = toml::from_str::<Config>(&text).unwrap_err().to_string();
            let (_, expected) = error.split_once(", expected ").unwrap();
            let known: BTreeSet<_> = expected.split('`').skip(1).step_by(2).collect();
            let listed: BTreeSet<_> = section.keys().map(|key| key.name).collect();
            assert_eq!(known, listed, "{}: {error}", section.head);
        }
        let error = toml::from_str::<Config>("zz = 1").unwrap_err().to_string();
        let (_, expected) = error.split_once(", expected ").unwrap();
        let known: BTreeSet<_> = expected.split('`').skip(1).step_by(2).collect();
        let heads = SECTIONS.iter().map(|it| it.head.trim_matches(['[', ']']));
        assert_eq!(known, heads.filter(|head| !head.contains('.')).collect());
    }

    #[test]
    fn every_example_is_accepted_and_every_needed_key_is_needed() {
        for section in SECTIONS {
            for key in section.keys() {
                let mut keys = needed(section);
                keys.retain(|(name, _)| *name != key.name);
                let without = toml::from_str::<Config>(&file(section, &keys));
                let is_needed = key.default.is_empty() && is_needed(section, key);
                assert_eq!(without.is_err(), is_needed, "{} {}", section.head, key.name);
                keys.push((key.name, key.example));
                let text = file(section, &keys);
                toml::from_str::<Config>(&text).unwrap_or_else(|error| {
                    unreachable!("{text}: {error}");
                });
            }
        }
    }

    #[test]
    fn every_default_is_the_value_without_the_key_and_every_example_another() {
        for section in SECTIONS {
            for key in section.keys().filter(|key| !key.default.is_empty()) {
                let read = |value: Option<&str>| {
                    let mut keys = needed(section);
                    keys.extend(value.map(|value| (key.name, value)));
                    let config: Config = toml::from_str(&file(section, &keys)).unwrap();
                    format!("{config:?}")
                };
                let name = format!("{} {}", section.head, key.name);
                assert_eq!(read(Some(key.default)), read(None), "{name}");
                // `Debug` of the mail server shows no such thing.
                if !matches!(key.name, "verify") {
                    assert_ne!(read(Some(key.example)), read(None), "{name}");
                }
            }
        }
    }
}
