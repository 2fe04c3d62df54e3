//! Characters that would not show, or would show elsewhere, made visible.
//!
//! A text of a plugin may hold anything. Control characters drive a terminal, characters
//! that set the direction of text move what stands behind them, and those without width
//! make two names look alike. All of them are written as escapes of Python's kind, so that
//! a line shows what it holds and no line looks like another one.

use std::borrow::Cow;
use std::fmt::Write;

/// What becomes of the newlines in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newlines {
    /// They stay (rule 178).
    Keep,
    /// They are written as `\n`.
    Escape,
}

/// The text with what is invisible in it written as escapes, as far as it is needed for
/// `max` bytes. May be longer than that by one character.
pub(super) fn visible(text: &str, newlines: Newlines, max: usize) -> Cow<'_, str> {
    let hidden = |c: char| is_hidden(c) || (c == '\n' && newlines == Newlines::Escape);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(max));
    let mut before = '\0';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if shown.len() >= max {
            break;
        }
        let after = letters.peek().copied().unwrap_or('\0');
        let line_end = letter == '\r' && after == '\n';
        let joins = is_joiner(letter) && !before.is_ascii() && !after.is_ascii();
        if joins || !hidden(letter) {
            shown.push(letter);
        } else if !line_end {
            escape(letter, &mut shown);
        }
        before = letter;
    }
    Cow::Owned(shown)
}

fn escape(letter: char, into: &mut String) {
    let code = u32::from(letter);
    let written = match letter {
        '\n' => into.write_str("\\n"),
        '\r' => into.write_str("\\r"),
        _ if code <= 0xff => write!(into, "\\x{code:02x}"),
        _ if code <= 0xffff => write!(into, "\\u{code:04x}"),
        _ => write!(into, "\\U{code:08x}"),
    };
    // Writing to a string does not fail.
    debug_assert!(written.is_ok());
}

/// The two that join or part letters of many scripts, and the pictures of emoji. Between
/// such letters they are part of a word.
fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

/// Control characters but tabulators and newlines; separators of lines; and what has no
/// width or sets the direction of text.
fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control() && letter != '\n' && letter != '\t';
    }
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        visible(text, Newlines::Keep, 1000).into_owned()
    }

    #[test]
    fn what_does_not_show_is_written_as_an_escape() {
        assert_eq!(
            kept("red \u{1b}[31m\u{7f}\u{9b}"),
            "red \\x1b[31m\\x7f\\x9b"
        );
        assert_eq!(
            kept("a\u{202e}b\u{2066}c\u{200b}d\u{feff}"),
            "a\\u202eb\\u2066c\\u200bd\\ufeff"
        );
        assert_eq!(
            kept("a\u{2028}b\u{85}c\u{e0041}"),
            "a\\u2028b\\x85c\\U000e0041"
        );
        assert_eq!(kept("over\rwritten"), "over\\rwritten");
    }

    #[test]
    fn what_shows_stays() {
        let text = "one\n\ttwo über 日本 \u{1f600} می\u{200c}خواهم \u{1f468}\u{200d}\u{1f469}";
        assert_eq!(kept(text), text);
        assert_eq!(kept("a\r\nb"), "a\nb");
        // Between letters that need no joiner it is a trick.
        assert_eq!(kept("Kit\u{200d}chen"), "Kit\\u200dchen");
    }

    #[test]
    fn newlines_stay_or_are_escaped() {
        assert_eq!(visible("a\nb\r\nc", Newlines::Escape, 1000), "a\\nb\\nc");
        assert_eq!(visible("a\nb", Newlines::Keep, 1000), "a\nb");
    }

    #[test]
    fn no_more_is_built_than_is_shown() {
        let shown = visible(&"\u{1}".repeat(1 << 20), Newlines::Keep, 100).into_owned();
        assert!(shown.len() <= 110, "{}", shown.len());
    }
}
