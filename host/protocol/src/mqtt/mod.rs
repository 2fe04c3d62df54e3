//! Protocols `MQTT` and `MQTTS` (spec 7.8): MQTT 3.1.1 in both directions.
//!
//! Owns the bytes that wait for the rest of a packet and the packet identifiers
//! that a plugin leaves to the hub. Nothing is automatic: a plugin connects,
//! pings and acknowledges by itself. The format is rumqttc's but for two answers
//! of servers, which have to be readable whatever code is in them.

mod packet;
mod read;
mod write;

use bytes::BytesMut;
use rumqttc::mqttbytes::{self, Error};

use super::{CodecError, Credentials, Decoded, Inbound, over_buffer};
pub use packet::{
    MqttConnack, MqttConnect, MqttPacket, MqttPublish, MqttSuback, MqttSubscribe, MqttUnsubscribe,
    MqttWill,
};

/// The codec of one connection.
#[derive(Debug)]
pub(super) struct Mqtt {
    buffer: BytesMut,
    /// The identifier that was given out last.
    last_identifier: u16,
    max_buffer: usize,
}

impl Mqtt {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            last_identifier: 0,
            max_buffer,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        self.buffer.extend_from_slice(bytes);
        let result = self.advance(out);
        if result.is_err() {
            self.buffer = BytesMut::new();
        }
        result
    }

    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Gives a packet that was cut short as bytes (spec 7.8).
    pub(super) fn close(&mut self, out: &mut Decoded) {
        let left = self.buffer.split();
        if !left.is_empty() {
            out.messages.push(Inbound::Bytes(left.to_vec()));
        }
    }

    pub(super) fn encode(
        &mut self,
        packet: &MqttPacket,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, String> {
        write::packet(packet, credentials, &mut || self.next_identifier())
    }

    fn advance(&mut self, out: &mut Decoded) -> Result<(), CodecError> {
        loop {
            let header = match mqttbytes::check(self.buffer.iter(), self.max_buffer) {
                Ok(header) => header,
                Err(Error::InsufficientBytes(_)) => return Ok(()),
                Err(Error::PayloadSizeLimitExceeded(size)) => {
                    return Err(over_buffer(size as u64, self.max_buffer));
                }
                Err(error) => return Err(malformed(&error)),
            };
            let frame = self.buffer.split_to(header.frame_length());
            let packet = read::packet(header, frame.freeze())?;
            out.messages.push(Inbound::Mqtt(Box::new(packet)));
        }
    }

    /// From 1 upwards; 0 is no identifier.
    fn next_identifier(&mut self) -> u16 {
        self.last_identifier = self.last_identifier.checked_add(1).unwrap_or(1);
        self.last_identifier
    }
}

fn malformed(error: &Error) -> CodecError {
    CodecError::Malformed(format!("this is no MQTT 3.1.1: {error}"))
}
