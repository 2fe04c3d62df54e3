//! Protocols `WS` and `WSS` (spec 7.7): the client's side of RFC 6455.
//!
//! Changes from HTTP to frames and holds the bytes that wait for the rest of a frame. Fragments are
//! joined (rule 197), and nothing is answered: pings and closes are the plugin's. Compressed messages
//! of the server are expanded, because plugins offer `permessage-deflate` without knowing
//! (rule 132).

mod frame;
mod inflate;

use bytes::{Buf, BytesMut};

use super::http::Http;
use super::{CodecError, Credentials, Decoded, HttpInbound, HttpOutbound, Inbound, over_buffer};
pub use frame::{Opcode, WebSocketInbound, WebSocketOutbound};
use inflate::Inflate;

/// Longest length of a frame: the first bit of the 64 is 0 (RFC 6455, 5.2).
const LONGEST: u64 = u64::MAX >> 1;

/// How a response begins; no frame of a server does (FIN is off in a close).
const HTTP: &[u8] = b"HTTP";

/// The codec of one connection.
#[derive(Debug)]
pub(super) struct WebSocket {
    buffer: BytesMut,
    http: Http,
    stage: Stage,
    inflate: Option<Box<Inflate>>,
    /// The message whose last fragment has not come.
    open: Option<WebSocketInbound>,
    max_buffer: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Frames, or a response if one begins.
    Either,
    /// A response.
    Response,
    /// The server has changed the protocol.
    Frames,
}

impl WebSocket {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            http: Http::new(max_buffer),
            stage: Stage::Either,
            inflate: None,
            open: None,
            max_buffer,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        self.buffer.extend_from_slice(bytes);
        let result = self.advance(out);
        if result.is_err() {
            *self = Self::new(self.max_buffer);
        }
        result
    }

    pub(super) fn held(&self) -> usize {
        let inflate = self.inflate.as_ref().map_or(0, |_| inflate::STATE);
        let buffers = self.buffer.capacity().saturating_add(self.http.held());
        let open = self.open.as_ref().map_or(0, |it| it.payload.capacity());
        buffers.saturating_add(inflate).saturating_add(open)
    }

    /// A response without length is complete now; half a frame is dropped.
    pub(super) fn close(&mut self, out: &mut Decoded) {
        self.http.close(out);
        *self = Self::new(self.max_buffer);
    }

    pub(super) fn encode_request(
        &mut self,
        message: &HttpOutbound,
        credentials: &Credentials,
        product: &str,
    ) -> Result<Vec<u8>, String> {
        self.http.encode(message, credentials, product)
    }

    pub(super) fn encode(&mut self, message: &WebSocketOutbound) -> Result<Vec<u8>, String> {
        frame::write(message)
    }

    fn advance(&mut self, out: &mut Decoded) -> Result<(), CodecError> {
        loop {
            match self.stage {
                Stage::Either => {
                    let seen = self.buffer.len().min(HTTP.len());
                    let begun = self.buffer.get(..seen).unwrap_or_default();
                    if !HTTP.starts_with(begun) {
                        if !self.frame(out)? {
                            return Ok(());
                        }
                    } else if seen == HTTP.len() {
                        self.stage = Stage::Response;
                    } else {
                        return Ok(());
                    }
                }
                Stage::Response => {
                    let response = self.http.next(self.buffer.split(), out)?;
                    let Some(response) = response else {
                        return Ok(());
                    };
                    self.buffer = self.http.take_rest();
                    self.stage = match response.status.as_deref() {
                        Some("101") => Stage::Frames,
                        _ => Stage::Either,
                    };
                    self.inflate = self.agreed(&response);
                    out.messages.push(Inbound::Http(response));
                }
                Stage::Frames => {
                    if !self.frame(out)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn agreed(&self, response: &HttpInbound) -> Option<Box<Inflate>> {
        if self.stage != Stage::Frames {
            return None;
        }
        Inflate::agreed(response, self.max_buffer).map(Box::new)
    }

    /// Takes a frame if it is complete.
    fn frame(&mut self, out: &mut Decoded) -> Result<bool, CodecError> {
        let Some(header) = frame::header(&self.buffer) else {
            return Ok(false);
        };
        if header.length > LONGEST {
            // Rule 198. Its header alone, so that it does not matter how the bytes were read.
            let text = "the length of a WebSocket frame makes no sense; the frame is dropped";
            out.problems.push(text.to_owned());
            self.buffer.advance(header.size);
            self.open = None;
            return Ok(true);
        }
        if header.length > self.max_buffer as u64 {
            return Err(over_buffer(header.length, self.max_buffer));
        }
        // Not more than the bound, so it fits.
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if self.buffer.len() < header.size.saturating_add(length) {
            return Ok(false);
        }
        self.buffer.advance(header.size);
        let mut payload = self.buffer.split_to(length).to_vec();
        header.unmask(&mut payload);
        if let Some(inflate) = &mut self.inflate {
            payload = inflate.frame(&header, payload)?;
        }
        if header.opcode == Opcode::Other {
            let number = header.number;
            out.problems
                .push(format!("a WebSocket frame of unknown kind {number}"));
        }
        let frame = WebSocketInbound {
            opcode: header.opcode,
            finish: header.finish,
            mask: header.mask.map(u32::from_be_bytes),
            payload,
        };
        match header.opcode {
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.join(frame, out)?,
            // These may stand between the fragments of a message.
            _ => out.messages.push(Inbound::WebSocket(frame)),
        }
        Ok(true)
    }

    /// Gives a message when its last fragment is there.
    fn join(&mut self, frame: WebSocketInbound, out: &mut Decoded) -> Result<(), CodecError> {
        let continues = frame.opcode == Opcode::Continuation;
        let mut message = match (self.open.take(), continues) {
            (None, false) => frame,
            (Some(mut message), true) => {
                let length = message.payload.len().saturating_add(frame.payload.len());
                if length > self.max_buffer {
                    return Err(over_buffer(length as u64, self.max_buffer));
                }
                message.payload.extend(frame.payload);
                message.finish = frame.finish;
                message
            }
            (former, _) => {
                // Rule 198.
                let text = match former {
                    Some(_) => "a WebSocket message begins inside of another; both are dropped",
                    None => "a WebSocket frame continues no message and is dropped",
                };
                out.problems.push(text.to_owned());
                return Ok(());
            }
        };
        if message.finish {
            message.payload.shrink_to_fit();
            out.messages.push(Inbound::WebSocket(message));
        } else {
            self.open = Some(message);
        }
        Ok(())
    }
}
