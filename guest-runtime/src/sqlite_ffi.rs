//! SQLite's C interface in safe words: databases, statements, blobs, backups.
//!
//! Nothing here knows Python. What calls back into Python is in `sqlite_hooks`.
//! SQLite is compiled without threads; callers hold the connection's turn (see
//! `sqlite`), because a callback into Python may block and let another task in.
//!
//! Every pointer is kept in a [`Handle`] that is null once the thing is gone, and
//! SQLite is never called with a null where it would not take one.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::ptr;

use libsqlite3_sys as ffi;

unsafe extern "C" {
    /// Closes a database once the last blob or backup of it is closed. The bindings
    /// have only the form that refuses.
    fn sqlite3_close_v2(database: *mut ffi::sqlite3) -> c_int;
}

/// A pointer of SQLite's that is null once what it stood for is gone.
pub struct Handle<T>(Cell<*mut T>);

// SAFETY: wasm without shared memory has one thread.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Handle<T> {
    fn new(pointer: *mut T) -> Self {
        Self(Cell::new(pointer))
    }

    pub(crate) fn get(&self) -> *mut T {
        self.0.get()
    }

    fn take(&self) -> *mut T {
        self.0.replace(ptr::null_mut())
    }

    /// Whether what the pointer stood for is gone.
    pub fn is_gone(&self) -> bool {
        self.0.get().is_null()
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.0.get())
    }
}

/// What SQLite says of a call that did not work: extended result code and text.
pub struct Failure {
    pub code: c_int,
    pub message: String,
}

impl Failure {
    /// A result code with SQLite's own words for it.
    pub fn of_code(code: c_int) -> Self {
        // SAFETY: takes any code; the text is a constant.
        let message = unsafe { owned(ffi::sqlite3_errstr(code)) };
        Self { code, message }
    }
}

/// A copy of a C string; empty for null.
///
/// # Safety
///
/// `text` is null or ends with a zero.
pub(crate) unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A slice of what SQLite lent; empty for null.
///
/// # Safety
///
/// `data` is null or valid for `length` bytes as long as the slice is used.
pub(crate) unsafe fn lent<'a>(data: *const u8, length: c_int) -> &'a [u8] {
    let length = usize::try_from(length).unwrap_or(0);
    if data.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, length) }
}

/// A value of SQLite's five kinds. Text is UTF-8 as far as its writer cared.
pub enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    handle: Handle<ffi::sqlite3>,
}

impl Database {
    /// Opens the file, or the memory, that `name` stands for.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says; the half-open database is closed.
    pub fn open(name: &CStr, flags: c_int) -> Result<Self, Failure> {
        let mut pointer = ptr::null_mut();
        // SAFETY: all pointers are valid for the call.
        let code =
            unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &raw mut pointer, flags, ptr::null()) };
        if pointer.is_null() {
            return Err(Failure::of_code(ffi::SQLITE_NOMEM));
        }
        let database = Self {
            handle: Handle::new(pointer),
        };
        if code != ffi::SQLITE_OK {
            let failure = database.failure();
            database.close();
            return Err(failure);
        }
        // SAFETY: open. Codes of every call are the extended ones from here on.
        unsafe { ffi::sqlite3_extended_result_codes(pointer, 1) };
        Ok(database)
    }

    pub(crate) fn raw(&self) -> *mut ffi::sqlite3 {
        self.handle.get()
    }

    pub fn is_closed(&self) -> bool {
        self.handle.is_gone()
    }

    /// Closes it. Blobs and backups that are open keep what they need until they
    /// are closed themselves.
    pub fn close(&self) -> c_int {
        // SAFETY: a null is allowed; statements were finalized by the caller.
        unsafe { sqlite3_close_v2(self.handle.take()) }
    }

    /// The error of the last call.
    pub fn failure(&self) -> Failure {
        // SAFETY: SQLite takes a null here and says "out of memory" then.
        unsafe {
            Failure {
                code: ffi::sqlite3_extended_errcode(self.raw()),
                message: owned(ffi::sqlite3_errmsg(self.raw())),
            }
        }
    }

    /// Ok for `SQLITE_OK`, else the error of the last call.
    pub fn check(&self, code: c_int) -> Result<(), Failure> {
        match code {
            ffi::SQLITE_OK => Ok(()),
            _ => Err(self.failure()),
        }
    }

    /// Compiles the first statement of `sql` from byte `start` on. None when only a
    /// remark is left. The number is where the next statement begins.
    ///
    /// # Errors
    ///
    /// What the compiler says.
    pub fn prepare(&self, sql: &CStr, start: usize) -> Result<(Option<Statement>, usize), Failure> {
        let first = sql.as_ptr();
        let mut pointer = ptr::null_mut();
        let mut tail = ptr::null();
        // Kept for long: statements live in the connection's cache.
        let flags = ffi::SQLITE_PREPARE_PERSISTENT as c_uint;
        // SAFETY: the database is open (the caller looked); the text ends with zero, and
        // `start` is kept before it.
        let code = unsafe {
            let text = first.add(start.min(sql.count_bytes()));
            ffi::sqlite3_prepare_v3(self.raw(), text, -1, flags, &raw mut pointer, &raw mut tail)
        };
        self.check(code)?;
        let end = (tail as usize).saturating_sub(first as usize);
        let statement = (!pointer.is_null()).then(|| Statement {
            handle: Handle::new(pointer),
        });
        Ok((statement, end))
    }

    /// Rows that the last statement changed.
    pub fn changes(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_changes64(self.raw()) }
    }

    pub fn total_changes(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_total_changes64(self.raw()) }
    }

    pub fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.raw()) }
    }

    /// Whether no transaction is open.
    pub fn autocommit(&self) -> bool {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw()) != 0 }
    }

    /// Makes whatever runs now fail with `SQLITE_INTERRUPT`.
    pub fn interrupt(&self) {
        if !self.is_closed() {
            // SAFETY: the database is open; allowed while a statement runs.
            unsafe { ffi::sqlite3_interrupt(self.raw()) };
        }
    }

    pub fn busy_timeout(&self, milliseconds: c_int) {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_busy_timeout(self.raw(), milliseconds) };
    }

    /// Sets a limit and returns what it was; a negative value only asks.
    pub fn limit(&self, which: c_int, value: c_int) -> c_int {
        // SAFETY: the database is open; an unknown limit gives -1.
        unsafe { ffi::sqlite3_limit(self.raw(), which, value) }
    }

    /// Sets a switch of the connection, or asks for it with a negative value.
    ///
    /// # Errors
    ///
    /// A switch that SQLite does not know.
    pub fn switch(&self, which: c_int, value: c_int) -> Result<bool, Failure> {
        let mut state: c_int = 0;
        // SAFETY: the switches that the caller lets through take these two.
        let code = unsafe { ffi::sqlite3_db_config(self.raw(), which, value, &raw mut state) };
        self.check(code).map(|()| state != 0)
    }

    /// The whole database as a file would hold it; None when there is no memory.
    pub fn serialize(&self, schema: &CStr) -> Option<Vec<u8>> {
        let mut length = 0_i64;
        // SAFETY: open, and the name ends with zero.
        let data =
            unsafe { ffi::sqlite3_serialize(self.raw(), schema.as_ptr(), &raw mut length, 0) };
        if data.is_null() {
            return None;
        }
        let length = usize::try_from(length).unwrap_or(0);
        // SAFETY: SQLite allocated that many bytes for us.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) }.to_vec();
        // SAFETY: ours to free.
        unsafe { ffi::sqlite3_free(data.cast()) };
        Some(bytes)
    }

    /// Puts a database from memory into the place of `schema`.
    ///
    /// # Errors
    ///
    /// No memory, or a database that is in use.
    pub fn deserialize(&self, schema: &CStr, bytes: &[u8]) -> Result<(), Failure> {
        let length = bytes.len() as u64;
        // SAFETY: a null result is checked.
        let copy: *mut u8 = unsafe { ffi::sqlite3_malloc64(length.max(1)) }.cast();
        if copy.is_null() {
            return Err(Failure::of_code(ffi::SQLITE_NOMEM));
        }
        // SAFETY: the block is that long and new.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len()) };
        let flags = ffi::SQLITE_DESERIALIZE_FREEONCLOSE | ffi::SQLITE_DESERIALIZE_RESIZEABLE;
        let size = bytes.len() as i64;
        // SAFETY: the block is SQLite's from here on, also when it fails.
        let code = unsafe {
            ffi::sqlite3_deserialize(
                self.raw(),
                schema.as_ptr(),
                copy,
                size,
                size,
                flags as c_uint,
            )
        };
        self.check(code)
    }
}

/// A compiled statement.
#[derive(Debug)]
pub struct Statement {
    handle: Handle<ffi::sqlite3_stmt>,
}

impl Statement {
    fn raw(&self) -> *mut ffi::sqlite3_stmt {
        self.handle.get()
    }

    /// The number it is known by in its connection.
    pub fn id(&self) -> usize {
        self.raw() as usize
    }

    /// Runs to the next row: `SQLITE_ROW`, `SQLITE_DONE` or an error.
    pub fn step(&self) -> c_int {
        // SAFETY: not finalized (the caller looked).
        unsafe { ffi::sqlite3_step(self.raw()) }
    }

    /// Back to the beginning. The error it returns was told by `step` already.
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

/// One value of a table, opened for reading and writing in place.
#[derive(Debug)]
pub struct Blob {
    handle: Handle<ffi::sqlite3_blob>,
}

/// Where a blob is.
pub struct Place<'a> {
    pub schema: &'a CStr,
    pub table: &'a CStr,
    pub column: &'a CStr,
    pub row: i64,
}

impl Blob {
    /// # Errors
    ///
    /// No such row, column or table, or a value that is neither text nor blob.
    pub fn open(database: &Database, place: &Place<'_>, writable: bool) -> Result<Self, Failure> {
        let mut pointer = ptr::null_mut();
        // SAFETY: open, and the names end with zero.
        let code = unsafe {
            ffi::sqlite3_blob_open(
                database.raw(),
                place.schema.as_ptr(),
                place.table.as_ptr(),
                place.column.as_ptr(),
                place.row,
                c_int::from(writable),
                &raw mut pointer,
            )
        };
        database.check(code)?;
        Ok(Self {
            handle: Handle::new(pointer),
        })
    }

    pub fn length(&self) -> c_int {
        // SAFETY: a null gives 0.
        unsafe { ffi::sqlite3_blob_bytes(self.handle.get()) }
    }

    pub fn read(&self, into: &mut [u8], offset: c_int) -> c_int {
        let length = c_int::try_from(into.len()).unwrap_or(c_int::MAX);
        // SAFETY: the slice is that long; a null gives SQLITE_MISUSE.
        unsafe {
            ffi::sqlite3_blob_read(self.handle.get(), into.as_mut_ptr().cast(), length, offset)
        }
    }

    pub fn write(&self, bytes: &[u8], offset: c_int) -> c_int {
        let length = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
        // SAFETY: the slice is that long; a null gives SQLITE_MISUSE.
        unsafe { ffi::sqlite3_blob_write(self.handle.get(), bytes.as_ptr().cast(), length, offset) }
    }

    pub fn close(&self) {
        // SAFETY: a null is allowed.
        unsafe { ffi::sqlite3_blob_close(self.handle.take()) };
    }
}

/// A copy from one database to another under way.
#[derive(Debug)]
pub struct Backup {
    handle: Handle<ffi::sqlite3_backup>,
}

impl Backup {
    /// # Errors
    ///
    /// The target's error, such as a name it does not know.
    pub fn open(target: &Database, source: &Database, schema: &CStr) -> Result<Self, Failure> {
        // SAFETY: both are open, the names end with zero.
        let pointer = unsafe {
            ffi::sqlite3_backup_init(
                target.raw(),
                c"main".as_ptr(),
                source.raw(),
                schema.as_ptr(),
            )
        };
        if pointer.is_null() {
            return Err(target.failure());
        }
        Ok(Self {
            handle: Handle::new(pointer),
        })
    }

    pub fn step(&self, pages: c_int) -> c_int {
        // SAFETY: not finished (the caller looked).
        unsafe { ffi::sqlite3_backup_step(self.handle.get(), pages) }
    }

    /// Pages that remain, and pages in all, as of the last step.
    pub fn progress(&self) -> (c_int, c_int) {
        let backup = self.handle.get();
        // SAFETY: not finished.
        unsafe {
            (
                ffi::sqlite3_backup_remaining(backup),
                ffi::sqlite3_backup_pagecount(backup),
            )
        }
    }

    pub fn finish(&self) -> c_int {
        // SAFETY: a null is allowed.
        unsafe { ffi::sqlite3_backup_finish(self.handle.take()) }
    }

    pub fn is_finished(&self) -> bool {
        self.handle.is_gone()
    }
}

/// Whether the text ends with a whole statement.
pub fn is_complete(sql: &CStr) -> bool {
    // SAFETY: the text ends with zero.
    unsafe { ffi::sqlite3_complete(sql.as_ptr()) != 0 }
}

/// A C string; None when the text has a zero in it.
pub fn c_string(text: &str) -> Option<CString> {
    CString::new(text).ok()
}

/// Frees what SQLite keeps for `sqlite_hooks`.
pub(crate) type Destructor = Option<unsafe extern "C" fn(*mut c_void)>;
