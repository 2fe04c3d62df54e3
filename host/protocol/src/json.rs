//! Protocol `JSON` (spec 7.3): objects one after the other, found incrementally.
//!
//! The reference cuts at `}{` and counts braces in strings; this is the scanner
//! that the spec suggests instead. Objects may be separated by nothing or white
//! space. What is no object comes as bytes with an error line: arrays when they
//! end, other text when the next object or array starts, or at the close.

use super::{CodecError, Decoded, Inbound, json_text, over_buffer};

/// Nesting beyond this is not parsed: Python's own parser recurses per level,
/// and no device nests deeper.
const MAX_DEPTH: usize = 200;

/// Where the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of any object or array.
    Between,
    /// Inside, outside of strings and comments.
    Value,
    /// Inside a string.
    Text,
    /// After a backslash in a string.
    Escape,
    /// After a slash that may start a comment.
    Slash,
    /// In a comment that ends with the line.
    LineComment,
    /// In a comment that ends with a star and a slash.
    BlockComment,
    /// After a star in such a comment.
    BlockStar,
}

/// The scanner and the text that it has not given away yet.
#[derive(Debug)]
pub(super) struct Json {
    held: Vec<u8>,
    place: Place,
    /// `{` or `[`: only brackets of the outermost kind are counted, so that one
    /// forgotten inner bracket costs one message and not all that follow.
    outer: u8,
    open: usize,
    /// Nesting of brackets of both kinds, now and at most.
    depth: usize,
    deepest: usize,
    max_buffer: usize,
}

impl Json {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            held: Vec::new(),
            place: Place::Between,
            outer: b'{',
            open: 0,
            depth: 0,
            deepest: 0,
            max_buffer,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        for &byte in bytes {
            self.step(byte, out);
            if self.held.len() > self.max_buffer {
                let used = self.held.len() as u64;
                *self = Self::new(self.max_buffer);
                return Err(over_buffer(used, self.max_buffer));
            }
        }
        Ok(())
    }

    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }

    pub(super) fn close(&mut self, out: &mut Decoded) {
        // Not an error: any protocol gives its leftovers as bytes (spec 7).
        if let Some(bytes) = self.take_bytes() {
            out.messages.push(Inbound::Bytes(bytes));
        }
        *self = Self::new(self.max_buffer);
    }

    fn step(&mut self, byte: u8, out: &mut Decoded) {
        if self.place == Place::Between {
            self.between(byte, out);
            return;
        }
        self.held.push(byte);
        match (self.place, byte) {
            (Place::Text, b'\\') => self.place = Place::Escape,
            (Place::Escape, _) => self.place = Place::Text,
            (Place::Text, b'"') => self.place = Place::Value,
            (Place::Text, _) => {}
            (Place::Slash, b'/') => self.place = Place::LineComment,
            (Place::Slash, b'*') => self.place = Place::BlockComment,
            (Place::LineComment, b'\n') => self.place = Place::Value,
            (Place::BlockComment | Place::BlockStar, b'*') => self.place = Place::BlockStar,
            (Place::BlockStar, b'/') => self.place = Place::Value,
            (Place::BlockStar, _) => self.place = Place::BlockComment,
            (Place::LineComment | Place::BlockComment, _) => {}
            (Place::Between | Place::Value | Place::Slash, _) => self.value(byte, out),
        }
    }

    fn between(&mut self, byte: u8, out: &mut Decoded) {
        if matches!(byte, b'{' | b'[') {
            self.give_bytes("no JSON object:", out);
            self.outer = byte;
            self.open = 1;
            self.depth = 1;
            self.deepest = 1;
            self.place = Place::Value;
        } else if self.held.is_empty() && byte.is_ascii_whitespace() {
            return;
        }
        self.held.push(byte);
    }

    fn value(&mut self, byte: u8, out: &mut Decoded) {
        self.place = Place::Value;
        match byte {
            b'"' => self.place = Place::Text,
            b'/' => self.place = Place::Slash,
            b'{' | b'[' => {
                self.open = self.open.saturating_add(usize::from(byte == self.outer));
                self.depth = self.depth.saturating_add(1);
                self.deepest = self.deepest.max(self.depth);
            }
            b'}' | b']' => {
                let counts = (self.outer == b'{') == (byte == b'}');
                self.open = self.open.saturating_sub(usize::from(counts));
                self.depth = self.depth.saturating_sub(1);
                if self.open == 0 {
                    self.complete(out);
                }
            }
            _ => {}
        }
    }

    fn complete(&mut self, out: &mut Decoded) {
        self.place = Place::Between;
        if self.outer == b'[' {
            self.give_bytes("no JSON object but an array:", out);
            return;
        }
        if self.deepest > MAX_DEPTH {
            self.give_bytes("JSON nested too deeply:", out);
            return;
        }
        match json_text::strict(&self.held) {
            Ok(text) => {
                self.held.clear();
                out.messages.push(Inbound::Json(text));
            }
            Err(reason) => self.give_bytes(&format!("JSON not understood, {reason}:"), out),
        }
    }

    /// Gives what is held as bytes and says why.
    fn give_bytes(&mut self, why: &str, out: &mut Decoded) {
        if let Some(bytes) = self.take_bytes() {
            out.problems.push(format!("{why} {}", excerpt(&bytes)));
            out.messages.push(Inbound::Bytes(bytes));
        }
    }

    /// What is held without blanks at its end, unless nothing or a byte order
    /// mark is left (the reference skips that one).
    fn take_bytes(&mut self) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.truncate(bytes.trim_ascii_end().len());
        (!bytes.is_empty() && bytes != "\u{feff}".as_bytes()).then_some(bytes)
    }
}

/// The start of a message for a log line, without control characters.
fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let head = bytes.get(..SHOWN).unwrap_or(bytes);
    let dots = if bytes.len() > SHOWN { "..." } else { "" };
    format!("{}{dots}", head.escape_ascii())
}
