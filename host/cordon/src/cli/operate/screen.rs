//! A terminal whose whole screen is drawn again and again, and keys that are not shown.

use std::io::{IsTerminal, Stdin, Stdout, Write, stdin, stdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::Unanswered;

/// Another screen, without a cursor and without lines that go on in the next one; and back.
const OPEN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const CLOSE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The size of a terminal that does not tell it.
const ROWS: usize = 24;

/// The letter that ends, and Ctrl-C.
const QUIT: [u8; 3] = [b'q', b'Q', 3];

/// The screen, until this is dropped.
pub(super) struct Screen {
    input: Stdin,
    output: Stdout,
    /// The terminal's modes before.
    before: Termios,
}

impl Screen {
    /// Takes the whole screen; `None` when input and output are no terminal.
    pub(super) fn open() -> Option<Self> {
        let (input, output) = (stdin(), stdout());
        if !input.is_terminal() || !output.is_terminal() {
            return None;
        }
        let before = tcgetattr(&input).ok()?;
        let mut raw = before.clone();
        // Ctrl-C comes as a key too, so that the terminal is always put in order again.
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(&input, OptionalActions::Now, &raw).ok()?;
        let screen = Self {
            input,
            output,
            before,
        };
        screen.write(OPEN).ok()?;
        Some(screen)
    }

    /// Shows as much of a text as the screen has lines for.
    ///
    /// # Errors
    /// [`Unanswered`] when the terminal is gone.
    pub(super) fn draw(&self, text: &str) -> Result<(), Unanswered> {
        let size = tcgetwinsize(&self.output).ok();
        let rows = size.map(|size| usize::from(size.ws_row));
        let rows = rows.filter(|rows| *rows > 0).unwrap_or(ROWS);
        let drawn = self.write(&frame(text, rows));
        drawn.map_err(|error| Unanswered(format!("cannot print: {error}")))
    }

    /// Waits for the key that ends; `false` when it did not come in this time.
    pub(super) fn is_quit_within(&self, time: Duration) -> bool {
        let end = std::time::Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let Ok(left) = Timespec::try_from(left) else {
                return true;
            };
            let mut waiting = [PollFd::new(&self.input, PollFlags::IN)];
            match poll(&mut waiting, Some(&left)) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return true,
            }
            let mut keys = [0; 16];
            match rustix::io::read(&self.input, &mut keys) {
                Ok(0) => return true,
                Ok(count) => {
                    let mut keys = keys.iter().take(count);
                    if keys.any(|key| QUIT.contains(key)) {
                        return true;
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return true,
            }
        }
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut output = self.output.lock();
        output.write_all(text.as_bytes())?;
        output.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no order.
        let _ = self.write(CLOSE);
        let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
    }
}

/// A text over the whole screen: every line takes the rest of its row, and what is below goes.
fn frame(text: &str, rows: usize) -> String {
    let mut frame = String::from("\x1b[H");
    let lines: Vec<_> = text.lines().take(rows).collect();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            frame.push_str("\r\n");
        }
        frame.push_str(line);
        frame.push_str("\x1b[K");
    }
    frame.push_str("\x1b[J");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_as_many_lines_as_the_screen() {
        let drawn = frame("one\ntwo\nthree\n", 2);
        assert_eq!(drawn, "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J");
    }
}
