//! What merely lies in the plugins folder or in a bundle: the hub is there first, says
//! what it does not take, and pays next to nothing for it.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::bundle::bundle;
use crate::tools::Program;

/// A configuration of `cordon serve` in a folder of its own.
pub struct Site {
    folder: tempfile::TempDir,
    sections: std::cell::RefCell<String>,
}

impl Site {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            sections: std::cell::RefCell::default(),
        }
    }

    fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// A folder that merely lies there.
    pub fn folder(&self, name: &str, source: &str) -> PathBuf {
        let folder = self.plugins().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("plugin.py"), source).unwrap();
        folder
    }

    /// A plugin that runs.
    pub fn domoticz(&self, name: &str, source: &str) {
        let head = format!("\"\"\"\n<plugin key=\"{name}\" name=\"{name}\">\n</plugin>\n\"\"\"\n");
        self.folder(name, &format!("{head}import Domoticz\n{source}"));
        let section = format!("[[hardware]]\nname = \"{name}\"\nplugin = \"{name}\"\n");
        self.sections.borrow_mut().push_str(&section);
    }

    /// A bundle that is to run.
    fn indigo(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let section = format!("[[indigo]]\nbundle = \"{name}.indigoPlugin\"\n");
        self.sections.borrow_mut().push_str(&section);
        let id = format!("org.example.{}", name.to_lowercase());
        bundle(&self.plugins(), name, &id, files)
    }

    pub fn serve(&self) -> Program {
        let hub = "[hub]\nlisten = \"127.0.0.1:0\"\ninstances = 20\n";
        let config = format!("{hub}{}", self.sections.borrow());
        let path = self.folder.path().join("cordon.toml");
        fs::write(&path, config).unwrap();
        let mut command = Command::new(crate::support::cordon());
        Program::start(command.arg("serve").arg("--config").arg(path))
    }
}

const GOOD: &str = "
def onStart():
    Domoticz.Log('up')
";

const GOOD_INDIGO: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log('up')
";

fn good() -> Site {
    let site = Site::new();
    site.domoticz("Good", GOOD);
    site.indigo("Fine", &[("plugin.py", GOOD_INDIGO)]);
    site
}

/// Starts it; returns the address once the good plugins are up.
fn up(program: &mut Program) -> String {
    let ready = program.line("ready on http://");
    let address = ready.rsplit("http://").next().unwrap();
    let address = address.trim_end_matches('/').to_owned();
    get(&address, "getversion");
    for good in ["Good: up", "Fine: up"] {
        if !program.said.iter().any(|line| line.contains(good)) {
            program.line(good);
        }
    }
    address
}

fn get(address: &str, command: &str) -> Value {
    let url = format!("http://{address}/json.htm?type=command&param={command}");
    let mut answer = ureq::get(url).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// The most memory of a process so far that is its own, in bytes.
fn peak(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        << 10
}

/// Computing time of a process so far.
fn computing_time(program: &Program) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn sparse(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn definition(inner: &str) -> String {
    format!("<plugin key=\"Evil\" name=\"Evil\">\n{inner}\n</plugin>\n")
}

/// Folders that nobody has configured, with what the hub says of each.
fn hostile_folders(site: &Site) -> Vec<(&'static str, &'static str)> {
    let roots = "<plugin key='k'/>\n".repeat(9000);
    let author = "A".repeat(3_800_000);
    site.folder(
        "roots",
        &format!("{roots}<plugin key='last' author='{author}'/>\n"),
    );
    let attributes: String = (0..100_000).map(|n| format!("a{n}=1 ")).collect();
    site.folder("attributes", &format!("<plugin {attributes}>\n</plugin>\n"));
    site.folder("deep", &definition(&"<a>".repeat(100_000)));
    site.folder("wide", &definition(&"<a/>".repeat(100_000)));
    let described = format!("<description>{}</description>", "x".repeat(100_000));
    site.folder("described", &definition(&described));
    // Browsers take these for tags without an end, and open them again in each paragraph.
    let open: String = (0..2000).map(|n| format!("<b id=\"{n}\"/>")).collect();
    let blown = format!(
        "<description>{open}{}</description>",
        "<p>x</p>".repeat(2000)
    );
    site.folder("blown", &definition(&blown));
    sparse(&site.folder("sparse", "").join("plugin.py"), 3 << 30);
    for name in ["pipe", "device"] {
        fs::remove_file(site.folder(name, "").join("plugin.py")).unwrap();
    }
    pipe(&site.plugins().join("pipe/plugin.py"));
    let device = site.plugins().join("device/plugin.py");
    std::os::unix::fs::symlink("/dev/zero", device).unwrap();
    vec![
        ("roots", "more than"),
        ("attributes", "more than"),
        ("deep", "levels"),
        ("wide", "elements"),
        ("described", "`<description>` has more than"),
        ("sparse", "3221225472 bytes"),
        ("pipe", "no regular file"),
        ("device", "no regular file"),
    ]
}

/// Bundles that stand in the configuration, with what the hub says of each.
fn hostile_bundles(site: &Site) -> Vec<(&'static str, &'static str)> {
    let mut files = vec![
        ("plugin.py".to_owned(), GOOD_INDIGO.to_owned()),
        (
            "PluginConfig.xml".to_owned(),
            "<PluginConfig><Template file='T1.xml'/></PluginConfig>".to_owned(),
        ),
        ("T8.xml".to_owned(), "<T/>".to_owned()),
    ];
    for level in 1..8 {
        let next = format!("<Template file='T{}.xml'/>", level + 1).repeat(30);
        files.push((format!("T{level}.xml"), format!("<T>{next}</T>")));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    site.indigo("Templates", &files);
    let root = site.indigo("Sparse", &[]);
    sparse(&root.join("Contents/Server Plugin/plugin.py"), 3 << 30);
    let root = site.indigo("Pipe", &[("plugin.py", GOOD_INDIGO)]);
    pipe(&root.join("Contents/Server Plugin/Devices.xml"));
    let root = site.indigo("Large", &[("plugin.py", GOOD_INDIGO)]);
    sparse(&root.join("Contents/Server Plugin/Actions.xml"), 1 << 40);
    let root = site.indigo("List", &[("plugin.py", GOOD_INDIGO)]);
    let list = root.join("Contents/Info.plist");
    fs::write(
        &list,
        format!("<plist version=\"1.0\">{}", "<array>".repeat(100_000)),
    )
    .unwrap();
    vec![
        ("Templates.indigoPlugin", "named more than 1000 times"),
        ("Sparse.indigoPlugin", "3221225472 bytes"),
        ("Pipe.indigoPlugin", "no regular file"),
        ("Large.indigoPlugin", "1099511627776 bytes"),
        ("List.indigoPlugin", "deep"),
    ]
}

#[test]
fn what_merely_lies_there_delays_and_costs_nothing() {
    // What a hub takes that has only the good ones.
    let plain = good();
    let mut program = plain.serve();
    let address = up(&mut program);
    get(&address, "gethardwaretypes");
    let (usual, time) = (peak(&program), computing_time(&program));
    assert!(program.terminate());

    let site = good();
    let mut expected = hostile_folders(&site);
    expected.extend(hostile_bundles(&site));
    let mut program = site.serve();
    let address = up(&mut program);
    let types = get(&address, "gethardwaretypes");
    let described = |plugin: &Value| plugin["description"].as_str().unwrap().to_owned();
    let described: Vec<_> = types["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(described)
        .collect();
    assert!(
        described[0].is_empty() && described[1].contains("more tags"),
        "{described:?}"
    );
    assert_eq!(described.len(), 2, "{described:?}");
    for _ in 0..20 {
        get(&address, "gethardwaretypes");
    }
    let more = peak(&program).saturating_sub(usual);
    let longer = computing_time(&program).saturating_sub(time);
    println!(
        "{} MiB more than {} MiB; {longer:?} longer than {time:?}",
        more >> 20,
        usual >> 20
    );
    assert!(more < 100 << 20, "{} MiB more", more >> 20);
    assert!(longer < Duration::from_secs(10), "{longer:?} longer");
    let problems = get(&address, "gethardwaretypes")["problems"].clone();
    let problems = problems.as_array().unwrap();
    assert!(program.terminate());
    for (name, reason) in expected {
        let shown = problems.iter().any(|it| {
            let named = it["name"].as_str().unwrap().ends_with(name);
            named && it["reason"].as_str().unwrap().contains(reason)
        });
        assert!(shown, "{name}: {reason} in {problems:?}");
        let lines = program.said.iter().filter(|line| line.contains(name));
        let told = lines.filter(|line| line.contains(reason)).count();
        assert_eq!(told, 1, "{name}: {reason} in {:#?}", program.said);
    }
}

/// Files of others, which are large and have nothing in them, before that of a plugin which
/// runs: at this speed all of them would take minutes.
#[test]
fn folders_of_nobody_delay_no_hardware() {
    let site = Site::new();
    site.domoticz("Good", GOOD);
    for n in 0..3000 {
        let folder = site.folder(&format!("A{n:04}"), "");
        sparse(&folder.join("plugin.py"), 16 << 20);
    }
    let begun = std::time::Instant::now();
    let mut program = site.serve();
    program.line("Good: up");
    let waited = begun.elapsed();
    println!("a plugin was up after {waited:?}");
    assert!(waited < Duration::from_secs(20), "up after {waited:?}");
    assert!(program.terminate());
}

/// Clients that ask for all definitions, which are as large as they may be, and read none.
#[test]
fn definitions_that_are_asked_for_and_not_read_take_no_memory() {
    let site = Site::new();
    site.domoticz("Good", GOOD);
    let label = "&lt;".repeat(60);
    let options: String = (0..900)
        .map(|n| format!("<option label=\"{label}\" value=\"{n}\"/>"))
        .collect();
    let params =
        format!("<params><param field='Mode1'><options>{options}</options></param></params>");
    for n in 0..100 {
        let source = format!("<plugin key='K{n}' name='x'>\n{params}\n</plugin>\n");
        site.folder(&format!("a{n:03}"), &source);
    }
    let mut program = site.serve();
    let ready = program.line("ready on http://");
    let address = ready.rsplit("http://").next().unwrap();
    let address = address.trim_end_matches('/').to_owned();
    program.line("Good: up");
    let all = get(&address, "gethardwaretypes");
    assert_eq!(all["result"].as_array().unwrap().len(), 101);
    let before = peak(&program);
    let ask = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!("Host: {address}\r\n\r\n");
        let path = "/json.htm?type=command&param=gethardwaretypes";
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\n{head}").as_bytes())
            .unwrap();
        stream
    };
    let held: Vec<_> = (0..40).map(|_| ask()).collect();
    std::thread::sleep(Duration::from_secs(8));
    let more = peak(&program).saturating_sub(before);
    println!("{} MiB more than {} MiB", more >> 20, before >> 20);
    assert!(more < 64 << 20, "{} MiB more", more >> 20);
    drop(held);
    assert!(program.terminate());
}
