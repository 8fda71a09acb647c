//! From a verification to the end of the run or of the attempt.

use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, DATABASES_END, DatabaseRef, Outcome, Retry, RunEvent, Task,
    Verification, retry_delay,
};
use holdfast_storage::ErrorKind;

use crate::backup::blobs::{BlobCheck, BlobFault, MadeBackup};
use crate::backup::found::FoundBackup;
use crate::ending::{Failure, failed};
use crate::next::Next;
use crate::step_input::StepInput;

/// Verifications while storage does not answer, over about six hours. Then the backup is accepted as it is, recorded as
/// not verified.
const CHECKS: Retry = Retry::seconds(21, 5, 1_800);

/// Looks for the backups of unsettled attempts that may fail before the run ends without them. The app's next backup
/// looks for them again.
const ORPHAN_LOOKS: u32 = 5;

/// A backup was verified, or could not be.
pub(in crate::backup) fn verified(
    input: &StepInput<'_>,
    attempt: &Attempt,
    made: MadeBackup<'_>,
    check: BlobCheck,
    rng: &mut fastrand::Rng,
) -> Next {
    let error = first_error(&check);
    let BlobCheck { blobs, orphans, checks } = check;
    let most = if matches!(blobs, Some(Err(_))) { CHECKS.attempts } else { ORPHAN_LOOKS };
    let mut next = match blobs {
        _ if error.is_some() && checks + 1 < most => {
            Next::new(Vec::new(), input.now + retry_delay(&CHECKS, checks + 1, rng))
        }
        None => concluded(input, attempt, made, Verification::OutOfReach, rng),
        Some(Err(error)) => concluded(input, attempt, made, unverified(&error), rng),
        Some(Ok(blobs)) => match blobs.fault(input) {
            None => {
                let backup = &blobs.measured(made.backup);
                concluded(input, attempt, MadeBackup { backup, ..made }, Verification::Verified, rng)
            }
            Some(BlobFault { cause, detail }) => {
                let is_partial = made.partial_log.is_some();
                let status =
                    if is_partial { BackupStatus::PartiallySucceeded } else { BackupStatus::Succeeded };
                let (status, backup) = (Some(status), blobs.left_behind(made.backup));
                failed(input, attempt, Failure { status, cause, detail, backup }, rng)
            }
        },
    };
    let orphans = orphans.unwrap_or_default().into_iter().map(FoundBackup::orphan);
    let check_failed = error.map(|detail| RunEvent::CheckFailed { detail });
    next.events.splice(0..0, orphans.chain(check_failed));
    next
}

/// The backup is what Azure reports: complete, or partial.
fn concluded(
    input: &StepInput<'_>,
    attempt: &Attempt,
    made: MadeBackup<'_>,
    found: Verification,
    rng: &mut fastrand::Rng,
) -> Next {
    let Some(log) = made.partial_log else { return good(input, attempt, made.backup, found, rng) };
    let mut next = failed(input, attempt, left_out_files(made.backup.clone(), log.to_owned()), rng);
    if let Some(RunEvent::Ended { outcome: Outcome::Partial, verification, .. }) = next.events.last_mut() {
        *verification = Some(found);
    }
    next
}

/// The failure of an attempt whose backup Azure left files out of.
pub(super) fn left_out_files(backup: BackupFacts, log: String) -> Failure {
    let (status, cause) = (Some(BackupStatus::PartiallySucceeded), Cause::PartiallySucceeded);
    Failure { status, cause, detail: log, backup: Some(backup) }
}

/// Why a blob could not be verified.
fn unverified(error: &holdfast_storage::Error) -> Verification {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::TooManyOpenFiles => Verification::Unreachable,
        ErrorKind::Unusable | ErrorKind::SecretMissing | ErrorKind::CredentialRefused => {
            Verification::Unusable
        }
    }
}

/// What could not be read, as text.
fn first_error(check: &BlobCheck) -> Option<String> {
    let error = check.blobs.as_ref().and_then(|blobs| blobs.as_ref().err());
    let storage = error.map(|error| format!("storage is {}: {error}", unverified(error)));
    storage.or_else(|| check.orphans.as_ref().err().map(ToString::to_string))
}

/// The backup exists. The run succeeds unless Azure left databases out.
pub(super) fn good(
    input: &StepInput<'_>,
    attempt: &Attempt,
    backup: &BackupFacts,
    verification: Verification,
    rng: &mut fastrand::Rng,
) -> Next {
    if let Some(detail) = missing_databases(&input.run.task, backup) {
        let (status, cause) = (Some(BackupStatus::Succeeded), Cause::DatabasesDropped);
        let failure = Failure { status, cause, detail, backup: Some(backup.clone()) };
        return failed(input, attempt, failure, rng);
    }
    let ended = RunEvent::Ended {
        outcome: Outcome::Succeeded,
        cause: None,
        backup: Some(backup.clone()),
        verification: Some(verification),
    };
    Next::new(vec![ended], input.now)
}

/// The requested databases that are not in the backup, as text.
fn missing_databases(task: &Task, backup: &BackupFacts) -> Option<String> {
    let Task::Backup { databases } = task else { return None };
    let is_included = |database: &DatabaseRef| backup.databases.iter().any(|facts| database.is(facts));
    let missing: Vec<String> = databases
        .iter()
        .filter(|database| !is_included(database))
        .map(|database| format!("{} {}", database.kind, database.name))
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "azure made the backup without these databases: {}; azure stops backing up databases on {DATABASES_END}",
            missing.join(", ")
        )
    })
}
