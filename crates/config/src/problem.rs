//! A problem of a fleet file, and how it is printed.

use std::fmt;

use serde::Serialize;
use strum::Display;

/// Whether a problem makes the fleet unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    /// The fleet is unusable.
    Error,
    /// The fleet is usable.
    Warning,
}

/// A problem and its location. It shows no value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The path of the fleet file, as given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key's path, such as `policy.gold.schedule`; empty for the whole file.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The line, where it can be shown.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A line of the file without its secrets, and the marked part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line.
    pub text: String,
    /// Characters before the marked part.
    pub before: usize,
    /// Characters of the marked part; at least 1.
    pub width: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, file, line, column, message, .. } = self;
        let gutter = " ".repeat(line.to_string().len());
        writeln!(f, "{severity}: {message}")?;
        writeln!(f, "{gutter}--> {file}:{line}:{column}")?;
        if let Some(Excerpt { text, before, width }) = &self.excerpt {
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{line} | {text}")?;
            writeln!(f, "{gutter} | {}{}", " ".repeat(*before), "^".repeat(*width))?;
        }
        self.help.as_ref().map_or(Ok(()), |help| writeln!(f, "{gutter} = help: {help}"))
    }
}
