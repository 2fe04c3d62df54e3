use std::sync::atomic::Ordering;

use jiff::tz::TimeZone;

use super::*;

fn time() -> Timestamp {
    "2025-09-20T10:20:30.0456Z".parse().unwrap()
}

fn by(hardware: Option<&str>) -> By<'_> {
    hardware.map_or(By::Hub, By::Plugin)
}

fn line(hardware: Option<&str>, level: Level, text: &str) -> String {
    Record::new(time(), by(hardware), level, text).line_in(TimeZone::UTC)
}

#[test]
fn lines_are_worded_as_rule_176_says() {
    let stamp = "2025-09-20 10:20:30.045";
    let hw = Some("HW");
    assert_eq!(
        line(hw, Level::Status, "m"),
        format!("{stamp}  Status: HW: m")
    );
    assert_eq!(line(hw, Level::Normal, "m"), format!("{stamp}  HW: m"));
    assert_eq!(
        line(hw, Level::Error, "m"),
        format!("{stamp}  Error: HW: m")
    );
    assert_eq!(line(None, Level::Debug, "m"), format!("{stamp}  Debug: m"));
    assert_eq!(line(None, Level::Normal, "m"), format!("{stamp}  m"));
}

#[test]
fn a_newline_stays_in_one_record_without_a_second_prefix() {
    let log = EventLog::new(LogCapacity::default());
    log.record(Some("HW"), Level::Normal, "a\nb");
    let records = log.tail(None, 10);
    assert_eq!(records.len(), 1);
    assert!(records[0].line().ends_with("  HW: a\nb"));
}

#[test]
fn text_is_cut_at_6143_bytes_with_the_name_and_at_a_character() {
    let record = Record::new(time(), By::Plugin("HW"), Level::Error, &"x".repeat(7000));
    assert_eq!(record.message().len(), "Error: ".len() + MAX_TEXT);
    // "HW: " leaves 6139 bytes; the two-byte letter does not fit half.
    let record = Record::new(time(), By::Plugin("HW"), Level::Normal, &"é".repeat(4000));
    assert_eq!(record.text.len(), 6138);
    let record = Record::new(time(), By::Plugin(&"n".repeat(9000)), Level::Normal, "text");
    assert_eq!(
        (record.hardware.unwrap().len(), record.text.len()),
        (MAX_TEXT, 0)
    );
}

#[test]
fn the_ring_keeps_the_newest_within_both_bounds() {
    let few = EventLog::new(LogCapacity {
        records: 3,
        bytes: 1 << 20,
    });
    (0..10).for_each(|n| few.record(None, Level::Normal, n.to_string()));
    let texts: Vec<_> = few.tail(None, 100).iter().map(|r| r.text.clone()).collect();
    assert_eq!(texts, ["7", "8", "9"]);

    let small = EventLog::new(LogCapacity {
        records: 1000,
        bytes: 4096,
    });
    (0..1000).for_each(|_| small.record(None, Level::Normal, "y".repeat(1000)));
    let kept = small.tail(None, 1000);
    assert!((1..=4).contains(&kept.len()), "{}", kept.len());
    assert!(small.lock().rings.bytes() <= 4096);
}

#[test]
fn tail_gives_what_is_later_and_no_more_than_asked() {
    let log = EventLog::new(LogCapacity::default());
    (0..5).for_each(|n| log.record(None, Level::Normal, n.to_string()));
    let all = log.tail(None, 100);
    assert_eq!(log.tail(None, 2)[0].text, "3");
    let later = log.tail(Some(all[2].time), 100);
    assert!(later.iter().all(|r| r.time > all[2].time));
    assert!(log.tail(Some(all[4].time), 100).is_empty());
}

#[tokio::test]
async fn subscribers_follow_and_a_slow_one_is_told_what_it_missed() {
    let log = EventLog::new(LogCapacity::default());
    let mut follower = log.subscribe();
    log.record(Some("HW"), Level::Normal, "hello");
    assert_eq!(follower.recv().await.unwrap().text, "hello");
    (0..SUBSCRIBER_QUEUE + 5).for_each(|_| log.record(Some("HW"), Level::Normal, "x"));
    let missed = follower.recv().await.unwrap_err();
    assert_eq!(missed, broadcast::error::RecvError::Lagged(5));
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nobody_pushes_out_the_lines_of_others() {
    let log = EventLog::new(LogCapacity {
        records: 1000,
        bytes: 1 << 20,
    });
    log.record(Some("Victim"), Level::Error, "the door was forced");
    log.record(None, Level::Status, "ready");
    for n in 0..50_000 {
        log.record(
            Some("Flood"),
            Level::Normal,
            format!("{n} {}", "x".repeat(n % 6000)),
        );
        // Another name is another ring, and no way out of a share.
        log.record(
            Some(&format!("Flood {}", n % 7)),
            Level::Normal,
            "y".repeat(600),
        );
    }
    let all = log.tail(None, usize::MAX);
    assert!(all.len() <= 1000 && log.lock().rings.bytes() <= 1 << 20);
    assert_eq!(all[0].text, "the door was forced");
    assert_eq!(all[1].text, "ready");
    assert!(all.windows(2).all(|pair| pair[0].time <= pair[1].time));
    // Nor out of an answer that is bounded.
    let few = log.tail(None, 20);
    assert_eq!(few.len(), 20);
    assert_eq!(
        (few[0].text.as_str(), few[1].text.as_str()),
        ("the door was forced", "ready")
    );
    let of = |name: Option<&str>| name.is_some_and(|name| name != "Flood");
    assert!(
        log.select(100, of, |_| true)
            .iter()
            .all(|it| it.hardware.as_deref() != Some("Flood"))
    );
}

#[test]
fn recording_takes_as_long_with_many_writers_as_with_few() {
    let spent = |writers: usize| {
        let log = EventLog::new(LogCapacity {
            records: 2000,
            bytes: 1 << 20,
        });
        let names: Vec<_> = (0..writers).map(|n| format!("HW{n}")).collect();
        let start = crate::account::thread_cpu();
        for n in 0..20_000 {
            log.record(
                names.get(n % writers).map(String::as_str),
                Level::Normal,
                "z".repeat(600),
            );
        }
        crate::account::thread_cpu().saturating_sub(start)
    };
    spent(10);
    let (few, many) = (spent(10), spent(1000));
    assert!(many < few * 8, "{few:?}, {many:?}");
}

#[test]
fn no_record_looks_like_another_one() {
    let text = "x\u{202e}\u{200b}\u{1b}[2K\r2026-01-01 00:00:00.000  Status: ready";
    let stamp = "2025-09-20 10:20:30.045";
    assert_eq!(
        line(Some("H\nW\u{202e}"), Level::Normal, text),
        format!(
            "{stamp}  H\\nW\\u202e: x\\u202e\\u200b\\x1b[2K\\r2026-01-01 00:00:00.000  Status: ready"
        )
    );
    assert_eq!(
        line(None, Level::Error, "a\nb"),
        format!("{stamp}  Error: a\\nb")
    );
    let about = Record::new(time(), By::HubAbout("HW"), Level::Error, "a\nb");
    assert_eq!(about.message(), "Error: HW: a\\nb");
    let core = Record::new(time(), By::PluginInCore("HW"), Level::Status, "c");
    assert_eq!(core.message(), "Status: (HW) c");
}

#[test]
fn the_echo_writes_a_line_for_each_record() {
    let output = Shared::default();
    let log = EventLog::with_echo(LogCapacity::default(), output.clone(), false).unwrap();
    log.record(Some("HW"), Level::Status, "red \u{1b}[31mtext\nsecond");
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(
        written.ends_with("  Status: HW: red \\x1b[31mtext\\nsecond\n"),
        "{written}"
    );
    assert_eq!(written.lines().count(), 1);
}

/// A console that refuses while it is full, as a disk does.
#[derive(Clone, Default)]
struct Disk(Shared, Arc<std::sync::atomic::AtomicBool>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.1.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        // Half a line at times.
        self.0.write(&bytes[..bytes.len().min(100)])
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_nothing_and_its_losses_are_told() {
    let disk = Disk::default();
    let log = EventLog::with_echo(LogCapacity::default(), disk.clone(), false).unwrap();
    let say = |text: &str| {
        log.record(None, Level::Normal, text);
        log.flush_echo(Duration::from_secs(10));
    };
    say("before");
    disk.1.store(true, Ordering::SeqCst);
    for n in 0..500 {
        say(&format!("{n} {}", "x".repeat(1000)));
    }
    let missing = log.echo_dropped();
    assert!((300..500).contains(&missing), "{missing}");
    disk.1.store(false, Ordering::SeqCst);
    let written = || String::from_utf8(disk.0.0.lock().unwrap().clone()).unwrap();
    // Writing is tried again without a further line.
    for _ in 0..100 {
        if written().contains("lines lost here") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    say("after");
    let text = written();
    assert!(text.contains(&format!(
        "\n({missing} lines lost here, they could not be written)\n"
    )));
    assert!(text.ends_with("  after\n"));
    // Nothing is written by halves.
    let whole = |line: &str| line.starts_with('(') || line.starts_with("20");
    assert!(text.lines().all(whole), "{text}");
    // The log has said once that the console refuses.
    assert_eq!(
        text.matches("the console takes no lines: no storage space")
            .count(),
        1
    );
    assert_eq!(
        u64::try_from(text.lines().count()).unwrap(),
        503 - missing + 1
    );
}

#[test]
fn tracebacks_of_two_instances_are_not_interleaved_in_the_output() {
    let output = Shared::default();
    let log = EventLog::with_echo(LogCapacity::default(), output.clone(), false).unwrap();
    for number in 0..20 {
        for name in ["A", "B"] {
            log.record(Some(name), Level::Error, format!("line {number}"));
        }
        log.record(Some("C"), Level::Normal, "between");
    }
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    let writers: Vec<_> = written
        .lines()
        .filter_map(|line| line.split("  Error: ").nth(1)?.get(..1))
        .collect();
    assert_eq!(
        writers,
        ["A"; 20].into_iter().chain(["B"; 20]).collect::<Vec<_>>()
    );
    // The log itself has them as they came, a record each.
    let kept = log.tail(None, 6);
    let kept: Vec<_> = kept
        .iter()
        .map(|it| it.hardware.as_deref().unwrap())
        .collect();
    assert_eq!(kept, ["A", "B", "C", "A", "B", "C"]);
}

#[test]
fn a_terminal_shows_levels_in_their_colours() {
    let output = Shared::default();
    let log = EventLog::with_echo(LogCapacity::default(), output.clone(), true).unwrap();
    for level in [Level::Normal, Level::Warning, Level::Error, Level::Debug] {
        log.record(Some("HW"), level, "text");
    }
    log.record(Some("HW"), Level::Normal, "one\ntwo");
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = written.lines().collect();
    assert!(!lines[0].contains('\u{1b}'), "{written}");
    assert!(written.ends_with("  HW: one\n    | two\n"), "{written}");
    for (line, color, end) in [
        (lines[1], "33", "Warning: HW: text"),
        (lines[2], "31", "Error: HW: text"),
        (lines[3], "90", "Debug: HW: text"),
    ] {
        assert!(line.starts_with(&format!("\u{1b}[{color}m")), "{written}");
        assert!(line.ends_with(&format!("{end}\u{1b}[0m")), "{written}");
    }
}

/// A console that takes nothing until it is told to go on.
struct Stuck(std::sync::mpsc::Receiver<()>, Shared);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stuck_console_delays_nobody_and_its_losses_are_counted() {
    let (release, gate) = std::sync::mpsc::channel();
    let output = Shared::default();
    let stuck = Stuck(gate, output.clone());
    let log = EventLog::with_echo(LogCapacity::default(), stuck, false).unwrap();
    (0..4 * console::QUEUE).for_each(|_| log.record(Some("HW"), Level::Normal, "z".repeat(100)));
    assert!(log.echo_dropped() > 0);
    drop(release);
    let written = || String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    for _ in 0..1000 {
        log.record(None, Level::Normal, "go on");
        // A flush does not wait while the queue is full.
        std::thread::sleep(Duration::from_millis(10));
        log.flush_echo(Duration::from_millis(100));
        if written().contains("lines left out here") {
            return;
        }
    }
    panic!("{}", written());
}

#[test]
fn the_hub_itself_can_be_made_to_write_only_so_much() {
    let log = EventLog::new(LogCapacity::default());
    for n in 0..50_000 {
        log.record(None, Level::Error, format!("line {n}"));
    }
    let written = log.tail(None, usize::MAX).len();
    assert!((2000..3000).contains(&written), "{written}");
    std::thread::sleep(Duration::from_millis(1100));
    log.record(Some("HW"), Level::Normal, "x");
    let last = log.tail(None, 2);
    assert!(
        last[0]
            .text
            .ends_with("lines of the hub were left out; they were too many")
    );
    assert_eq!(last[1].text, "x");
}

#[test]
fn lines_about_strangers_take_no_room_of_the_hubs_own() {
    let log = EventLog::new(LogCapacity {
        records: 100,
        bytes: 1 << 20,
    });
    log.record(None, Level::Status, "ready");
    let flood = (0..10_000).filter(|_| log.record_stranger(Level::Warning, "login refused"));
    let written = flood.count();
    assert!((200..400).contains(&written), "{written}");
    let texts: Vec<_> = log
        .tail(None, 1000)
        .iter()
        .map(|it| it.text.clone())
        .collect();
    assert!(texts.contains(&"ready".to_owned()), "{texts:?}");
    assert!(log.record_client(Level::Normal, "API (ann): still heard"));
}

#[test]
fn clients_that_write_without_end_silence_neither_the_hub_nor_its_past() {
    let log = EventLog::new(LogCapacity {
        records: 100,
        bytes: 1 << 20,
    });
    log.record(None, Level::Status, "ready");
    let flood = (0..10_000).filter(|_| log.record_client(Level::Normal, "API (joe): flood"));
    let written = flood.count();
    assert!((100..1000).contains(&written), "{written}");
    for n in 0..20 {
        log.record(None, Level::Error, format!("own {n}"));
    }
    let texts: Vec<_> = log
        .tail(None, 1000)
        .iter()
        .map(|it| it.text.clone())
        .collect();
    assert!(texts.contains(&"ready".to_owned()), "{texts:?}");
    assert_eq!(
        texts.iter().filter(|text| text.starts_with("own ")).count(),
        20
    );
    // A query for hardware alone finds no line of a client: such lines count as the hub's own.
    let asked = log.select(1000, |hardware| hardware.is_some(), |_| true);
    assert!(asked.is_empty());
}
