//! Puts `paths` between the C library's file functions and their resolution of a path.

fn main() {
    for function in ["__wasilibc_find_relpath", "__wasilibc_find_relpath_alloc"] {
        println!("cargo:rustc-link-arg=--wrap={function}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
