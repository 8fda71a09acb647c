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
    /// Tables with the keys that it leaves out, the nearest first.
    inherited: Vec<Layer<'t>>,
    known: Vec<&'static str>,
    /// Whether its texts are hidden.
    pub(crate) is_quiet: bool,
}

/// A value and its location.
pub type Entry<'t> = (SourceLocation, &'t DeValue<'t>);

/// The table that has a key, the key and its value.
type Found<'s, 't> = (&'s SourceLocation, &'t Spanned<Cow<'t, str>>, &'t Spanned<DeValue<'t>>);

/// A table from which a section inherits, and its location.
pub type Layer<'t> = (SourceLocation, &'t DeTable<'t>);

impl<'t> Section<'t> {
    /// The table at `place`.
    pub fn new(place: SourceLocation, table: &'t DeTable<'t>) -> Self {
        Self { place, table, inherited: Vec::new(), known: Vec::new(), is_quiet: false }
    }

    /// The section with the keys of other tables where it has none of its own, the nearest first.
    pub fn inheriting(self, inherited: Vec<Layer<'t>>) -> Self {
        Self { inherited, ..self }
    }

    /// The table as others inherit it.
    pub fn layer(&self) -> Layer<'t> {
        (self.place.clone(), self.table)
    }

    /// Hides the texts of a table with a secret: a missing quote may have joined a text with it.
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// Whether the table has the key, or inherits it.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// All keys, sorted, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (String, Entry<'t>)> {
        self.table.iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name, (place_of(&self.place, key), value.get_ref()))
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
        let (at, name, value) = self.find(key)?;
        let place = place_of(at, name);
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(place, table)),
            other => refused(diagnostics, &place, expected, other),
        }
    }

    /// Reads a table below this one, which inherits what is below the tables that this one inherits from.
    pub fn merged_section(
        &mut self,
        diagnostics: &mut Diagnostics<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Section<'t>> {
        self.know(key);
        let mut tables = Vec::new();
        for (at, table) in self.layers() {
            match table.get_key_value(key).map(|(name, value)| (place_of(at, name), value.get_ref())) {
                None => {}
                Some((place, DeValue::Table(table))) => tables.push((place, table)),
                Some((place, other)) => wrong_kind(diagnostics, &place, expected, other),
            }
        }
        let mut tables = tables.into_iter();
        let (place, table) = tables.next()?;
        Some(Section::new(place, table).inheriting(tables.collect()))
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

    /// Reports the keys that were not read, also of the tables that it inherits from.
    pub fn finish(&self, diagnostics: &mut Diagnostics<'_>) {
        for (place, table) in self.layers() {
            for (key, _) in table {
                if diagnostics.is_full() {
                    return;
                }
                if !self.known.contains(&key.get_ref().as_ref()) {
                    self.unknown(diagnostics, (place, table), key);
                }
            }
        }
    }

    fn unknown(
        &self,
        diagnostics: &mut Diagnostics<'_>,
        (place, table): (&SourceLocation, &DeTable<'_>),
        key: &Spanned<Cow<'_, str>>,
    ) {
        let name = key.get_ref().as_ref();
        let of = if place.key.is_empty() { String::new() } else { format!(" in `{}`", place.key) };
        let unused = self.known.iter().copied().filter(|known| !table.contains_key(*known));
        let near = nearest(name, unused);
        // A misspelt key is one error: the intended key is not missing as well.
        let near = near.map_or_else(String::new, |meant| {
            diagnostics.retract_missing(&self.place, meant);
            format!("; did you mean `{meant}`?")
        });
        let help = format!("known here: {}", self.known.join(", "));
        let message = format_args!("unknown key `{name}`{of}{near}");
        diagnostics.error_with_help(&place_of(place, key), message, help);
    }

    /// Makes a key known that is read elsewhere.
    pub fn know(&mut self, key: &'static str) {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
    }

    pub(crate) fn value(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.know(key);
        let (at, _, value) = self.find(key)?;
        Some((SourceLocation { key: path_of(at, key), at: value.span() }, value.get_ref()))
    }

    /// Reads an optional key, whose text `none` undoes what is inherited.
    pub fn unless_none<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        self.know(key);
        let is_none = self.find(key).is_some_and(|(_, _, value)| value.get_ref().as_str() == Some("none"));
        if is_none { None } else { read(self, key) }
    }

    /// The values of a key in its own table and in those that it inherits from, the nearest first. The text `none` undoes
    /// those behind it.
    pub fn inherited_values(&mut self, key: &'static str) -> Vec<Entry<'t>> {
        self.know(key);
        let found = self.layers().filter_map(|(at, table)| {
            let (name, value) = table.get_key_value(key)?;
            Some((place_of(at, name), value.get_ref()))
        });
        found.take_while(|(_, value)| value.as_str() != Some("none")).collect()
    }

    /// The location of a key that it has or inherits, such as `poll` or `retry.partial`.
    pub fn place_of(&self, path: &str) -> Option<SourceLocation> {
        let Some((key, below)) = path.split_once('.') else {
            return self.find(path).map(|(at, name, _)| place_of(at, name));
        };
        self.layers().find_map(|(at, table)| {
            let (name, value) = table.get_key_value(key)?;
            let (inner, _) = value.get_ref().as_table()?.get_key_value(below)?;
            Some(place_of(&place_of(at, name), inner))
        })
    }

    /// A key with its value, and the location of the table that has it.
    fn find(&self, key: &str) -> Option<Found<'_, 't>> {
        self.layers().find_map(|(at, table)| {
            let (name, value) = table.get_key_value(key)?;
            Some((at, name, value))
        })
    }

    /// Its own table, then those that it inherits from.
    fn layers(&self) -> impl Iterator<Item = (&SourceLocation, &'t DeTable<'t>)> {
        let inherited = self.inherited.iter().map(|(place, table)| (place, *table));
        std::iter::once((&self.place, self.table)).chain(inherited)
    }
}

fn place_of(table: &SourceLocation, key: &Spanned<Cow<'_, str>>) -> SourceLocation {
    SourceLocation { key: path_of(table, key.get_ref()), at: key.span() }
}

fn path_of(table: &SourceLocation, key: &str) -> String {
    if table.key.is_empty() { key.to_owned() } else { format!("{}.{key}", table.key) }
}

/// The location of the whole file.
pub fn top() -> SourceLocation {
    SourceLocation { key: String::new(), at: Range { start: 0, end: 0 } }
}
