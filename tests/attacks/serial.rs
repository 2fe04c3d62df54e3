//! Serial ports: their number.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::attack::{Attack, By, Trip};

/// A process that holds the other ends of some pseudo-terminals, and their paths.
struct Terminals(Child, Vec<String>);

impl Terminals {
    fn new(number: usize) -> Self {
        let script = format!(
            "import os, sys\npairs = [os.openpty() for _ in range({number})]\n\
             for pair in pairs: print(os.ttyname(pair[1]), flush=True)\nsys.stdin.read()"
        );
        let mut peer = Command::new("python3")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let lines = BufReader::new(peer.stdout.take().unwrap()).lines();
        let paths = lines.take(number).map(Result::unwrap).collect();
        Self(peer, paths)
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

trips! {
    ports_beyond_the_limit_are_refused: "serial-ports" => By(async |name: &'static str| {
        let terminals = Terminals::new(4);
        let source = format!("
import errno, serial
def attack():
    opened = []
    for path in {:?}:
        try: opened.append(serial.Serial(path))
        except serial.SerialException as error: Domoticz.Log('refused: %s.' % errno.errorcode[error.errno])
    Domoticz.Log('%d opened.' % len(opened))
    for port in opened: port.close()
    serial.Serial({:?}).close()
    Domoticz.Log('again.')
", terminals.1, terminals.1[0]);
        let config = format!("grants = {{ serial = {:?} }}", terminals.1);
        Attack::new(&source)
            .limits("serial-ports = 2")
            .config(config)
            .says(&["refused: EMFILE.", "2 opened.", "again."])
            .trip(name)
            .await;
    });
}
