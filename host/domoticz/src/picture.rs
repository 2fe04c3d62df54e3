//! Pictures by their content: which format a file has, and how large the picture is.
//!
//! The files come from strangers, who name a GIF `x.png`. Only the first bytes are looked at, and
//! nothing is unpacked.

/// A format that every browser shows and that holds no script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// Graphics Interchange Format.
    Gif,
    /// Joint Photographic Experts Group.
    Jpeg,
}

impl Format {
    /// The format that a file begins like.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let formats = [
            (Self::Png, b"\x89PNG\r\n\x1a\n".as_slice()),
            (Self::Gif, b"GIF87a"),
            (Self::Gif, b"GIF89a"),
            (Self::Jpeg, b"\xff\xd8\xff"),
        ];
        let found = formats.iter().find(|(_, start)| bytes.starts_with(start));
        found.map(|(format, _)| *format)
    }

    /// The content type for an answer.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// The larger of width and height of a picture of this format; 0 without a header, of which
    /// nothing can be shown.
    #[must_use]
    pub fn points(self, bytes: &[u8]) -> u32 {
        let sides = match self {
            Self::Png => png(bytes),
            Self::Gif => gif(bytes),
            Self::Jpeg => jpeg(bytes),
        };
        sides.map_or(0, |[width, height]| width.max(height))
    }
}

fn png(bytes: &[u8]) -> Option<[u32; 2]> {
    let number = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    };
    match bytes.get(12..16)? {
        b"IHDR" => Some([number(16)?, number(20)?]),
        _ => None,
    }
}

fn gif(bytes: &[u8]) -> Option<[u32; 2]> {
    let number = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(u32::from(u16::from_le_bytes(*bytes)))
    };
    Some([number(6)?, number(8)?])
}

/// The sides stand in the first segment that begins a frame; those before it say how long they are.
fn jpeg(bytes: &[u8]) -> Option<[u32; 2]> {
    let number = |bytes: &[u8]| Some(u16::from_be_bytes(*bytes.first_chunk()?));
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xff, marker, ..] = *rest else {
            return None;
        };
        if marker == 0xff {
            // Segments may be filled up.
            rest = rest.get(1..)?;
            continue;
        }
        let segment = rest.get(2..)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let (height, width) = (number(segment.get(3..)?)?, number(segment.get(5..)?)?);
            return Some([width.into(), height.into()]);
        }
        // The length counts its own two bytes.
        let length = usize::from(number(segment)?).max(2);
        rest = segment.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content() {
        let gif = b"GIF89a\x30\x00\x01\x02rest";
        assert_eq!(Format::of(gif), Some(Format::Gif));
        assert_eq!(Format::Gif.points(gif), 0x201);
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x02\x58\x01\x00";
        assert_eq!(Format::of(jpeg), Some(Format::Jpeg));
        assert_eq!(Format::Jpeg.points(jpeg), 600);
        assert_eq!(Format::Jpeg.content_type(), "image/jpeg");
        for other in [b"<svg/>".as_slice(), b"GIF", b"BM", b""] {
            assert_eq!(Format::of(other), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_picture_has_the_format_of_its_start_and_no_more_points_than_that_can_say(junk: Vec<u8>) {
            for (start, format) in [
                (b"\x89PNG\r\n\x1a\n".as_slice(), Format::Png),
                (b"GIF89a", Format::Gif),
                (b"\xff\xd8\xff", Format::Jpeg),
                (b"\xff\xd8\xff\xff", Format::Jpeg),
            ] {
                let picture = [start, &junk].concat();
                proptest::prop_assert_eq!(Format::of(&picture), Some(format));
                let points = format.points(&picture);
                proptest::prop_assert!(format == Format::Png || points <= u16::MAX.into());
                proptest::prop_assert!(junk.len() >= 4 || points == 0);
            }
        }
    }
}
