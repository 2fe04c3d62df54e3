//! Turns evidence into findings. Pure: nothing is read or run here.

mod grants;
mod imports;
mod limits;
mod names;

use std::collections::BTreeMap;

use super::facts::{Facts, Probe};
use super::finding::{Finding, Topic, Verdict};
use cordon_domoticz::definition;
use cordon_indigo::bundle::Bundle;
use cordon_packages::place::{Framework, Place};

pub use imports::install;
pub use names::methods;

/// Callbacks that this release calls.
const CALLED: [&str; 14] = [
    "onStart",
    "onStop",
    "onHeartbeat",
    "onConnect",
    "onMessage",
    "onTimeout",
    "onDisconnect",
    "onCommand",
    "onDeviceAdded",
    "onDeviceModified",
    "onDeviceRemoved",
    "onNotification",
    "onSecurityEvent",
    "onWebSocketMessage",
];

/// The words of a refusal before the line that would grant it.
const GRANTED_BY: &str = "; to allow it, ";

/// Everything that is known of a plugin.
pub struct Evidence<'a> {
    /// Where the plugin is.
    pub place: &'a Place,
    /// The files that were not looked at.
    pub skipped: &'a [String],
    /// The facts in the plugin's sources, or why they were not read.
    pub read: Result<&'a Facts, &'a String>,
    /// The outcomes of the plugin's imports.
    pub probe: Option<&'a Probe>,
}

/// The findings.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    for skipped in evidence.skipped {
        findings.add(Topic::Source, "", Verdict::Note, skipped, ("", 0));
    }
    definition(evidence.place, &mut findings);
    let facts = match evidence.read {
        Ok(facts) => facts,
        Err(reason) => {
            let detail = format!("the sources could not be read to their end: {reason}");
            findings.add(Topic::Source, "", Verdict::Fails, &detail, ("", 0));
            return findings.all;
        }
    };
    sources(facts, evidence.probe, &mut findings);
    if let Some(probe) = evidence.probe {
        imports::imports(evidence.place, facts, probe, &mut findings);
        api(facts, probe, &mut findings);
        plugin(evidence.place, facts, probe, &mut findings);
    }
    callbacks(evidence.place, facts, &mut findings);
    names::names(evidence.place, facts, evidence.probe, &mut findings);
    grants::grants(facts, &mut findings);
    limits::limits(facts, evidence.probe, &mut findings);
    findings.all
}

#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
}

impl Findings {
    fn add(
        &mut self,
        topic: Topic,
        subject: &str,
        verdict: Verdict,
        detail: &str,
        at: (&str, u32),
    ) {
        self.all.push(Finding {
            topic,
            subject: subject.to_owned(),
            verdict,
            detail: detail.to_owned(),
            file: at.0.to_owned(),
            line: at.1,
        });
    }

    /// Adds a finding once per subject.
    fn once(
        &mut self,
        topic: Topic,
        subject: &str,
        verdict: Verdict,
        detail: &str,
        at: (&str, u32),
    ) {
        let known = self
            .all
            .iter()
            .any(|it| it.topic == topic && it.subject == subject);
        if !known {
            self.add(topic, subject, verdict, detail, at);
        }
    }
}

fn definition(place: &Place, findings: &mut Findings) {
    if place.framework == Framework::Indigo {
        bundle(place, findings);
        return;
    }
    match definition::read_folder(&place.code) {
        Ok(found) => {
            let keys: Vec<_> = found.iter().map(|it| it.key.as_str()).collect();
            let own = found.iter().flat_map(|it| &it.params);
            let address = own
                .filter(|it| it.field == "Address" || it.field == "Port")
                .count()
                > 0;
            let detail = if address {
                "the definition can be read; its own Address and Port need no grant"
            } else {
                "the definition can be read"
            };
            findings.add(
                Topic::Definition,
                &keys.join(" "),
                Verdict::Ok,
                detail,
                ("plugin.py", 0),
            );
            found.iter().for_each(|it| names::definition(it, findings));
        }
        Err(problem) => {
            let detail = problem.to_string();
            findings.add(
                Topic::Definition,
                "",
                Verdict::Fails,
                &detail,
                ("plugin.py", 0),
            );
        }
    }
}

/// Judges the files of a bundle beside its Python.
fn bundle(place: &Place, findings: &mut Findings) {
    let (verdict, detail) = match Bundle::open(&place.root) {
        Ok(bundle) => {
            let definitions = &bundle.definitions;
            for remark in definitions.faults.iter().chain(&definitions.remarks) {
                let detail = remark.to_string();
                findings.add(Topic::Definition, "", Verdict::Note, &detail, ("", 0));
            }
            let detail = format!("the bundle of {} can be read", bundle.info.identifier);
            (Verdict::Ok, detail)
        }
        Err(broken) => (Verdict::Fails, broken.problem.to_string()),
    };
    findings.add(Topic::Definition, "", verdict, &detail, ("", 0));
}

/// Whether the plugin was imported, and this file of its own was not among those that were run for it.
fn is_left_alone(file: &str, probe: &Probe) -> bool {
    let imported = probe.plugin.as_ref().is_some_and(|it| it.error.is_none());
    imported && !probe.ran.iter().any(|ran| ran == file)
}

fn sources(facts: &Facts, probe: Option<&Probe>, findings: &mut Findings) {
    for file in &facts.files {
        let Some(broken) = &file.error else { continue };
        let (detail, line) = match &broken.python2 {
            Some(old) => (
                format!(
                    "Python 2 source: {} at line {}: {}",
                    old.what, old.line, old.text
                ),
                old.line,
            ),
            None => (
                format!("it cannot be parsed: {}: {}", broken.message, broken.text),
                broken.line,
            ),
        };
        let alone = probe.is_some_and(|probe| is_left_alone(&file.file, probe));
        let (verdict, detail) = if alone {
            let detail = format!("{detail}; the plugin can be imported without this file");
            (Verdict::Note, detail)
        } else {
            (Verdict::Fails, detail)
        };
        let at = (file.file.as_str(), line);
        findings.add(Topic::Source, &file.file, verdict, &detail, at);
    }
    let lines: u64 = facts.files.iter().map(|file| file.lines).sum();
    let detail = format!("{} files with {lines} lines were read", facts.files.len());
    findings.add(Topic::Source, "", Verdict::Ok, &detail, ("", 0));
}

fn api(facts: &Facts, probe: &Probe, findings: &mut Findings) {
    let mut uses: BTreeMap<&str, (u32, &str, u32, bool)> = BTreeMap::new();
    for member in &facts.api {
        let entry = uses
            .entry(&member.member)
            .or_insert((0, &member.file, member.line, true));
        entry.0 = entry.0.saturating_add(1);
        entry.3 = entry.3 && member.guarded;
    }
    for (member, (count, file, line, guarded)) in uses {
        if !member.contains('.') {
            continue;
        }
        let module = member.split('.').next().unwrap_or_default();
        let times = if count == 1 {
            "1 use".to_owned()
        } else {
            format!("{count} uses")
        };
        let (verdict, detail) = match (probe.api.get(module), probe.api.get(member)) {
            (Some(false), _) => (Verdict::Note, times),
            (_, Some(true)) => (Verdict::Ok, times),
            _ if guarded || is_left_alone(file, probe) => {
                let detail =
                    format!("{times}; the API has no such member, and the plugin can do without");
                (Verdict::Note, detail)
            }
            _ => (
                Verdict::Fails,
                format!("{times}; the API has no such member"),
            ),
        };
        findings.add(Topic::Api, member, verdict, &detail, (file, line));
    }
}

fn plugin(place: &Place, facts: &Facts, probe: &Probe, findings: &mut Findings) {
    // A package that the plugin can do without at its import, or believes that it can.
    let packages_missing = probe.imports.iter().any(|it| it.missing.is_some());
    let mut add = |verdict, detail: &str, at| {
        findings.add(Topic::Plugin, "plugin.py", verdict, detail, at);
    };
    match (&probe.plugin, &probe.ended) {
        (Some(ran), _) => match &ran.error {
            None => add(Verdict::Ok, "it can be imported", ("plugin.py", 0)),
            Some(error) => {
                // The hint is for the section of the component, which nobody has.
                let told = error.split(GRANTED_BY).next().unwrap_or(error);
                let detail = format!("it cannot be imported: {told}");
                let at = (ran.file.as_str(), ran.line);
                add(import_failure(error, packages_missing), &detail, at);
                if let Some(missing) = &ran.missing {
                    imports::stopping(place, facts, missing, at, findings);
                }
                if is_write_beside_code(error) {
                    let detail = "it writes beside its code when it is imported";
                    findings.once(Topic::PluginFolder, "", Verdict::Grant, detail, at);
                }
            }
        },
        (None, Some(reason)) => {
            let detail = format!("its import ended the component: {reason}");
            add(Verdict::Fails, &detail, ("plugin.py", 0));
        }
        (None, None) => add(Verdict::Note, "its import was not tried", ("plugin.py", 0)),
    }
}

/// Whether the plugin was kept from writing into its own folder.
fn is_write_beside_code(error: &str) -> bool {
    error.starts_with("PermissionError") && error.contains("'/plugin/")
}

/// The verdict on a plugin whose own module cannot be imported.
fn import_failure(error: &str, packages_missing: bool) -> Verdict {
    if error.starts_with("ModuleNotFoundError") {
        // The module has a finding of its own.
        Verdict::Note
    } else if error.contains(GRANTED_BY) || is_write_beside_code(error) {
        Verdict::Grant
    } else if packages_missing {
        // Names that a guarded import should have bound, most of the time.
        Verdict::Missing
    } else {
        Verdict::Fails
    }
}

fn callbacks(place: &Place, facts: &Facts, findings: &mut Findings) {
    for callback in &facts.callbacks {
        let at = (callback.file.as_str(), callback.line);
        let name = callback.name.as_str();
        if place.framework == Framework::Indigo || CALLED.contains(&name) {
            findings.once(Topic::Callback, name, Verdict::Ok, "is called", at);
        }
    }
}
