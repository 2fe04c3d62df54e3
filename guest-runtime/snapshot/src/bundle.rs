//! The Python files that become part of the snapshot.

use std::path::Path;

use anyhow::Context;

/// Reads every `*.py` of the folder into the form that the guest's `sources`
/// module takes: name length, name, source length, source, lengths as four
/// little-endian bytes, ordered by name.
pub fn read(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let listing =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in listing {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut bundle = Vec::new();
    for path in paths {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .with_context(|| format!("{} has no usable name", path.display()))?;
        let source = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        put(&mut bundle, name)?;
        put(&mut bundle, &source)?;
    }
    anyhow::ensure!(!bundle.is_empty(), "no *.py in {}", folder.display());
    Ok(bundle)
}

fn put(bundle: &mut Vec<u8>, text: &str) -> anyhow::Result<()> {
    bundle.extend(u32::try_from(text.len())?.to_le_bytes());
    bundle.extend(text.as_bytes());
    Ok(())
}
