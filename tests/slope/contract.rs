//! That no function of the contract is left out.

const SOURCES: [&str; 6] = [
    include_str!("devices.py"),
    include_str!("extended.py"),
    include_str!("indigo.py"),
    include_str!("language.py"),
    include_str!("system.py"),
    include_str!("transports.py"),
];

/// Called a few times in the life of an instance, and refused or ignored afterwards.
const ONCE: [&str; 3] = ["code.keep", "code.closed", "memory.prepare"];

/// Every function as `interface.function`.
fn functions() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v0.1.0");
    let mut functions = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the contract") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        let interface = path.file_stem().expect("a name").to_string_lossy();
        for line in text.lines().map(str::trim) {
            let Some((name, rest)) = line.split_once(": ") else {
                continue;
            };
            if rest.starts_with("func(") || rest.starts_with("async func(") {
                functions.push(format!("{interface}.{}", name.trim_start_matches('%')));
            }
        }
    }
    functions
}

#[test]
fn every_function_of_the_contract_is_called() {
    let functions = functions();
    assert!(functions.len() > 90, "{functions:?}");
    let named = |name: &String| {
        ONCE.contains(&name.as_str())
            || SOURCES
                .iter()
                .any(|source| source.contains(&format!("\"{name}\"")))
    };
    let missing: Vec<_> = functions.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}
