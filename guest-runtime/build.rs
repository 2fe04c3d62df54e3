//! Puts functions of the guest in front of those of libraries: `paths` between the C library's file
//! functions and their resolution of a path, `stack` in the place where the interpreter asks for the
//! stack pointer.

fn main() {
    for function in [
        "__wasilibc_find_relpath",
        "__wasilibc_find_relpath_alloc",
        "rust_psm_stack_pointer",
    ] {
        println!("cargo:rustc-link-arg=--wrap={function}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
