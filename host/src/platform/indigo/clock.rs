//! The clock of the server.

use std::sync::Arc;

use super::server::IndigoServer;

pub(super) fn start(_server: &Arc<IndigoServer>) {}
