//! `cordon init`: a configuration to begin with.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cordon_base::error::EngineError;
use cordon_base::private;

/// The file, which says with each line how it is changed.
const FILE: &str = include_str!("cordon.toml");

/// Arguments of `cordon init`.
///
/// Writes a commented cordon.toml and makes the plugins folder, where there is none. Nothing that is
/// there is changed.
#[derive(Args)]
pub struct Init {
    /// The folder of the hub; it is made.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl Init {
    /// Writes and prints the next command.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn act(self) -> Result<ExitCode, EngineError> {
        let config = self.folder.join("cordon.toml");
        let plugins = self.folder.join("plugins");
        let io = |what: &std::path::Path| {
            let what = format!("cannot make {}", what.display());
            move |error| EngineError::io(what, error)
        };
        for folder in [&self.folder, &plugins] {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(private::FOLDER).create(folder);
            made.map_err(io(folder))?;
        }
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(private::FILE)
            .open(&config);
        match file {
            Ok(mut file) => {
                file.write_all(FILE.as_bytes()).map_err(io(&config))?;
                println!("made {}", config.display());
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                println!("{} is there and stays as it is", config.display());
            }
            Err(error) => return Err(io(&config)(error)),
        }
        println!(
            "put plugins into {}, name them in the file, look at it with `cordon check --config {1}`, \
             and start the hub with `cordon serve --config {1}`",
            plugins.display(),
            config.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_file_is_a_configuration_with_all_of_its_comments_too() {
        let config: Config = toml::from_str(FILE).unwrap();
        assert!(config.hardware.is_empty() && config.faults().is_empty());
        let bare: String = FILE
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
            .collect();
        let config: Config = toml::from_str(&bare).unwrap();
        let faults: Vec<_> = config
            .faults()
            .into_iter()
            .map(|fault| fault.text)
            .collect();
        assert_eq!(faults, Vec::<String>::new());
        assert!(!config.hardware.is_empty() && !config.indigo.is_empty() && config.mail.is_some());
    }

    #[test]
    fn a_folder_is_made_for_a_hub_and_nothing_that_is_there_is_changed() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("a/hub");
        let init = || {
            Init {
                folder: folder.clone(),
            }
            .act()
            .unwrap()
        };
        init();
        let config = folder.join("cordon.toml");
        Config::load(&config).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&config), mode(&folder)), (0o600, 0o700));
        assert!(folder.join("plugins").is_dir());
        std::fs::write(&config, "# mine\n").unwrap();
        init();
        assert_eq!(std::fs::read_to_string(&config).unwrap(), "# mine\n");
    }
}
