//! Files of a plugin: its folders, temporary files, and the copy on write.

use crate::probe::all_hold;
use crate::support::{Bench, PluginText};

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_a_place_to_work_in() {
    let source = r#"
import glob, os, pathlib, shutil, tempfile, zipfile

@case
def the_working_folder_can_be_written():
    assert os.getcwd() == '/data', os.getcwd()
    with open('relative.txt', 'w') as file: file.write('x')
    assert os.path.abspath('relative.txt') == '/data/relative.txt'
    assert os.path.realpath('relative.txt') == '/data/relative.txt'
    os.mkdir('sub'); os.chdir('sub'); assert os.getcwd() == '/data/sub'
    os.chdir('..'); os.rmdir('sub')

@case
def the_root_shows_the_folders():
    assert set(os.listdir('/')) == {'cache', 'data', 'plugin', 'tmp'}, os.listdir('/')
    assert os.path.isdir('/') and os.path.isdir('/tmp')

@case
def copies_moves_and_trees():
    shutil.copy('/plugin/plugin.py', 'a.py')
    shutil.copy2('a.py', 'b.py'); shutil.copyfile('a.py', 'c.py')
    assert os.stat('b.py').st_mtime == os.stat('a.py').st_mtime
    shutil.move('c.py', 'd.py'); os.replace('d.py', 'b.py'); os.rename('b.py', 'e.py')
    os.makedirs('tree/deep'); shutil.copy('a.py', 'tree/deep')
    shutil.copytree('tree', 'twin')
    assert [p for p, _, f in os.walk('twin') if f] == ['twin/deep']
    assert glob.glob('**/a.py', recursive=True).__len__() == 3
    assert {e.name for e in os.scandir('twin')} == {'deep'}
    shutil.rmtree('tree'); shutil.rmtree('twin')
    assert sorted(p.name for p in pathlib.Path('.').glob('*.py')) == ['a.py', 'e.py']

@case
def times_and_modes():
    os.utime('a.py', (1e9, 1.5e9)); assert os.stat('a.py').st_mtime == 1.5e9
    os.chmod('a.py', 0o600); os.chown('a.py', -1, -1)
    assert os.access('a.py', os.R_OK | os.W_OK) and not os.access('a.py', os.X_OK)
    assert os.access('/plugin/plugin.py', os.R_OK) and not os.access('/plugin', os.W_OK)
    assert not os.access('absent', os.F_OK)

@case
def links_are_refused():
    raises(PermissionError, 'links', lambda: os.symlink('a.py', 'link'))
    raises(PermissionError, '', lambda: os.link('a.py', 'link'))
    assert not os.path.exists('link')

@case
def seeks_and_holes():
    with open('big', 'w+b') as file:
        file.seek(500_000); file.write(b'end'); file.seek(0)
        assert file.read(2) == b'\0\0'
        file.truncate(10); file.seek(0, 2); assert file.tell() == 10
    os.remove('big')

@case
def temporary_files_are_elsewhere():
    assert tempfile.gettempdir() == '/tmp'
    with tempfile.NamedTemporaryFile() as file:
        file.write(b'x'); file.flush(); assert os.path.getsize(file.name) == 1
    with tempfile.TemporaryDirectory() as folder:
        open(folder + '/f', 'w').close()
    assert not os.path.exists(folder)
    with tempfile.TemporaryFile('w+') as file:
        file.write('text'); file.seek(0); assert file.read() == 'text'
    shutil.move(tempfile.mkstemp()[1], '/data/moved')

@case
def databases_and_archives():
    import dbm, shelve
    with dbm.open('db', 'c') as db: db['k'] = 'v'
    with dbm.open('db') as db: assert db['k'] == b'v'
    with shelve.open('shelf') as shelf: shelf['k'] = [1]
    with shelve.open('shelf') as shelf: assert shelf['k'] == [1]
    with zipfile.ZipFile('z.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.write('a.py')
    zipfile.ZipFile('z.zip').extractall('out'); assert os.listdir('out') == ['a.py']

@case
def the_room_is_the_quota():
    total, used, free = shutil.disk_usage('/data')
    assert total == 1 << 20 and 0 < used < total and used + free == total
    assert os.statvfs('.').f_files == 100

@case
def nothing_else_is_there():
    for path in ('/etc/passwd', '/data/../../etc/passwd', '/proc/self/mem'):
        raises(OSError, '', lambda: open(path))
    raises(PermissionError, '', lambda: open('/plugin/new', 'w'))
"#;
    let mut bench = Bench::new();
    let config = "limits = { data-bytes = 1048576, data-files = 100 }";
    all_hold(&mut bench, "Files", source, config).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_files_go_at_the_next_start_and_data_stays() {
    let source = r#"
import os
def onStart():
    Domoticz.Log('life %s %s.' % (sorted(os.listdir('/data')), sorted(os.listdir('/tmp'))))
    if not os.listdir('/data'):
        open('/data/kept', 'w').close()
        os.makedirs('/tmp/a/b'); open('/tmp/a/b/c', 'w').close()
        os._exit(1)
"#;
    let mut bench = Bench::new();
    bench
        .start(PluginText {
            name: "Lives",
            source,
            config: "",
        })
        .await;
    bench.line("life [] [].").await;
    bench.line("life ['kept'] [].").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_folder_that_is_copied_on_write_keeps_changes_and_is_never_touched() {
    let source = r#"
import os
def onStart():
    here = Parameters['HomeFolder']
    if not os.path.exists(here + 'state.json'):
        with open(here + 'state.json', 'w') as file: file.write('{}')
        with open(here + 'plugin.py', 'a') as file: file.write('# changed\n')
        os.remove(here + 'gone.txt')
        os.makedirs(here + 'cache/x')
        Domoticz.Log('first %s.' % sorted(os.listdir(here)))
        os._exit(1)
    with open(here + 'plugin.py') as file: changed = file.read().endswith('# changed\n')
    Domoticz.Log('second %s %s.' % (sorted(os.listdir(here)), changed))
"#;
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Cow");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("gone.txt"), "still here").unwrap();
    bench
        .start(PluginText {
            name: "Cow",
            source,
            config: "plugin-folder = \"copy-on-write\"",
        })
        .await;
    let names = "['cache', 'plugin.py', 'state.json']";
    bench.line(&format!("first {names}.")).await;
    bench.line(&format!("second {names} True.")).await;
    let mut left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["gone.txt", "plugin.py"]);
    let text = std::fs::read_to_string(folder.join("plugin.py")).unwrap();
    assert!(!text.contains("# changed\n# changed") && !text.ends_with("# changed\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instance_holds_no_folder_open() {
    let mut bench = Bench::new();
    let source = "
def onStart():
    open('/data/file', 'w').close()
    Domoticz.Log('up')
";
    bench
        .start(PluginText {
            name: "Idle",
            source,
            config: "",
        })
        .await;
    bench.line("Idle: up").await;
    let below = [
        bench.data_folder().join("plugins"),
        bench.plugin_folder("Idle"),
    ];
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|link| std::fs::read_link(link.ok()?.path()).ok())
            .filter(|target| below.iter().any(|folder| target.starts_with(folder)))
            .count()
    };
    for _ in 0..500 {
        if open() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{} files are open", open());
}

#[tokio::test(flavor = "multi_thread")]
async fn helper_modules_are_compiled_once() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Helped");
    std::fs::create_dir_all(folder.join("package")).unwrap();
    std::fs::write(folder.join("helper.py"), "VALUE = 7\n").unwrap();
    std::fs::write(folder.join("package/__init__.py"), "from .inner import X\n").unwrap();
    std::fs::write(folder.join("package/inner.py"), "X = 8\n").unwrap();
    let source = r#"
import os, helper, package
def onStart():
    kept = [name for _, _, files in os.walk('/cache') for name in files]
    Domoticz.Log('%d %d kept %s.' % (helper.VALUE, package.X, sorted(kept)))
    again = helper.__spec__.loader.get_code('helper')
    Domoticz.Log('cached %s.' % helper.__cached__)
"#;
    bench
        .start(PluginText {
            name: "Helped",
            source,
            config: "",
        })
        .await;
    let line = bench.line("7 8 kept").await;
    for module in ["helper.", "__init__.", "inner."] {
        assert!(line.contains(module), "{line}");
    }
    assert!(!folder.join("__pycache__").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_beside_the_code_names_the_line_that_allows_it() {
    let source = r#"
@case
def refusals():
    import os
    here = Parameters['HomeFolder']
    raises(PermissionError, '', lambda: open(here + 'x.log', 'w'))
    raises(PermissionError, '', lambda: os.makedirs(here + 'cache'))
    raises(PermissionError, '', lambda: os.remove(here + 'plugin.py'))

@case
def answers_that_need_no_right():
    import os
    here = Parameters['HomeFolder']
    os.makedirs(here, exist_ok=True)
    raises(FileNotFoundError, '', lambda: os.remove(here + 'none'))
"#;
    let mut bench = Bench::new();
    all_hold(&mut bench, "Beside", source, "").await;
    let line = bench.seen_line("copy-on-write").unwrap();
    assert!(line.contains("x.log"), "{line}");
    let told = bench.seen_lines();
    let told = told.iter().filter(|line| line.contains("denied: writing"));
    assert_eq!(told.count(), 3, "{}", bench.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_be_imported_names_its_folder_and_the_remedy() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Lacks");
    bench
        .start(PluginText {
            name: "Lacks",
            source: "import dateutil\n",
            config: "",
        })
        .await;
    bench.line("if module 'dateutil' is of a package").await;
    let line = bench.line("the plugin's folder is").await;
    let root = format!("`cordon install {folder:?}`");
    assert!(line.contains(&root), "{line}");
}
