//! The exchange with a mail server.

use std::error::Error;
use std::net::SocketAddr;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;

use super::wire::Wire;
use super::{MailConfig, MailError, Security};
use crate::tls_client::TlsClient;
use cordon_base::grants::mailbox::Address;

/// How much of what went wrong is shown, in characters.
const SHOWN: usize = 200;

const NO_START: &str = "has no STARTTLS; say `security = \"tls\"` or \"none\" under [mail]";
const NO_LOGIN: &str = "takes no password by AUTH PLAIN or LOGIN on this connection";

/// How TLS begins, with what it needs.
#[derive(Clone)]
pub(super) enum Tls {
    /// Never.
    None,
    /// After STARTTLS.
    Later(TlsParameters),
    /// At once.
    First(TlsClient),
}

impl Tls {
    /// As the configuration says; reads the roots of the system.
    ///
    /// # Errors
    ///
    /// [`MailError::Tls`].
    pub(super) fn new(config: &MailConfig) -> Result<Self, MailError> {
        match config.security {
            Security::None => Ok(Self::None),
            Security::StartTls => TlsParameters::builder(config.server.clone())
                .dangerous_accept_invalid_certs(!config.verify)
                .dangerous_accept_invalid_hostnames(!config.verify)
                .build()
                .map(Self::Later)
                .map_err(|error| MailError::Tls(shown(&error.to_string()))),
            Security::Tls => TlsClient::new(config.verify)
                .map(Self::First)
                .map_err(|error| MailError::Tls(error.to_string())),
        }
    }
}

/// Connects, logs in, and hands over what [`super::message`] wrote.
///
/// # Errors
///
/// [`MailError`]; then nobody got it.
pub(super) async fn deliver(
    config: &MailConfig,
    tls: &Tls,
    to: &[Address],
    message: &[u8],
) -> Result<AsyncSmtpConnection, MailError> {
    let mut talk = connect(config, tls).await?;
    if let (Some(user), Some(password)) = (&config.user, &config.password) {
        log_in(&mut talk, user, password).await?;
    }
    // Step by step: the library's way to do it in one tells not which step failed, and waits
    // for a goodbye of a server that refuses.
    let from = Mail::new(Some(config.from.as_lettre().clone()), Vec::new());
    talk.command(from).await.map_err(at("MAIL FROM"))?;
    for address in to {
        let receiver = Rcpt::new(address.as_lettre().clone(), Vec::new());
        talk.command(receiver).await.map_err(at("RCPT TO"))?;
    }
    talk.command(Data).await.map_err(at("DATA"))?;
    talk.message(message).await.map_err(at("the letter"))?;
    Ok(talk)
}

async fn connect(config: &MailConfig, tls: &Tls) -> Result<AsyncSmtpConnection, MailError> {
    let stream = TcpStream::connect((config.server.as_str(), config.port)).await?;
    let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
    let name = match local {
        SocketAddr::V4(address) => ClientId::Ipv4(*address.ip()),
        SocketAddr::V6(address) => ClientId::Ipv6(*address.ip()),
    };
    if let Tls::First(tls) = tls {
        let stream = tls.handshake(&config.server, peer, stream).await?;
        let wire = Box::new(Wire::new(stream, peer));
        let talk = AsyncSmtpConnection::connect_with_transport(wire, &name).await;
        return talk.map_err(at("the connection"));
    }
    let wire = Box::new(Wire::new(stream, peer));
    let talk = AsyncSmtpConnection::connect_with_transport(wire, &name).await;
    let mut talk = talk.map_err(at("the connection"))?;
    if let Tls::Later(parameters) = tls {
        if !talk.can_starttls() {
            return Err(MailError::Unfit(NO_START));
        }
        let started = talk.starttls(parameters.clone(), &name).await;
        started.map_err(at("STARTTLS"))?;
    }
    Ok(talk)
}

async fn log_in(
    talk: &mut AsyncSmtpConnection,
    user: &str,
    password: &str,
) -> Result<(), MailError> {
    let credentials = Credentials::new(user.to_owned(), password.to_owned());
    let answer = talk.auth(DEFAULT_MECHANISMS, &credentials).await;
    answer.map_err(|error| match error.is_client() {
        // It offers no such way, or asks what the way does not know.
        true => MailError::Unfit(NO_LOGIN),
        false => at("AUTH")(error),
    })?;
    Ok(())
}

fn at(step: &'static str) -> impl FnOnce(lettre::transport::smtp::Error) -> MailError {
    move |error| {
        if error.is_response() {
            return MailError::Unfit("does not speak SMTP, or hung up");
        }
        // The library says the same at each level around what happened.
        let mut cause: &dyn Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        match error.status() {
            Some(code) => MailError::Refused {
                step,
                reply: shown(&format!("{code} {cause}")),
            },
            None => MailError::Connection(shown(&cause.to_string())),
        }
    }
}

fn shown(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(SHOWN).collect()
}
