//! The one error of this crate: what happened, why, and what to do next.

use std::error::Error as StdError;

use holdfast_config::{Invalid, Unreadable};

/// What kind of failure an error is.
///
/// The command line maps it to an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request or the fleet file is wrong.
    Invalid,
    /// The request names what does not exist.
    NotFound,
    /// The request contradicts what exists.
    Conflict,
    /// A rule forbids it, or what it needs is unusable.
    Refused,
    /// The store failed.
    Store,
    /// The broker failed.
    Broker,
    /// Azure or its storage is out of reach, or refused.
    Azure,
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: String,
    help: Option<String>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error without advice.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), help: None, source: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do next, where something can be done.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// What happened with all of its causes, on one line.
    pub fn with_causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |&error| error.source());
        causes.map(ToString::to_string).fold(self.to_string(), |all, cause| format!("{all}: {cause}"))
    }

    /// The error of another crate, with its own text as the whole message.
    fn of(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Self {
        Self { kind, what: error.to_string(), help: None, source: None }.caused_by(&error)
    }

    /// Keeps the causes of `error`, whose own text is the message already.
    fn caused_by(mut self, error: &(dyn StdError + 'static)) -> Self {
        let Some(cause) = error.source() else { return self };
        self.source = Some(Box::new(Self::new(self.kind, cause.to_string()).caused_by(cause)));
        self
    }
}

impl From<holdfast_store::Error> for Error {
    fn from(error: holdfast_store::Error) -> Self {
        Self::of(ErrorKind::Store, error)
    }
}

impl From<holdfast_storage::Error> for Error {
    fn from(error: holdfast_storage::Error) -> Self {
        Self::of(ErrorKind::Azure, error)
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        let help = error.help;
        Self::of(ErrorKind::Invalid, error).help(help)
    }
}

impl From<Invalid> for Error {
    fn from(error: Invalid) -> Self {
        Self::of(ErrorKind::Invalid, error)
    }
}

impl From<holdfast_arm::Error> for Error {
    fn from(error: holdfast_arm::Error) -> Self {
        let help = advice(&error);
        Self { help: help.map(ToOwned::to_owned), ..Self::of(ErrorKind::Azure, error) }
    }
}

/// One error for all reasons that forbid a request.
pub fn refused(reasons: &[String]) -> Error {
    let what = match reasons {
        [one] => one.clone(),
        several => format!("nothing was done:\n  {}", several.join("\n  ")),
    };
    Error::new(ErrorKind::Conflict, what)
}

/// What to do about an error of Azure's.
pub fn advice(error: &holdfast_arm::Error) -> Option<&'static str> {
    match error.kind() {
        holdfast_arm::ErrorKind::NotSent => {
            Some("check the network and the credential; `endpoint` and `authority` in [azure]")
        }
        holdfast_arm::ErrorKind::Unauthorized | holdfast_arm::ErrorKind::CredentialRefused => {
            Some("check the credential in [azure]")
        }
        holdfast_arm::ErrorKind::Forbidden => {
            Some("give the credential the role that docs/cli.md names, on the subscription")
        }
        _ => None,
    }
}

/// Says which operation failed; the kind of the cause stays.
pub trait Context<T> {
    /// With the name of the operation, such as "failed to read the catalog".
    fn context(self, what: impl Into<String>) -> Result<T, Error>;

    /// The same, for names that cost something to make.
    fn with_context<W: Into<String>>(self, what: impl FnOnce() -> W) -> Result<T, Error>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl Into<String>) -> Result<T, Error> {
        self.with_context(|| what)
    }

    fn with_context<W: Into<String>>(self, what: impl FnOnce() -> W) -> Result<T, Error> {
        self.map_err(|error| {
            let error = error.into();
            Error {
                kind: error.kind,
                what: what().into(),
                help: error.help.clone(),
                source: Some(Box::new(error)),
            }
        })
    }
}

/// The error as tests compare it: the message and the advice.
#[cfg(test)]
pub(crate) fn rendered(error: &Error) -> String {
    let help = error.advice().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("error: {error}{help}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_keeps_the_kind_and_the_advice_and_names_the_cause() {
        let cause = Error::new(ErrorKind::NotFound, "no app is called `shup`").help("did you mean `shop`?");
        let error = Err::<(), _>(cause).context("failed to show the history").unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::NotFound, Some("did you mean `shop`?")));
        assert_eq!(error.to_string(), "failed to show the history");
        assert_eq!(error.source().unwrap().to_string(), "no app is called `shup`");
        assert_eq!(error.with_causes(), "failed to show the history: no app is called `shup`");
    }

    #[test]
    fn an_error_of_azure_says_what_to_do_where_something_can_be_done() {
        let of = |kind| {
            let operation = holdfast_arm::Operation::ListSites;
            Error::from(holdfast_arm::Error::new(operation, "subscription s", kind, "azure answered 403"))
        };
        assert_eq!(of(holdfast_arm::ErrorKind::Forbidden).kind(), ErrorKind::Azure);
        assert!(of(holdfast_arm::ErrorKind::Forbidden).advice().is_some());
        assert!(of(holdfast_arm::ErrorKind::Rejected).advice().is_none());
    }
}
