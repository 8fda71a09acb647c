//! Exit codes, and the text of an error.

use std::fmt::Write as _;
use std::process::ExitCode;

use holdfast_config::{Invalid, Unreadable};
use holdfast_control::freshness::CheckLevel;
use holdfast_control::{Error, ErrorKind};

/// The exit codes, for `--help`.
pub const CODES: &str = "Exit codes:
  0    done
  1    the requested operation failed, such as a backup that did not succeed
  2    the command line or the fleet file is wrong, or names something that does not exist
  3    the store, the broker or the server cannot be used, or another process holds the store
  4    Azure or its storage could not be reached, or refused
  130  interrupted";

/// The exit of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The requested operation failed.
    Failed,
    /// The command line or the fleet file is wrong.
    Usage,
    /// The store, the broker or the server cannot be used.
    Store,
    /// Azure or its storage could not be reached, or refused.
    Azure,
    /// Stopped by a signal.
    Interrupted,
    /// A monitoring system was told the level.
    Checked(CheckLevel),
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Store => 3,
            Self::Azure => 4,
            Self::Interrupted => 130,
            Self::Checked(level) => level as u8,
        }
    }

    /// The exit for an error: of the first of its causes that has one.
    pub fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::of_cause).unwrap_or(Self::Failed)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if let Some(error) = cause.downcast_ref::<Error>() {
            Some(error.kind().into())
        } else if let Some(error) = cause.downcast_ref::<holdfast_identity::Error>() {
            Some(if error.is_in_configuration() { Self::Usage } else { Self::Azure })
        } else if cause.is::<Invalid>() || cause.is::<Unreadable>() {
            Some(Self::Usage)
        } else if cause.is::<holdfast_store::Error>()
            || cause.is::<holdfast_queue::ConnectError>()
            || cause.is::<holdfast_queue::DeadLetterError>()
        {
            Some(Self::Store)
        } else if cause.is::<holdfast_arm::Error>()
            || cause.is::<holdfast_arm::TokenError>()
            || cause.is::<holdfast_arm::InvalidSettings>()
            || cause.is::<holdfast_storage::Error>()
        {
            Some(Self::Azure)
        } else {
            None
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict => Self::Usage,
            ErrorKind::Refused => Self::Failed,
            ErrorKind::Store | ErrorKind::Broker => Self::Store,
            ErrorKind::Azure => Self::Azure,
        }
    }
}

/// The error as it is printed: what happened, its causes indented, and what to do next.
pub fn render(error: &anyhow::Error) -> String {
    let what = error.to_string();
    // The problems of a fleet file, also those that a server found: each has its own lines and its own help.
    if ["error: ", "warning: "].iter().any(|begin| what.starts_with(begin)) {
        return format!("{}\n", what.trim_end());
    }
    let mut text = format!("error: {}\n", indented(&what));
    for cause in error.chain().skip(1) {
        let _ = writeln!(text, "  because: {}", indented(&cause.to_string()));
    }
    if let Some(help) = advice(error) {
        let _ = writeln!(text, "help: {help}");
    }
    text
}

/// What to do next, where something can be done.
pub fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(help_of)
}

/// The text with every line after the first indented, so that no line of Azure's looks like one of ours.
fn indented(text: &str) -> String {
    let lines = text.lines().enumerate();
    let indent = |(at, line): (usize, &str)| match line {
        line if at == 0 || line.starts_with("  ") => line.to_owned(),
        line => format!("    {line}"),
    };
    lines.map(indent).collect::<Vec<_>>().join("\n")
}

fn help_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<Error>() {
        return error.advice().map(ToOwned::to_owned);
    }
    if let Some(unreadable) = cause.downcast_ref::<Unreadable>() {
        return Some(unreadable.help.to_owned());
    }
    let error = cause.downcast_ref::<holdfast_arm::Error>()?;
    holdfast_control::advice(error).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code_wherever_it_stands_in_the_chain() {
        let store = || anyhow::Error::new(holdfast_store::Error::InUse("x.sqlite".into()));
        let azure = holdfast_arm::Error::new(
            holdfast_arm::Operation::ListSites,
            "subscription s",
            holdfast_arm::ErrorKind::Forbidden,
            "azure answered 403",
        );
        for (error, code) in [
            (anyhow::anyhow!("something"), 1),
            (Error::new(ErrorKind::Invalid, "no such app").into(), 2),
            (anyhow::Error::new(Invalid(Vec::new())), 2),
            (store(), 3),
            (store().context("failed to show the status"), 3),
            (anyhow::Error::new(azure), 4),
        ] {
            assert_eq!(Exit::of(&error).code(), code, "{error:?}");
        }
    }

    #[test]
    fn a_connection_that_breaks_is_a_failure_and_not_a_reader_that_left() {
        let pipe = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let source = holdfast_tests::sqlite::broken_connection();
        let broken = anyhow::Error::new(holdfast_store::Error::Driver { operation: "load a run", source });
        let broken = broken.context("failed to wait for the runs");
        assert_eq!(Exit::of(&broken).code(), 3);
        assert!(render(&broken).contains("because: "), "{}", render(&broken));
        assert_eq!(Exit::of(&pipe().into()).code(), 1);
    }

    #[test]
    fn a_line_of_azures_text_cannot_pass_for_one_of_ours() {
        let error = anyhow::anyhow!("azure answered:\nhelp: run rm -rf");
        assert_eq!(render(&error), "error: azure answered:\n    help: run rm -rf\n");
    }

    #[test]
    fn an_error_says_what_happened_why_and_what_to_do_next() {
        let cause = Error::new(ErrorKind::Invalid, "no app is called `shup`").help("did you mean `shop`?");
        let error = Err::<(), _>(cause).context("failed to show the history").unwrap_err();
        assert_eq!(
            render(&error),
            "error: failed to show the history\n  because: no app is called `shup`\nhelp: did you mean `shop`?\n"
        );
    }
}
