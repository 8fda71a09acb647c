//! From due to accepted: the SAS, the intent, the POST.

use holdfast_arm::{Backup, ErrorKind};
use holdfast_model::{Attempt, BackupName, Call, Cause, RunEvent, SasFacts, SasRefresh, Timestamp};
use holdfast_storage::{Grant, SecretError};

use super::ending::{Failure, deferred, failed, refused};
use super::pauses::{asked_for, budget_to_close, pause, waits_because};
use super::{Next, Sight};

/// Why no attempt could be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    /// No SAS that will do.
    #[error(transparent)]
    Storage(#[from] holdfast_storage::Error),
    /// Azure could not be asked what has to be known before.
    #[error(transparent)]
    Arm(#[from] holdfast_arm::Error),
    /// The store did not tell.
    #[error("the store did not tell what restores and deletions are under way")]
    Store(#[from] holdfast_store::Error),
    /// A database's connection string cannot be read.
    #[error(transparent)]
    Secret(SecretError),
    /// What stands for a database's connection string is no reference.
    #[error("the connection string of the database {database} is given by no reference such as `env:NAME`")]
    Reference {
        /// The database.
        database: String,
    },
}

/// What an attempt begins with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begun {
    /// The SAS it sends, or that Azure uses for it.
    pub sas: Option<SasFacts>,
    /// The SAS that was replaced for it.
    pub refresh: Option<SasRefresh>,
    /// When the backup to restore had last been restored.
    pub restored_before: Option<Timestamp>,
}

impl From<&Grant> for Begun {
    fn from(grant: &Grant) -> Self {
        Self { sas: Some(grant.facts.clone()), refresh: grant.refresh.clone(), restored_before: None }
    }
}

/// All is at hand: the intent is to be committed, and left alone for as long as its request may take.
pub(crate) fn prepared(sight: &Sight<'_>, begun: Begun) -> Next {
    let number = sight.run.state.next_attempt();
    let Begun { sas, refresh, restored_before } = begun;
    let attempt = Attempt {
        number,
        name: BackupName::of_attempt(&sight.run.app, sight.run.id, number),
        begun_at: sight.now,
        sas: sas.as_ref().map(|sas| sas.fingerprint.clone()).unwrap_or_default(),
        sas_expiry: sas.as_ref().and_then(|sas| sas.window.expiry),
        restored_before,
    };
    let refresh = refresh.map(|refresh| RunEvent::SasRefreshed { refresh });
    let started = RunEvent::AttemptStarted { attempt, sas };
    Next::new(refresh.into_iter().chain([started]).collect(), sight.now + sight.settings.intent_lease())
}

/// There is no SAS, or no looking for a lost attempt.
pub(crate) fn not_ready(sight: &Sight<'_>, why: &NotReady, rng: &mut fastrand::Rng) -> Next {
    let detail = why.to_string();
    match why {
        NotReady::Storage(error) if error.kind() == holdfast_storage::ErrorKind::Unreachable => {
            unreachable(sight, detail, rng)
        }
        NotReady::Storage(_) => refused(sight, Cause::SasUnusable, detail, rng),
        NotReady::Secret(error) if error.kind() == holdfast_storage::ErrorKind::Unreachable => {
            unreachable(sight, detail, rng)
        }
        NotReady::Store(_) => unreachable(sight, detail, rng),
        NotReady::Secret(_) | NotReady::Reference { .. } => {
            refused(sight, Cause::DatabaseSecret, detail, rng)
        }
        NotReady::Arm(error) => match error.kind() {
            ErrorKind::Forbidden => refused(sight, Cause::AppForbidden, detail, rng),
            ErrorKind::NotFound => refused(sight, Cause::AppNotFound, detail, rng),
            ErrorKind::Rejected => refused(sight, Cause::Rejected, detail, rng),
            _ => put_off(sight, error, error.operation().call(), rng),
        },
    }
}

/// What is needed did not answer: later.
pub(super) fn unreachable(sight: &Sight<'_>, detail: String, rng: &mut fastrand::Rng) -> Next {
    let wait = pause(Cause::Unreachable, sight.run.failure_counts.deferred, None, rng);
    deferred(sight, Cause::Unreachable, detail, sight.now + wait)
}

/// The POST came back, or did not.
pub(crate) fn posted(
    sight: &Sight<'_>,
    attempt: &Attempt,
    answer: Result<Backup, holdfast_arm::Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(backup) => {
            let accepted_at = sight.accepted_at(attempt.begun_at, backup.created);
            let request_id = backup.correlation_id.or(backup.request_id);
            let accepted = RunEvent::Accepted { backup: backup.id, accepted_at, request_id };
            Next::new(vec![accepted], sight.now + sight.run.policy_snapshot.poll.first)
        }
        Err(error) => not_accepted(sight, attempt, &error, rng),
    }
}

/// A request that makes Azure do something was not answered as it should be.
pub(super) fn not_accepted(
    sight: &Sight<'_>,
    attempt: &Attempt,
    error: &holdfast_arm::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    let detail = error.to_string();
    match error.kind() {
        // Its fate is unknown. The first look waits a little, because Azure lists new backups late.
        ErrorKind::Ambiguous => Next::new(
            vec![RunEvent::AnswerLost { detail }],
            sight.now + sight.settings.settle / crate::Settings::LOOKS,
        ),
        ErrorKind::Forbidden => failed(sight, attempt, Failure::new(Cause::AppForbidden, detail), rng),
        ErrorKind::NotFound => failed(sight, attempt, Failure::new(Cause::AppNotFound, detail), rng),
        ErrorKind::Rejected => failed(sight, attempt, Failure::new(Cause::Rejected, detail), rng),
        _ => put_off(sight, error, error.operation().call(), rng),
    }
}

/// Azure certainly did nothing: the same attempt later.
pub(super) fn put_off(
    sight: &Sight<'_>,
    error: &holdfast_arm::Error,
    call: Call,
    rng: &mut fastrand::Rng,
) -> Next {
    let cause = waits_because(error.kind()).unwrap_or(Cause::Unreachable);
    let wait = pause(cause, sight.run.failure_counts.deferred, asked_for(error), rng);
    let mut next = deferred(sight, cause, error.to_string(), sight.now + wait);
    next.close = budget_to_close(sight, error.kind(), call, wait);
    next
}
