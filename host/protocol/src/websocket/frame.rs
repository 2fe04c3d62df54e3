//! WebSocket frames: the header's format is tungstenite's.

use std::io::Cursor;

use bytes::Bytes;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

/// Longest header: two bytes, eight of the length, four of the mask.
const LONGEST: usize = 14;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with the message of the frame before.
    Continuation,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// A number without meaning; received only.
    Other,
}

/// A received frame (`websocket-inbound` of the contract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketInbound {
    /// What it is.
    pub opcode: Opcode,
    /// Whether it is the last of its message.
    pub finish: bool,
    /// The mask, if there was one; the payload is without it.
    pub mask: Option<u32>,
    /// The payload, expanded if it was compressed.
    pub payload: Vec<u8>,
}

/// A frame to send (`websocket-outbound` of the contract); always a whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketOutbound {
    /// What it is.
    pub opcode: Opcode,
    /// The mask, which servers demand and plugins give.
    pub mask: Option<u32>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The head of a received frame.
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// The opcode as received.
    pub(super) number: u8,
    pub(super) finish: bool,
    pub(super) compressed: bool,
    pub(super) mask: Option<[u8; 4]>,
    /// Bytes of the header.
    pub(super) size: usize,
    /// Bytes of the payload.
    pub(super) length: u64,
}

impl Header {
    pub(super) fn unmask(&self, payload: &mut [u8]) {
        if let Some(mask) = self.mask {
            for (byte, mask) in payload.iter_mut().zip(mask.into_iter().cycle()) {
                *byte ^= mask;
            }
        }
    }
}

/// The header at the start of the bytes, if it is complete.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let mut head = [0; LONGEST];
    let known = bytes.len().min(LONGEST);
    let head = head.get_mut(..known)?;
    head.copy_from_slice(bytes.get(..known)?);
    let first = head.first_mut()?;
    let number = *first & 0x0f;
    let opcode = opcode_of(number);
    if opcode == Opcode::Other {
        // The library refuses it before it tells the length.
        *first = (*first & 0xf0) | 2;
    }
    let mut cursor = Cursor::new(&*head);
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    Some(Header {
        opcode,
        number,
        finish: header.is_final,
        compressed: header.rsv1,
        mask: header.mask,
        size: usize::try_from(cursor.position()).unwrap_or(usize::MAX),
        length,
    })
}

/// Writes a frame.
///
/// # Errors
///
/// The text for the plugin's log; writing to memory cannot fail.
pub(super) fn write(message: &WebSocketOutbound) -> Result<Vec<u8>, String> {
    let header = FrameHeader {
        is_final: true,
        opcode: match message.opcode {
            Opcode::Continuation => OpCode::Data(Data::Continue),
            Opcode::Text => OpCode::Data(Data::Text),
            Opcode::Binary | Opcode::Other => OpCode::Data(Data::Binary),
            Opcode::Close => OpCode::Control(Control::Close),
            Opcode::Ping => OpCode::Control(Control::Ping),
            Opcode::Pong => OpCode::Control(Control::Pong),
        },
        mask: message.mask.map(u32::to_be_bytes),
        ..FrameHeader::default()
    };
    let mut bytes = Vec::new();
    Frame::from_payload(header, Bytes::from(message.payload.clone()))
        .format(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn opcode_of(number: u8) -> Opcode {
    match number {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => Opcode::Other,
    }
}
