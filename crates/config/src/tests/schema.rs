//! The JSON Schema of the fleet file says what the file is, and docs/fleet.schema.json what the schema is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use holdfast_model::Timestamp;
use serde_json::{Map, Value, json};

use super::*;

/// Set to write the file in place of comparing it.
const WRITE: &str = "HOLDFAST_WRITE_DOCS";

/// A key that no table has.
const NO_KEY: &str = "no_such_key";

/// Where a table of the schema is in a file: the names above it, with the values that tell its form from others.
type Way = Vec<(String, Map<String, Value>)>;

#[test]
fn the_file_of_the_schema_is_current() {
    let path = root().join("docs/fleet.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "write docs/fleet.schema.json with {WRITE}=1 cargo nextest run -p holdfast-config schema"
    );
}

#[test]
fn the_schema_has_the_keys_that_the_fleet_file_has() {
    let mut tables = Vec::new();
    walk(&schema(), &mut vec![(String::new(), Map::new())], &mut tables);
    assert!(tables.len() > 40, "{}", tables.len());
    for (way, keys) in tables {
        let (mut file, name) = (file(&way, &json!({ NO_KEY: 1 })), names(&way));
        // What [defaults] has is read for each policy.
        let is_defaults = name.starts_with("defaults");
        if is_defaults {
            file["policy"] = json!({ "x": {} });
        }
        let found = known(&file).unwrap_or_else(|| panic!("{name}: {file}"));
        // It is known there to be refused with a reason.
        let refused = match name.as_str() {
            "defaults" => Some("extends"),
            "discover" => Some("databases"),
            _ => None,
        };
        let found: BTreeSet<&str> = found.split(", ").filter(|key| Some(*key) != refused).collect();
        assert_eq!(keys.keys().map(String::as_str).collect::<BTreeSet<_>>(), found, "{name}");
    }
}

#[test]
fn the_schema_has_the_ranges_of_numbers_that_the_fleet_file_has() {
    let mut tables = Vec::new();
    walk(&schema(), &mut vec![(String::new(), Map::new())], &mut tables);
    let mut numbers = 0;
    for (way, keys) in tables.iter().filter(|(way, _)| !names(way).starts_with("defaults")) {
        for (key, form) in keys {
            let told = match form["type"].as_str() {
                Some("integer") => format!("a whole number from {} to {}", form["minimum"], form["maximum"]),
                Some("number") => "a number from 0.001 to 1000000".to_owned(),
                _ => continue,
            };
            let file = file(way, &json!({ key: -1 }));
            assert!(
                messages(&file).iter().any(|said| said.contains(&told)),
                "{told}: {:#?}",
                messages(&file)
            );
            numbers += 1;
        }
    }
    assert!(numbers > 20, "{numbers}");
}

#[test]
fn the_schema_names_the_values_that_are_built_in() {
    let text = EXAMPLE.replace("spread   = \"2h\"\n", "");
    let minimal: Vec<&str> = text.lines().filter(|line| !line.starts_with("retry")).collect();
    let fleet = check_text("fleet.toml", &minimal.join("\n"), Timestamp::UNIX_EPOCH).fleet.unwrap();
    let schema = schema();
    let keys = &schema["properties"]["defaults"]["properties"];
    let values = fleet.effective.values().next().unwrap();
    let built_in: Vec<_> =
        values.iter().filter(|value| value.section.is_none() && value.value != "none").collect();
    assert!(built_in.len() > 6, "{built_in:#?}");
    for EffectiveValue { key, value, .. } in built_in {
        let path = format!("/{}/default", key.replace('.', "/properties/"));
        let found = keys.pointer(&path).unwrap_or_else(|| panic!("{key} has no default"));
        let told: toml::Table = format!("value = {value}").parse().unwrap();
        assert_eq!(*found, serde_json::to_value(&told["value"]).unwrap(), "{key}");
    }
}

#[test]
fn every_fleet_file_of_the_tree_suits_the_schema() {
    let (schemas, index) = compiled();
    let mut count = 0;
    for (name, text) in fleet_files() {
        let Ok(file) = text.parse::<toml::Table>() else { continue };
        let found = schemas
            .validate(&serde_json::to_value(file).unwrap(), index)
            .map_err(|error| format!("{error:#}"));
        assert_eq!(found, Ok(()), "{}: {text}", name.display());
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn what_is_wrong_by_itself_does_not_suit_the_schema() {
    let (schemas, index) = compiled();
    for (from, to) in [
        ("timezone", "timezon"),
        ("[policy.gold]", "[policies.gold]"),
        ("spread   = \"2h\"", "spread = 2"),
        ("spread   = \"2h\"", "spread = \"2\""),
        ("\"env:STORAGE_KEY\"", "\"aHVudGVy\""),
        ("mint = \"account_key\", ", ""),
        ("kind = \"client_secret\"", "kind = \"password\""),
        ("attempts = 3", "attempts = 0"),
        ("keep_at_least = 1", "keep_at_least = true"),
        ("[[discover]]", "[discover]"),
        ("id     = \"/subs", "id = \"subs"),
        ("tags   = { backup = \"gold\" }", "tags = [\"backup\"]"),
        ("tags   = { backup = \"gold\" }\npolicy = \"gold\"", ""),
        ("retention       = {", "retention = \"never\"\nretry.partial = {"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        let text = EXAMPLE.replace(from, to);
        let file: toml::Table = text.parse().unwrap_or_else(|error| panic!("{to}: {error}"));
        let suits = schemas.validate(&serde_json::to_value(file).unwrap(), index).is_ok();
        assert!(!suits, "{to}");
        assert!(check_text("fleet.toml", &text, Timestamp::UNIX_EPOCH).fleet.is_none(), "{to}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn compiled() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("fleet", schema()).unwrap();
    let index = compiler.compile("fleet", &mut schemas).unwrap();
    (schemas, index)
}

/// The fleet files of the tree: whole ones, those in the documents, and those of tests.
pub fn fleet_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders =
        ["README.md", "docs", "deploy", "crates", "tests"].map(|name| root().join(name)).to_vec();
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let marks = match path.extension().and_then(|end| end.to_str()) {
            Some("toml") => ("", "\0"),
            Some("md") => ("```toml\n", "```"),
            Some("rs") => ("r#\"", "\"#"),
            _ => continue,
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let parts = text
            .split(marks.0)
            .skip(usize::from(!marks.0.is_empty()))
            .filter_map(|rest| rest.split(marks.1).next());
        found.extend(parts.filter(|part| is_of_a_fleet(part)).map(|part| (path.clone(), part.to_owned())));
    }
    found
}

/// Whether a text is a whole fleet file or a whole included file, and not a fragment.
fn is_of_a_fleet(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let headers = [
        "[azure",
        "[policy.",
        "[storage.",
        "[[app]]",
        "[[discover]]",
        "[channel.",
        "[defaults]",
        "include =",
    ];
    first.is_some_and(|first| headers.iter().any(|header| first.starts_with(header)))
}

/// Every table of a schema with fixed keys, and the way to it.
fn walk(schema: &Value, way: &mut Way, found: &mut Vec<(Way, Map<String, Value>)>) {
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        walk(form, way, found);
    }
    if let Some(items) = schema.get("items") {
        walk(items, way, found);
    }
    if let Some(named) = schema.get("additionalProperties").filter(|named| named.is_object()) {
        way.push(("x".to_owned(), Map::new()));
        walk(named, way, found);
        way.pop();
    }
    let Some(keys) = schema["properties"].as_object() else { return };
    if let Some((_, own)) = way.last_mut() {
        *own = needed(schema, keys);
    }
    found.push((way.clone(), keys.clone()));
    for (key, form) in keys {
        way.push((key.clone(), Map::new()));
        walk(form, way, found);
        way.pop();
    }
}

/// The values without which the form of a table is not known.
fn needed(schema: &Value, keys: &Map<String, Value>) -> Map<String, Value> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_scalar = |key: &&str| keys[*key].get("const").is_some() || keys[*key]["pattern"].is_string();
    required
        .filter(is_scalar)
        .map(|key| (key.to_owned(), keys[key].get("const").cloned().unwrap_or_else(|| json!("env:X"))))
        .collect()
}

/// A file with a value at the end of a way.
fn file(way: &Way, value: &Value) -> Value {
    let mut value = value.clone();
    for (at, (name, own)) in way.iter().enumerate().rev() {
        let mut table = own.clone();
        table.extend(value.as_object().cloned().unwrap_or_default());
        let is_list = at == 1 && matches!(name.as_str(), "app" | "discover") || name == "databases";
        let table = Value::Object(table);
        value = match name.as_str() {
            "" => table,
            name if is_list => json!({ name: [table] }),
            name => json!({ name: table }),
        };
    }
    value
}

fn names(way: &Way) -> String {
    way.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(".")
}

/// The problems of a file.
fn told(file: &Value) -> Vec<Problem> {
    check_text("fleet.toml", &toml::to_string(file).unwrap(), Timestamp::UNIX_EPOCH).problems
}

fn messages(file: &Value) -> Vec<String> {
    told(file).into_iter().map(|problem| problem.message).collect()
}

/// The keys that are known beside [`NO_KEY`].
fn known(file: &Value) -> Option<String> {
    let unknown = told(file)
        .into_iter()
        .find(|problem| problem.message.contains(&format!("unknown key `{NO_KEY}`")))?;
    unknown.help?.strip_prefix("known here: ").map(str::to_owned)
}
