//! Collects what is wrong with a fleet file, all of it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;

use holdfast_model::AppId;
use holdfast_storage::SecretRef;

use super::lapsed::Lapsed;
use super::problem::{Problem, Severity};
use super::source::{Leaves, Source};

/// A place in the file and the key that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The key's path.
    pub key: String,
    /// Where, in bytes.
    pub at: Range<usize>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: SourceLocation,
}

/// Collects problems.
#[derive(Debug)]
pub struct Report<'s> {
    source: &'s Source,
    leaves: Leaves,
    found: Vec<(Severity, SourceLocation, String, Option<String>)>,
    missing: Vec<Missing>,
    syntax: Vec<Problem>,
    /// References to secrets, to be tried at the end.
    pub secrets: Vec<Found<SecretRef>>,
    /// Storages whose SAS has lapsed.
    pub lapsed: Vec<Lapsed>,
    /// Scratch apps of drills, to be held against the apps at the end.
    pub scratch: Vec<Found<AppId>>,
}

/// A key that must be there and is not.
#[derive(Debug)]
struct Missing {
    section: SourceLocation,
    key: &'static str,
    message: String,
    help: Option<String>,
}

impl<'s> Report<'s> {
    /// Nothing wrong yet but the file's syntax.
    pub fn new(source: &'s Source, leaves: Leaves, syntax: &[toml::de::Error]) -> Self {
        let syntax = syntax.iter().map(|error| syntax_problem(source, error)).collect();
        Self {
            source,
            leaves,
            found: Vec::new(),
            missing: Vec::new(),
            syntax,
            secrets: Vec::new(),
            lapsed: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Something is wrong.
    pub fn error(&mut self, place: &SourceLocation, message: impl Display) {
        self.add(Severity::Error, place, &message, None);
    }

    /// Something is wrong, and this is the cure.
    pub fn error_with_help(&mut self, place: &SourceLocation, message: impl Display, help: impl Display) {
        self.add(Severity::Error, place, &message, Some(help.to_string()));
    }

    /// Something is wrong, unless it only seems so because a part of the file cannot be read.
    pub fn missing(&mut self, place: &SourceLocation, message: impl Display, help: Option<String>) {
        if self.syntax.is_empty() {
            self.add(Severity::Error, place, &message, help);
        }
    }

    /// A key that must be there is not, unless a slip of it is found later.
    pub fn missing_key(
        &mut self,
        section: &SourceLocation,
        key: &'static str,
        message: impl Display,
        help: Option<String>,
    ) {
        let (section, message) = (section.clone(), message.to_string());
        self.missing.push(Missing { section, key, message, help });
    }

    /// The key is there after all, misspelt.
    pub fn retract_missing(&mut self, section: &SourceLocation, key: &str) {
        self.missing.retain(|missing| missing.section != *section || missing.key != key);
    }

    /// Somebody should know.
    pub fn warning(&mut self, place: &SourceLocation, message: impl Display, help: Option<String>) {
        self.add(Severity::Warning, place, &message, help);
    }

    /// The value at a place holds no secret.
    pub fn show(&mut self, place: &SourceLocation) {
        self.leaves.show(place.at.start);
    }

    /// All problems, in the order of the file.
    pub fn finish(mut self) -> Vec<Problem> {
        for Missing { section, message, help, .. } in std::mem::take(&mut self.missing) {
            self.missing(&section, message, help);
        }
        let Self { source, leaves, found, syntax, .. } = self;
        let broken: BTreeSet<usize> = syntax.iter().map(|problem| problem.line).collect();
        let whole = broken.is_empty();
        let problems = found.into_iter().map(|(severity, place, message, help)| {
            let (line, column) = source.position(place.at.start);
            // In a file that cannot be parsed nobody knows where values begin and end.
            let excerpt = if whole { source.excerpt(&place.at, &leaves) } else { None };
            Problem {
                severity,
                file: source.name.clone(),
                line,
                column,
                key: place.key,
                message,
                help,
                excerpt,
            }
        });
        let mut all: Vec<Problem> = problems.filter(|problem| !broken.contains(&problem.line)).collect();
        all.extend(syntax);
        all.sort_by(|a, b| (a.line, a.column, &a.message).cmp(&(b.line, b.column, &b.message)));
        all.dedup();
        all
    }

    fn add(
        &mut self,
        severity: Severity,
        place: &SourceLocation,
        message: &dyn Display,
        help: Option<String>,
    ) {
        let place = SourceLocation { key: printable(&place.key), at: place.at.clone() };
        self.found.push((
            severity,
            place,
            printable(&message.to_string()),
            help.map(|help| printable(&help)),
        ));
    }
}

fn syntax_problem(source: &Source, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start);
    let (line, column) = source.position(at);
    Problem {
        severity: Severity::Error,
        file: source.name.clone(),
        line,
        column,
        key: String::new(),
        message: format!("this is not TOML: {}", error.message().lines().collect::<Vec<_>>().join("; ")),
        help: None,
        excerpt: source.broken_excerpt(at),
    }
}

/// Keys and values are somebody's text: nothing in them may move the terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
