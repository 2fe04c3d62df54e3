//! `cordon install`, and real packages in the component.
//!
//! The packages are those of `packages/cordon.lock`, installed by `cordon install` itself, with
//! every hash checked, into a cache outside of the checkout.

mod network;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cordon_packages::{PackagesError, Request, Sources};
use sha2::{Digest, Sha256};

use crate::support::{Bench, PluginText};

const LOCK: &str = include_str!("packages/cordon.lock");
const OFFLINE: &str = include_str!("packages/offline.py");

fn cache() -> PathBuf {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let root = std::env::var_os("CORDON_CACHE").map(PathBuf::from);
    root.unwrap_or_else(|| home.join(".cache/cordon"))
        .join("packages")
}

/// A plugin folder with the packages of the lock file.
pub fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let digest = Sha256::digest(LOCK);
        let key: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder = cache().join(key);
        if folder.join("Packages").is_dir() {
            return folder;
        }
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("plugin.py"), "").unwrap();
        std::fs::write(folder.join("cordon.lock"), LOCK).unwrap();
        let done = cordon_packages::install(&Request {
            plugin: folder.clone(),
            ..Request::default()
        });
        let done = done.expect("the packages of the lock file are installed");
        assert!(done.from_lock);
        folder
    })
}

/// Gives a plugin folder these packages, without a second copy of the files.
pub fn give(folder: &Path) {
    let from = installed().join("Packages");
    std::fs::create_dir_all(folder).unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(folder)
        .status();
    assert!(copied.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn real_packages_do_their_work_in_the_component() {
    let mut bench = Bench::new();
    give(&bench.plugin_folder("Offline"));
    // The whole set is imported in one callback, which no plugin does.
    let config = "[limits]\ncallback-cpu = 120000\ncallback-wall = 240000\ncpu-share = 200";
    bench.start_whole("Offline", OFFLINE, config).await;
    bench
        .line_within("all done", std::time::Duration::from_secs(240))
        .await;
    for expected in [
        "requests_prepares: ('https://device.lan/api?x=1&y=%C3%A4', b'{\"a\": 1}', 'Basic dTpw')",
        "requests_is_refused: 'ConnectionError'",
        "paho_matches: (True, False)",
        "dateutil_reckons: ('2026-01-03T10:11:12+02:00', '2026-02-28', '2026-03-01')",
        "dateutil_knows_zones: '2026-07-01T10:00:00+00:00'",
        "pytz_converts: ('2026-07-01T10:00:00+00:00', True)",
        "websocket_frames: (11, b'\\x81\\x85')",
        "zeroconf_packs: ('_http._tcp.local.', b'\\x03a=b', ['10.0.0.1'])",
        "simplejson_is_exact: ({'a': Decimal('2.50')}, '{\"a\": null, \"b\": 1.10}')",
        "yaml_reads_and_writes: ({'a': [1, 2.5, True], 'b': {'c': datetime.date(2026, 1, 2), 'd': None}, 'e': 'x\\ny\\n'}, \"z:\\n- 1\\n- k: 'v: w'\\n\", False)",
        "jinja2_renders: 'a=B;[&lt;x&gt;]'",
        "httpx_answers: {'path': '/x', 'a': '1'}",
        "metadata_is_there: ('2', True)",
        "pkg_resources_answers: ('requests', True, True, True)",
        "certifi_has_its_file: ('/packages/certifi/cacert.pem', True)",
        "idna_encodes: b'xn--bcher-kva.example'",
        "charset_is_guessed: 'Temperatur: 21° draußen'",
        "packages_are_read_only: 'refused'",
    ] {
        assert!(
            bench.seen_line(expected).is_some(),
            "no {expected}\n{}",
            bench.transcript()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_of_its_own_goes_before_its_packages_and_the_runtime_before_both() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Order");
    for (file, text) in [
        ("helper.py", "origin = 'plugin'"),
        ("Packages/helper.py", "origin = 'packages'"),
        ("Packages/only.py", "origin = 'packages'"),
        ("Packages/json.py", "raise RuntimeError('shadowed')"),
        ("Packages/_cordon_boot.py", "raise RuntimeError('shadowed')"),
    ] {
        std::fs::create_dir_all(folder.join("Packages")).unwrap();
        std::fs::write(folder.join(file), text).unwrap();
    }
    let source = "
import helper, only, json, _cordon_boot, sys
def onStart(): Domoticz.Log('order %s %s %s' % (helper.origin, only.origin, sys.path[:2]))
";
    bench
        .start(PluginText {
            name: "Order",
            source,
            config: "",
        })
        .await;
    let line = bench.line("order ").await;
    assert!(
        line.contains("order plugin packages ['/plugin/', '/packages']"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_called_packages_leads_nowhere() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Linked");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/etc", folder.join("Packages")).unwrap();
    let source = "
import os
def onStart(): Domoticz.Log('there: %s' % os.path.exists('/packages'))
";
    bench
        .start(PluginText {
            name: "Linked",
            source,
            config: "",
        })
        .await;
    bench.line("there: False").await;
}

/// A folder with wheels made by hand, and a plugin that wants them.
struct Index {
    folder: tempfile::TempDir,
}

impl Index {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("wheels")).unwrap();
        std::fs::create_dir_all(folder.path().join("plugin")).unwrap();
        std::fs::write(folder.path().join("plugin/plugin.py"), "").unwrap();
        Self { folder }
    }

    fn wheels(&self) -> PathBuf {
        self.folder.path().join("wheels")
    }

    fn plugin(&self) -> PathBuf {
        self.folder.path().join("plugin")
    }

    /// Adds a wheel with one module, made by Python's own zip writer.
    fn wheel(&self, name: &str, version: &str, tags: &str, requires: &str, extra: &str) {
        let script = "
import sys, zipfile
path, name, version, requires, extra = sys.argv[1:]
info = '%s-%s.dist-info/' % (name, version)
meta = 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version)
if requires: meta += 'Requires-Dist: %s\\n' % requires
with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr(info + 'METADATA', meta)
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n')
    wheel.writestr(info + 'RECORD', '')
    wheel.writestr(name + '.py', 'version = %r\\n' % version)
    if extra: wheel.writestr(extra, b'x' * 100)
";
        let path = self.wheels().join(format!("{name}-{version}-{tags}.whl"));
        let made = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .args([name, version, requires, extra])
            .status();
        assert!(made.unwrap().success());
    }

    /// Adds a source whose build system is part of it, so that building needs no index.
    fn source(&self, name: &str, version: &str) {
        let script = "
import io, sys, tarfile
path, name, version = sys.argv[1:]
backend = '''
import zipfile
def get_requires_for_build_wheel(config_settings=None): return []
def build_wheel(folder, config_settings=None, metadata_directory=None):
    file = '%(name)s-%(version)s-py3-none-any.whl'
    info = '%(name)s-%(version)s.dist-info/'
    with zipfile.ZipFile(folder + '/' + file, 'w') as wheel:
        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\\\nName: %(name)s\\\\nVersion: %(version)s\\\\n')
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\\\nRoot-Is-Purelib: true\\\\nTag: py3-none-any\\\\n')
        wheel.writestr(info + 'RECORD', '')
        wheel.writestr('%(name)s.py', 'built = True\\\\n')
    return file
''' % {'name': name, 'version': version}
project = '[build-system]\\nrequires = []\\nbuild-backend = \\'backend\\'\\nbackend-path = [\\'.\\']\\n'
project += '[project]\\nname = \\'%s\\'\\nversion = \\'%s\\'\\n' % (name, version)
about = 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version)
with tarfile.open(path, 'w:gz') as archive:
    for file, text in ('backend.py', backend), ('pyproject.toml', project), ('PKG-INFO', about):
        entry = tarfile.TarInfo('%s-%s/%s' % (name, version, file))
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
";
        let path = self.wheels().join(format!("{name}-{version}.tar.gz"));
        let made = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .args([name, version])
            .status();
        assert!(made.unwrap().success());
    }

    fn request(&self, wanted: &[&str]) -> Request {
        Request {
            plugin: self.plugin(),
            packages: wanted.iter().map(|&it| it.to_owned()).collect(),
            sources: Sources {
                find_links: vec![self.wheels()],
                offline: true,
            },
            ..Request::default()
        }
    }

    fn error(&self, wanted: &[&str]) -> String {
        cordon_packages::install(&self.request(wanted))
            .unwrap_err()
            .to_string()
    }
}

#[test]
fn packages_come_from_a_folder_without_an_index_and_again_from_the_lock() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "two>=2", "");
    index.wheel("two", "2.0", "py2.py3-none-any", "pyserial>=3", "");
    std::fs::write(
        index.plugin().join("requirements.txt"),
        "one # what it is for\npyserial==3.4\n",
    )
    .unwrap();
    let done = cordon_packages::install(&index.request(&[])).unwrap();
    assert!(!done.from_lock);
    let names: Vec<_> = done
        .lock
        .packages
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(done.lock.provided, ["pyserial"]);
    assert!(
        done.notes[0].contains("3.5 is part of the runtime"),
        "{:?}",
        done.notes
    );
    let module = index.plugin().join("Packages/two.py");
    let first = std::fs::read(&module).unwrap();
    // A newer one appears; the lock file still has its say.
    index.wheel("two", "2.1", "py3-none-any", "", "");
    std::fs::remove_dir_all(index.plugin().join("Packages")).unwrap();
    let again = cordon_packages::install(&index.request(&[])).unwrap();
    assert!(again.from_lock);
    assert_eq!(std::fs::read(&module).unwrap(), first);
    assert_eq!(again.lock, done.lock);
    let update = Request {
        update: true,
        ..index.request(&[])
    };
    cordon_packages::install(&update).unwrap();
    assert_eq!(
        std::fs::read_to_string(&module).unwrap(),
        "version = '2.1'\n"
    );
    let left: Vec<_> = std::fs::read_dir(index.plugin())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|it| it.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_wheel_that_was_changed_since_is_refused_and_the_old_packages_stay() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "", "");
    cordon_packages::install(&index.request(&["one"])).unwrap();
    index.wheel("one", "1.0", "py3-none-any", "", "one_more.py");
    let error = cordon_packages::install(&index.request(&[])).unwrap_err();
    assert!(matches!(error, PackagesError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("hash was recorded"), "{error}");
    assert!(index.plugin().join("Packages/one.py").is_file());
    assert!(!index.plugin().join("Packages/one_more.py").exists());
}

#[test]
fn native_packages_are_named_with_what_to_do() {
    let index = Index::new();
    index.wheel("numpy", "1.0", "cp311-cp311-linux_x86_64", "", "");
    index.wheel("one", "1.0", "py3-none-any", "numpy", "");
    let error = index.error(&["one"]);
    assert!(
        error.contains("numpy: it is native; for the few sums"),
        "{error}"
    );
    index.wheel("two", "1.0", "py3-none-any", "", "two/_speed.so");
    let error = index.error(&["two"]);
    assert!(
        error.contains("two/_speed.so") && error.contains("native code"),
        "{error}"
    );
    assert!(!index.plugin().join("Packages").exists());
}

#[test]
fn a_package_that_is_built_goes_before_a_wheel_of_the_same_name() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "", "");
    index.wheel("one", "1.1", "py3-none-any", "", "");
    index.source("one", "1.0");
    let request = Request {
        build: vec!["one".to_owned()],
        ..index.request(&["one==1.0"])
    };
    let done = cordon_packages::install(&request).unwrap();
    assert!(done.lock.packages[0].built);
    let module = index.plugin().join("Packages/one.py");
    assert_eq!(std::fs::read_to_string(module).unwrap(), "built = True\n");
    // And again from the lock file.
    let again = cordon_packages::install(&request).unwrap();
    assert!(again.from_lock);
}

#[test]
fn everything_in_the_way_is_told_at_once_and_who_disagrees() {
    let index = Index::new();
    index.wheel("dep", "1.0", "py3-none-any", "ws>=12", "");
    index.wheel("old", "1.0", "py3-none-any", "ws<12", "");
    index.wheel("ws", "11.0", "py3-none-any", "", "");
    index.wheel("ws", "12.0", "py3-none-any", "", "");
    let error = index.error(&["dep", "old"]);
    assert!(
        error.contains("dep 1.0 depends on ws>=12") && error.contains("old 1.0 depends on ws<12"),
        "{error}"
    );
    let error = index.error(&["dep", "nosuch-one", "nosuch-two"]);
    assert!(
        error.contains("nosuch-one") && error.contains("nosuch-two"),
        "{error}"
    );
    index.wheel("slow", "1.0", "py3-none-any", "", "slow/_a.so");
    index.wheel("slower", "1.0", "py3-none-any", "", "slower/_b.so");
    let error = index.error(&["slow", "slower"]);
    assert!(
        error.contains("slow/_a.so") && error.contains("slower/_b.so"),
        "{error}"
    );
}

#[test]
fn a_wheel_that_leads_out_of_its_folder_is_refused() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "", "../../escaped.py");
    let error = index.error(&["one"]);
    assert!(error.contains("leads out"), "{error}");
    assert!(!index.folder.path().join("escaped.py").exists());
    assert!(!index.plugin().join("cordon.lock").exists());
}

#[test]
fn a_folder_of_packages_that_something_else_made_is_left_alone() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "", "");
    std::fs::create_dir(index.plugin().join("Packages")).unwrap();
    std::fs::write(index.plugin().join("Packages/theirs.py"), "").unwrap();
    assert!(index.error(&["one"]).contains("--replace"));
    assert!(index.plugin().join("Packages/theirs.py").exists());
    let replace = Request {
        replace: true,
        ..index.request(&["one"])
    };
    cordon_packages::install(&replace).unwrap();
    assert!(!index.plugin().join("Packages/theirs.py").exists());
}

#[test]
fn a_bundle_gets_its_packages_into_its_contents() {
    let index = Index::new();
    index.wheel("one", "1.0", "py3-none-any", "", "");
    let contents = index.folder.path().join("X.indigoPlugin/Contents");
    std::fs::create_dir_all(contents.join("Server Plugin")).unwrap();
    std::fs::write(contents.join("Server Plugin/plugin.py"), "").unwrap();
    std::fs::write(
        contents.join("Server Plugin/requirements.txt"),
        "one==1.0\n",
    )
    .unwrap();
    let plugin = index.folder.path().join("X.indigoPlugin");
    cordon_packages::install(&Request {
        plugin,
        ..index.request(&[])
    })
    .unwrap();
    assert!(contents.join("Packages/one.py").is_file());
    assert!(contents.join("cordon.lock").is_file());
}
