//! The way from the server to the running instance of a plugin.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::plugin::{Asked, Call, CallError, Port, Waiting};
use cordon_base::limits::Limits;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::orders::Order;
use cordon_runtime::instance::remote::{QueueError, Remote};

/// A running instance, with the bytes of the calls that wait for it.
pub struct InstancePort {
    remote: Remote,
    waiting: Arc<AtomicU64>,
}

impl InstancePort {
    /// The way to this instance.
    #[must_use]
    pub fn new(remote: Remote) -> Self {
        Self {
            remote,
            waiting: Arc::default(),
        }
    }
}

impl Port for InstancePort {
    /// Bytes are counted here, because one change goes to many plugins and each may be
    /// slow.
    fn queue(&self, mut call: Call) -> Result<(), CallError> {
        let remote = &self.remote;
        let spec = &remote.spec;
        let plugin = || spec.key.clone();
        if !remote.accepts() {
            return Err(CallError::NotRunning(plugin()));
        }
        let bytes = u64::try_from(call.arguments.len()).unwrap_or(u64::MAX);
        let limit = spec.limits.inbox_bytes;
        match Waiting::take(&self.waiting, bytes, limit) {
            Ok(waiting) => call.waiting = Some(waiting),
            Err(used) => {
                remote.refuse(&Limits::hit("inbox-bytes", used, limit));
                return Err(CallError::Busy(plugin()));
            }
        }
        match spec.account.charge(bytes) {
            Ok(charge) => call.charge = Some(charge),
            Err(hit) => {
                remote.refuse(&hit);
                return Err(CallError::Busy(plugin()));
            }
        }
        remote.queue(Box::new(call)).map_err(|error| match error {
            QueueError::Full => CallError::Busy(plugin()),
            QueueError::NotRunning => CallError::NotRunning(plugin()),
        })
    }

    fn room(&self) -> u64 {
        match self.remote.counters.status() {
            Status::Running | Status::Starting => self.remote.room(),
            _ => u64::MAX,
        }
    }

    fn running(&self) -> bool {
        self.remote.counters.status() == Status::Running
    }

    fn restart(&self, asked: Asked) {
        self.remote.order(Order::Restart(asked));
    }

    fn halt(&self) {
        self.remote.order(Order::Halt);
    }

    fn status(&self) -> (String, String) {
        let status = self.remote.counters.status();
        (status.word().to_owned(), status.reason().to_owned())
    }
}
