//! `Backup`: a copy of one database into another under way. A step takes the turns of
//! both.

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use rustpython_vm::{Py, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

use super::database::Database;
use super::interface::{self, Failure};

#[pyclass(module = "_cordon_sqlite", name = "Backup")]
#[derive(Debug, PyPayload)]
pub(super) struct Backup {
    inner: interface::Backup,
    target: PyRef<Database>,
    source: PyRef<Database>,
}

impl Backup {
    pub(super) fn new(
        inner: interface::Backup,
        target: PyRef<Database>,
        source: PyRef<Database>,
    ) -> Self {
        Self {
            inner,
            target,
            source,
        }
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        self.inner.finish();
    }
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Backup {
    /// Copies so many pages (all, if negative); returns SQLite's code.
    #[pymethod]
    fn step(zelf: &Py<Self>, pages: c_int, vm: &VirtualMachine) -> PyResult<c_int> {
        zelf.source.with(vm, |_| Ok(()))?;
        let _turn = zelf.source.turns.take();
        zelf.target.with(vm, |_| {
            if zelf.inner.is_finished() {
                return Err(Failure::of_code(ffi::SQLITE_MISUSE));
            }
            Ok(zelf.inner.step(pages))
        })
    }

    /// Pages that remain, and pages in all.
    #[pymethod]
    fn progress(zelf: &Py<Self>) -> (c_int, c_int) {
        if zelf.inner.is_finished() {
            (0, 0)
        } else {
            zelf.inner.progress()
        }
    }

    #[pymethod]
    fn finish(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
        let _turn = zelf.source.turns.take();
        zelf.target.with(vm, |target| {
            let code = zelf.inner.finish();
            target.check(code)
        })
    }
}
