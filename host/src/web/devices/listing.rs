//! The rows of an answer, put together piece by piece while it is sent.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::stream::{self, Stream};

use super::board::{Board, Entry};
use super::row;

/// Bytes of a piece; a long row makes a longer one.
pub(in crate::web) const PIECE: usize = 64 << 10;

/// Rows for an answer.
pub(in crate::web) struct Listing {
    board: Board,
    entries: std::vec::IntoIter<Arc<Entry>>,
    /// What is told of each hardware, by its number.
    hardware: HashMap<u32, String>,
    unknown: String,
    /// Where the answer stands.
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// No row is written yet.
    First,
    /// A comma goes before the next row.
    Next,
    /// All is written.
    Done,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.entries.len();
        f.debug_struct("Listing")
            .field("rows", &rows)
            .finish_non_exhaustive()
    }
}

impl Listing {
    /// These rows with what is told of their hardware, as JSON objects.
    pub(super) fn new(
        board: Board,
        entries: Vec<Arc<Entry>>,
        hardware: HashMap<u32, String>,
    ) -> Self {
        Self {
            board,
            entries: entries.into_iter(),
            hardware,
            unknown: row::hardware(None),
            part: Part::First,
        }
    }

    /// Whether there are no rows.
    pub(in crate::web) fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// Bytes of the rows with the commas between them; `None` when some have to be read.
    pub(in crate::web) fn length(&self) -> Option<usize> {
        let mut length = 0_usize;
        for entry in self.entries.as_slice() {
            let texts = entry.texts.as_ref()?;
            let hardware = self.of_hardware(entry.hardware);
            // One of the four braces is a comma between the two objects, one is left out,
            // and a comma goes before each row but the first.
            length = length.saturating_add(texts.json.len() + hardware.len());
        }
        Some(length.saturating_sub(usize::from(!self.is_empty())))
    }

    /// The answer, of which `head` is an object without rows.
    pub(in crate::web) fn pieces(self, head: String) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold((self, head), |(mut listing, head)| async move {
            let piece = listing.piece(head).await?;
            Some((piece, (listing, String::new())))
        })
    }

    /// The next piece; `None` after the last.
    pub(in crate::web) async fn piece(&mut self, head: String) -> Option<Bytes> {
        if self.part == Part::Done {
            return None;
        }
        let mut piece = String::with_capacity(PIECE + (4 << 10));
        if self.part == Part::First && !head.is_empty() {
            piece.push_str(head.strip_suffix('}').unwrap_or(&head));
            piece.push_str(",\"result\":[");
        }
        while piece.len() < PIECE {
            let Some(entry) = self.entries.next() else {
                piece.push_str("]}");
                self.part = Part::Done;
                break;
            };
            match &entry.texts {
                Some(texts) => self.put(&mut piece, &texts.json, entry.hardware),
                None => {
                    // A row that is gone by now, or cannot be read, is left out.
                    let read = self.board.one(entry.id).await.ok().flatten();
                    if let Some(texts) = read.as_ref().and_then(|entry| entry.texts.as_ref()) {
                        self.put(&mut piece, &texts.json, entry.hardware);
                    }
                }
            }
        }
        Some(piece.into())
    }

    fn put(&mut self, piece: &mut String, json: &str, hardware: u32) {
        if self.part == Part::Next {
            piece.push(',');
        }
        self.part = Part::Next;
        piece.push_str(json.strip_suffix('}').unwrap_or(json));
        piece.push(',');
        let hardware = self.of_hardware(hardware);
        piece.push_str(hardware.strip_prefix('{').unwrap_or(hardware));
    }

    fn of_hardware(&self, hardware: u32) -> &str {
        self.hardware.get(&hardware).unwrap_or(&self.unknown)
    }
}
