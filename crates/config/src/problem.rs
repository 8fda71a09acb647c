//! What is wrong with a fleet file, and how it is shown.

use std::fmt;

use serde::Serialize;

/// Whether the fleet can be worked with all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, and somebody should know.
    Warning,
}

/// One thing that is wrong, and where. It shows no value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The fleet file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key's path, such as `policy.gold.schedule`; empty where no key is to blame.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line itself, where it can be shown.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A line of the file with its secrets blanked, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line.
    pub text: String,
    /// Characters before the part that is meant.
    pub before: usize,
    /// Characters of it; at least 1.
    pub width: usize,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
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
