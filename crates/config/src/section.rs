//! A table of the fleet file, whose keys are read one by one.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostics, SourceLocation};
use crate::nearest::nearest;
use crate::wrong_kind::{refused, wrong_kind};

/// A table of the fleet file.
///
/// Each key that is read becomes known; [`Section::finish`] reports the others.
#[derive(Debug)]
pub struct Section<'t> {
    /// Its location.
    pub place: SourceLocation,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
    /// Whether its texts are hidden.
    pub(crate) is_quiet: bool,
}

type Entry<'t> = (SourceLocation, &'t DeValue<'t>);

impl<'t> Section<'t> {
    /// The table at `place`.
    pub fn new(place: SourceLocation, table: &'t DeTable<'t>) -> Self {
        Self { place, table, known: Vec::new(), is_quiet: false }
    }

    /// Hides the texts of a table with a secret: a missing quote may have joined a text with it.
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// Whether the table has the key.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// All keys, sorted, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (String, Entry<'t>)> {
        self.table.iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name, (self.place_of(key), value.get_ref()))
        })
    }

    /// Reports the key if it is missing; returns whether it exists.
    pub fn require(&mut self, diagnostics: &mut Diagnostics<'_>, key: &'static str, expected: &str) -> bool {
        self.know(key);
        if !self.has(key) {
            let message = format_args!("`{}` is missing `{key}`: expected {expected}", self.place.key);
            let near = nearest(key, self.table.keys().map(|key| key.get_ref().as_ref()));
            let help = near.map(|near| format!("`{near}` is no key here; did you mean `{key}`?"));
            diagnostics.missing_key(&self.place, key, message, help);
        }
        self.has(key)
    }

    /// Reads a table below this one.
    pub fn section(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Section<'t>> {
        self.know(key);
        let (name, value) = self.table.get_key_value(key)?;
        let place = self.place_of(name);
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(place, table)),
            other => refused(diagnostics, &place, expected, other),
        }
    }

    /// Reads a list of tables, such as `[[app]]`.
    pub fn sections(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Vec<Section<'t>> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            wrong_kind(diagnostics, &place, expected, value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let place = SourceLocation { key: format!("{}[{index}]", place.key), at: item.span() };
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(place, table)),
                other => wrong_kind(diagnostics, &place, expected, other),
            }
        }
        sections
    }

    /// Reports the keys that were not read.
    pub fn finish(self, diagnostics: &mut Diagnostics<'_>) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if diagnostics.is_full() {
                return;
            }
            if !self.known.contains(&name) {
                let of = if self.place.key.is_empty() {
                    String::new()
                } else {
                    format!(" in `{}`", self.place.key)
                };
                let unused = self.known.iter().copied().filter(|known| !self.has(known));
                let near = nearest(name, unused);
                // A misspelt key is one error: the intended key is not missing as well.
                let near = near.map_or_else(String::new, |meant| {
                    diagnostics.retract_missing(&self.place, meant);
                    format!("; did you mean `{meant}`?")
                });
                let help = format!("known here: {}", self.known.join(", "));
                diagnostics.error_with_help(
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

    pub(crate) fn value(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.know(key);
        let value = self.table.get(key)?;
        Some((SourceLocation { key: self.path_of(key), at: value.span() }, value.get_ref()))
    }

    fn place_of(&self, key: &Spanned<Cow<'_, str>>) -> SourceLocation {
        SourceLocation { key: self.path_of(key.get_ref()), at: key.span() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) }
    }
}

/// The location of the whole file.
pub fn top() -> SourceLocation {
    SourceLocation { key: String::new(), at: Range { start: 0, end: 0 } }
}
