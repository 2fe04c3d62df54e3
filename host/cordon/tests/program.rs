//! The program itself. With this file here, `cargo test` builds the program that the
//! packages of `tests/` start.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
fn the_program_tells_its_version() {
    let program = env!("CARGO_BIN_EXE_cordon");
    let output = Command::new(program).arg("--version").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(said.trim(), format!("cordon {}", env!("CARGO_PKG_VERSION")));
}
