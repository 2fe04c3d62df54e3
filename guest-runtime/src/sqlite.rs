//! `_cordon_sqlite`: the native half of Python's `sqlite3`.
//!
//! Databases, statements, blobs and backups as the Python half (`_sqlite3.py` and
//! what it imports) needs them; what the DB-API makes of them is decided there.
//!
//! SQLite is compiled without locks of its own. Tasks switch only where Python
//! blocks, and SQLite calls Python in the middle of a statement, so every use of a
//! connection takes the connection's turn: a second thread waits for it as it
//! would for CPython's mutex. A callback may use its own connection.

pub(crate) use _cordon_sqlite::module_def;

#[rustpython_vm::pymodule]
mod _cordon_sqlite {
    use std::cell::{Cell, RefCell};
    use std::collections::HashSet;
    use std::ffi::{CString, c_int};

    use libsqlite3_sys as ffi;
    use rustpython_vm::{
        AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::{
            PyBaseException, PyBaseExceptionRef, PyByteArray, PyBytes, PyFloat, PyInt, PyListRef,
            PyStr, PyUtf8StrRef,
        },
        common::lock::PyMutex,
        convert::ToPyObject,
        function::ArgBytesLike,
        pyclass,
    };

    use crate::lock::Turns;
    use crate::single::Single;
    use crate::sqlite_ffi::{self as sqlite, Failure, Value, c_string};
    use crate::sqlite_hooks::{self as hooks, Handler, Installed, Kind, Lent, Registration};
    use crate::sqlite_system;

    /// `make(code or name of an exception class, text)` in `_cordon_sqlite_errors`.
    static MAKE_ERROR: Single<RefCell<Option<PyObjectRef>>> = Single(RefCell::new(None));

    /// An exception of the Python half.
    fn raise(kind: PyObjectRef, text: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
        let Some(make) = MAKE_ERROR.borrow().clone() else {
            return vm.new_runtime_error(text);
        };
        match make
            .call((kind, text), vm)
            .map(PyObjectRef::downcast::<PyBaseException>)
        {
            Ok(Ok(error)) => error,
            Ok(Err(_)) => vm.new_type_error("no exception was made"),
            Err(error) => error,
        }
    }

    fn failed(failure: Failure, vm: &VirtualMachine) -> PyBaseExceptionRef {
        raise(vm.ctx.new_int(failure.code).into(), failure.message, vm)
    }

    fn failed_with(code: c_int, vm: &VirtualMachine) -> PyBaseExceptionRef {
        failed(Failure::of_code(code), vm)
    }

    /// The class by its name: for what the module itself objects to.
    fn refused(class: &str, text: impl Into<String>, vm: &VirtualMachine) -> PyBaseExceptionRef {
        raise(vm.ctx.new_str(class).into(), text.into(), vm)
    }

    fn no_nul(text: &PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<CString> {
        c_string(text.as_str()).ok_or_else(|| vm.new_value_error("embedded null character"))
    }

    fn some(object: PyObjectRef, vm: &VirtualMachine) -> Option<PyObjectRef> {
        (!vm.is_none(&object)).then_some(object)
    }

    /// Sets the module up; called when `_sqlite3` is imported. `make_error` makes the
    /// exceptions, `localtime` is `time.localtime`.
    #[pyfunction]
    fn prepare(make_error: PyObjectRef, localtime: PyObjectRef) {
        MAKE_ERROR.replace(Some(make_error));
        sqlite_system::prepare(localtime);
    }

    #[pyfunction]
    fn version() -> String {
        ffi::SQLITE_VERSION.to_string_lossy().into_owned()
    }

    #[pyfunction]
    fn is_complete(sql: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<bool> {
        Ok(sqlite::is_complete(&no_nul(&sql, vm)?))
    }

    #[pyfunction]
    fn describe(code: c_int) -> String {
        Failure::of_code(code).message
    }

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Database")]
    #[derive(Debug, PyPayload)]
    struct Database {
        inner: sqlite::Database,
        turns: Turns,
        /// Numbers of the statements that are not finalized.
        statements: PyMutex<HashSet<usize>>,
        /// Statements that were dropped while another thread had the turn.
        dropped: PyMutex<Vec<usize>>,
        authorizer: PyMutex<Installed>,
        progress: PyMutex<Installed>,
        trace: PyMutex<Installed>,
    }

    /// Opens a database; the flags are SQLite's.
    #[pyfunction]
    fn open(name: ArgBytesLike, flags: c_int, vm: &VirtualMachine) -> PyResult<Database> {
        let name = CString::new(name.borrow_buf().to_vec())
            .map_err(|_| vm.new_value_error("embedded null byte"))?;
        let inner = sqlite::Database::open(&name, flags).map_err(|error| failed(error, vm))?;
        Ok(Database {
            inner,
            turns: Turns::default(),
            statements: PyMutex::default(),
            dropped: PyMutex::default(),
            authorizer: PyMutex::default(),
            progress: PyMutex::default(),
            trace: PyMutex::default(),
        })
    }

    impl Database {
        /// Runs `f` while nobody else uses the connection.
        fn with<R>(
            &self,
            vm: &VirtualMachine,
            f: impl FnOnce(&sqlite::Database) -> Result<R, Failure>,
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
        fn finalize(&self, id: usize) {
            if self.statements.lock().remove(&id) {
                // SAFETY: it was in the set of those that are not finalized, and the
                // set is emptied when the database is closed.
                unsafe { sqlite::finalize_by_id(id) };
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
                unsafe { sqlite::finalize_by_id(id) };
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
            // Statements hold a reference to it, so none is left.
            self.close_all();
        }
    }

    #[pyclass]
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
            let statement = Statement {
                changes_data: !inner.is_readonly() && begins_with_change(text),
                inner,
                database: zelf.to_owned(),
                claimed: Cell::new(false).into(),
            };
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

        /// Takes no turn: it is for whoever has it.
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
        fn switch(
            zelf: &Py<Self>,
            which: c_int,
            value: c_int,
            vm: &VirtualMachine,
        ) -> PyResult<bool> {
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
        fn set_authorizer(
            zelf: &Py<Self>,
            callable: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
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
            zelf.with(vm, |database| {
                database.deserialize(&schema, &data.borrow_buf())
            })
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
            let place = sqlite::Place {
                schema: &schema,
                table: &table,
                column: &column,
                row,
            };
            let inner = zelf.with(vm, |database| {
                sqlite::Blob::open(database, &place, writable)
            })?;
            Ok(Blob {
                inner,
                database: zelf.to_owned(),
            })
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
                sqlite::Backup::open(target, &source.inner, &schema)
            })?;
            Ok(Backup {
                inner,
                target: zelf.to_owned(),
                source: source.clone(),
            })
        }
    }

    impl Database {
        fn limit(&self, which: c_int, value: c_int, vm: &VirtualMachine) -> PyResult<c_int> {
            self.with(vm, |database| Ok(database.limit(which, value)))
        }
    }

    fn length_of(text: &str) -> c_int {
        c_int::try_from(text.len()).unwrap_or(c_int::MAX)
    }

    /// What follows blanks and remarks of SQL.
    fn skip_remarks(text: &str) -> &str {
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\x0c', '\n', '\r', ';']);
            let after = if let Some(remark) = rest.strip_prefix("--") {
                remark.split_once('\n').map(|(_, after)| after)
            } else if let Some(remark) = rest.strip_prefix("/*") {
                remark.split_once("*/").map(|(_, after)| after)
            } else {
                return rest;
            };
            rest = after.unwrap_or_default();
        }
    }

    /// Whether the statement is one of those before which a transaction is begun.
    fn begins_with_change(sql: &str) -> bool {
        let sql = skip_remarks(sql).as_bytes();
        ["insert", "update", "delete", "replace"]
            .iter()
            .any(|word| {
                sql.get(..word.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            })
    }

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Statement")]
    #[derive(Debug, PyPayload)]
    struct Statement {
        inner: sqlite::Statement,
        database: PyRef<Database>,
        /// INSERT, UPDATE, DELETE or REPLACE.
        changes_data: bool,
        /// A cursor uses it.
        claimed: PyMutex<Cell<bool>>,
    }

    impl Drop for Statement {
        fn drop(&mut self) {
            let database = &self.database;
            match database.turns.try_take() {
                Some(_turn) => database.finalize(self.inner.id()),
                // Waiting in here would let others run in the middle of anything.
                None => database.dropped.lock().push(self.inner.id()),
            }
            self.inner.forget();
        }
    }

    impl Statement {
        fn with<R>(
            &self,
            vm: &VirtualMachine,
            f: impl FnOnce(&sqlite::Statement, &sqlite::Database) -> Result<R, Failure>,
        ) -> PyResult<R> {
            self.database.with(vm, |database| f(&self.inner, database))
        }

        fn bind_all(
            &self,
            values: &[PyObjectRef],
            adapt: &PyObjectRef,
            adapt_all: bool,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            for (index, value) in values.iter().enumerate() {
                let adapted;
                let value = if adapt_all || needs_adapter(value, vm) {
                    adapted = adapt.call((value.clone(),), vm)?;
                    &adapted
                } else {
                    value
                };
                // Again after each adapter, which may have closed the database.
                if self.database.inner.is_closed() {
                    return Err(refused(
                        "ProgrammingError",
                        "Cannot operate on a closed database.",
                        vm,
                    ));
                }
                let number = c_int::try_from(index)
                    .unwrap_or(c_int::MAX)
                    .saturating_add(1);
                match hooks::with_value(value, vm, |value| self.inner.bind(number, value))? {
                    Lent::Used(ffi::SQLITE_OK) => {}
                    Lent::Used(ffi::SQLITE_TOOBIG) => {
                        return Err(failed_with(ffi::SQLITE_TOOBIG, vm));
                    }
                    Lent::Used(_) => return Err(failed(self.database.inner.failure(), vm)),
                    Lent::Unsupported => {
                        let class = value.class().name().to_string();
                        let text = format!(
                            "Error binding parameter {number}: type '{class}' is not supported"
                        );
                        return Err(refused("ProgrammingError", text, vm));
                    }
                }
            }
            Ok(())
        }

        fn step_now(&self, vm: &VirtualMachine) -> PyResult<bool> {
            self.with(vm, |statement, database| match statement.step() {
                ffi::SQLITE_ROW => Ok(true),
                ffi::SQLITE_DONE => Ok(false),
                _ => Err(database.failure()),
            })
        }

        fn row_now(&self, reading: &Reading, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
            let columns = self.inner.columns_now();
            let mut row = Vec::with_capacity(usize::try_from(columns).unwrap_or(0));
            for (index, position) in (0..columns).enumerate() {
                let converter = reading.converters.as_ref().and_then(|all| all.get(index));
                row.push(match converter {
                    Some(converter) if !vm.is_none(converter) => {
                        let bytes = self.inner.column_bytes(position, |bytes| {
                            bytes.map(|bytes| vm.ctx.new_bytes(bytes.to_vec()))
                        });
                        match bytes {
                            Some(bytes) => converter.call((bytes,), vm)?,
                            None => vm.ctx.none(),
                        }
                    }
                    _ => self.column(position, reading, vm)?,
                });
                // Converters and text factories are Python, and may have closed it.
                if self.database.inner.is_closed() || self.inner.columns_now() != columns {
                    return Err(refused("ProgrammingError", "the row is gone", vm));
                }
            }
            Ok(vm.ctx.new_tuple(row).into())
        }

        fn column(
            &self,
            position: c_int,
            reading: &Reading,
            vm: &VirtualMachine,
        ) -> PyResult<PyObjectRef> {
            let raw = self.inner.column(position, |value| match value {
                Value::Text(text) => match reading.text {
                    Text::Str => match std::str::from_utf8(text) {
                        Ok(text) => Ok(vm.ctx.new_str(text).into()),
                        Err(_) => Err(String::from_utf8_lossy(text).into_owned()),
                    },
                    Text::ByteArray => Ok(PyByteArray::from(text.to_vec()).to_pyobject(vm)),
                    Text::Bytes | Text::Factory(_) => Ok(vm.ctx.new_bytes(text.to_vec()).into()),
                },
                other => Ok(hooks::to_python(&other, vm)),
            });
            match (raw, &reading.text) {
                (Ok(bytes), Text::Factory(factory))
                    if bytes.downcast_ref::<PyBytes>().is_some() =>
                {
                    let is_text = self
                        .inner
                        .column(position, |value| matches!(value, Value::Text(_)));
                    if is_text {
                        factory.call((bytes,), vm)
                    } else {
                        Ok(bytes)
                    }
                }
                (Ok(value), _) => Ok(value),
                (Err(text), _) => {
                    let name = self.inner.column_name(position);
                    let text =
                        format!("Could not decode to UTF-8 column '{name}' with text '{text}'");
                    Err(refused("OperationalError", text, vm))
                }
            }
        }
    }

    /// How columns become objects.
    struct Reading {
        text: Text,
        /// One per column, None for those without.
        converters: Option<Vec<PyObjectRef>>,
    }

    enum Text {
        Str,
        Bytes,
        ByteArray,
        Factory(PyObjectRef),
    }

    impl Reading {
        fn new(
            factory: PyObjectRef,
            converters: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<Self> {
            let types = &vm.ctx.types;
            let text = if factory.is(types.str_type) {
                Text::Str
            } else if factory.is(types.bytes_type) {
                Text::Bytes
            } else if factory.is(types.bytearray_type) {
                Text::ByteArray
            } else {
                Text::Factory(factory)
            };
            let converters = match some(converters, vm) {
                Some(converters) => Some(converters.try_into_value(vm)?),
                None => None,
            };
            Ok(Self { text, converters })
        }
    }

    /// Exact built-in types go to SQLite as they are.
    fn needs_adapter(value: &PyObjectRef, vm: &VirtualMachine) -> bool {
        !(vm.is_none(value)
            || value.downcast_ref_if_exact::<PyInt>(vm).is_some()
            || value.downcast_ref_if_exact::<PyStr>(vm).is_some()
            || value.downcast_ref_if_exact::<PyFloat>(vm).is_some()
            || value.downcast_ref_if_exact::<PyBytes>(vm).is_some()
            || value.downcast_ref_if_exact::<PyByteArray>(vm).is_some())
    }

    #[pyclass]
    impl Statement {
        /// Takes it for a cursor; false when another one has it.
        #[pymethod]
        fn claim(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            if zelf.claimed.lock().replace(true) {
                return Ok(false);
            }
            zelf.with(vm, |statement, _| {
                if statement.is_busy() {
                    statement.reset();
                }
                Ok(true)
            })
        }

        /// Gives it back to the connection's cache, at its beginning.
        #[pymethod]
        fn release(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            if !zelf.database.inner.is_closed() {
                zelf.with(vm, |statement, _| {
                    statement.reset();
                    Ok(())
                })?;
            }
            zelf.claimed.lock().set(false);
            Ok(())
        }

        #[pygetset]
        fn changes_data(zelf: &Py<Self>) -> bool {
            zelf.changes_data
        }

        #[pymethod]
        fn is_readonly(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            zelf.with(vm, |statement, _| Ok(statement.is_readonly()))
        }

        #[pymethod]
        fn parameter_count(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<c_int> {
            zelf.with(vm, |statement, _| Ok(statement.parameters()))
        }

        /// Names of all parameters, with their prefix; None for nameless ones.
        #[pymethod]
        fn parameter_names(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
            zelf.with(vm, |statement, _| {
                let names =
                    (1..=statement.parameters()).map(|index| statement.parameter_name(index));
                Ok(names.map(|name| name.to_pyobject(vm)).collect())
            })
        }

        /// From the beginning, with these values, to the first row; true if there is one.
        #[pymethod]
        fn run(
            zelf: &Py<Self>,
            values: Vec<PyObjectRef>,
            adapt: PyObjectRef,
            adapt_all: bool,
            vm: &VirtualMachine,
        ) -> PyResult<bool> {
            let _turn = zelf.database.turns.take();
            zelf.with(vm, |statement, _| {
                statement.reset();
                statement.clear_bindings();
                Ok(())
            })?;
            zelf.bind_all(&values, &adapt, adapt_all, vm)?;
            zelf.step_now(vm)
        }

        #[pymethod]
        fn step(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            zelf.step_now(vm)
        }

        /// Whether there is a row to read.
        #[pymethod]
        fn has_row(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            zelf.with(vm, |statement, _| Ok(statement.columns_now() > 0))
        }

        /// The row that it came to.
        #[pymethod]
        fn row(
            zelf: &Py<Self>,
            factory: PyObjectRef,
            converters: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<PyObjectRef> {
            let reading = Reading::new(factory, converters, vm)?;
            let _turn = zelf.database.turns.take();
            zelf.with(vm, |_, _| Ok(()))?;
            zelf.row_now(&reading, vm)
        }

        /// Appends rows to `rows` until there are `most` (all, if negative), and says
        /// whether a row is left to read.
        #[pymethod]
        fn rows(
            zelf: &Py<Self>,
            rows: PyListRef,
            most: isize,
            factory: PyObjectRef,
            converters: PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<bool> {
            let reading = Reading::new(factory, converters, vm)?;
            let _turn = zelf.database.turns.take();
            zelf.with(vm, |_, _| Ok(()))?;
            let mut left = zelf.inner.columns_now() > 0;
            while left && (most < 0 || rows.borrow_vec().len() < most.unsigned_abs()) {
                let row = zelf.row_now(&reading, vm)?;
                left = zelf.step_now(vm)?;
                rows.borrow_vec_mut().push(row);
            }
            Ok(left)
        }

        #[pymethod]
        fn column_names(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
            zelf.with(vm, |statement, _| {
                let names = (0..statement.columns()).map(|index| statement.column_name(index));
                Ok(names.map(|name| name.to_pyobject(vm)).collect())
            })
        }

        #[pymethod]
        fn declared_types(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
            zelf.with(vm, |statement, _| {
                let types = (0..statement.columns()).map(|index| statement.declared_type(index));
                Ok(types.map(|declared| declared.to_pyobject(vm)).collect())
            })
        }
    }

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "BlobHandle")]
    #[derive(Debug, PyPayload)]
    struct Blob {
        inner: sqlite::Blob,
        database: PyRef<Database>,
    }

    impl Drop for Blob {
        fn drop(&mut self) {
            self.inner.close();
        }
    }

    #[pyclass]
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
            // The caller looked at the length already; this bounds what is allocated.
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
            zelf.database.with(vm, |database| {
                match zelf.inner.write(&data.borrow_buf(), offset) {
                    ffi::SQLITE_OK => Ok(()),
                    ffi::SQLITE_ABORT => Err(Failure::of_code(ffi::SQLITE_ABORT)),
                    _ => Err(database.failure()),
                }
            })
        }

        #[pymethod]
        fn close(zelf: &Py<Self>) {
            let _turn = zelf.database.turns.take();
            zelf.inner.close();
        }
    }

    #[pyattr]
    #[pyclass(module = "_cordon_sqlite", name = "Backup")]
    #[derive(Debug, PyPayload)]
    struct Backup {
        inner: sqlite::Backup,
        target: PyRef<Database>,
        source: PyRef<Database>,
    }

    impl Drop for Backup {
        fn drop(&mut self) {
            self.inner.finish();
        }
    }

    #[pyclass]
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
}
