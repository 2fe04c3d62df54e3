//! The folder that the instances see as their plugin's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// Modules of that library which Python has dropped since and the tests import.
const DROPPED: [&str; 1] = ["smtpd.py"];

/// A folder that goes away with the value.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An empty folder.
    pub fn new() -> Outcome<Self> {
        let path =
            std::env::temp_dir().join(format!("cordon-cpython-tests-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such files.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Fills `scratch/plugin` with the runner's plugin and the test package.
pub fn copy(library: &Path, scratch: &Path) -> Outcome<()> {
    let tests = library.join("test");
    if !tests.join("support/__init__.py").is_file() {
        return Err(format!(
            "no tests in {}; install them with: sudo apt-get install libpython3.11-testsuite",
            tests.display()
        )
        .into());
    }
    let plugin = scratch.join("plugin");
    copy_folder(&tests, &plugin.join("test"))?;
    for name in DROPPED {
        let file = library.join(name);
        if file.is_file() {
            fs::copy(file, plugin.join(name))?;
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/plugin.py");
    fs::copy(source, plugin.join("plugin.py"))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // Links are followed: the component may not follow those that lead out.
        if entry.path().is_dir() {
            if name != "__pycache__" {
                copy_folder(&entry.path(), &to.join(name))?;
            }
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
