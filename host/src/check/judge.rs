//! From evidence to findings. Pure: nothing is read or run here.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, Import, Probe, Tried};
use super::finding::{Finding, Topic, Verdict};
use super::library;
use super::run::HUB_MODULES;
use crate::limits::Limits;
use crate::packages::known::{self, Kind};
use crate::packages::place::{Framework, Place};
use crate::platform::domoticz::definition;

/// Callbacks that this release calls.
const CALLED: [&str; 11] = [
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
];

/// Callbacks of the original hub that this release does not call.
const NOT_CALLED: [&str; 2] = ["onNotification", "onSecurityEvent"];

/// What a refusal says before the line that would grant it.
const GRANTED_BY: &str = "; to allow it, add `";

/// Everything that is known of a plugin.
pub struct Evidence<'a> {
    /// Where it is.
    pub place: &'a Place,
    /// What was not looked at.
    pub skipped: &'a [String],
    /// What its sources have in them, or why they were not read.
    pub read: Result<&'a Facts, &'a String>,
    /// How its imports went.
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
    sources(facts, &mut findings);
    if let Some(probe) = evidence.probe {
        imports(evidence.place, facts, probe, &mut findings);
        api(facts, probe, &mut findings);
        plugin(evidence.place, probe, &mut findings);
    }
    callbacks(evidence.place, facts, &mut findings);
    grants(facts, &mut findings);
    limits(facts, evidence.probe, &mut findings);
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

    /// The same, once per subject.
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
        let there = place.home.join("Info.plist").is_file();
        if !there {
            let detail = "the bundle has no Contents/Info.plist";
            findings.add(
                Topic::Definition,
                "Info.plist",
                Verdict::Fails,
                detail,
                ("", 0),
            );
        }
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

fn sources(facts: &Facts, findings: &mut Findings) {
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
        findings.add(
            Topic::Source,
            &file.file,
            Verdict::Fails,
            &detail,
            (&file.file, line),
        );
    }
    let lines: u64 = facts.files.iter().map(|file| file.lines).sum();
    let detail = format!("{} files with {lines} lines were read", facts.files.len());
    findings.add(Topic::Source, "", Verdict::Ok, &detail, ("", 0));
}

fn imports(place: &Place, facts: &Facts, probe: &Probe, findings: &mut Findings) {
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
            framework(place, top, probe, at, findings);
            continue;
        }
        let result = tried.get(&(import.module.as_str(), import.name.as_deref()));
        let (verdict, detail) = match result {
            Some(result) => import_verdict(place, facts, import, result),
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

/// The hub's own modules: they are there, or the release has no such framework.
fn framework(place: &Place, module: &str, probe: &Probe, at: (&str, u32), findings: &mut Findings) {
    if probe.api.get(module).copied().unwrap_or(false) {
        findings.once(Topic::Import, module, Verdict::Ok, "the hub's API", at);
        return;
    }
    let detail = match (place.framework, module) {
        (Framework::Indigo, "indigo") => "this release does not run Indigo plugins yet",
        _ => "another hub's API, which is not there",
    };
    findings.once(Topic::Import, module, Verdict::Fails, detail, at);
}

fn import_verdict(
    place: &Place,
    facts: &Facts,
    import: &Import,
    result: &Tried,
) -> (Verdict, String) {
    let Some(error) = &result.error else {
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
        return (
            Verdict::Note,
            format!("{detail}; the plugin goes on without it"),
        );
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
    (Verdict::Missing, install_line(place, top))
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
    let listed = place
        .requirements()
        .and_then(|file| std::fs::read_to_string(file).ok());
    let listed = listed.is_some_and(|text| {
        text.lines().any(|line| {
            let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let first = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
            crate::packages::normal_name(first) == crate::packages::normal_name(name)
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

fn api(facts: &Facts, probe: &Probe, findings: &mut Findings) {
    let mut uses: BTreeMap<&str, (u32, &str, u32)> = BTreeMap::new();
    for member in &facts.api {
        let entry = uses
            .entry(&member.member)
            .or_insert((0, &member.file, member.line));
        entry.0 = entry.0.saturating_add(1);
    }
    for (member, (count, file, line)) in uses {
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
            _ => (
                Verdict::Fails,
                format!("{times}; the API has no such member"),
            ),
        };
        findings.add(Topic::Api, member, verdict, &detail, (file, line));
    }
}

fn plugin(place: &Place, probe: &Probe, findings: &mut Findings) {
    // A package that the plugin can do without at its import, or thinks it can.
    let packages_missing = probe.imports.iter().any(|it| it.missing.is_some());
    let mut add = |verdict, detail: &str, at| {
        findings.add(Topic::Plugin, "import", verdict, detail, at);
    };
    if place.framework == Framework::Indigo && probe.api.get("indigo") == Some(&false) {
        add(
            Verdict::Note,
            "its import was not judged: it needs the module indigo",
            ("", 0),
        );
        return;
    }
    match (&probe.plugin, &probe.ended) {
        (Some(ran), _) => match &ran.error {
            None => add(Verdict::Ok, "plugin.py can be imported", ("plugin.py", 0)),
            Some(error) => {
                let detail = format!("plugin.py cannot be imported: {error}");
                let at = (ran.file.as_str(), ran.line);
                add(import_failure(error, packages_missing), &detail, at);
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

/// What it means that the plugin's own module cannot be imported.
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
        } else if NOT_CALLED.contains(&name) {
            let detail = "this release does not call it";
            findings.once(Topic::Callback, name, Verdict::Note, detail, at);
        }
    }
}

/// What it reaches for beyond its own folders.
fn grants(facts: &Facts, findings: &mut Findings) {
    for host in &facts.hosts {
        // An address that stands in a call is a text as well.
        let bare = host.scheme.is_empty() && host.port == 0;
        let called = facts
            .hosts
            .iter()
            .any(|it| it.port != 0 && it.host == host.host)
            || facts.pings.iter().any(|it| it.host == host.host);
        if bare && called {
            continue;
        }
        let port = if host.port == 0 {
            "*".to_owned()
        } else {
            host.port.to_string()
        };
        let subject = format!("{}:{port}", host.host.to_ascii_lowercase());
        let detail = if host.scheme.is_empty() {
            "an address in the text"
        } else {
            "an URL in the text; where it is only documentation, no grant is needed"
        };
        findings.once(
            Topic::Network,
            &subject,
            Verdict::Grant,
            detail,
            (&host.file, host.line),
        );
    }
    let modules: BTreeSet<_> = facts.network.iter().map(String::as_str).collect();
    let modules: Vec<_> = modules.into_iter().filter(|it| *it != "ssl").collect();
    if facts.hosts.is_empty() && !modules.is_empty() {
        let detail = format!(
            "it can reach the network ({}), and its text names no host: what its settings name needs a grant, but for its own Address and Port",
            modules.join(", ")
        );
        findings.add(Topic::Network, "", Verdict::Grant, &detail, ("", 0));
    }
    for listen in &facts.listens {
        let (subject, detail) = match listen.port {
            0 => (
                String::new(),
                format!("{}, on a port that is not in the text", listen.what),
            ),
            port => (port.to_string(), listen.what.clone()),
        };
        let at = (listen.file.as_str(), listen.line);
        if listen.port == 0 && listen.what == "Connection" {
            let detail = "a Connection without Address listens; its own Port needs no grant";
            findings.once(Topic::Listen, "", Verdict::Note, detail, at);
        } else {
            findings.once(Topic::Listen, &subject, Verdict::Grant, &detail, at);
        }
    }
    for program in &facts.programs {
        let detail = if program.shell {
            "runs it through a shell"
        } else {
            "runs it"
        };
        let at = (program.file.as_str(), program.line);
        findings.once(Topic::Exec, &program.program, Verdict::Grant, detail, at);
        if program.program.rsplit('/').next() == Some("ping") {
            let detail = "it runs `ping`; the hub can ping for it";
            findings.once(Topic::Icmp, "", Verdict::Note, detail, at);
        }
    }
    for serial in &facts.serial {
        let detail = "opens a serial port";
        findings.once(
            Topic::Serial,
            &serial.port,
            Verdict::Grant,
            detail,
            (&serial.file, serial.line),
        );
    }
    for ping in &facts.pings {
        let detail = "pings; its own Address needs no grant";
        let verdict = if ping.host.is_empty() {
            Verdict::Note
        } else {
            Verdict::Grant
        };
        findings.once(
            Topic::Icmp,
            &ping.host,
            verdict,
            detail,
            (&ping.file, ping.line),
        );
    }
    for write in &facts.writes {
        let detail = format!("{} beside its code, which is read-only", write.call);
        findings.once(
            Topic::PluginFolder,
            "",
            Verdict::Grant,
            &detail,
            (&write.file, write.line),
        );
    }
}

/// What is likely to go past a limit.
fn limits(facts: &Facts, probe: Option<&Probe>, findings: &mut Findings) {
    let defaults = Limits::default();
    for sleep in &facts.sleeps {
        let callback = CALLED.contains(&sleep.function.as_str());
        let wall = std::time::Duration::from_millis(defaults.callback_wall).as_secs_f64();
        if callback && sleep.seconds >= wall {
            let detail = format!(
                "{} sleeps {} s, and a callback has {wall} s",
                sleep.function, sleep.seconds
            );
            findings.once(
                Topic::Limit,
                "callback-wall",
                Verdict::Note,
                &detail,
                (&sleep.file, sleep.line),
            );
        }
    }
    for call in &facts.unbounded {
        let detail = format!(
            "{} has no timeout: a peer that says nothing holds the callback until the limit ends the plugin",
            call.call
        );
        findings.once(
            Topic::Limit,
            "callback-wall",
            Verdict::Note,
            &detail,
            (&call.file, call.line),
        );
    }
    for pool in &facts.pools {
        if pool.workers > defaults.threads {
            let detail = format!(
                "a pool of {} threads, and {} are allowed",
                pool.workers, defaults.threads
            );
            findings.once(
                Topic::Limit,
                "threads",
                Verdict::Note,
                &detail,
                (&pool.file, pool.line),
            );
        }
    }
    let sites = u64::try_from(facts.threads.len()).unwrap_or(u64::MAX);
    if sites > defaults.threads {
        let detail = format!(
            "threads are made in {sites} places, and {} may be alive at once",
            defaults.threads
        );
        findings.once(Topic::Limit, "threads", Verdict::Note, &detail, ("", 0));
    }
    let took = probe
        .and_then(|it| it.plugin.as_ref())
        .map_or(0, |it| it.took_ms);
    if took.saturating_mul(2) > defaults.callback_cpu {
        let detail = format!(
            "its import took {took} ms here, and {} ms of computing are allowed",
            defaults.callback_cpu
        );
        findings.once(
            Topic::Limit,
            "callback-cpu",
            Verdict::Note,
            &detail,
            ("plugin.py", 0),
        );
    }
}
