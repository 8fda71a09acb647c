//! Results for programs, in other forms than one JSON document.

use serde_json::Value;
use yaml_rust2::yaml::Hash;
use yaml_rust2::{EmitError, Yaml, YamlEmitter};

/// A line of JSON for each thing of a list: of the document itself, or of its only list of objects. Another document is one line.
pub fn lines(document: &Value) -> String {
    let lists = || document.as_object().into_iter().flat_map(serde_json::Map::values).filter_map(objects);
    let list = objects(document).or_else(|| lists().next().filter(|_| lists().count() == 1));
    let lines: Vec<String> = match list {
        Some(list) => list.iter().map(Value::to_string).collect(),
        None => vec![document.to_string()],
    };
    lines.into_iter().map(|line| line + "\n").collect::<Vec<_>>().concat()
}

fn objects(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().filter(|list| list.iter().all(Value::is_object))
}

/// The document as YAML.
pub fn yaml(document: &Value) -> Result<String, EmitError> {
    let mut text = String::new();
    YamlEmitter::new(&mut text).dump(&yaml_of(document))?;
    text.push('\n');
    Ok(text)
}

fn yaml_of(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(flag) => Yaml::Boolean(*flag),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Yaml::Real(number.to_string()), Yaml::Integer)
        }
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(list) => Yaml::Array(list.iter().map(yaml_of).collect()),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| (Yaml::String(key.clone()), yaml_of(value)));
            Yaml::Hash(pairs.collect::<Hash>())
        }
    }
}

/// Rows as CSV, as programs and spreadsheets read it.
pub fn csv<'r>(rows: impl IntoIterator<Item = Vec<&'r str>>) -> std::io::Result<Vec<u8>> {
    let mut table = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        table.write_record(row.into_iter().map(safe))?;
    }
    table.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// The text, with a quote before what a spreadsheet would take for a formula.
fn safe(text: &str) -> String {
    let is_number = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    let is_formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_line_for_each_thing_also_inside_a_document() {
        assert_eq!(lines(&json!([{ "a": 1 }, { "a": 2 }])), "{\"a\":1}\n{\"a\":2}\n");
        assert_eq!(lines(&json!({ "now": 1, "apps": [{ "a": 1 }] })), "{\"a\":1}\n");
        assert_eq!(lines(&json!({ "names": ["a"], "apps": [{ "a": 1 }] })), "{\"a\":1}\n");
        assert_eq!(lines(&json!({ "a": [{}], "b": [{}] })), "{\"a\":[{}],\"b\":[{}]}\n");
        assert_eq!(lines(&json!({ "a": 1 })), "{\"a\":1}\n");
    }

    #[test]
    fn yaml_reads_back_as_what_it_was() {
        let document =
            json!({ "apps": [{ "name": "yes", "size": 12, "part": 0.5, "none": null, "text": "a: b\nc" }] });
        let text = yaml(&document).unwrap();
        let read = yaml_rust2::YamlLoader::load_from_str(&text).unwrap();
        assert_eq!(read[0], yaml_of(&document), "{text}");
        assert_eq!(read[0]["apps"][0]["name"].as_str(), Some("yes"), "{text}");
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_never_a_formula() {
        let table = csv([vec!["APP", "SIZE"], vec!["a,\"b\"", "-"], vec!["=1+1", "-12"]]).unwrap();
        assert_eq!(String::from_utf8(table).unwrap(), "APP,SIZE\n\"a,\"\"b\"\"\",-\n'=1+1,-12\n");
    }
}
