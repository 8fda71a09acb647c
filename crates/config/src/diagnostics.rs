//! Collects the problems of a fleet file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;

use holdfast_model::{AppId, inert};
use holdfast_storage::SecretRef;

use crate::parts;
use crate::problem::{Problem, Severity};
use crate::source::{Source, ValueSpans};
use crate::unusable_storage::UnusableStorage;

/// The most problems that are reported. Finding the line of each takes time, and these are enough to go on with.
const PROBLEMS_MAX: usize = 200;

/// A location in the file, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The key's path.
    pub key: String,
    /// The range in bytes.
    pub at: Range<usize>,
}

/// A value and its location.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its location.
    pub place: SourceLocation,
}

/// Collects the problems of a fleet file, and what is checked at the end.
#[derive(Debug)]
pub struct Diagnostics<'s> {
    source: &'s Source,
    spans: ValueSpans,
    found: Vec<(Severity, SourceLocation, String, Option<String>)>,
    missing: Vec<Missing>,
    syntax: Vec<Problem>,
    /// References to secrets, which are read at the end.
    pub secrets: Vec<Located<SecretRef>>,
    /// Storages whose secret is unusable.
    pub unusable: Vec<UnusableStorage>,
    /// Scratch apps of drills, which are compared with the apps at the end.
    pub scratch: Vec<Located<AppId>>,
}

/// A required key that is missing.
#[derive(Debug)]
struct Missing {
    section: SourceLocation,
    key: &'static str,
    message: String,
    help: Option<String>,
}

impl<'s> Diagnostics<'s> {
    /// Starts with the syntax errors of the file.
    pub fn new(source: &'s Source, spans: ValueSpans, syntax: &[toml::de::Error]) -> Self {
        let syntax = syntax.iter().take(PROBLEMS_MAX).map(|error| syntax_problem(source, error)).collect();
        Self {
            source,
            spans,
            found: Vec::new(),
            missing: Vec::new(),
            syntax,
            secrets: Vec::new(),
            unusable: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether no further problem is reported.
    pub fn is_full(&self) -> bool {
        self.found.len() >= PROBLEMS_MAX
    }

    /// Adds an error.
    pub fn error(&mut self, place: &SourceLocation, message: impl Display) {
        self.add(Severity::Error, place, &message, None);
    }

    /// Adds an error and what to do about it.
    pub fn error_with_help(&mut self, place: &SourceLocation, message: impl Display, help: impl Display) {
        self.add(Severity::Error, place, &message, Some(help.to_string()));
    }

    /// Adds an error about something missing, unless a syntax error may have hidden it.
    pub fn missing(&mut self, place: &SourceLocation, message: impl Display, help: Option<String>) {
        if self.syntax.is_empty() {
            self.add(Severity::Error, place, &message, help);
        }
    }

    /// Adds an error about a missing key, unless [`Self::retract_missing`] finds it misspelt.
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

    /// Removes the error about a missing key that turned out to be misspelt.
    pub fn retract_missing(&mut self, section: &SourceLocation, key: &str) {
        self.missing.retain(|missing| missing.section != *section || missing.key != key);
    }

    /// Adds a warning.
    pub fn warning(&mut self, place: &SourceLocation, message: impl Display, help: Option<String>) {
        self.add(Severity::Warning, place, &message, help);
    }

    /// Whether an error was added.
    pub fn has_errors(&self) -> bool {
        let is_error = |(severity, ..): &(Severity, SourceLocation, String, Option<String>)| {
            *severity == Severity::Error
        };
        !self.syntax.is_empty() || !self.missing.is_empty() || self.found.iter().any(is_error)
    }

    /// Allows the value at a location to be shown, because it is no secret.
    pub fn show(&mut self, place: &SourceLocation) {
        self.spans.show(place.at.start);
    }

    /// The file of a location, if it is an included one, and its line from 1.
    pub fn line(&self, place: &SourceLocation) -> (Option<String>, usize) {
        parts::line(self.source, self.source.position(place.at.start).0)
    }

    /// Whether the text has its included files.
    pub fn is_whole(&self) -> bool {
        parts::is_whole(&self.source.text)
    }

    /// All problems, in the order of the file.
    pub fn finish(mut self) -> Vec<Problem> {
        for Missing { section, message, help, .. } in std::mem::take(&mut self.missing) {
            self.missing(&section, message, help);
        }
        let Self { source, spans, found, syntax, .. } = self;
        let broken: BTreeSet<usize> = syntax.iter().map(|problem| problem.line).collect();
        let whole = broken.is_empty();
        let problems = found.into_iter().map(|(severity, place, message, help)| {
            let (line, column) = source.position(place.at.start);
            // In a file with syntax errors the bounds of values are unknown.
            let excerpt = if whole { source.excerpt(&place.at, &spans) } else { None };
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
        all.truncate(PROBLEMS_MAX);
        for problem in &mut all {
            let (file, line) = parts::line(source, problem.line);
            problem.file = file.unwrap_or_else(|| source.name.clone());
            problem.line = line;
        }
        all
    }

    fn add(
        &mut self,
        severity: Severity,
        place: &SourceLocation,
        message: &dyn Display,
        help: Option<String>,
    ) {
        // The first errors make the fleet unusable, so a later one changes nothing; warnings may not fill the list.
        let is_hidden = self.is_full() && (severity == Severity::Warning || self.has_errors());
        if is_hidden {
            return;
        }
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
    let twice = parts::same_header(source, line).map(|first| format!("; the section is at {first} too"));
    let said = error.message().lines().collect::<Vec<_>>().join("; ");
    Problem {
        severity: Severity::Error,
        file: source.name.clone(),
        line,
        column,
        key: String::new(),
        message: format!("this is not TOML: {said}{}", twice.unwrap_or_default()),
        help: None,
        excerpt: source.broken_excerpt(at),
    }
}

/// Makes what acts on a terminal visible.
fn printable(text: &str) -> String {
    inert(text).into_owned()
}
