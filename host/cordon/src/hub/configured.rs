//! The instances of the configuration in its order, whether they could be loaded or not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::turns::Turns;
use cordon_base::notes::now;
use cordon_domoticz::config::HardwareSection;
use cordon_indigo::config::IndigoSection;
use cordon_runtime::instance::supervisor::Handle;

/// A section of the configuration that is about an instance.
#[derive(Debug, Clone)]
pub enum Section {
    /// `[[hardware]]`.
    Hardware(Arc<HardwareSection>),
    /// `[[indigo]]`.
    Indigo(Arc<IndigoSection>),
}

impl Section {
    /// The name by which the operator knows the section: that of its instance, or the bundle of one
    /// that has the bundle's own name.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Hardware(section) => section.name.clone(),
            Self::Indigo(section) => match &section.name {
                Some(name) => name.clone(),
                None => section.bundle.display().to_string(),
            },
        }
    }

    /// The plugin: its key, or its bundle.
    pub(crate) fn plugin(&self) -> String {
        match self {
            Self::Hardware(section) => section.plugin.clone(),
            Self::Indigo(section) => section.bundle.display().to_string(),
        }
    }

    /// The name of its framework.
    pub(crate) fn framework(&self) -> &'static str {
        match self {
            Self::Hardware(_) => "domoticz",
            Self::Indigo(_) => "indigo",
        }
    }

    /// Whether an instance of the one is an instance of the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hardware(own), Self::Hardware(other)) => own.is_same(other),
            (Self::Indigo(own), Self::Indigo(other)) => own.is_same(other),
            _ => false,
        }
    }
}

/// How an instance stands.
#[derive(Clone)]
pub(super) enum Standing {
    /// Its plugin was not read so far.
    Waiting,
    /// It could not be made.
    Unloaded {
        /// Why.
        reason: String,
    },
    /// It has an actor.
    Alive(Arc<Handle>),
}

/// An instance.
#[derive(Clone)]
pub(super) struct Entry {
    /// The name of its section, unique.
    pub(super) label: String,
    /// The section, unless the hub was given the instance in another way.
    pub(super) section: Option<Section>,
    /// The id of its row; 0 when that is not known.
    pub(super) id: u32,
    /// How it stands.
    pub(super) standing: Standing,
    /// Since when, in milliseconds since 1970.
    pub(super) since: u64,
}

impl Entry {
    /// The name of the instance in the log.
    pub(super) fn name(&self) -> String {
        match &self.standing {
            Standing::Alive(handle) => handle.remote().spec.name.clone(),
            _ => self.label.clone(),
        }
    }

    /// The actor.
    pub(super) fn handle(&self) -> Option<&Arc<Handle>> {
        match &self.standing {
            Standing::Alive(handle) => Some(handle),
            _ => None,
        }
    }
}

/// See the module. Clones share the instances.
#[derive(Clone, Default)]
pub(super) struct Configured {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Mutex<Vec<Entry>>,
    turns: Turns<String>,
}

impl Configured {
    /// The turns of those who change an instance, by its label.
    pub(super) fn turns(&self) -> &Turns<String> {
        &self.inner.turns
    }

    /// Adds an instance of a section that is not loaded yet.
    pub(super) fn announce(&self, label: &str, section: Section) {
        self.lock().push(Entry {
            label: label.to_owned(),
            section: Some(section),
            id: 0,
            standing: Standing::Waiting,
            since: now(),
        });
    }

    /// Adds an instance that runs.
    pub(super) fn add(&self, label: &str, section: Option<Section>, handle: Arc<Handle>) {
        self.lock().push(Entry {
            label: label.to_owned(),
            section,
            id: handle.remote().spec.hardware,
            standing: Standing::Alive(handle),
            since: now(),
        });
    }

    /// Notes how the instance of this label stands from now on.
    pub(super) fn settle(&self, label: &str, section: &Section, standing: Standing) {
        let mut entries = self.lock();
        let Some(entry) = entries.iter_mut().find(|it| it.label == label) else {
            return;
        };
        if let Standing::Alive(handle) = &standing {
            entry.id = handle.remote().spec.hardware;
        }
        entry.section = Some(section.clone());
        entry.standing = standing;
        entry.since = now();
    }

    /// Keeps the row of an instance that may be started later.
    pub(super) fn keep_row(&self, label: &str, id: u32) {
        if let Some(entry) = self.lock().iter_mut().find(|it| it.label == label) {
            entry.id = id;
        }
    }

    /// Takes an instance out.
    pub(super) fn remove(&self, label: &str) {
        self.lock().retain(|it| it.label != label);
    }

    /// Puts the instances into the order of these labels; the others come last.
    pub(super) fn arrange(&self, labels: &[String]) {
        let place = |entry: &Entry| {
            let found = labels.iter().position(|it| *it == entry.label);
            found.unwrap_or(labels.len())
        };
        self.lock().sort_by_cached_key(place);
    }

    /// The instance of this name, or of the section of this name.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        let entries = self.lock();
        let found = entries.iter().find(|it| it.name() == name);
        let found = found.or_else(|| entries.iter().find(|it| it.label == name));
        found.cloned()
    }

    /// The instance with this label.
    pub(super) fn labelled(&self, label: &str) -> Option<Entry> {
        self.lock().iter().find(|it| it.label == label).cloned()
    }

    /// All instances.
    pub(super) fn all(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Those that run.
    pub(super) fn handles(&self) -> Vec<Arc<Handle>> {
        self.lock()
            .iter()
            .filter_map(|it| it.handle().cloned())
            .collect()
    }

    /// The ids of all rows.
    pub(super) fn ids(&self) -> BTreeSet<u32> {
        let entries = self.lock();
        entries
            .iter()
            .map(|it| it.id)
            .filter(|id| *id != 0)
            .collect()
    }

    /// Takes all instances out; returns those that run.
    pub(super) fn take(&self) -> Vec<Arc<Handle>> {
        let entries = std::mem::take(&mut *self.lock());
        let handles = entries.iter().filter_map(|it| it.handle().cloned());
        handles.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        let entries = self.inner.entries.lock();
        entries.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sections of a configuration with labels that differ: the second of two bundles without a
/// name has a number.
pub(crate) fn labelled(
    hardware: &[HardwareSection],
    indigo: &[IndigoSection],
) -> Vec<(String, Section)> {
    let hardware = hardware.iter().cloned().map(Arc::new);
    let hardware = hardware.map(Section::Hardware);
    let indigo = indigo.iter().cloned().map(Arc::new).map(Section::Indigo);
    let mut taken = BTreeSet::new();
    let label = |section: Section| {
        let plain = section.label();
        let mut label = plain.clone();
        let mut number = 1_u32;
        while !taken.insert(label.clone()) {
            number = number.saturating_add(1);
            label = format!("{plain} ({number})");
        }
        (label, section)
    };
    hardware.chain(indigo).map(label).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn hardware(name: &str, rest: &str) -> HardwareSection {
        toml::from_str(&format!("name = '{name}'\nplugin = 'P'\n{rest}")).unwrap()
    }

    #[test]
    fn labels_differ_and_keep_the_order() {
        let bundle: IndigoSection = toml::from_str("bundle = 'B.indigoPlugin'").unwrap();
        let sections = labelled(&[hardware("A", "")], &[bundle.clone(), bundle]);
        let labels: Vec<_> = sections.iter().map(|it| &*it.0).collect();
        assert_eq!(labels, ["A", "B.indigoPlugin", "B.indigoPlugin (2)"]);
    }

    #[test]
    fn a_section_is_another_when_one_of_its_words_is() {
        let section = |rest: &str| Section::Hardware(Arc::new(hardware("A", rest)));
        let plain = section("");
        assert!(plain.is_same(&section("")));
        for rest in [
            "log-level = 4",
            "verify_tls = true",
            "plugin-folder = 'copy-on-write'",
            "parameters = { Port = '1' }",
            "environment = { A = '1' }",
            "[grants]\nsecurity = true",
            "[limits]\nthreads = 1",
        ] {
            assert!(!plain.is_same(&section(rest)), "{rest}");
        }
    }

    #[test]
    fn instances_are_found_and_come_in_the_order_of_the_configuration() {
        let configured = Configured::default();
        for (label, section) in labelled(&[hardware("A", ""), hardware("B", "")], &[]) {
            configured.announce(&label, section);
        }
        configured.keep_row("B", 7);
        assert_eq!(configured.ids(), BTreeSet::from([7]));
        configured.arrange(&["B".to_owned(), "A".to_owned()]);
        let names: Vec<_> = configured.all().iter().map(Entry::name).collect();
        assert_eq!(names, ["B", "A"]);
        assert_eq!(configured.find("B").unwrap().id, 7);
        configured.remove("B");
        assert!(configured.find("B").is_none());
        assert!(configured.take().is_empty() && configured.all().is_empty());
    }
}
