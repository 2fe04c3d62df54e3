//! The Python files that become part of the snapshot.
//!
//! A folder with an `__init__.py` is a package of its name. A folder without one only
//! groups files and leaves no trace in the names of the modules.

use std::path::Path;

use wasmtime::error::Context;
use wasmtime::{Result, ensure};

/// Reads every `*.py` below the folder into the form that the guest's `sources`
/// module takes: name length, name, source length, source, lengths as four
/// little-endian bytes, ordered by name. The name of a package ends with a dot.
pub fn read(folder: &Path) -> Result<Vec<u8>> {
    let mut modules = Vec::new();
    collect(folder, "", &mut modules)?;
    modules.sort();
    ensure!(!modules.is_empty(), "no *.py in {}", folder.display());
    let mut bundle = Vec::new();
    for (at, (name, source)) in modules.iter().enumerate() {
        let next = at.checked_add(1).and_then(|next| modules.get(next));
        ensure!(
            next.is_none_or(|(next, _)| next != name),
            "two files make module {name}"
        );
        put(&mut bundle, name)?;
        put(&mut bundle, source)?;
    }
    Ok(bundle)
}

/// Adds the modules of a folder; `prefix` is that of its package with a dot.
fn collect(folder: &Path, prefix: &str, modules: &mut Vec<(String, String)>) -> Result<()> {
    let listing =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in listing {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|name| name.to_str());
        let stem = stem.with_context(|| format!("{} has no usable name", path.display()))?;
        if path.is_dir() {
            if path.join("__init__.py").is_file() {
                collect(&path, &format!("{prefix}{stem}."), modules)?;
            } else if stem != "__pycache__" {
                ensure!(
                    prefix.is_empty(),
                    "{} lies in a package and has no __init__.py",
                    path.display()
                );
                collect(&path, prefix, modules)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "py") {
            let name = if stem == "__init__" {
                prefix.to_owned()
            } else {
                format!("{prefix}{stem}")
            };
            let source = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            modules.push((name, source));
        }
    }
    Ok(())
}

fn put(bundle: &mut Vec<u8>, text: &str) -> Result<()> {
    bundle.extend(u32::try_from(text.len())?.to_le_bytes());
    bundle.extend(text.as_bytes());
    Ok(())
}
