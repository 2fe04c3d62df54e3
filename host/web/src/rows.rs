//! Rows of an answer, put together while it is sent: never all of them at once.

use futures_util::future::BoxFuture;
use serde_json::Value;

/// Bytes of a piece; a long row makes a longer one.
pub const PIECE: usize = 64 << 10;

/// What is put together piece by piece.
pub trait Pieces: Send + 'static {
    /// Adds to an empty piece until it has [`PIECE`] bytes; `false` when that was all.
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool>;

    /// Bytes that are kept beside the piece until the last one is sent.
    fn weight(&self) -> usize {
        0
    }

    /// Bytes of all pieces together, where they are known.
    fn length(&self) -> Option<usize> {
        None
    }
}

/// Rows of JSON between which there are commas.
#[derive(Debug, Default)]
pub struct Commas {
    begun: bool,
}

impl Commas {
    /// Adds what goes before a row.
    pub fn before(&mut self, piece: &mut String) {
        if std::mem::replace(&mut self.begun, true) {
            piece.push(',');
        }
    }
}

/// Rows that are made one after the other, on a thread that serves nobody else.
pub struct Each<I: Iterator> {
    /// `None` when they cannot be made any more.
    rows: Option<std::iter::Peekable<I>>,
    weight: usize,
    commas: Commas,
}

impl<I: Iterator<Item = Value> + Send + 'static> Each<I> {
    /// These rows; `None` when there are none. `weight` is what they are made of in bytes.
    pub fn of(rows: I, weight: usize) -> Option<Self> {
        let mut rows = rows.peekable();
        rows.peek()?;
        Some(Self {
            rows: Some(rows),
            weight,
            commas: Commas::default(),
        })
    }
}

impl<I> Pieces for Each<I>
where
    I: Iterator<Item = Value> + Send + 'static,
{
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(mut rows) = self.rows.take() else {
                return false;
            };
            let (mut made, mut commas) = (std::mem::take(piece), std::mem::take(&mut self.commas));
            let work = move || {
                while made.len() < PIECE {
                    let Some(row) = rows.next() else { break };
                    commas.before(&mut made);
                    made.push_str(&row.to_string());
                }
                (rows, made, commas)
            };
            let Ok((mut rows, made, commas)) = tokio::task::spawn_blocking(work).await else {
                return false;
            };
            (*piece, self.commas) = (made, commas);
            let more = rows.peek().is_some();
            self.rows = Some(rows);
            more
        })
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

/// Rows with what stands before and after them.
pub struct Framed {
    before: Option<String>,
    rows: Box<dyn Pieces>,
    after: &'static str,
}

impl Framed {
    /// The rows between two texts.
    pub fn new(before: String, rows: Box<dyn Pieces>, after: &'static str) -> Self {
        Self {
            before: Some(before),
            rows,
            after,
        }
    }

    /// The object whose other fields are `head`, an object without rows.
    pub fn result(mut head: String, rows: Box<dyn Pieces>) -> Self {
        if head.ends_with('}') {
            head.pop();
        }
        head.push_str(",\"result\":[");
        Self::new(head, rows, "]}")
    }
}

impl Pieces for Framed {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let before = self.before.take().unwrap_or_default();
            let more = self.rows.fill(piece).await;
            piece.insert_str(0, &before);
            if !more {
                piece.push_str(self.after);
            }
            more
        })
    }

    fn weight(&self) -> usize {
        let before = self.before.as_ref().map_or(0, String::len);
        self.rows.weight().saturating_add(before)
    }

    fn length(&self) -> Option<usize> {
        let before = self.before.as_ref().map_or(0, String::len);
        let around = before.saturating_add(self.after.len());
        Some(self.rows.length()?.saturating_add(around))
    }
}

/// All pieces one after the other, for tests.
pub async fn whole(mut pieces: impl Pieces) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut piece = String::new();
        let more = pieces.fill(&mut piece).await;
        all.push(piece);
        if !more {
            return all;
        }
    }
}
