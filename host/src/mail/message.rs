//! A letter as it travels: headers and text (RFC 5322, RFC 2045, RFC 2047).
//!
//! Everything that is not plain ASCII is encoded, and so is the whole text, so nothing that
//! a plugin writes becomes a header or the end of the letter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Zoned;

use super::{Address, Letter};

/// Bytes of text in one encoded word; a line of a header has 78 characters at most.
const WORD: usize = 42;

/// Longest subject that goes as it is, and longest of all, in bytes.
const SHORT: usize = 60;
const LONGEST_SUBJECT: usize = 1000;

/// Columns of encoded text.
const COLUMNS: usize = 76;

/// The letter with all its headers; lines end with CR LF, none begins with a full stop.
pub(super) fn text(from: &Address, letter: &Letter, now: &Zoned, number: u64) -> String {
    let to: Vec<_> = letter.to.iter().map(Address::as_str).collect();
    let date = jiff::fmt::rfc2822::to_string(now).unwrap_or_default();
    let mut text = String::new();
    for (name, value) in [
        ("From", from.as_str().to_owned()),
        // One to a line, so that none gets too long.
        ("To", to.join(",\r\n ")),
        ("Subject", subject(&letter.subject)),
        ("Date", date),
        (
            "Message-ID",
            format!(
                "<{}.{number}@{}>",
                now.timestamp().as_nanosecond(),
                from.domain()
            ),
        ),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ] {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let lines: Vec<_> = letter.body.lines().collect();
    let encoded = STANDARD.encode(lines.join("\r\n") + "\r\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.floor_char_boundary(COLUMNS));
        text.push_str(line);
        text.push_str("\r\n");
        rest = next;
    }
    text
}

fn subject(subject: &str) -> String {
    let space = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = subject.chars().map(space).collect();
    let end = line.floor_char_boundary(LONGEST_SUBJECT);
    let line = line.get(..end).unwrap_or_default().trim();
    if line.is_ascii() && line.len() <= SHORT && !line.contains("=?") {
        return line.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (word, next) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = next;
    }
    words.join("\r\n ")
}
