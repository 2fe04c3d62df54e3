//! `cordon check PATH`: finds out the needs of a plugin without running it.

use std::path::PathBuf;
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
#[derive(Args)]
pub struct Check {
    /// A plugin's folder, an Indigo bundle, or a folder of plugins.
    path: PathBuf,
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
        match self.check().await {
            Ok(reports) => {
                self.print(&reports);
                let gravest = reports.iter().map(|report| report.verdict).max();
                Ok(ExitCode::from(gravest.unwrap_or(Verdict::Ok).exit_code()))
            }
            Err(error) => {
                eprintln!("cordon: {error}");
                Ok(ExitCode::from(NOT_CHECKED))
            }
        }
    }

    async fn check(&self) -> Result<Vec<Report>, EngineError> {
        let options = EngineOptions {
            instances: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(&options, &Artifact::locate()?)?;
        check::check(engine, &self.path).await
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
