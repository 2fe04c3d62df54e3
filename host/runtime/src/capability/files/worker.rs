//! Runs the file operations of one instance on threads that serve all instances in turn, on the
//! instance's account.
//!
//! wasmtime's functions run there as they are. Its context allows them to block, so each
//! of them is done when it is polled for the first time.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt as _;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{FsError, FsResult};

use super::charged::{Fd, FilesView};
use cordon_base::account::Account;
use cordon_base::error::LimitHit;
use cordon_base::pool::{Pool, PoolError};

/// The threads for files, on one account. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    pool: Pool,
    account: Arc<Account>,
}

impl Worker {
    /// Works in `pool` on this account.
    #[must_use]
    pub fn new(pool: Pool, account: Arc<Account>) -> Self {
        Self { pool, account }
    }

    /// The account that pays.
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Does `work` when the account's turn comes. Work whose caller stops waiting before it began
    /// is dropped; work that began is done.
    ///
    /// # Errors
    ///
    /// [`PoolError`], as an error of the system.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let done = self.pool.run(&self.account, work).await;
        done.map_err(|error: PoolError| io::Error::other(error))
    }
}

impl FilesView<'_> {
    /// Does something with wasmtime's own view of these handles. All that `work` puts into the
    /// view's table ends with the call, except the value that it returns.
    pub(super) async fn at_work<const N: usize, T: Send + 'static>(
        &mut self,
        fds: [&Fd; N],
        work: impl AsyncFnOnce(&mut WasiFilesystemCtxView<'_>, [Fd; N]) -> FsResult<T> + Send + 'static,
    ) -> FsResult<T> {
        let mut descriptors = Vec::with_capacity(N);
        for fd in fds {
            descriptors.push(self.files.table.get(fd)?.clone());
        }
        let mut ctx = self.files.ctx.clone();
        let done = self.worker.run(move || {
            let mut table = ResourceTable::new();
            let mut handles = Vec::with_capacity(N);
            for descriptor in descriptors {
                handles.push(table.push(descriptor)?);
            }
            let handles = <[Fd; N]>::try_from(handles)
                .map_err(|_| FsError::trap(wasmtime::format_err!("handles were lost")))?;
            let mut view = WasiFilesystemCtxView {
                ctx: &mut ctx,
                table: &mut table,
            };
            let done = work(&mut view, handles).now_or_never();
            done.unwrap_or_else(|| {
                Err(FsError::trap(wasmtime::format_err!(
                    "a file has to be waited for"
                )))
            })
        });
        done.await?
    }

    /// The failure for a limit on the memory that the hub holds; WASI has no word for it but that
    /// of memory.
    pub(super) fn over(&self, hit: &LimitHit) -> FsError {
        self.quota.report(hit);
        ErrorCode::InsufficientMemory.into()
    }
}
