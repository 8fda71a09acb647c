//! Pages of a list, each with a link to the next.

use serde_json::{Value, json};

use crate::{Config, Request, Response};

/// The page that `request` asks for. `all` is read lazily, so a page costs no more than the elements up to its end.
pub(super) fn answer(request: &Request, config: &Config, all: impl Iterator<Item = Value>) -> Response {
    let size = config.page_size.max(1);
    let from: usize = request.parameter("$skiptoken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let mut elements: Vec<Value> = all.skip(from).take(size + 1).collect();
    let more = elements.len() > size;
    elements.truncate(size);
    let origin = config.link_origin.as_ref().unwrap_or(&request.origin);
    let next = more.then(|| next_link(request, origin, from + size));
    Response::json(200, &json!({"value": elements, "nextLink": next, "id": null}))
}

fn next_link(request: &Request, origin: &str, from: usize) -> String {
    let kept = request.query.split('&').filter(|pair| !is_skip_token(pair));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("%24skiptoken={from}")]).collect();
    format!("{origin}{}?{}", request.path, query.join("&"))
}

fn is_skip_token(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    crate::request::decode(name).eq_ignore_ascii_case("$skiptoken")
}
