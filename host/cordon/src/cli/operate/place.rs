//! Finds the hub that a verb is for.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Unanswered;
use crate::config;
use cordon_base::regular_file::RegularFile;
use cordon_control::client::{Client, ClientError};

/// The variable that names the socket.
const VARIABLE: &str = "CORDON_SOCKET";

/// The configuration of a hub in this folder.
const HERE: &str = "cordon.toml";

/// Largest list of accounts that is read.
const MAX_ACCOUNTS: usize = 1 << 20;

/// The hub that a verb is for.
#[derive(Debug, Clone, Args)]
pub struct HubPlace {
    /// The configuration file of the hub; without it the variable CORDON_SOCKET counts, and then
    /// cordon.toml in this folder.
    #[arg(long, value_name = "FILE", conflicts_with = "socket")]
    config: Option<PathBuf>,
    /// The hub's Unix socket, instead of a configuration.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// The client of a hub, and the way to say why it does not answer.
pub(super) struct Hub {
    pub client: Client,
    /// The configuration by which it was found.
    config: Option<PathBuf>,
}

impl HubPlace {
    /// The hub. Nothing is connected yet.
    ///
    /// # Errors
    /// [`Unanswered`] when nothing tells where its socket is.
    pub(super) fn hub(&self) -> Result<Hub, Unanswered> {
        let named = std::env::var_os(VARIABLE).filter(|it| !it.is_empty());
        self.find(named.map(PathBuf::from))
    }

    fn find(&self, named: Option<PathBuf>) -> Result<Hub, Unanswered> {
        let named = named.filter(|_| self.config.is_none());
        if let Some(socket) = self.socket.clone().or(named) {
            return Ok(Hub {
                client: Client::at(socket),
                config: None,
            });
        }
        let config = self.config.as_deref().unwrap_or(Path::new(HERE));
        if self.config.is_none() && !config.exists() {
            return Err(Unanswered(format!(
                "there is no {HERE} in this folder; name the hub's with --config, or its socket with \
                 --socket or the variable {VARIABLE}"
            )));
        }
        let socket = config::socket_of(config).map_err(|error| Unanswered(error.to_string()))?;
        let socket = socket.ok_or_else(|| {
            Unanswered(format!(
                "the hub of {} has no socket; take `socket = \"\"` under [hub] away and start it again",
                config.display()
            ))
        })?;
        Ok(Hub {
            client: Client::at(socket),
            config: Some(config.to_owned()),
        })
    }
}

impl Hub {
    /// The answer, or the reason for which there is none and the remedy.
    pub(super) fn heard<T>(&self, answer: Result<T, ClientError>) -> Result<T, Unanswered> {
        answer.map_err(|error| Unanswered(self.remedy(&error)))
    }

    fn remedy(&self, error: &ClientError) -> String {
        match (error, &self.config) {
            (ClientError::NoHub(_), Some(config)) => format!(
                "{error}; start it with `cordon serve --config {}`",
                config.display()
            ),
            (ClientError::NoHub(_), None) => {
                format!("{error}; start one with `cordon serve`, or name another socket")
            }
            (ClientError::Forbidden { owner, .. }, _) => {
                let owner = owner.map(account);
                match owner {
                    Some(owner) => {
                        format!("{error}: {owner}; use `sudo -u {owner} cordon ...`")
                    }
                    None => format!("{error}; use sudo"),
                }
            }
            _ => error.to_string(),
        }
    }
}

/// The name of an account, or its number as `sudo -u` takes it.
fn account(number: u32) -> String {
    let accounts = RegularFile::open(Path::new("/etc/passwd"));
    let accounts = accounts.and_then(|file| file.whole(MAX_ACCOUNTS));
    let accounts = accounts.unwrap_or_default();
    let accounts = String::from_utf8_lossy(&accounts);
    name_of(number, &accounts).unwrap_or_else(|| format!("#{number}"))
}

fn name_of(number: u32, accounts: &str) -> Option<String> {
    let number = number.to_string();
    let mut lines = accounts.lines();
    lines.find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(config: Option<&Path>, socket: Option<&str>) -> HubPlace {
        HubPlace {
            config: config.map(Path::to_owned),
            socket: socket.map(PathBuf::from),
        }
    }

    fn found(place: &HubPlace, variable: Option<&str>) -> PathBuf {
        let hub = place.find(variable.map(PathBuf::from)).ok().unwrap();
        hub.client.socket().to_owned()
    }

    #[test]
    fn what_is_typed_goes_before_the_variable() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cordon.toml");
        std::fs::write(&config, "").unwrap();
        let of_config = folder.path().join("data/cordon.sock");
        assert_eq!(found(&place(None, Some("s")), Some("v")), Path::new("s"));
        assert_eq!(found(&place(Some(&config), None), Some("v")), of_config);
        assert_eq!(found(&place(None, None), Some("v")), Path::new("v"));
    }

    #[test]
    fn a_hub_that_does_not_answer_is_told_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cordon.toml");
        std::fs::write(&config, "").unwrap();
        let hub = place(Some(&config), None).find(None).ok().unwrap();
        let told = hub.heard(hub.client.hub()).unwrap_err().to_string();
        let remedy = format!("start it with `cordon serve --config {}`", config.display());
        assert!(
            told.contains("no hub runs at ") && told.ends_with(&remedy),
            "{told}"
        );
        let forbidden = ClientError::Forbidden {
            path: "/s".into(),
            owner: Some(0),
        };
        let told = hub.remedy(&forbidden);
        assert!(
            told.contains("another account: root; use `sudo -u root"),
            "{told}"
        );
        std::fs::write(&config, "[hub]\nsocket = \"\"\n").unwrap();
        let told = place(Some(&config), None).find(None).err().unwrap();
        assert!(told.to_string().contains("has no socket"), "{told}");
        let missing = folder.path().join("none.toml");
        let told = place(Some(&missing), None).find(None).err().unwrap();
        assert!(told.to_string().contains("cannot read"), "{told}");
    }

    #[test]
    fn accounts_have_names() {
        let accounts = "root:x:0:0::/root:/bin/sh\nhub:x:998:998::/:/bin/false\n";
        assert_eq!(name_of(998, accounts).as_deref(), Some("hub"));
        assert_eq!(name_of(99, accounts), None);
        assert_eq!(account(u32::MAX), format!("#{}", u32::MAX));
    }
}
