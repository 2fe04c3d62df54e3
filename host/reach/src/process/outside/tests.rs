//! Paths of an instance, as programs get them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;

use super::*;
use cordon_base::folders::PLUGINS_FOLDER;

/// Folders with a file `car.py` of the plugin, and files `x` and `sub/y` of its data.
fn folders() -> (tempfile::TempDir, Folders) {
    let top = tempfile::tempdir().unwrap();
    let of = |part: &str| top.path().canonicalize().unwrap().join(part);
    let folders = Folders {
        plugin: of("Car"),
        listed_in: PLUGINS_FOLDER,
        data: of("hub/plugins/1"),
        pages: of("hub/pages/1"),
        temporary: of("hub/temporary/1"),
        changes: None,
        code: of("hub/compiled/1"),
    };
    std::fs::create_dir_all(folders.data.join("sub")).unwrap();
    std::fs::create_dir_all(&folders.plugin).unwrap();
    std::fs::write(folders.plugin.join("car.py"), "").unwrap();
    std::fs::write(folders.data.join("x"), "").unwrap();
    std::fs::write(folders.data.join("sub/y"), "").unwrap();
    symlink("/etc", folders.data.join("out")).unwrap();
    (top, folders)
}

fn argument(folders: &Folders, text: &str) -> String {
    let made = Outside::new(folders).argument(text);
    made.into_string().unwrap()
}

#[test]
fn paths_of_the_instance_become_those_of_the_machine() {
    let (_top, folders) = folders();
    let of = |path: &Path| path.to_str().unwrap().to_owned();
    for (asked, host) in [
        ("/plugin/car.py", folders.plugin.join("car.py")),
        ("/plugin/", folders.plugin.clone()),
        ("/data/plugins/Car/car.py", folders.plugin.join("car.py")),
        ("/data/x", folders.data.join("x")),
        ("/data/./sub//../x", folders.data.join("x")),
        ("/data/new.jpg", folders.data.join("new.jpg")),
        ("/tmp/new.jpg", folders.temporary.join("new.jpg")),
    ] {
        assert_eq!(argument(&folders, asked), of(&host), "{asked}");
    }
    let x = of(&folders.data.join("x"));
    assert_eq!(argument(&folders, "--file=/data/x"), format!("--file={x}"));
    assert_eq!(argument(&folders, "f=@/data/x"), format!("f=@{x}"));
    assert_eq!(argument(&folders, "file:///data/x"), format!("file://{x}"));
}

#[test]
fn what_is_no_path_of_the_instance_stays() {
    let (_top, folders) = folders();
    for asked in [
        "x",
        "-l",
        "/etc/passwd",
        "/data/out/passwd",
        "/data/none/new",
        "/plugin/new.txt",
        "/plugin/../../etc/passwd",
        "/database",
        "/data/a\0b",
        "http://host/data/x",
    ] {
        assert_eq!(argument(&folders, asked), asked);
    }
}

#[test]
fn a_file_of_the_machines_own_temporary_folder_is_meant_when_only_that_is_there() {
    let (_top, folders) = folders();
    let other = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    let path = other.path().to_str().unwrap();
    assert_eq!(argument(&folders, path), path);
}

#[test]
fn changes_of_a_copied_folder_count_before_the_plugins_own() {
    let (top, mut folders) = folders();
    let changes = top.path().canonicalize().unwrap().join("hub/changes/1");
    std::fs::create_dir_all(&changes).unwrap();
    folders.changes = Some(changes.clone());
    let host = |path: &Path| path.to_str().unwrap().to_owned();
    let own = host(&folders.plugin.join("car.py"));
    assert_eq!(argument(&folders, "/plugin/car.py"), own);
    let new = host(&changes.join("new.txt"));
    assert_eq!(argument(&folders, "/plugin/new.txt"), new);
    std::fs::write(changes.join(format!("{HIDING}car.py")), "").unwrap();
    let renewed = host(&changes.join("car.py"));
    assert_eq!(argument(&folders, "/plugin/car.py"), renewed);
    std::fs::write(changes.join("car.py"), "").unwrap();
    assert_eq!(argument(&folders, "/plugin/car.py"), renewed);
}

#[test]
fn a_text_for_a_shell_has_its_words_replaced() {
    let (_top, folders) = folders();
    let mut outside = Outside::new(&folders);
    let text = "cat /data/x '/data/sub/y' >/data/z; awk '/data/ {print}' a/data/x \\/data/x";
    let made = outside.arguments(Path::new("/bin/sh"), vec!["-c".to_owned(), text.to_owned()]);
    let data = folders.data.to_str().unwrap();
    let expected =
        format!("cat {data}/x '{data}/sub/y' >{data}/z; awk '/data/ {{print}}' a/data/x \\/data/x");
    assert_eq!(made, ["-c", &expected]);
    assert_eq!(outside.kept, None);
    // Another program gets the text as it is.
    let made = outside.arguments(
        Path::new("/bin/grep"),
        vec!["-c".to_owned(), text.to_owned()],
    );
    assert_eq!(made, ["-c", text]);
}

#[test]
fn a_path_that_needs_quotes_stays_in_a_text_and_is_told() {
    let (top, mut folders) = folders();
    folders.data = top.path().join("my hub/1");
    std::fs::create_dir_all(&folders.data).unwrap();
    let mut outside = Outside::new(&folders);
    let words = || vec!["-c".to_owned(), "cat /data/x".to_owned()];
    let made = outside.arguments(Path::new("/bin/sh"), words());
    assert_eq!(made, ["-c", "cat /data/x"]);
    assert_eq!(outside.kept.as_deref(), Some("/data/x"));
}

#[test]
fn the_paths_that_are_looked_at_are_bounded() {
    let (_top, folders) = folders();
    let path = "/data/x".to_owned();
    let count = LOOKED_AT / path.len() + 1;
    let made = Outside::new(&folders).arguments(Path::new("/bin/ls"), vec![path.clone(); count]);
    assert_eq!(made.last().unwrap(), path.as_str());
    assert_ne!(made.first().unwrap(), path.as_str());
}
