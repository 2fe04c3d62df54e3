//! The XML dialect of plugin definitions (behaviour spec 1.3), parsed to a tree.
//!
//! Definitions were written for a lenient parser: unquoted attributes, stray
//! ampersands, text after the end. quick-xml finds the tags; attributes, entities
//! and white space follow the old rules here. Text, depth and number of elements are
//! bounded, because a definition comes with code that nobody has reviewed.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use cordon_base::bounds::{
    ATTRIBUTE_BYTES, DEFINITION_ATTRIBUTES, DEFINITION_DEPTH, DEFINITION_ELEMENTS,
    ELEMENT_ATTRIBUTES,
};

/// An element with decoded attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
}

/// A part of an element's content. Text is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

/// Why a definition cannot be read, with the place in it (both from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParseError {
    pub reason: String,
    pub row: usize,
    pub column: usize,
}

impl Element {
    /// The value of an attribute; empty when it is missing (spec 1.4).
    pub(super) fn attribute(&self, name: &str) -> &str {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|child| child.name == name)
    }

    /// The child elements from the first of this name on, whatever the later ones
    /// are called (spec 1.4).
    pub(super) fn starting_at(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.elements().skip_while(move |child| child.name != name)
    }

    /// The child elements, in order.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Compact XML of the element itself and its content.
    pub(super) fn to_xml(&self) -> String {
        let mut xml = String::new();
        self.write(&mut xml);
        xml
    }

    fn write(&self, xml: &mut String) {
        xml.push('<');
        xml.push_str(&self.name);
        for (name, value) in &self.attributes {
            let value = quick_xml::escape::escape(value.as_str());
            xml.push_str(&format!(" {name}=\"{value}\""));
        }
        if self.children.is_empty() {
            xml.push_str(" />");
            return;
        }
        xml.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(xml),
                Node::Text(text) => xml.push_str(&quick_xml::escape::partial_escape(text.as_str())),
            }
        }
        xml.push_str(&format!("</{}>", self.name));
    }
}

/// The root elements of a definition, of which there is at least one.
pub(super) fn parse(xml: &str) -> Result<Vec<Element>, ParseError> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.trim_markup_names_in_closing_tags = false;
    let mut tree = Tree::default();
    loop {
        let step = match reader.read_event() {
            Ok(event) => tree.take(event),
            Err(error) => Err(error.to_string()),
        };
        match step {
            Ok(true) => {}
            Ok(false) => return Ok(tree.finish()),
            Err(reason) => {
                let at = reader.error_position().max(tree.last_good);
                return Err(locate(xml, usize::try_from(at).unwrap_or(0), reason));
            }
        }
        tree.last_good = reader.buffer_position();
    }
}

#[derive(Default)]
struct Tree {
    roots: Vec<Element>,
    /// Elements whose end has not been seen, outermost first.
    open: Vec<Element>,
    text: String,
    elements: usize,
    attributes: usize,
    /// Offset after the last event that was understood.
    last_good: u64,
}

impl Tree {
    /// Takes an event; `false` ends the document.
    fn take(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Text(text) => return self.text(&text.replace('&', "")),
            Event::GeneralRef(entity) => return self.text(&resolve(&entity)),
            Event::CData(text) => self.raw_text(&text),
            Event::Start(start) => return self.start(&start, false),
            Event::Empty(start) => return self.start(&start, true),
            Event::End(_) => self.close(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                self.end_text();
            }
            Event::Eof => return self.end_of_file(),
        }
        Ok(true)
    }

    fn text(&mut self, text: &str) -> Result<bool, String> {
        if !self.open.is_empty() {
            self.text.push_str(text);
            return Ok(true);
        }
        let blank = |c: char| c.is_ascii_whitespace() || c == '\u{feff}';
        match (text.chars().all(blank), self.roots.is_empty()) {
            (true, _) => Ok(true),
            (false, true) => Err("there is text before `<plugin`".to_owned()),
            // The rest of the file after a self-closed element (spec 1.2).
            (false, false) => Ok(false),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<bool, String> {
        self.end_text();
        self.elements += 1;
        if self.elements > DEFINITION_ELEMENTS || self.open.len() >= DEFINITION_DEPTH {
            return Err(format!(
                "the definition has more than {DEFINITION_ELEMENTS} elements or \
                 {DEFINITION_DEPTH} levels"
            ));
        }
        let name = start.name().0;
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err("`<` must be written `&lt;` in text".to_owned());
        }
        let (attributes, complete) = attributes(start.attributes_raw())?;
        self.attributes = self.attributes.saturating_add(attributes.len());
        if self.attributes > DEFINITION_ATTRIBUTES {
            return Err(format!(
                "the definition has more than {DEFINITION_ATTRIBUTES} attributes"
            ));
        }
        self.open.push(Element {
            name: name.to_owned(),
            attributes,
            children: Vec::new(),
        });
        if empty {
            self.close();
        }
        Ok(complete)
    }

    fn raw_text(&mut self, text: &str) {
        self.end_text();
        if let Some(parent) = self.open.last_mut()
            && !text.is_empty()
        {
            parent.children.push(Node::Text(text.to_owned()));
        }
    }

    /// White space is condensed, and dropped next to an element.
    fn end_text(&mut self) {
        let words: Vec<_> = self.text.split_ascii_whitespace().collect();
        if let Some(parent) = self.open.last_mut()
            && !words.is_empty()
        {
            parent.children.push(Node::Text(words.join(" ")));
        }
        self.text.clear();
    }

    fn close(&mut self) {
        self.end_text();
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.roots.push(element),
        }
    }

    fn end_of_file(&self) -> Result<bool, String> {
        match self.open.last() {
            Some(open) => Err(format!("`<{}>` has no end tag", open.name)),
            None if self.roots.is_empty() => Err("the definition is empty".to_owned()),
            None => Ok(false),
        }
    }

    /// Closes the open elements: a duplicate attribute ends a document early (spec 1.3).
    fn finish(mut self) -> Vec<Element> {
        while !self.open.is_empty() {
            self.close();
        }
        self.roots
    }
}

type Attributes = Vec<(String, String)>;

/// The attributes, and whether all were read: the second of two of the same name
/// wins and ends the reading.
fn attributes(raw: &str) -> Result<(Attributes, bool), String> {
    let mut found = Attributes::new();
    let mut rest = raw.trim_start();
    while !rest.is_empty() {
        let ends_name = |c: char| c == '=' || c.is_ascii_whitespace();
        let name = rest.split(ends_name).next().unwrap_or(rest);
        let after = rest.strip_prefix(name).unwrap_or("").trim_start();
        let Some(after) = after.strip_prefix('=').filter(|_| !name.is_empty()) else {
            return Err(format!("attribute `{name}` has no value"));
        };
        let (value, after) = attribute_value(name, after.trim_start())?;
        rest = after.trim_start();
        if value.len() > ATTRIBUTE_BYTES || name.len() > ATTRIBUTE_BYTES {
            return Err(format!(
                "an attribute of an element has more than {ATTRIBUTE_BYTES} bytes"
            ));
        }
        if found.len() >= ELEMENT_ATTRIBUTES {
            return Err(format!(
                "an element has more than {ELEMENT_ATTRIBUTES} attributes"
            ));
        }
        let value = decode(value);
        match found.iter_mut().find(|(seen, _)| seen == name) {
            Some((_, first)) => {
                *first = value;
                return Ok((found, false));
            }
            None => found.push((name.to_owned(), value)),
        }
    }
    Ok((found, true))
}

/// The raw value at the start of `text`, and the text after it.
fn attribute_value<'a>(name: &str, text: &'a str) -> Result<(&'a str, &'a str), String> {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let closed = quoted.split_once(quote);
            return closed.ok_or_else(|| format!("attribute `{name}` has no closing quote"));
        }
    }
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
    let value = text.split(ends).next().unwrap_or("");
    if value.is_empty() {
        return Err(format!("attribute `{name}` has no value"));
    }
    Ok((value, text.strip_prefix(value).unwrap_or("")))
}

/// Text with its entities decoded; a stray ampersand is dropped (rule 6).
fn decode(raw: &str) -> String {
    let mut pieces = raw.split('&');
    let mut text = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        match piece.split_once(';') {
            // 10 characters: the longest entity is `&#x10FFFF;`.
            Some((entity, rest)) if entity.len() <= 10 => {
                text.push_str(&resolve(entity));
                text.push_str(rest);
            }
            _ => text.push_str(piece),
        }
    }
    text
}

/// The text that an entity stands for; an unknown one loses its ampersand only.
fn resolve(entity: &str) -> String {
    let number = match entity.strip_prefix('#') {
        Some(code) => match code.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => code.parse().ok(),
        },
        None => None,
    };
    match (entity, number.and_then(char::from_u32)) {
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("amp", _) => "&".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        (_, Some('\0')) => String::new(),
        (_, Some(character)) => character.to_string(),
        _ => format!("{entity};"),
    }
}

fn locate(xml: &str, offset: usize, reason: String) -> ParseError {
    let before = xml.get(..xml.floor_char_boundary(offset)).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    ParseError {
        reason,
        row: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}
