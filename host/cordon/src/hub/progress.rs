//! How far the hub is with its start and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// See the module. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Progress {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Whether every section was tried, but for those in folders that do not answer.
    tried: watch::Sender<bool>,
    /// Whether more instances may come by themselves.
    loading: AtomicBool,
    stopping: AtomicBool,
}

impl Progress {
    /// Notes that the configuration is being read.
    pub(super) fn begin(&self) {
        self.inner.loading.store(true, Ordering::SeqCst);
    }

    /// Notes that every section was tried that could be.
    pub(super) fn tried(&self) {
        self.inner.tried.send_replace(true);
    }

    /// Waits until every section was tried.
    pub(super) async fn wait(&self) {
        let mut tried = self.inner.tried.subscribe();
        // The sender lives as long as `self`.
        let _ = tried.wait_for(|tried| *tried).await;
    }

    /// Notes that no more instances come by themselves.
    pub(super) fn end(&self) {
        self.inner.loading.store(false, Ordering::SeqCst);
    }

    /// Whether more instances may come by themselves.
    pub(super) fn is_loading(&self) -> bool {
        self.inner.loading.load(Ordering::SeqCst)
    }

    /// Notes that the hub is being stopped.
    pub(super) fn stop(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
    }

    /// Notes that all plugins have ended. A hub may start others after that.
    pub(super) fn again(&self) {
        self.inner.stopping.store(false, Ordering::SeqCst);
    }

    /// Whether the hub is being stopped.
    pub(super) fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::SeqCst)
    }
}
