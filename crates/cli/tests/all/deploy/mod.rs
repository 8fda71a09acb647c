//! No container engine checks what is in `deploy/`, so it is read here, and held against the program and the repository.

mod compose;
mod image;
mod operations;
mod watching;

use std::path::PathBuf;

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::command::Place;

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A YAML file of the repository, its merge keys resolved.
fn yaml(name: &str) -> Value {
    let documents = YamlLoader::load_from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(documents.len(), 1, "{name} is one document");
    value(&documents[0])
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Hash(entries) => {
            let mut map = Map::new();
            let is_merge = |key: &Yaml| key.as_str() == Some("<<");
            for (_, merged) in entries.iter().filter(|(key, _)| is_merge(key)) {
                map.extend(value(merged).as_object().unwrap().clone());
            }
            for (key, own) in entries.iter().filter(|(key, _)| !is_merge(key)) {
                map.insert(key.as_str().unwrap().to_owned(), value(own));
            }
            Value::Object(map)
        }
        Yaml::Array(items) => items.iter().map(value).collect(),
        Yaml::String(text) => text.as_str().into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Boolean(truth) => (*truth).into(),
        Yaml::Null => Value::Null,
        other => panic!("nothing here is {other:?}"),
    }
}

/// The texts of a list; empty where there is none.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

fn entries(map: &Value) -> impl Iterator<Item = (&str, &Value)> {
    map.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// What the program answers to these words and `--help`: it refuses words and values that it does not know before that.
fn help(words: &str) -> String {
    let ended = Place::new().run(&format!("{words} --help"));
    assert_eq!(ended.code, 0, "holdfast {words}: {}", ended.err);
    ended.out
}

/// Fails unless this command reads the variable.
fn assert_reads(words: &str, variable: &str) {
    let help = help(words);
    let told = help.contains(&format!("[env: {variable}=")) || help.contains(&format!("[env: {variable}]"));
    assert!(told, "`holdfast {words}` does not read {variable}");
}
