//! From due to accepted: the SAS, the intent, the POST.

use holdfast_arm::{Backup, Verdict};
use holdfast_model::{Attempt, BackupName, Call, Cause, RunEvent};
use holdfast_storage::Grant;

use super::ending::{Failure, deferred, failed, refused};
use super::pauses::{asked_for, budget_to_close, pause, waits_because};
use super::{Next, Sight};

/// Why no attempt could be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    /// No SAS that will do.
    #[error(transparent)]
    Storage(#[from] holdfast_storage::Error),
    /// A lost attempt could not be looked for.
    #[error(transparent)]
    Arm(#[from] holdfast_arm::Error),
}

/// There is a SAS: the intent is to be committed, and left alone for as long as its POST may take.
pub(crate) fn prepared(sight: &Sight<'_>, grant: &Grant) -> Next {
    let number = sight.run.state.next_attempt();
    let attempt = Attempt {
        number,
        name: BackupName::of_attempt(&sight.run.app, sight.run.id, number),
        begun_at: sight.now,
        sas: grant.facts.fingerprint.clone(),
        sas_expiry: None,
        restored_before: None,
    };
    let refresh = grant.refresh.clone().map(|refresh| RunEvent::SasRefreshed { refresh });
    let started = RunEvent::AttemptStarted { attempt, sas: Some(grant.facts.clone()) };
    Next::new(refresh.into_iter().chain([started]).collect(), sight.now + sight.settings.intent_lease())
}

/// There is no SAS, or no looking for a lost attempt.
pub(crate) fn not_ready(sight: &Sight<'_>, why: &NotReady, rng: &mut fastrand::Rng) -> Next {
    let detail = why.to_string();
    match why {
        NotReady::Storage(error) if error.verdict() == holdfast_storage::Verdict::Unreachable => {
            let wait = pause(Cause::Unreachable, sight.run.tally.deferred, None, rng);
            deferred(sight, Cause::Unreachable, detail, sight.now + wait)
        }
        NotReady::Storage(_) => refused(sight, Cause::SasUnusable, detail, rng),
        NotReady::Arm(error) => match error.verdict() {
            Verdict::Forbidden => refused(sight, Cause::AppForbidden, detail, rng),
            Verdict::NotFound => refused(sight, Cause::AppNotFound, detail, rng),
            Verdict::Rejected => refused(sight, Cause::Rejected, detail, rng),
            _ => put_off(sight, error, Call::Read, rng),
        },
    }
}

/// The POST came back, or did not.
pub(crate) fn posted(
    sight: &Sight<'_>,
    attempt: &Attempt,
    answer: Result<Backup, holdfast_arm::Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let error = match answer {
        Ok(backup) => {
            let accepted_at = sight.accepted_at(attempt.begun_at, backup.created);
            let request_id = backup.correlation_id.or(backup.request_id);
            let accepted = RunEvent::Accepted { backup: backup.id, accepted_at, request_id };
            return Next::new(vec![accepted], sight.now + sight.run.terms.poll.first);
        }
        Err(error) => error,
    };
    let detail = error.to_string();
    match error.verdict() {
        // Its fate is unknown. The first look waits a little, because Azure lists new backups late.
        Verdict::Ambiguous => Next::new(
            vec![RunEvent::AnswerLost { detail }],
            sight.now + sight.settings.settle / crate::Settings::LOOKS,
        ),
        Verdict::Forbidden => failed(sight, attempt, Failure::new(Cause::AppForbidden, detail), rng),
        Verdict::NotFound => failed(sight, attempt, Failure::new(Cause::AppNotFound, detail), rng),
        Verdict::Rejected => failed(sight, attempt, Failure::new(Cause::Rejected, detail), rng),
        _ => put_off(sight, &error, Call::Write, rng),
    }
}

/// Azure certainly did nothing: the same attempt later.
fn put_off(sight: &Sight<'_>, error: &holdfast_arm::Error, call: Call, rng: &mut fastrand::Rng) -> Next {
    let cause = waits_because(error.verdict()).unwrap_or(Cause::Unreachable);
    let wait = pause(cause, sight.run.tally.deferred, asked_for(error), rng);
    let mut next = deferred(sight, cause, error.to_string(), sight.now + wait);
    next.close = budget_to_close(sight, error.verdict(), call, wait);
    next
}
