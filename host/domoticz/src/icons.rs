//! Reads zip files with icon sets (behaviour spec 4.7).
//!
//! `icons.txt` in any folder has a line `base;name;description` per set, and beside it
//! lie `<base>.png`, `<base>48_On.png` and `<base>48_Off.png`. The files come from
//! strangers: each entry is charged by the size that it declares before it is unpacked, it
//! is unpacked no further than that, and all of them together no further than the
//! owner may store.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::image::{ImageError, set_weight};
use super::picture::Format;
use cordon_base::account::Charge;
use cordon_base::error::LimitHit;

/// Most bytes of a file, most entries of one, most bytes of one picture and of the list,
/// most sets.
const MAX_ARCHIVE: usize = 4 << 20;
const MAX_ENTRIES: usize = 1000;
const MAX_PICTURE: u64 = 256 << 10;
const MAX_LIST: u64 = 64 << 10;
const MAX_SETS: usize = 100;

/// Longest name and description in bytes, as for those that people write.
const MAX_TEXT: usize = 500;

/// Most points of a picture in each direction: a picture of few bytes can fill the memory
/// of the browser that shows it. Icons have 48.
const MAX_POINTS: u32 = 512;

/// Bytes that reading one entry of the list of a file takes.
const ENTRY: u64 = 1024;

/// How the entry of a file in its own list begins.
const ENTRY_MARK: &[u8] = b"PK\x01\x02";

/// One set with its pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IconSet {
    pub base: String,
    pub name: String,
    pub description: String,
    pub small: Vec<u8>,
    pub on: Vec<u8>,
    pub off: Vec<u8>,
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// The sets of a zip file, of which there is at least one. Together they weigh at most `limit`; the
/// memory taken for them is added to `charge`.
///
/// # Errors
/// [`ImageError::Invalid`] names the mistake in the file, [`ImageError::Limit`] is `stored-bytes`
/// or `host-memory`.
pub(super) fn read(
    bytes: &[u8],
    limit: u64,
    charge: &mut Charge,
) -> Result<Vec<IconSet>, ImageError> {
    let mut archive = open(bytes, charge)?;
    let Some(folder) = folder(&archive) else {
        return Err(invalid("it has no icons.txt"));
    };
    let list = entry(
        &mut archive,
        &format!("{folder}icons.txt"),
        MAX_LIST,
        charge,
    )?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let lines = list.trim_start_matches('\u{feff}').lines().map(str::trim);
    let (mut sets, mut used) = (Vec::new(), 0_u64);
    for line in lines.filter(|line| !line.is_empty()) {
        if sets.len() >= MAX_SETS {
            return Err(invalid(format!(
                "its icons.txt has more than {MAX_SETS} lines"
            )));
        }
        let set = set(&mut archive, &folder, line, charge)?;
        used = used.saturating_add(set_weight(&set));
        if used > limit {
            let which = "stored-bytes";
            return Err(LimitHit { which, used, limit }.into());
        }
        sets.push(set);
    }
    match sets.is_empty() {
        true => Err(invalid("its icons.txt is empty")),
        false => Ok(sets),
    }
}

/// Reads the file's own list, of which each entry costs several times its bytes: entries
/// are counted first.
fn open<'a>(bytes: &'a [u8], charge: &mut Charge) -> Result<Archive<'a>, ImageError> {
    if bytes.len() > MAX_ARCHIVE {
        return Err(invalid(format!("it has more than {MAX_ARCHIVE} bytes")));
    }
    let marks = bytes.windows(ENTRY_MARK.len());
    let entries = marks.filter(|window| *window == ENTRY_MARK).count();
    if entries > MAX_ENTRIES {
        return Err(invalid(format!("it has more than {MAX_ENTRIES} entries")));
    }
    charge.grow(ENTRY.saturating_mul(u64::try_from(entries).unwrap_or(u64::MAX)))?;
    ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| invalid(format!("it is no zip file ({error})")))
}

fn invalid(text: impl Into<String>) -> ImageError {
    ImageError::Invalid(text.into())
}

/// The folder with the list, with a slash at its end; empty for the top.
fn folder(archive: &Archive<'_>) -> Option<String> {
    let mut lists = archive.file_names().flatten().filter_map(|name| {
        let folder = name.strip_suffix("icons.txt")?;
        let whole = folder.is_empty() || folder.ends_with('/');
        (whole && !folder.starts_with("__MACOSX")).then(|| folder.to_owned())
    });
    lists.next()
}

fn set(
    archive: &mut Archive<'_>,
    folder: &str,
    line: &str,
    charge: &mut Charge,
) -> Result<IconSet, ImageError> {
    let mut parts = line.split(';');
    let (Some(base), Some(name), Some(description), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        let shown = line
            .get(..line.floor_char_boundary(MAX_TEXT))
            .unwrap_or_default();
        let text = format!("line `{shown}` of its icons.txt is not `base;name;description`");
        return Err(invalid(text));
    };
    if !is_file_name(base) {
        let shown = base
            .get(..base.floor_char_boundary(MAX_TEXT))
            .unwrap_or_default();
        return Err(invalid(format!(
            "base `{shown}` in its icons.txt is no file name"
        )));
    }
    if name.len() > MAX_TEXT || description.len() > MAX_TEXT {
        let text = format!("name and description of `{base}` may have {MAX_TEXT} bytes each");
        return Err(invalid(text));
    }
    let mut picture = |end: &str| -> Result<Vec<u8>, ImageError> {
        let name = format!("{folder}{base}{end}.png");
        let bytes = entry(archive, &name, MAX_PICTURE, charge)?;
        // Published icons have empty files where nobody drew the small picture.
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let Some(format) = Format::of(&bytes) else {
            let text = format!("its `{name}` is no picture in PNG, GIF or JPEG");
            return Err(invalid(text));
        };
        if format.points(&bytes) > MAX_POINTS {
            let text = format!("its `{name}` has more than {MAX_POINTS} points in a row");
            return Err(invalid(text));
        }
        Ok(bytes)
    };
    Ok(IconSet {
        small: picture("")?,
        on: picture("48_On")?,
        off: picture("48_Off")?,
        base: base.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
    })
}

/// The pictures are served under names made of the base.
fn is_file_name(base: &str) -> bool {
    let odd = |c: char| matches!(c, '/' | '\\') || c.is_control();
    !base.is_empty() && base.len() <= 100 && !base.starts_with('.') && !base.contains(odd)
}

/// The content of an entry, at most so long and at most as long as it declares.
fn entry(
    archive: &mut Archive<'_>,
    name: &str,
    limit: u64,
    charge: &mut Charge,
) -> Result<Vec<u8>, ImageError> {
    let failed =
        |error: &dyn std::fmt::Display| invalid(format!("its `{name}` cannot be read ({error})"));
    let file = archive.by_name(name).map_err(|error| failed(&error))?;
    let declared = file.size();
    if declared > limit {
        return Err(invalid(format!("its `{name}` has more than {limit} bytes")));
    }
    let room = declared.saturating_add(1);
    charge.grow(room)?;
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
    file.take(room)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length == declared => Ok(bytes),
        _ => Err(failed(&"it is not as long as it says")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
pub(super) mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use cordon_base::account::Account;
    use cordon_base::limits::Limits;

    /// How a PNG begins.
    const PNG_START: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

    /// As much of a picture as is looked at.
    pub const PNG: [u8; 12] = *b"\x89PNG\r\n\x1a\nbody";

    pub fn files(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// A file with this list and the pictures of these bases.
    pub fn archive(list: &str, bases: &[&str]) -> Vec<u8> {
        let names: Vec<_> = bases
            .iter()
            .flat_map(|base| ["", "48_On", "48_Off"].map(|end| format!("{base}{end}.png")))
            .collect();
        let mut entries: Vec<(&str, &[u8])> = vec![("icons.txt", list.as_bytes())];
        entries.extend(names.iter().map(|name| (name.as_str(), PNG.as_slice())));
        files(&entries)
    }

    /// Reads a zip file as a hub does that has room for it.
    fn read(bytes: &[u8]) -> Result<Vec<IconSet>, ImageError> {
        let mut charge = Account::of_hub().charge(0).unwrap();
        super::read(bytes, u64::MAX, &mut charge)
    }

    fn refused(bytes: &[u8], part: &str) {
        let reason = read(bytes).unwrap_err().to_string();
        assert!(reason.contains(part), "{reason}");
    }

    #[test]
    fn each_line_of_the_list_is_a_set() {
        let sets = read(&archive("\u{feff}A;One;First\r\n\nB;Two;\n", &["A", "B"])).unwrap();
        let told: Vec<_> = sets
            .iter()
            .map(|set| {
                (
                    set.base.as_str(),
                    set.name.as_str(),
                    set.description.as_str(),
                )
            })
            .collect();
        assert_eq!(told, [("A", "One", "First"), ("B", "Two", "")]);
        assert_eq!(sets[0].off, PNG);
    }

    #[test]
    fn the_list_may_be_in_a_folder_but_not_in_that_of_a_mac() {
        let list = b"A;N;D".as_slice();
        let png = PNG.as_slice();
        let in_folder = files(&[
            ("__MACOSX/icons.txt", b"junk"),
            ("my icons/icons.txt", list),
            ("my icons/A.png", png),
            ("my icons/A48_On.png", png),
            ("my icons/A48_Off.png", png),
        ]);
        assert_eq!(read(&in_folder).unwrap().len(), 1);
        refused(&files(&[("__MACOSX/icons.txt", list)]), "no icons.txt");
        refused(&files(&[("myicons.txt", list)]), "no icons.txt");
    }

    #[test]
    fn a_picture_is_taken_by_its_content_whatever_its_name() {
        let gif = b"GIF89a\x01\x00\x01\x00".as_slice();
        let with = |on: &[u8]| {
            let entries = [
                ("icons.txt", b"A;N;D".as_slice()),
                ("A.png", PNG.as_slice()),
                ("A48_On.png", on),
                ("A48_Off.png", PNG.as_slice()),
            ];
            files(&entries)
        };
        assert_eq!(read(&with(gif)).unwrap()[0].on, gif);
        refused(&with(b"GIF89a\x01\x02\x01\x00"), "more than 512 points");
    }

    #[test]
    fn a_picture_may_be_empty() {
        let names = ["A.png", "A48_On.png", "A48_Off.png"].map(|name| (name, b"".as_slice()));
        let mut entries = vec![("icons.txt", b"A;N;D".as_slice())];
        entries.extend(names);
        let sets = read(&files(&entries)).unwrap();
        assert!(sets[0].small.is_empty() && sets[0].name == "N");
    }

    #[test]
    fn what_is_no_set_is_refused_with_a_reason() {
        refused(b"junk", "no zip file");
        refused(&archive("", &[]), "empty");
        refused(&archive("A;N", &["A"]), "`A;N`");
        refused(&archive("A;N;D;E", &["A"]), "base;name;description");
        refused(&archive("../A;N;D", &["../A"]), "no file name");
        refused(&archive("A;N;D", &["B"]), "A.png");
        let wrong = files(&[("icons.txt", b"A;N;D"), ("A.png", b"<svg/>")]);
        refused(&wrong, "no picture in PNG, GIF or JPEG");
        let bomb = vec![0; usize::try_from(MAX_PICTURE).unwrap() + 1];
        refused(
            &files(&[("icons.txt", b"A;N;D"), ("A.png", &bomb)]),
            "more than",
        );
        let lines = "A;N;D\n".repeat(MAX_SETS + 1);
        refused(&archive(&lines, &["A"]), "more than 100");
        let long = format!("A;{};D", "n".repeat(MAX_TEXT + 1));
        refused(&archive(&long, &["A"]), "500 bytes each");
    }

    /// A picture that is all zeros, of so many bytes.
    pub fn zeros(length: usize) -> Vec<u8> {
        let mut picture = PNG_START.to_vec();
        picture.resize(length, 0);
        picture
    }

    /// 100 sets that take a thousand times the bytes of their archive.
    fn bomb() -> Vec<u8> {
        let names: Vec<_> = (0..100).map(|n| format!("A{n}")).collect();
        let list: String = names.iter().map(|name| format!("{name};N;D\n")).collect();
        let picture = zeros(256 << 10);
        let mut entries = vec![("icons.txt".to_owned(), list.into_bytes())];
        for name in names {
            for end in ["", "48_On", "48_Off"] {
                entries.push((format!("{name}{end}.png"), picture.clone()));
            }
        }
        let entries = entries
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        files(&entries.collect::<Vec<_>>())
    }

    #[test]
    fn what_is_unpacked_is_bounded_by_what_may_be_stored() {
        let bomb = bomb();
        assert!(bomb.len() < 200_000, "{} bytes", bomb.len());
        let account = Account::new(&Limits::default());
        let mut charge = account.charge(0).unwrap();
        let refused = super::read(&bomb, 1 << 20, &mut charge).unwrap_err();
        let ImageError::Limit(hit) = refused else {
            unreachable!("{refused}");
        };
        assert_eq!((hit.which, hit.limit), ("stored-bytes", 1 << 20));
        // Two sets of which the second is one too many, and the list.
        assert!(charge.bytes() < 2 << 20, "{} bytes", charge.bytes());
    }

    #[test]
    fn what_is_unpacked_is_charged_first() {
        let limits: Limits = toml::from_str("host-memory = 300000").unwrap();
        let account = Account::new(&limits);
        let mut charge = account.charge(0).unwrap();
        let refused = super::read(&bomb(), u64::MAX, &mut charge).unwrap_err();
        let ImageError::Limit(hit) = refused else {
            unreachable!("{refused}");
        };
        assert_eq!(hit.which, "host-memory");
        assert!(account.peak() <= 300_000);
    }

    #[test]
    fn an_archive_of_very_many_entries_is_not_opened() {
        let names: Vec<_> = (0..=MAX_ENTRIES).map(|n| n.to_string()).collect();
        let entries = names.iter().map(|name| (name.as_str(), b"".as_slice()));
        let many = files(&entries.collect::<Vec<_>>());
        let account = Account::new(&Limits::default());
        let mut charge = account.charge(0).unwrap();
        let refused = super::read(&many, u64::MAX, &mut charge).unwrap_err();
        assert!(refused.to_string().contains("more than 1000 entries"));
        assert_eq!(charge.bytes(), 0);
        refused_size(MAX_ARCHIVE + 1);
    }

    fn refused_size(length: usize) {
        refused(&vec![0; length], "more than 4194304 bytes");
    }

    #[test]
    fn a_picture_that_would_fill_a_browser_is_refused() {
        let sized = |width: u32, height: u32| {
            let mut picture = PNG_START.to_vec();
            picture.extend(13_u32.to_be_bytes());
            picture.extend(b"IHDR");
            picture.extend(width.to_be_bytes());
            picture.extend(height.to_be_bytes());
            picture
        };
        let with = |picture: &[u8]| {
            let names = ["A.png", "A48_On.png", "A48_Off.png"].map(|name| (name, picture));
            let mut entries = vec![("icons.txt", b"A;N;D".as_slice())];
            entries.extend(names);
            files(&entries)
        };
        assert!(read(&with(&sized(48, 512))).is_ok());
        refused(&with(&sized(48, 513)), "more than 512 points");
        refused(&with(&sized(60_000, 60_000)), "more than 512 points");
    }

    #[test]
    fn an_entry_that_lies_about_its_size_is_refused() {
        let mut torn = archive("A;N;D", &["A"]);
        let png: Vec<_> = torn
            .windows(5)
            .enumerate()
            .filter(|(_, window)| *window == b"A.png")
            .map(|(at, _)| at)
            .collect();
        // The size of an entry in the file's own list is 22 bytes before its name.
        let at = png.last().unwrap() - 22;
        torn[at] = 3;
        refused(&torn, "`A.png` cannot be read");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_fail(junk: Vec<u8>) {
            proptest::prop_assert!(read(&junk).is_err());
            let mut torn = archive("A;N;D", &["A"]);
            torn.truncate(torn.len().saturating_sub(junk.len()));
            proptest::prop_assert_eq!(read(&torn).is_ok(), junk.is_empty());
        }
    }
}
