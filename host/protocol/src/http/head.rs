//! The head of a received HTTP message: start line and headers.
//!
//! Leads from bytes to [`HttpInbound`] and reads the two headers that say how long the body is.
//! Parsing is httparse's, as tolerant as it can be: devices send whatever they like.

use super::super::{CodecError, HttpInbound};

/// Longest head: more than any server accepts, so nobody sends it in earnest.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Most header lines of one message.
const MAX_HEADERS: usize = 256;

/// Offset behind the blank line that ends the head; looks from `from` on.
pub(super) fn end(buffer: &[u8], from: usize) -> Option<usize> {
    let tail = buffer.get(from..)?;
    let mut newlines = tail.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
    newlines.find_map(|(at, _)| match tail.get(at..)? {
        [b'\n', b'\r', b'\n', ..] => Some(from + at + 3),
        [b'\n', b'\n', ..] => Some(from + at + 2),
        _ => None,
    })
}

/// Parses a complete head.
pub(super) fn parse(bytes: &[u8]) -> Result<HttpInbound, CodecError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut config = httparse::ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_space_before_first_header_name(true)
        .ignore_invalid_headers_in_responses(true)
        .ignore_invalid_headers_in_requests(true);
    let mut message = HttpInbound::default();
    if bytes.starts_with(b"HTTP") {
        let mut response = httparse::Response::new(&mut headers);
        let parsed = config.parse_response(&mut response, bytes);
        complete(parsed, "response")?;
        message.status = response.code.map(|code| format!("{code:03}"));
        message.headers = collect(response.headers);
    } else {
        let mut request = httparse::Request::new(&mut headers);
        let parsed = config.parse_request(&mut request, bytes);
        complete(parsed, "request")?;
        message.verb = request.method.map(str::to_owned);
        message.url = request.path.map(str::to_owned);
        message.headers = collect(request.headers);
    }
    Ok(message)
}

/// Whether a line of the head, behind the start line, is neither a header nor the continuation of
/// one.
pub(super) fn has_line_without_colon(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|&byte| byte == b'\n').skip(1);
    lines.any(|line| {
        let continues = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        !continues && !line.trim_ascii().is_empty() && !line.contains(&b':')
    })
}

fn complete(parsed: httparse::Result<usize>, what: &str) -> Result<(), CodecError> {
    match parsed {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(malformed(format!("an HTTP {what} was cut short"))),
        Err(httparse::Error::TooManyHeaders) => Err(malformed(format!(
            "an HTTP {what} has more than {MAX_HEADERS} headers"
        ))),
        Err(error) => Err(malformed(format!("this is no HTTP {what}: {error}"))),
    }
}

fn malformed(text: String) -> CodecError {
    CodecError::Malformed(text)
}

/// Groups values by name, exactly as received, in order (rule 119).
fn collect(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<String>)> {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for header in headers {
        let value = String::from_utf8_lossy(header.value).into_owned();
        match grouped.iter_mut().find(|(name, _)| name == header.name) {
            Some((_, values)) => values.push(value),
            None => grouped.push((header.name.to_owned(), vec![value])),
        }
    }
    grouped
}

fn values<'a>(head: &'a HttpInbound, name: &'a str) -> impl Iterator<Item = &'a str> {
    head.headers
        .iter()
        .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
        .flat_map(|(_, values)| values.iter().map(String::as_str))
}

/// Whether the last transfer coding is `chunked`, in any case.
pub(super) fn is_chunked(head: &HttpInbound) -> bool {
    values(head, "transfer-encoding")
        .flat_map(|value| value.split(','))
        .last()
        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// The length of the body, if a header tells it.
///
/// Two different lengths leave no way to find the end of the message.
pub(super) fn content_length(head: &HttpInbound) -> Result<Option<u64>, CodecError> {
    let mut found = None;
    for value in values(head, "content-length").flat_map(|value| value.split(',')) {
        let value = value.trim();
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let length = value.parse::<u64>().ok().filter(|_| digits);
        if length.is_none() || found.is_some_and(|former| Some(former) != length) {
            return Err(malformed(format!(
                "the Content-Length {:?} of an HTTP message makes no sense",
                value.chars().take(40).collect::<String>()
            )));
        }
        found = length;
    }
    Ok(found)
}
