//! Property lists from strangers: bounded in depth, in number of values and in bytes.
//!
//! A binary list may name one object many times, so a small file can stand for an
//! endless tree, or for one long text a thousand times; and the usual tree type is built and dropped recursively. What is read
//! here is counted while it is read.

use std::cell::Cell;
use std::fmt;
use std::io::Cursor;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use cordon_base::bounds::{INFO_DEPTH, INFO_TEXT, INFO_VALUES};

/// A value of a property list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Integer(i64),
    Real(f64),
    Array(Vec<Node>),
    Dictionary(Vec<(String, Node)>),
    /// Booleans, dates and data: nothing here needs them.
    Other,
}

impl Node {
    /// The value of a key, of the last one where there are several; `None` for what is
    /// no dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Self::Dictionary(entries) = self else {
            return None;
        };
        let mut entries = entries.iter().rev();
        entries
            .find(|(found, _)| found == key)
            .map(|(_, value)| value)
    }
}

/// Reads a property list, XML or binary.
pub(super) fn read(bytes: &[u8]) -> Result<Node, String> {
    let root: Root = plist::from_reader(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    Ok(root.0)
}

struct Root(Node);

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let left = Left {
            values: Cell::new(INFO_VALUES),
            bytes: Cell::new(INFO_TEXT),
        };
        let seed = Seed {
            left: &left,
            depth: 0,
        };
        seed.deserialize(deserializer).map(Root)
    }
}

/// What may still be read.
struct Left {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

/// A value that is to be read, and how deep it lies.
#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Left,
    depth: usize,
}

impl Seed<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth >= INFO_DEPTH {
            return Err(E::custom(format!("nested more than {INFO_DEPTH} deep")));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            ..self
        })
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.values.get().checked_sub(1);
        let left = left.ok_or_else(|| E::custom(format!("more than {INFO_VALUES} values")))?;
        self.left.values.set(left);
        Ok(())
    }

    fn bytes<E: Error>(self, count: usize) -> Result<(), E> {
        let left = self.left.bytes.get().checked_sub(count);
        let left =
            left.ok_or_else(|| E::custom(format!("more than {INFO_TEXT} bytes of texts")))?;
        self.left.bytes.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a property list")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.bytes(value.len())?;
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Other, Node::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Real(value))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Node, E> {
        self.bytes(value.len())?;
        Ok(Node::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(inside)? {
            // What a value takes itself.
            self.bytes(size_of::<Node>())?;
            values.push(value);
        }
        Ok(Node::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            self.count()?;
            self.bytes(key.len())?;
            entries.push((key, access.next_value_seed(inside)?));
        }
        Ok(Node::Dictionary(entries))
    }
}
