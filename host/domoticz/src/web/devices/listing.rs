//! Rows of devices for an answer.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;

use super::board::{Board, Entry};
use super::row;
use cordon_web::rows::{Commas, PIECE, Pieces};

/// Bytes of the rows of an answer whose length is told. Its rows stay as they are until
/// they are sent; those of a longer one are forgotten when they change.
const HELD: usize = 512 << 10;

/// Rows for an answer.
pub(in crate::web) struct Listing {
    board: Board,
    rows: std::vec::IntoIter<Listed>,
    /// The fields about each hardware, by its number.
    hardware: HashMap<u32, String>,
    unknown: String,
    commas: Commas,
    length: Option<usize>,
    /// The rows of an answer whose length is told.
    _held: Vec<Arc<Entry>>,
}

/// A row that is to be sent. Whoever reads slowly holds no texts that nobody else has.
pub(in crate::web) struct Listed {
    id: i64,
    hardware: u32,
    entry: Weak<Entry>,
}

impl Listed {
    pub(in crate::web) fn of(entry: &Arc<Entry>) -> Self {
        Self {
            id: entry.id,
            hardware: entry.hardware,
            entry: Arc::downgrade(entry),
        }
    }

    /// The row with its texts, read again where they are not kept. One that is gone by
    /// now, or cannot be read, is left out.
    pub(in crate::web) async fn entry(&self, board: &Board) -> Option<Arc<Entry>> {
        let kept = self.entry.upgrade();
        match kept.filter(|entry| entry.texts.is_some()) {
            Some(entry) => Some(entry),
            None => board.one(self.id).await.ok().flatten(),
        }
    }
}

impl Listing {
    /// These rows with the fields about their hardware, as JSON objects.
    pub(super) fn new(
        board: Board,
        entries: Vec<Arc<Entry>>,
        hardware: HashMap<u32, String>,
    ) -> Self {
        let rows: Vec<_> = entries.iter().map(Listed::of).collect();
        let mut listing = Self {
            board,
            rows: rows.into_iter(),
            hardware,
            unknown: row::hardware(None),
            commas: Commas::default(),
            length: None,
            _held: Vec::new(),
        };
        let length = listing.measure(&entries).filter(|length| *length <= HELD);
        if length.is_some() {
            listing.length = length;
            listing._held = entries;
        }
        listing
    }

    /// Whether there are no rows.
    pub(in crate::web) fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// Bytes of the rows with the commas between them; `None` when some have to be read.
    fn measure(&self, entries: &[Arc<Entry>]) -> Option<usize> {
        let mut length = 0_usize;
        for entry in entries {
            let texts = entry.texts.as_ref()?;
            let hardware = self.of_hardware(entry.hardware);
            // One of the four braces is a comma between the two objects, one is left out,
            // and a comma goes before each row but the first.
            length = length.saturating_add(texts.json.len() + hardware.len());
        }
        Some(length.saturating_sub(usize::from(!entries.is_empty())))
    }

    fn put(&mut self, piece: &mut String, json: &str, hardware: u32) {
        self.commas.before(piece);
        piece.push_str(json.strip_suffix('}').unwrap_or(json));
        piece.push(',');
        let hardware = self.of_hardware(hardware);
        piece.push_str(hardware.strip_prefix('{').unwrap_or(hardware));
    }

    fn of_hardware(&self, hardware: u32) -> &str {
        self.hardware.get(&hardware).unwrap_or(&self.unknown)
    }
}

impl Pieces for Listing {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            while piece.len() < PIECE {
                let Some(row) = self.rows.next() else {
                    return false;
                };
                let entry = row.entry(&self.board).await;
                if let Some(texts) = entry.as_ref().and_then(|entry| entry.texts.as_ref()) {
                    self.put(piece, &texts.json, row.hardware);
                }
            }
            self.rows.len() > 0
        })
    }

    fn weight(&self) -> usize {
        let rows = self.rows.len().saturating_mul(size_of::<Listed>());
        rows.saturating_add(self.length.unwrap_or(0))
    }

    fn length(&self) -> Option<usize> {
        self.length
    }
}
