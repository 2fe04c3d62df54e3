//! Native RustPython with the guest's features, built once into the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

const NAME: &str = "cordon-bench-rustpython";

/// The program, building it if it is not there.
pub fn program() -> Outcome<PathBuf> {
    let tools = tools()?;
    let file = tools.join("bin").join(NAME);
    if file.exists() {
        return Ok(file);
    }
    println!(
        "  building native RustPython to compare with (once, about 10 minutes): {}",
        file.display()
    );
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("native");
    let status = Command::new("nice")
        .args(["-n", "15", "cargo", "install", "--quiet", "--locked"])
        // The interpreter's parser asks for a newer compiler than it needs; the guest's build
        // leaves that out of account too.
        .args(["--ignore-rust-version", "--path"])
        .arg(source)
        .arg("--root")
        .arg(&tools)
        .env("CARGO_TARGET_DIR", tools.join(NAME))
        .status()?;
    if !status.success() {
        return Err("tests/bench/native could not be built".into());
    }
    Ok(file)
}

/// Where tools are kept outside the checkout.
pub fn tools() -> Outcome<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = named("CORDON_CACHE")
        .or_else(|| named("XDG_CACHE_HOME").map(|home| home.join("cordon")))
        .or_else(|| named("HOME").map(|home| home.join(".cache/cordon")));
    Ok(cache
        .ok_or("set CORDON_CACHE: there is no HOME to keep a cache in")?
        .join("tools"))
}
