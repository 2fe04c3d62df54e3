//! Protocol `XML` (spec 7.4): elements one after the other, found incrementally.
//!
//! The reference looks for the literal end tag and swallows a byte behind it;
//! this is the tokenizer that the spec suggests instead. Only elements called as
//! the outermost one are counted, so an inner tag that a device forgot to close
//! costs nothing. What is outside of elements is dropped.

use super::{CodecError, Decoded, Inbound, over_buffer};

/// Where the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of any tag.
    Text,
    /// After `<`.
    Less,
    /// In a tag that starts an element, outside of quotes.
    Start,
    /// In a quoted value of such a tag; the byte is the quote.
    Quoted(u8),
    /// In a tag that ends an element.
    End,
    /// In `<? ... ?>`, after a question mark or not.
    Instruction(bool),
    /// After `<!` and what is not yet a comment, CDATA or a declaration.
    Bang,
    /// In a comment, after this many dashes.
    Comment(u8),
    /// In CDATA, after this many closing brackets.
    Cdata(u8),
    /// In a declaration such as DOCTYPE, inside of this many brackets.
    Declaration(u32),
}

/// The scanner and the element that it has not given away yet.
#[derive(Debug)]
pub(super) struct Xml {
    held: Vec<u8>,
    place: Place,
    /// Where in `held` the tag begins that is being read.
    tag: usize,
    /// Name of the outermost element; empty outside of it.
    root: Vec<u8>,
    /// Elements of that name that are open.
    open: usize,
    max_buffer: usize,
}

impl Xml {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            held: Vec::new(),
            place: Place::Text,
            tag: 0,
            root: Vec::new(),
            open: 0,
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
        self.held.capacity().saturating_add(self.root.capacity())
    }

    /// Gives an element that was cut short as bytes (spec 7).
    pub(super) fn close(&mut self, out: &mut Decoded) {
        if !self.held.is_empty() {
            let left = std::mem::take(&mut self.held);
            out.messages.push(Inbound::Bytes(left));
        }
        *self = Self::new(self.max_buffer);
    }

    fn step(&mut self, byte: u8, out: &mut Decoded) {
        match self.place {
            Place::Text => return self.text(byte),
            Place::Less => return self.less(byte),
            _ => self.held.push(byte),
        }
        match (self.place, byte) {
            (Place::Start, b'"' | b'\'') => self.place = Place::Quoted(byte),
            (Place::Quoted(quote), _) if byte == quote => self.place = Place::Start,
            (Place::Start, b'>') => self.start_tag(out),
            (Place::End, b'>') => self.end_tag(out),
            (Place::Instruction(true), b'>') => self.skipped(),
            (Place::Instruction(_), _) => self.place = Place::Instruction(byte == b'?'),
            (Place::Bang, _) => self.bang(byte),
            (Place::Comment(2..), b'>') | (Place::Cdata(2..), b'>') => self.skipped(),
            (Place::Comment(dashes), b'-') => {
                self.place = Place::Comment(dashes.saturating_add(1));
            }
            (Place::Comment(_), _) => self.place = Place::Comment(0),
            (Place::Cdata(brackets), b']') => {
                self.place = Place::Cdata(brackets.saturating_add(1));
            }
            (Place::Cdata(_), _) => self.place = Place::Cdata(0),
            (Place::Declaration(0), b'>') => self.skipped(),
            (Place::Declaration(depth), b'[') => {
                self.place = Place::Declaration(depth.saturating_add(1));
            }
            (Place::Declaration(depth), b']') => {
                self.place = Place::Declaration(depth.saturating_sub(1));
            }
            _ => {}
        }
    }

    fn text(&mut self, byte: u8) {
        if byte == b'<' {
            self.tag = self.held.len();
            self.place = Place::Less;
        } else if self.root.is_empty() {
            return;
        }
        self.held.push(byte);
    }

    /// What kind of tag it is; a `<` that starts none is text.
    fn less(&mut self, byte: u8) {
        self.place = match byte {
            b'/' => Place::End,
            b'?' => Place::Instruction(false),
            b'!' => Place::Bang,
            b'<' | b'>' | b'=' | b' ' | b'\t' | b'\r' | b'\n' => {
                if self.root.is_empty() {
                    self.held.clear();
                }
                self.place = Place::Text;
                return self.text(byte);
            }
            _ => Place::Start,
        };
        self.held.push(byte);
    }

    fn bang(&mut self, byte: u8) {
        let begun = self.held.get(self.tag..).unwrap_or_default();
        self.place = match begun {
            b"<!--" => Place::Comment(0),
            b"<![CDATA[" => Place::Cdata(0),
            _ if b"<!--".starts_with(begun) || b"<![CDATA[".starts_with(begun) => return,
            _ if byte == b'>' => return self.skipped(),
            _ if byte == b'[' => Place::Declaration(1),
            _ => Place::Declaration(0),
        };
    }

    fn start_tag(&mut self, out: &mut Decoded) {
        let tag = self.held.get(self.tag..).unwrap_or_default();
        let name = name(tag.get(1..).unwrap_or_default()).to_vec();
        let empty = tag.ends_with(b"/>");
        if self.root.is_empty() {
            self.root = name;
            self.open = 1;
        } else if self.root == name {
            self.open = self.open.saturating_add(1);
        } else {
            return self.skipped();
        }
        if empty {
            self.closed(out);
        } else {
            self.place = Place::Text;
        }
    }

    fn end_tag(&mut self, out: &mut Decoded) {
        let tag = self.held.get(self.tag..).unwrap_or_default();
        let of_root = name(tag.get(2..).unwrap_or_default()) == self.root;
        if of_root && !self.root.is_empty() {
            self.closed(out);
        } else {
            self.skipped();
        }
    }

    /// An element called as the outermost one has ended.
    fn closed(&mut self, out: &mut Decoded) {
        self.place = Place::Text;
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.root.clear();
            let message = std::mem::take(&mut self.held);
            out.messages.push(Inbound::Bytes(message));
        }
    }

    /// A tag that changes nothing has ended; outside of elements it is dropped.
    fn skipped(&mut self) {
        self.place = Place::Text;
        if self.root.is_empty() {
            self.held.clear();
        }
    }
}

/// The name at the start of a tag's inside.
fn name(inside: &[u8]) -> &[u8] {
    let end = inside
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    inside
        .get(..end.unwrap_or(inside.len()))
        .unwrap_or_default()
}
