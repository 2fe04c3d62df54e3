//! Backups of hubs that do not run, and archives that nobody should have made.

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::schemas::SCHEMAS;
use cordon_store::Store;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::manifest::{Item, MANIFEST};
use super::*;

/// A hub's folder and a place for backups and restored hubs.
struct Site {
    scratch: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let site = Self { scratch };
        let hub = site.hub();
        site.write("hub/cordon.toml", "[hub]\ninstances = 5\n");
        site.write("hub/plugins/Hello/plugin.py", "# hello\n");
        site.write("hub/data/plugins/1/state.json", "{}");
        site.write("hub/data/compiled/x/code", "compiled");
        site.write("hub/data/temporary/1/x", "temporary");
        std::fs::create_dir_all(hub.join("data/pages/1/empty")).unwrap();
        let tool = hub.join("plugins/Hello/tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        chmod(&tool, 0o755);
        chmod(&hub.join("cordon.toml"), 0o600);
        Store::open(&hub.join("data/cordon.db"), SCHEMAS)
            .unwrap()
            .close()
            .await;
        site
    }

    fn at(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    fn hub(&self) -> PathBuf {
        self.at("hub")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Makes `name` and returns the things that were told.
    fn backup(&self, name: &str) -> Result<Vec<String>, EngineError> {
        let backup = Backup {
            file: self.at(name),
            config: self.hub().join("cordon.toml"),
            replace: false,
        };
        let mut told = Vec::new();
        make(&backup, &mut |path, why| {
            told.push(format!("{path}: {why}"))
        })?;
        Ok(told)
    }

    fn restore(&self, name: &str, to: &str, replace: bool) -> Result<(), String> {
        restore(&self.at(name), &self.at(to), replace)
    }
}

fn restore(file: &Path, to: &Path, replace: bool) -> Result<(), String> {
    let [to_word, file] = [to, file].map(|path| path.to_str().unwrap());
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        restore: Restore,
    }
    let mut words = vec!["restore", file, "--to", to_word];
    words.extend(replace.then_some("--replace"));
    let line = <Line as clap::Parser>::parse_from(words);
    line.restore
        .act()
        .map(drop)
        .map_err(|error| error.to_string())
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file and folder below, with its mode.
fn listed(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = std::fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.push(format!("{name} {:o}", facts.permissions().mode() & 0o7777));
            if facts.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn everything_comes_back_private_and_nothing_else_does() {
    let site = Site::new().await;
    let told = site.backup("b.tar.gz").unwrap();
    assert_eq!(told, Vec::<String>::new());
    let mode = std::fs::metadata(site.at("b.tar.gz"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    site.restore("b.tar.gz", "new", false).unwrap();
    assert_eq!(
        listed(&site.at("new")),
        [
            "cordon.toml 600",
            "data 700",
            "data/cordon.db 600",
            "data/pages 700",
            "data/pages/1 700",
            "data/pages/1/empty 700",
            "data/plugins 700",
            "data/plugins/1 700",
            "data/plugins/1/state.json 600",
            "plugins 700",
            "plugins/Hello 700",
            "plugins/Hello/plugin.py 600",
            "plugins/Hello/tool 700",
        ]
    );
    let read = |path: &str| std::fs::read_to_string(site.at(path)).unwrap();
    assert_eq!(read("new/plugins/Hello/plugin.py"), "# hello\n");
    assert_eq!(read("new/cordon.toml"), "[hub]\ninstances = 5\n");
    let modified = |path: &str| {
        std::fs::metadata(site.at(path))
            .unwrap()
            .modified()
            .unwrap()
    };
    let lost = modified("hub/plugins/Hello/plugin.py")
        .duration_since(modified("new/plugins/Hello/plugin.py"));
    assert!(lost.unwrap() < std::time::Duration::from_secs(1));
    Store::open(&site.at("new/data/cordon.db"), SCHEMAS)
        .unwrap()
        .close()
        .await;
    // Nothing is left beside the archive.
    assert!(
        !listed(site.scratch.path())
            .iter()
            .any(|it| it.contains(".cordon-"))
    );
}

#[tokio::test]
async fn a_backup_takes_no_place_and_a_restored_hub_no_folder_without_being_told_to() {
    let site = Site::new().await;
    site.backup("b.tar.gz").unwrap();
    let refused = site.backup("b.tar.gz").unwrap_err().to_string();
    assert!(refused.contains("--replace"), "{refused}");
    site.write("new/data/old", "old");
    site.write("new/other", "other");
    let refused = site.restore("b.tar.gz", "new", false).unwrap_err();
    assert!(
        refused.contains("is not empty") && refused.contains("--replace"),
        "{refused}"
    );
    assert!(site.at("new/data/old").exists());
    // A hub that runs there.
    let lock = hub_lock(&site.at("new/data"));
    let refused = site.restore("b.tar.gz", "new", true).unwrap_err();
    assert!(refused.contains("another hub uses"), "{refused}");
    assert!(site.at("new/data/old").exists());
    drop(lock);
    // A part that is a link elsewhere is exchanged, and its target is left alone.
    site.write("elsewhere/kept", "");
    symlink(site.at("elsewhere"), site.at("new/plugins")).unwrap();
    site.restore("b.tar.gz", "new", true).unwrap();
    assert!(!site.at("new/data/old").exists() && site.at("new/other").exists());
    assert!(site.at("new/data/cordon.db").exists() && site.at("elsewhere/kept").exists());
    assert!(site.at("new/plugins/Hello/plugin.py").exists());
    assert!(
        !listed(&site.at("new"))
            .iter()
            .any(|it| it.contains(".cordon-"))
    );
}

fn hub_lock(data: &Path) -> File {
    crate::hub::lock(data).unwrap()
}

#[tokio::test]
async fn links_are_left_out_and_told_but_for_a_plugin_that_is_one() {
    let site = Site::new().await;
    site.write("checkout/plugin.py", "# linked\n");
    site.write("secret", "secret");
    symlink(site.at("checkout"), site.hub().join("Linked")).unwrap();
    symlink(site.at("secret"), site.hub().join("data/plugins/1/link")).unwrap();
    symlink(site.at("checkout"), site.hub().join("plugins/Hello/deep")).unwrap();
    // The folders beside each other, as in `plugins = "."`.
    site.write("hub/cordon.toml", "[hub]\nplugins = \".\"\n");
    let told = site.backup("hub/b.tar.gz").unwrap().join("\n");
    assert!(
        told.contains("data/plugins/1/link: not in the backup: it is a link"),
        "{told}"
    );
    assert!(
        told.contains("Hello/deep: not in the backup: it is a link"),
        "{told}"
    );
    site.restore("hub/b.tar.gz", "new", false).unwrap();
    let found = listed(&site.at("new")).join("\n");
    assert!(found.contains("plugins/Linked/plugin.py"), "{found}");
    for wrong in [
        "plugins/data",
        "plugins/cordon.toml",
        "b.tar.gz",
        "link ",
        "deep ",
    ] {
        assert!(!found.contains(wrong), "{wrong} in {found}");
    }
    let config = std::fs::read_to_string(site.at("new/cordon.toml")).unwrap();
    assert_eq!(config, "[hub]\nplugins = \"plugins\"\n");
}

#[tokio::test]
async fn the_manifest_has_every_file_with_its_size_and_its_sum() {
    let site = Site::new().await;
    let long = format!("hub/plugins/{}/{}", "d".repeat(200), "n".repeat(200));
    site.write(&long, "long");
    site.backup("b.tar.gz").unwrap();
    let file = File::open(site.at("b.tar.gz")).unwrap();
    let mut tar = tar::Archive::new(GzDecoder::new(file));
    let (mut sums, mut manifest) = (Vec::new(), String::new());
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        match (path.as_str(), entry.header().entry_type()) {
            (MANIFEST, _) => manifest = String::from_utf8(bytes).unwrap(),
            (_, EntryType::Directory) => {}
            _ => sums.push((
                path,
                bytes.len(),
                cordon_base::hex::hex(&Sha256::digest(&bytes)),
            )),
        }
    }
    let listed: Vec<_> = manifest
        .lines()
        .map(|line| serde_json::from_str::<Item>(line).unwrap())
        .filter_map(|item| {
            let size = usize::try_from(item.size?).unwrap();
            Some((item.path, size, item.sha256?))
        })
        .collect();
    assert_eq!(listed, sums);
    assert!(
        listed
            .iter()
            .any(|(path, ..)| path.ends_with(&"n".repeat(200)))
    );
    site.restore("b.tar.gz", "new", false).unwrap();
    assert!(site.at(&long.replacen("hub", "new", 1)).exists());
}

#[tokio::test]
async fn a_damaged_archive_is_refused_before_anything_is_written() {
    let site = Site::new().await;
    site.backup("b.tar.gz").unwrap();
    let whole = std::fs::read(site.at("b.tar.gz")).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(site.at("damaged"), bytes).unwrap();
        let refused = site.restore("damaged", "new", false).unwrap_err();
        assert!(!site.at("new").exists(), "{what}");
        refused
    };
    for tenth in 0..10 {
        let place = whole.len() * tenth / 10;
        let text = refused(&whole[..place], "cut");
        assert!(
            text.contains("damaged") || text.contains("no backup"),
            "{place}: {text}"
        );
        let mut flipped = whole.clone();
        // Byte 3 to 9 of gzip are flags and times that no sum covers.
        flipped[place.max(10)] ^= 0x10;
        refused(&flipped, "flipped");
    }
    let last = whole.len() - 1;
    refused(&whole[..last], "cut at its end");
    let mut longer = whole.clone();
    longer.push(0);
    let text = refused(&longer, "longer");
    assert!(text.contains("something comes after its end"), "{text}");
    let text = refused(b"no archive at all", "text");
    assert!(text.contains("damaged"), "{text}");
}

/// An archive of one's own making, with a manifest that fits.
struct Forged {
    tar: Builder<GzEncoder<Vec<u8>>>,
    manifest: Vec<u8>,
}

impl Forged {
    fn new() -> Self {
        let mut forged = Self {
            tar: Builder::new(GzEncoder::new(Vec::new(), Compression::fast())),
            manifest: Vec::new(),
        };
        let head = Head {
            format: FORMAT,
            cordon: "0".to_owned(),
            schema: None,
            made: String::new(),
        };
        forged.raw(
            HEAD,
            EntryType::Regular,
            &serde_json::to_vec(&head).unwrap(),
        );
        forged.raw(CONFIG, EntryType::Regular, b"");
        forged.raw(DATA, EntryType::Directory, b"");
        forged
    }

    /// An entry whose name no writer of archives would accept.
    fn raw(&mut self, path: &str, kind: EntryType, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o7777);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        if kind == EntryType::Symlink || kind == EntryType::Link {
            header.set_link_name_literal("/etc").unwrap();
        }
        header.set_cksum();
        self.tar.append(&header, bytes).unwrap();
        let file = kind != EntryType::Directory;
        let item = Item {
            path: path.to_owned(),
            size: file.then_some(bytes.len() as u64),
            sha256: file.then(|| cordon_base::hex::hex(&Sha256::digest(bytes))),
        };
        self.manifest.extend(item.line().unwrap());
    }

    fn end(mut self) -> Vec<u8> {
        let manifest = std::mem::take(&mut self.manifest);
        self.raw(MANIFEST, EntryType::Regular, &manifest);
        self.tar.into_inner().unwrap().finish().unwrap()
    }
}

fn refusal(bytes: &[u8]) -> Result<(), String> {
    let scratch = tempfile::tempdir().unwrap();
    let (file, to) = (scratch.path().join("b"), scratch.path().join("inner/new"));
    std::fs::write(&file, bytes).unwrap();
    let restored = restore(&file, &to, false);
    if restored.is_err() {
        assert_eq!(listed(scratch.path()).len(), 1, "only the archive");
    }
    restored
}

#[test]
fn tricks_of_tar_are_refused_before_anything_is_written() {
    let forged = |entries: &[(&str, EntryType, &[u8])]| {
        let mut forged = Forged::new();
        for (path, kind, bytes) in entries {
            forged.raw(path, *kind, bytes);
        }
        refusal(&forged.end())
    };
    forged(&[("data/x", EntryType::Regular, b"x")]).unwrap();
    for (path, kind) in [
        ("/etc/cron.d/x", EntryType::Regular),
        ("../x", EntryType::Regular),
        ("data/../../x", EntryType::Regular),
        ("data/x", EntryType::Symlink),
        ("data/x", EntryType::Link),
        ("data/x", EntryType::Fifo),
        ("data/x", EntryType::Char),
        ("data/x", EntryType::Block),
        ("data/x", EntryType::GNUSparse),
        ("data/x", EntryType::XHeader),
        ("data/x", EntryType::XGlobalHeader),
        ("other/x", EntryType::Regular),
        ("manifest.jsonl/x", EntryType::Regular),
    ] {
        let refused = forged(&[(path, kind, b"")]).unwrap_err();
        assert!(refused.contains("damaged"), "{path}: {refused}");
    }
    for twice in [
        [
            ("data/x", EntryType::Regular),
            ("data/x", EntryType::Regular),
        ],
        [
            ("data/x", EntryType::Regular),
            ("data/x/y", EntryType::Regular),
        ],
        [
            ("data/y", EntryType::Regular),
            ("data/x", EntryType::Regular),
        ],
    ] {
        let entries = twice.map(|(path, kind)| (path, kind, &b""[..]));
        forged(&entries).unwrap_err();
    }
    // A long name leads out of the folder, or is longer than any name.
    let long = EntryType::GNULongName;
    let out = b"data/../../../x\0";
    forged(&[("l", long, out), ("data/x", EntryType::Regular, b"")]).unwrap_err();
    let much = vec![b'n'; 1 << 20];
    forged(&[("l", long, &much), ("data/x", EntryType::Regular, b"")]).unwrap_err();
}

#[test]
fn an_archive_whose_content_is_not_that_of_its_manifest_is_refused() {
    let mut forged = Forged::new();
    forged.raw("data/x", EntryType::Regular, b"one");
    let text = String::from_utf8(forged.manifest.clone()).unwrap();
    let sum = |bytes: &[u8]| cordon_base::hex::hex(&Sha256::digest(bytes));
    forged.manifest = text.replace(&sum(b"one"), &sum(b"two")).into_bytes();
    let refused = refusal(&forged.end()).unwrap_err();
    assert!(
        refused.contains("`data/x` is not as the manifest says"),
        "{refused}"
    );
    let mut forged = Forged::new();
    forged.manifest.extend(b"{\"path\":\"data/more\"}\n");
    let refused = refusal(&forged.end()).unwrap_err();
    assert!(
        refused.contains("`data/more` is not as the manifest says"),
        "{refused}"
    );
}

#[test]
fn a_newer_form_and_what_is_no_backup_are_told_apart_from_damage() {
    let of_head = |head: &str| {
        let mut forged = Forged::new();
        forged.tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        forged.manifest.clear();
        forged.raw(HEAD, EntryType::Regular, head.as_bytes());
        refusal(&forged.end()).unwrap_err()
    };
    let refused = of_head("{\"format\": 2, \"new\": []}");
    assert!(refused.contains("newer version of cordon"), "{refused}");
    assert!(of_head("{}").contains("no backup that `cordon backup`"));
    let mut other = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o600);
    header.set_mtime(0);
    other.append_data(&mut header, "file", &b"x"[..]).unwrap();
    let refused = refusal(&other.into_inner().unwrap().finish().unwrap()).unwrap_err();
    assert!(
        refused.contains("no backup that `cordon backup`"),
        "{refused}"
    );
}

#[test]
fn a_file_that_grows_as_it_is_copied_gives_a_whole_archive() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("log");
    std::fs::write(&path, "x".repeat(1000)).unwrap();
    let archive = tempfile::tempfile().unwrap();
    let mut writer = Writer::new(archive.try_clone().unwrap(), scratch.path()).unwrap();
    writer
        .text(
            HEAD,
            b"{\"format\":1,\"cordon\":\"0\",\"schema\":null,\"made\":\"\"}",
            0,
        )
        .unwrap();
    writer.folder(DATA).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut log = File::options().append(true).open(&path).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                log.write_all(&[b'x'; 100_000]).unwrap();
                log.set_len(500).unwrap();
            }
        });
        let mut file = File::open(&path).unwrap();
        for n in 0..20 {
            writer.file(&format!("data/{n:02}"), &mut file).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let content = writer.finish().unwrap();
    let (_, found) = read::read(&archive, &mut read::Nothing).unwrap();
    assert_eq!(found, content);
}
