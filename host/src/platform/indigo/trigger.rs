//! Triggers: which ones a change fires, and what firing one does.

use super::change::Change;
use super::server::IndigoServer;

/// Fires the triggers that wait for this change.
pub(super) fn fire_changes(_server: &IndigoServer, _change: &Change) {}
