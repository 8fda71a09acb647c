//! Reports values of a wrong TOML type.

use toml::de::DeValue;

use crate::diagnostics::{Diagnostics, SourceLocation};

/// Reports a value of a wrong type, without showing it.
pub fn wrong_kind(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    expected: &str,
    found: &DeValue<'_>,
) {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    diagnostics.error(place, format_args!("`{}`: expected {expected}, found {found}", place.key));
}

/// As [`wrong_kind`]; always `None`.
pub fn refused<T>(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    expected: &str,
    found: &DeValue<'_>,
) -> Option<T> {
    wrong_kind(diagnostics, place, expected, found);
    None
}
