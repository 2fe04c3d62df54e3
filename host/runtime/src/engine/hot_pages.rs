//! Which pages of the snapshot every start writes to.
//!
//! The first write to a page of the copy-on-write image is a fault of a microsecond or two, and a
//! start takes hundreds of them in places that hardly differ from one start to the next. The first
//! lives of an engine that find their plugin compiled teach which pages these are; later lives have
//! the pages made their own in a few calls. The further pages that a plugin's own code writes to
//! are learned from its first such lives. This module owns the lists and never touches memory:
//! `capability/memory` does.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Lives whose pages are examined: a page that only some plugins write to is no page of every
/// start.
const LESSONS: u32 = 4;

/// Lives whose pages are examined for the list of one plugin.
const OWN_LESSONS: u32 = 2;

/// Plugins that have a list of their own; further ones have the engine's.
const PLUGINS: usize = 256;

/// Most pages in a list. More would cost an instance memory that it may not need.
const MOST: usize = 1024;

/// Bytes of a page, as the list counts them.
pub const PAGE: usize = 4096;

/// A part of an instance's memory that its runtime has shown to the hub.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Number of its first page in the linear memory.
    pub first: usize,
    /// Number of its first page in this process.
    pub address: usize,
    /// How many pages it has.
    pub pages: usize,
}

/// A list, while it is learned and after.
#[derive(Debug, Default)]
pub struct HotPages {
    learned: OnceLock<Vec<usize>>,
    lessons: Mutex<Lessons>,
    /// The list that holds until this one is learned: the engine's, for the list of a plugin.
    general: Option<Arc<HotPages>>,
}

/// The lists of an engine.
#[derive(Debug, Default)]
pub struct AllHotPages {
    general: Arc<HotPages>,
    plugins: Mutex<BTreeMap<String, Arc<HotPages>>>,
}

impl AllHotPages {
    /// The list for instances of the plugin with this key.
    #[must_use]
    pub fn of(&self, plugin: &str) -> Arc<HotPages> {
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = plugins.get(plugin) {
            return Arc::clone(list);
        }
        if plugins.len() >= PLUGINS {
            return Arc::clone(&self.general);
        }
        let list = Arc::new(HotPages {
            general: Some(Arc::clone(&self.general)),
            ..HotPages::default()
        });
        plugins.insert(plugin.to_owned(), Arc::clone(&list));
        list
    }
}

#[derive(Debug, Default)]
struct Lessons {
    count: u32,
    pages: Option<Vec<usize>>,
}

impl HotPages {
    /// The pages, ascending, once they are known.
    #[must_use]
    pub fn known(&self) -> Option<&[usize]> {
        match (self.learned.get(), &self.general) {
            (Some(pages), _) => Some(pages),
            (None, Some(general)) => general.known(),
            (None, None) => None,
        }
    }

    /// Whether there is something to learn from another life.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.learned.get().is_none()
    }

    /// Learns from an instance that has just started which pages it has written to. Does nothing
    /// when that cannot be found out here, or is known.
    pub fn learn(&self, parts: &[Part]) {
        if !self.learns() || parts.is_empty() {
            return;
        }
        let Ok(written) = written(parts) else {
            return;
        };
        self.take(written.clone());
        if let Some(general) = self.general.as_ref().filter(|it| it.learns()) {
            general.take(written);
        }
    }

    /// Another life has written to these pages.
    fn take(&self, written: Vec<usize>) {
        let mut lessons = self.lessons.lock().unwrap_or_else(PoisonError::into_inner);
        lessons.count = lessons.count.saturating_add(1);
        let pages = match lessons.pages.take() {
            None => written,
            Some(mut pages) => {
                pages.retain(|page| written.binary_search(page).is_ok());
                pages
            }
        };
        let enough = match self.general {
            Some(_) => OWN_LESSONS,
            None => LESSONS,
        };
        if lessons.count < enough {
            lessons.pages = Some(pages);
        } else {
            let mut pages = pages;
            pages.truncate(MOST);
            // Another life has set the list first, and its list is as good.
            let _ = self.learned.set(pages);
        }
    }
}

/// The pages of these parts that are this instance's own, ascending.
///
/// From `/proc/self/pagemap`, eight bytes a page: bit 63 says that there is a page,
/// bit 61 that it is still the file's.
fn written(parts: &[Part]) -> std::io::Result<Vec<usize>> {
    let pagemap = File::open("/proc/self/pagemap")?;
    let mut pages = Vec::new();
    for part in parts {
        let mut entries = vec![0_u8; part.pages.saturating_mul(8)];
        let at = u64::try_from(part.address.saturating_mul(8)).unwrap_or(u64::MAX);
        pagemap.read_exact_at(&mut entries, at)?;
        for (number, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
            if u64::from_ne_bytes(*entry) >> 61 & 0b101 == 0b100 {
                pages.push(part.first.saturating_add(number));
            }
        }
    }
    pages.sort_unstable();
    Ok(pages)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Pages of this process that are certainly written to.
    fn own(pages: usize) -> (Vec<u8>, Part) {
        let memory = vec![1_u8; (pages + 1) * PAGE];
        let part = Part {
            first: 100,
            address: (memory.as_ptr() as usize).div_ceil(PAGE),
            pages,
        };
        (memory, part)
    }

    #[test]
    fn pages_that_every_life_has_written_to_are_known_after_some() {
        let hot = HotPages::default();
        let (_memory, four) = own(4);
        let two = Part { pages: 2, ..four };
        for _ in 1..LESSONS {
            hot.learn(&[four]);
            assert_eq!(hot.known(), None);
        }
        hot.learn(&[two]);
        assert_eq!(hot.known(), Some(&[100, 101][..]));
    }

    #[test]
    fn a_plugin_has_the_engines_list_until_its_own_is_known() {
        let all = AllHotPages::default();
        let (_memory, four) = own(4);
        let two = Part { pages: 2, ..four };
        let (a, b) = (all.of("a"), all.of("b"));
        for list in [&a, &b, &b] {
            assert_eq!(list.known(), None);
            list.learn(&[two]);
        }
        assert_eq!(b.known(), Some(&[100, 101][..]));
        all.of("c").learn(&[four]);
        // Four lives are enough for the engine's list.
        assert_eq!(all.of("c").known(), Some(&[100, 101][..]));
        all.of("c").learn(&[four]);
        assert_eq!(all.of("c").known().map(<[usize]>::len), Some(4));
        assert!(a.learns() && !b.learns());
    }

    #[test]
    fn plugins_beyond_the_bound_share_the_engines_list() {
        let all = AllHotPages::default();
        let lists: Vec<_> = (0..=PLUGINS).map(|n| all.of(&n.to_string())).collect();
        assert!(
            lists
                .first()
                .is_some_and(|it| !Arc::ptr_eq(it, &all.general))
        );
        assert!(lists.last().is_some_and(|it| Arc::ptr_eq(it, &all.general)));
    }

    #[test]
    fn an_instance_that_shows_nothing_teaches_nothing() {
        let hot = HotPages::default();
        for _ in 0..=LESSONS {
            hot.learn(&[]);
        }
        assert_eq!(hot.known(), None);
    }
}
