//! Writes the messages of `Send` on an HTTP connection (spec 7.6, rules 125 to 131).
//!
//! The order of lines and the absence of Host, Accept and Content-Type are part of the behaviour.
//! Lengths count bytes. Line ends in the plugin's values are removed: one header can never become
//! two.

use base64::Engine as _;

use super::super::{Credentials, Header, HttpOutbound};

/// Verb first, then Status, then Chunk decides the kind of the message.
pub(super) fn message(
    message: &HttpOutbound,
    credentials: &Credentials,
    product: &str,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    if let Some(verb) = &message.verb {
        let url = message.url.as_deref().unwrap_or("/");
        let start = [&verb.to_uppercase(), " ", url, " HTTP/1.1"].concat();
        line(&mut out, &[start.as_bytes()]);
        request_defaults(&mut out, &message.headers, credentials, product);
        head_end(&mut out, message);
    } else if let Some(status) = &message.status {
        line(&mut out, &[b"HTTP/1.1 ", status.as_bytes()]);
        response_defaults(&mut out, &message.headers, product, now);
        head_end(&mut out, message);
    } else if !message.chunk {
        return Err("an HTTP message needs a Verb, a Status or a Chunk".to_owned());
    }
    data(&mut out, message);
    Ok(out)
}

fn request_defaults(
    out: &mut Vec<u8>,
    headers: &[Header],
    credentials: &Credentials,
    product: &str,
) {
    let Credentials { username, password } = credentials;
    let known = !username.is_empty() || !password.is_empty();
    if known && !has(headers, "Authorization") {
        let pair = format!("{username}:{password}");
        let code = base64::engine::general_purpose::STANDARD.encode(pair);
        line(out, &[b"Authorization: Basic ", code.as_bytes()]);
    }
    if !has(headers, "User-Agent") {
        line(out, &[b"User-Agent: ", product.as_bytes()]);
    }
}

fn response_defaults(out: &mut Vec<u8>, headers: &[Header], product: &str, now: jiff::Timestamp) {
    if !has(headers, "Date") {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        line(out, &[b"Date: ", date.as_bytes()]);
    }
    if !has(headers, "Server") {
        line(out, &[b"Server: ", product.as_bytes()]);
    }
}

/// The plugin's headers, those about the body, and the blank line.
fn head_end(out: &mut Vec<u8>, message: &HttpOutbound) {
    for header in &message.headers {
        for value in &header.values {
            line(out, &[header.name.as_bytes(), b": ", value]);
        }
    }
    if let Some(data) = &message.data
        && !message.chunk
        && !has(&message.headers, "Content-Length")
    {
        let length = data.len().to_string();
        line(out, &[b"Content-Length: ", length.as_bytes()]);
    }
    if message.chunk && !has(&message.headers, "Transfer-Encoding") {
        line(out, &[b"Transfer-Encoding: chunked"]);
    }
    out.extend_from_slice(b"\r\n");
}

fn data(out: &mut Vec<u8>, message: &HttpOutbound) {
    let data = message.data.as_deref().unwrap_or_default();
    if message.chunk {
        // A chunk without data ends the message (rule 131).
        out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(data);
    }
}

/// Whether the plugin gave the header, in exactly this spelling (spec 7.6).
fn has(headers: &[Header], name: &str) -> bool {
    headers.iter().any(|header| header.name == name)
}

/// Writes one line of the head, whatever line ends its parts had.
fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        let kept = part.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
        out.extend(kept);
    }
    out.extend_from_slice(b"\r\n");
}
