//! Verbs about `cordon.toml`: `cordon init`, `cordon check --config` and `cordon config`.

mod examine;
mod init;
mod keys;

use std::path::Path;

use serde_json::json;

use cordon_base::error::EngineError;
use cordon_base::log::one_line;
use examine::Problem;
pub use init::Init;

/// Every key as Markdown, for `docs/configuration.md`.
pub(super) fn markdown() -> String {
    keys::markdown()
}

/// Exit codes of `cordon check`, for a configuration.
const GOOD: u8 = 0;
const NOT_AS_MEANT: u8 = 1;
const NOT_STARTED: u8 = 2;

/// Prints every problem of a configuration with its line. Returns the exit code: 0 without a
/// problem, 1 when something will not work as it is meant, 2 when the hub or an instance does not
/// start.
///
/// # Errors
/// [`EngineError::Io`] when the file cannot be read.
pub(super) async fn check(path: &Path, as_json: bool) -> Result<u8, EngineError> {
    let problems = examine::examine(path).await?;
    if as_json {
        println!("{:#}", json(&problems));
    } else {
        print!("{}", text(path, &problems));
    }
    Ok(match problems.iter().map(|it| it.grave).max() {
        None => GOOD,
        Some(false) => NOT_AS_MEANT,
        Some(true) => NOT_STARTED,
    })
}

fn json(problems: &[Problem]) -> serde_json::Value {
    let problem = |it: &Problem| json!({ "line": it.line, "text": it.text, "grave": it.grave });
    json!(problems.iter().map(problem).collect::<Vec<_>>())
}

fn text(path: &Path, problems: &[Problem]) -> String {
    let path = path.display();
    let mut text = String::new();
    for problem in problems {
        let place = match problem.line {
            Some(line) => format!("{path}, line {line}"),
            None => path.to_string(),
        };
        let mark = if problem.grave { "" } else { "warning: " };
        text.push_str(&format!("{place}: {mark}{}\n", one_line(&problem.text)));
    }
    text.push_str(&match problems.len() {
        0 => format!("{path}: no problem; `cordon serve --config {path}` starts the hub\n"),
        1 => "1 problem\n".to_owned(),
        count => format!("{count} problems\n"),
    });
    text
}
