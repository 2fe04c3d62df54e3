//! `cordon check PATH`: finds out the needs of a plugin without running it; with `--config FILE`, the
//! problems of a configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::check::{self, Report, Verdict};
use cordon_base::error::EngineError;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};

/// Exit code of the program when a plugin could not be checked.
const NOT_CHECKED: u8 = 3;

/// Arguments of `cordon check`.
///
/// The sources are read, and what they import is imported, in components that may
/// reach nothing. Exit code: 0 when the plugin works as it is, 1 when it needs a grant or
/// a package, 2 when something in it will not work, 3 when it could not be checked; of
/// many plugins the highest.
///
/// With --config a configuration is looked at instead, and every problem is told with its line.
/// Exit code: 0 when there is none, 1 when something will not work as it is meant, 2 when the hub or
/// an instance will not start, 3 when the file could not be read.
#[derive(Args)]
pub struct Check {
    /// A plugin's folder, an Indigo bundle, or a folder of plugins.
    #[arg(required_unless_present = "config")]
    path: Option<PathBuf>,
    /// A configuration file instead of a plugin.
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    config: Option<PathBuf>,
    /// As JSON, with every finding.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Checks and prints. Never an error: the exit code tells.
    ///
    /// # Errors
    ///
    /// None; the type is that of the other verbs.
    pub async fn act(self) -> Result<ExitCode, EngineError> {
        let code = match (&self.config, &self.path) {
            (Some(config), _) => super::configuration::check(config, self.json).await,
            (None, Some(path)) => self.check(path).await,
            (None, None) => Ok(NOT_CHECKED),
        };
        match code {
            Ok(code) => Ok(ExitCode::from(code)),
            Err(error) => {
                eprintln!("cordon: {error}");
                Ok(ExitCode::from(NOT_CHECKED))
            }
        }
    }

    async fn check(&self, path: &Path) -> Result<u8, EngineError> {
        let options = EngineOptions {
            instances: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(&options, &Artifact::locate()?)?;
        let reports = check::check(engine, path).await?;
        self.print(&reports);
        let gravest = reports.iter().map(|report| report.verdict).max();
        Ok(gravest.unwrap_or(Verdict::Ok).exit_code())
    }

    fn print(&self, reports: &[Report]) {
        if self.json {
            println!("{:#}", check::json(reports));
            return;
        }
        match reports {
            [report] => print!("{}", check::text(report)),
            reports => print!("{}", check::table(reports)),
        }
    }
}
