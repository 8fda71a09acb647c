//! Addresses of the console's own pages.

use holdfast_model::{AppId, RunId};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a segment of a path may not contain as it is.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'\'').add(b'+').add(b'/').add(b':').add(b';')
    .add(b'<').add(b'=').add(b'>').add(b'?').add(b'[').add(b'\\').add(b']').add(b'^').add(b'`').add(b'{')
    .add(b'|').add(b'}');

/// The text as one segment of a path, or as a value of a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The page of an app. It is by name where the name is `unique`, else by ARM id.
pub fn app(id: &AppId, unique: bool) -> String {
    let name = if unique { id.short_name() } else { id.to_string() };
    let path: Vec<String> = name.trim_start_matches('/').split('/').map(encoded).collect();
    format!("/apps/{}", path.join("/"))
}

/// The page of a run.
pub fn run(id: RunId) -> String {
    format!("/runs/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_an_address_by_its_name_and_by_its_id() {
        let id = AppId::new("s", "g", "shop", Some("staging"));
        assert_eq!(app(&id, true), "/apps/shop/staging");
        assert!(app(&id, false).starts_with("/apps/subscriptions/s/"), "{}", app(&id, false));
        assert_eq!(encoded("a/b?c#d \"<"), "a%2Fb%3Fc%23d%20%22%3C");
    }
}
