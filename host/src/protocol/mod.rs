//! Message framings of `Domoticz.Connection`: bytes in, messages out.
//!
//! Owns what a message is on the wire (spec section 7) in both directions.
//! Never does I/O, never waits, never logs: what the plugin's log must say comes
//! back as text in [`Decoded::problems`]. How the bytes were cut into reads never
//! changes the messages, but for `None`, where a read is a message. No codec
//! holds more than its `max_buffer` bytes.

mod http;
mod json;
mod json_text;
mod line;

use crate::error::LimitHit;

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
    /// Raw bytes: None, Line, and whatever JSON could not parse.
    Bytes(Vec<u8>),
    /// The text of one JSON object, strict JSON whatever the peer's dialect was.
    Json(String),
    /// One HTTP message.
    Http(HttpInbound),
}

impl Inbound {
    /// Bytes of the host's memory that the message stands for, about.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(text) => text.len(),
            Self::Http(message) => message.size(),
        }
    }
}

impl HttpInbound {
    fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, values)| name.len() + values.iter().map(String::len).sum::<usize>())
            .sum();
        headers
            + self.data.as_ref().map_or(0, Vec::len)
            + self.url.as_ref().map_or(0, String::len)
            + self.verb.as_ref().map_or(0, String::len)
    }
}

/// What a plugin sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outbound {
    /// As it is: None, Line, JSON, XML.
    Bytes(Vec<u8>),
    /// HTTP and HTTPS.
    Http(HttpOutbound),
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

/// What one call of [`Codec::feed`] or [`Codec::close`] brought.
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
}

impl Codec {
    /// Prepares the protocol of that name, to hold at most `max_buffer` bytes.
    ///
    /// A name that is not known behaves as `None` (spec 5.1), and so does one
    /// for which [`Codec::unavailable`] is true: XML, WS and MQTT get their
    /// variant of `Kind` and their line here when they land.
    pub fn new(protocol: &str, max_buffer: usize) -> Self {
        Self(match protocol {
            "Line" => Kind::Line(line::Line::new(max_buffer)),
            "JSON" => Kind::Json(json::Json::new(max_buffer)),
            "HTTP" | "HTTPS" => Kind::Http(Box::new(http::Http::new(max_buffer))),
            _ => Kind::Raw,
        })
    }

    /// Whether Domoticz knows the protocol and this build does not.
    pub fn unavailable(protocol: &str) -> bool {
        matches!(protocol, "XML" | "WS" | "WSS" | "MQTT" | "MQTTS" | "ICMP")
    }

    /// Whether the protocol asks for TLS whatever the transport says (rule 104).
    pub fn is_secure(protocol: &str) -> bool {
        matches!(protocol, "HTTPS" | "WSS" | "MQTTS")
    }

    /// Takes what one read gave and adds the messages that are now complete.
    ///
    /// # Errors
    ///
    /// The connection must be closed: a message is larger than the bound, or the
    /// peer speaks something else. What was held is gone then.
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
        }
    }

    /// Gives what is left when the connection ends, locally or remotely.
    pub fn close(&mut self, out: &mut Decoded) {
        match &mut self.0 {
            Kind::Raw => {}
            Kind::Line(line) => line.close(out),
            Kind::Json(json) => json.close(out),
            Kind::Http(http) => http.close(out),
        }
    }

    /// Turns a message into the bytes for the wire; possibly none.
    ///
    /// # Errors
    ///
    /// The text for the plugin's log when the message does not fit the protocol;
    /// nothing is to be sent then.
    pub fn encode(
        &mut self,
        message: &Outbound,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, String> {
        match (&mut self.0, message) {
            (Kind::Http(http), Outbound::Http(message)) => http.encode(message, credentials),
            (Kind::Http(_), Outbound::Bytes(_)) => {
                Err("an HTTP message must be a dictionary".to_owned())
            }
            (_, Outbound::Bytes(bytes)) => Ok(bytes.clone()),
            (_, Outbound::Http(_)) => {
                Err("a dictionary can only be sent over HTTP or HTTPS".to_owned())
            }
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
