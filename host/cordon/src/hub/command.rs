//! A command of the operator to one instance that has an actor.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::timeout;

use cordon_control::operator::{Action, OperatorError};
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::orders::{Asked, Order};
use cordon_runtime::instance::remote::Remote;
use cordon_store::Store;

/// Time beyond the grace in which an instance that was ended where it was says so.
const MARGIN: Duration = Duration::from_secs(5);

/// Gives the order to an instance, after it was written down whether it stays stopped. A stop is
/// waited for: the supervisor ends a life that does not end within the grace. A reload is a restart
/// here.
///
/// # Errors
///
/// [`OperatorError::Failed`] when the store cannot be written, or the instance does not end.
pub(super) async fn command(
    store: &Store,
    remote: &Remote,
    action: Action,
    grace: Duration,
) -> Result<(), OperatorError> {
    let stop = action == Action::Stop;
    let decided = store.decide_stopped(remote.spec.hardware, stop).await;
    decided.map_err(failed)?;
    let again = Order::Restart(Asked::Operator);
    match action {
        Action::Stop => {
            remote.hold();
            let ended = timeout(grace + MARGIN, remote.counters.stopped()).await;
            ended.map_err(|_| {
                OperatorError::Failed(format!(
                    "`{}` does not end; the log says why, and the hub has to be started again",
                    remote.spec.name
                ))
            })
        }
        Action::Start => {
            let status = remote.counters.status();
            if !matches!(status, Status::Starting | Status::Running) {
                remote.order(again);
            }
            Ok(())
        }
        Action::Restart | Action::Reload => {
            remote.order(again);
            Ok(())
        }
    }
}

/// The hub's own fault.
pub(super) fn failed(error: impl Display) -> OperatorError {
    OperatorError::Failed(error.to_string())
}

/// Something that cannot be done.
pub(super) fn refused(error: impl Display) -> OperatorError {
    OperatorError::Refused(error.to_string())
}
