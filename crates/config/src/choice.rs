//! Reads a choice among fixed values, in tables that may hold secrets.

use std::str::FromStr;

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

    /// Reads a list of words of an enum, of which `all` are the names.
    pub fn words<T: FromStr>(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        all: &[&'static str],
    ) -> Vec<T> {
        let known = all.join(", ");
        let mut found = Vec::new();
        for Located { value, place } in self.texts(diagnostics, key, &format!("a list of {known}")) {
            if let Ok(word) = value.parse() {
                found.push(word);
            } else {
                let near = did_you_mean(value, all.iter().copied());
                let message = format_args!("`{}`: \"{value}\" is not known here{near}", place.key);
                diagnostics.error_with_help(&place, message, format_args!("known here: {known}"));
            }
        }
        found
    }
}
