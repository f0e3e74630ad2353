//! The map of `src/` is kept by machine: who may use whom, and what may stand in the core.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "no sources under {under}");
    files.sort();
    files
}

/// Lines outside comments in which one of the words stands, as `file:line: text`.
fn lines_with(under: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(under) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_core_uses_no_crate_that_touches_the_world() {
    let crates = ["tokio", "sqlx", "hyper", "axum", "tracing", "chrono", "rand", "reqwest", "asterisk_ari"];
    let uses: Vec<String> = crates.iter().map(|name| format!("{name}::")).collect();
    let uses: Vec<&str> = uses.iter().map(String::as_str).collect();
    for part in ["src/domain", "src/speech", "src/engine"] {
        assert_eq!(lines_with(part, &uses), Vec::<String>::new(), "{part}");
    }
    // What happened to orders and cards is kept as JSON for ever, so the domain says how it is written; nobody else does.
    for part in ["src/speech", "src/engine"] {
        assert_eq!(lines_with(part, &["serde::"]), Vec::<String>::new(), "{part}");
    }
}

#[test]
fn the_core_has_no_clock_no_files_no_threads_and_no_shell() {
    let words = [
        "Instant::now",
        "SystemTime",
        "std::fs",
        "std::net",
        "std::thread",
        "std::env",
        "std::process",
        "println!",
        "crate::shell",
        "thread_rng",
        "random()",
    ];
    for part in ["src/domain", "src/speech", "src/engine"] {
        let mut found = lines_with(part, &words);
        // Tests in a file of their own are no part of the core: they may look at the shipped sounds.
        found.retain(|line| !line.contains("/tests.rs:"));
        assert_eq!(found, Vec::<String>::new(), "{part}");
    }
}

#[test]
fn the_layers_of_the_core_point_one_way() {
    let forbidden: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("src/domain", &["crate::speech", "crate::engine"][..]),
        ("src/speech", &["crate::engine"][..]),
        (
            "src/engine/acd",
            &["engine::call", "engine::callback", "engine::ivr", "engine::recording", "super::super::"][..],
        ),
    ]);
    for (part, words) in forbidden {
        assert_eq!(lines_with(part, words), Vec::<String>::new(), "{part}");
    }
}

#[test]
fn each_part_of_the_core_forbids_clocks_and_hashed_order_to_clippy() {
    for part in ["src/domain/mod.rs", "src/speech/mod.rs", "src/engine/mod.rs"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(part)).unwrap();
        assert!(text.contains("#![deny(clippy::disallowed_methods, clippy::disallowed_types)]"), "{part}");
    }
}

#[test]
fn only_the_store_speaks_sql_and_only_the_shell_speaks_http() {
    let sql = ["sqlx::", "SELECT ", "INSERT INTO"];
    let outside: Vec<String> =
        lines_with("src/shell", &sql).into_iter().filter(|line| !line.contains("/store/")).collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn unsafe_code_is_in_the_one_module_that_calls_a_c_library() {
    let lines = lines_with("src", &["unsafe", "allow(unsafe_code"]);
    let elsewhere: Vec<String> = lines
        .into_iter()
        .filter(|line| !line.contains("src/shell/voice/rhvoice.rs") && !line.contains("forbid(unsafe_code)"))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|part| sources(part))
        .filter(|(_, text)| text.lines().count() > 600)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

/// What stands after `schema(as =`, `struct` or `enum`.
fn named_by(line: &str) -> Option<&str> {
    let code = line.split("//").next()?;
    let told = code.split_once("schema(as = ").or_else(|| code.split_once("struct "));
    told.or_else(|| code.split_once("enum ")).map(|(_, name)| name)
}

/// The API's description knows a shape by its name alone: of two with one name, one takes the other's place.
#[test]
fn no_two_shapes_of_the_api_have_one_name() {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources("src/shell") {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("ToSchema)]")) {
            let name = lines.iter().skip(number + 1).find_map(|line| named_by(line));
            let word = |name: &str| name.chars().take_while(|sign| sign.is_alphanumeric()).collect::<String>();
            let name = name.map(word).unwrap_or_else(|| panic!("{}:{}: {line}", path.display(), number + 1));
            named.entry(name).or_default().push(path.display().to_string());
        }
    }
    assert!(named.len() > 100, "only {} were found", named.len());
    named.retain(|_, files| files.len() > 1);
    assert!(named.is_empty(), "{named:#?}");
}
