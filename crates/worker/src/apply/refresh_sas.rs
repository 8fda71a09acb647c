//! A new SAS for a backup already taken.

use holdfast_arm::{Backup, Error, ErrorKind};
use holdfast_model::{Cause, RunEvent, SasRefresh, Task};

use super::begin::{put_off, unreachable};
use super::delete::is_another;
use super::ending::{done, refused};
use super::{Next, Sight};

/// What became of putting a new SAS in the place of the one that Azure keeps with a backup.
#[derive(Debug)]
pub(crate) struct Renewed {
    /// The SAS of the storage that was replaced for it.
    pub ours: Option<SasRefresh>,
    /// What Azure was asked.
    pub kept: SasRefresh,
    /// Its answer.
    pub answer: Result<(), Error>,
}

/// Azure was asked to keep another SAS. A deletion goes on from there; a run that was for the SAS alone is over.
pub(crate) fn renewed(sight: &Sight<'_>, renewed: Renewed, rng: &mut fastrand::Rng) -> Next {
    let Renewed { ours, kept, answer } = renewed;
    let mut next = match answer {
        Ok(()) => {
            let events = vec![RunEvent::SasRefreshed { refresh: kept }];
            match sight.run.task {
                Task::RefreshSas(_) => done(sight, events),
                _ => Next::new(events, sight.now),
            }
        }
        Err(error) => not_renewed(sight, &error, rng),
    };
    next.events.splice(0..0, ours.map(|refresh| RunEvent::SasRefreshed { refresh }));
    next
}

/// Is what Azure lists under the number another backup than the one that the catalog has?
pub(crate) fn is_another_than(sight: &Sight<'_>, listed: &Backup) -> bool {
    sight.subject.is_some_and(|entry| is_another(&entry.backup.blob, listed))
}

fn not_renewed(sight: &Sight<'_>, error: &Error, rng: &mut fastrand::Rng) -> Next {
    let detail = error.to_string();
    match error.kind() {
        ErrorKind::Forbidden => refused(sight, Cause::AppForbidden, detail, rng),
        ErrorKind::NotFound => refused(sight, Cause::BackupNotFound, detail, rng),
        ErrorKind::Rejected => refused(sight, Cause::Rejected, detail, rng),
        // Asking once more does no harm, so it need not be known whether Azure did it.
        ErrorKind::Ambiguous => unreachable(sight, detail, rng),
        _ => put_off(sight, error, error.operation().call(), rng),
    }
}
