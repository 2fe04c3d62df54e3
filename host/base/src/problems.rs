//! What lies in the plugins folder, or stands in the configuration, and cannot be used.
//!
//! The log says it once; here it stays for whoever looks later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Problems by what has them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    folders: BTreeMap<String, String>,
    sections: BTreeMap<String, String>,
}

impl Problems {
    /// Takes the place of all problems with folders of the plugins folder.
    pub fn set_folders(&self, problems: impl IntoIterator<Item = (String, String)>) {
        self.lock().folders = problems.into_iter().collect();
    }

    /// Adds the reason why a configured plugin does not run.
    pub fn add_section(&self, name: String, reason: String) {
        self.lock().sections.insert(name, reason);
    }

    /// Forgets it: the plugin is started after all.
    pub fn forget_section(&self, name: &str) {
        self.lock().sections.remove(name);
    }

    /// All of them: the name of a folder or of a section, and the reason.
    #[must_use]
    pub fn all(&self) -> Vec<(String, String)> {
        let inner = self.lock();
        let all = inner.folders.iter().chain(&inner.sections);
        all.map(|(name, reason)| (name.clone(), reason.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
