//! How the body of a received HTTP message ends, and the chunked coding.
//!
//! Chunk extensions and trailers are dropped (spec 7.5). Each byte is looked at
//! a bounded number of times, whatever the pieces it arrives in.

use bytes::{Buf, BytesMut};

use super::super::{CodecError, over_buffer};

/// Longest line with a chunk's size, extensions included.
const MAX_SIZE_LINE: usize = 1024;

/// Longest line of the trailers, and the most bytes of all of them.
const MAX_TRAILER_LINE: usize = 4 * 1024;
const MAX_TRAILERS: usize = 64 * 1024;

/// What ends a body.
#[derive(Debug)]
pub(super) enum Body {
    /// After this many bytes.
    Length(usize),
    /// With the connection.
    UntilClose,
    /// After the last chunk and its trailers.
    Chunked(Chunked),
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Size,
    Data(usize),
    DataEnd,
    Trailers,
}

/// A chunked body on its way.
#[derive(Debug)]
pub(super) struct Chunked {
    step: Step,
    data: Vec<u8>,
    trailer_bytes: usize,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            step: Step::Size,
            data: Vec::new(),
            trailer_bytes: 0,
        }
    }

    /// Bytes of the body so far.
    pub(super) fn held(&self) -> usize {
        self.data.len()
    }

    /// Bytes of memory for the body so far.
    pub(super) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    /// The body; empty afterwards.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    /// Consumes what it can; true when the body is complete.
    pub(super) fn advance(
        &mut self,
        buffer: &mut BytesMut,
        room: usize,
    ) -> Result<bool, CodecError> {
        loop {
            match self.step {
                Step::Size => {
                    let Some(line) = take_line(buffer, MAX_SIZE_LINE)? else {
                        return Ok(false);
                    };
                    self.step = match chunk_size(&line)? {
                        0 => Step::Trailers,
                        size => Step::Data(self.fits(size, room)?),
                    };
                }
                Step::Data(left) => {
                    let now = left.min(buffer.len());
                    self.data.extend_from_slice(&buffer.split_to(now));
                    if now < left {
                        self.step = Step::Data(left - now);
                        return Ok(false);
                    }
                    self.step = Step::DataEnd;
                }
                Step::DataEnd => match take_line(buffer, 1)? {
                    Some(line) if line.is_empty() => self.step = Step::Size,
                    Some(_) => return Err(malformed("a chunk is longer than its size")),
                    None => return Ok(false),
                },
                Step::Trailers => {
                    let Some(line) = take_line(buffer, MAX_TRAILER_LINE)? else {
                        return Ok(false);
                    };
                    if line.is_empty() {
                        return Ok(true);
                    }
                    self.trailer_bytes = self.trailer_bytes.saturating_add(line.len());
                    if self.trailer_bytes > MAX_TRAILERS {
                        return Err(malformed("the trailers are too long"));
                    }
                }
            }
        }
    }

    fn fits(&self, size: u64, room: usize) -> Result<usize, CodecError> {
        let used = size.saturating_add(self.data.len() as u64);
        match usize::try_from(size) {
            Ok(size) if used <= room as u64 => Ok(size),
            _ => Err(over_buffer(used, room)),
        }
    }
}

/// One line without its end, if it is there; `bound` is its greatest length.
fn take_line(buffer: &mut BytesMut, bound: usize) -> Result<Option<BytesMut>, CodecError> {
    // Two more for CR and LF.
    let searched = buffer.len().min(bound.saturating_add(2));
    let newline = buffer.iter().take(searched).position(|&byte| byte == b'\n');
    let Some(at) = newline else {
        if buffer.len() >= bound.saturating_add(2) {
            return Err(malformed("a line of a chunked body is too long"));
        }
        return Ok(None);
    };
    let mut line = buffer.split_to(at);
    buffer.advance(1);
    if line.last() == Some(&b'\r') {
        line.truncate(line.len().saturating_sub(1));
    }
    Ok(Some(line))
}

fn chunk_size(line: &[u8]) -> Result<u64, CodecError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii();
    let hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| hex)
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| malformed("the size of a chunk makes no sense"))
}

fn malformed(text: &str) -> CodecError {
    CodecError::Malformed(format!("chunked HTTP body: {text}"))
}
