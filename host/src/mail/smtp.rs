//! The exchange with a mail server (RFC 5321; RFC 3207 for TLS, RFC 4954 for passwords).

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Address, MailConfig, MailError, Security};
use crate::connection::TlsClient;

/// Longest line of a reply in bytes, and most lines of one.
const LINE: u64 = 4096;
const LINES: usize = 100;

/// How much of a reply is shown.
const SHOWN: usize = 200;

/// Hands a letter over; `text` is complete, and no line of it begins with a full stop.
pub(super) async fn deliver(
    config: &MailConfig,
    tls: Option<&TlsClient>,
    to: &[Address],
    text: &str,
) -> Result<(), MailError> {
    let stream = TcpStream::connect((config.server.as_str(), config.port)).await?;
    let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
    let Some(tls) = tls else {
        let mut talk = Talk::new(stream);
        talk.reply().await?.expect("the connection", 220)?;
        let offers = talk.hello(local).await?;
        return talk.hand_over(config, &offers, to, text).await;
    };
    let stream = match config.security {
        Security::Tls => stream,
        Security::StartTls | Security::None => {
            let mut talk = Talk::new(stream);
            talk.reply().await?.expect("the connection", 220)?;
            if !talk.hello(local).await?.has("STARTTLS") {
                return Err(MailError::Unfit(
                    "has no STARTTLS; say `security = \"tls\"` or \"none\" under [mail]",
                ));
            }
            talk.ask("STARTTLS", "STARTTLS", 220).await?;
            // What came before the protection must not count as said under it.
            if !talk.stream.buffer().is_empty() {
                return Err(MailError::Unfit("sent something before TLS began"));
            }
            talk.stream.into_inner()
        }
    };
    let mut talk = Talk::new(tls.handshake(&config.server, peer, stream).await?);
    if config.security == Security::Tls {
        talk.reply().await?.expect("the connection", 220)?;
    }
    let offers = talk.hello(local).await?;
    talk.hand_over(config, &offers, to, text).await
}

/// A reply of the server.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    fn expect(self, step: &'static str, code: u16) -> Result<Self, MailError> {
        if self.code == code {
            return Ok(self);
        }
        let text = self.lines.join(" ");
        let shown: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(SHOWN)
            .collect();
        Err(MailError::Refused {
            step,
            reply: format!("{} {shown}", self.code),
        })
    }

    /// Whether an extension is offered.
    fn has(&self, name: &str) -> bool {
        self.words(name).is_some()
    }

    /// The parameters of an extension that is offered.
    fn words(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        self.lines.iter().find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(name))
                .then_some(words)
        })
    }
}

struct Talk<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    async fn reply(&mut self) -> Result<Reply, MailError> {
        let mut lines = Vec::new();
        while lines.len() < LINES {
            let mut bytes = Vec::new();
            let mut line = (&mut self.stream).take(LINE);
            line.read_until(b'\n', &mut bytes).await?;
            let text = String::from_utf8_lossy(&bytes);
            let code = text.get(..3).and_then(|code| code.parse().ok());
            let (Some(code), true) = (code, text.ends_with('\n')) else {
                return Err(MailError::Unfit("does not speak SMTP, or hung up"));
            };
            lines.push(text.get(4..).unwrap_or_default().trim().to_owned());
            if text.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
        Err(MailError::Unfit("has no end of its reply"))
    }

    /// Sends a line and waits for the reply; `step` stands for it in errors, because the
    /// line may be a password.
    async fn ask(&mut self, step: &'static str, line: &str, code: u16) -> Result<Reply, MailError> {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        self.stream.flush().await?;
        self.reply().await?.expect(step, code)
    }

    async fn hello(&mut self, local: SocketAddr) -> Result<Reply, MailError> {
        let name = match local {
            SocketAddr::V4(address) => format!("[{}]", address.ip()),
            SocketAddr::V6(address) => format!("[IPv6:{}]", address.ip()),
        };
        self.ask("EHLO", &format!("EHLO {name}"), 250).await
    }

    async fn hand_over(
        &mut self,
        config: &MailConfig,
        offers: &Reply,
        to: &[Address],
        text: &str,
    ) -> Result<(), MailError> {
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            self.log_in(offers, user, password).await?;
        }
        let from = format!("MAIL FROM:<{}>", config.from.as_str());
        self.ask("MAIL FROM", &from, 250).await?;
        for address in to {
            let to = format!("RCPT TO:<{}>", address.as_str());
            self.ask("RCPT TO", &to, 250).await?;
        }
        self.ask("DATA", "DATA", 354).await?;
        self.stream.write_all(text.as_bytes()).await?;
        self.ask("the letter", ".", 250).await?;
        // It has the letter; whether it says goodbye does not matter.
        let _ = self.ask("QUIT", "QUIT", 221).await;
        Ok(())
    }

    async fn log_in(
        &mut self,
        offers: &Reply,
        user: &str,
        password: &str,
    ) -> Result<(), MailError> {
        let mut ways = offers.words("AUTH").into_iter().flatten();
        if ways.any(|way| way.eq_ignore_ascii_case("PLAIN")) {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            self.ask("AUTH", &format!("AUTH PLAIN {secret}"), 235)
                .await?;
            return Ok(());
        }
        let mut ways = offers.words("AUTH").into_iter().flatten();
        if !ways.any(|way| way.eq_ignore_ascii_case("LOGIN")) {
            return Err(MailError::Unfit(
                "takes no password by AUTH PLAIN or LOGIN on this connection",
            ));
        }
        self.ask("AUTH", "AUTH LOGIN", 334).await?;
        self.ask("AUTH", &STANDARD.encode(user), 334).await?;
        self.ask("AUTH", &STANDARD.encode(password), 235).await?;
        Ok(())
    }
}
