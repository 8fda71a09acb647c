//! docs/api.md, from the description.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::codes::{CODES, OF_ALL};

/// What no description has: conventions.
const INTRODUCTION: &str = include_str!("introduction.txt");

/// The page.
pub fn markdown(document: &Value) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Calls\n\n| call | permission | |\n|---|---|---|\n");
    for (method, path, call) in calls(document) {
        let (summary, permission) = (text(&call["summary"]), text(&call["x-permission"]));
        let anchor = anchor(&title(&method, &path));
        let _ = writeln!(page, "| [`{method} {}`](#{anchor}) | {permission} | {summary} |", short(&path));
    }
    for (method, path, call) in calls(document) {
        one(&mut page, &method, &path, (call, document));
    }
    let of_all = OF_ALL.map(|code| format!("`{code}`")).join(", ");
    let _ = write!(page, "\n## Codes\n\nEvery call may answer {of_all}.\n");
    page.push_str("\n| code | status | meaning |\n|---|---|---|\n");
    for (code, status, meaning) in CODES {
        let _ = writeln!(page, "| `{code}` | {status} | {meaning} |");
    }
    page.push_str("\n## Types\n");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let _ = write!(page, "\n### {name}\n\n{}", paragraph(&schema["description"]));
        page.push_str(&of_type(schema));
    }
    page
}

/// Every call, ordered by path.
fn calls(document: &Value) -> impl Iterator<Item = (String, String, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, calls)| {
        let calls = calls.as_object().unwrap();
        calls.iter().map(move |(method, call)| (method.to_uppercase(), path.clone(), call))
    })
}

fn one(page: &mut String, method: &str, path: &str, (call, document): (&Value, &Value)) {
    let _ = write!(page, "\n### {}\n\n", title(method, path));
    page.push_str(&paragraph(&call["summary"]).replace("\n\n", ". "));
    page.push_str(&paragraph(&call["description"]));
    let permission = text(&call["x-permission"]);
    let _ = write!(page, "Permission: {permission}.");
    if let Some(body) = call.pointer("/requestBody/content/application~1json/schema") {
        let _ = write!(page, " Body: {}.", kind(body));
    }
    let answers = call["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
    let answers: Vec<String> = answers
        .map(|(status, answer)| {
            let body = answer.pointer("/content/application~1json/schema").map(kind);
            body.map_or_else(|| status.clone(), |body| format!("{status} with {body}"))
        })
        .collect();
    let _ = write!(page, " Answer: {}.", answers.join(", or "));
    page.push_str("\n\n");
    let parameters = call["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        page.push_str("| parameter | in | type | |\n|---|---|---|---|\n");
    }
    for parameter in parameters {
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let (of, what) = (kind(&parameter["schema"]), text(&parameter["description"]));
        let _ = writeln!(page, "| `{name}` | {place} | {of} | {what} |");
    }
    if !parameters.is_empty() {
        page.push('\n');
    }
    let codes = codes(call);
    if !codes.is_empty() {
        let _ = write!(page, "Codes beside those of every call: {}.\n\n", codes.join(", "));
    }
    let _ = writeln!(page, "```console\n$ {}\n```", example(method, path, (call, document)));
}

fn codes(call: &Value) -> Vec<String> {
    let responses = call["responses"].as_object().unwrap().values();
    let names = responses.filter_map(|answer| answer["$ref"].as_str());
    let of_call = names.flat_map(|name| name.rsplit('/').next().unwrap().split('.').skip(1));
    of_call.filter(|code| !OF_ALL.contains(code)).map(|code| format!("`{code}`")).collect()
}

fn example(method: &str, path: &str, (call, document): (&Value, &Value)) -> String {
    let path = path.replace("{id}", "RUN").replace("{number}", "458165").replace("{name}", "shop");
    let mut line = format!("curl --silent --oauth2-bearer \"$TOKEN\" 'https://HOST{path}'");
    if method == "DELETE" {
        line = line.replace("curl ", "curl --request DELETE ");
    }
    if let Some(reference) = call.pointer("/requestBody/content/application~1json/schema/$ref") {
        let name = text(reference).rsplit('/').next().unwrap();
        let body = &document["components"]["schemas"][name]["example"];
        assert!(body.is_object(), "the body {name} has no example");
        line = line.replace("'https", &format!("--json '{body}' 'https"));
    }
    line
}

/// The fields, the words or the alternatives of a type.
fn of_type(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{}`", text(word))).collect();
        return format!("One of {}.\n", words.join(", "));
    }
    let mut fields = Vec::new();
    gather(schema, &mut fields);
    for (index, of) in alternatives(schema).iter().enumerate() {
        let mut own = Vec::new();
        gather(of, &mut own);
        let what = text(&of["description"]);
        fields.push(format!("| *{}* | | {} |", index + 1, cell(what)));
        fields.extend(own);
    }
    if fields.is_empty() {
        return format!("{}.\n", capital(&kind(schema)));
    }
    format!("| field | type | |\n|---|---|---|\n{}\n", fields.join("\n"))
}

fn gather(schema: &Value, fields: &mut Vec<String>) {
    let none = Map::new();
    for (name, field) in schema["properties"].as_object().unwrap_or(&none) {
        fields.push(format!("| `{name}` | {} | {} |", kind(field), cell(meaning(field))));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if part["$ref"].is_string() {
            fields.push(format!("| … | {} | its fields |", kind(part)));
        }
        gather(part, fields);
    }
}

/// What a field means. One that may be null has it in its other alternative.
fn meaning(field: &Value) -> &str {
    match (text(&field["description"]), alternatives(field).first()) {
        ("", Some(one)) => text(&one["description"]),
        (said, _) => said,
    }
}

fn alternatives(schema: &Value) -> Vec<&Value> {
    schema["oneOf"].as_array().into_iter().flatten().filter(|of| of["type"] != "null").collect()
}

/// A type in a few words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", anchor(name));
    }
    if let Some(one) = alternatives(schema).first() {
        return format!("{}, or null", kind(one));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.first().map(kind).unwrap_or_default();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{}`", text(word))).collect();
        return words.join(", ");
    }
    let (name, nullable) = match &schema["type"] {
        Value::Array(kinds) => (text(kinds.iter().find(|kind| *kind != "null").unwrap()), ", or null"),
        one => (text(one), ""),
    };
    let name = match (name, schema["format"].as_str()) {
        ("array", _) if schema["items"].is_object() => format!("list of {}", kind(&schema["items"])),
        ("array", _) => {
            let parts: Vec<String> =
                schema["prefixItems"].as_array().into_iter().flatten().map(kind).collect();
            format!("list: {}", parts.join(", "))
        }
        ("string", Some(format)) => format.to_owned(),
        ("string", None) => match schema["maxLength"].as_u64() {
            Some(most) => format!("text of at most {most} characters"),
            None => "text".to_owned(),
        },
        ("", _) => "any".to_owned(),
        (other, _) => other.to_owned(),
    };
    name + nullable
}

fn title(method: &str, path: &str) -> String {
    format!("{method} {}", short(path))
}

fn short(path: &str) -> &str {
    path.trim_start_matches("/api/v1")
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn paragraph(value: &Value) -> String {
    match text(value) {
        "" => String::new(),
        text => format!("{text}\n\n"),
    }
}

/// A text in a table.
fn cell(text: &str) -> String {
    text.replace("\n\n", " ").replace('\n', " ").replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
