//! Programs of this machine that tests talk to, and their start.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::support::PATIENCE;

/// A program that is ended with its test, and the lines that it writes.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    /// Its output, as far as it was looked at.
    pub said: Vec<String>,
}

impl Program {
    /// Starts it; fails with the name of the package to install.
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started, install it: {error}"));
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains `text` and was not looked at before.
    pub fn line(&mut self, text: &str) -> String {
        let end = Instant::now() + 4 * PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(problem) => panic!("no {text:?} ({problem}) in:\n{}", self.said.join("\n")),
            }
        }
    }

    /// Whether a line that contains `text` and was not looked at before comes within this time.
    pub fn line_within(&mut self, text: &str, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                return false;
            };
            self.said.push(line);
            if self.said.last().is_some_and(|line| line.contains(text)) {
                return true;
            }
        }
    }

    /// Reads on for this long, then ends it at once, as a power cut would; what it
    /// had written by then is read too.
    pub fn kill_after(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended by itself:\n{}", self.said.join("\n"))
                }
            }
        }
        self.child.kill().expect("SIGKILL");
        self.said.extend(self.lines.iter());
        self.child.wait().expect("it ended");
    }

    /// Asks it to end with SIGTERM; returns whether it did so with success.
    pub fn terminate(&mut self) -> bool {
        self.signal();
        self.said.extend(self.lines.iter());
        self.child.wait().expect("it ended").success()
    }

    /// Tells it to stop and does not wait.
    pub fn signal(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("SIGTERM");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until somebody listens on the port.
pub async fn reachable(port: u16) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let knock = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, knock).await;
    assert!(waited.is_ok(), "nobody listens on port {port}");
}

/// Makes `key.pem` and `cert.pem`, self-signed for 127.0.0.1, in this folder.
pub fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=device",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    let made = made.expect("openssl cannot be started, install it");
    assert!(made.success(), "openssl made no certificate");
}
