//! `cordon check`: what it finds in plugins, good, bad and broken.

use std::path::{Path, PathBuf};

use cordon::check::{Finding, Report, Topic, Verdict};

use crate::support::engine;

const DEFINITION: &str = "\"\"\"\n<plugin key=\"K\" name=\"N\" version=\"1\" author=\"tests\">\n<params><param field=\"Address\" label=\"a\"/></params>\n</plugin>\n\"\"\"\n";

struct Fixture(tempfile::TempDir);

impl Fixture {
    /// A Domoticz plugin with this below its definition.
    fn new(source: &str) -> Self {
        Self(tempfile::tempdir().unwrap()).with("plugin.py", &format!("{DEFINITION}{source}"))
    }

    fn with(self, file: &str, text: &str) -> Self {
        self.with_bytes(file, text.as_bytes())
    }

    fn with_bytes(self, file: &str, bytes: &[u8]) -> Self {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    async fn check(&self) -> Report {
        check(&self.path()).await.pop().unwrap()
    }
}

async fn check(path: &Path) -> Vec<Report> {
    cordon::check::check(engine(), path).await.unwrap()
}

fn find<'a>(report: &'a Report, topic: Topic, subject: &str) -> &'a Finding {
    report
        .findings
        .iter()
        .find(|it| it.topic == topic && it.subject == subject)
        .unwrap_or_else(|| {
            panic!(
                "no {topic:?} {subject:?} in\n{}",
                cordon::check::text(report)
            )
        })
}

fn verdict(report: &Report, topic: Topic, subject: &str) -> Verdict {
    find(report, topic, subject).verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_needs_nothing_is_ok() {
    let report = Fixture::new(
        "import Domoticz\nimport json\nimport helper\n\ndef onStart():\n    Domoticz.Log('x')\ndef onNotification(): pass\n",
    )
    .with("helper.py", "import datetime\n")
    .check()
    .await;
    assert_eq!(
        report.verdict,
        Verdict::Ok,
        "{}",
        cordon::check::text(&report)
    );
    assert_eq!(verdict(&report, Topic::Definition, "K"), Verdict::Ok);
    assert_eq!(verdict(&report, Topic::Import, "json"), Verdict::Ok);
    let followed = find(&report, Topic::Import, "datetime");
    assert_eq!((followed.file.as_str(), followed.line), ("helper.py", 1));
    assert_eq!(verdict(&report, Topic::Plugin, "plugin.py"), Verdict::Ok);
    assert_eq!(verdict(&report, Topic::Api, "Domoticz.Log"), Verdict::Ok);
    assert_eq!(verdict(&report, Topic::Callback, "onStart"), Verdict::Ok);
    assert_eq!(
        verdict(&report, Topic::Callback, "onNotification"),
        Verdict::Ok
    );
    assert_eq!(report.grants, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_modules_come_with_the_line_that_installs_them() {
    let report = Fixture::new(
        "import Domoticz\nimport dateutil.parser\nimport yaml\nimport numpy\n\
         try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\nimport urllib2\n",
    )
    .with("requirements.txt", "PyYAML>=5\n")
    .check()
    .await;
    let line = &find(&report, Topic::Import, "dateutil").detail;
    assert!(
        line.contains("cordon install") && line.contains(" python-dateutil`"),
        "{line}"
    );
    let line = &find(&report, Topic::Import, "yaml").detail;
    assert!(
        line.contains("--build pyyaml") && !line.contains("\" pyyaml"),
        "{line}"
    );
    assert_eq!(verdict(&report, Topic::Import, "yaml"), Verdict::Missing);
    let native = find(&report, Topic::Import, "numpy");
    assert_eq!(native.verdict, Verdict::Fails);
    assert!(native.detail.contains("native"), "{}", native.detail);
    assert_eq!(verdict(&report, Topic::Import, "nowhere"), Verdict::Note);
    let old = find(&report, Topic::Import, "urllib2");
    assert!(old.detail.contains("urllib.request"), "{}", old.detail);
    assert_eq!(report.verdict, Verdict::Fails);
    assert_eq!(report.verdict.exit_code(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_that_are_not_wanted_here_are_no_findings() {
    let report = Fixture::new(
        "import Domoticz\nimport contextlib\nimport importlib.util\nimport os\nimport sys\nfrom typing import TYPE_CHECKING\n\
         if TYPE_CHECKING:\n    import checked_only\n\
         PY2 = sys.version_info[0] == 2\n\
         def late():\n    if PY2:\n        import late_two\n    if sys.version_info < (3, 8):\n        import backported\n\
        \x20   if not PY2 and os.name != 'nt':\n        import really_wanted\n\
         if len(sys.argv) > 99:\n    import never_reached\n\
         try:\n    import urllib2\nexcept ImportError:\n    import urllib.request as urllib2\n\
         try:\n    import json\nexcept ImportError:\n    import nojson as json\n\
         try:\n    import Domoticz\nexcept ImportError:\n    import fakeDomoticz as Domoticz\n\
         with contextlib.suppress(ImportError):\n    import suppressed\n\
         if importlib.util.find_spec('looked_for'):\n    import looked_for\n\
         if __name__ == '__main__':\n    import as_a_program\n\
         try:\n    import fast\nexcept ImportError:\n    fast = None\n",
    )
    .check()
    .await;
    let failing: Vec<_> = report
        .findings
        .iter()
        .filter(|it| it.topic == Topic::Import && it.verdict != Verdict::Ok)
        .map(|it| (it.subject.as_str(), it.verdict))
        .collect();
    let expected = [
        ("really_wanted", Verdict::Missing),
        ("suppressed", Verdict::Note),
        ("looked_for", Verdict::Note),
        ("fast", Verdict::Note),
    ];
    assert_eq!(failing, expected, "{}", cordon::check::text(&report));
    let detail = &find(&report, Topic::Import, "fast").detail;
    assert!(detail.starts_with("optional"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_imports_for_one_name_the_last_is_missing() {
    let report = Fixture::new(
        "import Domoticz\ntry:\n    import first_choice as it\nexcept ImportError:\n    import second_choice as it\n\
         try:\n    import explained\nexcept ImportError as error:\n    raise RuntimeError('install it') from error\n",
    )
    .check()
    .await;
    assert_eq!(
        verdict(&report, Topic::Import, "second_choice"),
        Verdict::Missing
    );
    assert_eq!(
        verdict(&report, Topic::Import, "explained"),
        Verdict::Missing
    );
    assert!(
        !report
            .findings
            .iter()
            .any(|it| it.subject == "first_choice")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_beside_the_plugin_may_lack_what_it_can_do_without() {
    let report = Fixture::new("import Domoticz\nimport carried\nimport own\n")
        .with("carried-1.0.dist-info/METADATA", "Name: carried\n")
        .with(
            "carried/__init__.py",
            "from ._compat import text\ntry:\n    import speedups\nexcept ImportError:\n    pass\n\
             def convert():\n    import converter\n",
        )
        .with(
            "carried/_compat.py",
            "from carried._flags import OLD\nif OLD:\n    import cPickle\n    from itertools import imap\n\
             else:\n    from collections.abc import Mapping\ntext = str\n",
        )
        .with("carried/_flags.py", "import sys\nOLD = sys.version_info[0] == 2\n")
        .with("own.py", "def later():\n    import wanted_later\n")
        .check()
        .await;
    let failing: Vec<_> = report
        .findings
        .iter()
        .filter(|it| it.topic == Topic::Import && it.verdict != Verdict::Ok)
        .map(|it| (it.subject.as_str(), it.verdict))
        .collect();
    let expected = [
        ("converter", Verdict::Note),
        ("wanted_later", Verdict::Missing),
    ];
    assert_eq!(failing, expected, "{}", cordon::check::text(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_reaches_for_becomes_a_grants_section() {
    let report = Fixture::new(
        "import Domoticz, os, socket, subprocess, urllib.request\n\
         HOME = None\n\
         def onStart():\n\
        \x20   home = Parameters['HomeFolder']\n\
        \x20   open(home + 'state.json', 'w').write('x')\n\
        \x20   urllib.request.urlopen('https://API.example.org/v1', None, 5)\n\
        \x20   socket.create_connection(('10.0.0.9', 4711))\n\
        \x20   subprocess.run(['/usr/bin/uptime', '-p'])\n\
        \x20   os.system('ping -c 1 10.0.0.9')\n\
        \x20   s = socket.socket()\n\
        \x20   s.bind(('', 8123))\n\
        \x20   c = Domoticz.Connection(Name='p', Transport='ICMP/IP', Address='10.0.0.9')\n\
        \x20   d = Domoticz.Connection(Name='s', Transport='Serial', Address='/dev/ttyUSB3')\n",
    )
    .check()
    .await;
    assert_eq!(
        report.verdict,
        Verdict::Grant,
        "{}",
        cordon::check::text(&report)
    );
    assert_eq!(report.verdict.exit_code(), 1);
    // As it is pasted into a section, the hub itself takes it.
    let pasted = format!(
        "[[hardware]]\nname = \"A\"\nplugin = \"a\"\n{}",
        report.grants
    );
    let value: toml::Table = toml::from_str(&pasted).expect(&pasted);
    let section = value["hardware"][0].clone();
    section
        .clone()
        .try_into::<cordon_domoticz::config::HardwareSection>()
        .expect(&pasted);
    let grants = &section["grants"];
    let list = |name: &str| -> Vec<String> {
        let all = grants[name].as_array().unwrap().iter();
        all.map(|it| it.to_string().trim_matches('"').to_owned())
            .collect()
    };
    assert_eq!(list("network"), ["api.example.org:443", "10.0.0.9:4711"]);
    assert_eq!(list("listen"), ["8123"]);
    assert_eq!(list("exec")[0], "/usr/bin/uptime");
    assert!(list("exec")[1].ends_with("/ping"));
    assert_eq!(list("icmp"), ["10.0.0.9"]);
    assert_eq!(list("serial"), ["/dev/ttyUSB3"]);
    assert_eq!(section["plugin-folder"].as_str(), Some("copy-on-write"));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_sources_are_named_with_line_and_text() {
    let report = Fixture::new("import Domoticz\ndef onStart(:\n    pass\n")
        .check()
        .await;
    let broken = find(&report, Topic::Source, "plugin.py");
    assert_eq!(broken.verdict, Verdict::Fails);
    assert_eq!(broken.line, 7);
    assert!(broken.detail.contains("def onStart(:"), "{}", broken.detail);

    let report = Fixture::new("import Domoticz\nimport time\n\nprint \"hello\"\n")
        .check()
        .await;
    let old = find(&report, Topic::Source, "plugin.py");
    assert!(
        old.detail
            .contains("Python 2 source: print statement at line 9"),
        "{}",
        old.detail
    );

    let report = Fixture::new("import Domoticz\n")
        .with_bytes("plugin.py", b"\xff\x00<plugin")
        .check()
        .await;
    assert_eq!(report.verdict, Verdict::Fails);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_made_to_break_a_parser_break_a_component_only() {
    let deep = format!(
        "import Domoticz\nx = {}1{}\n",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    let report = Fixture::new(&deep).check().await;
    assert_eq!(
        report.verdict,
        Verdict::Fails,
        "{}",
        cordon::check::text(&report)
    );
    let report = Fixture::new(
        "import Domoticz\nimport sys\nsys.setrecursionlimit(10**6)\ndef f(): f()\nf()\n",
    )
    .check()
    .await;
    assert_eq!(verdict(&report, Topic::Plugin, "plugin.py"), Verdict::Fails);
    let report = Fixture::new("import Domoticz\nimport os\nos._exit(0)\n")
        .check()
        .await;
    let ended = find(&report, Topic::Plugin, "plugin.py");
    assert_eq!(ended.verdict, Verdict::Fails);
    assert!(
        ended.detail.contains("ended its own process"),
        "{}",
        ended.detail
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_of_the_plugin_is_not_run_while_it_is_read() {
    // Were it imported by the reader, there would be no finding of a host.
    let report = Fixture::new("import Domoticz\nimport ast\nURL = 'http://device.lan/'\n")
        .with("ast.py", "raise SystemExit('run')\n")
        .with("json.py", "raise SystemExit('run')\n")
        .check()
        .await;
    assert_eq!(
        verdict(&report, Topic::Network, "device.lan:80"),
        Verdict::Grant
    );
}

const PROPERTIES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
    <key>CFBundleIdentifier</key><string>com.example.x</string>
    <key>CFBundleDisplayName</key><string>X</string>
    <key>PluginVersion</key><string>1.0</string>
    <key>ServerApiVersion</key><string>3.0</string>
</dict></plist>
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_read_and_imported_with_its_framework() {
    let folder = tempfile::tempdir().unwrap();
    let contents = folder.path().join("X.indigoPlugin/Contents");
    std::fs::create_dir_all(contents.join("Server Plugin")).unwrap();
    std::fs::write(contents.join("Info.plist"), PROPERTIES).unwrap();
    std::fs::write(
        contents.join("Server Plugin/plugin.py"),
        "import indigo\nclass Plugin(indigo.PluginBase):\n    def startup(self):\n        indigo.server.log('x')\n",
    )
    .unwrap();
    let report = check(&folder.path().join("X.indigoPlugin"))
        .await
        .pop()
        .unwrap();
    assert_eq!(verdict(&report, Topic::Callback, "startup"), Verdict::Ok);
    assert_eq!(find(&report, Topic::Api, "indigo.server.log").line, 4);
    assert_eq!(verdict(&report, Topic::Import, "indigo"), Verdict::Ok);
    assert_eq!(verdict(&report, Topic::Plugin, "plugin.py"), Verdict::Ok);
    let definition = find(&report, Topic::Definition, "");
    assert!(
        definition.detail.contains("com.example.x"),
        "{}",
        definition.detail
    );
    std::fs::write(
        contents.join("Server Plugin/Devices.xml"),
        "<Devices>\n<Device",
    )
    .unwrap();
    let report = check(&folder.path().join("X.indigoPlugin"))
        .await
        .pop()
        .unwrap();
    let definition = find(&report, Topic::Definition, "");
    assert_eq!(definition.verdict, Verdict::Fails);
    assert!(
        definition.detail.contains("Devices.xml"),
        "{}",
        definition.detail
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nothing_defines_are_told_of_and_no_others() {
    let report = Fixture::new(
        "import Domoticz\nimport helper\n\
         def onStart():\n\
        \x20   Domoticz.Log(Parameters['Key'])\n\
        \x20   print(undefined_here, helper.x, Devices, Images, __file__, late)\n\
        \x20   try: unicode\n\
        \x20   except NameError: pass\n\
        \x20   if False:\n\
        \x20       never_run\n\
        \x20   return [it for it in (1, 2) if (found := it)]\n\
         def note(kind: NotEvaluated = None) -> NorThis: pass\n\
         late = 1\n",
    )
    .with(
        "helper.py",
        "from os.path import *\nx = 1\ndef f(): return anything\n",
    )
    .check()
    .await;
    let named: Vec<_> = report
        .findings
        .iter()
        .filter(|it| it.topic == Topic::Name)
        .collect();
    assert_eq!(named.len(), 1, "{}", cordon::check::text(&report));
    let found = find(&report, Topic::Name, "undefined_here");
    assert_eq!((found.verdict, found.line), (Verdict::Mistake, 10));
    assert_eq!(report.verdict, Verdict::Mistake);
    assert_eq!(report.verdict.exit_code(), 1);
    let report = Fixture::new("def onStart(): Domoticz.Log('x')\n")
        .check()
        .await;
    assert_eq!(verdict(&report, Topic::Name, "Domoticz"), Verdict::Mistake);
    for anything in [
        "exec('missing = 1')",
        "globals()['missing'] = 1",
        "import builtins\nbuiltins.missing = 1",
    ] {
        let source = format!("import Domoticz\n{anything}\ndef onStart(): missing\n");
        let report = Fixture::new(&source).check().await;
        assert!(
            report.findings.iter().all(|it| it.topic != Topic::Name),
            "{anything}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_are_nearly_named_are_told_of() {
    let report = Fixture::new(
        "import Domoticz\ndef onHeartBeat(): pass\ndef onStart(): onCommando()\ndef onCommando(): pass\n\
         def onStopp(): pass\ndef onDisconnect(c): pass\ndef onDisConnect(c): pass\n",
    )
    .check()
    .await;
    let near: Vec<_> = report
        .findings
        .iter()
        .filter(|it| it.topic == Topic::Callback && it.verdict != Verdict::Ok)
        .map(|it| (it.subject.as_str(), it.verdict))
        .collect();
    let expected = [
        ("onHeartBeat", Verdict::Mistake),
        ("onStopp", Verdict::Note),
    ];
    assert_eq!(near, expected, "{}", cordon::check::text(&report));
    let detail = &find(&report, Topic::Callback, "onHeartBeat").detail;
    assert!(detail.contains("the callback is `onHeartbeat`"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_without_a_key_will_not_work() {
    let text = "\"\"\"\n<plugin name=\"N\" version=\"1\" author=\"tests\"><params>\
                <param field=\"Adress\"/></params>\n</plugin>\n\"\"\"\nimport Domoticz\n";
    let report = Fixture::new("").with("plugin.py", text).check().await;
    let key = find(&report, Topic::Definition, "key");
    assert_eq!(key.verdict, Verdict::Fails);
    let field = find(&report, Topic::Definition, "Adress");
    assert!(field.detail.contains("`Address`"), "{}", field.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundles_methods_and_packages_are_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("X.indigoPlugin");
    let plugin = root.join("Contents/Server Plugin");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(root.join("Contents/Info.plist"), PROPERTIES).unwrap();
    let action = |name: &str| {
        format!(
            "<Action id=\"{name}\"><Name>N</Name><CallbackMethod>{name}</CallbackMethod></Action>"
        )
    };
    let actions = ["there", "gone", "given", "inherited"].map(action).concat();
    std::fs::write(
        plugin.join("Actions.xml"),
        format!("<Actions>{actions}</Actions>"),
    )
    .unwrap();
    let source = "import indigo\nclass Base:\n    def inherited(self, action): pass\n\
                  class Plugin(indigo.PluginBase, Base):\n    def startup(self):\n        self.given = self.there\n\
                  \x20   def there(self, action): pass\n    def deviceStartCom(self, dev): pass\n\
                  \x20   def later(self):\n        import requests, dateutil, websockets\n";
    std::fs::write(plugin.join("plugin.py"), source).unwrap();
    let report = check(&root).await.pop().unwrap();
    let text = cordon::check::text(&report);
    let gone = find(&report, Topic::Callback, "gone");
    assert_eq!(gone.verdict, Verdict::Mistake);
    assert!(
        gone.detail.contains("Server Plugin/Actions.xml"),
        "{}",
        gone.detail
    );
    for name in ["there", "given", "inherited"] {
        assert!(
            report.findings.iter().all(|it| it.subject != name),
            "{name} in\n{text}"
        );
    }
    assert_eq!(
        verdict(&report, Topic::Callback, "deviceStartCom"),
        Verdict::Note
    );
    let missing = find(&report, Topic::Import, "requests");
    assert!(
        missing
            .detail
            .starts_with("Indigo preinstalls it, Cordon does not; install it with `cordon install"),
        "{text}"
    );
    let all =
        format!("cordon install {root:?} python-dateutil requests websockets --build websockets");
    assert_eq!(report.install, all);
    assert!(text.contains(&all), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_plugins_gives_a_table_and_json_a_stable_form() {
    let folder = Fixture::new("import Domoticz\n");
    std::fs::create_dir_all(folder.path().join("all/Good")).unwrap();
    std::fs::create_dir_all(folder.path().join("all/Bad")).unwrap();
    std::fs::copy(
        folder.path().join("plugin.py"),
        folder.path().join("all/Good/plugin.py"),
    )
    .unwrap();
    std::fs::write(folder.path().join("all/Bad/plugin.py"), "print 'x'\n").unwrap();
    let reports = check(&folder.path().join("all")).await;
    let table = cordon::check::table(&reports);
    assert!(
        table.contains(
            "2 plugins: 1 ok, 0 have a mistake, 0 need a grant, 0 miss a package, 1 will not work"
        ),
        "{table}"
    );
    let json = cordon::check::json(&reports);
    assert_eq!(json["schema"], 1);
    let bad = &json["plugins"][0];
    assert_eq!(
        (bad["name"].as_str(), bad["verdict"].as_str()),
        (Some("Bad"), Some("will-not-work"))
    );
    for field in ["path", "framework", "grants", "findings"] {
        assert!(!bad[field].is_null(), "{field}");
    }
    for field in ["topic", "subject", "verdict", "detail", "file", "line"] {
        assert!(!bad["findings"][0][field].is_null(), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_the_import_is_missing_wherever_it_is_imported() {
    let report = Fixture::new("import Domoticz\nfrom parts import *\n")
        .with("parts/__init__.py", "__all__ = ['far']\n")
        .with("parts/far.py", "\nimport far_away\n")
        .check()
        .await;
    let missing = find(&report, Topic::Import, "far_away");
    assert_eq!(
        (missing.verdict, missing.file.as_str(), missing.line),
        (Verdict::Missing, "parts/far.py", 2)
    );
    assert_eq!(report.verdict, Verdict::Missing);
    let report = Fixture::new("import Domoticz\nfrom parts.gone import it\n")
        .with("parts/__init__.py", "")
        .check()
        .await;
    let gone = find(&report, Topic::Import, "parts.gone");
    assert_eq!(gone.verdict, Verdict::Fails, "{}", gone.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_the_hub_that_may_be_missing_is_no_use_of_it() {
    let report = Fixture::new(
        "try:\n    from Domoticz import Parameters, Log\nexcept ImportError:\n    pass\n\
         def onStart():\n    print(Parameters['Mode1'])\n",
    )
    .check()
    .await;
    assert_eq!(
        report.verdict,
        Verdict::Ok,
        "{}",
        cordon::check::text(&report)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_compiled_as_when_they_run() {
    // Words of a comment that look like a comprehension.
    let source = "x = dict(\n    a=1  # kept for those in need\n)\n";
    let report = Fixture::new(&format!("import Domoticz\n{source}"))
        .check()
        .await;
    assert_eq!(verdict(&report, Topic::Plugin, "plugin.py"), Verdict::Ok);
    let folder = tempfile::tempdir().unwrap();
    let contents = folder.path().join("X.indigoPlugin/Contents");
    std::fs::create_dir_all(contents.join("Server Plugin")).unwrap();
    std::fs::write(contents.join("Info.plist"), PROPERTIES).unwrap();
    // Logs while it is imported, as some do that miss a package.
    let code = format!(
        "{source}indigo.server.log('no speedtest')\nclass Plugin(indigo.PluginBase):\n    pass\n"
    );
    std::fs::write(contents.join("Server Plugin/plugin.py"), code).unwrap();
    let report = check(&folder.path().join("X.indigoPlugin")).await;
    let report = report.first().unwrap();
    assert_eq!(
        verdict(report, Topic::Plugin, "plugin.py"),
        Verdict::Ok,
        "{}",
        cordon::check::text(report)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_never_imported_condemns_nothing() {
    let report = Fixture::new(
        "import Domoticz\nfrom lib import core\n\ndef onCommand(u, c, l, h):\n    from lib import extra\n\
         def onStart():\n    if hasattr(Domoticz, 'NotThere'): Domoticz.NotThere()\n    \
         try: Domoticz.NorThis()\n    except AttributeError: pass\n",
    )
    .with("lib/__init__.py", "")
    .with("lib/core.py", "import json\n")
    .with("lib/extra.py", "import nowhere\nfrom lib import old\n")
    .with("lib/old.py", "print 'Python 2'\n")
    .check()
    .await;
    let text = cordon::check::text(&report);
    assert_eq!(report.verdict, Verdict::Ok, "{text}");
    assert_eq!(verdict(&report, Topic::Source, "lib/old.py"), Verdict::Note);
    assert_eq!(verdict(&report, Topic::Import, "nowhere"), Verdict::Note);
    let member = "Domoticz.NotThere";
    assert_eq!(verdict(&report, Topic::Api, member), Verdict::Note);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_copy_of_a_package_of_the_runtime_is_no_fault() {
    let report = Fixture::new("import Domoticz\nimport serial\n")
        .with(
            "serial/__init__.py",
            "from serial.serialposix import Serial\n",
        )
        .with("serial/serialutil.py", "import winreg\n")
        .with("serial/serialposix.py", "import nowhere\n")
        .check()
        .await;
    let text = cordon::check::text(&report);
    let copy = find(&report, Topic::Import, "serial");
    assert_eq!(copy.verdict, Verdict::Note, "{text}");
    assert!(copy.detail.contains("set aside"), "{}", copy.detail);
    assert!(!text.contains("nowhere"), "{text}");
    // A part that the runtime's package lacks is not to be had by installing it.
    let report = Fixture::new("import Domoticz\nimport cryptography.nothing\n")
        .check()
        .await;
    let text = cordon::check::text(&report);
    assert!(!text.contains("cordon install"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_syntax_error_is_the_first_one() {
    let source = "import Domoticz\n\ndef onStart():\n    values = {1: 2,, 3: 4}\n\n\ndef later():\n    \
                  return {key: value for key, value in {}.items()}\n";
    let report = Fixture::new(source).check().await;
    let broken = find(&report, Topic::Source, "plugin.py");
    // The definition takes five lines.
    assert_eq!(broken.line, 9, "{}", broken.detail);
    assert!(broken.detail.contains("values ="), "{}", broken.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_paths_beside_the_code_are_seen() {
    for write in [
        "import logging.handlers\nlogging.handlers.RotatingFileHandler(os.path.dirname(__file__) + '/x.log')",
        "from pathlib import Path\n(Path(__file__).parent / 'x').write_text('x')",
    ] {
        let write = write.replace('\n', "\n    ");
        let source = format!("import Domoticz, os\ndef onStart():\n    {write}\n");
        let report = Fixture::new(&source).check().await;
        let found = verdict(&report, Topic::PluginFolder, "");
        assert_eq!(found, Verdict::Grant, "{write}");
    }
}
