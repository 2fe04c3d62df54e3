//! A compiled statement of SQLite's: its parameters, its steps and its columns.

use std::ffi::c_int;

use libsqlite3_sys as ffi;

use super::{Handle, Value, lent, owned};

/// A compiled statement.
#[derive(Debug)]
pub struct Statement {
    pub(super) handle: Handle<ffi::sqlite3_stmt>,
}

impl Statement {
    fn raw(&self) -> *mut ffi::sqlite3_stmt {
        self.handle.get()
    }

    /// The number of the statement in its connection.
    pub fn id(&self) -> usize {
        self.raw() as usize
    }

    /// Runs to the next row: `SQLITE_ROW`, `SQLITE_DONE` or an error.
    pub fn step(&self) -> c_int {
        // SAFETY: not finalized (the caller looked).
        unsafe { ffi::sqlite3_step(self.raw()) }
    }

    /// Goes back to the beginning. The error that SQLite returns here was told by `step`
    /// already.
    pub fn reset(&self) {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_reset(self.raw()) };
    }

    pub fn clear_bindings(&self) {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_clear_bindings(self.raw()) };
    }

    pub fn is_busy(&self) -> bool {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_stmt_busy(self.raw()) != 0 }
    }

    pub fn is_readonly(&self) -> bool {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw()) != 0 }
    }

    pub fn parameters(&self) -> c_int {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_bind_parameter_count(self.raw()) }
    }

    /// The name of a parameter with its prefix; None for a nameless one.
    pub fn parameter_name(&self, index: c_int) -> Option<String> {
        // SAFETY: not finalized; any index is allowed.
        let name = unsafe { ffi::sqlite3_bind_parameter_name(self.raw(), index) };
        // SAFETY: SQLite's own string.
        (!name.is_null()).then(|| unsafe { owned(name) })
    }

    /// Sets a parameter. The value is copied.
    pub fn bind(&self, index: c_int, value: &Value<'_>) -> c_int {
        let stmt = self.raw();
        let copy = ffi::SQLITE_TRANSIENT();
        // SAFETY: not finalized; slices are valid for the call and copied.
        unsafe {
            match value {
                Value::Null => ffi::sqlite3_bind_null(stmt, index),
                Value::Integer(number) => ffi::sqlite3_bind_int64(stmt, index, *number),
                Value::Real(number) => ffi::sqlite3_bind_double(stmt, index, *number),
                Value::Text(text) => ffi::sqlite3_bind_text64(
                    stmt,
                    index,
                    text.as_ptr().cast(),
                    text.len() as u64,
                    copy,
                    ffi::SQLITE_UTF8 as u8,
                ),
                // A null pointer would make it NULL: a slice's never is one.
                Value::Blob(bytes) => ffi::sqlite3_bind_blob64(
                    stmt,
                    index,
                    bytes.as_ptr().cast(),
                    bytes.len() as u64,
                    copy,
                ),
            }
        }
    }

    /// Columns of a row.
    pub fn columns(&self) -> c_int {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_column_count(self.raw()) }
    }

    /// Columns of the row that `step` came to; 0 when there is none.
    pub fn columns_now(&self) -> c_int {
        // SAFETY: not finalized.
        unsafe { ffi::sqlite3_data_count(self.raw()) }
    }

    pub fn column_name(&self, index: c_int) -> String {
        // SAFETY: not finalized; null for a wrong index.
        unsafe { owned(ffi::sqlite3_column_name(self.raw(), index)) }
    }

    /// The type that the table's definition gives the column.
    pub fn declared_type(&self, index: c_int) -> Option<String> {
        // SAFETY: not finalized; null for an expression.
        let text = unsafe { ffi::sqlite3_column_decltype(self.raw(), index) };
        // SAFETY: SQLite's own string.
        (!text.is_null()).then(|| unsafe { owned(text) })
    }

    /// A column of the row, lent to `f`, which must not run this statement.
    pub fn column<R>(&self, index: c_int, f: impl FnOnce(Value<'_>) -> R) -> R {
        let stmt = self.raw();
        // SAFETY: not finalized; text and blob are valid until the statement moves
        // on, which `f` does not make it do.
        let value = unsafe {
            match ffi::sqlite3_column_type(stmt, index) {
                ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_column_int64(stmt, index)),
                ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_column_double(stmt, index)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(stmt, index);
                    Value::Text(lent(text, ffi::sqlite3_column_bytes(stmt, index)))
                }
                ffi::SQLITE_BLOB => Value::Blob(self.blob(index)),
                _ => Value::Null,
            }
        };
        f(value)
    }

    /// The bytes of a column, whatever its kind, lent to `f` as by `column`; None
    /// for NULL.
    pub fn column_bytes<R>(&self, index: c_int, f: impl FnOnce(Option<&[u8]>) -> R) -> R {
        // SAFETY: not finalized; the bytes are valid as in `column`.
        unsafe {
            if ffi::sqlite3_column_type(self.raw(), index) == ffi::SQLITE_NULL {
                return f(None);
            }
            f(Some(self.blob(index)))
        }
    }

    /// # Safety
    ///
    /// The slice must not be used once the statement moved on.
    unsafe fn blob(&self, index: c_int) -> &[u8] {
        // SAFETY: not finalized; asked for in the order that SQLite wants.
        unsafe {
            let data = ffi::sqlite3_column_blob(self.raw(), index);
            lent(data.cast(), ffi::sqlite3_column_bytes(self.raw(), index))
        }
    }

    /// Frees it. Only while its database is open.
    pub fn finalize(&self) {
        // SAFETY: a null is allowed; the pointer is not used again.
        unsafe { ffi::sqlite3_finalize(self.handle.take()) };
    }

    /// Forgets a statement that was freed with its database.
    pub fn forget(&self) {
        self.handle.take();
    }
}

/// Frees the statement that `Statement::id` gave this number.
///
/// # Safety
///
/// The statement exists, belongs to an open database, and nobody uses it again.
pub unsafe fn finalize_by_id(id: usize) {
    // SAFETY: the caller's promise.
    unsafe { ffi::sqlite3_finalize(id as *mut ffi::sqlite3_stmt) };
}
