//! Stand-ins for the packages that the runtime has itself.
//!
//! pip is shown a wheel without any file for each of them, so that packages that want
//! `pyserial` are satisfied without a download. Their local version (`3.5+cordon`) tells
//! them from the real ones, and a constraint keeps pip from choosing those.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::{PackagesError, known};

/// What ends the version of a stand-in.
pub const MARK: &str = "+cordon";

/// Writes the stand-ins into a folder; returns a constraint for each.
///
/// # Errors
///
/// [`PackagesError::Io`] when they cannot be written.
pub fn write(folder: &Path) -> Result<Vec<String>, PackagesError> {
    known::provided()
        .map(|(name, version)| {
            let version = format!("{version}{MARK}");
            stand_in(folder, name, &version).map_err(|error| {
                PackagesError::io(format!("cannot write a stand-in for {name}"), error)
            })?;
            Ok(format!("{name}=={version}"))
        })
        .collect()
}

fn stand_in(folder: &Path, name: &str, version: &str) -> std::io::Result<()> {
    let stem = format!("{}-{version}", name.replace('-', "_"));
    let mut zip = ZipWriter::new(File::create(
        folder.join(format!("{stem}-py3-none-any.whl")),
    )?);
    let files = [
        (
            "METADATA",
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
        ),
        (
            "WHEEL",
            "Wheel-Version: 1.0\nGenerator: cordon\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .to_owned(),
        ),
        ("RECORD", String::new()),
    ];
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (file, text) in files {
        zip.start_file(format!("{stem}.dist-info/{file}"), options)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}
