//! `cordon install PLUGIN`: puts Python packages beside a plugin.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cordon_packages::{PackagesError, Request, Sources};

/// Arguments of `cordon install`.
///
/// Versions are chosen by pip on this machine; only pure-Python wheels are taken, and
/// each file's SHA-256 is checked. What was installed is recorded in `cordon.lock` beside
/// the `Packages` folder; without new requirements exactly that is installed again.
#[derive(Args)]
pub struct Install {
    /// The plugin's folder, or an Indigo bundle.
    plugin: PathBuf,
    /// Packages, such as `requests` or `"paho-mqtt<2"`, beside the requirements file.
    packages: Vec<String>,
    /// A requirements file; the plugin's own requirements.txt by default. Repeatable.
    #[arg(short, long, value_name = "FILE")]
    requirements: Vec<PathBuf>,
    /// A folder with wheels to choose from. Repeatable.
    #[arg(long, value_name = "FOLDER")]
    find_links: Vec<PathBuf>,
    /// Asks no package index, only the folders of --find-links.
    #[arg(long)]
    offline: bool,
    /// A package that may be built from its source. This runs its build script on this
    /// machine with your rights. Repeatable.
    #[arg(long, value_name = "NAME")]
    build: Vec<String>,
    /// Chooses versions anew instead of following cordon.lock.
    #[arg(long)]
    update: bool,
    /// Takes the place of a Packages folder that something else made.
    #[arg(long)]
    replace: bool,
}

impl Install {
    /// Installs and says what.
    ///
    /// # Errors
    ///
    /// [`PackagesError`] with what to do.
    pub fn act(self) -> Result<ExitCode, PackagesError> {
        let installed = cordon_packages::install(&Request {
            plugin: self.plugin,
            requirements: self.requirements,
            packages: self.packages,
            sources: Sources {
                find_links: self.find_links,
                offline: self.offline,
            },
            build: self.build,
            update: self.update,
            replace: self.replace,
        })?;
        for package in &installed.lock.packages {
            println!("{} {}", package.name, package.version);
        }
        for note in &installed.notes {
            println!("{note}");
        }
        println!(
            "{} packages in {}{}; instances that run get them at their next start",
            installed.lock.packages.len(),
            installed.folder.display(),
            if installed.from_lock {
                ", as cordon.lock has them"
            } else {
                ""
            }
        );
        Ok(ExitCode::SUCCESS)
    }
}
