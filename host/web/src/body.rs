//! Reads uploaded files: a form of several parts, or the file itself.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};

/// The first file in the body of a request.
pub async fn file(request: Request, limit: usize) -> Result<Vec<u8>, (StatusCode, String)> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let Ok(body) = to_bytes(request.into_body(), limit).await else {
        let reason = format!("a file may have {limit} bytes");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, reason));
    };
    let Some(boundary) = boundary(&kind) else {
        return Ok(body.into());
    };
    // Four megabytes take a while: not on a thread that serves others.
    let found = tokio::task::spawn_blocking(move || first_file(&body, &boundary)).await;
    let found = found.ok().flatten();
    found.ok_or_else(|| {
        (
            StatusCode::BAD_REQUEST,
            "there is no file in the form".to_owned(),
        )
    })
}

/// The boundary of a `multipart/form-data` body.
fn boundary(kind: &str) -> Option<String> {
    let (main, rest) = kind.split_once(';')?;
    if !main.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut fields = rest.split(';').map(str::trim);
    let boundary = fields.find_map(|field| field.strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (1..=70)
        .contains(&boundary.len())
        .then(|| boundary.to_owned())
}

/// The content of the first part that has a file name.
fn first_file(body: &[u8], boundary: &str) -> Option<Vec<u8>> {
    let mark = format!("--{boundary}");
    let mut rest = body.get(find(body, mark.as_bytes())?..)?;
    let end = format!("\r\n{mark}");
    loop {
        let part = rest.get(mark.len()..)?.strip_prefix(b"\r\n")?;
        let head = find(part, b"\r\n\r\n")?;
        let content = part.get(head.checked_add(4)?..)?;
        let length = find(content, end.as_bytes())?;
        let names = String::from_utf8_lossy(part.get(..head)?).to_ascii_lowercase();
        if names.contains("filename=") {
            return content.get(..length).map(<[u8]>::to_vec);
        }
        rest = content.get(length.checked_add(2)?..)?;
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    // A file has no more than a few megabytes, and hardly ever two bytes of a boundary.
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_among_the_fields() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n\
                     --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"i.zip\"\r\n\
                     Content-Type: application/zip\r\n\r\nPK\r\n--\x00\r\n--B--\r\n";
        assert_eq!(
            boundary("multipart/form-data; boundary=\"B\""),
            Some("B".to_owned())
        );
        assert_eq!(first_file(body, "B").unwrap(), b"PK\r\n--\x00");
        assert_eq!(first_file(b"--B\r\nname\r\n\r\nx\r\n--B--\r\n", "B"), None);
        assert_eq!(boundary("application/zip"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_file_is_a_part_of_its_body(body: Vec<u8>, text in "(--B|\r\n|filename=|x)*") {
            for body in [&body, text.as_bytes()] {
                if let Some(file) = first_file(body, "B") {
                    proptest::prop_assert!(file.is_empty() || find(body, &file).is_some());
                    proptest::prop_assert!(find(&file, b"\r\n--B").is_none());
                }
            }
            if let Some(found) = boundary(&format!("multipart/form-data; boundary={text}")) {
                proptest::prop_assert!((1..=70).contains(&found.len()) && text.contains(&found));
            }
        }
    }
}
