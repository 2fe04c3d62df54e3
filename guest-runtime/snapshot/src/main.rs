//! `cordon-snapshot`: turns the linked guest module into the component.
//!
//! The work has six steps. A rehearsal finds the blocks that a start writes to ([`placement`]). The
//! Python sources are put into the module's memory and the interpreter is initialised. A snapshot
//! is taken of the result ([`initialise`]). Short copies get functions of the guest ([`bulk`]). The
//! exports and blocking imports get their stack shims ([`shims`]). At last the module becomes a
//! component with a stamp ([`encode`]).
//!
//! The snapshot is taken of the core module, before there is a component: with
//! the preview1 adapter inside, the adapter's handles of initialisation time
//! would be part of it.

mod bulk;
mod bundle;
mod encode;
mod initialise;
mod placement;
mod shims;

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

/// Snapshots the linked guest module and encodes it as a component.
#[derive(Parser)]
struct Arguments {
    /// The linked core module.
    #[arg(long)]
    module: PathBuf,
    /// Folder with the Python side of the frameworks.
    #[arg(long)]
    python: PathBuf,
    /// Folder with the WIT package.
    #[arg(long)]
    wit: PathBuf,
    /// Key of the inputs, written into the component's stamp.
    #[arg(long)]
    key: String,
    /// Where the component goes.
    #[arg(long)]
    out: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let module = std::fs::read(&arguments.module)
        .with_context(|| format!("cannot read {}", arguments.module.display()))?;
    let sources = bundle::read(&arguments.python)?;
    let mut seed = [0; 64];
    getrandom::fill(&mut seed).context("the system has no entropy")?;
    let hot = placement::hot_blocks(&module, &sources, &seed).await?;
    let module = initialise::snapshot(&module, &sources, &seed, &hot).await?;
    let world = encode::World::load(&arguments.wit)?;
    let module = shims::fit(&module, &world.blocking_imports()?, &world.exports()?)?;
    let component = encode::component(&module, &world, &arguments.key)?;
    std::fs::write(&arguments.out, &component)
        .with_context(|| format!("cannot write {}", arguments.out.display()))?;
    println!(
        "{}: {} bytes, key {}",
        arguments.out.display(),
        component.len(),
        arguments.key
    );
    Ok(())
}
