//! The results: arms, ratios with their goals, and the files they go to.
//!
//! Every figure goes into `raw.csv` as it was taken; `summary.md` holds the tables
//! that are printed at the end, and the notes on the machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::sample::Samples;

/// Whether a ratio is to be as large or as small as possible.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// It is only reported.
    None,
}

impl Goal {
    /// Whether the goal is met, if there is one.
    fn met(self, figure: f64) -> Option<bool> {
        match self {
            Self::AtLeast(goal) => Some(figure >= goal),
            Self::AtMost(goal) => Some(figure <= goal),
            Self::None => None,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(goal) => format!("at least {goal}"),
            Self::AtMost(goal) => format!("at most {goal}"),
            Self::None => "none".to_owned(),
        }
    }
}

struct Arm {
    section: &'static str,
    name: String,
    unit: &'static str,
    samples: Samples,
}

struct Ratio {
    section: &'static str,
    what: String,
    figure: f64,
    goal: Goal,
}

/// Collects a run.
#[derive(Default)]
pub struct Report {
    arms: Vec<Arm>,
    ratios: Vec<Ratio>,
    notes: Vec<(&'static str, String)>,
}

impl Report {
    /// An arm with its figures.
    pub fn arm(
        &mut self,
        section: &'static str,
        name: &str,
        unit: &'static str,
        samples: &Samples,
    ) {
        let (low, high) = samples.spread();
        println!(
            "  {name}: {} {unit} (best {}, half within {} to {}, {} figures)",
            figure(samples.median()),
            figure(samples.best()),
            figure(low),
            figure(high),
            samples.figures().len()
        );
        self.arms.push(Arm {
            section,
            name: name.to_owned(),
            unit,
            samples: samples.clone(),
        });
    }

    /// A ratio with its goal, if it has one.
    pub fn ratio(&mut self, section: &'static str, what: &str, value: f64, goal: Goal) {
        let verdict = match goal.met(value) {
            Some(true) => format!("{}: met", goal.words()),
            Some(false) => format!("{}: MISSED", goal.words()),
            None => "no goal".to_owned(),
        };
        println!("  {what}: {} ({verdict})", figure(value));
        self.ratios.push(Ratio {
            section,
            what: what.to_owned(),
            figure: value,
            goal,
        });
    }

    /// Something to know beside the figures, such as an arm that could not be built.
    pub fn note(&mut self, section: &'static str, text: impl Into<String>) {
        let text = text.into();
        println!("  note: {text}");
        self.notes.push((section, text));
    }

    fn markdown(&self, machine: &[(String, String)]) -> String {
        let mut text = String::from(
            "# Benchmark\n\n## Ratios\n\n| section | ratio | figure | goal | |\n|---|---|---|---|---|\n",
        );
        for ratio in &self.ratios {
            let verdict = match ratio.goal.met(ratio.figure) {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "",
            };
            let Ratio {
                section,
                what,
                figure: value,
                goal,
            } = ratio;
            let _ = writeln!(
                text,
                "| {section} | {what} | {} | {} | {verdict} |",
                figure(*value),
                goal.words()
            );
        }
        text.push_str("\n## Figures\n\n| section | arm | median | best | half within | p99 | n | unit |\n|---|---|---|---|---|---|---|---|\n");
        for Arm {
            section,
            name,
            unit,
            samples,
        } in &self.arms
        {
            let (low, high) = samples.spread();
            let _ = writeln!(
                text,
                "| {section} | {name} | {} | {} | {} to {} | {} | {} | {unit} |",
                figure(samples.median()),
                figure(samples.best()),
                figure(low),
                figure(high),
                figure(samples.quantile(0.99)),
                samples.figures().len()
            );
        }
        text.push_str("\n## Notes\n\n");
        for (section, note) in &self.notes {
            let _ = writeln!(text, "- {section}: {note}");
        }
        text.push_str("\n## Machine\n\n");
        for (name, value) in machine {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text
    }

    fn csv(&self) -> String {
        let mut text = String::from("section,arm,unit,index,figure\n");
        for Arm {
            section,
            name,
            unit,
            samples,
        } in &self.arms
        {
            for (index, figure) in samples.figures().iter().enumerate() {
                let _ = writeln!(text, "{section},\"{name}\",{unit},{index},{figure}");
            }
        }
        text
    }

    /// Prints the tables and writes them and the raw rows into `folder`.
    pub fn finish(&self, folder: &Path, machine: &[(String, String)]) -> Outcome<PathBuf> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("raw.csv"), self.csv())?;
        let summary = folder.join("summary.md");
        let text = self.markdown(machine);
        std::fs::write(&summary, &text)?;
        println!("\n{text}");
        Ok(summary)
    }
}

/// Three significant digits.
fn figure(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "none".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}
