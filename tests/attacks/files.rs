//! The data folder and open files.

use std::time::{Duration, Instant};

use crate::attack::Attack;
use crate::scene::{FLAT, Scene, assert_failures};

/// Writes until it is refused and says so.
const WRITE: &str = "
import errno
def until_refused(what, step):
    try:
        for n in range(100000): step(n)
        Domoticz.Log(what + ' was never refused.')
    except OSError as error:
        Domoticz.Log('%s: %s.' % (what, errno.errorcode.get(error.errno, error.errno)))
";

fn attack(source: &str) -> Attack {
    Attack::new(&format!("{WRITE}{source}"))
}

trips! {
    writing_for_ever_is_refused: "data-bytes" => attack("
def attack():
    with open('/data/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/data/big')
    with open('/data/again', 'wb') as file: file.write(bytes(1000))
").limits("data-bytes = 20000").says(&["write: ENOSPC."]);

    holes_count_like_data: "data-bytes" => attack("
def attack():
    with open('/data/hole', 'wb') as file:
        until_refused('truncate', lambda n: file.truncate(1 << (n + 1)))
").limits("data-bytes = 20000").says(&["truncate: ENOSPC."]);

    temporary_files_count_like_data: "data-bytes" => attack("
def attack():
    with open('/tmp/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/tmp/big')
").limits("data-bytes = 20000").says(&["write: ENOSPC."]);

    changes_of_the_plugin_folder_count_like_data: "data-bytes" => attack("
def attack():
    with open('/plugin/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/plugin/big')
").limits("data-bytes = 20000").config("plugin-folder = 'copy-on-write'").says(&["write: ENOSPC."]);

    changed_files_count_like_files: "data-files" => attack("
def attack():
    until_refused('open', lambda n: open('/plugin/f%d' % n, 'w').close())
    Domoticz.Log('%d names.' % len(os.listdir('/plugin')))
").limits("data-files = 5").config("plugin-folder = 'copy-on-write'").says(&["open: ENOSPC."]);

    files_beyond_the_limit_are_refused: "data-files" => attack("
def attack():
    until_refused('open', lambda n: open('/data/f%d' % n, 'w').close())
    Domoticz.Log('%d files.' % len(os.listdir('/data')))
").limits("data-files = 5").says(&["open: ENOSPC.", "5 files."]);

    folders_are_files: "data-files" => attack("
def attack(): until_refused('mkdir', lambda n: os.mkdir('/data/d%d' % n))
").limits("data-files = 5").says(&["mkdir: ENOSPC."]);

    open_files_are_bounded: "handles" => attack("
def attack():
    files = []
    until_refused('open', lambda n: files.append(open('/plugin/plugin.py')))
    for file in files: file.close()
    open('/plugin/plugin.py').close()
").limits("handles = 16");
}

/// A pipe makes whoever opens it wait; a socket and a device are nothing for a plugin either.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_files_and_folders_is_opened() {
    let mut scene = Scene::new().await;
    let source = "
import errno, os, threading
def tried(what, *arguments):
    try:
        what(*arguments)
        return 'done'
    except OSError as error:
        return errno.errorcode[error.errno]
def work(folder):
    for name in 'pipe', 'socket', 'link':
        path = folder + name
        outcomes = [tried(open, path, mode) for mode in ('rb', 'r+b')]
        outcomes += [tried(os.utime, path), tried(os.truncate, path, 0)]
        Domoticz.Log('%s %s.' % (path, outcomes))
def onStart():
    os.stat('/plugin/pipe')
    Domoticz.Heartbeat(1)
    Domoticz.Log('names %s.' % sorted(os.listdir('/plugin')))
def onHeartbeat():
    threads = [threading.Thread(target=work, args=(folder,)) for folder in ('/plugin/', '/data/') for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    Domoticz.Log('over')
";
    let folder = scene.bench.plugin_folder("Attacker");
    // The neighbours are the first and the second.
    let data = scene.bench.data_folder().join("plugins/3");
    for folder in [&folder, &data] {
        std::fs::create_dir_all(folder).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(folder.join("pipe"))
            .status();
        assert!(made.unwrap().success());
        std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
        std::os::unix::fs::symlink("pipe", folder.join("link")).unwrap();
    }
    let attacker = scene.attack(source, "").await;
    scene.said("names ").await;
    assert_eq!(attacker.spec.folders.data, data);
    for name in ["pipe", "socket", "link"] {
        scene
            .said(&format!(
                "/data/{name} ['EPERM', 'EPERM', 'EPERM', 'EPERM']."
            ))
            .await;
        let line = scene.said(&format!("/plugin/{name} [")).await;
        assert!(!line.contains("done"), "{line}");
    }
    scene.said("over").await;
    assert_failures(&attacker, 0);
    let stopping = Instant::now();
    scene.finish(FLAT).await;
    assert!(
        stopping.elapsed() < Duration::from_secs(15),
        "{:?}",
        stopping.elapsed()
    );
}
