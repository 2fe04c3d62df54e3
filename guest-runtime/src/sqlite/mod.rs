//! `_cordon_sqlite`: the native half of Python's `sqlite3`.
//!
//! Databases, statements, blobs and backups as the Python half needs them
//! (`_sqlite3.py` and the modules that it imports). The Python half decides their use
//! in the DB-API.
//!
//! SQLite is compiled without locks of its own. Tasks switch only where Python
//! blocks, and SQLite calls Python in the middle of a statement, so every use of a
//! connection takes the connection's turn: a second thread waits for it as it
//! would for CPython's mutex. A callback may use its own connection.

mod backup;
mod blob;
mod database;
mod error;
mod hooks;
mod interface;
mod statement;
mod system;
mod text;

pub(crate) use _cordon_sqlite::module_def;

use rustpython_vm::{PyObjectRef, VirtualMachine};

fn some(object: PyObjectRef, vm: &VirtualMachine) -> Option<PyObjectRef> {
    (!vm.is_none(&object)).then_some(object)
}

#[rustpython_vm::pymodule]
mod _cordon_sqlite {
    use std::ffi::{CString, c_int};

    use libsqlite3_sys as ffi;
    use rustpython_vm::{
        PyObjectRef, PyResult, VirtualMachine, builtins::PyUtf8StrRef, function::ArgBytesLike,
        pyclass,
    };

    use super::error::{MAKE_ERROR, failed};
    use super::interface::{self, Failure};
    use super::system;
    use super::text::no_nul;

    /// Sets the module up; called when `_sqlite3` is imported. `make_error` makes the
    /// exceptions, `localtime` is `time.localtime`.
    #[pyfunction]
    fn prepare(make_error: PyObjectRef, localtime: PyObjectRef) {
        MAKE_ERROR.replace(Some(make_error));
        system::prepare(localtime);
    }

    #[pyfunction]
    fn version() -> String {
        ffi::SQLITE_VERSION.to_string_lossy().into_owned()
    }

    #[pyfunction]
    fn is_complete(sql: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<bool> {
        Ok(interface::is_complete(&no_nul(&sql, vm)?))
    }

    #[pyfunction]
    fn describe(code: c_int) -> String {
        Failure::of_code(code).message
    }

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Database")]
    use super::database::Database;

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Statement")]
    use super::statement::Statement;

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "BlobHandle")]
    use super::blob::Blob;

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Backup")]
    use super::backup::Backup;

    /// Opens a database; the flags are SQLite's.
    #[pyfunction]
    fn open(name: ArgBytesLike, flags: c_int, vm: &VirtualMachine) -> PyResult<Database> {
        let name = CString::new(name.borrow_buf().to_vec())
            .map_err(|_| vm.new_value_error("embedded null byte"))?;
        let inner = interface::Database::open(&name, flags).map_err(|error| failed(error, vm))?;
        Ok(Database::new(inner))
    }
}
