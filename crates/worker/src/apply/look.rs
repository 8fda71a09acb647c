//! A POST whose fate is unknown: its backup is looked for by name.

use holdfast_arm::{Backup, ErrorKind};
use holdfast_model::{Attempt, BackupName, Cause, RunEvent, RunState, Timestamp};

use super::answers::ask_later;
use super::ending::{Failure, failed};
use super::{Next, Sight};
use crate::Settings;

/// A backup of this run in the app's list.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The number of the attempt that made it.
    pub number: u32,
    /// Its name.
    pub name: BackupName,
    /// The backup.
    pub backup: Backup,
}

/// The list was looked through, or could not be.
pub(crate) fn looked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    listed: Result<Vec<Found>, holdfast_arm::Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let found = match listed {
        Ok(found) => found,
        Err(error) => return not_looked(sight, attempt, attempt.begun_at, &error, rng),
    };
    if let Some(found) = found.into_iter().find(|found| found.name == attempt.name) {
        return adopted(sight, attempt, &found);
    }
    let detail = |looks| format!("no backup named {} appeared in {looks} looks", attempt.name);
    not_there(sight, attempt, detail, rng)
}

/// Azure did not say how things stand.
pub(super) fn not_looked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    since: Timestamp,
    error: &holdfast_arm::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    let cause = match error.kind() {
        ErrorKind::NotFound => Cause::AppNotFound,
        ErrorKind::Forbidden => Cause::AppForbidden,
        _ => return ask_later(sight, attempt, since, error, rng),
    };
    failed(sight, attempt, Failure::new(cause, error.to_string()), rng)
}

fn adopted(sight: &Sight<'_>, attempt: &Attempt, found: &Found) -> Next {
    let accepted_at = sight.accepted_at(attempt.begun_at, found.backup.created.or(Some(attempt.begun_at)));
    let adopted = RunEvent::Adopted { attempt: attempt.clone(), backup: found.backup.id, accepted_at };
    Next::new(vec![adopted], sight.now)
}

/// A look did not find what the attempt was to make: another one follows, or the attempt ends as lost.
pub(super) fn not_there(
    sight: &Sight<'_>,
    attempt: &Attempt,
    detail: impl FnOnce(u32) -> String,
    rng: &mut fastrand::Rng,
) -> Next {
    absent(sight, |looks| failed(sight, attempt, Failure::new(Cause::AnswerLost, detail(looks)), rng))
}

/// Absent once proves nothing: it takes several looks, spread over the settle time. What follows from the last of so
/// many is told by `enough`.
pub(super) fn absent(sight: &Sight<'_>, enough: impl FnOnce(u32) -> Next) -> Next {
    let (looks, first) = match sight.run.state {
        RunState::Reconciling { absent, first_absent, .. } => (absent + 1, first_absent.unwrap_or(sight.now)),
        _ => (1, sight.now),
    };
    let event = RunEvent::Absent { looked_at: sight.now };
    let settled = (sight.now - first).to_std().unwrap_or_default() >= sight.settings.settle;
    if looks < Settings::LOOKS || !settled {
        let pause = sight.settings.settle / (Settings::LOOKS - 1);
        return Next::new(vec![event], sight.now + pause);
    }
    let mut next = enough(looks);
    next.events.insert(0, event);
    next
}

/// Backups of attempts given up as lost have turned up, the latest attempt's last. That one is the run's own, and no
/// other is begun. Earlier ones are only recorded: a run that went on from an earlier number would come to later ones
/// again, whose names are in use.
pub(crate) fn turned_up(sight: &Sight<'_>, mut found: Vec<Found>) -> Next {
    let own = found.pop_if(|found| found.number + 1 == sight.run.state.next_attempt());
    let mut next = Next::new(found.into_iter().map(orphan).collect(), sight.now);
    if let Some(Found { number, name, backup }) = own {
        let begun_at = sight.accepted_at(sight.run.created_at, backup.created);
        let attempt =
            Attempt { number, name, begun_at, sas: String::new(), sas_expiry: None, restored_before: None };
        next.events.push(RunEvent::Adopted { attempt, backup: backup.id, accepted_at: begun_at });
        next.due_at = sight.now + sight.run.policy_snapshot.poll.first;
    }
    next
}

/// A backup that no attempt owns any more is recorded, so that retention knows it.
pub(super) fn orphan(found: Found) -> RunEvent {
    RunEvent::OrphanFound { number: found.number, backup: found.backup.id, name: found.name }
}
