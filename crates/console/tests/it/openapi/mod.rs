//! The description of the API: complete, and what docs/openapi.json and docs/api.md say.

mod codes;
mod document;
mod markdown;

use std::collections::BTreeSet;
use std::path::Path;

use self::document::{api_rules, document, paths_of};
use self::markdown::markdown;

/// Set to write the files in place of comparing them.
const WRITE: &str = "HOLDFAST_WRITE_DOCS";

/// Compares a file of docs with what it should be, or writes it.
fn is_current(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).find(|(found, wanted)| found != wanted);
    assert!(
        found == text,
        "docs/{name} is not current ({differs:?}): write it with {WRITE}=1 cargo nextest run -p holdfast-console openapi"
    );
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else_is() {
    let routes: BTreeSet<(String, String)> = api_rules()
        .iter()
        .flat_map(|rule| paths_of(rule).into_iter().map(|path| (rule.method.as_str().to_lowercase(), path)))
        .collect();
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, calls)| {
            calls.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        })
        .collect();
    assert_eq!(described, routes);
    for (path, calls) in paths {
        for (method, call) in calls.as_object().unwrap() {
            for member in ["summary", "operationId", "x-permission", "tags", "responses"] {
                assert!(!call[member].is_null(), "{method} {path} has no {member}");
            }
        }
    }
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn the_files_of_the_description_are_current() {
    let document = document();
    is_current("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&document).unwrap()));
    is_current("api.md", &markdown(&document));
}
