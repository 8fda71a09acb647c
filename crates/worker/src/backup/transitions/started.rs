//! From the POST to a backup that is polled.

use holdfast_arm::Backup;
use holdfast_model::{Attempt, RunEvent};

use crate::backup::found::FoundBackup;
use crate::look::CallFailure;
use crate::next::Next;
use crate::reconcile::{look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// The POST was answered, or failed.
pub(in crate::backup) fn posted(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: Result<Backup, CallFailure>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(backup) => {
            let accepted_at = input.accepted_at(attempt.begun_at, backup.created);
            let request_id = backup.correlation_id.or(backup.request_id);
            let accepted = RunEvent::Accepted { backup: backup.id, accepted_at, request_id };
            Next::new(vec![accepted], input.now + input.run.policy_snapshot.poll.first)
        }
        Err(failure) => request_failed(input, attempt, &failure, rng),
    }
}

/// After a lost answer the app's backups were listed, or the list failed. The attempt's backup has the attempt's name.
pub(in crate::backup) fn reconciled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    listed: Result<Vec<FoundBackup>, CallFailure>,
    rng: &mut fastrand::Rng,
) -> Next {
    let found = match listed {
        Ok(found) => found,
        Err(failure) => return look_failed(input, attempt, attempt.begun_at, &failure, rng),
    };
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.name == attempt.name);
    let Some(found) = own.into_iter().next() else {
        let detail = |looks| format!("no backup named {} appeared in {looks} looks", attempt.name);
        return not_found(input, attempt, detail, rng);
    };
    let accepted_at = input.accepted_at(attempt.begun_at, found.backup.created.or(Some(attempt.begun_at)));
    let adopted = RunEvent::Adopted { attempt: attempt.clone(), backup: found.backup.id, accepted_at };
    // A store that lost a committed attempt gives its number to another one.
    let forgotten = others.into_iter().filter(|found| found.number >= attempt.number);
    Next::new(forgotten.map(FoundBackup::orphan).chain([adopted]).collect(), input.now)
}

/// Backups of attempts of earlier runs, which have ended, are in Azure's list: records them and goes on.
pub(in crate::backup) fn recorded(input: &StepInput<'_>, found: Vec<FoundBackup>) -> Next {
    Next::new(found.into_iter().map(FoundBackup::orphan).collect(), input.now)
}

/// Backups of lost attempts are in Azure's list after all, ordered by attempt.
///
/// The run adopts the backup of its latest attempt and begins no other. Earlier ones are only recorded: a run that went
/// on from an earlier number would use the names of later attempts again.
pub(in crate::backup) fn turned_up(input: &StepInput<'_>, mut found: Vec<FoundBackup>) -> Next {
    let latest = found.pop_if(|found| found.number + 1 == input.run.state.next_attempt());
    let mut next = Next::new(found.into_iter().map(FoundBackup::orphan).collect(), input.now);
    if let Some(FoundBackup { number, name, backup }) = latest {
        let begun_at = input.accepted_at(input.run.created_at, backup.created);
        let attempt =
            Attempt { number, name, begun_at, sas: String::new(), sas_expiry: None, restored_before: None };
        next.events.push(RunEvent::Adopted { attempt, backup: backup.id, accepted_at: begun_at });
        next.due_at = input.now + input.run.policy_snapshot.poll.first;
    }
    next
}
