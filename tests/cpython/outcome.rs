//! Outcomes of cases and modules.

use std::collections::BTreeMap;
use std::time::Duration;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As its author wished.
    Passed,
    /// It raised.
    Failed,
    /// It said that it cannot run here.
    Skipped,
    /// It did not end in time; the hub ended the instance.
    Hung,
    /// The instance failed in another way: a trap, a limit.
    Died,
    /// `expectations.toml` says that it is not to be run.
    NotRun,
}

impl Kind {
    /// The word of the guest, or of the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Hung => "hung",
            Self::Died => "died",
            Self::NotRun => "not run",
        }
    }

    /// From the guest's word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// The outcome of one case.
#[derive(Debug, Clone)]
pub struct CaseOutcome {
    /// How it ended.
    pub kind: Kind,
    /// The end of its traceback, or why it did not run.
    pub text: String,
}

impl CaseOutcome {
    /// The last line of the text that says something.
    pub fn summary(&self) -> &str {
        let mut lines = self.text.lines().rev().map(str::trim);
        lines.find(|line| !line.is_empty()).unwrap_or("")
    }
}

/// The outcome of one module of tests.
#[derive(Debug)]
pub struct ModuleOutcome {
    /// Its name below `test`.
    pub module: String,
    /// Its cases by name.
    pub cases: BTreeMap<String, CaseOutcome>,
    /// Whether only a part of its cases was wanted.
    pub partial: bool,
    /// How long it took.
    pub took: Duration,
}

impl ModuleOutcome {
    /// How many cases ended so.
    pub fn count(&self, kind: Kind) -> usize {
        self.cases.values().filter(|case| case.kind == kind).count()
    }
}

/// Name of the case that stands for a module which cannot be imported.
pub const WHOLE_MODULE: &str = "(module)";
