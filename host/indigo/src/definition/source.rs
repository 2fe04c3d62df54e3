//! The files of a bundle that definitions are read from.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::problem::Problem;
use cordon_base::bounds::XML_BYTES;
use cordon_base::regular_file::RegularFile;

/// Where a bundle's definitions and templates lie.
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
    pub(super) fn definition(&self, file: &str) -> Result<Option<Vec<u8>>, Problem> {
        let path = self.server_plugin.join(file);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => self.read(&path, &self.shown(file)).map(Some),
        }
    }

    /// Bytes of a template, by its name relative to `Server Plugin`; `None` when there is
    /// none.
    pub(super) fn template(&self, file: &str) -> Result<Option<Vec<u8>>, Problem> {
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
        let path = self.server_plugin.join(file);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => self.read(&path, &self.shown(file)).map(Some),
        }
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
        // Whatever it has become since.
        let file = RegularFile::open_beneath(&inside, name).map_err(failed)?;
        file.whole(XML_BYTES)
            .map_err(|error| Problem::of_file(shown, error.to_string()))
    }
}
