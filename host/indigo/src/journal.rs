//! Lines of the log about the use of objects.
//!
//! A line stands in the name of the plugin that acts, within that plugin's rate of lines. It stands
//! in the hub's name only when the operator acts. Names of objects are texts of plugins, so line
//! breaks in them are taken out: a line is one line.

use std::sync::Arc;

use super::caller::Caller;
use super::object::Object;
use super::plugin::Plugin;
use super::server::IndigoServer;
use cordon_base::log::Level;

impl IndigoServer {
    /// Writes a line about an act of `caller`.
    pub(super) fn note(&self, caller: &Caller, level: Level, text: &str) {
        self.note_of(caller.plugin(), caller, level, text);
    }

    /// Writes a line about an object. When the server acts by itself, the plugin that made the
    /// object counts as the one that acts.
    pub(super) fn note_about(&self, caller: &Caller, object: &Object, level: Level, text: &str) {
        let plugin = self.doer(caller, object);
        self.note_of(plugin.as_ref(), caller, level, text);
    }

    /// The plugin in whose name something happens to an object.
    pub(super) fn doer(&self, caller: &Caller, object: &Object) -> Option<Arc<Plugin>> {
        let doer = caller.plugin().cloned();
        doer.or_else(|| self.plugin(&object.hidden.charged))
    }

    fn note_of(&self, plugin: Option<&Arc<Plugin>>, caller: &Caller, level: Level, text: &str) {
        let line = one_line(text);
        match plugin {
            Some(plugin) => plugin.log.plugin(false, level, &line),
            // Clients have a rate of lines for all that they write and cause.
            None if caller.is_client() => {
                // Lines that are too many are counted and told there.
                let _ = self.events().record_client(level, &line);
            }
            None => self.events().record(None, level, line),
        }
    }
}

/// A text without anything that would begin another line.
fn one_line(text: &str) -> String {
    let breaks = |it: char| it.is_control() || matches!(it, '\u{2028}' | '\u{2029}');
    let plain = |it: char| if breaks(it) { ' ' } else { it };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(one_line("a\r\nb\u{85}c\td\u{2028}e"), "a  b c d e");
    }
}
