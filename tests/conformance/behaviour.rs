//! Which rule of the behaviour specification holds: `docs/domoticz-behaviour.md`.
//!
//! Made of the cases alone: a rule holds when a case names it and every case that
//! names it passes. Owns the form of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::case::Case;

/// Rules of the behaviour specification.
pub const RULES: u16 = 209;

const HEAD: &str = "# The behaviour specification, rule by rule

Made by the conformance runner from `tests/cases/domoticz`; a test fails while this file differs from what it makes.
`make behaviour` writes it anew. A number leads to the text of its rule, and a name to the folder of its case.

A rule passes when at least one case names it and all cases that name it pass. For the rules that describe a fault of
the original (marked D in the specification), the behaviour that the specification suggests instead is what passes.

";

/// The cases of each rule, by number; every rule is there.
#[derive(Debug)]
pub struct Behaviour {
    cases: BTreeMap<u16, Vec<(String, String)>>,
    failed: BTreeSet<String>,
}

impl Behaviour {
    /// The claims of these cases, where those in `failed` do not pass.
    pub fn new(cases: &[Case], failed: BTreeSet<String>) -> Self {
        let mut of_rule: BTreeMap<_, Vec<_>> = (1..=RULES).map(|rule| (rule, Vec::new())).collect();
        for case in cases {
            let (about, rules) = case.claim();
            for rule in rules {
                let named = of_rule.get_mut(&rule);
                let named = named.unwrap_or_else(|| panic!("case {}: no rule {rule}", case.name));
                named.push((case.name.clone(), about.clone()));
            }
        }
        Self {
            cases: of_rule,
            failed,
        }
    }

    fn passes(&self, rule: u16) -> bool {
        let cases = self.cases.get(&rule).map_or(&[][..], Vec::as_slice);
        !cases.is_empty() && cases.iter().all(|(name, _)| !self.failed.contains(name))
    }

    /// Rules without a case.
    pub fn missing(&self) -> Vec<u16> {
        let empty = self.cases.iter().filter(|(_, cases)| cases.is_empty());
        empty.map(|(rule, _)| *rule).collect()
    }

    /// The sentence that `make test` shows.
    pub fn summary(&self) -> String {
        let passing = (1..=RULES).filter(|rule| self.passes(*rule)).count();
        format!("behaviour spec: {passing} of {RULES} assertions pass")
    }

    /// The whole document.
    pub fn table(&self) -> String {
        let mut text = String::from(HEAD);
        let _ = writeln!(text, "{}.\n", self.summary());
        text.push_str("| Rule | Passes | Case | What the case shows |\n|---|---|---|---|\n");
        for (rule, cases) in &self.cases {
            let passes = match (cases.is_empty(), self.passes(*rule)) {
                (true, _) => "no case",
                (_, true) => "yes",
                (_, false) => "no",
            };
            let link = |name: &str| format!("[`{name}`](../tests/cases/domoticz/{name})");
            let names: Vec<_> = cases.iter().map(|(name, _)| link(name)).collect();
            let abouts: Vec<_> = cases.iter().map(|(_, about)| about.as_str()).collect();
            let (names, abouts) = (names.join("<br>"), abouts.join("<br>").replace('|', "\\|"));
            let rule = format!("[{rule}](domoticz/specification.md#rule-{rule})");
            let _ = writeln!(text, "| {rule} | {passes} | {names} | {abouts} |");
        }
        text
    }
}

/// Where the document lies.
pub fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/domoticz-behaviour.md")
}
