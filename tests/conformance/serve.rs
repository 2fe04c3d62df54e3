//! `cordon serve` as a program of its own: a configuration, a folder of plugins, signals.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::stage::plugin_text;
use crate::tools::Program;

/// A configuration, its plugins and its data in a folder of their own.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// `sections` are `[[hardware]]` tables.
    pub fn new(sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hub = "[hub]\nlisten = \"127.0.0.1:0\"\ninstances = 5\n";
        let config = format!("{hub}{sections}");
        std::fs::write(folder.path().join("cordon.toml"), config).expect("the file is written");
        Self { folder }
    }

    /// Folder of everything.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file below the plugins' folder.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join("plugins").join(name);
        let folder = path.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }

    /// Starts the program.
    pub fn serve(&self) -> Program {
        Program::start(&mut self.command())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(crate::support::cordon());
        command
            .arg("serve")
            .arg("--config")
            .arg(self.path().join("cordon.toml"));
        command
    }
}

const HELLO: &str = "
def onStart():
    Domoticz.Log('started WHERE')
def onStop():
    Domoticz.Log('stopped WHERE')
";

/// A plugin that tells its start and its end.
pub fn hello(key: &str, place: &str) -> String {
    plugin_text(key, &HELLO.replace("WHERE", place))
}

#[test]
fn rules_001_002_003_004_005_009_plugins_are_found_where_the_rules_say() {
    let site = Site::new(
        "[[hardware]]\nname = \"A\"\nplugin = \"Bar\"\n\
         [[hardware]]\nname = \"B\"\nplugin = \"Example\"\n\
         [[hardware]]\nname = \"C\"\nplugin = \"Deep\"\n\
         [[hardware]]\nname = \"D\"\nplugin = \"Twice\"\n\
         [[hardware]]\nname = \"E\"\nplugin = \"Quoted\"\n",
    );
    site.file("Foo/plugin.py", &hello("Bar", "in Foo"));
    site.file("examples/plugin.py", &hello("Example", "in examples"));
    site.file("a/b/plugin.py", &hello("Deep", "in a/b"));
    site.file("one/plugin.py", &hello("Twice", "in one"));
    site.file("two/plugin.py", &hello("Twice", "in two"));
    let joined = hello("Joined", "joined").replacen("\"\"\"\n", "\"\"\"", 1);
    site.file("joined/plugin.py", &joined);
    let quoted = hello("Quoted", "in quoted").replacen("</plugin>\n", "</plugin>", 1);
    site.file("quoted/plugin.py", &quoted);
    let mut program = site.serve();
    program.line("ready on http://127.0.0.1:");
    for _ in 0..3 {
        program.line("started in ");
    }
    assert!(program.terminate());
    let said = program.said.join("\n");
    for line in [
        "Error: plugin folder ",
        "joined`: ",
        "Error: B: ",
        "no plugin with key `Example`",
        "Error: C: ",
        "A: started in Foo",
        "D: started in one",
        "E: started in quoted",
    ] {
        assert!(said.contains(line), "no {line:?} in:\n{said}");
    }
    assert!(!said.contains("in two"), "{said}");
}

#[test]
fn rules_006_007_008_definitions_are_told_as_they_are_written() {
    let site = Site::new("");
    let definition = r#""""
<plugin key="K" name="A & B" author="me" version="1.0">
    <description><h2 onclick="x()">About</h2><script>x()</script></description>
    <params>
        <param field="Mode1" label="Mode">
            <options>
                <option label="x" value="y" default="True"/>
                <option label="z" value="w" default="true"/>
            </options>
        </param>
    </params>
</plugin>
"""
import Domoticz
"#;
    site.file("K/plugin.py", definition);
    let mut program = site.serve();
    let ready = program.line("ready on http://127.0.0.1:");
    let address = ready.rsplit("http://").next().expect("an address");
    let address = address.split_whitespace().next().expect("an address");
    let query = "json.htm?type=command&param=gethardwaretypes";
    let mut answer = ureq::get(format!("http://{}/{query}", address.trim_end_matches('/')))
        .call()
        .expect("an answer");
    let text = answer.body_mut().read_to_string().expect("a text");
    let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let plugin = &answer["result"][0];
    assert_eq!(plugin["name"], "A  B");
    assert_eq!(
        plugin["description"],
        "<description><h2>About</h2></description>"
    );
    let parameter = &plugin["parameters"][0];
    assert_eq!(
        (&parameter["width"], &parameter["required"]),
        (&"".into(), &"".into())
    );
    let options = parameter["options"].as_array().expect("options");
    assert_eq!(options[0].get("default"), None);
    assert_eq!(options[1]["default"], "true");
    assert!(program.terminate());
}

/// The objects in the log file of a site.
fn logged(site: &Site) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(site.path().join("log/cordon.log"));
    let text = text.expect("the log file is read");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}

const RAISES: &str = "
def onStart():
    Domoticz.Log('not important')
    raise ValueError('seven')
";

#[test]
fn the_log_is_in_a_file_and_on_the_console_as_the_operator_wants_it() {
    let log = "[log]\nfile = \"log/cordon.log\"\nformat = \"json\"\nleast-level = \"status\"\n\
               console = \"journald\"\n[web]\nusers = [{ name = \"ann\", password = \"secret\" }]\n";
    let hardware =
        ["A", "B"].map(|name| format!("[[hardware]]\nname = \"{name}\"\nplugin = \"Raises\"\n"));
    let site = Site::new(&format!("{log}{}", hardware.concat()));
    site.file("Raises/plugin.py", &plugin_text("Raises", RAISES));
    let mut program = site.serve();
    let ready = program.line("<5>Status: ready on http://127.0.0.1:");
    let address = ready.rsplit("http://").next().expect("an address");
    let url = format!("http://{address}json.htm?type=command&param=getversion");
    let asked = ureq::get(url)
        .header("Authorization", "Basic YW5uOm5v")
        .call();
    assert!(asked.is_err(), "a wrong password lets nobody in");
    let refused = "Warning: login of user \"ann\" from 127.0.0.1 refused (HTTP Basic): ";
    program.line(&format!("<4>{refused}"));
    for _ in 0..2 {
        program.line("ValueError: seven");
    }
    assert!(program.terminate());
    let said = program.said.join("\n");
    assert!(!said.contains("not important"), "{said}");
    // The traceback of each is in one piece.
    for name in ["A", "B"] {
        let prefix = format!("<3>Error: {name}: ");
        let mut lines = program.said.iter();
        let begun = lines.find(|line| line.starts_with(&format!("{prefix}'onStart' raised")));
        assert!(begun.is_some(), "{said}");
        let piece: Vec<_> = lines.take_while(|line| line.starts_with(&prefix)).collect();
        assert!(
            piece.iter().any(|line| line.ends_with("ValueError: seven")),
            "{said}"
        );
    }
    let lines = logged(&site);
    let has = |instance: Option<&str>, level: &str, text: &str| {
        lines.iter().any(|line| {
            let of = line.get("instance").and_then(serde_json::Value::as_str) == instance;
            of && line["level"] == level && line["text"].as_str().expect("a text").contains(text)
        })
    };
    assert!(has(None, "status", "ready on "));
    assert!(has(
        None,
        "warning",
        "login of user \"ann\" from 127.0.0.1 refused"
    ));
    assert!(has(Some("A"), "error", "ValueError: seven"));
    assert!(lines.iter().all(|line| line["level"] != "normal"));
}

#[test]
fn the_reason_for_the_end_of_the_program_is_in_the_log_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let log = "[log]\nfile = \"log/cordon.log\"\nformat = \"json\"\nconsole = \"none\"\n";
    let site = Site::new(&format!("{log}[web]\npages = \"127.0.0.1:{port}\"\n"));
    let ended = site.command().output().expect("the program runs");
    assert!(!ended.status.success() && ended.stdout.is_empty());
    let last = logged(&site).pop().expect("a line");
    assert_eq!(last["level"], "error");
    let reason = format!("the program ends: cannot listen on 127.0.0.1:{port}");
    assert!(
        last["text"].as_str().expect("a text").starts_with(&reason),
        "{last}"
    );
}

#[test]
fn sigterm_stops_plugins_in_good_order() {
    let site = Site::new("[[hardware]]\nname = \"HW\"\nplugin = \"Hello\"\n");
    site.file("hello/plugin.py", &hello("Hello", "well"));
    let mut program = site.serve();
    program.line("HW: started well");
    assert!(program.terminate());
    let end = program
        .said
        .iter()
        .position(|line| line.contains("stopping"));
    let stopped = program
        .said
        .iter()
        .position(|line| line.ends_with("HW: stopped well"));
    assert!(
        end.is_some() && end < stopped,
        "{}",
        program.said.join("\n")
    );
}

const STUBBORN: &str = "
import time
def onStart():
    Domoticz.Log('started')
def onStop():
    Domoticz.Log('stopping')
    time.sleep(50)
";

#[test]
fn the_program_ends_in_the_time_that_it_is_given() {
    let site = Site::new("stop-seconds = 2\n[[hardware]]\nname = \"S\"\nplugin = \"Stubborn\"\n");
    site.file("Stubborn/plugin.py", &plugin_text("Stubborn", STUBBORN));
    let mut program = site.serve();
    program.line("S: started");
    let begun = Instant::now();
    assert!(program.terminate());
    assert!(begun.elapsed() < Duration::from_secs(15));
    let said = program.said.join("\n");
    assert!(
        said.contains("S: the plugin did not stop within 2 s"),
        "{said}"
    );
}

#[test]
fn the_program_ends_at_once_when_it_is_told_twice() {
    let site = Site::new("[[hardware]]\nname = \"S\"\nplugin = \"Stubborn\"\n");
    site.file("Stubborn/plugin.py", &plugin_text("Stubborn", STUBBORN));
    let mut program = site.serve();
    program.line("S: started");
    program.signal();
    program.line("S: stopping");
    let begun = Instant::now();
    assert!(!program.terminate());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_program_ends_at_once_while_it_compiles_the_guest() {
    let site = Site::new("");
    let guest = site.path().join("guest.wasm");
    let built = cordon_runtime::engine::artifact::Artifact::locate().expect("the guest is built");
    std::fs::copy(built.path(), &guest).expect("the guest is copied");
    let mut program = Program::start(site.command().env("CORDON_GUEST", &guest));
    program.line("compiling the guest");
    let begun = Instant::now();
    assert!(program.terminate());
    assert!(begun.elapsed() < Duration::from_secs(5));
}
