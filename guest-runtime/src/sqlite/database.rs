//! `Database`: a connection, whose turn every use of it takes. It knows the statements
//! that are not finalized and the callables that SQLite calls.

use std::collections::HashSet;
use std::ffi::c_int;

use libsqlite3_sys as ffi;
use rustpython_vm::{
    Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyUtf8StrRef},
    common::lock::PyMutex,
    function::ArgBytesLike,
    pyclass,
};

use super::backup::Backup;
use super::blob::Blob;
use super::error::{failed, failed_with, refused};
use super::hooks::{self, Handler, Installed, Kind, Registration};
use super::interface::{self, Failure, c_string};
use super::some;
use super::statement::Statement;
use super::text::{begins_with_change, length_of, no_nul, skip_remarks};
use crate::lock::Turns;

#[pyclass(module = "_cordon_sqlite", name = "Database")]
#[derive(Debug, PyPayload)]
pub(super) struct Database {
    pub(super) inner: interface::Database,
    pub(super) turns: Turns,
    /// Numbers of the statements that are not finalized.
    statements: PyMutex<HashSet<usize>>,
    /// Statements that were dropped while another thread had the turn.
    pub(super) dropped: PyMutex<Vec<usize>>,
    authorizer: PyMutex<Installed>,
    progress: PyMutex<Installed>,
    trace: PyMutex<Installed>,
}

impl Database {
    pub(super) fn new(inner: interface::Database) -> Self {
        Self {
            inner,
            turns: Turns::default(),
            statements: PyMutex::default(),
            dropped: PyMutex::default(),
            authorizer: PyMutex::default(),
            progress: PyMutex::default(),
            trace: PyMutex::default(),
        }
    }

    /// Runs `f` while nobody else uses the connection.
    pub(super) fn with<R>(
        &self,
        vm: &VirtualMachine,
        f: impl FnOnce(&interface::Database) -> Result<R, Failure>,
    ) -> PyResult<R> {
        let result = {
            let _turn = self.turns.take();
            if self.inner.is_closed() {
                return Err(refused(
                    "ProgrammingError",
                    "Cannot operate on a closed database.",
                    vm,
                ));
            }
            self.sweep();
            f(&self.inner)
        };
        result.map_err(|failure| failed(failure, vm))
    }

    /// Finalizes a statement of this database that nobody uses any more.
    pub(super) fn finalize(&self, id: usize) {
        if self.statements.lock().remove(&id) {
            // SAFETY: it was in the set of those that are not finalized, and the
            // set is emptied when the database is closed.
            unsafe { interface::finalize_by_id(id) };
        }
    }

    fn sweep(&self) {
        let dropped = std::mem::take(&mut *self.dropped.lock());
        dropped.into_iter().for_each(|id| self.finalize(id));
    }

    fn close_all(&self) -> c_int {
        self.sweep();
        let left = std::mem::take(&mut *self.statements.lock());
        for id in left {
            // SAFETY: as in `finalize`; the set is empty now.
            unsafe { interface::finalize_by_id(id) };
        }
        let code = self.inner.close();
        for handler in [&self.authorizer, &self.progress, &self.trace] {
            let mut installed = std::mem::take(&mut *handler.lock());
            installed.free();
        }
        code
    }

    fn install(
        &self,
        handler: Handler,
        callable: Option<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let place = match handler {
            Handler::Authorizer => &self.authorizer,
            Handler::Progress(_) => &self.progress,
            Handler::Trace => &self.trace,
        };
        self.with(vm, |database| {
            let mut installed = std::mem::take(&mut *place.lock());
            installed.replace(database, handler, callable);
            *place.lock() = installed;
            Ok(())
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Statements hold a reference to the database, so none is left.
        self.close_all();
    }
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Database {
    #[pymethod]
    fn close(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
        let _turn = zelf.turns.take();
        if zelf.inner.is_closed() {
            return Ok(());
        }
        if zelf.turns.depth() > 1 {
            let text = "cannot close the database from a function that it is calling";
            return Err(refused("ProgrammingError", text, vm));
        }
        match zelf.close_all() {
            ffi::SQLITE_OK => Ok(()),
            code => Err(failed_with(code, vm)),
        }
    }

    /// A statement and whether it changes data; None when there is none.
    #[pymethod]
    fn prepare(
        zelf: &Py<Self>,
        sql: PyUtf8StrRef,
        vm: &VirtualMachine,
    ) -> PyResult<Option<PyRef<Statement>>> {
        let text = sql.as_str();
        if zelf.limit(ffi::SQLITE_LIMIT_SQL_LENGTH, -1, vm)? < length_of(text) {
            return Err(refused("DataError", "query string is too large", vm));
        }
        let Some(c_text) = c_string(text) else {
            return Err(refused(
                "ProgrammingError",
                "the query contains a null character",
                vm,
            ));
        };
        let (statement, rest) = zelf.with(vm, |database| {
            let (statement, rest) = database.prepare(&c_text, 0)?;
            if let Some(statement) = &statement {
                zelf.statements.lock().insert(statement.id());
            }
            Ok((statement, rest))
        })?;
        let Some(inner) = statement else {
            return Ok(None);
        };
        // Dropped, and so finalized, when it is refused below.
        let changes_data = !inner.is_readonly() && begins_with_change(text);
        let statement = Statement::new(inner, zelf.to_owned(), changes_data);
        if !skip_remarks(text.get(rest..).unwrap_or_default()).is_empty() {
            let text = "You can only execute one statement at a time.";
            return Err(refused("ProgrammingError", text, vm));
        }
        Ok(Some(statement.into_ref(&vm.ctx)))
    }

    /// Runs all statements to their ends; rows are not kept.
    #[pymethod]
    fn run_script(zelf: &Py<Self>, sql: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<()> {
        let text = no_nul(&sql, vm)?;
        let mut start = 0;
        // Another thread may have the connection between two statements.
        while start < text.count_bytes() {
            start = zelf.with(vm, |database| {
                let (statement, end) = database.prepare(&text, start)?;
                let Some(statement) = statement else {
                    return Ok(end);
                };
                let code = loop {
                    match statement.step() {
                        ffi::SQLITE_ROW => {}
                        code => break code,
                    }
                };
                let failure = database.failure();
                statement.finalize();
                if code == ffi::SQLITE_DONE {
                    Ok(end)
                } else {
                    Err(failure)
                }
            })?;
        }
        Ok(())
    }

    #[pymethod]
    fn changes(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<i64> {
        zelf.with(vm, |database| Ok(database.changes()))
    }

    #[pymethod]
    fn total_changes(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<i64> {
        zelf.with(vm, |database| Ok(database.total_changes()))
    }

    #[pymethod]
    fn last_insert_rowid(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<i64> {
        zelf.with(vm, |database| Ok(database.last_insert_rowid()))
    }

    #[pymethod]
    fn autocommit(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
        zelf.with(vm, |database| Ok(database.autocommit()))
    }

    /// Takes no turn, because it interrupts the thread that has the turn.
    #[pymethod]
    fn interrupt(zelf: &Py<Self>) {
        zelf.inner.interrupt();
    }

    #[pymethod]
    fn busy_timeout(zelf: &Py<Self>, milliseconds: c_int, vm: &VirtualMachine) -> PyResult<()> {
        zelf.with(vm, |database| {
            database.busy_timeout(milliseconds);
            Ok(())
        })
    }

    #[pymethod(name = "limit")]
    fn py_limit(
        zelf: &Py<Self>,
        which: c_int,
        value: c_int,
        vm: &VirtualMachine,
    ) -> PyResult<c_int> {
        zelf.limit(which, value, vm)
    }

    /// The caller lets through only switches that take an `int`.
    #[pymethod]
    fn switch(zelf: &Py<Self>, which: c_int, value: c_int, vm: &VirtualMachine) -> PyResult<bool> {
        zelf.with(vm, |database| database.switch(which, value))
    }

    #[pymethod]
    fn function(
        zelf: &Py<Self>,
        name: PyUtf8StrRef,
        arguments: c_int,
        kind: u8,
        deterministic: bool,
        callable: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let name = no_nul(&name, vm)?;
        let kind = match kind {
            0 => Kind::Function,
            1 => Kind::Aggregate,
            _ => Kind::Window,
        };
        let how = Registration {
            name: &name,
            arguments,
            deterministic,
        };
        let callable = some(callable, vm);
        zelf.with(vm, |database| {
            hooks::register(database, &how, kind, callable)
        })
    }

    #[pymethod]
    fn collation(
        zelf: &Py<Self>,
        name: PyUtf8StrRef,
        callable: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let name = no_nul(&name, vm)?;
        let callable = some(callable, vm);
        zelf.with(vm, |database| hooks::collation(database, &name, callable))
    }

    #[pymethod]
    fn set_authorizer(zelf: &Py<Self>, callable: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        zelf.install(Handler::Authorizer, some(callable, vm), vm)
    }

    #[pymethod]
    fn set_progress(
        zelf: &Py<Self>,
        callable: PyObjectRef,
        steps: c_int,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        zelf.install(Handler::Progress(steps), some(callable, vm), vm)
    }

    #[pymethod]
    fn set_trace(zelf: &Py<Self>, callable: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        zelf.install(Handler::Trace, some(callable, vm), vm)
    }

    #[pymethod]
    fn serialize(
        zelf: &Py<Self>,
        schema: PyUtf8StrRef,
        vm: &VirtualMachine,
    ) -> PyResult<Option<PyRef<PyBytes>>> {
        let schema = no_nul(&schema, vm)?;
        let bytes = zelf.with(vm, |database| Ok(database.serialize(&schema)))?;
        Ok(bytes.map(|bytes| vm.ctx.new_bytes(bytes)))
    }

    #[pymethod]
    fn deserialize(
        zelf: &Py<Self>,
        schema: PyUtf8StrRef,
        data: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let schema = no_nul(&schema, vm)?;
        // Before: SQLite calls Python on the way, and another thread may change the bytes then.
        let image = interface::Image::of(&data.borrow_buf());
        let image = image.map_err(|failure| failed(failure, vm))?;
        zelf.with(vm, |database| database.deserialize(&schema, image))
    }

    #[pymethod]
    fn blob(
        zelf: &Py<Self>,
        schema: PyUtf8StrRef,
        table: PyUtf8StrRef,
        column: PyUtf8StrRef,
        row: i64,
        writable: bool,
        vm: &VirtualMachine,
    ) -> PyResult<Blob> {
        let (schema, table, column) = (
            no_nul(&schema, vm)?,
            no_nul(&table, vm)?,
            no_nul(&column, vm)?,
        );
        let place = interface::Place {
            schema: &schema,
            table: &table,
            column: &column,
            row,
        };
        let inner = zelf.with(vm, |database| {
            interface::Blob::open(database, &place, writable)
        })?;
        Ok(Blob::new(inner, zelf.to_owned()))
    }

    /// Starts a copy of `schema` of `source` into this database.
    #[pymethod]
    fn backup_from(
        zelf: &Py<Self>,
        source: PyRef<Self>,
        schema: PyUtf8StrRef,
        vm: &VirtualMachine,
    ) -> PyResult<Backup> {
        let schema = no_nul(&schema, vm)?;
        let _turn = source.turns.take();
        if source.inner.is_closed() {
            return Err(refused(
                "ProgrammingError",
                "Cannot operate on a closed database.",
                vm,
            ));
        }
        let inner = zelf.with(vm, |target| {
            interface::Backup::open(target, &source.inner, &schema)
        })?;
        Ok(Backup::new(inner, zelf.to_owned(), source.clone()))
    }
}

impl Database {
    fn limit(&self, which: c_int, value: c_int, vm: &VirtualMachine) -> PyResult<c_int> {
        self.with(vm, |database| Ok(database.limit(which, value)))
    }
}
