//! The threads of the store: one that writes in groups, one that reads.
//!
//! The writing thread runs each operation in a savepoint of one transaction, commits, and
//! only then answers. A group takes the operations of all owners in turn and ends at a
//! number of them, of bytes and of milliseconds, so that one who asks much delays another by
//! one group at most. An operation may fail or panic: its savepoint is rolled back and the
//! rest of the group goes on. A thread ends when its queue is closed and empty. Computing
//! time is billed to the account for which it is spent.

use std::cell::Cell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::StoreError;
use super::queue::Queue;
use cordon_base::account::{Account, thread_cpu};
use cordon_base::error::EngineError;

/// Operations in one transaction.
const GROUP: usize = 256;

/// Bytes after which a group ends.
const GROUP_BYTES: u64 = 1 << 20;

/// Time after which a group ends.
const GROUP_TIME: Duration = Duration::from_millis(10);

/// What the smallest change costs: pages are written, not bytes.
const SMALLEST: u64 = 1024;

/// The transaction of one writing operation, and what it says of its size.
#[derive(Debug)]
pub struct Writing<'a> {
    transaction: &'a Transaction<'a>,
    bytes: Cell<u64>,
}

impl Writing<'_> {
    /// Says that a row of this many bytes was written. What is never said of counts as
    /// a small change; a row whose size a plugin chooses has to be said of.
    pub fn wrote(&self, bytes: u64) {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
    }
}

impl<'a> Deref for Writing<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Transaction<'a> {
        self.transaction
    }
}

/// Told how the commit ended; passes the operation's result on.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// An operation on its way, with the place that it has in its owner's lane.
pub(super) struct Job<F: ?Sized> {
    account: Arc<Account>,
    place: Option<OwnedSemaphorePermit>,
    operation: Box<F>,
}

/// Runs and says how many bytes it wrote.
type Write = dyn FnOnce(&Transaction<'_>) -> (u64, Answer) + Send;
type Read = dyn FnOnce(&mut Connection) + Send;

pub(super) type Writes = Queue<Job<Write>>;
pub(super) type Reads = Queue<Job<Read>>;

/// Queues a writing operation; the answer comes after the commit.
pub(super) async fn write<T, E, F>(
    queue: &Writes,
    account: &Arc<Account>,
    operation: F,
) -> Result<T, E>
where
    F: FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let place = account.desk().place().await;
    let (answer, answered) = oneshot::channel();
    let operation: Box<Write> = Box::new(move |transaction| {
        let writing = Writing {
            transaction,
            bytes: Cell::new(0),
        };
        let result = in_savepoint(&writing, operation);
        let answer: Answer = Box::new(move |committed| {
            let result = result.and_then(|value| match committed {
                Ok(()) => Ok(value),
                Err(error) => Err(E::from(error)),
            });
            // A caller that went away wants no answer.
            let _ = answer.send(result);
        });
        (writing.bytes.get().max(SMALLEST), answer)
    });
    queue.push(account.id(), job(account, place, operation));
    let closed = |_| Err(StoreError::Closed.into());
    answered.await.unwrap_or_else(closed)
}

/// Queues a reading operation.
pub(super) async fn read<T, E, F>(
    queue: &Reads,
    account: &Arc<Account>,
    operation: F,
) -> Result<T, E>
where
    F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let place = account.desk().place().await;
    let (answer, answered) = oneshot::channel();
    let operation: Box<Read> = Box::new(move |connection| {
        let _ = answer.send(run_alone(connection, operation));
    });
    queue.push(account.id(), job(account, place, operation));
    let closed = |_| Err(StoreError::Closed.into());
    answered.await.unwrap_or_else(closed)
}

fn job<F: ?Sized>(
    account: &Arc<Account>,
    place: Option<OwnedSemaphorePermit>,
    operation: Box<F>,
) -> Job<F> {
    Job {
        account: Arc::clone(account),
        place,
        operation,
    }
}

/// Starts a thread that serves a queue with a connection. The receiver is told when the
/// connection is closed.
pub(super) fn start<J: Send + 'static>(
    name: &str,
    queue: Arc<Queue<J>>,
    connection: Connection,
    serve: fn(Connection, &Queue<J>),
) -> Result<oneshot::Receiver<()>, EngineError> {
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            serve(connection, &queue);
            let _ = ended.send(());
        })
        .map_err(|error| EngineError::io(format!("starting thread {name}"), error))?;
    Ok(end)
}

/// Serves reads one by one, each with a view of its own: a view that began before an
/// operation was queued would not have what its caller was told.
pub(super) fn serve_reads(mut connection: Connection, queue: &Reads) {
    while let Some(job) = queue.next() {
        let Job {
            account,
            place,
            operation,
        } = job;
        account.billing(|| operation(&mut connection));
        drop(place);
    }
}

/// Serves writes in groups; at the end the write-ahead log goes into the database.
pub(super) fn serve_writes(mut connection: Connection, queue: &Writes) {
    while let Some(first) = queue.next() {
        run_group(&mut connection, queue, first);
    }
    super::file::close(connection);
}

/// An operation that was run and waits for the commit.
struct Done {
    account: Arc<Account>,
    bytes: u64,
    answer: Answer,
    _place: Option<OwnedSemaphorePermit>,
}

fn run_group(connection: &mut Connection, queue: &Writes, first: Job<Write>) {
    let transaction = match connection.transaction() {
        Ok(transaction) => transaction,
        // Dropping the operation unrun tells its caller that the store is closed;
        // running it without a transaction would lose the all-or-nothing promise.
        Err(error) => {
            tracing::error!(%error, "the store could not begin a transaction");
            return;
        }
    };
    let begun = Instant::now();
    let mut group = Vec::new();
    let mut bytes = 0_u64;
    let mut next = Some(first);
    while let Some(job) = next.take() {
        let done = job.run(&transaction);
        bytes = bytes.saturating_add(done.bytes);
        group.push(done);
        if group.len() < GROUP && bytes < GROUP_BYTES && begun.elapsed() < GROUP_TIME {
            next = queue.try_next();
        }
    }
    let before = thread_cpu();
    let committed = transaction
        .commit()
        .map_err(|error| StoreError::Commit(error.to_string()));
    let spent = thread_cpu().saturating_sub(before);
    if let Err(error) = &committed {
        tracing::error!(%error, "the store could not commit");
    }
    let now = Instant::now();
    for done in group {
        // Each pays for its part of what was written.
        let share = done.bytes as f64 / bytes.max(1) as f64;
        done.account.bill(spent.mul_f64(share.clamp(0.0, 1.0)));
        done.account.desk().wrote(done.bytes, now);
        (done.answer)(committed.clone());
    }
}

impl Job<Write> {
    fn run(self, transaction: &Transaction<'_>) -> Done {
        let Self {
            account,
            place,
            operation,
        } = self;
        let (bytes, answer) = account.billing(|| operation(transaction));
        Done {
            account,
            bytes,
            answer,
            _place: place,
        }
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
    transaction: &Writing<'_>,
    operation: impl FnOnce(&Writing<'_>) -> Result<T, E>,
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
