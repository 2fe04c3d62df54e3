//! The hub's own memory.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::{LIMITS, count};

/// Calls of every kind, without those that store: the store keeps a history of what is
/// stored, up to its bounds.
const PLUGIN: &str = r#"
import socket, time
def round(count):
    a, b = socket.socketpair()
    device = Devices[1]
    for n in range(count):
        device.Refresh()
        device.Touch()
        Domoticz.Configuration()
        a.send(b"some bytes")
        b.recv(100)
        time.sleep(0)
    a.close()
    b.close()
def onStart():
    Domoticz.Device(Name="d", Unit=1, TypeName="Text").Create()
    Domoticz.Heartbeat(1)
turn = 0
def onHeartbeat():
    global turn
    turn += 1
    round(int(Parameters["Mode1"]))
    Domoticz.Log("slope: round %d." % turn)
"#;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Bytes of its memory that are no file's.
    fn anonymous(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("it runs");
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.expect("a figure") * 1024
    }
}

#[test]
fn the_hub_keeps_nothing_of_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugins/Slope");
    std::fs::create_dir_all(&plugin).unwrap();
    let text = format!("{}import Domoticz\n{PLUGIN}", crate::HEAD);
    std::fs::write(plugin.join("plugin.py"), text).unwrap();
    let each = count() * 4;
    let config = format!(
        "[hub]\nlisten = \"127.0.0.1:0\"\nplugins = \"plugins\"\ndata = \"data\"\n[[hardware]]\n\
         name = \"S\"\nplugin = \"Slope\"\nparameters = {{ Mode1 = \"{each}\" }}\nlimits = {{ {LIMITS} }}\n"
    );
    std::fs::write(folder.path().join("cordon.toml"), config).unwrap();
    let mut child = Command::new(crate::support::cordon())
        .args(["serve", "--config", "cordon.toml"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let program = Program(child);
    let mut seen = Vec::new();
    let mut turns = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.unwrap();
        if line.contains("slope: round ") {
            turns.push(program.anonymous());
        }
        seen.push(line);
        if turns.len() == 6 {
            break;
        }
    }
    println!("{turns:?}");
    let [_, first, .., last] = turns[..] else {
        panic!("{}", seen.join("\n"));
    };
    // Six calls in each turn of a round; pages are touched late here and there.
    let calls = u64::from(each) * 6 * 4;
    assert!(
        last.saturating_sub(first) < calls * 16 + (1 << 20),
        "{turns:?}"
    );
}
