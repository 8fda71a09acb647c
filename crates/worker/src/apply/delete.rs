//! A deletion: whether it may begin, and whether it is done.

use holdfast_arm::{Backup, Error, ErrorKind};
use holdfast_model::{
    Attempt, BackupStatus, Cause, Delete, RefreshReason, RunEvent, RunId, RunState, SasFacts, Timestamp,
};

use super::answers::still_working;
use super::begin::not_accepted;
use super::ending::{Failure, completed, done, failed, refused};
use super::look::{not_looked, not_there};
use super::{Next, Sight};

/// What comes before the DELETE.
#[derive(Debug)]
pub(crate) enum Before {
    /// Nothing: it may leave. Azure deletes with this SAS.
    Go(SasFacts),
    /// Another SAS has to be put in the place of the one that Azure keeps with the backup.
    Renew(RefreshReason, Option<SasFacts>),
    /// The run is over.
    Over(Next),
}

/// What speaks against the DELETE outside of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// Azure's number is another backup's by now.
    Another,
    /// A run that has not ended restores it.
    Read {
        /// Which.
        by: RunId,
    },
}

/// Decides whether the backup may be deleted. A hold, and whether it is the last one of its app, are checked here once more,
/// because both may have come to be since the run was planned.
pub(crate) fn before_delete(sight: &Sight<'_>, delete: &Delete, rng: &mut fastrand::Rng) -> Before {
    let Some(entry) = sight.subject else {
        let detail = format!("the catalog does not know backup {}", delete.backup);
        return Before::Over(refused(sight, Cause::BackupNotFound, detail, rng));
    };
    if entry.backup.blob != delete.blob {
        let detail = format!("backup {} is another one by now, {}", delete.backup, entry.backup.blob);
        return Before::Over(refused(sight, Cause::Protected, detail, rng));
    }
    if entry.removal.is_some_and(|gone| gone.deleted) {
        return Before::Over(done(sight, Vec::new()));
    }
    if let Some(reason) = &entry.hold {
        let detail = format!("backup {} is held: {reason}", delete.backup);
        return Before::Over(refused(sight, Cause::Protected, detail, rng));
    }
    if !delete.allow_last && sight.is_last {
        let which = if entry.good { "the last good one" } else { "partial, and all that is left" };
        let detail = format!("backup {} of the app is {which}", delete.backup);
        return Before::Over(refused(sight, Cause::Protected, detail, rng));
    }
    match &entry.sas {
        Some(sas) if will_do(sight, sas) => Before::Go(sas.clone()),
        old => Before::Renew(RefreshReason::BeforeDelete, old.clone()),
    }
}

/// The DELETE must not leave: what Azure lists under the number is another backup, or a restore reads it.
pub(crate) fn stays(sight: &Sight<'_>, delete: &Delete, why: Stays, rng: &mut fastrand::Rng) -> Next {
    let id = delete.backup;
    match why {
        Stays::Another => {
            let detail =
                format!("azure's backup {id} is another one, and {} is no longer there", delete.blob);
            refused(sight, Cause::BackupNotFound, detail, rng)
        }
        Stays::Read { by } => refused(sight, Cause::Protected, format!("run {by} restores backup {id}"), rng),
    }
}

/// What Azure lists under the number is another backup: it counts from 1 again for an app that was made anew. What was
/// to be deleted went with the old app.
pub(crate) fn is_another(blob: &str, listed: &Backup) -> bool {
    let stem = |blob: &str| blob.strip_suffix(".zip").unwrap_or(blob).to_owned();
    let is_it = |name: &str| stem(name) == stem(blob);
    listed.blob_name.as_deref().is_some_and(|blob| !is_it(blob)) && !listed.name.as_deref().is_some_and(is_it)
}

/// Holds for longer than a deletion takes, and no deletion failed with it. A SAS that was renewed for the whole deadline
/// a moment ago is not renewed again.
fn will_do(sight: &Sight<'_>, sas: &SasFacts) -> bool {
    sas.window.covers(sight.now, sight.now + sight.run.policy_snapshot.deadline / 2)
        && sight.run.state.refused_sas() != Some(sas.fingerprint.as_str())
}

/// The DELETE came back, or did not.
pub(crate) fn delete_answered(
    sight: &Sight<'_>,
    (attempt, delete): (&Attempt, &Delete),
    answer: Result<Option<Backup>, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(told) => {
            let request_id = told.and_then(|backup| backup.request_id);
            let accepted = RunEvent::Accepted { backup: delete.backup, accepted_at: sight.now, request_id };
            Next::new(vec![accepted], sight.now + sight.run.policy_snapshot.poll.first)
        }
        // Whether the backup is gone or the app, the list tells.
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], sight.now)
        }
        Err(error) => not_accepted(sight, attempt, &error, rng),
    }
}

/// The app's list was looked through for the backup, or could not be. Azure need never tell `Deleted`: the backup is
/// gone from the list a moment later.
pub(crate) fn delete_seen(
    sight: &Sight<'_>,
    (attempt, delete): (&Attempt, &Delete),
    listed: Result<Option<Backup>, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let since = since(sight, attempt);
    let backup = match listed {
        Err(error) => return not_looked(sight, attempt, since, &error, rng),
        Ok(Some(backup)) if !is_another(&delete.blob, &backup) => backup,
        Ok(_) => return completed(sight),
    };
    match (&backup.status, &sight.run.state) {
        (BackupStatus::Deleted, _) => completed(sight),
        (BackupStatus::DeleteFailed, _) => {
            let (status, cause) = (Some(backup.status), Cause::DeleteFailed);
            let detail = backup.log.unwrap_or_default();
            failed(sight, attempt, Failure { status, cause, detail, backup: None }, rng)
        }
        (status, RunState::Polling { status: seen, .. }) => {
            let mut next = still_working(sight, attempt, since, None, rng);
            if status != seen {
                next.events.insert(0, RunEvent::StatusSeen { status: status.clone() });
            }
            next
        }
        (BackupStatus::DeleteInProgress, _) => {
            let (attempt, accepted_at) = (attempt.clone(), attempt.begun_at);
            let adopted = RunEvent::Adopted { attempt, backup: delete.backup, accepted_at };
            Next::new(vec![adopted], sight.now + sight.run.policy_snapshot.poll.first)
        }
        _ => {
            let detail = |looks| format!("backup {} was not being deleted in {looks} looks", delete.backup);
            not_there(sight, attempt, detail, rng)
        }
    }
}

fn since(sight: &Sight<'_>, attempt: &Attempt) -> Timestamp {
    match sight.run.state {
        RunState::Polling { accepted_at, .. } => accepted_at,
        _ => attempt.begun_at,
    }
}
