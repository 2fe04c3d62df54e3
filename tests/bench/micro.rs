//! Ten Python micro-programs in the component and in three other Pythons.
//!
//! Every round runs each program once in each arm, one after the other, so that a
//! busy neighbour disturbs all of them alike. Times are taken inside Python.

use std::time::Duration;

use cordon_runtime::engine::Engine;
use cordon_runtime::instance::remote::Remote;

use crate::componentize::Componentized;
use crate::native::{self, Process};
use crate::report::{Goal, Report};
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::sample::{Samples, geometric_mean};
use crate::{Outcome, rustpython};

const SECTION: &str = "micro";
const ROUNDS: usize = 15;
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAMS: [&str; 10] = [
    "fib",
    "floats",
    "json_text",
    "regex",
    "strings",
    "methods",
    "dicts",
    "nbody",
    "line_parsing",
    "list_sort",
];

/// Measures the programs that can be built here; names the others.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut arms = arms(report, engine).await?;
    for round in 0..=ROUNDS {
        for (index, name) in PROGRAMS.into_iter().enumerate() {
            for arm in &mut arms {
                let figure = arm.python.run(name).await?;
                if round > 0
                    && let Some(samples) = arm.samples.get_mut(index)
                {
                    samples.push(figure);
                }
            }
        }
    }
    for arm in &arms {
        for (name, samples) in PROGRAMS.iter().zip(&arm.samples) {
            report.arm(SECTION, &format!("{name}, {}", arm.name), "ms", samples);
        }
    }
    let Some((component, others)) = arms.split_first() else {
        return Ok(());
    };
    for other in others {
        compare(report, component, other);
    }
    Ok(())
}

struct Arm {
    name: &'static str,
    /// Largest allowed ratio of the component to it.
    goal: f64,
    python: Python,
    samples: Vec<Samples>,
}

enum Python {
    Component(Box<Rig>, Remote),
    Process(Process),
    Componentized(Box<Componentized>),
}

impl Python {
    /// Milliseconds of one run.
    async fn run(&mut self, name: &str) -> Outcome<f64> {
        let answer = match self {
            Self::Component(rig, remote) => {
                deliver(remote, command(name)).await?;
                rig.answer("MICRO ", PATIENCE).await?
            }
            Self::Process(process) => process.ask(name)?,
            Self::Componentized(component) => return component.run(name).await,
        };
        Ok(answer.parse()?)
    }
}

async fn arms(report: &mut Report, engine: &Engine) -> Outcome<Vec<Arm>> {
    let mut arms = vec![("component", f64::NAN, component(engine).await?)];
    let worker = program("worker.py");
    let worker = worker.to_str().ok_or("a path that is no text")?;
    match rustpython::program() {
        Ok(file) => arms.push(("native RustPython", 2.0, process(&file, worker)?)),
        Err(error) => report.note(SECTION, format!("no native RustPython: {error}")),
    }
    arms.push(("CPython", 3.0, process(&native::python()?, worker)?));
    match Componentized::new().await {
        Ok(component) => arms.push((
            "componentize-py",
            1.35,
            Python::Componentized(Box::new(component)),
        )),
        Err(error) => report.note(SECTION, format!("no componentize-py: {error}")),
    }
    let arm = |(name, goal, python)| Arm {
        name,
        goal,
        python,
        samples: vec![Samples::default(); PROGRAMS.len()],
    };
    Ok(arms.into_iter().map(arm).collect())
}

async fn component(engine: &Engine) -> Outcome<Python> {
    let mut rig = Rig::new(engine, SECTION)?;
    let source = std::fs::read_to_string(program("micro_plugin.py"))?;
    let others = [program("micro.py"), program("timing.py")];
    let others: Vec<_> = others.iter().map(|path| path.as_path()).collect();
    let plugin = rig.plugin("Micro", &source, &others)?;
    let remote = rig.start(&plugin, "Micro", UNLIMITED).await?;
    Ok(Python::Component(Box::new(rig), remote))
}

fn process(python: &std::path::Path, worker: &str) -> Outcome<Python> {
    let folder = program("");
    let folder = folder.to_str().ok_or("a path that is no text")?;
    let mut process = Process::start(python, &[worker])?;
    process.ask(folder)?;
    Ok(Python::Process(process))
}

/// Geometric means over the programs: of the medians, and of the best.
fn compare(report: &mut Report, component: &Arm, other: &Arm) {
    let mean = |of: fn(&Samples) -> f64| {
        let pairs = component.samples.iter().zip(&other.samples);
        geometric_mean(pairs.map(|(ours, theirs)| of(ours) / of(theirs)))
    };
    let (medians, best) = (mean(Samples::median), mean(Samples::best));
    let pairs = component.samples.iter().zip(&other.samples).zip(PROGRAMS);
    let each: Vec<_> = pairs
        .map(|((ours, theirs), name)| format!("{name} {:.2}", ours.best() / theirs.best()))
        .collect();
    let name = other.name;
    report.note(
        SECTION,
        format!(
            "component / {name} by medians: {medians:.2}; each by best: {}",
            each.join(", ")
        ),
    );
    report.ratio(
        SECTION,
        &format!("component / {name}, best of {ROUNDS}"),
        best,
        Goal::AtMost(other.goal),
    );
}
