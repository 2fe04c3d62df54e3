//! `cordon check`: finds out the needs of a plugin without running it.
//!
//! The sources are copied ([`stage`]) and read by Python in a component without grants; then their
//! imports are tried in another one ([`run`]). Neither can reach anything, and a source that breaks
//! the parser breaks a component and no more. The answers of the components ([`facts`]) are judged
//! here ([`judge`]) and turned into findings ([`finding`]) and a grants section ([`section`]).
//!
//! The answers of the second component are the plugin's own claims: it ran the plugin's code up to
//! its first callback. A check tells the needs of a plugin, not that it means well.

mod facts;
pub mod finding;
mod judge;
mod library;
mod print;
mod run;
mod section;
mod stage;

use std::path::{Path, PathBuf};

use cordon_base::error::EngineError;
use cordon_packages::place::{Framework, Place};
use cordon_runtime::engine::Engine;

pub use finding::{Finding, Report, Topic, Verdict};
pub use print::{json, table, text};

/// Checks the plugins at a path: one plugin, or a folder of plugins.
///
/// # Errors
///
/// [`EngineError::Config`] when there is no plugin at the path, others when components
/// cannot be run.
pub async fn check(engine: Engine, path: &Path) -> Result<Vec<Report>, EngineError> {
    let mut unread = Vec::new();
    let places = match Place::of(path) {
        Ok(place) => vec![place],
        Err(error) => {
            let found = stage::plugins_below(path);
            if found.places.is_empty() && found.unread.is_empty() {
                return Err(EngineError::Config(error.to_string()));
            }
            unread = found.unread;
            found.places
        }
    };
    let mut runner = run::Runner::new(engine)?;
    let mut reports = Vec::with_capacity(places.len());
    for place in &places {
        reports.push(one(&mut runner, place).await?);
    }
    reports.extend(unread.into_iter().map(|(path, why)| closed(&path, why)));
    Ok(reports)
}

/// The report on a folder that cannot be looked into.
fn closed(path: &Path, why: String) -> Report {
    Report {
        path: path.to_owned(),
        name: name_of(path),
        framework: Framework::Domoticz,
        verdict: Verdict::Unread,
        grants: String::new(),
        install: String::new(),
        findings: vec![Finding {
            topic: Topic::Source,
            subject: String::new(),
            verdict: Verdict::Unread,
            detail: why,
            file: String::new(),
            line: 0,
        }],
    }
}

async fn one(runner: &mut run::Runner, place: &Place) -> Result<Report, EngineError> {
    let stage = stage::Stage::new(place)?;
    let read = runner.read(&stage).await?;
    let probe = match &read {
        Ok(facts) if !facts.is_broken() => {
            let methods = judge::methods(place);
            let methods: Vec<_> = methods.into_iter().map(|it| it.name).collect();
            let probed = runner.probe(&stage, facts, place.framework, &methods);
            Some(probed.await?)
        }
        _ => None,
    };
    let mut findings = judge::judge(&judge::Evidence {
        place,
        skipped: &stage.skipped,
        read: read.as_ref(),
        probe: probe.as_ref(),
    });
    findings.sort_by(|a, b| (a.topic, &a.file, a.line).cmp(&(b.topic, &b.file, b.line)));
    let verdict = Verdict::of_all(&findings);
    Ok(Report {
        path: place.root.clone(),
        name: name_of(&place.root),
        framework: place.framework,
        verdict,
        grants: section::grants(&findings, place.framework),
        install: judge::install(place, &findings),
        findings,
    })
}

fn name_of(root: &Path) -> String {
    let full = root.canonicalize().unwrap_or_else(|_| PathBuf::from(root));
    full.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The word for a framework in reports.
fn framework_word(framework: Framework) -> &'static str {
    match framework {
        Framework::Domoticz => "domoticz",
        Framework::Indigo => "indigo",
    }
}
