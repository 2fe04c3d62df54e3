//! A pseudo-terminal, whose other end a Python process holds.
//!
//! It answers questions on its input: which bytes were received, and how the port
//! is set.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PEER: &str = r#"
import fcntl, os, struct, sys, termios, tty
master, port = os.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
# Any speed is a number there; the classic call knows names of some only.
TCGETS2 = 0x802C542A
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
        speed = struct.unpack('=4I20s2I', fcntl.ioctl(master, TCGETS2, bytes(44)))[-1]
        answer = ' '.join([str(speed)] + [name for name, on in flags if on])
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
