//! A pseudo-terminal, whose other end a Python process holds.
//!
//! It answers what it is asked on its input: what was received, and how the port
//! is set.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PEER: &str = r#"
import os, sys, termios, tty
master, port = os.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
SPEEDS = {getattr(termios, n): n[1:] for n in dir(termios) if n[0] == 'B' and n[1:].isdigit()}
for line in sys.stdin:
    word, *rest = line.split()
    answer = 'ok'
    if word == 'write':
        os.write(master, bytes.fromhex(rest[0]))
    elif word == 'read':
        data = b''
        while len(data) < int(rest[0]):
            data += os.read(master, 4096)
        answer = data.hex()
    elif word == 'settings':
        iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(master)
        flags = [('stop2', cflag & termios.CSTOPB), ('odd', cflag & termios.PARODD),
            ('rtscts', cflag & termios.CRTSCTS), ('xon', iflag & termios.IXON),
            ('xoff', iflag & termios.IXOFF), ('canonical', lflag & termios.ICANON),
            ('echo', lflag & termios.ECHO)]
        answer = ' '.join([SPEEDS.get(ospeed, str(ospeed))] + [name for name, on in flags if on])
    elif word == 'hangup':
        os.close(port)
        os.close(master)
    print(answer, flush=True)
"#;

pub struct Terminal {
    peer: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Path of the port.
    pub path: String,
}

impl Terminal {
    pub fn new() -> Self {
        let mut peer = Command::new("python3")
            .args(["-c", PEER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let asks = peer.stdin.take().unwrap();
        let answers = BufReader::new(peer.stdout.take().unwrap());
        let mut terminal = Self {
            peer,
            asks,
            answers,
            path: String::new(),
        };
        terminal.path = terminal.answer();
        terminal
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer answers");
        line.trim().to_owned()
    }

    /// Asks one thing and waits for the answer.
    pub fn ask(&mut self, what: &str) -> String {
        writeln!(self.asks, "{what}").expect("the peer listens");
        self.answer()
    }

    pub fn write(&mut self, data: &[u8]) {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("write {hex}"));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.peer.kill();
        let _ = self.peer.wait();
    }
}
