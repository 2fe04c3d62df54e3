use super::diagnosis::{conflict, unmatched};
use super::*;

#[test]
fn the_package_in_the_way_is_read_from_the_last_words() {
    let words = "ERROR: Could not find a version that satisfies the requirement PyYAML>=5 (from versions: none)\nERROR: No matching distribution found for PyYAML>=5";
    assert_eq!(unmatched(words).as_deref(), Some("PyYAML"));
    assert_eq!(unmatched("ERROR: ResolutionImpossible"), None);
}

#[test]
fn a_file_is_what_its_address_ends_with() {
    assert_eq!(
        file_of("https://x/a/b-1%2Bx-py3-none-any.whl#sha256=1"),
        "b-1+x-py3-none-any.whl"
    );
}

#[test]
fn a_wrong_hash_is_told_from_other_failures() {
    let text = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you\n    idna==3.1 from file:///x/idna.whl (from -r fetch.txt (line 1)):\n        Expected sha256 a\n";
    assert!(
        matches!(failed(text.into()), PackagesError::Refused { file, .. } if file == "idna==3.1")
    );
    assert!(matches!(failed("x".into()), PackagesError::Resolver(_)));
}

fn output(stdout: &str) -> Output {
    Output {
        status: std::process::ExitStatus::default(),
        stdout: stdout.into(),
        stderr: Vec::new(),
    }
}

#[test]
fn the_packages_that_disagree_are_told() {
    let words = "Processing a\n\nThe conflict is caused by:\n    dep 1.0 depends on ws>=12\n    \
                 old 1.0 depends on ws<12\n\nTo fix this you could\n";
    let told = conflict(&output(words));
    assert!(told.contains("dep 1.0 depends on ws>=12\n") && told.ends_with("ws<12"));
    assert_eq!(conflict(&output("Processing a\n")), "");
}

#[test]
fn an_address_of_a_file_has_no_characters_of_its_own() {
    let path = Path::new("/tmp/a b#c/x-1-py3-none-any.whl");
    assert_eq!(
        file_address(path),
        "file:///tmp/a%20b%23c/x-1-py3-none-any.whl"
    );
}
