//! The text of the fleet file, and excerpts of it without secrets.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::problem::Excerpt;

/// Largest fleet file.
pub(crate) const LENGTH_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Longest line that is shown.
const SHOWN_MAX_CHARS: usize = 160;

/// Longest line of which a part is shown. A longer one has many values, and its parts would be found again for each.
const LINE_MAX_BYTES: usize = 4_096;

/// Keys that may be shown of a line that cannot be parsed.
const SHOWN_KEYS: [&str; 12] = [
    "azure",
    "storage",
    "policy",
    "app",
    "discover",
    "limits",
    "engine",
    "credential",
    "sas",
    "schedule",
    "id",
    "retry",
];

/// The file could not be read as text.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    /// What failed, with the file's name.
    pub what: String,
    /// What to do.
    pub help: &'static str,
}

/// The text of a fleet file.
#[derive(Debug)]
pub struct Source {
    /// The path of the file, as given.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The byte ranges of all values, and whether each may be shown.
#[derive(Debug, Default)]
pub struct ValueSpans(BTreeMap<usize, (usize, bool)>);

impl Source {
    /// Reads one file.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let name = path.display().to_string();
        let failed = |what: String, help| Unreadable { what: format!("the fleet file {name} {what}"), help };
        let unread = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                failed("does not exist".into(), "name another with --fleet PATH, or try `holdfast demo`")
            }
            _ => failed(format!("cannot be read: {error}"), "check its permissions"),
        };
        let file = File::open(path).map_err(unread)?;
        let facts = file.metadata().map_err(unread)?;
        if facts.is_dir() {
            return Err(failed("is a directory".into(), "name the files in it, as in `apps/*.toml`"));
        }
        let mut bytes = Vec::new();
        file.take(LENGTH_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > LENGTH_MAX_BYTES {
            let help = "is this the right file? large fleets are found with [[discover]] and not listed";
            return Err(failed(format!("is larger than {} MiB", LENGTH_MAX_BYTES >> 20), help));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(failed("is UTF-16 text".into(), "save it as UTF-8"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = error
                .as_bytes()
                .iter()
                .take(error.utf8_error().valid_up_to())
                .filter(|b| **b == b'\n')
                .count();
            failed(format!("is not UTF-8 text (line {})", line + 1), "save it as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        if text.trim().is_empty() {
            return Err(failed("is empty".into(), "docs/cli.md shows a fleet file to begin with"));
        }
        Ok(Self { name, text })
    }

    /// The line and column, both from 1, of a byte position.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let start = self.line_start(at);
        let line = self.text.as_bytes().iter().take(start).filter(|b| **b == b'\n').count() + 1;
        let before = self.text.get(start..self.clamped(at)).map_or(0, |part| part.chars().count());
        (line, before + 1)
    }

    /// The line of a range; every value that may be a secret is blanked.
    pub fn excerpt(&self, at: &Range<usize>, spans: &ValueSpans) -> Option<Excerpt> {
        let (start, text) = self.line(at.start).filter(|(_, text)| text.len() <= LINE_MAX_BYTES)?;
        let (mut shown, mut before, mut width) = (String::new(), 0, 0);
        for part in spans.parts(start, text) {
            let chars = |from: usize, to: usize| match part.text {
                Some(_) => self.text.get(from..to).map_or(0, |text| text.chars().count()),
                None => 1,
            };
            if part.from < at.start {
                before += chars(part.from, part.to.min(at.start));
            }
            let (from, to) = (at.start.max(part.from), at.end.min(part.to));
            if from < to {
                width += chars(from, to);
            }
            shown.push_str(part.text.unwrap_or("…"));
        }
        let shown: String = shown.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let total = shown.chars().count();
        let fits = total > 0 && total <= SHOWN_MAX_CHARS && before <= total;
        let width = width.clamp(1, (total - before.min(total)).max(1));
        fits.then_some(Excerpt { text: shown, before, width })
    }

    /// The start of a line with a syntax error: its key or header, if that is a known key.
    pub fn broken_excerpt(&self, at: usize) -> Option<Excerpt> {
        let (start, text) = self.line(at)?;
        let header = text.trim_start().starts_with('[');
        let key = if header { text } else { text.split('=').next()? };
        let is_plain = key.chars().all(|c| c.is_ascii_lowercase() || " []._".contains(c));
        let first = key.trim_matches([' ', '[', ']']).split('.').next()?.trim();
        if !is_plain || !SHOWN_KEYS.contains(&first) {
            return None;
        }
        let rest = if key.len() < text.len() { "= …" } else { "" };
        let before = at.saturating_sub(start).min(key.len());
        Some(Excerpt { text: format!("{key}{rest}"), before, width: 1 })
    }

    fn line(&self, at: usize) -> Option<(usize, &str)> {
        let start = self.line_start(at);
        let rest = self.text.get(start..)?;
        Some((start, rest.lines().next().unwrap_or_default()))
    }

    fn line_start(&self, at: usize) -> usize {
        let at = self.clamped(at);
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
    }

    /// The byte position, moved back to the start of a character.
    fn clamped(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }
}

impl ValueSpans {
    /// The values of a parsed file, all of them hidden.
    pub fn of(table: &DeTable<'_>) -> Self {
        let mut spans = Self::default();
        spans.add_table(table);
        spans
    }

    /// Allows a value to be shown.
    pub fn show(&mut self, at: usize) {
        if let Some((_, shown)) = self.0.get_mut(&at) {
            *shown = true;
        }
    }

    fn add_table(&mut self, table: &DeTable<'_>) {
        for (_, value) in table {
            self.add(value.span(), value.get_ref());
        }
    }

    fn add(&mut self, span: Range<usize>, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.add_table(table),
            DeValue::Array(array) => array.iter().for_each(|item| self.add(item.span(), item.get_ref())),
            _ => {
                self.0.insert(span.start, (span.end, false));
            }
        }
    }

    /// Splits a line into code and values; a comment, which may hold anything, is cut off.
    fn parts<'a>(&self, start: usize, text: &'a str) -> Vec<Part<'a>> {
        let end = start + text.len();
        let within = |from: usize, to: usize| text.get(from - start..to - start).unwrap_or_default();
        let mut parts = Vec::new();
        let mut at = start;
        let touching = self.0.range(..end).filter(|(_, (to, _))| *to > start);
        for (from, to, shown) in touching.map(|(from, (to, shown))| (start.max(*from), end.min(*to), *shown))
        {
            let gap = within(at, from.max(at));
            let code = gap.split('#').next().unwrap_or_default();
            parts.push(Part { from: at, to: at + code.len(), text: Some(code) });
            if code.len() < gap.len() {
                return parts;
            }
            parts.push(Part { from, to, text: shown.then(|| within(from, to)) });
            at = to;
        }
        let code = within(at, end).split('#').next().unwrap_or_default();
        parts.push(Part { from: at, to: at + code.len(), text: Some(code) });
        parts
    }
}

/// A part of a line; a hidden value has no text.
struct Part<'a> {
    from: usize,
    to: usize,
    text: Option<&'a str>,
}
