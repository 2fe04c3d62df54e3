//! `cordon backup` and `cordon restore`: all of a hub in one file, and a hub of that file.
//!
//! The database is copied as it is in one moment, with the hub running or not. Every file of the
//! plugins and of the instances is copied as it is in one moment of its own.

mod manifest;
mod read;
mod restore;
mod tree;
mod write;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::config::{Config, MAX_FILE};
use crate::schemas::SCHEMAS;
use cordon_base::error::EngineError;
use cordon_base::private;
use cordon_base::regular_file::RegularFile;
use manifest::{CONFIG, DATA, DATABASE, FORMAT, HEAD, Head, PLUGINS};
pub use restore::Restore;
use tree::{Found, Place, Tree, place};
use write::{Content, Writer};

/// Parts of the data folder that every start makes anew.
const NOT_KEPT: [&str; 2] = ["compiled", "temporary"];

/// Files beside the database that belong to the running hub.
const NOT_COPIED: [&str; 7] = [
    "cordon.db",
    "cordon.db-wal",
    "cordon.db-wal-spoilt",
    "cordon.db-shm",
    "cordon.db-run",
    "cordon.db-run.new",
    "cordon.lock",
];

/// Things left out that are told one by one; the rest is counted.
const TOLD: usize = 20;

/// Arguments of `cordon backup`.
///
/// The file holds cordon.toml, the plugins folder and the data folder, with the size and the
/// SHA-256 of each file. The hub may be running. The file has the passwords of cordon.toml in it.
#[derive(Args)]
pub struct Backup {
    /// The file to make, such as `hub-2026-01-31.tar.gz`.
    file: PathBuf,
    /// The configuration file of the hub.
    #[arg(long, default_value = "cordon.toml")]
    config: PathBuf,
    /// Takes the place of a file that is there.
    #[arg(long)]
    replace: bool,
}

impl Backup {
    /// Makes the backup and prints its size.
    ///
    /// # Errors
    /// [`EngineError`] with the remedy; then there is no new file.
    pub fn act(self) -> Result<ExitCode, EngineError> {
        let mut left_out = LeftOut::default();
        let content = make(&self, &mut |path, why| left_out.tell(path, why))?;
        left_out.count();
        println!(
            "{}: {} files, {} bytes before compression; `cordon restore {0} --to FOLDER` makes a hub \
             of it",
            self.file.display(),
            content.files,
            content.bytes
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Says on standard error which things are not in the backup.
#[derive(Default)]
struct LeftOut(usize);

impl LeftOut {
    fn tell(&mut self, path: &str, why: &str) {
        self.0 = self.0.saturating_add(1);
        if self.0 <= TOLD {
            eprintln!("cordon: `{}`: {why}", path.escape_debug());
        }
    }

    fn count(&self) {
        if self.0 > TOLD {
            eprintln!("cordon: and {} more", self.0.saturating_sub(TOLD));
        }
    }
}

fn make(backup: &Backup, tell: &mut dyn FnMut(&str, &str)) -> Result<Content, EngineError> {
    let (target, shown) = (&backup.file, backup.file.display());
    let io = |error| EngineError::io(format!("cannot write {shown}"), error);
    let config = Config::load(&backup.config)?;
    if target.symlink_metadata().is_ok() && !backup.replace {
        return Err(EngineError::Config(format!(
            "{shown} is there already; name another file, or use --replace"
        )));
    }
    // In the folder of the backup, where there has to be room for it anyway.
    let scratch = tempfile::Builder::new()
        .prefix(".cordon-backup-")
        .tempdir_in(private::parent(target))
        .map_err(io)?;
    let part = scratch.path().join("part");
    let archive = File::options()
        .write(true)
        .create_new(true)
        .mode(private::FILE)
        .open(&part)
        .map_err(io)?;
    let mut writer = Writer::new(archive, scratch.path()).map_err(io)?;
    let text = RegularFile::open(&backup.config)
        .and_then(|file| file.whole(MAX_FILE))
        .map_err(|error| {
            EngineError::io(format!("cannot read {}", backup.config.display()), error)
        })?;
    let live = config.hub.data.join("cordon.db");
    let copy = scratch.path().join("cordon.db");
    let made = jiff::Timestamp::now();
    let schema = match live.exists() {
        true => Some(cordon_store::copy(&live, &copy, SCHEMAS)?),
        false => None,
    };
    let head = Head {
        format: FORMAT,
        cordon: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        made: made.to_string(),
    };
    let seconds = u64::try_from(made.as_second()).unwrap_or(0);
    let head = serde_json::to_vec(&head).map_err(|error| io(error.into()))?;
    writer.text(HEAD, &head, seconds).map_err(io)?;
    writer.text(CONFIG, &text, seconds).map_err(io)?;
    let mut skip: BTreeSet<Place> = place(scratch.path()).into_iter().collect();
    skip.extend(place(target));
    let mut copying = Copying {
        writer: &mut writer,
        target,
        tell,
    };
    skip.extend(config.hub.socket_path().and_then(|it| place(&it)));
    copying.data(&config.hub.data, &skip, schema.map(|_| copy.as_path()))?;
    // `plugins = "."` has the other two below it.
    skip.extend(place(&config.hub.data));
    skip.extend(place(&backup.config));
    copying.plugins(&config.hub.plugins, &skip)?;
    outside(&config, tell);
    let content = writer.finish().map_err(io)?;
    std::fs::rename(&part, target).map_err(io)?;
    Ok(content)
}

/// Puts the two folders into the archive.
struct Copying<'a> {
    writer: &'a mut Writer,
    target: &'a Path,
    tell: &'a mut dyn FnMut(&str, &str),
}

impl Copying<'_> {
    fn data(
        &mut self,
        folder: &Path,
        skip: &BTreeSet<Place>,
        database: Option<&Path>,
    ) -> Result<(), EngineError> {
        let mut skip = skip.clone();
        skip.extend(NOT_KEPT.iter().filter_map(|name| place(&folder.join(name))));
        skip.extend(
            NOT_COPIED
                .iter()
                .filter_map(|name| place(&folder.join(name))),
        );
        self.written(|writer| writer.folder(DATA))?;
        let mut database = database;
        if let Some(tree) = Tree::open(folder)? {
            tree.walk(&skip, &mut |found| {
                let (Found::Folder(path) | Found::File(path, _) | Found::LeftOut(path, _)) = &found;
                let path = format!("{DATA}/{path}");
                if Path::new(&path) > Path::new(DATABASE)
                    && let Some(copy) = database.take()
                {
                    self.database(copy)?;
                }
                self.take(&path, found)
            })?;
        }
        database.map_or(Ok(()), |copy| self.database(copy))
    }

    /// The copy of the database, in its turn.
    fn database(&mut self, copy: &Path) -> Result<(), EngineError> {
        self.written(|writer| {
            let mut copy = File::open(copy)?;
            writer.file(DATABASE, &mut copy).map(drop)
        })
    }

    /// A folder that is a link directly in the plugins folder is the operator's own way to say where
    /// a plugin is: it is copied as a folder.
    fn plugins(&mut self, folder: &Path, skip: &BTreeSet<Place>) -> Result<(), EngineError> {
        let Some(tree) = Tree::open(folder)? else {
            return Ok(());
        };
        self.written(|writer| writer.folder(PLUGINS))?;
        tree.walk(skip, &mut |found| match found {
            Found::LeftOut(name, _) if !name.contains('/') && folder.join(name).is_dir() => {
                let root = folder.join(name);
                if place(&root).is_some_and(|it| skip.contains(&it)) {
                    return Ok(());
                }
                let name = format!("{PLUGINS}/{name}");
                self.written(|writer| writer.folder(&name))?;
                let Some(linked) = Tree::open(&root)? else {
                    return Ok(());
                };
                linked.walk(skip, &mut |found| {
                    let path = format!("{name}/{}", path_of(&found));
                    self.take(&path, found)
                })
            }
            found => {
                let path = format!("{PLUGINS}/{}", path_of(&found));
                self.take(&path, found)
            }
        })
    }

    fn take(&mut self, path: &str, found: Found<'_>) -> Result<(), EngineError> {
        match found {
            Found::Folder(_) => self.written(|writer| writer.folder(path)),
            Found::File(_, mut file) => {
                if self.written(|writer| writer.file(path, &mut file))? {
                    (self.tell)(
                        path,
                        "it was being written to; stop the hub for a quiet copy",
                    );
                }
                Ok(())
            }
            Found::LeftOut(_, why) => {
                (self.tell)(path, &format!("not in the backup: {why}"));
                Ok(())
            }
        }
    }

    fn written<T>(
        &mut self,
        write: impl FnOnce(&mut Writer) -> std::io::Result<T>,
    ) -> Result<T, EngineError> {
        write(self.writer).map_err(|error| {
            let full = error.kind() == ErrorKind::StorageFull;
            let hint = if full {
                "; name a file where there is more room"
            } else {
                ""
            };
            EngineError::io(
                format!("cannot write {}{hint}", self.target.display()),
                error,
            )
        })
    }
}

fn path_of<'a>(found: &'a Found<'_>) -> &'a str {
    match found {
        Found::Folder(path) | Found::File(path, _) | Found::LeftOut(path, _) => path,
    }
}

/// Tells the files that the configuration names and the backup does not have.
fn outside(config: &Config, tell: &mut dyn FnMut(&str, &str)) {
    const WHY: &str = "not in the backup: cordon.toml names it, and it lies elsewhere";
    let plugins = &config.hub.plugins;
    for section in &config.indigo {
        if !section.bundle.starts_with(plugins) {
            tell(&section.bundle.display().to_string(), WHY);
        }
    }
    let grants = config.hardware.iter().map(|it| &it.instance.grants);
    for grants in grants.chain(config.indigo.iter().map(|it| &it.instance.grants)) {
        for key in &grants.keys {
            tell(&key.certificate.display().to_string(), WHY);
            tell(&key.key.display().to_string(), WHY);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
