//! SQLite inside the component against CPython's, a database in a file.

use cordon_runtime::engine::Engine;

use crate::Outcome;
use crate::report::Report;
use crate::twins::Twins;

const SECTION: &str = "sqlite";
const ROUNDS: usize = 5;

/// The measurements of the program, in the order of its figures.
const FIGURES: [&str; 5] = [
    "10,000 inserts in one transaction",
    "10,000 inserts with executemany",
    "10,000 single selects, each with its own locks",
    "10,000 single selects in one transaction",
    "fetchall of 10,000 rows",
];

/// Measures all of them.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut twins = Twins::new(engine, "storing", None).await?;
    let pairs = twins.measure("storing", ROUNDS).await?;
    if pairs.len() != FIGURES.len() {
        return Err(format!("{} figures of the program `storing`", pairs.len()).into());
    }
    for (pair, what) in pairs.iter().zip(FIGURES) {
        pair.report(report, SECTION, what, "ms");
    }
    twins.stop().await;
    Ok(())
}
