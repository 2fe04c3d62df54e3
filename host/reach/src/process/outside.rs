//! Paths of an instance as programs outside of it know them.
//!
//! A plugin sees its own folders as `/plugin`, `/data` and `/tmp`. A program that the hub runs for it
//! sees the machine's, where these names mean nothing, or something else. So a path of the instance
//! that stands among the arguments of a program becomes the path of the same file on the machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cordon_base::folders::{
    DATA_FOLDER, Folders, HIDING, PAGES_FOLDER, PLUGIN_FOLDER, TEMPORARY_FOLDER,
};

/// Bytes of paths that are looked at for one process. Every step of a path is a question to the
/// system, and the plugin chooses how many there are. Arguments beyond it pass as they are.
const LOOKED_AT: usize = 64 * 1024;

/// Programs that take a text as the plugin's shell would.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "zsh"];

/// Words that stand before the path in an argument: of curl's `@file`, and of addresses.
const BEFORE: [&str; 2] = ["@", "file://"];

/// One of the folders of an instance.
struct Root<'a> {
    /// On the machine.
    host: &'a Path,
    /// The plugin's changes in it, where it is copied on write.
    changes: Option<&'a Path>,
    /// Whether the plugin may make files in it.
    writable: bool,
    /// Whether most machines have a folder of this name too.
    common: bool,
}

/// Finds the machine's paths for those of an instance, up to [`LOOKED_AT`] bytes of them.
pub struct Outside<'a> {
    folders: &'a Folders,
    left: usize,
    /// A path in a text for a shell that has to stay: the machine's would need quotes.
    pub kept: Option<String>,
}

impl<'a> Outside<'a> {
    /// For the instance with these folders.
    #[must_use]
    pub fn new(folders: &'a Folders) -> Self {
        Self {
            folders,
            left: LOOKED_AT,
            kept: None,
        }
    }

    /// The arguments of a program as it can use them.
    pub fn arguments(&mut self, program: &Path, arguments: Vec<String>) -> Vec<OsString> {
        let name = program.file_name().and_then(|name| name.to_str());
        let shell = name.is_some_and(|name| SHELLS.contains(&name));
        let mut text_follows = false;
        let translate = |argument: String| {
            let is_text = text_follows;
            text_follows = shell && argument.starts_with('-') && argument.ends_with('c');
            if is_text {
                self.shell_text(&argument)
            } else {
                self.argument(&argument)
            }
        };
        arguments.into_iter().map(translate).collect()
    }

    /// One argument: `PATH`, `NAME=PATH`, `@PATH` or `file://PATH`. Others stay as they are.
    pub fn argument(&mut self, argument: &str) -> OsString {
        let mut path = argument;
        if !path.starts_with('/')
            && let Some((_, value)) = path.split_once('=')
        {
            path = value;
        }
        for word in BEFORE {
            path = path.strip_prefix(word).unwrap_or(path);
        }
        let Some(found) = self.find(path, true) else {
            return argument.into();
        };
        let before = argument.strip_suffix(path).unwrap_or_default();
        let mut whole = OsString::from(before);
        whole.push(found);
        whole
    }

    /// A text for a shell: the paths that stand in it as words are replaced, if their new text
    /// needs no quotes.
    fn shell_text(&mut self, text: &str) -> OsString {
        let mut made = String::with_capacity(text.len());
        let mut rest = text;
        let mut begins = true;
        while let Some(next) = rest.chars().next() {
            let length = if begins && next == '/' {
                rest.find(|c| !is_plain(c)).unwrap_or(rest.len())
            } else {
                next.len_utf8()
            };
            let (word, after) = rest.split_at(length);
            begins = !is_plain(next) && next != '\\';
            rest = after;
            let found = if next == '/' && length > 1 {
                self.find(word, false)
            } else {
                None
            };
            match found.as_deref().map(Path::to_str) {
                Some(Some(path)) if path.chars().all(is_plain) => made.push_str(path),
                Some(_) => {
                    self.kept = Some(word.to_owned());
                    made.push_str(word);
                }
                None => made.push_str(word),
            }
        }
        made.into()
    }

    /// The machine's path of an existing file or folder of the instance, or of one that could be made
    /// in a folder that exists. Nothing for any other path. `whole` says whether the folders
    /// themselves count.
    fn find(&mut self, asked: &str, whole: bool) -> Option<PathBuf> {
        if !asked.starts_with('/') || asked.contains('\0') || asked.len() > self.left {
            return None;
        }
        let path = normal(asked);
        let (root, rest) = root_of(self.folders, &path)?;
        if rest.is_empty() && !whole {
            return None;
        }
        self.left = self.left.saturating_sub(asked.len());
        if let Some(found) = root.existing(rest) {
            return Some(found);
        }
        // A plugin that names a socket or a lock file in the machine's own folder means that one.
        if root.common && !rest.is_empty() && Path::new(asked).exists() {
            return None;
        }
        root.new_file(rest)
    }
}

/// The machine's path of a file or folder of the instance that exists, which no link leads out of
/// its folder.
#[must_use]
pub fn existing(folders: &Folders, asked: &str) -> Option<PathBuf> {
    if !asked.starts_with('/') || asked.contains('\0') {
        return None;
    }
    let path = normal(asked);
    let (root, rest) = root_of(folders, &path)?;
    root.existing(rest)
}

/// Whether a path of the plugin leads into one of its folders.
#[must_use]
pub fn is_own(folders: &Folders, asked: &str) -> bool {
    asked.starts_with('/') && root_of(folders, &normal(asked)).is_some()
}

impl Root<'_> {
    fn existing(&self, rest: &str) -> Option<PathBuf> {
        let Some(changes) = self.changes else {
            return inside(self.host, rest);
        };
        let changed = inside(changes, rest);
        if changed.as_ref().is_some_and(|path| path.is_file()) || hidden(changes, rest) {
            return changed;
        }
        // A folder of both is the plugin's own, which has most of its files.
        inside(self.host, rest).or(changed)
    }

    fn new_file(&self, rest: &str) -> Option<PathBuf> {
        let (folder, name) = rest.rsplit_once('/').unwrap_or(("", rest));
        let host = match self.changes {
            Some(changes) => changes,
            None if self.writable => self.host,
            None => return None,
        };
        if folder.is_empty() {
            // The instance's folders are made at their first use, and this is one.
            std::fs::create_dir_all(host).ok()?;
        }
        let folder = inside(host, folder)?;
        if rest.is_empty() {
            return Some(folder);
        }
        (!name.is_empty() && folder.is_dir()).then(|| folder.join(name))
    }
}

/// The folder of the instance that a normal path leads into, and the path in it.
fn root_of<'a, 'p>(folders: &'a Folders, path: &'p str) -> Option<(Root<'a>, &'p str)> {
    let root = |host: &'a Path, writable: bool| Root {
        host,
        changes: None,
        writable,
        common: false,
    };
    let plugin = || Root {
        changes: folders.changes.as_deref(),
        ..root(&folders.plugin, false)
    };
    // The deeper ones first.
    if let Some(rest) = rest_of(path, &folders.listed()) {
        Some((plugin(), rest))
    } else if let Some(rest) = rest_of(path, PAGES_FOLDER) {
        Some((root(&folders.pages, true), rest))
    } else if let Some(rest) = rest_of(path, DATA_FOLDER) {
        Some((root(&folders.data, true), rest))
    } else if let Some(rest) = rest_of(path, PLUGIN_FOLDER) {
        Some((plugin(), rest))
    } else {
        let rest = rest_of(path, TEMPORARY_FOLDER)?;
        let temporary = Root {
            common: true,
            ..root(&folders.temporary, true)
        };
        Some((temporary, rest))
    }
}

fn rest_of<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix('/')
}

/// An absolute path without dots and without a slash at its end.
fn normal(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            name => steps.push(name),
        }
    }
    format!("/{}", steps.join("/"))
}

fn inside(root: &Path, rest: &str) -> Option<PathBuf> {
    let path = root.join(rest);
    // Most words that look like a path are none: one question is enough for them.
    path.symlink_metadata().ok()?;
    let real = path.canonicalize().ok()?;
    real.starts_with(root.canonicalize().ok()?).then_some(real)
}

/// Whether the changes hide a path of the plugin's own folder.
fn hidden(changes: &Path, rest: &str) -> bool {
    let mut folder = changes.to_owned();
    rest.split('/').any(|name| {
        let marker = folder.join(format!("{HIDING}{name}"));
        folder.push(name);
        marker.symlink_metadata().is_ok()
    })
}

/// Whether a shell takes this character of a path as it is.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-+%".contains(c)
}

#[cfg(test)]
#[path = "outside/tests.rs"]
mod tests;
