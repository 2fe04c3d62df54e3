//! Message framings of connections: bytes in, messages out.
//!
//! Defines the form of a message on the wire (spec section 7) in both directions. Never does I/O,
//! never waits, never logs: lines for the plugin's log come back as text in [`Decoded::problems`].
//! How the bytes were cut into reads never changes the messages, but for `None`, where a read is a
//! message. No codec holds more than its `max_buffer` bytes.

mod http;
pub mod icmp;
mod json;
mod json_text;
mod line;
mod mqtt;
mod websocket;
mod xml;

use cordon_base::error::LimitHit;

pub use icmp::{IcmpHeaders, IcmpInbound};
pub use mqtt::{
    MqttConnack, MqttConnect, MqttPacket, MqttPublish, MqttSuback, MqttSubscribe, MqttUnsubscribe,
    MqttWill,
};
pub use websocket::{Opcode, WebSocketInbound, WebSocketOutbound};

/// Name of the limit that bounds every codec, as in `cordon.toml`.
pub const BUFFER_LIMIT: &str = "connection-buffer";

/// A received HTTP request or response (`http-inbound` of the contract).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpInbound {
    /// Verb of a request, as received.
    pub verb: Option<String>,
    /// URL of a request, as received.
    pub url: Option<String>,
    /// Status code of a response as text, such as `200`.
    pub status: Option<String>,
    /// Headers in order of first appearance; names that differ in case are two.
    pub headers: Vec<(String, Vec<String>)>,
    /// Body without transfer encoding; `None` when empty (rule 118).
    pub data: Option<Vec<u8>>,
}

/// One header to send: a name and one line per value (rule 128).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name with the plugin's spelling.
    pub name: String,
    /// One line each; may be empty, the name still counts as given.
    pub values: Vec<Vec<u8>>,
}

impl Header {
    /// Bytes of the host's memory: empty headers cost too, and there may be many.
    fn size(&self) -> usize {
        let value = |value: &Vec<u8>| size_of::<Vec<u8>>().saturating_add(value.len());
        let values: usize = self.values.iter().map(value).sum();
        size_of::<Self>()
            .saturating_add(self.name.len())
            .saturating_add(values)
    }
}

/// An HTTP message to send (`http-outbound` of the contract).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpOutbound {
    /// Verb: makes it a request.
    pub verb: Option<String>,
    /// URL of a request; `/` when missing.
    pub url: Option<String>,
    /// Status text such as `200 OK`: makes it a response when there is no verb.
    pub status: Option<String>,
    /// Headers in the plugin's order.
    pub headers: Vec<Header>,
    /// Body; a missing one is not the same as an empty one (rule 127).
    pub data: Option<Vec<u8>>,
    /// Whether there was a `Chunk` key.
    pub chunk: bool,
}

/// One complete message as the protocol defines it; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// Raw bytes: None, Line, XML, and whatever JSON could not parse.
    Bytes(Vec<u8>),
    /// The text of one JSON object, strict JSON whatever the peer's dialect was.
    Json(String),
    /// One HTTP message.
    Http(HttpInbound),
    /// One WebSocket frame.
    WebSocket(WebSocketInbound),
    /// One MQTT packet.
    Mqtt(Box<MqttPacket>),
    /// One answer to an echo request, or none.
    Icmp(Box<IcmpInbound>),
}

impl Inbound {
    /// Bytes of the host's memory that the message stands for, about.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(text) => text.len(),
            Self::Http(message) => message.size(),
            Self::WebSocket(frame) => size_of::<WebSocketInbound>() + frame.payload.len(),
            Self::Mqtt(packet) => packet.size(),
            Self::Icmp(answer) => size_of::<IcmpInbound>() + answer.data.len(),
        }
    }
}

impl HttpInbound {
    fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, values)| {
                let values = values.iter().map(|value| size_of::<String>() + value.len());
                size_of::<(String, Vec<String>)>() + name.len() + values.sum::<usize>()
            })
            .sum();
        headers
            + self.data.as_ref().map_or(0, Vec::len)
            + self.url.as_ref().map_or(0, String::len)
            + self.verb.as_ref().map_or(0, String::len)
    }
}

/// A message that a plugin sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outbound {
    /// As it is: None, Line, JSON, XML.
    Bytes(Vec<u8>),
    /// HTTP and HTTPS, and the request that begins a WebSocket.
    Http(HttpOutbound),
    /// WS and WSS.
    WebSocket(WebSocketOutbound),
    /// MQTT and MQTTS.
    Mqtt(Box<MqttPacket>),
}

impl Outbound {
    /// Bytes of the host's memory that the message holds, about.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Http(message) => {
                let headers: usize = message.headers.iter().map(Header::size).sum();
                let texts = [&message.verb, &message.url, &message.status];
                headers
                    + texts.into_iter().flatten().map(String::len).sum::<usize>()
                    + message.data.as_ref().map_or(0, Vec::len)
            }
            Self::WebSocket(frame) => frame.payload.len(),
            Self::Mqtt(packet) => packet.size(),
        }
    }
}

/// User name and password of the hardware, for `Authorization` (rule 126).
#[derive(Clone, Default)]
pub struct Credentials {
    /// The `Username` parameter; may be empty.
    pub username: String,
    /// The `Password` parameter; may be empty.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    // Whoever prints a struct that holds these must not print the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The results of one call of [`Codec::feed`] or [`Codec::close`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Complete messages in order of arrival.
    pub messages: Vec<Inbound>,
    /// Error lines for the plugin's log; the connection goes on.
    pub problems: Vec<String>,
}

/// Why a connection cannot go on: nothing after this point can be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The peer does not speak the protocol.
    #[error("{0}")]
    Malformed(String),
    /// A message is larger than the codec may hold.
    #[error(transparent)]
    Limit(#[from] LimitHit),
}

/// The state of one protocol on one connection; a new one at each connect.
#[derive(Debug)]
pub struct Codec(Kind);

#[derive(Debug)]
enum Kind {
    Raw,
    Line(line::Line),
    Json(json::Json),
    Http(Box<http::Http>),
    Xml(xml::Xml),
    WebSocket(Box<websocket::WebSocket>),
    Mqtt(mqtt::Mqtt),
    Icmp,
}

impl Codec {
    /// Prepares the protocol of that name, to hold at most `max_buffer` bytes.
    ///
    /// A name that is not known behaves as `None` (spec 5.1).
    pub fn new(protocol: &str, max_buffer: usize) -> Self {
        Self(match protocol {
            "Line" => Kind::Line(line::Line::new(max_buffer)),
            "JSON" => Kind::Json(json::Json::new(max_buffer)),
            "HTTP" | "HTTPS" => Kind::Http(Box::new(http::Http::new(max_buffer))),
            "XML" => Kind::Xml(xml::Xml::new(max_buffer)),
            "WS" | "WSS" => Kind::WebSocket(Box::new(websocket::WebSocket::new(max_buffer))),
            "MQTT" | "MQTTS" => Kind::Mqtt(mqtt::Mqtt::new(max_buffer)),
            "ICMP" => Kind::Icmp,
            _ => Kind::Raw,
        })
    }

    /// Whether the protocol asks for TLS whatever the transport says (rule 104).
    pub fn is_secure(protocol: &str) -> bool {
        matches!(protocol, "HTTPS" | "WSS" | "MQTTS")
    }

    /// Takes the bytes of one read and adds the messages that are now complete.
    ///
    /// # Errors
    ///
    /// The connection must be closed: a message is larger than the bound, or the peer speaks
    /// something else. The bytes held so far are gone then.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        match &mut self.0 {
            Kind::Raw => {
                if !bytes.is_empty() {
                    out.messages.push(Inbound::Bytes(bytes.to_vec()));
                }
                Ok(())
            }
            Kind::Line(line) => line.feed(bytes, out),
            Kind::Json(json) => json.feed(bytes, out),
            Kind::Http(http) => http.feed(bytes, out),
            Kind::Xml(xml) => xml.feed(bytes, out),
            Kind::WebSocket(websocket) => websocket.feed(bytes, out),
            Kind::Mqtt(mqtt) => mqtt.feed(bytes, out),
            Kind::Icmp => {
                if !bytes.is_empty() {
                    out.messages.push(icmp::message(bytes, None));
                }
                Ok(())
            }
        }
    }

    /// Takes a datagram: it stands alone, and its end is the end of its message.
    ///
    /// # Errors
    ///
    /// As [`Codec::feed`], about this datagram.
    pub fn datagram(
        protocol: &str,
        max_buffer: usize,
        bytes: &[u8],
        out: &mut Decoded,
    ) -> Result<(), CodecError> {
        let mut codec = Self::new(protocol, max_buffer);
        codec.feed(bytes, out)?;
        // Half a line or half an object is lost (spec 6.6); an HTTP response
        // without a length is whole.
        if let Kind::Http(http) = &mut codec.0 {
            http.close(out);
        }
        Ok(())
    }

    /// Bytes of the host's memory that are held for messages that are not complete.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.0 {
            Kind::Raw | Kind::Icmp => 0,
            Kind::Line(line) => line.held(),
            Kind::Json(json) => json.held(),
            Kind::Http(http) => http.held(),
            Kind::Xml(xml) => xml.held(),
            Kind::WebSocket(websocket) => websocket.held(),
            Kind::Mqtt(mqtt) => mqtt.held(),
        }
    }

    /// Gives the bytes that are left when the connection ends, locally or remotely.
    pub fn close(&mut self, out: &mut Decoded) {
        match &mut self.0 {
            Kind::Raw | Kind::Icmp => {}
            Kind::Line(line) => line.close(out),
            Kind::Json(json) => json.close(out),
            Kind::Http(http) => http.close(out),
            Kind::Xml(xml) => xml.close(out),
            Kind::WebSocket(websocket) => websocket.close(out),
            Kind::Mqtt(mqtt) => mqtt.close(out),
        }
    }

    /// Turns a message into the bytes for the wire; possibly none. `product` is the name and version
    /// in the `User-Agent` and `Server` of messages that have none of their own (rules 125 and 130).
    ///
    /// # Errors
    ///
    /// The text for the plugin's log when the message does not fit the protocol;
    /// nothing is to be sent then.
    pub fn encode(
        &mut self,
        message: &Outbound,
        credentials: &Credentials,
        product: &str,
    ) -> Result<Vec<u8>, String> {
        match (&mut self.0, message) {
            (Kind::Http(http), Outbound::Http(message)) => {
                http.encode(message, credentials, product)
            }
            (Kind::WebSocket(ws), Outbound::Http(message)) => {
                ws.encode_request(message, credentials, product)
            }
            (Kind::WebSocket(ws), Outbound::WebSocket(message)) => ws.encode(message),
            (Kind::Mqtt(mqtt), Outbound::Mqtt(packet)) => mqtt.encode(packet, credentials),
            (Kind::Http(_) | Kind::WebSocket(_) | Kind::Mqtt(_), _) => {
                Err("the message must be a dictionary of its protocol".to_owned())
            }
            (_, Outbound::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err("the protocol takes no dictionaries".to_owned()),
        }
    }
}

/// The error for a codec that holds, or was told to expect, `used` bytes.
fn over_buffer(used: u64, limit: usize) -> CodecError {
    CodecError::Limit(LimitHit {
        which: BUFFER_LIMIT,
        used,
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests;
