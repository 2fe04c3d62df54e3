//! Addresses of mailboxes, and whom an instance may write to.

use std::str::FromStr;

use serde::Deserialize;

/// Longest address in bytes (RFC 5321, 4.5.3.1).
const LONGEST: usize = 254;

/// An address of a mailbox, in ASCII, without quotes and without the number of a host. It has
/// no `*`, which would look like a pattern in a grant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(lettre::Address);

impl Address {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The address as the crate that sends letters has it.
    #[must_use]
    pub fn as_lettre(&self) -> &lettre::Address {
        &self.0
    }

    /// What is behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.domain()
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let fits = text.len() <= LONGEST && text.is_ascii() && !text.contains(['*', '"', '[']);
        if let (true, Ok(address)) = (fits, text.parse()) {
            return Ok(Self(address));
        }
        let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        Err(format!(
            "`{shown}` is no mail address such as me@example.org"
        ))
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Whom an instance may write to: an entry of `mail` in its grants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Receiver {
    /// Anybody: `*`.
    Any,
    /// This address.
    One(Address),
}

impl TryFrom<String> for Receiver {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim() {
            "*" => Ok(Self::Any),
            text => text.parse().map(Self::One),
        }
    }
}

impl Receiver {
    /// Whether this address is meant; case does not matter.
    #[must_use]
    pub fn means(&self, address: &Address) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one.as_str().eq_ignore_ascii_case(address.as_str()),
        }
    }
}
