//! The command line: one file per verb.

mod backup;
mod check;
mod configuration;
mod diagnostics;
mod doctor;
mod engine;
mod install;
mod limits;
mod manual;
mod operate;
mod rereading;
mod run;
mod serve;
mod startup;
mod stopping;
mod watching;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};

use cordon_base::error::EngineError;
use cordon_base::limits::DECLARATIONS;
use cordon_base::log::{EventLog, LogCapacity, LogConfig};
use cordon_base::private;
use cordon_control::operator::Action;
use cordon_packages::PackagesError;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};

/// How long threads that are in the middle of something may delay the end of the program.
const LAST: Duration = Duration::from_secs(1);

/// Runs unmodified home-automation plugins, each in a WebAssembly component of its own.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes a configuration to begin with.
    Init(configuration::Init),
    /// Starts the hub with the plugins of a configuration.
    Serve(serve::Serve),
    /// Runs one plugin in the foreground.
    Run(run::Run),
    /// Shows all instances of a hub that runs, in a table.
    Ps(operate::Ps),
    /// Tells everything about a hub that runs, or about one of its instances.
    Status(operate::Status),
    /// Shows the instances by the computing time that they use, every two seconds.
    Top(operate::Top),
    /// Shows the log of a hub that runs.
    Logs(operate::Logs),
    /// Starts an instance that is stopped or parked.
    Start(operate::Order),
    /// Stops an instance until it is started again.
    Stop(operate::Order),
    /// Stops an instance if it runs, and starts it.
    Restart(operate::Order),
    /// Reads the configuration again, or the plugin of one instance.
    Reload(operate::Reload),
    /// Shows and sets the grants of an instance.
    Grant(operate::Grant),
    /// Puts Python packages beside a plugin, for its component alone.
    Install(install::Install),
    /// Finds out the needs of a plugin without running it, or the mistakes in a configuration.
    Check(check::Check),
    /// Puts the whole hub into one file, while it runs or not.
    Backup(backup::Backup),
    /// Makes a hub of a backup.
    Restore(backup::Restore),
    /// Finds the things of this machine that keep a hub from working.
    Doctor(doctor::Doctor),
    /// Shows every key of cordon.toml, as the Markdown of docs/configuration.md.
    Config {
        /// As Markdown; there is no other form.
        #[arg(long, required = true)]
        markdown: bool,
    },
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: manual::ShellName,
    },
    /// Prints the manual, in the form of `man`.
    Man,
    /// Shows every limit with its unit, default and meaning.
    Limits {
        /// As the Markdown of docs/limits.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Work on the guest artifact.
    Guest {
        #[command(subcommand)]
        verb: GuestVerb,
    },
}

#[derive(Subcommand)]
enum GuestVerb {
    /// Compiles the guest into the cache, so that no start has to.
    Precompile {
        /// Another guest than the one this program was built for.
        #[arg(long)]
        guest: Option<PathBuf>,
    },
}

/// Runs the verb that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(arguments.verb) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cordon: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The hub could not do something.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Python packages of a plugin could not be installed.
    #[error("packages: {0}")]
    Packages(#[from] PackagesError),
    /// A hub that runs did not do it.
    #[error(transparent)]
    Hub(#[from] operate::Unanswered),
}

fn act(verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Serve(serve) => {
            private::mask();
            Ok(block_on(serve.act())?)
        }
        Verb::Run(run) => {
            private::mask();
            Ok(block_on(run.act())?)
        }
        Verb::Ps(ps) => Ok(ps.act()?),
        Verb::Status(status) => Ok(status.act()?),
        Verb::Top(top) => Ok(top.act()?),
        Verb::Logs(logs) => Ok(logs.act()?),
        Verb::Start(order) => Ok(order.act(Action::Start)?),
        Verb::Stop(order) => Ok(order.act(Action::Stop)?),
        Verb::Restart(order) => Ok(order.act(Action::Restart)?),
        Verb::Reload(reload) => Ok(reload.act()?),
        Verb::Grant(grant) => Ok(grant.act()?),
        Verb::Install(install) => Ok(install.act()?),
        Verb::Check(check) => Ok(block_on(check.act())?),
        Verb::Init(init) => Ok(init.act()?),
        Verb::Doctor(doctor) => Ok(doctor.act()?),
        Verb::Config { markdown: _ } => {
            print!("{}", configuration::markdown());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Completions { shell } => Ok(manual::completions(&mut Arguments::command(), shell)),
        Verb::Man => Ok(manual::man(Arguments::command())?),
        Verb::Backup(backup) => Ok(backup.act()?),
        Verb::Restore(restore) => Ok(restore.act()?),
        Verb::Limits { markdown: true } => {
            print!("{}", limits::markdown());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Limits { markdown: false } => {
            for limit in DECLARATIONS {
                println!(
                    "{:<22}{:>12} {:<14}{}",
                    limit.name,
                    limit.default,
                    limit.unit,
                    limit.meaning.trim()
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Guest {
            verb: GuestVerb::Precompile { guest },
        } => {
            let artifact = guest.map_or_else(Artifact::locate, |path| Ok(Artifact::at(path)))?;
            let file = Engine::precompile(&EngineOptions::default(), &artifact)?;
            println!("{}", file.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The log of a verb that runs plugins, on the console and in a file as the operator wants it. The
/// hub's messages about itself go into it from here on.
fn log(config: &LogConfig) -> Result<EventLog, EngineError> {
    let events = EventLog::open(LogCapacity::default(), config)?;
    diagnostics::tell(&events);
    Ok(events)
}

fn block_on(
    verb: impl Future<Output = Result<ExitCode, EngineError>>,
) -> Result<ExitCode, EngineError> {
    diagnostics::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| EngineError::io("cannot start the runtime", error))?;
    let ended = runtime.block_on(verb);
    if let Err(error) = &ended {
        diagnostics::last_words(error);
    }
    // A thread that the system holds up, as in a file that does not answer, would hold up the
    // end of the program for as long.
    runtime.shutdown_timeout(LAST);
    ended
}
