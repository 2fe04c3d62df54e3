//! Which programs an instance may have run: those that a grant names.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::SpawnRefusal;
use super::environment::PATH;
use super::outside::{existing, is_own};
use cordon_base::error::Denied;
use cordon_base::folders::{DATA_FOLDER, Folders};
use cordon_base::grants::ExecGrant;
use cordon_base::hint::Origin;

/// The grounds of a decision: the grants, and the folders that the plugin knows.
#[derive(Debug, Clone)]
pub struct ProcessPolicy {
    programs: Vec<ExecGrant>,
    folders: Folders,
    origin: Origin,
}

impl ProcessPolicy {
    /// The policy of an instance with these grants and host folders.
    #[must_use]
    pub fn new(programs: Vec<ExecGrant>, folders: Folders) -> Self {
        Self {
            programs,
            folders,
            origin: Origin::default(),
        }
    }

    /// The policy of an instance that comes from there.
    #[must_use]
    pub fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = origin.clone();
        self
    }

    /// Where the instance comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The grant of the program that `asked` means: its path, or its bare name.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal::Denied`] with the line that would allow it, where the program really is on this
    /// machine; [`SpawnRefusal::NotFound`] for one that no folder of programs has. It tells nothing
    /// about files in other folders.
    pub fn granted(&self, asked: &str) -> Result<&ExecGrant, SpawnRefusal> {
        let path = Path::new(asked);
        let found = path.file_name().and_then(|name| {
            // No folder of the plugin's choice is examined unless the name fits.
            let means = |granted: &&ExecGrant| {
                let program = &granted.program;
                program.path().file_name() == Some(name)
                    && (!asked.contains('/') || program.is_entry(path))
            };
            self.programs.iter().find(means)
        });
        if found.is_none() && is_own(&self.folders, asked) {
            return self.granted_own(asked);
        }
        found.ok_or_else(|| match place_of(asked) {
            Place::At(there) => SpawnRefusal::Denied(self.denied(asked, &there.to_string_lossy())),
            Place::Nowhere => SpawnRefusal::NotFound,
            Place::Elsewhere(there) => SpawnRefusal::Elsewhere(there),
            Place::Untold => SpawnRefusal::Denied(self.denied(asked, asked)),
        })
    }

    /// The grant of a program in the instance's own folders, by its path on the machine.
    fn granted_own(&self, asked: &str) -> Result<&ExecGrant, SpawnRefusal> {
        let file = existing(&self.folders, asked).filter(|file| file.is_file());
        let file = file.ok_or(SpawnRefusal::NotFound)?;
        self.check_folder(&file)?;
        let means = |granted: &&ExecGrant| granted.program.is_file(&file);
        let found = self.programs.iter().find(means);
        found.ok_or_else(|| SpawnRefusal::DeniedOwn(self.denied(asked, &file.to_string_lossy())))
    }

    /// The folders that the plugin knows.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The file of a granted program that is there and may be executed.
    #[must_use]
    pub fn find(&self, asked: &str) -> Option<&Path> {
        let path = self.granted(asked).ok()?.program.path();
        self.check_file(path).ok().map(|()| path)
    }

    /// Checks the granted file.
    ///
    /// # Errors
    ///
    /// The file is not there, or is where plugins can write.
    pub fn check_file(&self, path: &Path) -> Result<(), SpawnRefusal> {
        let real = path.canonicalize().map_err(|_| SpawnRefusal::NotFound)?;
        let file = real.metadata().map_err(|_| SpawnRefusal::NotFound)?;
        if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
            return Err(SpawnRefusal::NotFound);
        }
        self.check_folder(&real)
    }

    /// The denial of the program at `path`, which the plugin `asked` for by another name perhaps.
    fn denied(&self, asked: &str, path: &str) -> Denied {
        Denied::new(
            format!("running the program {}", printable(asked)),
            format!("exec = [\"{}\"]", printable(path)),
            &self.origin,
        )
    }

    /// Refuses a program that plugins could have written.
    fn check_folder(&self, real: &Path) -> Result<(), SpawnRefusal> {
        // The folders of all instances: one must not write the program of another.
        let data = &self.folders.data;
        let written = data.ancestors().nth(2).unwrap_or(data);
        let written = written.canonicalize().map_err(SpawnRefusal::Failed)?;
        if real.starts_with(written) {
            let name = real.file_name().unwrap_or_default().to_string_lossy();
            return Err(SpawnRefusal::Denied(Denied::new(
                "starting a program from a folder that plugins write to, which no grant allows; \
                 move it",
                format!("exec = [\"/usr/local/bin/{}\"]", printable(&name)),
                &self.origin,
            )));
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
        let folder = existing(&self.folders, asked).filter(|folder| folder.is_dir());
        folder.ok_or(SpawnRefusal::NoFolder)
    }
}

/// Where this machine has a program that no grant names.
enum Place {
    /// At this path, by which the plugin asked for it, or in the first folder with its name.
    At(PathBuf),
    /// Not where the plugin looks for it, but at this path.
    Elsewhere(PathBuf),
    /// In no folder of programs.
    Nowhere,
    /// The plugin named a folder that is none of programs, and nobody has looked.
    Untold,
}

/// Looks into the folders of programs and nowhere else: whether any other file exists is nothing that
/// a plugin learns by asking for a program.
fn place_of(asked: &str) -> Place {
    let path = Path::new(asked);
    let (Some(name), Some(folder)) = (path.file_name(), path.parent()) else {
        return Place::Nowhere;
    };
    let mut folders = PATH.split(':').map(Path::new);
    if asked.contains('/') {
        if !folders.clone().any(|known| known == folder) {
            return Place::Untold;
        }
        if is_program(path) {
            return Place::At(path.to_owned());
        }
    }
    let found = folders.find_map(|folder| {
        let program = folder.join(name);
        is_program(&program).then_some(program)
    });
    match found {
        Some(program) if asked.contains('/') => Place::Elsewhere(program),
        Some(program) => Place::At(program),
        None => Place::Nowhere,
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// A text of the plugin's choice that can stand in a line to be pasted.
fn printable(text: &str) -> String {
    let shown = text
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'));
    shown.take(200).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
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
        let grant = |asked| match policy.granted(asked).unwrap_err() {
            SpawnRefusal::Denied(denied) => denied.grant,
            other => panic!("{other:?}"),
        };
        assert_eq!(grant("/bin/env"), "exec = [\"/bin/env\"]");
        assert_eq!(grant("env"), "exec = [\"/usr/bin/env\"]");
        assert_eq!(grant("/opt/x\n\"y"), "exec = [\"/opt/xy\"]");
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found_and_other_folders_are_not_told() {
        let (_folder, policy) = policy(&["/usr/bin/env"]);
        for asked in ["of-nobody", "/usr/bin/of-nobody", ""] {
            let refusal = policy.granted(asked).unwrap_err();
            assert!(matches!(refusal, SpawnRefusal::NotFound), "{asked}");
        }
        for asked in ["/etc/passwd", "/opt/of-nobody", "bin/env"] {
            let refusal = policy.granted(asked).unwrap_err();
            assert!(matches!(refusal, SpawnRefusal::Denied(_)), "{asked}");
        }
        let refusal = policy.granted("/usr/local/sbin/env").unwrap_err();
        assert!(
            matches!(refusal, SpawnRefusal::Elsewhere(path) if path == Path::new("/usr/bin/env"))
        );
    }

    #[test]
    fn a_program_of_the_plugins_own_folder_runs_by_a_grant_of_its_path_on_the_machine() {
        let (folder, mut policy) = policy(&[]);
        let tool = folder.path().canonicalize().unwrap().join("plugin/tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        let tool = tool.to_str().unwrap();
        let Err(SpawnRefusal::DeniedOwn(denied)) = policy.granted("/plugin/tool") else {
            panic!("granted");
        };
        assert_eq!(denied.grant, format!("exec = [\"{tool}\"]"));
        policy.programs = vec![tool.parse().unwrap()];
        assert_eq!(policy.find("/plugin/tool"), Some(Path::new(tool)));
        assert_eq!(
            policy.find("/data/plugins/plugin/tool"),
            Some(Path::new(tool))
        );
        let refusal = policy.granted("/plugin/none").unwrap_err();
        assert!(matches!(refusal, SpawnRefusal::NotFound));
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
