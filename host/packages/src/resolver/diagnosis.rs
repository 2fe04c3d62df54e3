//! Finds out why pip found no versions, and says it in words that help.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use super::{Resolver, WheelName, file_of};
use crate::{PackagesError, known};

/// Lines of a conflict that are told.
const CAUSES: usize = 40;

impl Resolver {
    /// Finds every package that stands in the way, and names the remedy.
    pub(super) fn diagnose(
        &self,
        requirements: &[String],
        words: String,
    ) -> Result<PackagesError, PackagesError> {
        let Some(first) = unmatched(&words) else {
            return Ok(PackagesError::Resolver(words));
        };
        let mut names = BTreeSet::new();
        // The packages that this machine itself would take: a package there that is not for any
        // machine has a pure wheel or not, and one question for each tells.
        if let Ok(report) = self.report(requirements, false, true)? {
            for item in report.install {
                let wheel = WheelName::parse(&file_of(&item.download_info.url));
                if wheel.is_none_or(|wheel| !wheel.pure) {
                    let exact = format!("{}=={}", item.metadata.name, item.metadata.version);
                    if self.report(&[exact], true, false)?.is_err() {
                        names.insert(item.metadata.name);
                    }
                }
            }
        }
        // pip stops at the first, and the operator wants to know of all.
        let mut unknown = BTreeMap::new();
        if names.is_empty() {
            unknown.insert(first, words);
            for requirement in requirements {
                if let Err(words) = self.report(std::slice::from_ref(requirement), true, false)?
                    && let Some(name) = unmatched(&words)
                {
                    unknown.insert(name, words);
                }
            }
        }
        let mut absent = Vec::new();
        for (name, words) in unknown {
            if known::package(&name).is_some() || self.exists(&name)? {
                names.insert(name);
            } else {
                absent.push(words);
            }
        }
        if names.is_empty() {
            return Ok(PackagesError::Resolver(absent.join("\n")));
        }
        let line = |name: &String| format!("  {name}: {}", known::advice(name));
        let lines = names.iter().map(line);
        Ok(PackagesError::Native(lines.chain(absent).collect()))
    }

    /// Whether the index has any version of the package.
    fn exists(&self, name: &str) -> Result<bool, PackagesError> {
        if self.sources.offline {
            return Ok(false);
        }
        let output = self.run(self.pip("index", &["versions", name]))?;
        Ok(output.status.success())
    }
}

/// The package that pip's last words complain about.
pub(super) fn unmatched(words: &str) -> Option<String> {
    let (_, after) = words.rsplit_once("No matching distribution found for ")?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = after.chars().take_while(|&c| letters(c)).collect();
    (!name.is_empty()).then_some(name)
}

/// The packages that disagree, in pip's words; empty for any other failure.
pub(super) fn conflict(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((_, after)) = text.rsplit_once("The conflict is caused by:") else {
        return String::new();
    };
    let lines = after.lines().skip(1).take(CAUSES);
    let lines: Vec<_> = lines.take_while(|line| !line.trim().is_empty()).collect();
    format!("\nthe packages that disagree:\n{}", lines.join("\n"))
}
