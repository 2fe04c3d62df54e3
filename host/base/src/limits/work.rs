//! The bound on the host's work for one call of each function of the contract.
//!
//! A limit says how much an instance may hold or use. This table says what a single call
//! may cost the hub, so that no function is added without that question being asked: a
//! test compares it with `wit/`, and `tests/cost` measures each function against its row.

/// What one call of a function may cost the hub.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The interface of `wit/`.
    pub interface: &'static str,
    /// The function.
    pub function: &'static str,
    /// The size that the work grows with, in words. It never grows faster than linearly.
    pub grows_with: &'static str,
    /// The limits that bound this size; none where the work is constant.
    pub bounded_by: &'static [&'static str],
    /// How many bytes the hub may allocate for each byte of the arguments and the answer,
    /// over [`BASE_BYTES`].
    pub bytes_per_byte: u64,
}

/// Bytes that any call may allocate in the hub, whatever its size: tasks, futures and
/// replies of the store.
pub const BASE_BYTES: u64 = 64 << 10;

/// Nanoseconds of computing time that any call may take, whatever its size, on a machine
/// of the present day.
pub const BASE_NANOSECONDS: u64 = 2_000_000;

/// Nanoseconds of computing time for each byte of the arguments and the answer.
pub const NANOSECONDS_PER_BYTE: u64 = 1_000;

macro_rules! work {
    ($($interface:literal { $($function:literal: $grows:literal, [$($limit:literal),*], $factor:literal;)+ })+) => {
        /// The table, in the order of `wit/`.
        pub const WORK: &[Work] = &[$($(Work {
            interface: $interface,
            function: $function,
            grows_with: $grows,
            bounded_by: &[$($limit),*],
            bytes_per_byte: $factor,
        },)+)+];
    };
}

work! {
    "clock" {
        "sleep": "nothing", [], 0;
        "cpu-time": "nothing", [], 0;
    }
    "code" {
        "keep": "bytes of the code", ["call-bytes", "data-bytes"], 4;
        "closed": "nothing", [], 0;
    }
    "configuration" {
        "load": "bytes of the document", ["stored-bytes"], 4;
        "store": "bytes of the document", ["call-bytes", "stored-bytes"], 8;
    }
    "connections" {
        "connect": "bytes of the endpoint", ["call-bytes", "connections", "inbox"], 4;
        "listen": "bytes of the endpoint", ["call-bytes", "connections", "inbox"], 4;
        "send": "bytes of the message", ["call-bytes", "connection-buffer", "inbox"], 8;
        "disconnect": "requests that wait", ["inbox"], 4;
        "release": "requests that wait", ["inbox"], 4;
        "status": "nothing", [], 0;
    }
    "devices" {
        "list": "bytes of all rows", ["devices", "stored-bytes"], 8;
        "get": "bytes of the row", ["stored-bytes"], 8;
        "create": "bytes of the row", ["call-bytes", "stored-bytes"], 16;
        "update": "bytes of the row", ["call-bytes", "stored-bytes"], 16;
        "delete": "bytes of the row", ["stored-bytes"], 8;
        "touch": "bytes of the row", ["stored-bytes"], 8;
    }
    "icmp" {
        "echo": "bytes of the packet", ["echoes", "lookups"], 4;
    }
    "images" {
        "list": "bytes of the names of all sets", ["stored-bytes"], 8;
        "create": "bytes of the pictures", ["call-bytes", "stored-bytes", "host-memory"], 64;
        "delete": "nothing", [], 0;
    }
    "indigo" {
        "reply": "bytes of the value", ["call-bytes", "command-values", "host-memory"], 4;
        "call": "bytes of the arguments and of the answer", ["call-bytes", "command-values", "host-memory"], 64;
    }
    "log" {
        "write": "bytes of the text, up to one record", ["call-bytes", "log-line-bytes"], 4;
    }
    "memory" {
        "prepare": "bytes of the part", ["call-bytes"], 4;
    }
    "notifier" {
        "register": "bytes of the name", ["call-bytes"], 4;
    }
    "processes" {
        "find": "bytes of the name", ["call-bytes"], 4;
        "spawn": "bytes of the command", ["call-bytes", "processes"], 8;
        "read": "bytes that are asked for", ["process-output"], 4;
        "write": "bytes of the data", ["call-bytes"], 4;
        "exchange": "bytes of input and output", ["call-bytes", "process-output"], 8;
        "close": "nothing", [], 0;
        "wait": "nothing", [], 0;
        "signal": "nothing", [], 0;
        "release": "nothing", [], 0;
    }
    "schedule" {
        "heartbeat": "nothing", [], 0;
        "set-heartbeat": "nothing", [], 0;
    }
    "serial" {
        "ports": "ports that the instance has", [], 4;
        "open": "bytes of the path", ["call-bytes", "serial-ports"], 4;
        "configure": "nothing", [], 0;
        "read": "bytes that are there", ["call-bytes"], 4;
        "write": "bytes of the data", ["call-bytes"], 4;
        "drain": "nothing", [], 0;
        "cancel-read": "nothing", [], 0;
        "cancel-write": "nothing", [], 0;
        "waiting": "nothing", [], 0;
        "clear": "nothing", [], 0;
        "status": "nothing", [], 0;
        "signal": "nothing", [], 0;
        "close": "nothing", [], 0;
    }
    "sockets" {
        "create": "nothing", ["sockets"], 0;
        "pair": "nothing", ["sockets"], 0;
        "duplicate": "nothing", ["sockets"], 0;
        "close": "nothing", [], 0;
        "describe": "nothing", [], 0;
        "bind": "nothing", [], 0;
        "listen": "nothing", [], 0;
        "accept": "nothing", ["sockets"], 0;
        "connect": "grants of the instance", [], 4;
        "send": "bytes of the data", ["call-bytes", "socket-buffer"], 4;
        "send-to": "bytes of the data", ["call-bytes", "socket-buffer"], 4;
        "receive": "bytes that are there", ["socket-buffer"], 4;
        "receive-from": "bytes that are there", ["socket-buffer"], 4;
        "shutdown": "nothing", [], 0;
        "local-address": "nothing", [], 0;
        "peer-address": "nothing", [], 0;
        "get-option": "nothing", [], 0;
        "set-option": "nothing", [], 0;
        "membership": "nothing", [], 0;
        "wait": "nothing", [], 0;
        "poll": "sockets that are waited for", ["call-bytes", "sockets"], 16;
        "resolve": "bytes of the name", ["call-bytes", "lookups"], 4;
        "reverse": "nothing", ["lookups"], 0;
        "host-name": "nothing", [], 0;
        "interfaces": "interfaces of the machine", [], 4;
    }
    "storage" {
        "room": "nothing", [], 0;
    }
    "threads" {
        "spawn": "nothing", ["threads"], 0;
        "park": "nothing", [], 0;
        "unpark": "nothing", [], 0;
        "yield-now": "nothing", [], 0;
    }
    "tls" {
        "open-context": "bytes of certificates and keys", ["call-bytes", "tls-bytes", "host-memory"], 64;
        "close-context": "nothing", [], 0;
        "open-client": "bytes of the name", ["call-bytes", "tls-handles", "host-memory"], 16;
        "open-server": "nothing", ["tls-handles", "host-memory"], 0;
        "greeted-name": "nothing", [], 0;
        "choose": "nothing", [], 0;
        "refuse": "nothing", [], 0;
        "close-session": "nothing", [], 0;
        "feed": "bytes that are fed", ["call-bytes", "host-memory"], 16;
        "take": "bytes that are asked for", ["host-memory"], 4;
        "read": "bytes that are asked for", ["host-memory"], 4;
        "write": "bytes that are written", ["call-bytes", "host-memory"], 16;
        "say-goodbye": "nothing", [], 0;
        "agreed": "nothing", [], 0;
        "exported": "nothing", [], 0;
    }
}

/// The table as Markdown, for `docs/limits.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "\n## Work of one call\n\n\
         The hub's work for one call of a function of the contract (`wit/`) grows linearly at most, with the size named here. \
         Declared in `host/base/src/limits/work.rs`; `tests/cost` measures it.\n\n\
         | function | grows with | bounded by |\n|---|---|---|\n",
    );
    for work in WORK {
        let limits: Vec<_> = work
            .bounded_by
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        text.push_str(&format!(
            "| `{}.{}` | {} | {} |\n",
            work.interface,
            work.function,
            work.grows_with,
            limits.join(", ")
        ));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use wit_parser::{Resolve, WorldItem};

    use super::*;

    fn contract() -> BTreeSet<(String, String)> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir("../../wit/v0.1.0").unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        let imports = resolve.worlds.get(world).unwrap().imports.values();
        let mut functions = BTreeSet::new();
        for item in imports {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let interface = resolve.interfaces.get(*id).unwrap();
            for function in interface.functions.keys() {
                functions.insert((interface.name.clone().unwrap(), function.clone()));
            }
        }
        functions
    }

    #[test]
    fn every_function_of_the_contract_has_a_bound() {
        let declared: BTreeSet<_> = WORK
            .iter()
            .map(|work| (work.interface.to_owned(), work.function.to_owned()))
            .collect();
        assert_eq!(declared.len(), WORK.len(), "a function stands here twice");
        assert_eq!(declared, contract());
    }

    #[test]
    fn every_bound_is_a_limit() {
        let names: BTreeSet<_> = crate::limits::DECLARATIONS
            .iter()
            .map(|it| it.name)
            .collect();
        for work in WORK {
            let unknown: Vec<_> = work
                .bounded_by
                .iter()
                .filter(|it| !names.contains(*it))
                .collect();
            assert!(
                unknown.is_empty(),
                "{}.{}: {unknown:?}",
                work.interface,
                work.function
            );
        }
    }
}
