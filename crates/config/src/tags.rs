//! The key `tags` of an app, of a policy, of a discover rule and of a rule of notifications.

use holdfast_model::{Tags, fold_case};
use toml::de::DeValue;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::section::Section;
use crate::wrong_kind::wrong_kind;

/// The most characters of a name and of a value, which Azure allows.
const NAME_MAX: usize = 512;
const VALUE_MAX: usize = 256;

/// A tag and its location.
pub type FoundTag = Located<(String, String)>;

/// The expected form of tags.
const EXPECTED: &str = "a table such as { backup = \"gold\" }";

/// Reads tags. `cure` is the help of the error for a tag with two values.
pub fn tags(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>, cure: &str) -> Vec<FoundTag> {
    let table = section.section(diagnostics, "tags", EXPECTED);
    table.map(|table| tags_of(diagnostics, &table, cure)).unwrap_or_default()
}

/// Reads the tags of a policy with those that it inherits. Of two with one name the nearer one counts.
pub fn merged_tags(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Vec<FoundTag> {
    let mut tags: Vec<FoundTag> = Vec::new();
    for (place, value) in section.inherited_values("tags") {
        let Some(table) = value.as_table() else {
            wrong_kind(diagnostics, &place, EXPECTED, value);
            continue;
        };
        let found = tags_of(diagnostics, &Section::new(place, table), "an app has one value of each tag");
        let is_new = |tag: &FoundTag| !tags.iter().any(|known| is_same(&known.value.0, &tag.value.0));
        let found: Vec<FoundTag> = found.into_iter().filter(is_new).collect();
        tags.extend(found);
    }
    tags
}

/// The tags without their locations.
pub fn plain<T: FromIterator<(String, String)>>(tags: &[FoundTag]) -> T {
    tags.iter().map(|tag| tag.value.clone()).collect()
}

fn tags_of(diagnostics: &mut Diagnostics<'_>, table: &Section<'_>, cure: &str) -> Vec<FoundTag> {
    let mut tags: Vec<FoundTag> = Vec::new();
    if table.entries().count() > Tags::MOST {
        let message =
            format_args!("`{}`: Azure allows at most {} tags of an app", table.place.key, Tags::MOST);
        diagnostics.error(&table.place, message);
        return tags;
    }
    for (name, (place, value)) in table.entries() {
        let DeValue::String(text) = value else {
            wrong_kind(diagnostics, &place, "the tag's value, a text", value);
            continue;
        };
        lengths(diagnostics, &place, &name, text);
        let other = tags
            .iter()
            .map(|tag| &tag.value)
            .find(|(other, wanted)| is_same(other, &name) && **wanted != **text);
        if let Some((other, _)) = other {
            let message = format_args!(
                "`{}`: no app has this tag and `{other}` with another value: Azure's tag names have no case",
                place.key
            );
            diagnostics.error_with_help(&place, message, cure);
        }
        tags.push(Located { value: (name, text.to_string()), place });
    }
    tags
}

fn is_same(name: &str, other: &str) -> bool {
    fold_case(name) == fold_case(other)
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
