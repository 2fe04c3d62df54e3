//! The section `[log]` of `cordon.toml`.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::console::{Output, PENDING};
use super::file::RotatedFile;
use super::form::Form;
use super::level::Level;
use crate::size::Size;

/// Most earlier files that are kept.
const MOST_KEPT: u32 = 100;

/// The form of lines in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Lines as on the console, with their time.
    #[default]
    Text,
    /// A JSON object in each line.
    Json,
}

/// The form of lines on the console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleMode {
    /// For the journal where systemd reads them, with colours on a terminal, and plain otherwise.
    #[default]
    Auto,
    /// Without colours.
    Plain,
    /// With colours on a terminal, even if `NO_COLOR` says otherwise; plain elsewhere.
    Colour,
    /// With the priorities of systemd, and without times.
    Journald,
    /// No lines.
    None,
}

/// The section `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogConfig {
    /// The file that the log is written to; nowhere without it.
    pub file: Option<PathBuf>,
    /// Size at which the file is put aside and a new one begun.
    pub rotate_bytes: Size,
    /// How many earlier files are kept, as `cordon.log.1` and so on.
    pub keep: u32,
    /// The form of lines in the file.
    pub format: FileFormat,
    /// The least important level in the file and on the console.
    pub least_level: Level,
    /// The form of lines on the console.
    pub console: ConsoleMode,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            file: None,
            rotate_bytes: Size(10 << 20),
            keep: 5,
            format: FileFormat::default(),
            least_level: Level::default(),
            console: ConsoleMode::default(),
        }
    }
}

impl LogConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The key and a sentence about the values that it may have.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let least = Size(u64::try_from(PENDING).unwrap_or(u64::MAX));
        let most = Size(1 << 40);
        if !(least..=most).contains(&self.rotate_bytes) {
            let text = format!("`rotate-bytes` under [log] must be from {least} to {most}");
            return Err(("rotate-bytes", text));
        }
        if self.keep > MOST_KEPT {
            let text = format!("`keep` under [log] must be from 0 to {MOST_KEPT}");
            return Err(("keep", text));
        }
        if self
            .file
            .as_deref()
            .is_some_and(|file| file.file_name().is_none())
        {
            return Err((
                "file",
                "`file` under [log] must be the path of a file".to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes the path of the file relative to this folder.
    pub fn found_in(&mut self, folder: &Path) {
        self.file = self.file.take().map(|file| folder.join(file));
    }

    /// The places where the log is written to.
    pub(super) fn outputs(&self) -> Vec<Output> {
        let mut outputs = Vec::new();
        if let Some(form) = self.form_of_console() {
            outputs.push(Output::new(std::io::stdout(), form).at_least(self.least_level));
        }
        if let Some(path) = &self.file {
            let form = match self.format {
                FileFormat::Text => Form::Plain,
                FileFormat::Json => Form::Json,
            };
            let file = RotatedFile::new(path.clone(), self.rotate_bytes.0, self.keep);
            let output = Output::new(file, form).called(format!("the log file {}", path.display()));
            outputs.push(output.at_least(self.least_level));
        }
        outputs
    }

    fn form_of_console(&self) -> Option<Form> {
        let output = std::io::stdout();
        let colours = match output.is_terminal() {
            true => Form::Colour,
            false => Form::Plain,
        };
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.console {
            ConsoleMode::None => None,
            ConsoleMode::Plain => Some(Form::Plain),
            ConsoleMode::Journald => Some(Form::Journal),
            ConsoleMode::Colour => Some(colours),
            ConsoleMode::Auto if is_journal(&output) => Some(Form::Journal),
            ConsoleMode::Auto if set("NO_COLOR") => Some(Form::Plain),
            ConsoleMode::Auto => Some(colours),
        }
    }
}

/// Whether the system's journal reads this stream: systemd names the device and the inode.
fn is_journal(stream: impl AsFd) -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    rustix::fs::fstat(stream).is_ok_and(|it| names(&named, it.st_dev, it.st_ino))
}

/// Whether a value of `JOURNAL_STREAM` names this device and inode.
fn names(named: &str, device: u64, inode: u64) -> bool {
    let Some((named_device, named_inode)) = named.split_once(':') else {
        return false;
    };
    named_device.parse() == Ok(device) && named_inode.parse() == Ok(inode)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_words_and_bounds() {
        let read = |text: &str| toml::from_str::<LogConfig>(text).unwrap();
        assert_eq!(read(""), LogConfig::default());
        assert_eq!(LogConfig::default().check(), Ok(()));
        let config = read(
            "file = 'log/cordon.log'\nrotate-bytes = '64 KiB'\nkeep = 0\nformat = 'json'\n\
             least-level = 'warning'\nconsole = 'none'",
        );
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.rotate_bytes, Size(64 << 10));
        assert_eq!(
            (config.format, config.least_level),
            (FileFormat::Json, Level::Warning)
        );
        assert_eq!(config.form_of_console(), None);
        for (text, key) in [
            ("rotate-bytes = '63 KiB'", "rotate-bytes"),
            ("rotate-bytes = '2048 GiB'", "rotate-bytes"),
            ("keep = 101", "keep"),
            ("file = '..'", "file"),
            ("file = ''", "file"),
        ] {
            assert_eq!(read(text).check().unwrap_err().0, key, "{text}");
        }
    }

    #[test]
    fn the_journal_is_known_by_its_device_and_inode() {
        assert!(names("9:12345", 9, 12345));
        for named in ["9:12346", "8:12345", "9", "", "9:12345:1", "a:b"] {
            assert!(!names(named, 9, 12345), "{named}");
        }
    }

    #[test]
    fn there_is_no_colour_where_there_is_no_terminal() {
        // Tests have a pipe or a terminal; the answer follows from which one it is.
        let colour = LogConfig {
            console: ConsoleMode::Colour,
            ..LogConfig::default()
        };
        let terminal = std::io::stdout().is_terminal();
        assert_eq!(colour.form_of_console() == Some(Form::Colour), terminal);
    }
}
