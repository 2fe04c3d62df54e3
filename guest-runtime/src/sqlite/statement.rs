//! `Statement`: values go in, rows come out. It is finalized when Python forgets it,
//! or when its database is closed.

use std::cell::Cell;
use std::ffi::c_int;

use libsqlite3_sys as ffi;
use rustpython_vm::{
    AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
    builtins::{PyByteArray, PyBytes, PyFloat, PyInt, PyListRef, PyStr},
    common::lock::PyMutex,
    convert::ToPyObject,
    pyclass,
};

use super::database::Database;
use super::error::{failed, failed_with, refused};
use super::hooks::{self, Lent};
use super::interface::{self, Failure, Value};
use super::some;

#[pyclass(module = "_cordon_sqlite", name = "Statement")]
#[derive(Debug, PyPayload)]
pub(super) struct Statement {
    inner: interface::Statement,
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
    pub(super) fn new(
        inner: interface::Statement,
        database: PyRef<Database>,
        changes_data: bool,
    ) -> Self {
        Self {
            inner,
            database,
            changes_data,
            claimed: Cell::new(false).into(),
        }
    }

    fn with<R>(
        &self,
        vm: &VirtualMachine,
        f: impl FnOnce(&interface::Statement, &interface::Database) -> Result<R, Failure>,
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
                        // CPython takes an empty value for none.
                        let bytes = bytes.filter(|bytes| !bytes.is_empty());
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
            (Ok(bytes), Text::Factory(factory)) if bytes.downcast_ref::<PyBytes>().is_some() => {
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
                let text = format!("Could not decode to UTF-8 column '{name}' with text '{text}'");
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
    fn new(factory: PyObjectRef, converters: PyObjectRef, vm: &VirtualMachine) -> PyResult<Self> {
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

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Statement {
    /// Takes the statement for a cursor; false when another cursor has it.
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

    /// Gives the statement back to the connection's cache, at its beginning.
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
            let names = (1..=statement.parameters()).map(|index| statement.parameter_name(index));
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
