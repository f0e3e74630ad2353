//! The list of metrics against the program that prints them, and the dashboard against the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of `deploy/METRICS.md`, without `perezvon_`.
fn listed() -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join("deploy/METRICS.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `perezvon_")?.split_once('`'));
    let names: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert!(names.len() > 30, "{names:?}");
    names
}

/// What an answer of `/metrics` describes is in the list.
pub fn are_listed(answer: &str) {
    let printed = answer.lines().filter_map(|line| line.strip_prefix("# HELP perezvon_")?.split_once(' '));
    let printed: BTreeSet<String> = printed.map(|(name, _)| name.to_owned()).collect();
    assert!(printed.len() > 15, "{answer}");
    let unlisted: Vec<_> = printed.difference(&listed()).cloned().collect();
    assert_eq!(unlisted, Vec::<String>::new(), "not in deploy/METRICS.md");
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_metric_that_is_registered_is_listed_and_every_listed_one_is_there() {
    let mut files = Vec::new();
    sources(&repository().join("src/shell"), &mut files);
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let listed = listed();
    // A metric with labels is printed from its first value on: those that nothing was counted of yet are in the source.
    for beginning in ["registry.register(", "encode_descriptor("] {
        for part in text.split(beginning).skip(1) {
            let Some(name) = part.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            assert!(listed.contains(name), "{name} is not in deploy/METRICS.md");
        }
    }
    for name in &listed {
        assert!(text.contains(&format!("\"{name}\"")), "{name} of deploy/METRICS.md is not in the program");
    }
}

#[test]
fn the_dashboard_asks_for_listed_metrics_alone() {
    let text = fs::read_to_string(repository().join("deploy/grafana/perezvon.json")).unwrap();
    let board: Value = serde_json::from_str(&text).unwrap();
    let listed = listed();
    let mut asked = 0;
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            for part in query.split("perezvon_").skip(1) {
                let name: String = part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let known = ["", "_total", "_bucket", "_sum", "_count"]
                    .iter()
                    .any(|ending| name.strip_suffix(ending).is_some_and(|name| listed.contains(name)));
                assert!(known, "{}: there is no metric perezvon_{name}", panel["title"]);
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked}");
}
