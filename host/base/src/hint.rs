//! Hints: the words that tell an operator how to give an instance more than it has.
//!
//! Where an instance comes from decides what can be changed about it. A section of `cordon.toml`
//! has tables, `cordon run` has options, and hardware that was added through an API has
//! `cordon grant`. Every message that names a remedy takes the remedy from here, so that it can be
//! pasted as it stands.

use std::sync::Arc;

use crate::error::{InstanceFailure, LimitHit};
use crate::limits::{self, amount};

/// Grants that `cordon run` has an option for, of the same name.
const OPTIONS: [&str; 6] = ["network", "listen", "exec", "serial", "icmp", "legacy-tls"];

/// Where an instance comes from. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origin {
    /// The arguments of `cordon run`.
    #[default]
    Run,
    /// A section of `cordon.toml`.
    File(Arc<Section>),
    /// An API, under this name.
    Api(Arc<str>),
}

/// The section of an instance in `cordon.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name of the section, such as `hardware`.
    pub table: &'static str,
    /// The key that tells it from others of this name.
    pub key: &'static str,
    /// The value of that key.
    pub value: String,
    /// Keys of its grants that it has already.
    pub granted: Vec<&'static str>,
}

impl Section {
    /// Where a line belongs: below the header of this table of the section.
    fn place(&self, table: &str) -> String {
        let Self {
            table: section,
            key,
            value,
            ..
        } = self;
        format!(
            "under [{section}.{table}] of the [[{section}]] with {key} = {}",
            quoted(value)
        )
    }
}

impl Origin {
    /// The hint for something that no grant allows. `line` is the line of a table of grants that
    /// allows it, such as `network = ["192.168.1.9:80"]`.
    #[must_use]
    pub fn grant(&self, line: &str) -> String {
        let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
        let entry = value
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let plain = entry.unwrap_or(value);
        match self {
            Self::File(section) => {
                let place = section.place("grants");
                match entry {
                    Some(entry) if entry.starts_with("{ program") => {
                        format!("to allow it, write `{entry}` for the program in `exec` {place}")
                    }
                    Some(entry) if section.granted.contains(&key) => {
                        format!("to allow it, add `{entry}` to `{key}` {place}")
                    }
                    _ => format!("to allow it, add `{line}` {place}"),
                }
            }
            Self::Run if OPTIONS.contains(&key) && !plain.starts_with('{') => {
                format!("to allow it, add `--{key} {}`", word(unquoted(plain)))
            }
            Self::Run => format!(
                "`cordon run` cannot grant it; a hub can, with `{line}` in the grants of the \
                 plugin's section"
            ),
            Self::Api(name) => format!(
                "to allow it, use `cordon grant {} {key} {}`",
                word(name),
                word(unquoted(plain))
            ),
        }
    }

    /// The hint for a limit that an instance has hit: a value that would have been enough, or twice
    /// the limit.
    #[must_use]
    pub fn raise(&self, hit: &LimitHit) -> String {
        let which = hit.which;
        if limits::is_fixed(which) {
            return "it is fixed".to_owned();
        }
        let Some(more) = more(hit) else {
            return "no instance can have more".to_owned();
        };
        let remedy = match self {
            Self::File(section) => {
                let value = amount::toml(which, more);
                let place = section.place("limits");
                format!("raise it with `{which} = {value}` {place}")
            }
            Self::Run => format!(
                "raise it with `--limit {which}={}`",
                amount::word(which, more)
            ),
            Self::Api(_) => format!(
                "hardware that was added through an API has the limits of all; as a section of \
                 cordon.toml it can have `{which} = {}` under its limits",
                amount::toml(which, more)
            ),
        };
        match which == crate::descriptors::LIMIT {
            true => format!(
                "{remedy}, or the number of open files that the system gives the hub, which all \
                 instances share"
            ),
            false => remedy,
        }
    }

    /// A limit that was hit, with the hint.
    #[must_use]
    pub fn limit(&self, hit: &LimitHit) -> String {
        format!("{hit}; {}", self.raise(hit))
    }

    /// Why an instance no longer runs, with the hint if a limit is the reason.
    #[must_use]
    pub fn failure(&self, failure: &InstanceFailure) -> String {
        match failure {
            InstanceFailure::Limit(hit) => self.limit(hit),
            InstanceFailure::Late { hit, callback } => {
                format!(
                    "{hit}, in {callback}; {}, or {}",
                    advice(hit.which),
                    self.raise(hit)
                )
            }
            other => other.to_string(),
        }
    }

    /// The hint that lets a plugin write into a copy of its own folder.
    #[must_use]
    pub fn copy_on_write(&self) -> String {
        let line = "plugin-folder = \"copy-on-write\"";
        match self {
            Self::File(section) => format!(
                "add `{line}` to the [[{}]] with {} = {}",
                section.table,
                section.key,
                quoted(&section.value)
            ),
            Self::Run => "add `--plugin-folder copy-on-write`".to_owned(),
            Self::Api(_) => {
                format!("give the hardware a section in cordon.toml, with `{line}`")
            }
        }
    }
}

/// The remedy on the plugin's side when a callback takes too long.
fn advice(which: &str) -> &'static str {
    match which {
        "callback-cpu" => "it computed all that time: give the work to several callbacks",
        "stop-wall" => "it was still at work after it was told to stop: end its waits there",
        _ => {
            "it waited, and the plugin gets no other callback meanwhile: wait in a thread, or look \
             again at the next heartbeat"
        }
    }
}

/// A value of the limit that the hit would have fitted into; nothing when the limit cannot be as
/// large.
fn more(hit: &LimitHit) -> Option<u64> {
    let declared = limits::DECLARATIONS
        .iter()
        .find(|declared| declared.name == hit.which)?;
    let mut more = hit.limit.max(1);
    while more <= hit.used || more <= hit.limit {
        more = more.checked_mul(2)?;
    }
    // Somebody who has nearly the most can have the most, if that is enough.
    let most = declared.ceiling;
    (hit.limit < most && hit.used <= most).then_some(more.min(most))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if letter.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(letter)));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// The text of a TOML string that has no escapes; anything else as it is.
fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.contains(['"', '\\']))
        .unwrap_or(value)
}

/// A word for a shell.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn file(granted: &[&'static str]) -> Origin {
        Origin::File(Arc::new(Section {
            table: "hardware",
            key: "name",
            value: "My \"X\"".to_owned(),
            granted: granted.to_vec(),
        }))
    }

    #[test]
    fn a_grant_is_said_in_the_words_of_the_instances_origin() {
        let line = "network = [\"192.168.1.9:80\"]";
        let api = Origin::Api("Living room".into());
        for (origin, said) in [
            (
                file(&[]),
                "to allow it, add `network = [\"192.168.1.9:80\"]` under [hardware.grants] of the \
                 [[hardware]] with name = \"My \\\"X\\\"\"",
            ),
            (
                file(&["network"]),
                "to allow it, add `\"192.168.1.9:80\"` to `network` under [hardware.grants] of the \
                 [[hardware]] with name = \"My \\\"X\\\"\"",
            ),
            (Origin::Run, "to allow it, add `--network 192.168.1.9:80`"),
            (
                api,
                "to allow it, use `cordon grant 'Living room' network 192.168.1.9:80`",
            ),
        ] {
            assert_eq!(origin.grant(line), said);
        }
        assert_eq!(
            Origin::Run.grant("network = [\"*:80\"]"),
            "to allow it, add `--network '*:80'`"
        );
        assert_eq!(
            Origin::Run.grant("listen = [8080]"),
            "to allow it, add `--listen 8080`"
        );
        assert!(
            Origin::Run
                .grant("security = true")
                .contains("`cordon run` cannot grant it; a hub can, with `security = true`")
        );
    }

    #[test]
    fn a_limit_is_raised_to_a_value_that_is_enough() {
        let raise = |which, used, limit| Origin::Run.raise(&Limits::hit(which, used, limit));
        assert_eq!(
            raise("threads", 17, 16),
            "raise it with `--limit threads=32`"
        );
        assert_eq!(
            raise("connection-buffer", 5_000_000, 1 << 20),
            "raise it with `--limit connection-buffer=8MiB`"
        );
        assert_eq!(
            raise("callback-wall", 60_000, 60_000),
            "raise it with `--limit callback-wall=2min`"
        );
        assert_eq!(
            raise("threads", 200, 200),
            "raise it with `--limit threads=256`"
        );
        assert_eq!(raise("threads", 257, 256), "no instance can have more");
        assert_eq!(raise("wasm-stack", 1, 1), "it is fixed");
        let said = file(&[]).limit(&Limits::hit("memory", 1 << 28, 1 << 28));
        assert!(
            said.contains("raise it with `memory = \"512 MiB\"` under [hardware.limits] of the"),
            "{said}"
        );
        let said = Origin::Api("A".into()).raise(&Limits::hit("threads", 17, 16));
        assert!(said.contains("`threads = 32` under its limits"), "{said}");
    }

    #[test]
    fn a_callback_that_takes_too_long_is_named_with_what_fits() {
        let late = |which| {
            Origin::Run.failure(&InstanceFailure::Late {
                hit: Limits::hit(which, 10_000, 10_000),
                callback: "onHeartbeat".to_owned(),
            })
        };
        let said = late("callback-cpu");
        assert!(
            said.starts_with(
                "limit callback-cpu: 10000 ms used, 10000 ms allowed, in onHeartbeat; it computed"
            ),
            "{said}"
        );
        assert!(
            said.ends_with("or raise it with `--limit callback-cpu=20s`"),
            "{said}"
        );
        assert!(late("callback-wall").contains("wait in a thread"));
        assert!(late("stop-wall").contains("told to stop"));
    }

    #[test]
    fn words_for_a_shell_are_quoted_where_they_must_be() {
        assert_eq!(word("a:80"), "a:80");
        assert_eq!(word(""), "''");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("$(x)"), "'$(x)'");
    }
}
