//! A letter as it travels: headers and text.
//!
//! The text is always encoded, so nothing that a plugin writes becomes the end of the letter.

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};

use super::Letter;
use cordon_base::grants::mailbox::Address;

/// Longest subject in bytes, and longest word of one that goes as it is: a word cannot go on
/// in the next line, and a line has 998 bytes at most (RFC 5322, 2.1.1).
const LONGEST_SUBJECT: usize = 1000;
const LONGEST_WORD: usize = 60;

/// The letter with all its headers; `number` makes its id another than that of others.
///
/// # Errors
///
/// What cannot be written.
pub(super) fn bytes(from: &Address, letter: &Letter, number: u64) -> Result<Vec<u8>, String> {
    let now = jiff::Timestamp::now().as_nanosecond();
    let id = format!("<{now}.{number}@{}>", from.domain());
    let mut builder = Message::builder()
        .from(mailbox(from))
        .raw_header(subject(&letter.subject)?)
        .message_id(Some(id))
        .date_now()
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    for address in &letter.to {
        builder = builder.to(mailbox(address));
    }
    // As bytes with the right ends of lines: correcting them in place takes seconds for a
    // text of nothing but lines.
    let lines: Vec<_> = letter.body.lines().collect();
    let text = (lines.join("\r\n") + "\r\n").into_bytes();
    let body = Body::new_with_encoding(text, ContentTransferEncoding::Base64)
        .map_err(|_| "the text of the letter cannot be encoded".to_owned())?;
    let message = builder.body(body).map_err(|error| error.to_string())?;
    Ok(message.formatted())
}

fn mailbox(address: &Address) -> Mailbox {
    Mailbox::new(None, address.as_lettre().clone())
}

fn subject(subject: &str) -> Result<HeaderValue, String> {
    let name = HeaderName::new_from_ascii_str("Subject");
    let space = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = subject.chars().map(space).collect();
    let end = line.floor_char_boundary(LONGEST_SUBJECT);
    let line = line.get(..end).unwrap_or_default().trim();
    let plain = |word: &str| word.len() <= LONGEST_WORD && !word.contains("=?");
    if line.split(' ').all(plain) {
        return Ok(HeaderValue::new(name, line.to_owned()));
    }
    let mut encoded = String::new();
    {
        let mut writer = EmailWriter::new(&mut encoded, "Subject: ".len(), 0, false);
        rfc2047::encode(line, &mut writer).map_err(|error| error.to_string())?;
    }
    Ok(HeaderValue::dangerous_new_pre_encoded(
        name,
        line.to_owned(),
        encoded,
    ))
}
