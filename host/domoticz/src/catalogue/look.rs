//! One look through the plugins folder, which builds on the result of the look before.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::definition::{DefinitionProblem, PluginDefinition};
use super::{Catalogue, Page};
use cordon_base::bounds;
use cordon_base::regular_file::Identity;

/// The contents of folders that were read, by folder.
pub(super) type Pages = HashMap<PathBuf, Known>;

/// The content of a folder, and the file it was read from.
#[derive(Clone)]
pub(super) struct Known {
    pub identity: Identity,
    /// Whether a change of the file would show, so that it need not be read again.
    pub settled: bool,
    pub content: Content,
}

#[derive(Clone)]
pub(super) enum Content {
    Page(Arc<Page>),
    /// Definitions of so many bytes, for which there was no room.
    Heavy(usize),
}

/// One look through the folder.
#[derive(Default)]
pub(super) struct Look {
    /// The pages of the look before.
    pub known: Pages,
    /// The pages of this look.
    pub pages: Pages,
    pub catalogue: Catalogue,
    /// Bytes of the definitions so far.
    bytes: usize,
    /// Where each key was found first.
    keys: HashMap<String, String>,
}

impl Look {
    /// A look after another one that has found these pages.
    pub(super) fn after(known: Pages) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// Leaves these folders to the next look.
    pub(super) fn leave(&mut self, folders: &[PathBuf], why: &str) {
        self.catalogue.partial = true;
        for folder in folders {
            if let Some(known) = self.known.remove(folder) {
                self.pages.insert(folder.clone(), known);
            }
        }
        if let Some((first, rest)) = folders.split_first() {
            let left = rest.len();
            let reason = format!("it and the {left} folders after it were not looked at, {why}");
            let problem = DefinitionProblem::new(first, reason, None);
            self.catalogue.problems.push(problem);
        }
    }

    pub(super) fn has_room(&self, weight: usize) -> bool {
        self.bytes.saturating_add(weight) <= bounds::CATALOGUE_BYTES
    }

    /// Adds the content of a folder.
    pub(super) fn add(&mut self, folder: &Path, identity: Identity, mut page: Arc<Page>) {
        self.catalogue.folders = self.catalogue.folders.saturating_add(1);
        // A caller that holds the page of the last look then holds it once.
        if let Some(Content::Page(known)) = self.known.get(folder).map(|it| &it.content)
            && *known == page
        {
            page = Arc::clone(known);
        }
        let content = match &*page {
            Err(problem) => {
                self.catalogue.problems.push(problem.clone());
                Content::Page(page)
            }
            Ok(found) => {
                let weights = found.iter().map(|it| it.weight());
                let weight = weights.fold(0, usize::saturating_add);
                if self.has_room(weight) {
                    self.bytes = self.bytes.saturating_add(weight);
                    found
                        .iter()
                        .for_each(|plugin| self.add_plugin(folder, plugin));
                    Content::Page(page)
                } else {
                    self.catalogue.problems.push(too_heavy(folder));
                    Content::Heavy(weight)
                }
            }
        };
        self.keep(folder, identity, content);
    }

    pub(super) fn add_heavy(&mut self, folder: &Path, identity: Identity, weight: usize) {
        self.catalogue.folders = self.catalogue.folders.saturating_add(1);
        self.catalogue.problems.push(too_heavy(folder));
        self.keep(folder, identity, Content::Heavy(weight));
    }

    fn keep(&mut self, folder: &Path, identity: Identity, content: Content) {
        let settled = identity.is_settled();
        let known = Known {
            identity,
            settled,
            content,
        };
        self.pages.insert(folder.to_owned(), known);
    }

    /// Of several plugins with one key the first is taken (rule 9).
    fn add_plugin(&mut self, folder: &Path, plugin: &Arc<PluginDefinition>) {
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        let name = name.to_string_lossy();
        if let Some(first) = self.keys.get(&plugin.key) {
            let key = &plugin.key;
            let reason = format!(
                "its plugin with key `{key}` is left out, because the one in folder `{first}` \
                 comes first and is used"
            );
            let problem = DefinitionProblem::new(folder, reason, None);
            self.catalogue.problems.push(problem);
            return;
        }
        self.keys.insert(plugin.key.clone(), name.into_owned());
        self.catalogue.plugins.push(Arc::clone(plugin));
    }
}

fn too_heavy(folder: &Path) -> DefinitionProblem {
    let reason = format!(
        "the definitions of all plugins have more than {} bytes; remove some",
        bounds::CATALOGUE_BYTES
    );
    DefinitionProblem::new(folder, reason, None)
}
