//! Native Python processes: what an instance is compared with.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Outcome;
use crate::machine;

/// The interpreter behind `python3`, without the shell scripts that some systems
/// put before it.
pub fn python() -> Outcome<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()?;
    let path = String::from_utf8(output.stdout)?;
    match path.trim() {
        "" => Err("python3 does not run".into()),
        path => Ok(path.into()),
    }
}

/// A process that answers a line for every line it is sent.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it with a bare environment, as a hub would.
    pub fn start(program: &Path, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for name in ["PATH", "HOME", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// The next line that it writes.
    pub fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the process ended".into());
        }
        Ok(line.trim().to_owned())
    }

    /// Sends a line and waits for the answer.
    pub fn ask(&mut self, line: &str) -> Outcome<String> {
        let input = self.input.as_mut().ok_or("the process was ended")?;
        writeln!(input, "{line}")?;
        input.flush()?;
        self.line()
    }

    /// Bytes in memory that it has written to and shares with nobody.
    pub fn private_bytes(&self) -> f64 {
        machine::private_bytes(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input is its end; it needs no signal.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The standard modules that are in every instance's snapshot.
pub fn preloaded() -> Outcome<Vec<String>> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-runtime/python/_cordon_boot.py");
    let text = std::fs::read_to_string(file)?;
    let list = text
        .split("PRELOADED = (")
        .nth(1)
        .and_then(|rest| rest.split(')').next());
    let list = list.ok_or("no PRELOADED in _cordon_boot.py")?;
    Ok(list
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect())
}
