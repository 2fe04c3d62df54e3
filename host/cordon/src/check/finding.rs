//! What a check says: findings with a verdict each, and the report they are in.

use std::path::PathBuf;

use cordon_packages::place::Framework;

/// What a finding means for the plugin, from harmless to final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It works as it is.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// It works once the operator grants it.
    Grant,
    /// A package has to be installed.
    Missing,
    /// It does not work in this release.
    Fails,
}

impl Verdict {
    /// The word in the JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Grant => "needs-grant",
            Self::Missing => "missing",
            Self::Fails => "will-not-work",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Grant => "needs a grant",
            Self::Fails => "will not work",
            other => other.word(),
        }
    }

    /// The verdict on a whole plugin: the gravest; a note is none.
    #[must_use]
    pub fn of_all(findings: &[Finding]) -> Self {
        let gravest = findings.iter().map(|finding| finding.verdict).max();
        match gravest {
            None | Some(Self::Note) => Self::Ok,
            Some(verdict) => verdict,
        }
    }

    /// What `cordon check` exits with.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok | Self::Note => 0,
            Self::Grant | Self::Missing => 1,
            Self::Fails => 2,
        }
    }
}

/// What a finding is about; the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The sources themselves.
    Source,
    /// The plugin's definition.
    Definition,
    /// An imported module.
    Import,
    /// The import of the plugin itself.
    Plugin,
    /// A member of the hub's API.
    Api,
    /// A callback.
    Callback,
    /// A host that it talks to.
    Network,
    /// A port on which it listens.
    Listen,
    /// A program that it starts.
    Exec,
    /// A serial port.
    Serial,
    /// A host that it pings.
    Icmp,
    /// Files that it writes beside its code.
    PluginFolder,
    /// A limit that it is likely to hit.
    Limit,
}

impl Topic {
    /// The word in the JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Definition => "definition",
            Self::Import => "import",
            Self::Plugin => "plugin",
            Self::Api => "api",
            Self::Callback => "callback",
            Self::Network => "network",
            Self::Listen => "listen",
            Self::Exec => "exec",
            Self::Serial => "serial",
            Self::Icmp => "icmp",
            Self::PluginFolder => "plugin-folder",
            Self::Limit => "limit",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// Which module, host, port, member; may be empty.
    pub subject: String,
    /// What it means.
    pub verdict: Verdict,
    /// A sentence.
    pub detail: String,
    /// The file, below the plugin's code folder; empty for the plugin as a whole.
    pub file: String,
    /// Line in it, from 1; 0 for the file as a whole.
    pub line: u32,
}

/// What was found out about one plugin.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where it is.
    pub path: PathBuf,
    /// Name of its folder.
    pub name: String,
    /// What it was written for.
    pub framework: Framework,
    /// The verdict on the whole.
    pub verdict: Verdict,
    /// The findings, by topic and line.
    pub findings: Vec<Finding>,
    /// The grants section, as TOML with comments.
    pub grants: String,
}
