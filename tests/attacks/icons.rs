//! Icon sets: archives that are a thousand times as large inside, and the sets of others.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use zip::write::{SimpleFileOptions, ZipWriter};

use crate::scene::{FLAT, Scene, assert_failures};
use crate::support::{PluginText, private_bytes};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A file of icon sets with these bases, each of three pictures of so many bytes.
fn icons(bases: &[String], length: usize) -> Vec<u8> {
    let mut picture = SIGNATURE.to_vec();
    picture.resize(length, 0);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, content: &[u8]| {
        let options = SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(content).unwrap();
    };
    let list: String = bases
        .iter()
        .map(|base| format!("{base};name;text\n"))
        .collect();
    put("icons.txt", list.as_bytes());
    for base in bases {
        for end in ["", "48_On", "48_Off"] {
            put(&format!("{base}{end}.png"), &picture);
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Puts a file into the folder of a plugin.
fn beside(folder: &Path, name: &str, content: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
}

/// The most bytes that the process had meanwhile.
struct Watch {
    peak: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Watch {
    fn start() -> Self {
        let watch = Self {
            peak: Arc::default(),
            over: Arc::default(),
        };
        let (peak, over) = (Arc::clone(&watch.peak), Arc::clone(&watch.over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(private_bytes(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        watch
    }

    fn peak(&self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.peak.load(Ordering::Relaxed)
    }
}

/// Bytes of the hub's database and of what waits to go into it.
fn database(data: &Path) -> u64 {
    let files = std::fs::read_dir(data).unwrap().flatten();
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with("cordon.db"));
    ours.map(|file| file.metadata().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_that_are_large_inside_are_not_unpacked() {
    let mut scene = Scene::new().await;
    let bases: Vec<_> = (0..100).map(|n| format!("Attacker{n}")).collect();
    let bomb = icons(&bases, 256 << 10);
    assert!(bomb.len() < 200_000, "{} bytes hold 75 MiB", bomb.len());
    beside(&scene.bench.plugin_folder("Attacker"), "bomb.zip", &bomb);
    let before = database(&scene.bench.data_folder());
    let watch = Watch::start();
    let source = "
import threading, _cordon
def onStart():
    data = open('/plugin/bomb.zip', 'rb').read()
    def work():
        for _ in range(5): _cordon.image_create(data)
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    Domoticz.Log('%d sets.' % len(_cordon.images_list()))
";
    let attacker = scene.attack(source, "").await;
    scene.said("0 sets.").await;
    let line = scene.bench.line("limit stored-bytes: ").await;
    assert!(line.contains("Attacker: "), "{line}");
    let grown = watch.peak().saturating_sub(private_bytes());
    assert!(grown < FLAT, "{} KiB at its peak", grown / 1024);
    let account = &attacker.spec.account;
    assert!(
        account.peak() > u64::try_from(bomb.len()).unwrap(),
        "it is charged"
    );
    assert_eq!(account.used(), 0, "and given back");
    assert!(!account.billed().is_zero(), "the time is the attacker's");
    let written = database(&scene.bench.data_folder()).saturating_sub(before);
    assert!(written < 1 << 20, "{written} bytes written");
    assert_failures(&attacker, 0);
    scene.finish(2 * FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_of_a_plugin_whose_key_begins_with_anothers_are_its_own() {
    let mut scene = Scene::new().await;
    let bases = ["AttackerVictim".to_owned()];
    beside(
        &scene.bench.plugin_folder("AttackerVictim"),
        "i.zip",
        &icons(&bases, 100),
    );
    beside(
        &scene.bench.plugin_folder("Attacker"),
        "i.zip",
        &icons(&bases, 5000),
    );
    let victim = PluginText {
        name: "AttackerVictim",
        source: "
import _cordon
def onStart():
    Domoticz.Heartbeat(1)
    _cordon.image_create(open('/plugin/i.zip', 'rb').read())
    Domoticz.Log('mine: %r.' % (_cordon.images_list()[0][:2],))
def onHeartbeat(): Domoticz.Log('still mine: %r.' % (_cordon.images_list()[0][:2],))
",
        config: "",
    };
    scene.bench.start(victim).await;
    scene
        .bench
        .line("AttackerVictim: mine: (101, 'AttackerVictim').")
        .await;
    let source = "
import _cordon
def onStart():
    Domoticz.Log('sees %d.' % len(_cordon.images_list()))
    _cordon.image_create(open('/plugin/i.zip', 'rb').read())
    Domoticz.Log('made %r.' % (_cordon.images_list()[0][:2],))
    for number in range(90, 110): _cordon.image_delete(number)
    Domoticz.Log('left %d.' % len(_cordon.images_list()))
";
    scene.attack(source, "").await;
    scene.said("sees 0.").await;
    scene.said("made (102, 'AttackerVictim').").await;
    scene.said("left 0.").await;
    scene.bench.drain();
    scene.bench.seen.clear();
    scene
        .bench
        .line("still mine: (101, 'AttackerVictim').")
        .await;
    let address = "127.0.0.1:1".parse().unwrap();
    let images = scene.bench.hub.api(address).images;
    let shown = images.icon_of("AttackerVictim", cordon_domoticz::image::Icon::On);
    assert_eq!(shown.await.unwrap().unwrap().len(), 100);
    scene.finish(2 * FLAT).await;
}
