//! The operator's verbs as programs: a hub is set up, looked at, backed up while it runs, and goes
//! on in another folder.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::serve::Site;
use crate::stage::plugin_text;
use crate::tools::Program;

fn cordon(arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::support::cordon());
    command.args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn serve(folder: &Path) -> Program {
    let mut command = Command::new(crate::support::cordon());
    let config = folder.join("cordon.toml");
    Program::start(command.arg("serve").arg("--config").arg(config))
}

/// The answer of a hub that has started its plugin.
struct Api(String);

impl Api {
    fn of(program: &mut Program) -> Self {
        let ready = program.line("ready on http://127.0.0.1:");
        program.line("the file says");
        let address = ready.rsplit("http://").next().expect("an address");
        Self(address.split('/').next().expect("an address").to_owned())
    }

    fn ask(&self, query: &str) -> serde_json::Value {
        let url = format!("http://{}/json.htm?type=command&{query}", self.0);
        let mut answer = ureq::get(url).call().expect("an answer");
        let answer = answer.body_mut().read_to_string().expect("a text");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// The device's value as a client sees it.
    fn value(&self) -> String {
        let answer = self.ask("param=getdevices&rid=1");
        let value = answer["result"][0]["Data"].as_str();
        value.unwrap_or_default().to_owned()
    }
}

/// A folder with this plugin, and `cordon run` of it.
fn run(source: &str, options: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plugin.py"), plugin_text("Run", source)).unwrap();
    let mut arguments = vec!["run", folder.path().to_str().unwrap()];
    arguments.extend(options);
    let output = cordon(&arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn run_fails_when_a_callback_raised_if_it_is_strict() {
    let source = "def onStart(): raise ValueError('no')\n";
    let (code, said) = run(source, &["--seconds", "2"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(source, &["--seconds", "2", "--strict"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("1 callbacks raised; --strict makes that a failure"),
        "{said}"
    );
    let source = "def onStop(): raise ValueError('no')\n";
    let (code, said) = run(source, &["--seconds", "2", "--strict"]);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = run("def onStart(): pass\n", &["--seconds", "2", "--strict"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn run_of_a_plugin_that_cannot_start_fails_and_promises_nothing() {
    let (code, said) = run("import nowhere\n", &["--seconds", "20"]);
    assert_eq!(code, Some(1), "{said}");
    let loops = "def onStart():\n    while True: pass\n";
    let (code, ended) = run(loops, &["--seconds", "20", "--limit", "callback-cpu=300ms"]);
    assert_eq!(code, Some(1), "{ended}");
    for said in [&said, &ended] {
        assert!(
            !said.contains("started again") && !said.contains("until the hub"),
            "{said}"
        );
    }
    let hint = ", in onStart; it computed all that time: give the work to several callbacks, or \
                raise it with `--limit callback-cpu=600ms`";
    assert!(
        ended.contains(hint) && ended.contains(" ms used, 300 ms allowed"),
        "{ended}"
    );
}

#[test]
fn run_says_which_option_grants_and_which_limits_are_too_low() {
    let source =
        "import socket\ndef onStart():\n    socket.create_connection(('192.0.2.1', 81), 1)\n";
    let (_, said) = run(source, &["--seconds", "2"]);
    assert!(
        said.contains("to allow it, add `--network 192.0.2.1:81`"),
        "{said}"
    );
    let (code, said) = run("", &["--limit", "memory=1MiB"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no plugin starts with less"), "{said}");
}

const KEEPER: &str = "
def onStart():
    if 1 not in Devices:
        Domoticz.Device(Name='D', Unit=1, TypeName='Text').Create()
        Devices[1].Update(nValue=0, sValue='first value')
        with open('note.txt', 'w') as note:
            note.write('first note')
    with open('note.txt') as note:
        Domoticz.Log('the file says ' + note.read())
";

#[test]
fn a_hub_that_is_backed_up_while_it_runs_goes_on_elsewhere() {
    let site = Site::new("[[hardware]]\nname = \"K\"\nplugin = \"Keeper\"\n");
    site.file("Keeper/plugin.py", &plugin_text("Keeper", KEEPER));
    let mut program = serve(site.path());
    let api = Api::of(&mut program);
    assert_eq!(api.value(), "first value");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let file = elsewhere.path().join("hub.tar.gz");
    let (file, config) = (
        file.to_str().expect("text"),
        site.path().join("cordon.toml"),
    );
    let config = config.to_str().expect("text");
    let made = cordon(&["backup", file, "--config", config]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let again = cordon(&["backup", file, "--config", config]);
    assert!(!again.status.success());
    assert!(
        text(&again.stderr).contains("--replace"),
        "{}",
        text(&again.stderr)
    );
    // Later changes are not in it.
    api.ask("param=udevice&idx=1&nvalue=0&svalue=later");
    assert_eq!(api.value(), "later");
    assert!(program.terminate());

    let hub = elsewhere.path().join("hub");
    let restored = cordon(&["restore", file, "--to", hub.to_str().expect("text")]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    let mut program = serve(&hub);
    assert_eq!(Api::of(&mut program).value(), "first value");
    assert!(
        program
            .said
            .iter()
            .any(|line| line.ends_with("the file says first note"))
    );
    // Not over a hub that runs.
    let refused = cordon(&[
        "restore",
        file,
        "--replace",
        "--to",
        hub.to_str().expect("text"),
    ]);
    assert!(!refused.status.success());
    assert!(
        text(&refused.stderr).contains("another hub uses"),
        "{}",
        text(&refused.stderr)
    );
    assert!(program.terminate());
    let refused = cordon(&["restore", file, "--to", hub.to_str().expect("text")]);
    assert!(
        text(&refused.stderr).contains("is not empty"),
        "{}",
        text(&refused.stderr)
    );

    let bytes = std::fs::read(file).expect("the backup is read");
    std::fs::write(file, &bytes[..bytes.len() / 2]).expect("the backup is cut");
    let other = elsewhere.path().join("other");
    let refused = cordon(&["restore", file, "--to", other.to_str().expect("text")]);
    assert!(!refused.status.success() && !other.exists());
    assert!(
        text(&refused.stderr).contains("damaged"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn a_hub_is_set_up_and_looked_at_before_its_first_start() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let folder = scratch.path().join("hub");
    let config = folder.join("cordon.toml");
    let config = config.to_str().expect("text");
    let made = cordon(&["init", folder.to_str().expect("text")]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let told = text(&made.stdout);
    assert!(
        told.contains(&format!("cordon serve --config {config}")),
        "{told}"
    );
    let checked = cordon(&["check", "--config", config]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));

    let written = std::fs::read_to_string(config).expect("the file is read");
    let written = written.replace("127.0.0.1:8080", "127.0.0.1:0");
    std::fs::write(config, &written).expect("the file is written");
    let examined = cordon(&["doctor", "--config", config]);
    let told = text(&examined.stdout);
    assert!(examined.status.success(), "{told}");
    assert!(told.contains("a hub can work here"), "{told}");
    let mut program = serve(&folder);
    program.line("ready on http://127.0.0.1:");
    let examined = cordon(&["doctor", "--config", config]);
    assert!(examined.status.success(), "{}", text(&examined.stdout));
    assert!(program.terminate());

    let wrong =
        format!("{written}\n[[hardware]]\nname = \"A\"\nplugin = \"None\"\n[hubb]\nx = 1\n");
    std::fs::write(config, &wrong).expect("the file is written");
    let checked = cordon(&["check", "--config", config]);
    let told = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(2), "{told}");
    let line = wrong
        .lines()
        .position(|line| line == "[hubb]")
        .expect("a line")
        + 1;
    assert!(
        told.contains(&format!("line {line}: unknown field `hubb`")),
        "{told}"
    );
    assert!(told.contains("no plugin with key `None`"), "{told}");
    let checked = cordon(&["check", "--json", "--config", config]);
    let found: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!(found[1]["line"], line);
    let examined = cordon(&["doctor", "--config", config]);
    assert_eq!(examined.status.code(), Some(1));
    assert!(text(&examined.stdout).contains("cordon check --config"));
    let missing = cordon(&["check", "--config", "/nonexistent/cordon.toml"]);
    assert_eq!(missing.status.code(), Some(3));
}

#[test]
fn shells_take_the_completions_and_man_the_manual() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let made = cordon(&["completions", "bash"]);
    assert!(made.status.success());
    let path = scratch.path().join("cordon.bash");
    std::fs::write(&path, &made.stdout).expect("the file is written");
    let read = Command::new("bash").arg("-n").arg(&path).status();
    assert!(read.expect("bash runs").success());
    for shell in ["zsh", "fish"] {
        let made = cordon(&["completions", shell]);
        assert!(text(&made.stdout).contains("backup"), "{shell}");
    }
    let manual = text(&cordon(&["man"]).stdout);
    assert!(
        manual.contains(".TH cordon") && manual.contains("CORDON RESTORE"),
        "{manual}"
    );
}

const TALKER: &str = "
def onStart():
    Domoticz.Log('the talker has started')
def onStop():
    Domoticz.Log('the talker has stopped')
";

/// The verbs of an operator for one hub.
struct Verbs {
    config: String,
}

impl Verbs {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut all = arguments.to_vec();
        all.extend(["--config", &self.config]);
        cordon(&all)
    }

    /// The output of a verb that works.
    fn does(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            text(&done.stderr)
        );
        text(&done.stdout)
    }

    /// The error of a verb that does not.
    fn fails(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        let (said, told) = (text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(1), "{arguments:?}: {said}{told}");
        told
    }

    /// Waits until an instance is in this state.
    fn until(&self, name: &str, state: &str) -> serde_json::Value {
        let end = Instant::now() + 4 * crate::support::PATIENCE;
        loop {
            let reports = self.does(&["ps", "--json"]);
            let reports: serde_json::Value = serde_json::from_str(&reports).expect("JSON");
            let mut reports = reports.as_array().expect("a list").iter();
            let report = reports.find(|it| it["name"] == name);
            if let Some(report) = report.filter(|it| it["state"] == state) {
                return report.clone();
            }
            assert!(Instant::now() < end, "{name} is not {state}: {report:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn an_operator_sees_and_commands_a_hub_that_runs() {
    let site = Site::new(
        "[[hardware]]\nname = \"A/b\"\nplugin = \"Talker\"\n\
         [hardware.grants]\nnetwork = [\"192.0.2.1:80\"]\n\
         [[hardware]]\nname = \"Second\"\nplugin = \"Talker\"\n",
    );
    site.file("Talker/plugin.py", &plugin_text("Talker", TALKER));
    let config = site.path().join("cordon.toml");
    let verbs = Verbs {
        config: config.to_str().expect("text").to_owned(),
    };
    let told = verbs.fails(&["ps"]);
    assert!(
        told.contains("no hub runs at") && told.contains("cordon serve --config"),
        "{told}"
    );
    let mut program = serve(site.path());
    program.line("A/b: the talker has started");
    let first = verbs.until("A/b", "running");
    verbs.until("Second", "running");
    let table = verbs.does(&["ps"]);
    assert!(
        table.starts_with("NAME ") && table.contains("Second"),
        "{table}"
    );
    let status = verbs.does(&["status", "A/b"]);
    assert!(status.contains("state       running since "), "{status}");
    assert!(status.contains("from the configuration"), "{status}");
    let status = verbs.does(&["status"]);
    assert!(status.contains("instances   2 running"), "{status}");
    // The output is no terminal.
    assert!(verbs.does(&["top"]).starts_with("NAME "));
    let lines = verbs.does(&["logs", "-n", "50", "A/b"]);
    assert!(lines.contains("A/b: the talker has started"), "{lines}");
    assert!(!lines.contains("Second"), "{lines}");

    let mut follower = Command::new(crate::support::cordon());
    follower.args(["logs", "-f", "-n", "0", "--config", &verbs.config]);
    let mut follower = Program::start(&mut follower);
    // The follower may come too late for the first restart.
    let end = Instant::now() + crate::support::PATIENCE;
    loop {
        assert!(
            verbs
                .does(&["restart", "A/b"])
                .contains("`A/b` is restarted")
        );
        if follower.line_within("A/b: the talker has stopped", Duration::from_secs(2)) {
            break;
        }
        assert!(Instant::now() < end, "nothing is followed");
    }
    follower.line("A/b: the talker has started");
    let again = verbs.until("A/b", "running");
    assert_eq!(again["id"], first["id"]);

    verbs.does(&["stop", "Second"]);
    follower.line("Second: the talker has stopped");
    verbs.until("Second", "stopped");
    verbs.does(&["start", "Second"]);
    follower.line("Second: the talker has started");
    verbs.until("Second", "running");
    let told = verbs.fails(&["stop", "Secnod"]);
    assert!(told.contains("did you mean `Second`?"), "{told}");

    let grants = verbs.does(&["grant", "A/b"]);
    assert!(grants.contains("network = [\"192.0.2.1:80\"]"), "{grants}");
    let told = verbs.fails(&["grant", "A/b", "network", "192.0.2.2:80"]);
    assert!(told.contains("cordon.toml"), "{told}");

    let written = std::fs::read_to_string(&config).expect("the file is read");
    let third = "[[hardware]]\nname = \"Third\"\nplugin = \"Talker\"\n";
    std::fs::write(&config, format!("{written}{third}")).expect("the file is written");
    let changes = verbs.does(&["reload"]);
    assert!(changes.contains("Third: started"), "{changes}");
    assert!(changes.contains("2 instances stay as before"), "{changes}");
    follower.line("Third: the talker has started");
    std::fs::write(&config, format!("{written}nonsense\n")).expect("the file is written");
    let told = verbs.fails(&["reload"]);
    assert!(told.contains("line "), "{told}");
    verbs.until("Third", "running");

    // The socket is enough to find the hub.
    let socket = site.path().join("data/cordon.sock");
    let mut by_socket = Command::new(crate::support::cordon());
    let by_socket = by_socket.arg("ps").env("CORDON_SOCKET", &socket).output();
    assert!(text(&by_socket.expect("the program runs").stdout).contains("Third"));
    assert!(program.terminate());
    assert!(!socket.exists());
}
