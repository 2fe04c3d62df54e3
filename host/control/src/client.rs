//! The API over the hub's Unix socket, for programs of its operator.
//!
//! One connection carries one request, in HTTP/1.0: the end of the answer is the end of the
//! connection. Calls block the thread.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use cordon_base::log::one_line;

use crate::answer::Refusal;
use crate::entry::{LogEntry, LogLevel};
use crate::names::encoded;
use crate::operator::Action;
use crate::report::{Changes, HubReport, InstanceReport};

/// Bytes of an answer's head, and the fields in it.
const MAX_HEAD: usize = 16 << 10;
const MAX_FIELDS: usize = 32;

/// Bytes of a report: a thousand instances with all that they use and lack.
const MAX_ANSWER: u64 = 64 << 20;

/// Bytes of one line of the log, every character of which may be written as an escape.
const MAX_LINE: u64 = 256 << 10;

/// How long a report may take, and how long a plugin may take to stop: the longest `stop-seconds` and
/// something more. A log that is followed shows every ten seconds that it lives.
const REPORT: Duration = Duration::from_secs(30);
const ACT: Duration = Duration::from_secs(3700);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no hub runs at {}", .0.display())]
    NoHub(PathBuf),
    /// The socket belongs to somebody else.
    #[error("the hub at {} belongs to another account", .path.display())]
    Forbidden {
        /// The socket.
        path: PathBuf,
        /// The account that owns it or the folder that hides it, where that can be seen.
        owner: Option<u32>,
    },
    /// The connection broke, or took too long.
    #[error("the hub does not answer: {0}")]
    Io(#[from] io::Error),
    /// The hub refused.
    #[error("{0}")]
    Refused(String),
    /// Something else than a hub of this version answered.
    #[error("the answer is none of a hub's: {0}; are hub and program of one version?")]
    Strange(String),
}

/// Lines of the log that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// Only those of this instance.
    pub instance: Option<String>,
    /// The least level.
    pub level: LogLevel,
    /// How many of the past.
    pub lines: usize,
    /// Whether to wait for those that come.
    pub follow: bool,
}

/// A hub, by its socket.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// The hub that listens on this socket. Connects to nobody yet.
    #[must_use]
    pub fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The report on the hub.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn hub(&self) -> Result<HubReport, ClientError> {
        self.get("/cordon/v1/hub")
    }

    /// The reports on all instances.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn instances(&self) -> Result<Vec<InstanceReport>, ClientError> {
        self.get("/cordon/v1/instances")
    }

    /// The report on one instance.
    ///
    /// # Errors
    /// [`ClientError`], of which `Refused` names those that are nearly called so.
    pub fn instance(&self, name: &str) -> Result<InstanceReport, ClientError> {
        self.get(&format!("/cordon/v1/instances/{}", encoded(name)))
    }

    /// Starts, stops, restarts or reloads an instance.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn act(&self, name: &str, action: Action) -> Result<(), ClientError> {
        let word = match action {
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Restart => "restart",
            Action::Reload => "reload",
        };
        let path = format!("/cordon/v1/instances/{}/{word}", encoded(name));
        self.ask("POST", &path, None, ACT).map(drop)
    }

    /// The grants of an instance.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn grants(&self, name: &str) -> Result<Value, ClientError> {
        self.get(&format!("/cordon/v1/instances/{}/grants", encoded(name)))
    }

    /// Stores the grants of an instance that was added through an API.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_grants(&self, name: &str, grants: &Value) -> Result<(), ClientError> {
        let path = format!("/cordon/v1/instances/{}/grants", encoded(name));
        self.ask("PUT", &path, Some(&grants.to_string()), ACT)
            .map(drop)
    }

    /// Has the hub read its configuration again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn reload(&self) -> Result<Changes, ClientError> {
        read(self.ask("POST", "/cordon/v1/reload", None, ACT)?)
    }

    /// Lines of the log.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn log(&self, query: &LogQuery) -> Result<Lines, ClientError> {
        let LogQuery { lines, follow, .. } = query;
        let level = query.level.word();
        let mut path = format!("/cordon/v1/log?level={level}&lines={lines}&follow={follow}");
        if let Some(name) = &query.instance {
            path.push_str("&instance=");
            path.push_str(&encoded(name));
        }
        Ok(Lines(self.ask("GET", &path, None, REPORT)?.body))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(self.ask("GET", path, None, REPORT)?)
    }

    /// The answer to a request that the hub did not refuse.
    fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        patience: Duration,
    ) -> Result<Answer, ClientError> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(REPORT))?;
        let body = body.unwrap_or_default();
        let length = body.len();
        // In one piece: a hub that refuses closes the socket as soon as it knows.
        let asked = format!("{method} {path} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(asked.as_bytes())?;
        let answer = Answer::receive(stream)?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(answer.refusal()),
        }
    }

    fn connect(&self) -> Result<UnixStream, ClientError> {
        UnixStream::connect(&self.socket).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NoHub(self.socket.clone())
            }
            io::ErrorKind::PermissionDenied => ClientError::Forbidden {
                path: self.socket.clone(),
                owner: owner(&self.socket),
            },
            _ => ClientError::Io(error),
        })
    }
}

/// Who owns a file, or the innermost folder above it that can be looked at.
fn owner(path: &Path) -> Option<u32> {
    let mut found = path.ancestors().filter(|it| !it.as_os_str().is_empty());
    found.find_map(|it| Some(std::fs::symlink_metadata(it).ok()?.uid()))
}

/// An answer whose head was read.
struct Answer {
    status: u16,
    /// Bytes of the body, where the head says it.
    length: Option<u64>,
    body: Stream,
}

/// The bytes that came with the head, and those that come.
type Stream = BufReader<Chain<Cursor<Vec<u8>>, UnixStream>>;

impl Answer {
    fn receive(mut stream: UnixStream) -> Result<Self, ClientError> {
        let mut head = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let count = stream.read(&mut piece)?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            head.extend_from_slice(piece.get(..count).unwrap_or_default());
            let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
            let mut parsed = httparse::Response::new(&mut fields);
            let strange = |error: httparse::Error| ClientError::Strange(error.to_string());
            let end = match parsed.parse(&head).map_err(strange)? {
                httparse::Status::Complete(end) => end,
                httparse::Status::Partial if head.len() < MAX_HEAD => continue,
                httparse::Status::Partial => {
                    return Err(ClientError::Strange("its head has no end".to_owned()));
                }
            };
            let status = parsed.code.unwrap_or_default();
            let length = length(parsed.headers);
            let rest = head.split_off(end.min(head.len()));
            return Ok(Self {
                status,
                length,
                body: BufReader::new(Cursor::new(rest).chain(stream)),
            });
        }
    }

    fn whole(self) -> Result<Vec<u8>, ClientError> {
        let mut text = Vec::new();
        let most = MAX_ANSWER.saturating_add(1);
        self.body.take(most).read_to_end(&mut text)?;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if length > MAX_ANSWER {
            return Err(ClientError::Strange("it is too long".to_owned()));
        }
        match self.length {
            Some(told) if told != length => {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
            }
            _ => Ok(text),
        }
    }

    fn refusal(self) -> ClientError {
        let status = self.status;
        let text = match self.whole() {
            Ok(text) => text,
            Err(error) => return error,
        };
        match serde_json::from_slice::<Refusal>(&text) {
            Ok(Refusal { error, hint: None }) => ClientError::Refused(one_line(&error).into()),
            Ok(Refusal {
                error,
                hint: Some(hint),
            }) => ClientError::Refused(one_line(&format!("{error}; {hint}")).into()),
            Err(_) => ClientError::Strange(format!("status {status}")),
        }
    }
}

fn length(fields: &[httparse::Header<'_>]) -> Option<u64> {
    let mut fields = fields.iter();
    let field = fields.find(|it| it.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(field.value).ok()?.trim().parse().ok()
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, ClientError> {
    let strange = |error: serde_json::Error| ClientError::Strange(error.to_string());
    serde_json::from_slice(&answer.whole()?).map_err(strange)
}

/// Lines of the log, as they come.
pub struct Lines(Stream);

impl Iterator for Lines {
    type Item = Result<LogEntry, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            let read = self.0.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
            match read {
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let entry = serde_json::from_slice(&line);
                    let strange =
                        |error: serde_json::Error| ClientError::Strange(error.to_string());
                    return Some(entry.map_err(strange));
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// A socket that gives this answer to whatever is asked, and what it was asked.
    fn hub(answer: &'static str) -> (tempfile::TempDir, Client, std::thread::JoinHandle<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; 4096];
            let count = stream.read(&mut asked).unwrap();
            asked.truncate(count);
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (folder, Client::at(path), serving)
    }

    #[test]
    fn a_name_of_any_characters_is_asked_for() {
        let (_folder, client, asked) = hub("HTTP/1.0 204 No Content\r\n\r\n");
        client.act("A/b c\r\nX: y", Action::Restart).unwrap();
        let asked = asked.join().unwrap();
        let line = "POST /cordon/v1/instances/A%2Fb%20c%0D%0AX%3A%20y/restart HTTP/1.0\r\n";
        assert!(asked.starts_with(line), "{asked}");
    }

    #[test]
    fn a_refusal_is_told_with_its_remedy_and_nothing_invisible() {
        let answer = "HTTP/1.0 404 Not Found\r\n\r\n{\"error\":\"no\\u001b[2J\",\"hint\":\"look\"}";
        let (_folder, client, _asked) = hub(answer);
        let refused = client.instance("x").unwrap_err();
        assert_eq!(refused.to_string(), "no\\x1b[2J; look");
    }

    #[test]
    fn an_answer_that_is_cut_short_or_strange_is_an_error() {
        for (answer, expected) in [
            (
                "HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\n[]",
                "does not answer",
            ),
            ("HTTP/1.0 200 OK\r\n", "does not answer"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "none of a hub's"),
            ("HTTP/1.0 200 OK\r\n\r\n{}", "of one version?"),
            ("HTTP/1.0 500 X\r\n\r\n", "status 500"),
        ] {
            let (_folder, client, _asked) = hub(answer);
            let error = client.instances().unwrap_err().to_string();
            assert!(error.contains(expected), "{answer}: {error}");
        }
    }

    #[test]
    fn lines_of_the_log_come_one_by_one() {
        let answer = "HTTP/1.0 200 OK\r\n\r\n{\"missed\":2}\n\n\
                      {\"time\":1,\"level\":\"error\",\"instance\":null,\"text\":\"x\"}\n";
        let (_folder, client, asked) = hub(answer);
        let query = LogQuery {
            instance: Some("A B".to_owned()),
            level: LogLevel::Warning,
            lines: 5,
            follow: true,
        };
        let lines: Vec<_> = client.log(&query).unwrap().map(Result::unwrap).collect();
        assert_eq!(lines.first(), Some(&LogEntry::Missed { missed: 2 }));
        assert!(matches!(&lines.get(1), Some(LogEntry::Line(line)) if line.text == "x"));
        let asked = asked.join().unwrap();
        let line = "GET /cordon/v1/log?level=warning&lines=5&follow=true&instance=A%20B HTTP";
        assert!(asked.starts_with(line), "{asked}");
    }

    #[test]
    fn a_hub_that_does_not_run_is_told_from_one_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let error = Client::at(path.clone()).hub().unwrap_err();
        assert!(matches!(error, ClientError::NoHub(_)), "{error}");
        drop(UnixListener::bind(&path).unwrap());
        let error = Client::at(path.clone()).hub().unwrap_err();
        assert!(matches!(error, ClientError::NoHub(_)), "{error}");
        assert_eq!(owner(&path), Some(rustix::process::geteuid().as_raw()));
        let below = path.join("x/y");
        assert_eq!(owner(&below), owner(&path));
    }
}
