//! Runs the cases, a few at a time, and says which rules all tests together cover.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::case::{Action, Case, Step};
use crate::peer::Peer;
use crate::stage::Stage;

/// Cases that run at the same time; most of their time is waiting.
const AT_A_TIME: usize = 6;

/// Rules of the behaviour specification.
const RULES: u16 = 178;

#[tokio::test(flavor = "multi_thread")]
async fn every_case_behaves_as_its_script_says() {
    let wanted = std::env::var("CORDON_CASE").unwrap_or_default();
    let mut cases = Case::all();
    cases.retain(|case| case.name.contains(&wanted));
    assert!(!cases.is_empty(), "no case is called {wanted:?}");
    let count = cases.len();
    let mut cases = cases.into_iter();
    let mut running = tokio::task::JoinSet::new();
    let mut problems = Vec::new();
    loop {
        while running.len() < AT_A_TIME
            && let Some(case) = cases.next()
        {
            running.spawn(async move { (run(&case).await, case.name) });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (outcome, name) = ended.expect("a case does not panic");
        if let Err(problem) = outcome {
            problems.push(format!("== {name}: {problem}"));
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {count} cases:\n{}",
        problems.len(),
        problems.join("\n")
    );
    println!("{count} cases");
}

async fn run(case: &Case) -> Result<(), String> {
    let mut stage = Stage::new();
    let outcome = act(case, &mut stage).await;
    let outcome = match outcome {
        Ok(()) => compare(case, &mut stage).await,
        failed => failed,
    };
    stage.stop().await;
    outcome.map_err(|problem| format!("{problem}\n{}", stage.transcript()))
}

async fn act(case: &Case, stage: &mut Stage) -> Result<(), String> {
    let mut peer = Peer::new().await;
    let sections = case.sections(peer.address().port());
    let sections: Vec<_> = sections
        .into_iter()
        .map(|section| (section, case.folder.clone()))
        .collect();
    stage.start(&sections).await;
    // Each wait looks behind the line that the one before has found.
    let mut place = 0;
    for step in &case.script.steps {
        match step {
            Step::Wait(text) => place = stage.line_from(place, text).await?,
            Step::Seen(text) => {
                stage.line_from(0, text).await?;
            }
            Step::Get { query, answer } => ask(stage, query, answer).await?,
            Step::Peer(action) => play(&mut peer, action).await?,
            Step::Stop => stage.stop().await,
            Step::Restart => {
                stage.stop().await;
                stage.start(&sections).await;
            }
        }
    }
    Ok(())
}

async fn ask(stage: &Stage, query: &str, parts: &[String]) -> Result<(), String> {
    let answer = stage.json(query).await;
    match parts.iter().find(|part| !answer.contains(part.as_str())) {
        None => Ok(()),
        Some(part) => Err(format!("no {part} in the answer to {query}: {answer}")),
    }
}

async fn play(peer: &mut Peer, action: &Action) -> Result<(), String> {
    match action {
        Action::Accept => peer.accept().await,
        Action::Send(text) => peer.send(text.as_bytes()).await,
        Action::Expect(text) => peer.expect(text.as_bytes()).await,
        Action::Closed => peer.closed().await,
        Action::Close => {
            peer.close();
            Ok(())
        }
    }
}

async fn compare(case: &Case, stage: &mut Stage) -> Result<(), String> {
    let mut place = 0;
    for text in &case.script.log {
        place = stage.line_from(place, text).await?;
    }
    for text in &case.script.absent {
        if stage.said(text) {
            return Err(format!("a line with {text:?}"));
        }
    }
    Ok(())
}

#[test]
fn rules_are_covered() {
    let mut covered = BTreeSet::new();
    for case in Case::all() {
        covered.extend(case.script.rules);
    }
    let cases = covered.len();
    for file in sources(&["tests/conformance", "tests/python", "host/src"]) {
        let text = std::fs::read_to_string(&file).expect("a source");
        covered.extend(rules_in_names(&text));
    }
    let all = 1..=RULES;
    assert!(
        covered.iter().all(|rule| all.contains(rule)),
        "a rule that is none: {covered:?}"
    );
    let open: Vec<_> = all.filter(|rule| !covered.contains(rule)).collect();
    println!(
        "{cases} of {RULES} rules are covered by cases, {} by all tests",
        covered.len()
    );
    println!("open: {open:?}");
}

/// Numbers after `rule_` and `rules_` in the names of tests.
fn rules_in_names(text: &str) -> BTreeSet<u16> {
    let names = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut found = BTreeSet::new();
    for name in names.filter(|name| name.contains("rule")) {
        let mut words = name
            .split('_')
            .skip_while(|word| !matches!(*word, "rule" | "rules"));
        words.next();
        found.extend(words.map_while(|word| word.parse::<u16>().ok()));
    }
    found
}

/// Sources in these folders and below them.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut left: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder of sources");
            left.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path
            .extension()
            .is_some_and(|ending| ending == "rs" || ending == "py")
        {
            files.push(path);
        }
    }
    files
}
