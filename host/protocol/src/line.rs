//! Protocol `Line` (spec 7.2): text that ends with CR, or with CR LF.
//!
//! LF alone ends nothing (rule 106). An LF that follows a CR belongs to it even
//! when another read brings it, which the reference gets wrong. An empty line is
//! no message (rule 107).

use super::{CodecError, Decoded, Inbound, over_buffer};

/// The line that is being received.
#[derive(Debug)]
pub(super) struct Line {
    partial: Vec<u8>,
    /// The last byte was a CR: an LF right now belongs to it.
    after_cr: bool,
    max_buffer: usize,
}

impl Line {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            partial: Vec::new(),
            after_cr: false,
            max_buffer,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        let mut pieces = bytes.split(|&byte| byte == b'\r').peekable();
        while let Some(piece) = pieces.next() {
            self.take(piece)?;
            // A piece that another one follows was ended by a CR.
            if pieces.peek().is_some() {
                self.close(out);
                self.after_cr = true;
            }
        }
        Ok(())
    }

    pub(super) fn held(&self) -> usize {
        self.partial.capacity()
    }

    pub(super) fn close(&mut self, out: &mut Decoded) {
        if !self.partial.is_empty() {
            out.messages
                .push(Inbound::Bytes(std::mem::take(&mut self.partial)));
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), CodecError> {
        if piece.is_empty() {
            return Ok(());
        }
        let piece = match piece.strip_prefix(b"\n") {
            Some(rest) if self.after_cr => rest,
            _ => piece,
        };
        self.after_cr = false;
        let used = self.partial.len().saturating_add(piece.len());
        if used > self.max_buffer {
            self.partial = Vec::new();
            return Err(over_buffer(used as u64, self.max_buffer));
        }
        self.partial.extend_from_slice(piece);
        Ok(())
    }
}
