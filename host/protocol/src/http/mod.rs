//! Protocols `HTTP` and `HTTPS`: one codec for clients and listeners (spec 7.5).
//!
//! A buffer that starts with `HTTP` is a response, anything else a request. A message is delivered
//! when it is complete and never twice; bytes behind it are kept for the next one. The head is
//! parsed once, when its blank line is there. Never interprets anything: redirects, cookies,
//! compression and authentication are the plugin's job.

mod body;
mod encode;
mod head;

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};

use super::{CodecError, Credentials, Decoded, HttpInbound, HttpOutbound, Inbound, over_buffer};
use body::{Body, Chunked};

/// Requests whose answers are remembered to be bodiless or not. A plugin that
/// has more of them under way has no idea itself which answer is whose.
const MAX_OUTSTANDING: usize = 1024;

/// The codec: bytes that came in, and requests that were sent.
#[derive(Debug)]
pub(super) struct Http {
    buffer: BytesMut,
    /// Bytes of `buffer` that hold no end of a head for certain.
    scanned: usize,
    current: Option<Message>,
    /// For each request sent and not answered: was it a HEAD?
    asked_head: VecDeque<bool>,
    /// Lines for the plugin's log about the message that is being read.
    problems: Vec<String>,
    max_buffer: usize,
}

/// A message whose head is complete.
#[derive(Debug)]
struct Message {
    head: HttpInbound,
    head_bytes: usize,
    body: Body,
}

impl Http {
    pub(super) fn new(max_buffer: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            scanned: 0,
            current: None,
            asked_head: VecDeque::new(),
            problems: Vec::new(),
            max_buffer,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        self.buffer.extend_from_slice(bytes);
        let result = self.advance(out);
        if result.is_err() {
            self.forget();
        }
        result
    }

    pub(super) fn held(&self) -> usize {
        let current = self.current.as_ref().map_or(0, |message| {
            let body = match &message.body {
                Body::Chunked(chunked) => chunked.capacity(),
                Body::Length(_) | Body::UntilClose => 0,
            };
            message.head.size().saturating_add(body)
        });
        self.buffer.capacity().saturating_add(current)
    }

    /// Delivers the message that the end of the connection completes.
    ///
    /// A response without length is complete now. All else that is incomplete is dropped: a plugin
    /// would act on half of it (rule 201).
    pub(super) fn close(&mut self, out: &mut Decoded) {
        let rest = self.buffer.split();
        if let Some(message) = self.current.take()
            && matches!(message.body, Body::UntilClose)
        {
            let message = with_body(message.head, rest.to_vec());
            out.messages.push(Inbound::Http(message));
        }
        self.forget();
    }

    pub(super) fn encode(
        &mut self,
        message: &HttpOutbound,
        credentials: &Credentials,
        product: &str,
    ) -> Result<Vec<u8>, String> {
        let bytes = encode::message(message, credentials, product, jiff::Timestamp::now())?;
        if let Some(verb) = &message.verb
            && self.asked_head.len() < MAX_OUTSTANDING
        {
            self.asked_head.push_back(verb.eq_ignore_ascii_case("HEAD"));
        }
        Ok(bytes)
    }

    fn forget(&mut self) {
        *self = Self::new(self.max_buffer);
    }

    /// Takes more bytes and gives one message at most; bytes behind it stay.
    pub(super) fn next(
        &mut self,
        bytes: BytesMut,
        out: &mut Decoded,
    ) -> Result<Option<HttpInbound>, CodecError> {
        self.buffer.unsplit(bytes);
        let result = self.one();
        out.problems.append(&mut self.problems);
        if result.is_err() {
            self.forget();
        }
        result
    }

    /// The bytes that no message has used.
    pub(super) fn take_rest(&mut self) -> BytesMut {
        self.scanned = 0;
        self.buffer.split()
    }

    fn advance(&mut self, out: &mut Decoded) -> Result<(), CodecError> {
        loop {
            let message = self.one();
            out.problems.append(&mut self.problems);
            match message? {
                Some(message) => out.messages.push(Inbound::Http(message)),
                None => return Ok(()),
            }
        }
    }

    /// The next message if it is complete.
    fn one(&mut self) -> Result<Option<HttpInbound>, CodecError> {
        loop {
            let Some(mut message) = self.current.take() else {
                if self.read_head()? {
                    continue;
                }
                return Ok(None);
            };
            match self.read_body(&mut message)? {
                Some(data) => return Ok(Some(with_body(message.head, data))),
                None => {
                    self.current = Some(message);
                    return Ok(None);
                }
            }
        }
    }

    /// Whether there is a current message now.
    fn read_head(&mut self) -> Result<bool, CodecError> {
        // Empty lines before a request line are skipped (RFC 9112, 2.2).
        while self.scanned == 0 && matches!(self.buffer.first(), Some(b'\r' | b'\n')) {
            self.buffer.advance(1);
        }
        let bound = self.max_buffer.min(head::MAX_BYTES);
        let Some(end) = head::end(&self.buffer, self.scanned) else {
            // The end of a head is at most four bytes, three may be here.
            self.scanned = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > bound {
                return Err(over_buffer(self.buffer.len() as u64, bound));
            }
            return Ok(false);
        };
        if end > bound {
            return Err(over_buffer(end as u64, bound));
        }
        let bytes = self.buffer.split_to(end);
        self.scanned = 0;
        let head = head::parse(&bytes)?;
        if head::has_line_without_colon(&bytes) {
            // Rule 200.
            let text = "an HTTP header without a colon is left out";
            self.problems.push(text.to_owned());
        }
        let body = self.body_of(&head)?;
        self.current = Some(Message {
            head,
            head_bytes: end,
            body,
        });
        Ok(true)
    }

    /// How the body of a message is delimited (RFC 9112, 6.3; spec 7.5).
    fn body_of(&mut self, head: &HttpInbound) -> Result<Body, CodecError> {
        if let Some(status) = &head.status {
            let interim = status.starts_with('1');
            let to_head = !interim && self.asked_head.pop_front().unwrap_or(false);
            if interim || to_head || status == "204" || status == "304" {
                return Ok(Body::Length(0));
            }
        }
        if head::is_chunked(head) {
            return Ok(Body::Chunked(Chunked::new()));
        }
        match head::content_length(head)? {
            Some(length) if length > self.max_buffer as u64 => {
                Err(over_buffer(length, self.max_buffer))
            }
            Some(length) => Ok(Body::Length(usize::try_from(length).unwrap_or(usize::MAX))),
            None if head.status.is_some() => Ok(Body::UntilClose),
            None => Ok(Body::Length(0)),
        }
    }

    /// The body if it is complete.
    fn read_body(&mut self, message: &mut Message) -> Result<Option<Vec<u8>>, CodecError> {
        let room = self.max_buffer.saturating_sub(message.head_bytes);
        let held = match &mut message.body {
            Body::Length(length) if *length <= self.buffer.len() => {
                return Ok(Some(self.buffer.split_to(*length).to_vec()));
            }
            Body::Length(_) | Body::UntilClose => self.buffer.len(),
            Body::Chunked(chunked) => {
                if chunked.advance(&mut self.buffer, room)? {
                    return Ok(Some(chunked.take()));
                }
                chunked.held().saturating_add(self.buffer.len())
            }
        };
        if held > room {
            let used = held.saturating_add(message.head_bytes);
            return Err(over_buffer(used as u64, self.max_buffer));
        }
        Ok(None)
    }
}

fn with_body(mut head: HttpInbound, data: Vec<u8>) -> HttpInbound {
    head.data = (!data.is_empty()).then_some(data);
    head
}
