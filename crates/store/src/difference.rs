//! Names the fields in which a row differs from what the events say.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// Each field in which `row` differs from `expected`, as text. A NUL, which rows cannot hold, equals its substitute.
pub(crate) fn fields(expected: &impl Serialize, row: &impl Serialize) -> Vec<String> {
    let [expected, row] = [value(expected), value(row)];
    let (Value::Object(expected), Value::Object(row)) = (&expected, &row) else {
        return if expected == row { Vec::new() } else { vec![text("the row", &expected, &row)] };
    };
    let names: BTreeSet<&String> = expected.keys().chain(row.keys()).collect();
    let of = |name: &String| {
        let [expected, row] = [expected, row].map(|of| of.get(name).unwrap_or(&Value::Null));
        (expected != row).then(|| text(&format!("`{name}`"), expected, row))
    };
    names.into_iter().filter_map(of).collect()
}

fn text(name: &str, expected: &Value, row: &Value) -> String {
    format!("{name} is {row}, and its events say {expected}")
}

fn value(of: &impl Serialize) -> Value {
    let text = serde_json::to_string(of).unwrap_or_default().replace("\\u0000", "\u{fffd}");
    serde_json::from_str(&text).unwrap_or_default()
}
