//! Reads a choice among fixed values, in tables that may hold secrets.

use crate::diagnostics::{Diagnostics, Located};
use crate::nearest::did_you_mean;
use crate::section::Section;
use crate::wrong_kind::refused;

impl Section<'_> {
    /// Reads a required key whose value is one of `words`.
    ///
    /// Another text is shown only when it resembles one of them: a missing quote may have joined it with a secret.
    pub fn choice(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        words: &[&'static str],
        expected: &str,
    ) -> Option<Located<&'static str>> {
        if !self.require(diagnostics, key, expected) {
            return None;
        }
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(diagnostics, &place, expected, value) };
        if let Some(value) = words.iter().find(|word| **word == text) {
            diagnostics.show(&place);
            return Some(Located { value, place });
        }
        let near = did_you_mean(text, words.iter().copied());
        if near.is_empty() {
            diagnostics
                .error(&place, format_args!("`{}`: expected {expected}, found another text", place.key));
        } else {
            diagnostics.show(&place);
            diagnostics
                .error(&place, format_args!("`{}`: expected {expected}, found \"{text}\"{near}", place.key));
        }
        None
    }
}
