use super::*;

fn time() -> Timestamp {
    "2025-09-20T10:20:30.0456Z".parse().unwrap()
}

fn line(hardware: Option<&str>, level: Level, text: &str) -> String {
    Record::new(time(), hardware, level, text).line_in(TimeZone::UTC)
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
    let record = Record::new(time(), Some("HW"), Level::Error, &"x".repeat(7000));
    assert_eq!(record.message().len(), "Error: ".len() + MAX_TEXT);
    // "HW: " leaves 6139 bytes; the two-byte letter does not fit half.
    let record = Record::new(time(), Some("HW"), Level::Normal, &"é".repeat(4000));
    assert_eq!(record.text.len(), 6138);
    let record = Record::new(time(), Some(&"n".repeat(9000)), Level::Normal, "text");
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
    assert!(small.lock().bytes <= 4096);
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
    (0..SUBSCRIBER_QUEUE + 5).for_each(|_| log.record(None, Level::Normal, "x"));
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
fn the_echo_writes_whole_lines_without_control_characters() {
    let output = Shared::default();
    let log = EventLog::with_echo(LogCapacity::default(), output.clone(), false).unwrap();
    log.record(Some("HW"), Level::Status, "red \u{1b}[31mtext\nsecond");
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(
        written.ends_with("  Status: HW: red \u{fffd}[31mtext\n    second\n"),
        "{written}"
    );
}

#[test]
fn a_terminal_shows_levels_in_their_colours() {
    let output = Shared::default();
    let log = EventLog::with_echo(LogCapacity::default(), output.clone(), true).unwrap();
    for level in [Level::Normal, Level::Warning, Level::Error, Level::Debug] {
        log.record(Some("HW"), level, "text");
    }
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = written.lines().collect();
    assert!(!lines[0].contains('\u{1b}'), "{written}");
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
    (0..4 * ECHO_QUEUE).for_each(|_| log.record(None, Level::Normal, "z".repeat(100)));
    let dropped = log.echo_dropped();
    assert!(dropped > 0);
    drop(release);
    while log
        .inner
        .echo
        .as_ref()
        .unwrap()
        .dropped
        .load(Ordering::Relaxed)
        > 0
    {
        log.flush_echo(Duration::from_millis(100));
    }
    log.flush_echo(Duration::from_secs(10));
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("lines left out here"));
}
