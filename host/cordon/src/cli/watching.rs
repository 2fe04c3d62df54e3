//! Noticing that the files of a plugin have changed: `cordon run --watch`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cordon_base::fingerprint;

/// How often the files are looked at. A change counts when the next look finds nothing more: an
/// editor or a copy may be in the middle of it.
const LOOK: Duration = Duration::from_secs(1);

/// The files of a plugin, as they were when its instance was made.
pub(super) struct Watching {
    path: PathBuf,
    known: Option<u64>,
}

impl Watching {
    /// Watches a folder, or a single file.
    pub(super) async fn new(path: &Path) -> Self {
        let known = look(path).await;
        Self {
            path: path.to_owned(),
            known,
        }
    }

    /// Waits until the files have changed and are at rest again.
    pub(super) async fn changed(&mut self) {
        let mut last = self.known;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = look(&self.path).await;
            if now == last && now != self.known {
                self.known = now;
                return;
            }
            last = now;
        }
    }
}

async fn look(path: &Path) -> Option<u64> {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || fingerprint::of(&path)).await;
    looked.ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_is_noticed_when_the_files_are_at_rest_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugin.py");
        std::fs::write(&file, "1").unwrap();
        let mut watching = Watching::new(folder.path()).await;
        std::fs::write(&file, "22").unwrap();
        let patience = Duration::from_secs(20);
        let noticed = tokio::time::timeout(patience, watching.changed()).await;
        assert!(noticed.is_ok());
        let again = tokio::time::timeout(LOOK * 3, watching.changed()).await;
        assert!(again.is_err());
    }
}
