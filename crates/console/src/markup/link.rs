//! Addresses of the console's own pages.

use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::{AppId, RunId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a segment of a path and a value of a query contain as it is: RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text as one segment of a path, or as a value of a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The page of an app by its short name. Where several apps have the name, the page lists them.
pub fn app(id: &AppId) -> String {
    path(&id.short_name())
}

/// The page of an app by its ARM id.
pub fn app_by_id(id: &AppId) -> String {
    path(id.to_string().trim_start_matches('/'))
}

fn path(name: &str) -> String {
    let segments: Vec<String> = name.split('/').map(encoded).collect();
    format!("/apps/{}", segments.join("/"))
}

/// The page of a run.
pub fn run(id: RunId) -> String {
    format!("/runs/{id}")
}

/// The page of a request to a second person.
pub fn approval(id: RunId) -> String {
    format!("/approvals/{id}")
}

/// The fleet as a query shows it.
pub fn fleet(query: &FleetQuery) -> String {
    with_query("/fleet", &query.to_url())
}

/// A path with a query string; without a question mark where that is empty.
pub fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_an_address_by_its_name_and_by_its_id() {
        let id = AppId::new("s", "g", "shop", Some("staging"));
        assert_eq!(app(&id), "/apps/shop/staging");
        assert!(app_by_id(&id).starts_with("/apps/subscriptions/s/"), "{}", app_by_id(&id));
        assert_eq!(encoded("a/b?c#d \"<"), "a%2Fb%3Fc%23d%20%22%3C");
    }
}
