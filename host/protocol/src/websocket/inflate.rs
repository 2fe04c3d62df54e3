//! `permessage-deflate` (RFC 7692), received only: what is sent is never compressed,
//! which the extension allows.

use flate2::{Decompress, FlushDecompress, Status};

use super::super::{CodecError, HttpInbound, over_buffer};
use super::frame::{Header, Opcode};

/// What a sender leaves out at the end of each message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Memory of an expansion: its window and its tables.
pub(super) const STATE: usize = 48 * 1024;

/// Bytes that are expanded at a time.
const STEP: usize = 16 * 1024;

/// The expansion of one connection's messages.
#[derive(Debug)]
pub(super) struct Inflate {
    state: Decompress,
    /// Whether the message that is being received is compressed.
    active: bool,
    /// Whether each message stands alone.
    forget: bool,
    max_buffer: usize,
}

impl Inflate {
    /// Ready for a server that agreed to compress.
    pub(super) fn agreed(response: &HttpInbound, max_buffer: usize) -> Option<Self> {
        let mut extensions = response
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"))
            .flat_map(|(_, values)| values.iter().flat_map(|value| value.split(',')));
        let chosen = extensions.find(|it| parts(it).next() == Some("permessage-deflate"))?;
        Some(Self {
            state: Decompress::new(false),
            active: false,
            forget: parts(chosen).any(|part| part == "server_no_context_takeover"),
            max_buffer,
        })
    }

    /// The payload of a frame, expanded if it is part of a compressed message.
    ///
    /// # Errors
    ///
    /// More bytes than the connection may hold, or no compressed data.
    pub(super) fn frame(
        &mut self,
        header: &Header,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, CodecError> {
        match header.opcode {
            Opcode::Text | Opcode::Binary => self.active = header.compressed,
            Opcode::Continuation => {}
            _ => return Ok(payload),
        }
        if !self.active {
            return Ok(payload);
        }
        let mut out = Vec::new();
        self.expand(&payload, &mut out)?;
        if header.finish {
            self.expand(&TAIL, &mut out)?;
            self.active = false;
            if self.forget {
                self.state.reset(false);
            }
        }
        Ok(out)
    }

    fn expand(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
        loop {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let mut step = [0; STEP];
            let status = self
                .state
                .decompress(input, &mut step, FlushDecompress::Sync)
                .map_err(|error| malformed(&error.to_string()))?;
            let taken = between(read, self.state.total_in());
            let made = between(written, self.state.total_out());
            input = input.get(taken..).unwrap_or_default();
            out.extend_from_slice(step.get(..made).unwrap_or_default());
            if out.len() > self.max_buffer {
                return Err(over_buffer(out.len() as u64, self.max_buffer));
            }
            match status {
                // A sender may end its stream with a message and begin another.
                Status::StreamEnd => self.state.reset(false),
                _ if taken == 0 && made == 0 => return Ok(()),
                _ => {}
            }
            if input.is_empty() && made < STEP {
                return Ok(());
            }
        }
    }
}

fn between(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn parts(extension: &str) -> impl Iterator<Item = &str> {
    extension.split(';').map(str::trim)
}

fn malformed(why: &str) -> CodecError {
    CodecError::Malformed(format!("a compressed WebSocket message: {why}"))
}
