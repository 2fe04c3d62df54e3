//! `cordon-cpython-tests`: CPython's own tests, run inside the component.
//!
//! Each module of tests gets an instance of its own; each case is one order to it.
//! A case that hangs or traps costs itself and a new instance, nothing more. Cases
//! that are known to fail, or do not apply, stand in `expectations.toml` with the reason;
//! everything else has to pass. The tests are Debian's `libpython3.11-testsuite`.

mod expectations;
mod lane;
mod outcome;
mod report;
mod tree;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};

use expectations::Expectations;
use outcome::ModuleOutcome;

/// The result of everything here: the run stops at the first thing it cannot do.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The modules, longest first, so that no long one is left alone at the end.
const MODULES: &[&str] = &[
    "test_threading",
    "test_logging",
    "test_datetime",
    "test_concurrent_futures",
    "test_socket",
    "test_zoneinfo",
    "test_asyncio.test_tasks",
    "test_asyncio.test_streams",
    "test_asyncio.test_events",
    "test_asyncio.test_locks",
    "test_asyncio.test_queues",
    "test_re",
    "test_ssl",
    "test_queue",
    "test_shutil",
    "test_tempfile",
    "test_os",
    "test_thread",
    "test_threading_local",
    "test_select",
    "test_selectors",
    "test_httplib",
    "test_urllib",
    "test_urllib2_localnet",
    "test_http_cookies",
    "test_json",
    "test_time",
    "test_struct",
    "test_sqlite3",
];

/// Where Debian keeps the tests.
const LIBRARY: &str = "/usr/lib/python3.11";

/// Runs CPython's own tests inside the component.
#[derive(Parser)]
struct Arguments {
    /// Runs only these modules, or `MODULE:PATTERN` for cases whose name holds the pattern.
    modules: Vec<String>,
    /// Writes the outcome of the run into `expectations.toml` and `docs/cpython-tests.md`.
    #[arg(long)]
    update: bool,
    /// Prints the text of every case that does not pass, expected or not.
    #[arg(long)]
    verbose: bool,
    /// Instances at once.
    #[arg(long, default_value_t = 2)]
    parallel: usize,
    /// Folder of the standard library whose `test` package is run.
    #[arg(long, default_value = LIBRARY)]
    library: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(&arguments)));
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cordon-cpython-tests: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One module that waits for its turn.
#[derive(Clone)]
struct Job {
    module: String,
    /// Part of the names of the cases that are wanted.
    pattern: String,
}

fn jobs(arguments: &Arguments) -> Outcome<VecDeque<Job>> {
    if arguments.modules.is_empty() {
        let all = MODULES.iter().map(|module| Job {
            module: (*module).to_owned(),
            pattern: String::new(),
        });
        return Ok(all.collect());
    }
    let mut jobs = VecDeque::new();
    for wanted in &arguments.modules {
        let (module, pattern) = wanted.split_once(':').unwrap_or((wanted, ""));
        let known = MODULES
            .iter()
            .filter(|known| **known == module || known.starts_with(&format!("{module}.")));
        let before = jobs.len();
        jobs.extend(known.map(|known| Job {
            module: (*known).to_owned(),
            pattern: pattern.to_owned(),
        }));
        if jobs.len() == before {
            return Err(format!("{module} is none of: {}", MODULES.join(" ")).into());
        }
    }
    Ok(jobs)
}

/// Runs the wanted modules; true when everything was as expected.
async fn run(arguments: &Arguments) -> Outcome<bool> {
    let jobs = jobs(arguments)?;
    let whole = arguments.modules.is_empty();
    let mut expectations = Expectations::read()?;
    let scratch = tree::Scratch::new()?;
    tree::copy(&arguments.library, scratch.path())?;
    let engine = Engine::new(
        &EngineOptions {
            instances: 8,
            ..EngineOptions::default()
        },
        &Artifact::locate()?,
    )?;
    let waiting = Arc::new(Mutex::new(jobs));
    let shared = Arc::new(expectations.clone());
    let lanes: Vec<_> = (0..arguments.parallel.max(1))
        .map(|lane| {
            let (engine, waiting, shared) = (engine.clone(), waiting.clone(), shared.clone());
            let folder = scratch.path().to_owned();
            let verbose = arguments.verbose;
            tokio::spawn(async move {
                let mut ended = Vec::new();
                loop {
                    let job = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(job) = job else {
                        return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(ended);
                    };
                    let outcome =
                        lane::run(&engine, &folder, lane, &job.module, &job.pattern, &shared)
                            .await?;
                    report::told(&outcome, &shared, verbose);
                    ended.push(outcome);
                }
            })
        })
        .collect();
    let mut outcomes: Vec<ModuleOutcome> = Vec::new();
    for lane in lanes {
        outcomes.extend(lane.await??);
    }
    outcomes.sort_by(|a, b| a.module.cmp(&b.module));
    if arguments.update {
        for outcome in &outcomes {
            expectations.learn(outcome);
        }
        expectations.write()?;
        if whole {
            report::write(&outcomes, &expectations)?;
        }
    }
    Ok(report::finish(&outcomes, &expectations, whole))
}
