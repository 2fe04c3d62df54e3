//! The files of a bundle from which definitions are read.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::problem::Problem;
use crate::names;
use cordon_base::bounds::XML_BYTES;
use cordon_base::regular_file::RegularFile;

/// A file that was read.
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Files beside it whose names differ in case alone.
    pub(super) twins: Vec<String>,
}

/// Where a bundle's definitions and templates lie. Names are looked up whatever their case.
///
/// Nothing outside of the bundle's `Contents` is read, through no `..` and no link.
#[derive(Debug, Clone)]
pub struct Source {
    contents: PathBuf,
    server_plugin: PathBuf,
}

impl Source {
    /// The files under `contents`, with relative names counted from `server_plugin`.
    #[must_use]
    pub fn new(contents: &Path, server_plugin: &Path) -> Self {
        Self {
            contents: contents.to_owned(),
            server_plugin: server_plugin.to_owned(),
        }
    }

    /// Bytes of a definition file; `None` when there is none.
    pub(super) fn definition(&self, file: &str) -> Result<Option<Text>, Problem> {
        self.find(file)
    }

    fn find(&self, file: &str) -> Result<Option<Text>, Problem> {
        let shown = self.shown(file);
        let found = names::below(&self.server_plugin, Path::new(file));
        let found = found
            .map_err(|error| Problem::of_file(&shown, format!("it cannot be found: {error}")))?;
        let Some(found) = found else {
            return Ok(None);
        };
        let bytes = self.read(&found.path, &shown)?;
        let twins = found.twins;
        Ok(Some(Text { bytes, twins }))
    }

    /// Bytes of a template, by its name relative to `Server Plugin`; `None` when there is
    /// none.
    pub(super) fn template(&self, file: &str) -> Result<Option<Text>, Problem> {
        let plain = Path::new(file).components().all(|part| {
            matches!(
                part,
                Component::Normal(_) | Component::CurDir | Component::ParentDir
            )
        });
        if !plain || file.is_empty() || file.contains('\0') {
            let reason = "a template is named by a path relative to `Server Plugin`";
            return Err(Problem::of_file(self.shown(file), reason));
        }
        self.find(file)
    }

    /// The name of a file as problems show it.
    pub(super) fn shown(&self, file: &str) -> String {
        let folder = self.server_plugin.file_name().unwrap_or_default();
        format!("{}/{file}", folder.to_string_lossy())
    }

    fn read(&self, path: &Path, shown: &str) -> Result<Vec<u8>, Problem> {
        let failed =
            |error: std::io::Error| Problem::of_file(shown, format!("it cannot be read: {error}"));
        let real = fs::canonicalize(path).map_err(failed)?;
        let inside = fs::canonicalize(&self.contents).map_err(failed)?;
        let Ok(name) = real.strip_prefix(&inside) else {
            return Err(Problem::of_file(shown, "it lies outside of the bundle"));
        };
        // The file may have changed its kind since it was found, so it is opened as a regular file
        // only.
        let file = RegularFile::open_beneath(&inside, name).map_err(failed)?;
        file.whole(XML_BYTES)
            .map_err(|error| Problem::of_file(shown, error.to_string()))
    }
}
