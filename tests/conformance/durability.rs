//! Changes that a plugin was told are stored survive any end of the program.

use std::path::Path;
use std::time::Duration;

use crate::serve::Site;
use crate::stage::plugin_text;
use crate::tools::Program;

/// How often the program is killed.
const ROUNDS: usize = 15;

/// The longest that the program writes before it is killed.
const LONGEST: Duration = Duration::from_millis(700);

/// The longest that it may start before it is killed, in every third round.
const STARTING: Duration = Duration::from_millis(500);

/// Stores as fast as it can and says so after each call has returned.
const WRITER: &str = r#"
import threading

def work(n):
    while True:
        n += 1
        Devices[1].Update(0, str(n))
        Domoticz.Log("device %d" % n)
        Domoticz.Configuration({"n": n})
        Domoticz.Log("configuration %d" % n)

def onStart():
    if 1 not in Devices:
        Domoticz.Device("n", 1, "Text").Create()
    device = int(Devices[1].sValue or 0)
    stored = int(Domoticz.Configuration().get("n", 0))
    Domoticz.Log("found %d %d" % (device, stored))
    threading.Thread(target=work, args=(max(device, stored),), daemon=True).start()
"#;

const SECTION: &str = "[[hardware]]\nname = \"HW\"\nplugin = \"Writer\"\n\
     limits = { log-lines-per-second = 10000 }\n";

#[test]
fn nothing_that_was_acknowledged_is_lost_by_kill_9() {
    let site = Site::new(SECTION);
    site.file("writer/plugin.py", &plugin_text("Writer", WRITER));
    let (mut device, mut configuration) = (0, 0);
    let mut counted = 0;
    for round in 0..ROUNDS {
        let mut program = site.serve();
        if round % 3 == 2 {
            let moment = random_below(STARTING);
            program.kill_after(moment);
            device = acknowledged(&program, "HW: device ").unwrap_or(device);
            configuration = acknowledged(&program, "HW: configuration ").unwrap_or(configuration);
            assert_eq!(
                check(site.path()),
                "ok",
                "round {round}, killed after {moment:?}"
            );
            continue;
        }
        let (found_device, found_configuration) = found(&program.line("HW: found "));
        assert!(
            found_device >= device,
            "round {round}: device {found_device} < {device}"
        );
        assert!(
            found_configuration >= configuration,
            "round {round}: configuration {found_configuration} < {configuration}"
        );
        let moment = random_below(LONGEST);
        program.kill_after(moment);
        device = acknowledged(&program, "HW: device ").unwrap_or(found_device);
        configuration = acknowledged(&program, "HW: configuration ").unwrap_or(found_configuration);
        if device > found_device {
            counted += 1;
        }
        assert_eq!(
            check(site.path()),
            "ok",
            "round {round}, killed after {moment:?}"
        );
    }
    println!("{ROUNDS} times killed, {device} values acknowledged, {counted} rounds wrote");
    assert!(
        counted > ROUNDS / 3,
        "the program was mostly killed before it wrote anything"
    );
}

fn found(line: &str) -> (u64, u64) {
    let numbers: Vec<u64> = line
        .split_whitespace()
        .rev()
        .take(2)
        .map(|word| word.parse().expect("a number"))
        .collect();
    (numbers[1], numbers[0])
}

fn acknowledged(program: &Program, what: &str) -> Option<u64> {
    let numbers = program.said.iter().filter_map(|line| line.split_once(what));
    numbers.filter_map(|(_, number)| number.parse().ok()).max()
}

/// SQLite's own check of a copy, so that the program itself finds the files as the
/// kill has left them.
fn check(site: &Path) -> String {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for name in ["cordon.db", "cordon.db-wal"] {
        let file = site.join("data").join(name);
        if file.exists() {
            std::fs::copy(file, copy.path().join(name)).expect("a copy");
        }
    }
    let database = rusqlite::Connection::open(copy.path().join("cordon.db")).expect("it opens");
    database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("an answer")
}

fn random_below(longest: Duration) -> Duration {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let number = RandomState::new().build_hasher().finish();
    let longest = u64::try_from(longest.as_micros()).expect("a short time");
    Duration::from_micros(number % longest)
}
