//! What a plugin reaches for beyond its own folders.

use std::collections::BTreeSet;

use super::Findings;
use crate::check::facts::Facts;
use crate::check::finding::{Topic, Verdict};

/// What it reaches for beyond its own folders.
pub(super) fn grants(facts: &Facts, findings: &mut Findings) {
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
