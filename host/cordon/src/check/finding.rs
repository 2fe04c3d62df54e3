//! The result of a check: findings with a verdict each, and the report they are in.

use std::path::PathBuf;

use cordon_packages::place::Framework;

/// The consequence of a finding for the plugin, from harmless to final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It works as it is.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Part of it will not do what its author means; the rest works.
    Mistake,
    /// It works once the operator grants it.
    Grant,
    /// A package has to be installed.
    Missing,
    /// It does not work in this release.
    Fails,
    /// It could not be looked at.
    Unread,
}

impl Verdict {
    /// The word in the JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Mistake => "mistake",
            Self::Grant => "needs-grant",
            Self::Missing => "missing",
            Self::Fails => "will-not-work",
            Self::Unread => "unread",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Mistake => "has a mistake",
            Self::Grant => "needs a grant",
            Self::Fails => "will not work",
            Self::Unread => "cannot be read",
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

    /// The exit status of `cordon check`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok | Self::Note => 0,
            Self::Mistake | Self::Grant | Self::Missing => 1,
            Self::Fails => 2,
            Self::Unread => 3,
        }
    }
}

/// The subject area of a finding; the order of the report.
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
    /// A name that nothing defines.
    Name,
    /// A host that the plugin talks to.
    Network,
    /// A port on which the plugin listens.
    Listen,
    /// A program that the plugin starts.
    Exec,
    /// A serial port.
    Serial,
    /// A host that the plugin pings.
    Icmp,
    /// Files that the plugin writes beside its code.
    PluginFolder,
    /// A limit that the plugin is likely to hit.
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
            Self::Name => "name",
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
    /// The area that the finding belongs to.
    pub topic: Topic,
    /// Which module, host, port, member; may be empty.
    pub subject: String,
    /// The consequence for the plugin.
    pub verdict: Verdict,
    /// A sentence for people.
    pub detail: String,
    /// The file, below the plugin's code folder; empty for the plugin as a whole.
    pub file: String,
    /// Line in the file, from 1; 0 for the file as a whole.
    pub line: u32,
}

/// The findings about one plugin, and the verdict on it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where the plugin is.
    pub path: PathBuf,
    /// Name of the plugin's folder.
    pub name: String,
    /// The framework that the plugin was written for.
    pub framework: Framework,
    /// The verdict on the whole plugin.
    pub verdict: Verdict,
    /// The findings, by topic and line.
    pub findings: Vec<Finding>,
    /// The grants section, as TOML with comments.
    pub grants: String,
    /// The command that installs all missing packages; empty when none is missing.
    pub install: String,
}
