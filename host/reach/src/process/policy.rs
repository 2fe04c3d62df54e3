//! Which programs an instance may have run: those that a grant names.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::SpawnRefusal;
use cordon_base::error::Denied;
use cordon_base::folders::{DATA_FOLDER, Folders, PLUGIN_FOLDER, TEMPORARY_FOLDER};
use cordon_base::grants::ExecGrant;

/// What decides: the grants, and the folders that the plugin knows.
#[derive(Debug, Clone)]
pub struct ProcessPolicy {
    programs: Vec<ExecGrant>,
    folders: Folders,
}

impl ProcessPolicy {
    /// The policy of an instance with these grants and host folders.
    #[must_use]
    pub fn new(programs: Vec<ExecGrant>, folders: Folders) -> Self {
        Self { programs, folders }
    }

    /// The grant of the program that `asked` means: its path, or its bare name.
    ///
    /// # Errors
    ///
    /// The denial. It tells nothing about what there is on this machine.
    pub fn granted(&self, asked: &str) -> Result<&ExecGrant, Denied> {
        let name = Path::new(asked).file_name();
        let means = |granted: &&ExecGrant| {
            let path = &granted.program;
            // No folder of the plugin's choice is looked at unless the name fits.
            name.is_some()
                && path.path().file_name() == name
                && (!asked.contains('/') || path.is_entry(Path::new(asked)))
        };
        let found = self.programs.iter().find(means);
        found.ok_or_else(|| denied(asked))
    }

    /// The same for a program that is there and may be executed.
    #[must_use]
    pub fn find(&self, asked: &str) -> Option<&Path> {
        let path = self.granted(asked).ok()?.program.path();
        self.check_file(path).ok().map(|()| path)
    }

    /// Looks at the granted file.
    ///
    /// # Errors
    ///
    /// It is not there, or is where plugins can write.
    pub fn check_file(&self, path: &Path) -> Result<(), SpawnRefusal> {
        let real = path.canonicalize().map_err(|_| SpawnRefusal::NotFound)?;
        let file = real.metadata().map_err(|_| SpawnRefusal::NotFound)?;
        if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
            return Err(SpawnRefusal::NotFound);
        }
        // The folders of all instances: one must not write the program of another.
        let data = &self.folders.data;
        let written = data.ancestors().nth(2).unwrap_or(data);
        let written = written.canonicalize().map_err(SpawnRefusal::Failed)?;
        if real.starts_with(written) {
            return Err(SpawnRefusal::Denied(Denied {
                what: "starting a program from a folder that plugins write to".to_owned(),
                grant: "exec = [\"a program elsewhere\"]".to_owned(),
            }));
        }
        Ok(())
    }

    /// The host's folder for a working folder of the component.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal::NoFolder`] for one that is not there or leads out.
    pub fn folder(&self, asked: Option<&str>) -> Result<PathBuf, SpawnRefusal> {
        let asked = asked.unwrap_or(DATA_FOLDER);
        if asked == "/" {
            return Ok(PathBuf::from("/"));
        }
        let with_slash = format!("{}/", asked.trim_end_matches('/'));
        let listed = format!("{}/", self.folders.listed());
        let roots = [
            (listed.as_str(), &self.folders.plugin),
            (DATA_FOLDER, &self.folders.data),
            (PLUGIN_FOLDER, &self.folders.plugin),
            (TEMPORARY_FOLDER, &self.folders.temporary),
        ];
        let inside = roots.iter().find_map(|(seen, host)| {
            let rest = with_slash.strip_prefix(seen)?;
            Some((*host, rest.trim_end_matches('/')))
        });
        let (root, rest) = inside.ok_or(SpawnRefusal::NoFolder)?;
        let root = root.canonicalize().map_err(|_| SpawnRefusal::NoFolder)?;
        let folder = root.join(rest).canonicalize();
        let folder = folder.map_err(|_| SpawnRefusal::NoFolder)?;
        if folder.starts_with(&root) && folder.is_dir() {
            Ok(folder)
        } else {
            Err(SpawnRefusal::NoFolder)
        }
    }
}

fn denied(asked: &str) -> Denied {
    let printable: String = asked
        .chars()
        .filter(|c| !c.is_control() && *c != '"')
        .take(200)
        .collect();
    // Where a bare name is, is not looked up: it would tell the plugin what the
    // machine has.
    let path = if printable.starts_with('/') {
        printable.clone()
    } else {
        let name = printable.rsplit('/').next().unwrap_or_default();
        format!("/usr/bin/{name}")
    };
    Denied {
        what: format!("running the program {printable}"),
        grant: format!("exec = [\"{path}\"]"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use cordon_base::folders::PLUGINS_FOLDER;

    fn policy(grants: &[&str]) -> (tempfile::TempDir, ProcessPolicy) {
        let folder = tempfile::tempdir().unwrap();
        let of = |part: &str| folder.path().join(part);
        let (plugin, data) = (of("plugin"), of("hub/plugins/1"));
        std::fs::create_dir_all(&plugin).unwrap();
        std::fs::create_dir_all(data.join("sub")).unwrap();
        std::os::unix::fs::symlink("/usr", data.join("out")).unwrap();
        let grants = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        let folders = Folders {
            plugin,
            listed_in: PLUGINS_FOLDER,
            data,
            pages: of("hub/pages/1"),
            temporary: of("hub/temporary/1"),
            changes: None,
            code: of("hub/compiled/1"),
        };
        let policy = ProcessPolicy::new(grants, folders);
        (folder, policy)
    }

    #[test]
    fn only_the_granted_program_is_found_by_path_and_by_name() {
        let (_folder, policy) = policy(&["/usr/bin/env"]);
        for asked in ["env", "/usr/bin/env"] {
            assert_eq!(policy.find(asked), Some(Path::new("/usr/bin/env")));
        }
        for asked in [
            "sh",
            "/usr/bin/id",
            "../env",
            "bin/env",
            "",
            "/usr/bin/../bin/env",
        ] {
            assert_eq!(policy.find(asked), None, "{asked}");
        }
    }

    #[test]
    fn a_denial_names_the_line() {
        let (_folder, policy) = policy(&[]);
        let grant = |asked| policy.granted(asked).unwrap_err().grant;
        assert_eq!(grant("/bin/x"), "exec = [\"/bin/x\"]");
        assert_eq!(grant("x"), "exec = [\"/usr/bin/x\"]");
        assert_eq!(grant("/bin/x\n\"y"), "exec = [\"/bin/xy\"]");
    }

    #[test]
    fn a_program_that_plugins_can_write_is_refused() {
        let (folder, mut policy) = policy(&[]);
        let tool = folder.path().join("hub/plugins/1/tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        policy.programs = vec![tool.to_str().unwrap().parse().unwrap()];
        assert_eq!(policy.find("tool"), None);
    }

    #[test]
    fn working_folders_are_the_plugins_own() {
        let (folder, policy) = policy(&[]);
        let data = folder.path().join("hub/plugins/1").canonicalize().unwrap();
        assert_eq!(policy.folder(None).unwrap(), data);
        assert_eq!(policy.folder(Some("/data/sub")).unwrap(), data.join("sub"));
        for asked in [
            "/data/out",
            "/data/..",
            "/etc",
            "/data/none",
            "sub",
            "/database",
        ] {
            assert!(policy.folder(Some(asked)).is_err(), "{asked}");
        }
    }
}
