//! `cordon-bench`: measures, prints a table of ratios with their goals, keeps the raw rows.
//!
//! One file per measurement, each a function that adds to the [`Report`](report::Report).
//! Arms of a ratio are interleaved in one run. `docs/benchmarks/README.md` says how to
//! read the result. Never a test: nothing here fails because a machine is slow.

mod calls;
mod componentize;
mod domoticz;
mod idle;
mod imports;
mod indigo;
mod listing;
mod machine;
mod memory;
mod metering;
mod micro;
mod native;
mod neighbours;
mod pages;
mod report;
mod requests;
mod rig;
mod rustpython;
mod sample;
mod snapshot;
mod sockets;
mod sqlite;
mod start;
mod twins;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use cordon_base::system;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};

use report::Report;

/// The result of everything here: the benchmark stops at the first thing it cannot do.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Instances of the engine that all but the last measurement use.
const INSTANCES: u32 = 300;

/// The measurements by name, in the order in which they run.
const SECTIONS: [&str; 15] = [
    "start",
    "snapshot",
    "memory",
    "calls",
    "micro",
    "metering",
    "neighbours",
    "requests",
    "sockets",
    "imports",
    "sqlite",
    "domoticz",
    "listing",
    "indigo",
    "idle",
];

/// Measures the ratios that Cordon is held to.
#[derive(Parser)]
struct Arguments {
    /// Measures only these.
    #[arg(value_name = "SECTION", value_parser = PossibleValuesParser::new(SECTIONS))]
    sections: Vec<String>,
    /// 10,000 idle instances for five minutes instead of 1,000 for one.
    #[arg(long)]
    long: bool,
    /// As many idle instances instead.
    #[arg(long, value_name = "N")]
    instances: Option<u32>,
    /// A plugin of some 500 lines to start instead of the benchmark's own.
    #[arg(long, value_name = "PLUGIN.PY")]
    plugin: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let measured = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(measure(&arguments)));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cordon-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let wanted = |name: &str| {
        arguments.sections.is_empty() || arguments.sections.iter().any(|section| section == name)
    };
    let mut scale = if arguments.long {
        idle::LONG
    } else {
        idle::SHORT
    };
    scale.instances = arguments.instances.unwrap_or(scale.instances);
    system::raise_file_limit(u64::from(scale.instances.max(INSTANCES)));
    let artifact = Artifact::locate()?;
    let load = machine::load();
    let mut report = Report::default();
    let faults = machine::minor_faults();
    let sections: Vec<_> = SECTIONS.into_iter().filter(|name| wanted(name)).collect();
    // Its engine is gone before the last section, which needs the mappings.
    let mut notes = with_engine(&mut report, &artifact, &sections, arguments).await?;
    if wanted("idle") {
        println!("idle");
        idle::measure(&mut report, &artifact, scale).await?;
    }
    let faults = machine::minor_faults() - faults;
    notes.push(("load at the start of the run".to_owned(), load));
    notes.push(("minor faults of the run".to_owned(), format!("{faults:.0}")));
    let summary = report.finish(&folder()?, &notes)?;
    println!("written: {}", summary.display());
    Ok(())
}

/// The sections that share an engine; returns the notes on machine and engine.
async fn with_engine(
    report: &mut Report,
    artifact: &Artifact,
    sections: &[&str],
    arguments: &Arguments,
) -> Outcome<Vec<(String, String)>> {
    let engine = engine(artifact, INSTANCES, true)?;
    for name in sections {
        if *name != "idle" {
            println!("{name}");
        }
        match *name {
            "start" => start::measure(report, &engine, arguments.plugin.as_deref()).await?,
            "snapshot" => snapshot::measure(report, &engine).await?,
            "memory" => memory::measure(report, &engine).await?,
            "calls" => calls::measure(report, &engine).await?,
            "micro" => micro::measure(report, &engine).await?,
            "metering" => metering::measure(report, artifact).await?,
            "neighbours" => neighbours::measure(report, &engine).await?,
            "requests" => requests::measure(report, &engine).await?,
            "sockets" => sockets::measure(report, &engine).await?,
            "imports" => imports::measure(report, &engine).await?,
            "sqlite" => sqlite::measure(report, &engine).await?,
            "domoticz" => domoticz::measure(report, &engine).await?,
            "listing" => listing::measure(report, &engine).await?,
            "indigo" => indigo::measure(report, &engine).await?,
            _ => {}
        }
    }
    Ok(machine::notes(&engine))
}

/// An engine on the guest with room for so many instances.
pub fn engine(artifact: &Artifact, instances: u32, metering: bool) -> Outcome<Engine> {
    let options = EngineOptions {
        instances,
        metering,
        ..EngineOptions::default()
    };
    Ok(Engine::new(&options, artifact)?)
}

/// `bench/<date>-<host>` in cargo's target folder.
fn folder() -> Outcome<PathBuf> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let date = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    Ok(target()?
        .join("bench")
        .join(format!("{date}-{}", host.trim())))
}

/// Cargo's target folder: the one that is set, or the one that this program lies in.
pub fn target() -> Outcome<PathBuf> {
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        return Ok(folder.into());
    }
    let program = std::env::current_exe()?;
    let profile = program
        .parent()
        .filter(|folder| folder.ends_with("release"));
    let target = profile.and_then(|folder| folder.parent());
    Ok(target
        .ok_or("set CARGO_TARGET_DIR: this program lies in no target folder")?
        .to_owned())
}
