//! Every limit: its name, unit, default and whether an instance may override it.
//!
//! This is the one place where a limit is declared. `docs/limits.md`, `cordon limits` and the
//! `[hardware.limits]` section of `cordon.toml` come from the table below, and a test fails when a
//! limit in it has no test that trips it. Enforcement is the business of the module that owns the
//! resource, which reports a [`LimitHit`].

pub mod amount;
pub mod work;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::error::LimitHit;
use amount::Amount;

/// The fate of a plugin that goes past a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The call is refused and the plugin goes on.
    Refused,
    /// The excess is dropped and counted; the plugin goes on.
    Dropped,
    /// The plugin is slowed down to the limit.
    Throttled,
    /// The process that the plugin has started is killed; the plugin goes on.
    Killed,
    /// The instance is dropped and restarted with back-off.
    Ended,
}

impl Consequence {
    fn words(self) -> &'static str {
        match self {
            Self::Refused => "the call is refused",
            Self::Dropped => "the excess is dropped and counted",
            Self::Throttled => "the plugin is slowed down",
            Self::Killed => "the process is killed",
            Self::Ended => "the instance is dropped and restarted",
        }
    }
}

/// One limit as declared.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Name in `cordon.toml`, logs and docs.
    pub name: &'static str,
    /// Unit of the figure.
    pub unit: &'static str,
    /// Value for an instance whose configuration names none.
    pub default: u64,
    /// Largest value an instance may be given.
    pub ceiling: u64,
    /// The consequence of going beyond it.
    pub consequence: Consequence,
    /// The thing that it bounds.
    pub meaning: &'static str,
}

macro_rules! limits {
    ($($(#[doc = $meaning:literal])+ $field:ident $name:literal $unit:literal = $default:expr, $ceiling:expr, $consequence:ident;)+) => {
        /// The limits of one instance. Units are those of [`DECLARATIONS`].
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $meaning])+ pub $field: u64,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Limits {
            fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $($name => self.$field = value,)+
                    _ => return false,
                }
                true
            }

            /// Every limit with its value for this instance.
            pub fn iter(&self) -> impl Iterator<Item = (&'static Declaration, u64)> {
                DECLARATIONS.iter().zip([$(self.$field,)+])
            }
        }

        /// The table of all limits, in the order of the documentation.
        pub const DECLARATIONS: &[Declaration] = &[$(Declaration {
            name: $name,
            unit: $unit,
            default: $default,
            ceiling: $ceiling,
            consequence: Consequence::$consequence,
            meaning: concat!($($meaning),+),
        },)+];
    };
}

const MIB: u64 = 1 << 20;

limits! {
    /// linear memory of the instance: the interpreter, the plugin's objects, 2 MiB for each thread
    memory "memory" "bytes" = 256 * MIB, 1024 * MIB, Ended;
    /// bytes that the hub holds for the instance beside that: collections, answers under construction, queues, subscriptions, names, TLS contexts, with the cost of each entry
    host_memory "host-memory" "bytes" = 64 * MIB, 1024 * MIB, Refused;
    /// depth of nested calls before `RecursionError`, as bytes of the stack that the guest keeps in its own memory, for a thread a quarter of it; fixed when the guest is linked
    shadow_stack "shadow-stack" "bytes" = 8 * MIB, 8 * MIB, Refused;
    /// depth of nested calls as bytes of the machine's stack; fixed for the engine
    wasm_stack "wasm-stack" "bytes" = 32 * MIB, 32 * MIB, Ended;
    /// Python threads alive at once beside the one that runs callbacks, timers of `threading` included; each takes 2 MiB of `memory` for its stack
    threads "threads" "threads" = 64, 256, Refused;
    /// computing time of a callback, that of the plugin's other threads in the meantime included
    callback_cpu "callback-cpu" "milliseconds" = 10_000, 600_000, Ended;
    /// time from the start of a callback to its return, waiting included but for that for a core of the machine
    callback_wall "callback-wall" "milliseconds" = 60_000, 3_600_000, Ended;
    /// time from the start of a callback to its return while the plugin is stopped: `onStop`, `shutdown`, `deviceStopComm` and what comes before them, waiting included
    stop_wall "stop-wall" "milliseconds" = 15_000, 3_600_000, Ended;
    /// computing time of all threads together, as a share of one core over ten seconds, in all lives of the instance
    cpu_share "cpu-share" "percent" = 50, 400, Throttled;
    /// events and requests that wait for the plugin
    inbox "inbox" "entries" = 256, 65_536, Refused;
    /// bytes in all that waits for an Indigo plugin: changes of objects that it follows, actions, messages
    inbox_bytes "inbox-bytes" "bytes" = 16 * MIB, 256 * MIB, Refused;
    /// changes of objects that wait for an Indigo plugin whose inbox is full; beyond it a change is told with the next one of its object, so that the last value always arrives
    held_changes "held-changes" "changes" = 4096, 65_536, Dropped;
    /// restarts of one device or trigger of an Indigo plugin, by changes of its properties, in a minute; beyond it the object is restarted later, as it is then
    object_restarts "restarts-per-minute" "restarts" = 60, 6000, Throttled;
    /// messages of other Indigo plugins that the plugin has subscribed to
    subscriptions "subscriptions" "subscriptions" = 64, 4096, Refused;
    /// bytes in one message to the subscribers of an Indigo plugin
    broadcast_bytes "broadcast-bytes" "bytes" = 64 << 10, MIB, Refused;
    /// values in the arguments of one command of an Indigo plugin, or in the value that one of its functions returns: those in lists and dictionaries included
    command_values "command-values" "values" = 65_536, 1_048_576, Refused;
    /// letters that an Indigo plugin has sent in the last hour
    mails "mails-per-hour" "letters" = 20, 3600, Refused;
    /// connections and listeners, accepted clients included
    connections "connections" "connections" = 32, 4096, Refused;
    /// bytes waiting in one connection, in each direction, and as many that the system holds; also the largest message
    connection_buffer "connection-buffer" "bytes" = MIB, 64 * MIB, Refused;
    /// sockets that the plugin's Python holds open at once, duplicates and accepted clients included; also the most that one `select` waits for
    sockets "sockets" "sockets" = 64, 4096, Refused;
    /// bytes that the system holds for one socket in each direction, its own book-keeping included; larger requests are cut to it
    socket_buffer "socket-buffer" "bytes" = 512 << 10, 64 * MIB, Dropped;
    /// open files of the hub for the instance: its files and folders, sockets, connections, processes, serial ports, echo requests; while they are scarce, an even part of those that the hub has
    descriptors "descriptors" "descriptors" = 512, 65_536, Refused;
    /// names and addresses looked up per minute, whichever way
    lookups "lookups" "look-ups" = 300, 100_000, Refused;
    /// TLS contexts and sessions of module `ssl`, together
    tls_handles "tls-handles" "handles" = 128, 4096, Refused;
    /// certificates and keys in the TLS contexts alive, together
    tls_bytes "tls-bytes" "bytes" = 4 * MIB, 64 * MIB, Refused;
    /// delayed sends, or delayed commands, that wait
    timers "timers" "timers" = 64, 4096, Refused;
    /// log records per second, averaged over ten seconds
    log_lines "log-lines-per-second" "lines" = 50, 10_000, Dropped;
    /// length of one log record
    log_line_bytes "log-line-bytes" "bytes" = 6143, 6143, Dropped;
    /// objects of an Indigo server that the plugin has made, and device rows of a Domoticz hardware, each with a history of 1.3 MB at most
    devices "devices" "rows" = 256, 65_536, Refused;
    /// all device rows together, or all objects, as they are stored; the configuration document; icons; the preferences of an Indigo plugin
    stored_bytes "stored-bytes" "bytes" = 4 * MIB, 64 * MIB, Refused;
    /// bytes of one text of a device row (name, description, value, colour, external id), and of all its options together, each with 64 more
    device_text "device-text" "bytes" = 64 << 10, 4 * MIB, Refused;
    /// bytes that the plugin writes to the hub's database in a minute: whole rows, each change 1 KiB at least; a minute's worth may be written at once
    write_bytes "write-bytes-per-minute" "bytes" = 64 * MIB, 65_536 * MIB, Throttled;
    /// bytes in the files that the plugin writes: its data folder, temporary files, changes of its own folder, compiled code
    data_bytes "data-bytes" "bytes" = 64 * MIB, 65_536 * MIB, Refused;
    /// files and folders in the same
    data_files "data-files" "files" = 1024, 1_048_576, Refused;
    /// files and folders held open at once, and other handles of the system interface
    handles "handles" "handles" = 128, 4096, Refused;
    /// bytes that one call may make the hub copy out of the instance
    call_bytes "call-bytes" "bytes" = 8 * MIB, 256 * MIB, Ended;
    /// random bytes from one call of the operating system's generator
    random_bytes "random-bytes" "bytes" = MIB, 64 * MIB, Ended;
    /// processes that run, or whose output can still be read
    processes "processes" "processes" = 4, 64, Refused;
    /// time from the start of a process to its end
    process_time "process-time" "milliseconds" = 60_000, 86_400_000, Killed;
    /// bytes that a plugin reads from one process
    process_output "process-output" "bytes" = 8 * MIB, 4096 * MIB, Killed;
    /// serial ports open at once
    serial_ports "serial-ports" "ports" = 4, 64, Refused;
    /// ICMP echo requests per second, averaged over ten seconds, and those that wait for an answer at once
    echoes "echoes" "requests" = 16, 1024, Refused;
    /// failures in a row after which an instance is parked: it is tried again after `parked-seconds`, or when the operator restarts it
    restarts "restarts" "failures" = 5, 1000, Ended;
}

/// Least values with which an instance starts at all, as measured with a plugin that does nothing,
/// and rounded down.
const LEAST: [(&str, u64); 7] = [
    ("memory", 60 * MIB),
    ("descriptors", 7),
    ("callback-cpu", 5),
    ("callback-wall", 5),
    ("call-bytes", 500),
    ("random-bytes", 32),
    ("log-line-bytes", 16),
];

impl Declaration {
    /// Smallest value an instance may be given.
    #[must_use]
    pub fn least(&self) -> u64 {
        let least = LEAST.iter().find(|(name, _)| *name == self.name);
        least.map_or(1, |(_, value)| *value)
    }
}

/// Limits that are part of the compiled guest or of the engine: no instance can
/// have others.
const FIXED: [&str; 2] = ["shadow-stack", "wasm-stack"];

/// Whether no configuration changes this limit.
#[must_use]
pub fn is_fixed(name: &str) -> bool {
    FIXED.contains(&name)
}

/// The unit of a limit beside a figure; nothing where the limit's name says it.
pub(crate) fn short_unit(name: &str) -> &'static str {
    let declared = DECLARATIONS.iter().find(|limit| limit.name == name);
    match declared.map(|limit| limit.unit) {
        Some("milliseconds") => " ms",
        Some("percent") => " %",
        _ => "",
    }
}

impl Limits {
    /// The hit of a limit of this instance.
    #[must_use]
    pub fn hit(which: &'static str, used: u64, limit: u64) -> LimitHit {
        LimitHit { which, used, limit }
    }

    /// The limits that the configuration names over the defaults.
    ///
    /// # Errors
    ///
    /// A sentence for a name that is no limit or a value that is out of range.
    pub fn with_overrides(overrides: &BTreeMap<String, Amount>) -> Result<Self, String> {
        let mut limits = Self::default();
        for (name, amount) in overrides {
            let Some(declared) = DECLARATIONS.iter().find(|limit| limit.name == name) else {
                let known: Vec<_> = DECLARATIONS.iter().map(|limit| limit.name).collect();
                return Err(format!(
                    "there is no limit `{name}`; the limits are {}",
                    known.join(", ")
                ));
            };
            if is_fixed(declared.name) {
                return Err(format!("limit `{name}` is fixed; remove the line"));
            }
            let value = amount.of(declared.unit);
            let value = value.map_err(|error| format!("limit `{name}`: {error}"))?;
            let least = declared.least();
            if value < least || value > declared.ceiling {
                let why = match value < least && least > 1 {
                    true => "; no plugin starts with less",
                    false => "",
                };
                return Err(format!(
                    "limit `{name}` must be from {least} to {} {}, not {value}{why}",
                    declared.ceiling, declared.unit
                ));
            }
            limits.set(declared.name, value);
        }
        Ok(limits)
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let overrides = BTreeMap::<String, Amount>::deserialize(deserializer)?;
        Self::with_overrides(&overrides).map_err(D::Error::custom)
    }
}

/// The table as Markdown, for `docs/limits.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Limits\n\nGenerated by `cordon limits --markdown`; declared in `host/base/src/limits.rs`.\n\
         Each can be set per instance, in `cordon.toml` in the table `limits` of its section; in `cordon run` \
         with `--limit NAME=N`. Bytes and milliseconds also take a unit: `\"128 MiB\"`, `\"10 s\"` \
         (B, KiB, MiB, GiB; ms, s, min, h).\n\n\
         | limit | unit | default | at least | at most | beyond it | what it bounds |\n|---|---|---|---|---|---|---|\n",
    );
    for limit in DECLARATIONS {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {} |{} |\n",
            limit.name,
            limit.unit,
            limit.default,
            limit.least(),
            limit.ceiling,
            limit.consequence.words(),
            limit.meaning
        ));
    }
    text.push_str(&work::markdown());
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_override_changes_one_limit() {
        let limits: Limits = toml::from_str("threads = 3").unwrap();
        assert_eq!(limits.threads, 3);
        assert_eq!(limits.memory, Limits::default().memory);
    }

    #[test]
    fn an_override_of_a_fixed_limit_is_refused() {
        let error = toml::from_str::<Limits>("wasm-stack = 1")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`wasm-stack` is fixed"), "{error}");
    }

    #[test]
    fn an_unknown_limit_is_refused_with_the_names() {
        let error = toml::from_str::<Limits>("thread = 3")
            .unwrap_err()
            .to_string();
        assert!(error.contains("there is no limit `thread`"), "{error}");
        assert!(error.contains("threads"), "{error}");
    }

    #[test]
    fn a_value_may_have_its_unit() {
        let limits: Limits =
            toml::from_str("memory = \"128 MiB\"\ncallback-cpu = \"20 s\"\nthreads = \"4\"")
                .unwrap();
        assert_eq!(limits.memory, 128 << 20);
        assert_eq!((limits.callback_cpu, limits.threads), (20_000, 4));
        for (text, said) in [
            (
                "memory = \"20 s\"",
                "limit `memory`: \"20 s\" is no amount of bytes",
            ),
            ("threads = \"4 s\"", "is no whole number of threads"),
            ("threads = -1", "expected a whole number"),
            ("threads = 1.5", "expected a whole number"),
        ] {
            let error = toml::from_str::<Limits>(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn less_than_a_start_needs_is_refused_with_the_least() {
        let error = toml::from_str::<Limits>("memory = \"32 MiB\"").unwrap_err();
        let error = error.to_string();
        let said =
            "must be from 62914560 to 1073741824 bytes, not 33554432; no plugin starts with less";
        assert!(error.contains(said), "{error}");
        assert!(toml::from_str::<Limits>("memory = \"60 MiB\"").is_ok());
        for (name, least) in LEAST {
            let declared = DECLARATIONS.iter().find(|it| it.name == name).unwrap();
            assert!(least > 1 && least < declared.default, "{name}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        for text in ["threads = 0", "threads = 257"] {
            let error = toml::from_str::<Limits>(text).unwrap_err().to_string();
            assert!(error.contains("from 1 to 256 threads"), "{error}");
        }
    }
}
