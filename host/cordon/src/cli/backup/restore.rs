//! `cordon restore`: a hub from a backup.
//!
//! The archive is read twice: once to see that all of it is sound, before anything is written, and
//! once to unpack it. It is unpacked into a folder of its own beside the places of the three parts,
//! which are put there when everything has been written.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use toml::de::{DeTable, DeValue};

use super::manifest::{CONFIG, DATA, DATABASE, PLUGINS};
use super::read::{Entry, Nothing, Taker, read};
use super::tree;
use super::write::Content;
use crate::config::MAX_FILE;
use crate::hub;
use crate::schemas::SCHEMAS;
use cordon_base::error::EngineError;
use cordon_base::private;
use cordon_base::regular_file::RegularFile;

/// The parts of a hub's folder, in the order in which they are put in place: the configuration
/// last, so that no hub starts on half of them.
const PARTS: [&str; 3] = [DATA, PLUGINS, CONFIG];

/// Part of the room that a restored hub needs beside its files.
const SPARE: u64 = 16 << 20;

/// Arguments of `cordon restore`.
///
/// Everything is put below one folder, whichever places it had before: cordon.toml, plugins and
/// data. The whole backup is examined before anything is written.
#[derive(Args)]
pub struct Restore {
    /// The file that `cordon backup` made.
    file: PathBuf,
    /// The folder of the hub; it has to be empty.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    to: PathBuf,
    /// Removes cordon.toml, plugins and data that are there. The hub must not be running.
    #[arg(long)]
    replace: bool,
}

impl Restore {
    /// Restores and prints the next command.
    ///
    /// # Errors
    /// [`EngineError`] with the remedy; then the folder is as it was.
    pub fn act(self) -> Result<ExitCode, EngineError> {
        let restored = self.restore()?;
        let config = self.to.join(CONFIG);
        println!(
            "{}: {} files, {} bytes in {}",
            self.file.display(),
            restored.content.files,
            restored.content.bytes,
            self.to.display()
        );
        for key in &restored.moved {
            println!("`{key}` under [hub] now names the folder `{key}` beside cordon.toml");
        }
        println!(
            "look at it with `cordon check --config {}`, start it with `cordon serve --config {0}`",
            config.display()
        );
        Ok(ExitCode::SUCCESS)
    }

    fn restore(&self) -> Result<Restored, EngineError> {
        let (target, shown) = (&self.to, self.file.display());
        let of_file = |error| EngineError::io(format!("cannot restore {shown}"), error);
        let of_target =
            |error| EngineError::io(format!("cannot restore to {}", target.display()), error);
        let archive = RegularFile::open(&self.file).map_err(of_file)?;
        let archive = archive.as_file();
        if !self.replace && !tree::is_empty(target).map_err(of_target)? {
            return Err(EngineError::Config(format!(
                "{} is not empty; name another folder with --to, or use --replace to remove \
                 cordon.toml, plugins and data there",
                target.display()
            )));
        }
        let (_, content) = read(archive, &mut Nothing).map_err(of_file)?;
        room(target, content)?;
        make_folder(target).map_err(of_target)?;
        let data = target.join(DATA);
        let _lock = match data.is_dir() {
            true => Some(hub::lock(&data)?),
            false => None,
        };
        let staging = tempfile::Builder::new()
            .prefix(".cordon-restore-")
            .tempdir_in(target)
            .map_err(of_target)?;
        let new = staging.path().join("new");
        make_folder(&new).map_err(of_target)?;
        let mut unpacking = Unpacking { root: new.clone() };
        read(archive, &mut unpacking).map_err(of_file)?;
        let database = new.join(DATABASE);
        if database.exists() {
            cordon_store::inspect(&database, SCHEMAS)?;
        }
        let moved = relocate(&new.join(CONFIG))?;
        File::open(&new)
            .and_then(|folder| Ok(rustix::fs::syncfs(folder)?))
            .map_err(of_target)?;
        let old = staging.path().join("old");
        make_folder(&old).map_err(of_target)?;
        if let Err(error) = exchange(target, &new, &old) {
            // Parts of the hub that could not be put back are not removed with the rest.
            if !tree::is_empty(&old).unwrap_or(false) {
                let kept = staging.keep();
                eprintln!(
                    "cordon: the parts that were there are in {}",
                    kept.display()
                );
            }
            return Err(of_target(error));
        }
        File::open(target)
            .and_then(|folder| folder.sync_all())
            .map_err(of_target)?;
        Ok(Restored { content, moved })
    }
}

struct Restored {
    content: Content,
    /// Keys of `[hub]` that name other folders now.
    moved: Vec<&'static str>,
}

/// Whether the files fit into the file system of the folder.
fn room(target: &Path, content: Content) -> Result<(), EngineError> {
    let there = target.ancestors().find(|it| it.is_dir());
    let there = there.unwrap_or(Path::new("."));
    let Ok(found) = rustix::fs::statvfs(there) else {
        return Ok(());
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    // A file takes whole blocks.
    let blocks = content.files.saturating_mul(found.f_frsize);
    let needed = content.bytes.saturating_add(blocks).saturating_add(SPARE);
    if needed > free {
        return Err(EngineError::Config(format!(
            "the files need {needed} bytes, and there are {free} free in {}; make room, or name \
             another folder with --to",
            there.display()
        )));
    }
    Ok(())
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(private::FOLDER)
        .create(path)
}

/// Writes entries below a new folder that nobody else can write to. The paths were looked at by the
/// reader.
struct Unpacking {
    root: PathBuf,
}

impl Taker for Unpacking {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        DirBuilder::new()
            .mode(private::FOLDER)
            .create(self.root.join(path))
    }

    fn file(&mut self, entry: &Entry<'_>, content: &mut dyn Read) -> io::Result<()> {
        let executable = if entry.executable { 0o100 } else { 0 };
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(private::FILE | executable)
            .open(self.root.join(entry.path))?;
        io::copy(content, &mut file)?;
        let modified = Duration::from_secs(entry.modified);
        match SystemTime::UNIX_EPOCH.checked_add(modified) {
            // A time that the file system does not know is no reason to stop.
            Some(time) => file.set_modified(time).or(Ok(())),
            None => Ok(()),
        }
    }
}

/// Has `data` and `plugins` under `[hub]` name the folders beside the configuration. Returns the
/// keys that named others.
fn relocate(path: &Path) -> Result<Vec<&'static str>, EngineError> {
    let io = |error| EngineError::io("cannot restore cordon.toml", error);
    let text = RegularFile::open(path)
        .and_then(|file| file.whole(MAX_FILE))
        .map_err(io)?;
    let wrong = |error: &dyn std::fmt::Display| {
        EngineError::Config(format!(
            "the cordon.toml of the backup cannot be read: {error}"
        ))
    };
    let text = String::from_utf8(text).map_err(|error| wrong(&error.utf8_error()))?;
    let (text, moved) = relocated(&text).map_err(|error| wrong(&error.message()))?;
    if !moved.is_empty() {
        std::fs::write(path, text).map_err(io)?;
    }
    Ok(moved)
}

fn relocated(text: &str) -> Result<(String, Vec<&'static str>), toml::de::Error> {
    let table = DeTable::parse(text)?;
    let hub = table.get_ref().get("hub").map(|hub| hub.get_ref());
    let hub = hub.and_then(DeValue::as_table);
    let mut places = Vec::new();
    for key in [DATA, PLUGINS] {
        let value = hub.and_then(|hub| hub.get(key));
        if let Some(value) = value.filter(|it| it.get_ref().as_str() != Some(key)) {
            places.push((value.span(), key));
        }
    }
    // From the end, so that the places before it stay.
    places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut new = text.to_owned();
    for (span, key) in &places {
        new.replace_range(span.clone(), &format!("\"{key}\""));
    }
    let mut moved: Vec<_> = places.into_iter().map(|(_, key)| key).collect();
    moved.sort_unstable();
    Ok((new, moved))
}

/// Puts the new parts into the folder and the old ones into another. When one cannot be put there,
/// all are as before.
fn exchange(target: &Path, new: &Path, old: &Path) -> io::Result<()> {
    let mut done: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut rename = |from: PathBuf, to: PathBuf| -> io::Result<()> {
        // A part that is not there leaves its place empty.
        if from.symlink_metadata().is_err() {
            return Ok(());
        }
        std::fs::rename(&from, &to)?;
        done.push((from, to));
        Ok(())
    };
    let mut all = || {
        for part in PARTS.iter().rev() {
            rename(target.join(part), old.join(part))?;
        }
        for part in PARTS {
            rename(new.join(part), target.join(part))?;
        }
        Ok(())
    };
    let exchanged = all();
    if exchanged.is_err() {
        for (from, to) in done.iter().rev() {
            if let Err(error) = std::fs::rename(to, from) {
                tracing::error!(%error, place = %from.display(), "cannot be put back");
            }
        }
    }
    exchanged
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_the_configuration_become_those_beside_it() {
        let text = "# hub\n[hub]\nplugins = '/opt/plugins' # all\ninstances = 5\ndata = \"/d\"\n";
        let (new, moved) = relocated(text).unwrap();
        assert_eq!(
            new,
            "# hub\n[hub]\nplugins = \"plugins\" # all\ninstances = 5\ndata = \"data\"\n"
        );
        assert_eq!(moved, ["data", "plugins"]);
        for same in ["", "[hub]\ndata = 'data'\n", "hub.instances = 5\n"] {
            assert_eq!(relocated(same).unwrap(), (same.to_owned(), Vec::new()));
        }
        let (new, _) = relocated("hub = { data = '/x', plugins = 'plugins' }").unwrap();
        assert_eq!(new, "hub = { data = \"data\", plugins = 'plugins' }");
    }

    #[test]
    fn an_exchange_that_fails_leaves_everything_in_its_place() {
        let scratch = tempfile::tempdir().unwrap();
        let [target, new, old] = ["target", "new", "old"].map(|name| scratch.path().join(name));
        for folder in [&target, &new, &old] {
            std::fs::create_dir(folder).unwrap();
            std::fs::create_dir(folder.join(DATA)).unwrap();
        }
        std::fs::write(target.join(CONFIG), "old").unwrap();
        std::fs::write(new.join(CONFIG), "new").unwrap();
        // A folder cannot be renamed to one that is not empty.
        std::fs::write(old.join(DATA).join("in the way"), "").unwrap();
        assert!(exchange(&target, &new, &old).is_err());
        let text = |folder: &Path| std::fs::read_to_string(folder.join(CONFIG)).unwrap();
        assert_eq!((text(&target), text(&new)), ("old".into(), "new".into()));
        std::fs::remove_file(old.join(DATA).join("in the way")).unwrap();
        exchange(&target, &new, &old).unwrap();
        assert_eq!(text(&target), "new");
    }

    #[test]
    fn files_that_do_not_fit_are_refused_before_anything_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        let content = Content {
            files: 1,
            bytes: u64::MAX / 2,
        };
        let refused = room(&scratch.path().join("new"), content)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("make room"), "{refused}");
        assert!(room(scratch.path(), Content { files: 1, bytes: 1 }).is_ok());
    }
}
