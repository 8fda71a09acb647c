//! A state as a word with an icon and a colour.

use askama::filters::Safe;
use holdfast_control::views::Severity;
use holdfast_model::{Cause, Outcome};

use super::escape::{Markup, escaped};

/// The class of a severity, which is also the name of its icon.
pub fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Bad => "bad",
        Severity::Warn => "warn",
        Severity::Run => "run",
        Severity::Ok => "ok",
        Severity::Muted => "muted",
    }
}

/// The word with the icon and the colour of its severity.
pub fn mark(severity: Severity, word: &str) -> Markup {
    let (class, word) = (class(severity), escaped(word));
    Safe(format!(
        "<span class=\"st {class}\"><svg aria-hidden=\"true\"><use href=\"#i-{class}\"/></svg>{word}</span>"
    ))
}

/// The severity of an outcome.
pub fn severity_of(outcome: Outcome) -> Severity {
    match outcome {
        Outcome::Succeeded => Severity::Ok,
        Outcome::Partial => Severity::Warn,
        _ => Severity::Bad,
    }
}

/// The severity of a cause: a partial backup and a tick that was not run are not a failure.
pub fn severity_of_cause(cause: Cause) -> Severity {
    match cause {
        Cause::PartiallySucceeded
        | Cause::BlobShrunk
        | Cause::DatabasesDropped
        | Cause::TooLate
        | Cause::Superseded
        | Cause::Overlap => Severity::Warn,
        _ => Severity::Bad,
    }
}
