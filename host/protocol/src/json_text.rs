//! Turns the JSON dialect that the reference accepts into strict JSON.
//!
//! Tolerated (spec 7.3): comments, commas before a closing bracket, leading
//! zeros, control characters in strings. Everything else is left alone, so that
//! a strict parser has the last word on whether the text is an object.

use serde::de::IgnoredAny;

/// Gives the text as strict JSON.
///
/// # Errors
///
/// Says where and why the text is no JSON.
pub(super) fn strict(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return Ok(text.to_owned());
    }
    let cleaned = clean(text);
    match serde_json::from_str::<IgnoredAny>(&cleaned) {
        Ok(_) => Ok(cleaned),
        Err(error) => Err(error.to_string()),
    }
}

/// Rewrites the tolerated deviations; the rest is copied.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                out.push('"');
                copy_string(&mut rest, &mut out);
            }
            '/' if rest.peek() == Some(&'/') => skip_line(&mut rest),
            '/' if rest.peek() == Some(&'*') => skip_block(&mut rest),
            '}' | ']' => {
                drop_last_comma(&mut out);
                out.push(c);
            }
            '0' if !in_number(&out) => skip_zeros(&mut rest, &mut out),
            _ => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn copy_string(rest: &mut Chars<'_>, out: &mut String) {
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                out.push(c);
                return;
            }
            '\\' => {
                out.push(c);
                out.extend(rest.next());
            }
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

fn skip_line(rest: &mut Chars<'_>) {
    while rest.next_if(|&c| c != '\n').is_some() {}
}

fn skip_block(rest: &mut Chars<'_>) {
    rest.next();
    let mut star = false;
    for c in rest.by_ref() {
        if star && c == '/' {
            return;
        }
        star = c == '*';
    }
}

fn drop_last_comma(out: &mut String) {
    let kept = out.trim_end().len();
    if out.get(..kept).is_some_and(|text| text.ends_with(',')) {
        out.truncate(kept.saturating_sub(1));
    }
}

/// Whether a digit now would go on with a number that has a digit already.
fn in_number(out: &str) -> bool {
    out.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+'))
        // The minus of an exponent, not that of the number itself.
        || out.ends_with("e-")
        || out.ends_with("E-")
}

fn skip_zeros(rest: &mut Chars<'_>, out: &mut String) {
    while rest.next_if_eq(&'0').is_some() {}
    if !rest.peek().is_some_and(char::is_ascii_digit) {
        out.push('0');
    }
}
