//! `expectations.toml`: the cases that do not pass, each with its reason.
//!
//! One section per module; a key is the name of a case, or the beginning of names
//! with a `*` behind it. A value is `CATEGORY: reason`, with `not run, ` in front
//! when the case must not even be tried. The category says whether the case can
//! apply here at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::Outcome;
use crate::outcome::{CaseOutcome, Kind, ModuleOutcome};

/// Categories of reasons: the word, what it means, and whether the case applies.
pub const CATEGORIES: &[(&str, &str, bool)] = &[
    ("version", "tests what Python changed after 3.11", false),
    ("fork", "needs fork or other processes", false),
    ("subprocess", "starts another Python interpreter", false),
    (
        "cpython",
        "tests an implementation detail of CPython: its C API, reference counts, collector, compiler",
        false,
    ),
    (
        "platform",
        "needs what the component's platform has not: signals, users, other systems' functions",
        false,
    ),
    (
        "resource",
        "asks for a resource that CPython's own runner does not give unless told to",
        false,
    ),
    (
        "void",
        "has nothing to test in this class or on this kind of interpreter, by its own words",
        false,
    ),
    ("absent", "is not in Debian's package", false),
    ("rustpython", "RustPython does it differently", true),
    ("missing", "not there yet", true),
    ("unclassified", "nobody has looked at it yet", true),
];

/// Marks a case that is not tried.
const NOT_RUN: &str = "not run, ";

const HEADER: &str = "\
# The cases of CPython's own tests that do not pass in the component, with the reason.
# `cordon-cpython-tests --update` adds and removes lines; the reasons are written by
# hand. tests/cpython/expectations.rs says what may stand here.
";

/// The whole file.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    modules: BTreeMap<String, BTreeMap<String, String>>,
}

impl Expectations {
    /// Reads the file; an entry that is not understood is an error.
    pub fn read() -> Outcome<Self> {
        let path = path();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        };
        let modules: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(&text)?;
        for (module, cases) in &modules {
            for (case, value) in cases {
                if category(value).is_none() {
                    return Err(format!(
                        "{}: {module}: {case}: the value must begin with one of: {}",
                        path.display(),
                        names()
                    )
                    .into());
                }
            }
        }
        Ok(Self { modules })
    }

    /// What is written about a case.
    fn value(&self, module: &str, case: &str) -> Option<&str> {
        let cases = self.modules.get(module)?;
        if let Some(value) = cases.get(case) {
            return Some(value);
        }
        let mut patterns = cases.iter().filter(|(key, _)| {
            key.strip_suffix('*')
                .is_some_and(|beginning| case.starts_with(beginning))
        });
        patterns.next_back().map(|(_, value)| value.as_str())
    }

    /// Whether the case must not be tried.
    pub fn is_not_run(&self, module: &str, case: &str) -> bool {
        self.value(module, case)
            .is_some_and(|value| value.starts_with(NOT_RUN))
    }

    /// The reason of a case that is expected not to pass.
    pub fn reason(&self, module: &str, case: &str) -> Option<String> {
        let value = self.value(module, case)?;
        Some(value.strip_prefix(NOT_RUN).unwrap_or(value).to_owned())
    }

    /// Whether the case can pass here at all.
    pub fn applies(&self, module: &str, case: &str) -> bool {
        self.value(module, case)
            .and_then(category)
            .is_none_or(|(_, _, applies)| applies)
    }

    /// Adds what came out otherwise than written, and drops what passes now.
    pub fn learn(&mut self, outcome: &ModuleOutcome) {
        for (name, case) in &outcome.cases {
            let known = self.value(&outcome.module, name).is_some();
            let section = self.modules.entry(outcome.module.clone()).or_default();
            match case.kind {
                Kind::Passed => {
                    section.remove(name);
                }
                Kind::NotRun => {}
                _ if known => {}
                _ => {
                    section.insert(name.clone(), guess(case));
                }
            }
        }
        if !outcome.partial
            && let Some(section) = self.modules.get_mut(&outcome.module)
        {
            section.retain(|key, _| key.ends_with('*') || outcome.cases.contains_key(key));
        }
        self.modules.retain(|_, section| !section.is_empty());
    }

    /// Writes the file.
    pub fn write(&self) -> Outcome<()> {
        let mut text = HEADER.to_owned();
        for (module, cases) in &self.modules {
            writeln!(text, "\n[{}]", quoted(module))?;
            for (case, value) in cases {
                writeln!(text, "{} = {}", quoted(case), quoted(value))?;
            }
        }
        Ok(std::fs::write(path(), text)?)
    }

    /// Every entry: module, case, reason.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.modules.iter().flat_map(|(module, cases)| {
            cases
                .iter()
                .map(|(case, value)| (module.as_str(), case.as_str(), value.as_str()))
        })
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The category that a value begins with.
pub fn category(value: &str) -> Option<(&'static str, &'static str, bool)> {
    let value = value.strip_prefix(NOT_RUN).unwrap_or(value);
    let (word, _) = value.split_once(':')?;
    CATEGORIES.iter().find(|(name, ..)| *name == word).copied()
}

fn names() -> String {
    let names: Vec<_> = CATEGORIES.iter().map(|(name, ..)| *name).collect();
    names.join(", ")
}

/// What a skip's own words say of its category.
const WORDS: &[(&str, &str)] = &[
    ("fork", "fork"),
    ("multiprocessing", "fork"),
    ("subprocess", "subprocess"),
    ("cpython", "cpython"),
    ("implementation detail", "cpython"),
    ("_testcapi", "cpython"),
    ("_testinternalcapi", "cpython"),
    ("_ctypes", "cpython"),
    ("py_debug", "cpython"),
    ("resource", "resource"),
    ("bigmem", "resource"),
    ("not enough memory", "resource"),
    ("windows", "platform"),
    ("win32", "platform"),
    ("macos", "platform"),
    ("os x", "platform"),
    ("nt specific", "platform"),
    ("musl", "platform"),
    ("signal", "platform"),
    ("unix socket", "platform"),
    ("af_", "platform"),
    ("spawnl", "platform"),
    ("chflags", "platform"),
    ("chmod", "platform"),
    ("symlink", "platform"),
    ("text mode", "platform"),
    ("only run for", "void"),
    ("not appropriate", "void"),
];

fn guess(case: &CaseOutcome) -> String {
    let summary = case.summary();
    let lower = summary.to_lowercase();
    let found = WORDS
        .iter()
        .find(|(word, _)| case.kind == Kind::Skipped && lower.contains(word));
    let category = found.map_or("unclassified", |(_, category)| category);
    let short: String = summary.chars().take(160).collect();
    format!("{category}: {} ({})", short, case.kind.word())
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("expectations.toml")
}
