//! Protocols `WS` and `WSS` (spec 7.7): the client's side of RFC 6455.
//!
//! Owns the change from HTTP to frames and the bytes that wait for the rest of a
//! frame. Frames are given one by one and nothing is answered: pings and closes
//! are the plugin's. What the server compressed is expanded, because plugins
//! offer `permessage-deflate` without knowing (rule 132).

mod frame;
mod inflate;

use bytes::{Buf, BytesMut};

use super::http::Http;
use super::{CodecError, Credentials, Decoded, HttpInbound, HttpOutbound, Inbound, over_buffer};
pub use frame::{Opcode, WebSocketInbound, WebSocketOutbound};
use inflate::Inflate;

/// How a response begins; no frame of a server does (FIN is off in a close).
const HTTP: &[u8] = b"HTTP";

/// The codec of one connection.
#[derive(Debug)]
pub(super) struct WebSocket {
    buffer: BytesMut,
    http: Http,
    stage: Stage,
    inflate: Option<Box<Inflate>>,
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
        buffers.saturating_add(inflate)
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
    ) -> Result<Vec<u8>, String> {
        self.http.encode(message, credentials)
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
                    let Some(response) = self.http.next(self.buffer.split())? else {
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

    /// Gives a frame if it is complete.
    fn frame(&mut self, out: &mut Decoded) -> Result<bool, CodecError> {
        let Some(header) = frame::header(&self.buffer) else {
            return Ok(false);
        };
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
        out.messages.push(Inbound::WebSocket(WebSocketInbound {
            opcode: header.opcode,
            finish: header.finish,
            mask: header.mask.map(u32::from_be_bytes),
            payload,
        }));
        Ok(true)
    }
}
