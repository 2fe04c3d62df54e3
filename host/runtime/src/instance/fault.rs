//! Faults of the hub while it runs an instance: they are that instance's alone.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::instance::counters::{Counters, Status};

/// Makes sure that no instance is left that looks alive and has no supervisor.
pub(super) struct End(pub(super) Arc<Counters>);

impl Drop for End {
    fn drop(&mut self) {
        if self.0.status() != Status::Stopped {
            let reason = "the hub has stopped running the plugin".to_owned();
            self.0.set(Status::Parked { reason });
        }
    }
}

/// Does work that may panic. A panic becomes an error with its message.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| {
        let message = message(panic.as_ref());
        tracing::error!(message, "the hub panicked while it ran a plugin");
        format!("the hub failed while it ran the plugin, which is a fault of the hub: {message}")
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_told() {
        let fault = caught(async { panic!("no {}", "wit") }).await.unwrap_err();
        assert!(fault.contains("a fault of the hub: no wit"), "{fault}");
        assert_eq!(caught(async { 1 }).await, Ok(1));
    }

    #[test]
    fn nobody_looks_alive_whose_supervisor_has_ended() {
        let counters = Arc::<Counters>::default();
        counters.set(Status::Running);
        drop(End(Arc::clone(&counters)));
        assert!(matches!(counters.status(), Status::Parked { .. }));
    }
}
