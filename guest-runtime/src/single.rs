//! Statics for a program that has one thread.
//!
//! The component is compiled without shared memory: tasks take turns and are
//! switched only in blocking imports. So a `Cell` is as good as a lock.

use std::ops::Deref;

/// A value that may stand in a `static` although it is not `Sync`.
pub struct Single<T>(pub T);

// SAFETY: wasm without shared memory has one thread.
unsafe impl<T> Sync for Single<T> {}

impl<T> Deref for Single<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
