//! The key `tags` of an app, of a discover rule and of a rule of notifications.

use std::collections::BTreeMap;

use holdfast_model::Tags;
use toml::de::DeValue;

use crate::diagnostics::{Diagnostics, SourceLocation};
use crate::section::Section;
use crate::wrong_kind::wrong_kind;

/// The most characters of a name and of a value, which Azure allows.
const NAME_MAX: usize = 512;
const VALUE_MAX: usize = 256;

/// Reads tags. `cure` is the help of the error for a tag with two values.
pub fn tags(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    cure: &str,
) -> BTreeMap<String, String> {
    let expected = "a table such as { backup = \"gold\" }";
    let Some(table) = section.section(diagnostics, "tags", expected) else { return BTreeMap::new() };
    if table.entries().count() > Tags::MOST {
        let message =
            format_args!("`{}`: Azure allows at most {} tags of an app", table.place.key, Tags::MOST);
        diagnostics.error(&table.place, message);
        return BTreeMap::new();
    }
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for (name, (place, value)) in table.entries() {
        let DeValue::String(text) = value else {
            wrong_kind(diagnostics, &place, "the tag's value, a text", value);
            continue;
        };
        lengths(diagnostics, &place, &name, text);
        let other =
            tags.iter().find(|(other, wanted)| other.eq_ignore_ascii_case(&name) && **wanted != **text);
        if let Some((other, _)) = other {
            let message = format_args!(
                "`{}`: no app has this tag and `{other}` with another value: Azure's tag names have no case",
                place.key
            );
            diagnostics.error_with_help(&place, message, cure);
        }
        tags.insert(name, text.to_string());
    }
    tags
}

fn lengths(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, name: &str, value: &str) {
    let is_long = |text: &str, most: usize| text.chars().nth(most).is_some();
    if name.trim().is_empty() || is_long(name, NAME_MAX) || is_long(value, VALUE_MAX) {
        let message = format_args!(
            "`{}`: expected a tag with a name of 1 to {NAME_MAX} and a value of at most {VALUE_MAX} characters",
            place.key
        );
        diagnostics.error(place, message);
    }
}
