//! The XML of plugin definitions, as a tree that knows its lines.
//!
//! Strict, because the original is: what is not well formed is an error with its line.
//! Document types are skipped and entities other than the five of XML are errors, so
//! nothing outside the text is ever read. Size, depth, number of elements and length of
//! texts are bounded, because a definition comes with code that nobody has reviewed.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::budget::Budget;
use cordon_base::bounds::{TEXT_BYTES, XML_ATTRIBUTES, XML_BYTES, XML_DEPTH, XML_ELEMENTS};

/// An element with decoded attributes and text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// All text directly in it, without white space at its ends.
    pub text: String,
    /// Line of its start tag, from 1.
    pub line: u32,
}

impl Element {
    /// The value of an attribute. Names are compared exactly: real files write
    /// `defaultvalue`, and the original makes nothing of it.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter();
        found
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element as XML again: entities encoded, white space between elements gone.
    pub(super) fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(self.xml_bytes());
        self.write(&mut xml);
        xml
    }

    /// Bytes of that, without writing it: an entity takes six times its character.
    pub(super) fn xml_bytes(&self) -> usize {
        const TAGS: usize = "<></>".len();
        const ATTRIBUTE: usize = " =\"\"".len();
        let attributes = self.attributes.iter().map(|(name, value)| {
            let name = name.len().saturating_add(ATTRIBUTE);
            name.saturating_add(escaped_bytes(value))
        });
        let children = self.children.iter().map(Self::xml_bytes);
        let own = self.name.len().saturating_mul(2).saturating_add(TAGS);
        let own = own.saturating_add(escaped_bytes(&self.text));
        attributes.chain(children).fold(own, usize::saturating_add)
    }

    fn write(&self, xml: &mut String) {
        xml.push('<');
        xml.push_str(&self.name);
        for (name, value) in &self.attributes {
            xml.push(' ');
            xml.push_str(name);
            xml.push_str("=\"");
            xml.push_str(&quick_xml::escape::escape(value.as_str()));
            xml.push('"');
        }
        xml.push('>');
        xml.push_str(&quick_xml::escape::escape(self.text.as_str()));
        for child in &self.children {
            child.write(xml);
        }
        xml.push_str("</");
        xml.push_str(&self.name);
        xml.push('>');
    }

    /// The text of the first child of this name; `None` when it is missing or empty.
    pub(super) fn child_text(&self, name: &str) -> Option<String> {
        let text = self.child(name).map(|child| child.text.clone());
        text.filter(|text| !text.is_empty())
    }
}

/// Bytes of a text with its entities encoded.
fn escaped_bytes(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'<' | b'>' => "&lt;".len(),
        b'&' => "&amp;".len(),
        b'"' | b'\'' => "&quot;".len(),
        _ => 1,
    };
    text.bytes().map(of).fold(0, usize::saturating_add)
}

/// Why a text is no usable XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParseError {
    pub line: u32,
    pub reason: String,
}

/// Parses a document with one root element, as far as the budget goes.
pub(super) fn parse(bytes: &[u8], budget: &Budget) -> Result<Element, ParseError> {
    let whole = |reason: String| ParseError { line: 1, reason };
    if bytes.len() > XML_BYTES {
        return Err(whole(format!(
            "the file has {} bytes; at most {XML_BYTES} are read",
            bytes.len()
        )));
    }
    budget.bytes(bytes.len()).map_err(whole)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        ParseError {
            line: lines(before),
            reason: "this is not UTF-8; save the file as UTF-8".to_owned(),
        }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut tree = Tree {
        line: 1,
        ..Tree::default()
    };
    let mut seen = 0;
    loop {
        let event = reader.read_event();
        let error_at = usize::try_from(reader.error_position()).unwrap_or(seen);
        let step = match event {
            Ok(Event::Eof) => return tree.finish(),
            Ok(event) => tree.take(event, budget),
            Err(error) => {
                let at = error_at.max(seen).min(text.len());
                tree.advance(text, &mut seen, at);
                Err(tree.with_open(error.to_string()))
            }
        };
        step.map_err(|reason| ParseError {
            line: tree.line,
            reason,
        })?;
        let end = usize::try_from(reader.buffer_position()).unwrap_or(seen);
        tree.advance(text, &mut seen, end);
    }
}

fn lines(bytes: &[u8]) -> u32 {
    let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

#[derive(Default)]
struct Tree {
    root: Option<Element>,
    /// Elements whose end has not been seen, outermost first.
    open: Vec<Element>,
    elements: usize,
    /// Line at which the next event starts.
    line: u32,
}

impl Tree {
    /// Moves the line on to the offset `end`.
    fn advance(&mut self, text: &str, seen: &mut usize, end: usize) {
        let passed = text.as_bytes().get(*seen..end).unwrap_or_default();
        self.line = self.line.saturating_add(lines(passed).saturating_sub(1));
        *seen = end.max(*seen);
    }

    fn take(&mut self, event: Event<'_>, budget: &Budget) -> Result<(), String> {
        match event {
            // How the file is laid out between elements.
            Event::Text(text) if text.contains('\n') && text.trim().is_empty() => {
                self.layout();
                Ok(())
            }
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(entity) => {
                let meaning = resolve(&entity)?;
                self.text(&meaning)
            }
            Event::Start(start) => self.start(&start, budget),
            Event::Empty(start) => {
                self.start(&start, budget)?;
                self.close();
                Ok(())
            }
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::Decl(declaration) => encoding(&declaration),
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(parent) if parent.text.len().saturating_add(text.len()) > TEXT_BYTES => {
                return Err(format!(
                    "the text of `<{}>` has more than {TEXT_BYTES} bytes",
                    parent.name
                ));
            }
            Some(parent) => parent.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("text outside of the root element".to_owned()),
        }
        Ok(())
    }

    /// A line break between words, and nothing before the first of them.
    fn layout(&mut self) {
        if let Some(parent) = self.open.last_mut()
            && !parent.text.is_empty()
            && !parent.text.ends_with('\n')
        {
            parent.text.push('\n');
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, budget: &Budget) -> Result<(), String> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(format!(
                "a second root element `<{}>`; a file has one",
                start.name().0
            ));
        }
        self.elements = self.elements.saturating_add(1);
        if self.elements > XML_ELEMENTS {
            return Err(format!("more than {XML_ELEMENTS} elements"));
        }
        if self.open.len() >= XML_DEPTH {
            return Err(format!("more than {XML_DEPTH} levels of elements"));
        }
        let attributes = attributes(start)?;
        budget.nodes(attributes.len().saturating_add(1))?;
        self.open.push(Element {
            name: start.name().0.to_owned(),
            attributes,
            line: self.line,
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(mut element) = self.open.pop() else {
            return;
        };
        let trimmed = element.text.trim();
        if trimmed.len() != element.text.len() {
            element.text = trimmed.to_owned();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn with_open(&self, reason: String) -> String {
        match self.open.last() {
            Some(open) => format!("{reason} (in `<{}>` of line {})", open.name, open.line),
            None => reason,
        }
    }

    fn finish(self) -> Result<Element, ParseError> {
        if let Some(open) = self.open.last() {
            return Err(ParseError {
                line: open.line,
                reason: format!("`<{}>` has no end tag", open.name),
            });
        }
        self.root.ok_or(ParseError {
            line: 1,
            reason: "the file has no element".to_owned(),
        })
    }
}

fn encoding(declaration: &quick_xml::events::BytesDecl<'_>) -> Result<(), String> {
    let Some(Ok(name)) = declaration.encoding() else {
        return Ok(());
    };
    let known = ["utf-8", "utf8", "us-ascii", "ascii"];
    if known.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(format!(
        "the encoding is `{name}`; save the file as UTF-8 and say so"
    ))
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute
            .map_err(|error| format!("an attribute of `<{}>`: {error}", start.name().0))?;
        if found.len() >= XML_ATTRIBUTES {
            return Err(format!("more than {XML_ATTRIBUTES} attributes"));
        }
        let name = attribute.key.0.to_owned();
        if attribute.value.len() > TEXT_BYTES {
            return Err(format!(
                "an attribute of `<{}>` has more than {TEXT_BYTES} bytes",
                start.name().0
            ));
        }
        let value = decode(&attribute.value).map_err(|reason| format!("`{name}`: {reason}"))?;
        found.push((name, value));
    }
    Ok(found)
}

/// An attribute's value with its entities decoded and white space made to blanks.
fn decode(raw: &str) -> Result<String, String> {
    if raw.contains('<') {
        return Err("`<` must be written `&lt;`".to_owned());
    }
    let mut pieces = raw.split('&');
    let mut text = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        let (entity, rest) = piece
            .split_once(';')
            .ok_or_else(|| "`&` must be written `&amp;`".to_owned())?;
        text.push_str(&resolve(entity)?);
        text.push_str(rest);
    }
    Ok(text.replace(['\n', '\r', '\t'], " "))
}

/// What an entity stands for.
fn resolve(entity: &str) -> Result<String, String> {
    let named = match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    };
    let number = entity.strip_prefix('#').and_then(|code| {
        let hexadecimal = code.strip_prefix('x');
        match hexadecimal {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
            None => code.parse().ok(),
        }
    });
    let character = named.or_else(|| number.filter(|n| *n != 0).and_then(char::from_u32));
    character.map(String::from).ok_or_else(|| {
        let short: String = entity.chars().take(20).collect();
        format!(
            "the entity `&{short};` is not known; write the character itself, or `&amp;` for `&`"
        )
    })
}
