//! Mail of plugins, and of the operator's triggers and schedules.
//!
//! A plugin writes to the receivers that its grant `mail` names, and not more often than its limit
//! allows. The operator's own actions write to anybody. A letter is on its way when the command
//! returns, as in the original. The log says whether it was delivered.

use std::sync::Arc;

use serde_json::Value;

use super::action::Step;
use super::caller::Caller;
use super::database::Reference;
use super::failure::Failure;
use super::plugin::Plugin;
use super::server::IndigoServer;
use super::substitution::{Known, substitute};
use cordon_base::error::Denied;
use cordon_base::grants::mailbox::Address;
use cordon_base::log::Level;
use cordon_reach::mail::{LONGEST_TEXT, Letter, MOST_RECEIVERS};

/// The refusal when there is no mail server, with the remedy.
const NO_SERVER: &str = "no mail server is configured; the operator adds the section [mail] with \
    `server` and `from` to cordon.toml";

/// Most complaints about the markup of one letter.
const PROBLEMS: usize = 10;

impl IndigoServer {
    /// Sends the letter of an operator's action, with its markup replaced. Complaints about the
    /// markup go into the log.
    ///
    /// # Errors
    ///
    /// As [`IndigoServer::send_mail`].
    pub(super) fn send_mail_of(
        self: &Arc<Self>,
        caller: &Caller,
        step: &Step,
        event: Value,
    ) -> Result<(), Failure> {
        let to = step.fields.get("emailTo").cloned().unwrap_or_default();
        let now = jiff::Zoned::now();
        let find = |table, reference: &Reference| self.database().find(table, reference).cloned();
        let known = Known {
            find: &find,
            now: &now,
            event: &event,
        };
        let replaced = |key: &str| substitute(&known, step.text(key), LONGEST_TEXT);
        let (subject, body) = (replaced("emailSubject"), replaced("emailBody"));
        for problem in subject.problems.iter().chain(&body.problems).take(PROBLEMS) {
            let line = format!("EmailAction: {problem}");
            self.note(caller, Level::Error, &line);
        }
        self.send_mail(caller, &to, &subject.text, &body.text)
    }

    /// Sends a letter. `to` is text with one or more addresses, or a list of such.
    ///
    /// # Errors
    ///
    /// A wrong argument, a missing grant, or the limit `mails-per-hour`.
    pub(super) fn send_mail(
        self: &Arc<Self>,
        caller: &Caller,
        to: &Value,
        subject: &str,
        body: &str,
    ) -> Result<(), Failure> {
        let Some(mailer) = self.options().mailer.clone() else {
            return Err(Failure::unsupported(NO_SERVER));
        };
        let to = receivers(to)?;
        if body.len() > LONGEST_TEXT {
            let text = format!("the text of a letter may have {LONGEST_TEXT} bytes");
            return Err(Failure::value(text));
        }
        if let Caller::Plugin(plugin) = caller {
            check(plugin, &to)?;
        }
        let place = mailer.place(caller.plugin().map(|plugin| plugin.account.id()));
        let place = place.ok_or_else(|| Failure::other("too many letters are on their way"))?;
        // Letters of the operator's own actions also count for the plugin that sets them off.
        let plugin = caller.plugin().cloned();
        if let Some(plugin) = &plugin {
            plugin.count_mail()?;
        }
        let letter = Letter {
            to,
            subject: subject.to_owned(),
            body: body.to_owned(),
        };
        let events = self.events().clone();
        let files = self.pools.files.clone();
        tokio::spawn(async move {
            let names: Vec<_> = letter.to.iter().map(Address::as_str).collect();
            let (level, outcome) = match mailer.send(&letter, &files).await {
                Ok(()) => (Level::Normal, "sent".to_owned()),
                Err(error) => (Level::Error, format!("not sent: {error}")),
            };
            let line = format!("mail to {}: {outcome}", names.join(", "));
            match &plugin {
                Some(plugin) => plugin.log.hub(level, &line),
                None => events.record(None, level, line),
            }
            drop(place);
        });
        Ok(())
    }
}

fn receivers(given: &Value) -> Result<Vec<Address>, Failure> {
    let texts: Vec<&str> = match given {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => {
            return Err(Failure::wrong_type(
                "the receivers are a str or a list of str",
            ));
        }
    };
    let parts = texts.iter().flat_map(|text| text.split([',', ';']));
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let parsed: Result<Vec<Address>, String> = parts.map(str::parse).collect();
    let to = parsed.map_err(Failure::value)?;
    if to.is_empty() || to.len() > MOST_RECEIVERS {
        let text = format!("a letter has 1 to {MOST_RECEIVERS} receivers");
        return Err(Failure::value(text));
    }
    Ok(to)
}

fn check(plugin: &Plugin, to: &[Address]) -> Result<(), Failure> {
    let granted = |address: &&Address| plugin.mail().iter().any(|it| it.means(address));
    let Some(other) = to.iter().find(|address| !granted(address)) else {
        return Ok(());
    };
    let denied = Denied::new(
        format!("sending mail to {}", other.as_str()),
        format!("mail = [\"{}\"]", other.as_str()),
        plugin.log.origin(),
    );
    plugin.log.denied(&denied);
    Err(Failure::other(denied.to_string()))
}
