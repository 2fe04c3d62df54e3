//! The table on the console and in `docs/cpython-tests.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::Outcome;
use crate::expectations::{CATEGORIES, Expectations, category};
use crate::outcome::{CaseOutcome, Kind, ModuleOutcome};

/// Figures of one module or of all.
#[derive(Debug, Default, Clone, Copy)]
struct Row {
    cases: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    not_run: usize,
    /// Cases that can apply here.
    applicable: usize,
}

impl Row {
    fn of(outcome: &ModuleOutcome, expectations: &Expectations) -> Self {
        let count = |kind| outcome.count(kind);
        let beside = outcome.cases.iter().filter(|(name, case)| {
            case.kind != Kind::Passed && !expectations.applies(&outcome.module, name)
        });
        Self {
            cases: outcome.cases.len(),
            passed: count(Kind::Passed),
            failed: count(Kind::Failed) + count(Kind::Hung) + count(Kind::Died),
            skipped: count(Kind::Skipped),
            not_run: count(Kind::NotRun),
            applicable: outcome.cases.len() - beside.count(),
        }
    }

    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.not_run += other.not_run;
        self.applicable += other.applicable;
    }

    /// Hundredths of the applicable cases that pass.
    fn share(self) -> String {
        if self.applicable == 0 {
            return "-".to_owned();
        }
        format!(
            "{:.1} %",
            self.passed as f64 * 100.0 / self.applicable as f64
        )
    }
}

/// What is wrong with the outcome of a case, if anything.
fn problem(
    module: &str,
    name: &str,
    case: &CaseOutcome,
    expectations: &Expectations,
) -> Option<&'static str> {
    let expected = expectations.reason(module, name).is_some();
    match case.kind {
        Kind::Hung => Some("hung"),
        Kind::Died => Some("took its instance down"),
        Kind::Failed if !expected => Some("failed"),
        Kind::Skipped if !expected => Some("was skipped"),
        _ => None,
    }
}

/// Tells of one module as soon as it has ended.
pub fn told(outcome: &ModuleOutcome, expectations: &Expectations, verbose: bool) {
    let row = Row::of(outcome, expectations);
    println!(
        "{:<28} {:>4} cases {:>4} passed {:>4} failed {:>4} skipped {:>4} not run  {:>6} of {:>4} applicable  {:>4} s",
        outcome.module,
        row.cases,
        row.passed,
        row.failed,
        row.skipped,
        row.not_run,
        row.share(),
        row.applicable,
        outcome.took.as_secs()
    );
    for (name, case) in &outcome.cases {
        let problem = problem(&outcome.module, name, case, expectations);
        if let Some(problem) = problem {
            println!("  {}.{name} {problem}: {}", outcome.module, case.summary());
        }
        if verbose && case.kind != Kind::Passed {
            println!(
                "--- {}.{name}: {}\n{}",
                outcome.module,
                case.kind.word(),
                case.text
            );
        }
    }
}

/// The last words; true when everything was as expected.
pub fn finish(outcomes: &[ModuleOutcome], expectations: &Expectations, whole: bool) -> bool {
    let mut total = Row::default();
    let mut problems = 0;
    for outcome in outcomes {
        total.add(Row::of(outcome, expectations));
        for (name, case) in &outcome.cases {
            problems += usize::from(problem(&outcome.module, name, case, expectations).is_some());
            let expected = expectations.reason(&outcome.module, name);
            if let (Kind::Passed, Some(reason)) = (case.kind, expected) {
                println!("passes now: {}.{name} ({reason})", outcome.module);
            }
        }
    }
    println!(
        "{} of {} applicable cases pass ({}); {} cases, {problems} not as expected",
        total.passed,
        total.applicable,
        total.share(),
        total.cases
    );
    if problems > 0 && whole {
        println!("tests/cpython/expectations.toml says what is expected");
    }
    problems == 0
}

/// Writes `docs/cpython-tests.md`.
pub fn write(outcomes: &[ModuleOutcome], expectations: &Expectations) -> Outcome<()> {
    let mut text = String::from(
        "# CPython's own tests in the component\n\n\
         Written by `make cpython-tests UPDATE=1` from the run and from `tests/cpython/expectations.toml`.\n\
         The tests are those of Python 3.11 in Debian's `libpython3.11-testsuite`; the component's\n\
         library is that of Python 3.14. Every case runs inside a plugin instance.\n\n\
         A case is not applicable when it did not pass and its reason is one of those marked so below;\n\
         the last column is the share of the others that pass. `*` stands for every case of a class.\n\
         The run fails when a case fails, is skipped, hangs or traps that is not listed here.\n\n\
         | module | cases | passed | failed | skipped | not run | applicable | of these passed |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut total = Row::default();
    let mut line = |name: &str, row: Row| {
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            row.cases,
            row.passed,
            row.failed,
            row.skipped,
            row.not_run,
            row.applicable,
            row.share()
        )
    };
    for outcome in outcomes {
        let row = Row::of(outcome, expectations);
        total.add(row);
        line(&format!("`{}`", outcome.module), row)?;
    }
    line("all", total)?;
    text.push_str("\n## Reasons\n\n| reason | means | applicable | cases |\n|---|---|---|---:|\n");
    let counted = by_category(outcomes, expectations);
    for (word, meaning, applies) in CATEGORIES {
        let cases = counted.get(word).copied().unwrap_or(0);
        let applies = if *applies { "yes" } else { "no" };
        if cases > 0 {
            writeln!(text, "| {word} | {meaning} | {applies} | {cases} |")?;
        }
    }
    text.push_str("\n## Cases that do not pass\n");
    let mut last = "";
    for (module, case, value) in expectations.iter() {
        if module != last {
            writeln!(text, "\n### {module}\n")?;
            last = module;
        }
        writeln!(text, "- `{case}`: {}", value.replace(['<', '>'], "'"))?;
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/cpython-tests.md");
    Ok(std::fs::write(path, text)?)
}

fn by_category(
    outcomes: &[ModuleOutcome],
    expectations: &Expectations,
) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    for outcome in outcomes {
        for (name, case) in &outcome.cases {
            let reason = expectations.reason(&outcome.module, name);
            if let Some((word, ..)) = reason.as_deref().and_then(category)
                && case.kind != Kind::Passed
            {
                *counted.entry(word).or_default() += 1;
            }
        }
    }
    counted
}
