//! The fleet that a process works by: the newest revision that it can use, or its fleet file while there is none.

use holdfast_config::{Checked, Fleet, Problem, Secrets, Severity, UnusableStorage};
use holdfast_model::Timestamp;
use holdfast_store::Store;

use super::stored::{revision, text_of};
use crate::{Error, ErrorKind, counted};

/// Revisions that a process tries at its start, from the newest one back.
const TRIED: usize = 10;

/// A fleet that a process works by.
#[derive(Debug)]
pub struct InForce {
    /// The number of the revision; `None` for the fleet file.
    pub revision: Option<u64>,
    /// The fleet.
    pub fleet: Fleet,
    /// Storages whose secret cannot be used; the rest of the fleet works.
    pub unusable: Vec<UnusableStorage>,
    /// Why a newer revision was not taken.
    pub error: Option<String>,
}

impl InForce {
    /// The fleet file, where there is no revision.
    pub fn of_file(fleet: Fleet) -> Self {
        Self { revision: None, fleet, unusable: Vec::new(), error: None }
    }
}

/// The fleet of a revision, with its secrets.
pub async fn read_revision(
    store: &dyn Store,
    number: u64,
    secrets: Secrets,
    now: Timestamp,
) -> Result<InForce, Error> {
    let text = text_of(revision(store, number).await?);
    let Checked { fleet, problems, unusable } = text.check(secrets, now);
    let fleet = fleet.ok_or_else(|| unusable_here(number, &problems))?;
    Ok(InForce { revision: Some(number), fleet, unusable, error: None })
}

/// The newest revision that can be used; `None` where there is no revision, so that the fleet file counts.
///
/// A process that starts while the newest revision refers to a secret that it cannot read works by the one before, as those
/// do that run already.
pub async fn newest_usable(
    store: &dyn Store,
    secrets: Secrets,
    now: Timestamp,
) -> Result<Option<InForce>, Error> {
    let mut error: Option<Error> = None;
    for number in (1..=store.newest_revision().await?).rev().take(TRIED) {
        match read_revision(store, number, secrets, now).await {
            Ok(found) => {
                let error = error.map(|error| error.to_string());
                return Ok(Some(InForce { error, ..found }));
            }
            Err(wrong) => error = error.or(Some(wrong)),
        }
    }
    error.map_or(Ok(None), Err)
}

/// Why a process cannot use a revision, in one sentence: its secrets are read here.
fn unusable_here(number: u64, problems: &[Problem]) -> Error {
    let why = first_error(problems);
    let error = Error::new(ErrorKind::Invalid, format!("revision {number} cannot be used here: {why}"));
    match errors(problems).next().and_then(|problem| problem.help.clone()) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The first error of a fleet, and how many more there are.
pub(super) fn first_error(problems: &[Problem]) -> String {
    let message = errors(problems).next().map_or("it is invalid", |problem| problem.message.as_str());
    match errors(problems).skip(1).count() {
        0 => message.to_owned(),
        more => format!("{message}, and {}", counted(more, "more error")),
    }
}

fn errors(problems: &[Problem]) -> impl Iterator<Item = &Problem> {
    problems.iter().filter(|problem| problem.severity == Severity::Error)
}
