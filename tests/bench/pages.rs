//! Which pages of their memory instances have made their own.
//!
//! Reads the kernel's page map: a page that was written to is anonymous, one that
//! still comes from the snapshot belongs to the compiled artifact's file, of which
//! every instance has a writable mapping of its own.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;

use crate::Outcome;
use crate::report::Report;

const PAGE: u64 = 4096;
const ENTRY: usize = 8;

/// Bits of an entry: in memory; file page or shared.
const PRESENT: u64 = 1 << 63;
const FILE_OR_SHARED: u64 = 1 << 61;

/// End of the name of the file that holds the image.
pub const IMAGE: &str = ".cwasm";

/// A step of the list of places.
const PLACE: u64 = 1 << 20;

/// Anonymous pages by where in an instance's memory they are.
#[derive(Default)]
pub struct Pages {
    by_place: BTreeMap<u64, u64>,
    beyond_image: u64,
    other: u64,
}

impl Pages {
    /// Counts the pages of all instances of this process.
    pub fn of_this_process() -> Outcome<Self> {
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        let pagemap = std::fs::File::open("/proc/self/pagemap")?;
        let mut pages = Self::default();
        let mappings: Vec<_> = maps.lines().filter_map(Mapping::parse).collect();
        // Where in the file the image of an instance's memory begins.
        let images = mappings.iter().filter(|mapping| mapping.image);
        let base = images.map(|mapping| mapping.offset).min().unwrap_or(0);
        // The end of the last image mapping: the heap of its instance begins there.
        let mut image_end = 0;
        for mapping in mappings {
            let owned = owned_pages(&pagemap, &mapping)?;
            if mapping.image {
                image_end = mapping.end;
                for page in owned {
                    *pages
                        .by_place
                        .entry((mapping.offset - base + page * PAGE) / PLACE)
                        .or_default() += 1;
                }
            } else if mapping.start == image_end {
                pages.beyond_image += owned.len() as u64;
                image_end = mapping.end;
            } else {
                pages.other += owned.len() as u64;
            }
        }
        Ok(pages)
    }

    /// Adds what an instance has on average.
    pub fn report(&self, report: &mut Report, section: &'static str, instances: usize) {
        let each = |pages: u64| pages as f64 / instances as f64;
        let image: u64 = self.by_place.values().sum();
        report.note(
            section,
            format!(
                "pages written per instance: {:.0} of the image, {:.0} behind it; {:.0} elsewhere in the process",
                each(image),
                each(self.beyond_image),
                each(self.other)
            ),
        );
        let places: Vec<_> = self
            .by_place
            .iter()
            .filter(|(_, pages)| each(**pages) >= 1.0)
            .map(|(place, pages)| format!("{place}: {:.0}", each(*pages)))
            .collect();
        report.note(
            section,
            format!(
                "pages written of the image, by MiB of linear memory: {}",
                places.join(", ")
            ),
        );
    }
}

/// A writable mapping of this process.
struct Mapping {
    start: u64,
    end: u64,
    offset: u64,
    image: bool,
}

impl Mapping {
    /// A line such as `7f00-7f01 rw-p 00001000 00:01 12 /memfd:name (deleted)`.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        if !fields.next()?.contains('w') {
            return None;
        }
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(Self {
            start: number(start)?,
            end: number(end)?,
            offset: number(fields.next()?)?,
            image: line.ends_with(IMAGE),
        })
    }
}

/// Numbers of the pages of a mapping that this process has for itself.
fn owned_pages(pagemap: &std::fs::File, mapping: &Mapping) -> Outcome<Vec<u64>> {
    let count = (mapping.end - mapping.start) / PAGE;
    let mut bytes = vec![0; usize::try_from(count)? * ENTRY];
    pagemap.read_exact_at(&mut bytes, mapping.start / PAGE * ENTRY as u64)?;
    let entries = bytes
        .as_chunks::<ENTRY>()
        .0
        .iter()
        .map(|entry| u64::from_le_bytes(*entry));
    let owned = |entry: &u64| entry & PRESENT != 0 && entry & FILE_OR_SHARED == 0;
    Ok((0..)
        .zip(entries)
        .filter(|(_, entry)| owned(entry))
        .map(|(page, _)| page)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_list_is_read() {
        let line = "7f0000000000-7f0000002000 rw-p 00010000 00:01 12 /cache/guest.cwasm";
        let read = Mapping::parse(line);
        assert!(
            read.is_some_and(|m| m.end - m.start == 2 * PAGE && m.offset == 0x10000 && m.image)
        );
        assert!(Mapping::parse("7f0000000000-7f0000002000 r--p 00010000 00:01 12").is_none());
    }
}
