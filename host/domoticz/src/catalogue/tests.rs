//! Tests of discovery, and of folders that nobody should wait for.

use std::os::unix::fs::symlink;
use std::sync::atomic::AtomicUsize;

use tempfile::TempDir;

use super::*;
use cordon_base::log::LogCapacity;

fn library(root: &Path) -> Library {
    let events = EventLog::new(LogCapacity::default());
    Library::new(root, events, Problems::default())
}

/// Gives a library time for a slow machine.
fn patient(mut library: Library) -> Library {
    Arc::get_mut(&mut library.inner).unwrap().in_all = Duration::from_secs(600);
    library
}

fn told(library: &Library) -> Vec<String> {
    let lines = library.inner.events.tail(None, 100);
    lines.iter().map(|record| record.message()).collect()
}

fn write(root: &TempDir, folder: &str, source: &str) {
    fs::create_dir_all(root.path().join(folder)).unwrap();
    fs::write(root.path().join(folder).join("plugin.py"), source).unwrap();
}

fn definition_of(key: &str) -> String {
    format!("<plugin key=\"{key}\">\n</plugin>\n")
}

async fn found(files: &[(&str, &str)]) -> (TempDir, Arc<Catalogue>) {
    let root = tempfile::tempdir().unwrap();
    for (folder, source) in files {
        write(&root, folder, source);
    }
    let catalogue = library(root.path()).look().await;
    (root, catalogue)
}

#[tokio::test]
async fn only_direct_folders_with_a_plugin_file_count_and_links_do() {
    // Rules 1, 2, 3.
    let source = definition_of;
    let (root, catalogue) = found(&[
        ("Foo", &source("Bar")),
        ("examples", &source("E")),
        ("a/b", &source("N")),
        (".hidden", &source("H")),
    ])
    .await;
    assert_eq!(catalogue.folders, 2);
    assert_eq!(
        catalogue.find("Bar").unwrap().folder,
        root.path().join("Foo")
    );
    assert!(catalogue.find("H").is_some());
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("real.py"), source("L")).unwrap();
    symlink(root.path().join("Foo"), root.path().join("Zlinked")).unwrap();
    fs::create_dir(root.path().join("file")).unwrap();
    symlink(
        elsewhere.path().join("real.py"),
        root.path().join("file/plugin.py"),
    )
    .unwrap();
    fs::create_dir_all(root.path().join("dir/plugin.py")).unwrap();
    let again = library(root.path()).look().await;
    assert_eq!(again.folders, 4);
    assert!(again.find("L").is_some());
    let none = library(&root.path().join("none")).look().await;
    assert!(none.plugins.is_empty() && none.problems.is_empty());
}

#[tokio::test]
async fn the_bytewise_first_folder_has_the_key() {
    // Rule 9; `a-b/` sorts before `a/`.
    let source = "<plugin key='K'>\n</plugin>\n";
    let (root, catalogue) = found(&[("a", source), ("a-b", source), ("b", source)]).await;
    assert_eq!(catalogue.find("K").unwrap().folder, root.path().join("a-b"));
    assert_eq!(catalogue.find("k"), None);
    // Nobody takes over a key without a word.
    let problems: Vec<_> = catalogue.problems.iter().map(|it| it.to_string()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0]
            .contains("a`: its plugin with key `K` is left out, because the one in folder `a-b`"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_broken_definition_hides_no_other_and_is_told_once() {
    let root = tempfile::tempdir().unwrap();
    write(&root, "a", "<plugin key=\"K\">\ncode");
    write(&root, "b", &definition_of("B"));
    fs::create_dir(root.path().join("c")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(root.path().join("c/plugin.py"))
        .status()
        .unwrap();
    assert!(made.success());
    let library = library(root.path());
    for _ in 0..3 {
        let catalogue = library.look().await;
        assert!(catalogue.find("B").is_some());
        assert_eq!(catalogue.problems.len(), 2);
    }
    let lines = told(&library);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].contains("c`: plugin.py cannot be read: it is no regular file"),
        "{lines:?}"
    );
    let kept = library.inner.problems.all();
    assert_eq!(kept[0].0, "a");
    assert!(kept[0].1.contains("no end tag (row 3"), "{kept:?}");
    // A problem that was mended is no problem any more.
    write(&root, "a", &definition_of("A"));
    fs::remove_file(root.path().join("c/plugin.py")).unwrap();
    assert!(library.look().await.find("A").is_some());
    assert!(library.inner.problems.all().is_empty());
}

#[tokio::test]
async fn nothing_is_read_twice_and_a_change_is_seen() {
    let root = tempfile::tempdir().unwrap();
    for n in 0..20 {
        write(&root, &format!("p{n}"), &definition_of(&format!("K{n}")));
    }
    // Times of a file system have steps.
    std::thread::sleep(Duration::from_millis(3100));
    let library = library(root.path());
    let first = library.look().await;
    let second = library.look().await;
    assert_eq!(first.plugins.len(), 20);
    let same = first.plugins.iter().zip(&second.plugins);
    assert!(same.clone().count() == 20 && same.into_iter().all(|(a, b)| Arc::ptr_eq(a, b)));
    write(&root, "p7", &definition_of("K8x"));
    let third = library.look().await;
    assert!(third.find("K8x").is_some() && third.find("K7").is_none());
    assert!(Arc::ptr_eq(
        third.find("K6").unwrap(),
        first.find("K6").unwrap()
    ));
}

#[tokio::test]
async fn a_folder_that_hangs_delays_the_others_once_and_is_told() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn look(folder: &Path, seen: Option<&Known>) -> Step {
        if folder.ends_with("hangs") {
            CALLS.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(4));
        }
        look_into(folder, seen)
    }
    let root = tempfile::tempdir().unwrap();
    for folder in ["a", "hangs", "z"] {
        write(&root, folder, &definition_of(folder));
    }
    let events = EventLog::new(LogCapacity::default());
    let deadline = Duration::from_millis(500);
    let library = Library::with(root.path(), look, deadline, events, Problems::default());
    let begun = Instant::now();
    let catalogue = library.look().await;
    assert!(catalogue.find("a").is_some() && catalogue.find("z").is_some());
    assert!(catalogue.find("hangs").is_none());
    let lines = told(&library);
    assert!(
        lines[0].contains("hangs`: it was not read within"),
        "{lines:?}"
    );
    // As long as its thread is there, no other thread reads the folder.
    let again = library.look().await;
    assert_eq!((again.plugins.len(), again.problems.len()), (2, 1));
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    assert!(begun.elapsed() < Duration::from_secs(3));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let _ = library.look().await;
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_fault_in_reading_is_told_as_one_and_over_when_the_file_is_another() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn look(folder: &Path, known: Option<&Known>) -> Step {
        look_with(folder, known, read)
    }
    fn read(folder: &Path, file: RegularFile) -> Result<Vec<PluginDefinition>, DefinitionProblem> {
        let found = definition::read(folder, file)?;
        if found.iter().any(|it| it.key == "FAULT") {
            CALLS.fetch_add(1, Ordering::SeqCst);
            panic!("for the test");
        }
        Ok(found)
    }
    let root = tempfile::tempdir().unwrap();
    write(&root, "good", &definition_of("good"));
    // One folder more than may hang.
    for n in 0..bounds::HUNG_FOLDERS + 2 {
        write(&root, &format!("bad{n:02}"), &definition_of("FAULT"));
    }
    // Times of a file system have steps.
    std::thread::sleep(Duration::from_millis(3100));
    let events = EventLog::new(LogCapacity::default());
    let deadline = Duration::from_secs(5);
    let library = Library::with(root.path(), look, deadline, events, Problems::default());
    for _ in 0..2 {
        let catalogue = library.look().await;
        assert!(catalogue.find("good").is_some());
        assert_eq!(catalogue.problems.len(), bounds::HUNG_FOLDERS + 2);
        let told = catalogue.problems[0].to_string();
        assert!(told.contains("bad00`: reading it broke off"), "{told}");
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), bounds::HUNG_FOLDERS + 2);
    write(&root, "bad00", &definition_of("mended"));
    assert!(library.look().await.find("mended").is_some());
}

#[tokio::test]
async fn folders_that_hang_do_not_use_up_the_threads() {
    fn look(_: &Path, _: Option<&Known>) -> Step {
        std::thread::sleep(Duration::from_secs(3600));
        Step::Nothing
    }
    let root = tempfile::tempdir().unwrap();
    for n in 0..40 {
        write(&root, &format!("p{n:02}"), &definition_of("K"));
    }
    let events = EventLog::new(LogCapacity::default());
    let deadline = Duration::from_millis(20);
    let library = Library::with(root.path(), look, deadline, events, Problems::default());
    let catalogue = library.look().await;
    assert_eq!(library.inner.hung().len(), bounds::HUNG_FOLDERS);
    let last = catalogue.problems.last().unwrap().to_string();
    assert!(
        last.contains("p08`: it and the 31 folders after it"),
        "{last}"
    );
}

#[tokio::test]
async fn entries_without_end_and_definitions_without_end_are_cut_off_and_told() {
    let root = tempfile::tempdir().unwrap();
    for n in 0..bounds::FOLDERS + 10 {
        fs::write(root.path().join(format!("f{n}")), "").unwrap();
    }
    let library = library(root.path());
    let catalogue = library.look().await;
    assert!(
        catalogue.problems[0]
            .to_string()
            .contains("more than 4096 entries")
    );

    let described = format!("<description>{}</description>", "x".repeat(60_000));
    let params = format!(
        "<params>{}</params>",
        format!("<param field='F'>{described}</param>").repeat(7)
    );
    let root = tempfile::tempdir().unwrap();
    for n in 0..170 {
        let source = format!("<plugin key='K{n}'>\n{params}\n</plugin>\n");
        write(&root, &format!("p{n:03}"), &source);
    }
    let catalogue = patient(self::library(root.path())).look().await;
    let weights = catalogue.plugins.iter().map(|plugin| plugin.weight());
    assert!(weights.sum::<usize>() <= bounds::CATALOGUE_BYTES);
    let problem = catalogue.problems[0].to_string();
    assert!(
        problem.contains("definitions of all plugins have more than"),
        "{problem}"
    );
}

#[tokio::test]
async fn definitions_beyond_the_bound_are_read_once() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    fn look(folder: &Path, known: Option<&Known>) -> Step {
        let step = look_into(folder, known);
        let is_known = match (&step, known.map(|it| &it.content)) {
            (Step::Heavy(..), _) => true,
            (Step::Page(_, page), Some(Content::Page(known))) => Arc::ptr_eq(page, known),
            _ => false,
        };
        READ.fetch_add(usize::from(!is_known), Ordering::SeqCst);
        step
    }
    let described = format!("<description>{}</description>", "x".repeat(60_000));
    let params = format!("<param field='F'>{described}</param>").repeat(7);
    let source = |n: usize| format!("<plugin key='K{n}'>\n<params>{params}</params>\n</plugin>\n");
    let root = tempfile::tempdir().unwrap();
    for n in 0..170 {
        write(&root, &format!("p{n:03}"), &source(n));
    }
    std::thread::sleep(Duration::from_millis(3100));
    let events = EventLog::new(LogCapacity::default());
    let deadline = Duration::from_secs(30);
    let library = Library::with(root.path(), look, deadline, events, Problems::default());
    let library = patient(library);
    let first = library.look().await;
    assert!(first.plugins.len() < 165 && READ.load(Ordering::SeqCst) == 170);
    let again = library.look().await;
    assert_eq!(READ.load(Ordering::SeqCst), 170);
    assert_eq!(
        (again.folders, again.problems.len()),
        (170, first.problems.len())
    );
    // As soon as there is room, the next plugins have it.
    for n in 0..20 {
        fs::remove_dir_all(root.path().join(format!("p{n:03}"))).unwrap();
    }
    let third = library.look().await;
    assert!(third.find("K169").is_some() && third.problems.is_empty());
}

#[tokio::test]
async fn whoever_asks_at_the_same_time_has_the_same_answer() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn look(folder: &Path, known: Option<&Known>) -> Step {
        CALLS.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        look_into(folder, known)
    }
    let root = tempfile::tempdir().unwrap();
    write(&root, "a", &definition_of("A"));
    let events = EventLog::new(LogCapacity::default());
    let deadline = Duration::from_secs(30);
    let library = Library::with(root.path(), look, deadline, events, Problems::default());
    let asked = (0..50).map(|_| library.look());
    let found = futures_util::future::join_all(asked).await;
    assert!(found.iter().all(|catalogue| catalogue.find("A").is_some()));
    // One look that was begun before the others came, and one for all of them.
    assert!(CALLS.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn folders_of_others_delay_nobody_and_are_come_to_in_the_end() {
    fn look(folder: &Path, known: Option<&Known>) -> Step {
        let name = folder.file_name().unwrap().to_string_lossy();
        if name.starts_with("slow") && known.is_none() {
            std::thread::sleep(Duration::from_millis(150));
        }
        look_into(folder, known)
    }
    let root = tempfile::tempdir().unwrap();
    for n in 0..20 {
        write(
            &root,
            &format!("slow{n:02}"),
            &definition_of(&format!("S{n}")),
        );
    }
    write(&root, "wanted", &definition_of("wanted"));
    write(&root, "zz", &definition_of("last"));
    std::thread::sleep(Duration::from_millis(3100));
    let events = EventLog::new(LogCapacity::default());
    let mut library = Library::with(
        root.path(),
        look,
        Duration::from_secs(30),
        events,
        Problems::default(),
    );
    Arc::get_mut(&mut library.inner).unwrap().in_all = Duration::from_secs(2);
    let begun = Instant::now();
    let until = begun + Duration::from_millis(200);
    let soon = library
        .look_until(until, &["wanted", "last", "../wanted", "", "none"])
        .await;
    assert!(begun.elapsed() < Duration::from_millis(1500));
    assert!(soon.partial && soon.find("wanted").is_some() && soon.plugins.len() == 1);
    // The look stops, and the next one goes on from there.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let looks = [library.look().await, library.look().await];
    let [_, whole] = looks;
    assert!(
        !whole.partial && whole.find("last").is_some(),
        "{:?}",
        whole.problems
    );
    let lines = told(&library);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("the next look goes on")),
        "{lines:?}"
    );
}
