//! The configuration read again by a program that serves: SIGHUP changes what has changed, and
//! leaves the neighbours alone.

use std::time::Duration;

use crate::serve::{Site, hello};
use crate::tools::Program;

const HUB: &str = "[hub]\nlisten = \"127.0.0.1:0\"\ninstances = 8\n";

fn section(name: &str, plugin: &str, rest: &str) -> String {
    format!("[[hardware]]\nname = \"{name}\"\nplugin = \"{plugin}\"\n{rest}")
}

fn write(site: &Site, sections: &[String]) {
    let config = format!("{HUB}{}", sections.concat());
    std::fs::write(site.path().join("cordon.toml"), config).expect("the file is written");
}

fn hang_up(program: &Program) {
    let id = i32::try_from(program.id()).expect("a process id");
    let id = rustix::process::Pid::from_raw(id).expect("a process id");
    rustix::process::kill_process(id, rustix::process::Signal::HUP).expect("SIGHUP");
}

/// How often a line was said.
fn count(program: &Program, text: &str) -> usize {
    let said = program.said.iter();
    said.filter(|line| line.contains(text)).count()
}

#[test]
fn sighup_changes_what_has_changed_and_leaves_the_neighbours_alone() {
    let site = Site::new("");
    for key in ["One", "Two", "Three", "Four"] {
        site.file(&format!("{key}/plugin.py"), &hello(key, key));
    }
    let neighbour = section("N", "One", "");
    let before = [
        neighbour.clone(),
        section("C", "Two", ""),
        section("G", "Three", ""),
    ];
    write(&site, &before);
    let mut program = site.serve();
    for _ in 0..3 {
        program.line(": started ");
    }
    // A new section, one that is gone, one that has changed, one that cannot be followed.
    let after = [
        section("F", "Four", ""),
        neighbour,
        section("C", "Two", "[hardware.limits]\nthreads = 3\n"),
        section("X", "Nowhere", ""),
    ];
    write(&site, &after);
    hang_up(&program);
    let told = program.line("the configuration was read again");
    for part in [
        "started: F;",
        "stopped: G;",
        "restarted: C;",
        "unchanged: 1;",
        "not followed: 1",
    ] {
        assert!(told.contains(part), "{told}");
    }
    if count(&program, "F: started Four") == 0 {
        program.line("F: started Four");
    }
    // Once more, so that the line of C's second life is read in any case.
    hang_up(&program);
    let told = program.line("the configuration was read again");
    assert!(told.contains("started: none; stopped: none; restarted: none; unchanged: 3"));
    if count(&program, "C: started Two") < 2 {
        program.line("C: started Two");
    }
    assert!(program.terminate());
    let said = program.said.join("\n");
    assert_eq!(count(&program, "N: started One"), 1, "{said}");
    assert_eq!(count(&program, "N: stopped One"), 1, "{said}");
    assert_eq!(count(&program, "C: started Two"), 2, "{said}");
    assert_eq!(count(&program, "G: stopped Three"), 1, "{said}");
    assert!(
        said.contains("X: ") && said.contains("no plugin with key `Nowhere`"),
        "{said}"
    );
}

#[test]
fn a_broken_file_changes_nothing_and_is_told_with_its_line() {
    let site = Site::new("");
    site.file("One/plugin.py", &hello("One", "One"));
    let good = [section("N", "One", "")];
    write(&site, &good);
    let mut program = site.serve();
    program.line("N: started One");
    write(&site, &[section("N", "One", "nosuch = 1\n")]);
    hang_up(&program);
    let told = program.line("nothing is changed");
    assert!(
        told.contains("cordon.toml") && told.contains("line 7"),
        "{told}"
    );
    // Keys of the hub count later.
    let text = format!("{HUB}stop-seconds = 7\n{}", good.concat());
    std::fs::write(site.path().join("cordon.toml"), text).expect("the file is written");
    hang_up(&program);
    program.line("unchanged: 1");
    program.line("count when the hub is started again: [hub] stop-seconds");
    // A section with another name has other devices.
    write(&site, &[section("M", "One", "")]);
    hang_up(&program);
    program.line("`N` is gone and `M` is new");
    program.line("M: started One");
    std::thread::sleep(Duration::from_millis(200));
    assert!(program.terminate());
    assert_eq!(count(&program, "N: started One"), 1);
}
