//! Python packages of plugins: what `cordon install` puts into a plugin's `Packages`.
//!
//! The choice of versions is pip's, run by the operator on the operator's machine
//! ([`resolver`]). Everything after it is done here: files are taken only when their
//! SHA-256 is the one that pip's report, or the lock file, names ([`lock`]); wheels are
//! unpacked without running anything in them ([`wheel`]); and nothing but pure Python
//! goes in, because there is nothing else in a component that could run it.
//!
//! ```text
//! requirements -> resolver (pip) -> cordon.lock -> fetch (pip) -> wheel -> Packages/
//!                                        `--------- the next time ^
//! ```

mod build;
mod install;
pub mod known;
pub mod lock;
pub mod place;
mod provided;
mod requirements;
mod resolver;
mod wheel;

pub use install::{Installed, Request, install};
pub use place::packages_of;
pub use resolver::Sources;

/// The Python version that packages are chosen for: that of the guest's interpreter.
pub const PYTHON: &str = "3.14";

/// Why packages were not installed. Nothing of the plugin was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackagesError {
    /// A file or folder.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the name of the thing.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The folder is no plugin, or has a `Packages` of another origin.
    #[error("{0}")]
    Place(String),
    /// A line of a requirements file that is not a plain requirement.
    #[error("{file}, line {line}: {reason}")]
    Requirement {
        /// The file, or `command line`.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// Neither pip nor uv is there.
    #[error("{0}")]
    NoResolver(String),
    /// Packages that cannot be had as pure Python, each with what to do.
    #[error("these packages are not to be had as pure Python:\n{}", .0.join("\n"))]
    Native(Vec<String>),
    /// What pip said.
    #[error("pip could not find what is asked for:\n{0}")]
    Resolver(String),
    /// A file that is not what its hash says, or no wheel that may be unpacked.
    #[error("{file}: {reason}")]
    Refused {
        /// Name of the file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A lock file that cannot be followed.
    #[error("{0}")]
    Lock(String),
}

impl PackagesError {
    fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }

    fn refused(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused {
            file: file.into(),
            reason: reason.into(),
        }
    }
}

/// The name of a package as names are compared: lower case, with single dashes.
#[must_use]
pub fn normal_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        let letter = match letter {
            '_' | '.' | '-' => '-',
            other => other.to_ascii_lowercase(),
        };
        if letter != '-' || !normal.ends_with('-') {
            normal.push(letter);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_compare_without_case_and_kind_of_dash() {
        assert_eq!(super::normal_name("Ruamel.Yaml_clib"), "ruamel-yaml-clib");
        assert_eq!(super::normal_name("a__b"), "a-b");
    }
}
