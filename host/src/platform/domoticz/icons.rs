//! Zip files with icon sets (behaviour spec 4.7).
//!
//! `icons.txt` in any folder has a line `base;name;description` per set, and beside it
//! lie `<base>.png`, `<base>48_On.png` and `<base>48_Off.png`. The files come from
//! strangers, so what is taken out of them is bounded.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// Most entries of a file, most bytes of one picture and of the list, most sets.
const MAX_ENTRIES: usize = 1000;
const MAX_PICTURE: u64 = 256 << 10;
const MAX_LIST: u64 = 64 << 10;
const MAX_SETS: usize = 100;

/// How a PNG begins.
const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

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

/// The sets of a zip file, of which there is at least one; else what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<IconSet>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| format!("it is no zip file ({error})"))?;
    if archive.len() > MAX_ENTRIES {
        return Err(format!("it has more than {MAX_ENTRIES} entries"));
    }
    let Some(folder) = folder(&archive) else {
        return Err("it has no icons.txt".to_owned());
    };
    let list = entry(&mut archive, &format!("{folder}icons.txt"), MAX_LIST)?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let lines = list.trim_start_matches('\u{feff}').lines().map(str::trim);
    let mut sets = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if sets.len() >= MAX_SETS {
            return Err(format!("its icons.txt has more than {MAX_SETS} lines"));
        }
        sets.push(set(&mut archive, &folder, line)?);
    }
    match sets.is_empty() {
        true => Err("its icons.txt is empty".to_owned()),
        false => Ok(sets),
    }
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

fn set(archive: &mut Archive<'_>, folder: &str, line: &str) -> Result<IconSet, String> {
    let [base, name, description] = line.split(';').collect::<Vec<_>>()[..] else {
        return Err(format!(
            "line `{line}` of its icons.txt is not `base;name;description`"
        ));
    };
    if !is_file_name(base) {
        return Err(format!("base `{base}` in its icons.txt is no file name"));
    }
    let mut picture = |end: &str| -> Result<Vec<u8>, String> {
        let name = format!("{folder}{base}{end}.png");
        let bytes = entry(archive, &name, MAX_PICTURE)?;
        // Published icons have empty files where nobody drew the small picture.
        match bytes.is_empty() || bytes.starts_with(&SIGNATURE) {
            true => Ok(bytes),
            false => Err(format!("its `{name}` is no PNG picture")),
        }
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

/// The content of an entry, at most so long.
fn entry(archive: &mut Archive<'_>, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let file = archive
        .by_name(name)
        .map_err(|error| format!("its `{name}` cannot be read ({error})"))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| format!("its `{name}` cannot be read ({error})"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(format!("its `{name}` has more than {limit} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
pub(super) mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

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

    fn refused(bytes: &[u8], part: &str) {
        let reason = read(bytes).unwrap_err();
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
        let wrong = files(&[("icons.txt", b"A;N;D"), ("A.png", b"GIF89a")]);
        refused(&wrong, "no PNG");
        let bomb = vec![0; usize::try_from(MAX_PICTURE).unwrap() + 1];
        refused(
            &files(&[("icons.txt", b"A;N;D"), ("A.png", &bomb)]),
            "more than",
        );
        let lines = "A;N;D\n".repeat(MAX_SETS + 1);
        refused(&archive(&lines, &["A"]), "more than 100");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_fail(junk: Vec<u8>) {
            let _ = read(&junk);
            let mut torn = archive("A;N;D", &["A"]);
            torn.truncate(torn.len().saturating_sub(junk.len()));
            let _ = read(&torn);
        }
    }
}
