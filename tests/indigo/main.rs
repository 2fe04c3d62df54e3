//! Indigo plugins in a real hub: the cases of `tests/cases/indigo`, and what needs more
//! than a case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod case;
mod drafts;
mod http_step;
mod life;
mod mail;
mod serial;
mod site;
mod sleep;
mod stage;
mod together;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use case::Case;

/// Runs every case; `CORDON_CASE=012` those whose name contains `012`.
#[tokio::test(flavor = "multi_thread")]
async fn every_case() {
    let only = std::env::var("CORDON_CASE").unwrap_or_default();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/indigo");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("case.toml").is_file())
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there is no such case");
    let mut failed = Vec::new();
    for path in names {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let case = Case::load(&path);
        match AssertUnwindSafe(case.run()).catch_unwind().await {
            Ok(()) => println!("case {name} ... ok"),
            Err(error) => {
                println!("case {name} ... FAILED");
                let text = error.downcast_ref::<String>().cloned();
                failed.push(format!("{name}: {}", text.unwrap_or_default()));
            }
        }
    }
    assert!(failed.is_empty(), "failed cases: {failed:#?}");
}
