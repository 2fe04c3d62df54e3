//! Findings about the imports of a plugin.

mod harmless;

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, is_left_alone};
use crate::check::facts::{Facts, Import, Probe, Tried};
use crate::check::finding::{Finding, Topic, Verdict};
use crate::check::library;
use crate::check::run::HUB_MODULES;
use cordon_base::bounds::REQUIREMENTS_BYTES;
use cordon_base::regular_file::RegularFile;
use cordon_packages::known::{self, Kind};
use cordon_packages::place::{Framework, Place};

/// Every module that is wanted, and whether its import works.
pub(super) fn imports(place: &Place, facts: &Facts, probe: &Probe, findings: &mut Findings) {
    let mut tried: BTreeMap<(&str, Option<&str>), &Tried> = BTreeMap::new();
    for it in &probe.imports {
        tried.insert((&it.module, it.name.as_deref()), it);
    }
    // An import that fails only behind a `try` may be wanted without one elsewhere.
    let mut wanted: Vec<&Import> = facts.imports.iter().filter(|it| !it.local).collect();
    wanted.sort_by_key(|it| it.guarded);
    for import in wanted {
        let top = import.module.split('.').next().unwrap_or_default();
        let at = (import.file.as_str(), import.line);
        if HUB_MODULES.contains(&top) {
            framework(top, probe, at, findings);
            continue;
        }
        let result = tried.get(&(import.module.as_str(), import.name.as_deref()));
        let worked = |it: &Import| has_worked(it, probe, &tried);
        if !worked(import) && harmless::is_harmless(import, facts, probe, worked) {
            continue;
        }
        let (verdict, detail) = match result {
            Some(result) => import_verdict(place, facts, import, result, probe),
            None if probe.trying.as_deref() == Some(import.module.as_str()) => (
                Verdict::Fails,
                format!(
                    "its import ended the component: {}",
                    probe.ended.as_deref().unwrap_or("no reason is known")
                ),
            ),
            None => (Verdict::Note, "its import was not tried".to_owned()),
        };
        let name = import.name.as_deref().unwrap_or_default();
        let subject = match verdict {
            Verdict::Fails if result.is_some_and(|it| it.missing.is_none()) && !name.is_empty() => {
                format!("{}.{name}", import.module)
            }
            Verdict::Missing => top.to_owned(),
            _ => import.module.clone(),
        };
        findings.once(Topic::Import, &subject, verdict, &detail, at);
    }
}

/// Whether a module is the plugin's own, or was imported.
fn has_worked(
    import: &Import,
    probe: &Probe,
    tried: &BTreeMap<(&str, Option<&str>), &Tried>,
) -> bool {
    if import.local || probe.api.get(&import.module).copied().unwrap_or(false) {
        return true;
    }
    tried
        .get(&(import.module.as_str(), import.name.as_deref()))
        .is_some_and(|it| it.error.is_none())
}

/// The hub's own modules: they are there, or the release has no such framework.
fn framework(module: &str, probe: &Probe, at: (&str, u32), findings: &mut Findings) {
    if probe.api.get(module).copied().unwrap_or(false) {
        findings.once(Topic::Import, module, Verdict::Ok, "the hub's API", at);
        return;
    }
    let detail = "another hub's API, which is not there";
    findings.once(Topic::Import, module, Verdict::Fails, detail, at);
}

fn import_verdict(
    place: &Place,
    facts: &Facts,
    import: &Import,
    result: &Tried,
    probe: &Probe,
) -> (Verdict, String) {
    let Some(error) = &result.error else {
        let top = import.module.split('.').next().unwrap_or_default();
        if result.origin == "runtime" && place.code.join(top).is_dir() {
            let detail = "part of the runtime; the plugin's own copy is set aside";
            return (Verdict::Note, detail.to_owned());
        }
        let origin = match result.origin.as_str() {
            "runtime" => "part of the runtime",
            "packages" => "from Packages",
            "plugin" => "the plugin's own",
            _ => "standard library",
        };
        return match library::caveat(&import.module) {
            Some(caveat) => (Verdict::Note, format!("{origin}; {caveat}")),
            None => (Verdict::Ok, origin.to_owned()),
        };
    };
    let (verdict, detail) = failed_import(place, facts, import, result, error);
    if import.guarded {
        let detail = format!("optional, the plugin goes on without it: {detail}");
        return (Verdict::Note, detail);
    }
    if is_left_alone(&import.file, probe) {
        let detail = format!(
            "optional, {} is not imported at the start: {detail}",
            import.file
        );
        return (Verdict::Note, detail);
    }
    if import.late && harmless::is_bundled(import) {
        let detail = format!("optional, a function of a bundled package wants it: {detail}");
        return (Verdict::Note, detail);
    }
    (verdict, detail)
}

fn failed_import(
    place: &Place,
    facts: &Facts,
    import: &Import,
    result: &Tried,
    error: &str,
) -> (Verdict, String) {
    let missing = result.missing.as_deref().unwrap_or_default();
    let top = import.module.split('.').next().unwrap_or_default();
    let missing_top = missing.split('.').next().unwrap_or_default();
    if missing.is_empty() {
        return (Verdict::Fails, format!("its import raises {error}"));
    }
    if let Some(successor) = library::successor(missing_top) {
        let detail = format!("Python 2 source: module {missing_top} is {successor} in Python 3");
        return (Verdict::Fails, detail);
    }
    if library::is_standard(missing_top, &facts.library) {
        let detail = format!("module {missing} of the standard library is not in this runtime");
        return (Verdict::Fails, detail);
    }
    if let Some(Kind::Provided(version)) = known::by_module(missing_top).map(|it| it.kind) {
        let detail = format!("the runtime's {missing_top} (version {version}) has no {missing}");
        return (Verdict::Fails, detail);
    }
    if let Some(Kind::Native(advice)) = known::by_module(missing_top).map(|it| it.kind) {
        return (
            Verdict::Fails,
            format!("{missing_top} needs native code: {advice}"),
        );
    }
    if missing_top != top {
        return (
            Verdict::Missing,
            format!(
                "it wants {missing_top}: {}",
                install_line(place, missing_top)
            ),
        );
    }
    if missing != top && place.packages().join(top).exists() {
        return (Verdict::Fails, format!("its import raises {error}"));
    }
    let package = known::by_module(top).map_or(top, |it| it.name);
    let line = install_line(place, top);
    let indigo = place.framework == Framework::Indigo && known::is_preinstalled(package);
    match indigo {
        true => (
            Verdict::Missing,
            format!("Indigo preinstalls it, Cordon does not; {line}"),
        ),
        false => (Verdict::Missing, line),
    }
}

/// The one command that installs everything that is missing; empty when nothing is.
pub fn install(place: &Place, findings: &[Finding]) -> String {
    let head = format!("cordon install {:?}", place.root.display().to_string());
    let missing = findings
        .iter()
        .filter(|it| it.topic == Topic::Import && it.verdict == Verdict::Missing);
    let mut listed = false;
    let (mut names, mut builds) = (BTreeSet::new(), BTreeSet::new());
    for finding in missing {
        let command = finding.detail.split_once(&head);
        let words = command.and_then(|(_, rest)| rest.split('`').next());
        let Some(words) = words else { continue };
        let (named, build) = words.split_once("--build").unwrap_or((words, ""));
        names.extend(named.split_whitespace());
        builds.extend(build.split_whitespace());
        listed |= named.trim().is_empty();
    }
    if names.is_empty() && !listed {
        return String::new();
    }
    let names = names.into_iter().map(|it| format!(" {it}"));
    let builds = builds.into_iter().map(|it| format!(" --build {it}"));
    let rest: String = names.chain(builds).collect();
    format!("{head}{rest}")
}

/// The module without which plugin.py cannot be imported, where none of the imports that
/// were found has said so.
pub(super) fn stopping(
    place: &Place,
    facts: &Facts,
    missing: &str,
    at: (&str, u32),
    findings: &mut Findings,
) {
    let top = missing.split('.').next().unwrap_or_default();
    let said = |it: &Finding| it.subject.contains(top) || it.detail.contains(top);
    let imports = |it: &&Finding| it.topic == Topic::Import && it.verdict >= Verdict::Missing;
    if findings.all.iter().filter(imports).any(said) {
        return;
    }
    if place.code.join(top).is_dir() {
        let detail = format!("{missing} is not among the plugin's own modules");
        findings.add(Topic::Import, missing, Verdict::Fails, &detail, at);
        return;
    }
    let import = Import {
        module: missing.to_owned(),
        ..Import::default()
    };
    let tried = Tried {
        missing: Some(missing.to_owned()),
        ..Tried::default()
    };
    let (verdict, detail) = failed_import(place, facts, &import, &tried, "");
    findings.add(Topic::Import, top, verdict, &detail, at);
}

/// The line that installs the package of a module.
fn install_line(place: &Place, module: &str) -> String {
    let root = place.root.display();
    let package = known::by_module(module);
    let name = package.map_or(module, |it| it.name);
    let build = match package.map(|it| it.kind) {
        Some(Kind::Build(_)) => format!(" --build {name}"),
        _ => String::new(),
    };
    let listed = place.requirements().and_then(|file| {
        RegularFile::open_no_link(&file)
            .ok()?
            .whole(REQUIREMENTS_BYTES)
            .ok()
    });
    let listed = listed.is_some_and(|text| {
        String::from_utf8_lossy(&text).lines().any(|line| {
            let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let first = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
            cordon_packages::normal_name(first) == cordon_packages::normal_name(name)
        })
    });
    if listed {
        format!(
            "install it with `cordon install {root:?}{build}`",
            root = root.to_string()
        )
    } else {
        format!(
            "install it with `cordon install {root:?} {name}{build}`",
            root = root.to_string()
        )
    }
}
