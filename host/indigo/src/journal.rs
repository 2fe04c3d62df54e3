//! Lines of the log that follow from what somebody does with objects.
//!
//! A line stands in the name of the plugin whose doing it is, within that one's rate of
//! lines; in the hub's name only when the operator did it. Names of objects are texts of
//! plugins: a line is one line, whatever they hold.

use std::sync::Arc;

use super::object::Object;
use super::plugin::Plugin;
use super::server::{Caller, IndigoServer};
use cordon_base::log::Level;

impl IndigoServer {
    /// Writes a line because of what `caller` does.
    pub(super) fn note(&self, caller: &Caller, level: Level, text: &str) {
        self.note_of(caller.plugin(), level, text);
    }

    /// Writes a line because of an object: what the server does with it by itself is the
    /// doing of the plugin that made it.
    pub(super) fn note_about(&self, caller: &Caller, object: &Object, level: Level, text: &str) {
        let plugin = self.doer(caller, object);
        self.note_of(plugin.as_ref(), level, text);
    }

    /// The plugin whose doing it is that something happens with an object.
    pub(super) fn doer(&self, caller: &Caller, object: &Object) -> Option<Arc<Plugin>> {
        let doer = caller.plugin().cloned();
        doer.or_else(|| self.plugin(&object.hidden.charged))
    }

    fn note_of(&self, plugin: Option<&Arc<Plugin>>, level: Level, text: &str) {
        let line = one_line(text);
        match plugin {
            Some(plugin) => plugin.log.plugin(false, level, &line),
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
