//! SQL as text: facts that are found without SQLite, and the way to hand it over.

use std::ffi::{CString, c_int};

use rustpython_vm::{PyResult, VirtualMachine, builtins::PyUtf8StrRef};

use super::interface::c_string;

pub(super) fn no_nul(text: &PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<CString> {
    c_string(text.as_str()).ok_or_else(|| vm.new_value_error("embedded null character"))
}

pub(super) fn length_of(text: &str) -> c_int {
    c_int::try_from(text.len()).unwrap_or(c_int::MAX)
}

/// The rest of a text after blanks and remarks of SQL.
pub(super) fn skip_remarks(text: &str) -> &str {
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
pub(super) fn begins_with_change(sql: &str) -> bool {
    let sql = skip_remarks(sql).as_bytes();
    ["insert", "update", "delete", "replace"]
        .iter()
        .any(|word| {
            sql.get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
        })
}
