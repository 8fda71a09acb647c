//! Reads tables of the fleet file into values, and collects what does not fit instead of stopping at it.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use holdfast_storage::SecretRef;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::report::{Found, Report, SourceLocation};
use super::suggest::nearest;

/// A table of the file that is being read. Each key asked for becomes known; [`Section::finish`] reports the others.
#[derive(Debug)]
pub struct Section<'t> {
    /// Where it begins.
    pub place: SourceLocation,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
    /// Its texts are not shown.
    is_quiet: bool,
}

type Entry<'t> = (SourceLocation, &'t DeValue<'t>);

/// Longer times are mistakes, and dates would run out of range.
const DURATION_MAX: Duration = Duration::from_hours(366 * 24);

impl<'t> Section<'t> {
    /// A table that stands at `place`.
    pub fn new(place: SourceLocation, table: &'t DeTable<'t>) -> Self {
        Self { place, table, known: Vec::new(), is_quiet: false }
    }

    /// A table that holds a secret: its texts are not shown, because a quote that was forgotten joins one with it.
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// Is the key there?
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// All keys, in the order of their names, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (String, Entry<'t>)> {
        self.table.iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name, (self.place_of(key), value.get_ref()))
        })
    }

    /// A text that may be shown.
    pub fn text(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Found<&'t str>> {
        let (place, value) = self.value(key)?;
        if !self.is_quiet {
            report.show(&place);
        }
        match value.as_str() {
            Some(text) if may_be_shown(text) => Some(Found { value: text, place }),
            Some(_) => {
                report.error_with_help(
                    &place,
                    format_args!("`{}`: expected {expected}, found what looks like a secret", place.key),
                    "secrets are given as references, `env:NAME`, `file:PATH` or `keyvault:URL`",
                );
                None
            }
            None => refused(report, &place, expected, value),
        }
    }

    /// A text that must be there.
    pub fn required(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Found<&'t str>> {
        if !self.require(report, key, expected) {
            return None;
        }
        self.text(report, key, expected)
    }

    /// Reports the key if it is missing.
    pub fn require(&mut self, report: &mut Report<'_>, key: &'static str, expected: &str) -> bool {
        self.know(key);
        if !self.has(key) {
            let message = format_args!("`{}` is missing `{key}`: expected {expected}", self.place.key);
            let near = nearest(key, self.table.keys().map(|key| key.get_ref().as_ref()));
            let help = near.map(|near| format!("`{near}` is no key here; did you mean `{key}`?"));
            report.missing_key(&self.place, key, message, help);
        }
        self.has(key)
    }

    /// A text that is parsed.
    pub fn parsed<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Found<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Found { value, place } = self.text(report, key, expected)?;
        match value.parse() {
            Ok(value) => Some(Found { value, place }),
            Err(error) => {
                report.error(&place, format_args!("`{}`: {error}", place.key));
                None
            }
        }
    }

    /// A URL, shown only when it has no query and no user.
    pub fn url(&mut self, report: &mut Report<'_>, key: &'static str, expected: &str) -> Option<Found<Url>> {
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(report, &place, expected, value) };
        let url = Url::parse(text).ok().filter(Url::has_host);
        let is_plain =
            |url: &Url| url.query().is_none() && url.username().is_empty() && url.password().is_none();
        // A SAS whose `?` was lost on the way here is still one.
        if url.as_ref().is_some_and(is_plain) && !text.contains('=') && may_be_shown(text) {
            report.show(&place);
        }
        if url.is_none() {
            report.error(
                &place,
                format_args!("`{}`: expected {expected}, found a text that is no URL", place.key),
            );
        }
        url.map(|value| Found { value, place })
    }

    /// A duration such as `2h`, inside `range`.
    pub fn duration(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        min: Duration,
    ) -> Option<Found<Duration>> {
        let expected = "a duration such as \"90s\", \"2h\" or \"1h 30m\"";
        let Found { value: text, place } = self.text(report, key, expected)?;
        let parsed = humantime::parse_duration(text);
        if parsed.is_ok() {
            report.show(&place);
        }
        match parsed {
            Ok(value) if value < min => {
                let least = humantime::format_duration(min);
                report.error(
                    &place,
                    format_args!("`{}`: expected at least {least}, found \"{text}\"", place.key),
                );
            }
            Ok(value) if value > DURATION_MAX => {
                report.error(
                    &place,
                    format_args!("`{}`: expected at most 366 days, found \"{text}\"", place.key),
                );
            }
            Ok(value) => return Some(Found { value, place }),
            Err(_) => {
                let found = if self.is_quiet { "another text".into() } else { format!("\"{text}\"") };
                report.error(&place, format_args!("`{}`: expected {expected}, found {found}", place.key));
            }
        }
        None
    }

    /// `true` or `false`.
    pub fn flag(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<bool> {
        let (place, value) = self.value(key)?;
        report.show(&place);
        value.as_bool().or_else(|| refused(report, &place, "true or false", value))
    }

    /// A whole number inside `range`.
    pub fn count(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (place, value) = self.value(key)?;
        report.show(&place);
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = value.as_integer() else { return refused(report, &place, &expected, value) };
        let number =
            u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            report.error(&place, format_args!("`{}`: expected {expected}, found {integer}", place.key));
        }
        number
    }

    /// A number above zero.
    pub fn rate(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<f64> {
        let (place, value) = self.value(key)?;
        report.show(&place);
        let expected = "a number from 0.001 to 1000000";
        let text = match value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => return refused(report, &place, expected, value),
        };
        let number = text.parse().ok().filter(|number| (0.001..=1e6).contains(number));
        if number.is_none() {
            report.error(&place, format_args!("`{}`: expected {expected}, found {text}", place.key));
        }
        number
    }

    /// A reference to a secret; whatever stands in its place is never shown.
    pub fn secret(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<SecretRef> {
        let expected = "a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:URL`";
        if !self.require(report, key, expected) {
            return None;
        }
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else { return refused(report, &place, expected, value) };
        match text.parse::<SecretRef>() {
            Ok(reference) => {
                report.show(&place);
                report.secrets.push(Found { value: reference.clone(), place });
                Some(reference)
            }
            Err(error) => {
                report.error(&place, format_args!("`{}`: {error}", place.key));
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Vec<Found<&'t str>> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            wrong_kind(report, &place, expected, value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let place = SourceLocation { key: format!("{}[{index}]", place.key), at: item.span() };
            match item.get_ref().as_str().filter(|text| may_be_shown(text)) {
                Some(value) => {
                    report.show(&place);
                    texts.push(Found { value, place });
                }
                None => wrong_kind(report, &place, expected, item.get_ref()),
            }
        }
        texts
    }

    /// A table below this one.
    pub fn section(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Section<'t>> {
        self.know(key);
        let (name, value) = self.table.get_key_value(key)?;
        let place = self.place_of(name);
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(place, table)),
            other => refused(report, &place, expected, other),
        }
    }

    /// The tables of a list, as in `[[app]]`.
    pub fn sections(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Vec<Section<'t>> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            wrong_kind(report, &place, expected, value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let place = SourceLocation { key: format!("{}[{index}]", place.key), at: item.span() };
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(place, table)),
                other => wrong_kind(report, &place, expected, other),
            }
        }
        sections
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, report: &mut Report<'_>) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                let of = if self.place.key.is_empty() {
                    String::new()
                } else {
                    format!(" in `{}`", self.place.key)
                };
                let unused = self.known.iter().copied().filter(|known| !self.has(known));
                let near = nearest(name, unused);
                // One slip is one error: the key that was meant is not missing as well.
                let near = near.map_or_else(String::new, |meant| {
                    report.retract_missing(&self.place, meant);
                    format!("; did you mean `{meant}`?")
                });
                let help = format!("known here: {}", self.known.join(", "));
                report.error_with_help(
                    &self.place_of(key),
                    format_args!("unknown key `{name}`{of}{near}"),
                    help,
                );
            }
        }
    }

    fn know(&mut self, key: &'static str) {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
    }

    pub(super) fn value(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.know(key);
        let value = self.table.get(key)?;
        Some((SourceLocation { key: self.path_of(key), at: value.span() }, value.get_ref()))
    }

    fn place_of(&self, key: &Spanned<std::borrow::Cow<'_, str>>) -> SourceLocation {
        SourceLocation { key: self.path_of(key.get_ref()), at: key.span() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) }
    }
}

/// The place of the whole file.
pub fn top() -> SourceLocation {
    SourceLocation { key: String::new(), at: Range { start: 0, end: 0 } }
}

/// Reports a value of another kind than was expected, without the value.
pub fn wrong_kind(report: &mut Report<'_>, place: &SourceLocation, expected: &str, found: &DeValue<'_>) {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    report.error(place, format_args!("`{}`: expected {expected}, found {found}", place.key));
}

/// [`wrong_kind`], for those who then have no value.
pub fn refused<T>(
    report: &mut Report<'_>,
    place: &SourceLocation,
    expected: &str,
    found: &DeValue<'_>,
) -> Option<T> {
    wrong_kind(report, place, expected, found);
    None
}

/// Somebody may put a secret anywhere. What has the marks of one is not shown.
fn may_be_shown(text: &str) -> bool {
    let marks = ["sig=", "accountkey=", "password=", "pwd=", "secret="];
    let folded = text.to_lowercase();
    text.len() <= 400 && !marks.iter().any(|mark| folded.contains(mark))
}
