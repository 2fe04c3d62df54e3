//! `BlobHandle`: one value of a table, read and written in place.

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use rustpython_vm::{
    Py, PyPayload, PyRef, PyResult, VirtualMachine, builtins::PyBytes, function::ArgBytesLike,
    pyclass,
};

use super::database::Database;
use super::interface::{self, Failure};

#[pyclass(module = "_cordon_sqlite", name = "BlobHandle")]
#[derive(Debug, PyPayload)]
pub(super) struct Blob {
    inner: interface::Blob,
    database: PyRef<Database>,
}

impl Blob {
    pub(super) fn new(inner: interface::Blob, database: PyRef<Database>) -> Self {
        Self { inner, database }
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        self.inner.close();
    }
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Blob {
    #[pymethod]
    fn length(zelf: &Py<Self>) -> c_int {
        zelf.inner.length()
    }

    #[pymethod]
    fn read(
        zelf: &Py<Self>,
        length: usize,
        offset: c_int,
        vm: &VirtualMachine,
    ) -> PyResult<PyRef<PyBytes>> {
        // The caller looked at the length already; this bounds the allocation.
        let length = length.min(usize::try_from(zelf.inner.length()).unwrap_or(0));
        let mut bytes = vec![0; length];
        zelf.database
            .with(vm, |database| match zelf.inner.read(&mut bytes, offset) {
                ffi::SQLITE_OK => Ok(()),
                ffi::SQLITE_ABORT => Err(Failure::of_code(ffi::SQLITE_ABORT)),
                _ => Err(database.failure()),
            })?;
        Ok(vm.ctx.new_bytes(bytes))
    }

    #[pymethod]
    fn write(
        zelf: &Py<Self>,
        data: ArgBytesLike,
        offset: c_int,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        // A copy: SQLite may wait for a lock, and another thread may change the bytes then.
        let data = data.borrow_buf().to_vec();
        zelf.database
            .with(vm, |database| match zelf.inner.write(&data, offset) {
                ffi::SQLITE_OK => Ok(()),
                ffi::SQLITE_ABORT => Err(Failure::of_code(ffi::SQLITE_ABORT)),
                _ => Err(database.failure()),
            })
    }

    #[pymethod]
    fn close(zelf: &Py<Self>) {
        let _turn = zelf.database.turns.take();
        zelf.inner.close();
    }
}
