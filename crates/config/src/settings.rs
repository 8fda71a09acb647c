//! The values of a fleet file by their keys, to compare two files.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::source::Source;

/// The parts whose meaning is compared instead of their text: policies inherit, and apps and rules are lists.
const COMPARED_BY_MEANING: [&str; 4] = ["app", "defaults", "discover", "policy"];

/// The values as the file writes them, such as `"8h"` of `engine.lease`, without those of policies, apps and rules.
pub fn settings(source: &Source, file: &DeTable<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in file {
        let name = key.get_ref().as_ref();
        if !COMPARED_BY_MEANING.contains(&name) {
            add(source, name.to_owned(), value, &mut found);
        }
    }
    found
}

fn add(
    source: &Source,
    key: String,
    value: &toml::Spanned<DeValue<'_>>,
    found: &mut BTreeMap<String, String>,
) {
    if let DeValue::Table(table) = value.get_ref() {
        for (name, value) in table {
            add(source, format!("{key}.{}", name.get_ref()), value, found);
        }
        return;
    }
    let text = source.text.get(value.span()).unwrap_or_default();
    found.insert(key, text.split_whitespace().collect::<Vec<_>>().join(" "));
}
