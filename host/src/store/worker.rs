//! A thread that owns one connection and runs operations on it in groups.
//!
//! Takes what is waiting, runs each operation in a savepoint of one transaction,
//! commits, and only then answers. An operation may fail or panic: its savepoint
//! is rolled back and the rest of the group goes on. The thread ends when the last
//! handle is gone and the queue is empty.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use crate::error::EngineError;

/// Operations that may wait; further callers wait for room.
const QUEUE: usize = 1024;

/// Operations in one transaction: bounds how long the first one waits for the last.
const GROUP: usize = 256;

/// Told how the commit ended; passes the operation's result on.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Operation = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;

/// A handle on the thread.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    queue: mpsc::Sender<Operation>,
}

impl Worker {
    pub(super) fn start(name: &str, connection: Connection) -> Result<Self, EngineError> {
        let (queue, operations) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(connection, operations))
            .map_err(|error| EngineError::io(format!("starting thread {name}"), error))?;
        Ok(Self { queue })
    }

    pub(super) async fn run<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let operation: Operation = Box::new(move |transaction| {
            let result = in_savepoint(transaction, operation);
            Box::new(move |committed| {
                let result = result.and_then(|value| match committed {
                    Ok(()) => Ok(value),
                    Err(error) => Err(E::from(error)),
                });
                // A caller that went away wants no answer.
                let _ = answer.send(result);
            })
        });
        if self.queue.send(operation).await.is_err() {
            return Err(StoreError::Closed.into());
        }
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }
}

fn serve(mut connection: Connection, mut operations: mpsc::Receiver<Operation>) {
    let mut group = Vec::with_capacity(GROUP);
    while operations.blocking_recv_many(&mut group, GROUP) > 0 {
        run_group(&mut connection, group.drain(..));
    }
}

fn run_group(connection: &mut Connection, group: impl Iterator<Item = Operation>) {
    let transaction = match connection.transaction() {
        Ok(transaction) => transaction,
        // Dropping the operations unrun tells their callers that the store is closed;
        // running them without a transaction would lose the all-or-nothing promise.
        Err(error) => {
            tracing::error!(%error, "the store could not begin a transaction");
            return;
        }
    };
    let answers: Vec<Answer> = group.map(|operation| operation(&transaction)).collect();
    let committed = transaction
        .commit()
        .map_err(|error| StoreError::Commit(error.to_string()));
    if let Err(error) = &committed {
        tracing::error!(%error, "the store could not commit");
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// Runs one operation that only reads, on this thread.
pub(super) fn run_alone<T, E: From<StoreError>>(
    connection: &mut Connection,
    operation: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = connection.transaction().map_err(StoreError::from)?;
    // Dropping the transaction ends it; there is nothing to commit.
    catch_unwind(AssertUnwindSafe(|| operation(&transaction)))
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

fn in_savepoint<T, E: From<StoreError>>(
    transaction: &Transaction<'_>,
    operation: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let sql = |text: &str| {
        transaction
            .execute_batch(text)
            .map_err(|error| E::from(StoreError::from(error)))
    };
    // A full disk makes SQLite end the whole transaction. A savepoint would then
    // become a transaction of its own and store what is answered as failed.
    if transaction.is_autocommit() {
        let reason = "an earlier operation ended the transaction".to_owned();
        return Err(StoreError::Commit(reason).into());
    }
    sql("SAVEPOINT operation")?;
    let result = catch_unwind(AssertUnwindSafe(|| operation(transaction)))
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
    if result.is_err() && !transaction.is_autocommit() {
        sql("ROLLBACK TO operation")?;
    }
    if !transaction.is_autocommit() {
        sql("RELEASE operation")?;
    }
    result
}
