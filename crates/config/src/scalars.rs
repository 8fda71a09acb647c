//! Reads the values of keys: texts, numbers, durations, URLs, references to secrets.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use holdfast_model::{format_duration, parse_duration};
use holdfast_storage::SecretRef;
use toml::de::DeValue;
use url::Url;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::section::Section;
use crate::wrong_kind::{refused, wrong_kind};

/// Longest duration: a longer one is a mistake, and could overflow dates.
const DURATION_MAX: Duration = Duration::from_hours(366 * 24);

impl<'t> Section<'t> {
    /// Reads a text, unless it looks like a secret.
    pub fn text(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Located<&'t str>> {
        let (place, value) = self.value(key)?;
        if !self.is_quiet {
            diagnostics.show(&place);
        }
        match value.as_str() {
            Some(text) if may_be_shown(text) => Some(Located { value: text, place }),
            Some(_) => {
                diagnostics.error_with_help(
                    &place,
                    format_args!("`{}`: expected {expected}, found what looks like a secret", place.key),
                    "write a reference to the secret, `env:NAME`, `file:PATH` or `keyvault:URL`",
                );
                None
            }
            None => refused(diagnostics, &place, expected, value),
        }
    }

    /// Reads a required text.
    pub fn required(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Located<&'t str>> {
        if !self.require(diagnostics, key, expected) {
            return None;
        }
        self.text(diagnostics, key, expected)
    }

    /// Reads and parses a text.
    pub fn parsed<T>(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Located<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Located { value, place } = self.text(diagnostics, key, expected)?;
        match value.parse() {
            Ok(value) => Some(Located { value, place }),
            Err(error) => {
                diagnostics.error(&place, format_args!("`{}`: {error}", place.key));
                None
            }
        }
    }

    /// Reads a URL, which is shown only without a query and a user.
    pub fn url(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Located<Url>> {
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(diagnostics, &place, expected, value) };
        let url = Url::parse(text).ok().filter(Url::has_host);
        let is_plain =
            |url: &Url| url.query().is_none() && url.username().is_empty() && url.password().is_none();
        // A SAS that lost its `?`, or was pasted behind a space, is still a secret.
        if url.as_ref().is_some_and(is_plain) && !text.contains(['=', ' ', '\t']) && may_be_shown(text) {
            diagnostics.show(&place);
        }
        if url.is_none() {
            diagnostics.error(
                &place,
                format_args!("`{}`: expected {expected}, found a text that is no URL", place.key),
            );
        }
        url.map(|value| Located { value, place })
    }

    /// Reads a duration such as `2h`, of at least `min`.
    pub fn duration(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        min: Duration,
    ) -> Option<Located<Duration>> {
        let expected = "a duration such as \"90s\", \"2h\" or \"1h 30m\"";
        let Located { value: text, place } = self.text(diagnostics, key, expected)?;
        let parsed = parse_duration(text);
        if parsed.is_ok() {
            diagnostics.show(&place);
        }
        match parsed {
            Ok(value) if value < min => {
                let least = format_duration(min);
                diagnostics.error(
                    &place,
                    format_args!("`{}`: expected at least {least}, found \"{text}\"", place.key),
                );
            }
            Ok(value) if value > DURATION_MAX => {
                diagnostics.error(
                    &place,
                    format_args!("`{}`: expected at most 366 days, found \"{text}\"", place.key),
                );
            }
            Ok(value) => return Some(Located { value, place }),
            Err(_) if self.is_quiet => {
                diagnostics
                    .error(&place, format_args!("`{}`: expected {expected}, found another text", place.key));
            }
            Err(hint) => {
                let message = format_args!("`{}`: expected {expected}, found \"{text}\"", place.key);
                diagnostics.error_with_help(&place, message, hint);
            }
        }
        None
    }

    /// Reads `true` or `false`.
    pub fn flag(&mut self, diagnostics: &mut Diagnostics<'_>, key: &'static str) -> Option<bool> {
        let (place, value) = self.value(key)?;
        diagnostics.show(&place);
        value.as_bool().or_else(|| refused(diagnostics, &place, "true or false", value))
    }

    /// Reads a whole number inside `range`.
    pub fn count(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (place, value) = self.value(key)?;
        diagnostics.show(&place);
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = value.as_integer() else { return refused(diagnostics, &place, &expected, value) };
        let number =
            u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            diagnostics.error(&place, format_args!("`{}`: expected {expected}, found {integer}", place.key));
        }
        number
    }

    /// Reads a number above zero.
    pub fn rate(&mut self, diagnostics: &mut Diagnostics<'_>, key: &'static str) -> Option<f64> {
        let (place, value) = self.value(key)?;
        diagnostics.show(&place);
        let expected = "a number from 0.001 to 1000000";
        let text = match value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => return refused(diagnostics, &place, expected, value),
        };
        let number = text.parse().ok().filter(|number| (0.001..=1e6).contains(number));
        if number.is_none() {
            diagnostics.error(&place, format_args!("`{}`: expected {expected}, found {text}", place.key));
        }
        number
    }

    /// Reads a reference to a secret. Any other value is never shown.
    pub fn secret(&mut self, diagnostics: &mut Diagnostics<'_>, key: &'static str) -> Option<SecretRef> {
        let expected = "a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:URL`";
        if !self.require(diagnostics, key, expected) {
            return None;
        }
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(diagnostics, &place, expected, value) };
        match text.parse::<SecretRef>() {
            Ok(reference) => {
                diagnostics.show(&place);
                diagnostics.secrets.push(Located { value: reference.clone(), place });
                Some(reference)
            }
            Err(error) => {
                diagnostics.error(&place, format_args!("`{}`: {error}", place.key));
                None
            }
        }
    }

    /// Reads a list of texts.
    pub fn texts(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Vec<Located<&'t str>> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            wrong_kind(diagnostics, &place, expected, value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let place = SourceLocation { key: format!("{}[{index}]", place.key), at: item.span() };
            match item.get_ref().as_str().filter(|text| may_be_shown(text)) {
                Some(value) => {
                    diagnostics.show(&place);
                    texts.push(Located { value, place });
                }
                None => wrong_kind(diagnostics, &place, expected, item.get_ref()),
            }
        }
        texts
    }
}

/// Whether a text has no marks of a secret, which may stand anywhere by mistake.
fn may_be_shown(text: &str) -> bool {
    let marks = ["sig=", "accountkey=", "password=", "pwd=", "secret="];
    let folded = text.to_lowercase();
    text.len() <= 400 && !marks.iter().any(|mark| folded.contains(mark))
}
