//! Answers compressed for clients that take it.

use std::io::Write;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream, StreamExt};

/// Whether a client takes answers in gzip.
pub fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    // The weight 0 stands for "not this one".
    codings
        .map(|coding| coding.split(';').map(str::trim))
        .any(|mut parts| {
            let is_gzip = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            is_gzip && weight.is_none_or(|weight| weight > 0.0)
        })
}

/// Compresses piece by piece; so much time at once as one piece takes.
pub fn compress(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let begun = (Box::pin(pieces), Some(encoder));
    stream::unfold(begun, |(mut pieces, encoder)| async move {
        let mut encoder = encoder?;
        while let Some(piece) = pieces.next().await {
            // Writing to memory cannot fail; an answer that did would be cut.
            encoder.write_all(&piece).ok()?;
            let ready = std::mem::take(encoder.get_mut());
            if !ready.is_empty() {
                return Some((ready.into(), (pieces, Some(encoder))));
            }
        }
        let last = encoder.finish().ok()?;
        Some((last.into(), (pieces, None)))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Read;

    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_says_whether_it_takes_gzip() {
        for (said, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br;q=1.0, gzip; q=0", false),
            ("identity", false),
            ("gzipped", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(said));
            assert_eq!(is_accepted(&headers), expected, "{said}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_pieces_come_back() {
        let pieces: Vec<Bytes> = (0..50)
            .map(|n| Bytes::from(format!("piece {n} ").repeat(n * 100)))
            .collect();
        let whole = pieces.concat();
        let packed: Vec<Bytes> = compress(stream::iter(pieces)).collect().await;
        let packed = packed.concat();
        assert!(packed.len() < whole.len() / 10);
        let mut read = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(packed.as_slice());
        decoder.read_to_end(&mut read).unwrap();
        assert_eq!(read, whole);
    }
}
