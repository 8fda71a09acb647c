//! The whole description: the calls and types of the handlers, with what follows from the table of routes.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_console::{Demand, RouteRule, api_description, route_rules};
use serde_json::{Value, json};

use super::codes::{CODES, OF_ALL, OF_BODY, OF_ONCE};

/// Where the calls are.
const PREFIX: &str = "/api/v1/";

/// The routes of the API.
pub fn api_rules() -> Vec<RouteRule> {
    route_rules().into_iter().filter(|rule| rule.path.starts_with(PREFIX)).collect()
}

/// The described paths of a route. One that takes several acts in its last segment has one path for each.
pub fn paths_of(rule: &RouteRule) -> Vec<String> {
    let path = rule.path.replace("{*", "{");
    if rule.method == "POST" && rule.path.contains("{*") {
        return ["pause", "resume"].map(|act| format!("{path}/{act}")).into();
    }
    vec![path]
}

/// The description as docs/openapi.json has it.
pub fn document() -> Value {
    let mut document = serde_json::to_value(api_description()).unwrap();
    let mut shared = BTreeMap::new();
    for rule in api_rules() {
        for path in paths_of(&rule) {
            let call = &mut document["paths"][&path][rule.method.as_str().to_lowercase()];
            assert!(
                call.is_object(),
                "{} {path} has no description: add it to api/description.rs",
                rule.method
            );
            complete(call, &rule, &mut shared);
        }
    }
    document["components"]["responses"] = json!(shared);
    document["security"] = json!([{ "token": [] }]);
    document["components"]["securitySchemes"]["token"] = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, made with `holdfast tokens create`. Without `--require-login`, clients on the machine of the process need none.",
    });
    name_rows(&mut document["components"]["schemas"]);
    without_links(&mut document);
    document
}

fn complete(call: &mut Value, rule: &RouteRule, shared: &mut BTreeMap<String, Value>) {
    let mut codes: BTreeSet<String> = OF_ALL.map(str::to_owned).into();
    let own = call.as_object_mut().unwrap().remove("x-codes").unwrap_or_default();
    codes.extend(own.as_array().into_iter().flatten().map(|code| code.as_str().unwrap().to_owned()));
    if call["requestBody"].is_object() {
        codes.extend(OF_BODY.map(str::to_owned));
    }
    let (permission, is_checked) = match rule.demand {
        Demand::Permission(permission) => (permission, !permission.only_reads()),
        Demand::InScope(permission) => (permission, true),
        Demand::Nothing => panic!("{} is open", rule.path),
    };
    if is_checked {
        codes.insert("out_of_scope".to_owned());
    }
    call["x-permission"] = json!(permission.as_str());
    if call.as_object_mut().unwrap().remove("x-once").is_some() {
        codes.extend(OF_ONCE.map(str::to_owned));
        let key = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same for each try: a request that is sent again within 24 hours acts once.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
        });
        if call["parameters"].is_null() {
            call["parameters"] = json!([]);
        }
        call["parameters"].as_array_mut().unwrap().push(key);
    }
    for parameter in call.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        parameter["schema"] = without_null(parameter["schema"].take());
    }
    if call["responses"]["202"].is_object() {
        let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
        call["responses"]["202"]["headers"] =
            json!({ "Retry-After": text("Seconds after which to ask again.") });
        if call["x-permission"] != "view" {
            let location = text("The address of the run, or of the list of unfinished runs.");
            call["responses"]["202"]["headers"]["Operation-Location"] = location;
        }
    }
    problems(&mut call["responses"], &codes, shared);
}

/// Adds an answer for each status, with the codes that it may have. Calls with the same codes share it.
fn problems(responses: &mut Value, codes: &BTreeSet<String>, shared: &mut BTreeMap<String, Value>) {
    let mut by_status: BTreeMap<u16, Vec<(&str, &str)>> = BTreeMap::new();
    for (code, status, meaning) in CODES {
        if codes.contains(code) {
            by_status.entry(status).or_default().push((code, meaning));
        }
    }
    for code in codes {
        assert!(CODES.iter().any(|(known, ..)| known == code), "{code} is in no list: add it to codes.rs");
    }
    for (status, codes) in by_status {
        let meanings: Vec<String> =
            codes.iter().map(|(code, meaning)| format!("`{code}`: {meaning}.")).collect();
        let names: Vec<&str> = codes.iter().map(|(code, _)| *code).collect();
        let name = format!("{status}.{}", names.join("."));
        responses[status.to_string()] = json!({ "$ref": format!("#/components/responses/{name}") });
        let answer = json!({
            "description": meanings.join(" "),
            "content": { "application/problem+json": { "schema": { "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "properties": { "code": { "enum": names } } },
            ] } } },
        });
        shared.insert(name, answer);
    }
}

/// A list has its rows inline: they become a type of their own.
fn name_rows(schemas: &mut Value) {
    let schemas = schemas.as_object_mut().unwrap();
    let lists: Vec<String> = schemas
        .keys()
        .filter(|name| name.starts_with("List_") || name.starts_with("All_"))
        .cloned()
        .collect();
    for list in lists {
        let row = list.split_once('_').unwrap().1;
        let items = &mut schemas[&list]["properties"]["value"]["items"];
        let found = std::mem::replace(items, json!({ "$ref": format!("#/components/schemas/{row}") }));
        schemas.insert(row.to_owned(), found);
    }
}

/// A parameter that may be left out is never null.
fn without_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<Value> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        schema["type"] = kinds[0].clone();
    }
    let of = schema["oneOf"].as_array().into_iter().flatten().find(|of| of["type"] != "null").cloned();
    of.unwrap_or(schema)
}

/// Texts link to items of the code, which a reader of the description does not have.
fn without_links(value: &mut Value) {
    match value {
        Value::String(text) => {
            let plain = text.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`");
            *text = plain.replace("crate::", "");
        }
        Value::Array(values) => values.iter_mut().for_each(without_links),
        Value::Object(members) => members.values_mut().for_each(without_links),
        _ => {}
    }
}
