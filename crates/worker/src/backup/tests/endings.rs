//! Retry rules of each answer.

use holdfast_arm::Backup;
use holdfast_model::{
    BACKUP_RESULTS, BackupFacts, BackupId, BackupResult, BackupStatus, Cause, FailureCounts, Outcome,
    PollDecision, RetryClass, Run, RunEvent, RunState,
};

use crate::backup::{PollAnswer, polled};
use crate::fixtures::{
    RETRIES, after, assert_pause, at, attempt, backup, ending, facts, input, polling, rng,
};
use crate::next::Next;

/// A status and a log that give the result.
fn sample(answer: BackupResult) -> Backup {
    let storage = "Storage access failed. The remote server returned an error: (403) Forbidden..";
    let large = "The website size exceeds the 10 GB limit for backups.";
    let (status, log) = match answer {
        BackupResult::Created => (BackupStatus::Created, ""),
        BackupResult::InProgress => (BackupStatus::InProgress, ""),
        BackupResult::Succeeded => (BackupStatus::Succeeded, ""),
        BackupResult::PartiallySucceeded => (BackupStatus::PartiallySucceeded, ""),
        BackupResult::TimedOut => (BackupStatus::TimedOut, ""),
        BackupResult::Skipped => (BackupStatus::Skipped, ""),
        BackupResult::FailedAtStorage => (BackupStatus::Failed, storage),
        BackupResult::FailedAtDatabase => (BackupStatus::Failed, "Login failed for user 'sa'."),
        BackupResult::FailedTooLarge => (BackupStatus::Failed, large),
        BackupResult::Failed => (BackupStatus::Failed, "no reason"),
        BackupResult::Deleting => (BackupStatus::Deleted, ""),
        BackupResult::Unknown => (BackupStatus::from_word("Perfect"), ""),
    };
    Backup { log: Some(log.into()), ..backup(status) }
}

fn poll(run: &Run, backup: Backup) -> Next {
    let poll = PollAnswer { answer: Ok(backup), accepted_at: at(0), last_status: &BackupStatus::Created };
    polled(&input(run, at(60)), &attempt(1), poll, &mut rng())
}

/// Every class's count is `count`, except `own` for `class`.
fn failure_counts(class: RetryClass, own: u32, count: u32) -> FailureCounts {
    let mut failure_counts = FailureCounts {
        timed_out: count,
        skipped: count,
        partial: count,
        transient: count,
        lost: count,
        ..FailureCounts::default()
    };
    match class {
        RetryClass::TimedOut => failure_counts.timed_out = own,
        RetryClass::Skipped => failure_counts.skipped = own,
        RetryClass::Partial => failure_counts.partial = own,
        RetryClass::Transient => failure_counts.transient = own,
        RetryClass::Lost => failure_counts.lost = own,
        RetryClass::Permanent => {}
    }
    failure_counts
}

#[test]
fn every_answer_has_the_effect_of_the_table_under_its_own_rule_and_no_other() {
    for (answer, then) in BACKUP_RESULTS {
        match then {
            PollDecision::PollAgain | PollDecision::PollAgainAndWarn => {
                let next = poll(&polling(), sample(answer));
                assert!(matches!(after(&polling(), &next).state, RunState::Polling { .. }), "{answer:?}");
                assert!(next.due_at > at(60) && ending(&next).is_none(), "{answer:?}");
            }
            PollDecision::CheckBlob => {
                let next = poll(&polling(), sample(answer));
                assert!(matches!(after(&polling(), &next).state, RunState::Verifying { .. }));
                assert_eq!(next.due_at, at(60));
            }
            PollDecision::Fail(cause) => fails_by_its_own_rule(answer, cause),
        }
    }
}

fn fails_by_its_own_rule(answer: BackupResult, cause: Cause) {
    let Some(rule) = RETRIES.rule(cause.retry_class()) else {
        let next = poll(&polling(), sample(answer));
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(cause))), "{answer:?}");
        return;
    };
    for before in 0..rule.attempts {
        // The other classes are far beyond their limits, which has no effect.
        let run = Run { failure_counts: failure_counts(cause.retry_class(), before, 99), ..polling() };
        let next = poll(&run, sample(answer));
        let ended = next.events.iter().find_map(|event| match event {
            RunEvent::AttemptEnded { cause, retry_at, .. } => Some((*cause, *retry_at)),
            _ => None,
        });
        if before + 1 < rule.attempts {
            assert_eq!(ended, Some((cause, Some(next.due_at))), "{answer:?}");
            let full = (rule.first * 2_u32.pow(before)).min(rule.max);
            assert_pause(&next, at(60), full.as_secs());
            let state = after(&run, &next).state;
            assert!(matches!(state, RunState::Waiting { next_attempt: 2, .. }), "{answer:?}: {state:?}");
        } else {
            assert_eq!(ended, Some((cause, None)), "{answer:?}");
            let outcome =
                if cause == Cause::PartiallySucceeded { Outcome::Partial } else { Outcome::Exhausted };
            assert_eq!(ending(&next), Some((outcome, Some(cause))), "{answer:?}");
            assert!(after(&run, &next).state.is_ended());
        }
    }
}

#[test]
fn what_a_database_refused_is_told_with_its_cure() {
    let next = poll(&polling(), sample(BackupResult::FailedAtDatabase));
    let Some(RunEvent::AttemptEnded { detail, .. }) = next.events.get(1) else { panic!("{next:?}") };
    let cure = "correct the user and the password in the database's connection string";
    assert_eq!(*detail, format!("{cure}: Login failed for user 'sa'."));
}

#[test]
fn a_run_that_gives_up_keeps_its_last_partial_backup_whatever_went_wrong_later() {
    let partial = poll(&polling(), sample(BackupResult::PartiallySucceeded));
    let kept = after(&polling(), &partial).failure_counts.partial_backup;
    assert_eq!(kept.as_ref().map(|backup| backup.id), Some(BackupId(7)));
    for (answer, cause) in [
        (BackupResult::Failed, Cause::AzureFailed),
        (BackupResult::Deleting, Cause::DeletedOutside),
        (BackupResult::TimedOut, Cause::TimedOut),
    ] {
        let run = Run {
            failure_counts: FailureCounts {
                partial_backup: kept.clone(),
                ..failure_counts(RetryClass::Permanent, 0, 99)
            },
            ..polling()
        };
        let next = poll(&run, sample(answer));
        assert_eq!(ending(&next), Some((Outcome::Partial, Some(cause))));
        assert!(matches!(next.events.last(), Some(RunEvent::Ended { backup, .. }) if *backup == kept));
    }
}

#[test]
fn a_newer_partial_backup_replaces_an_older_one() {
    let older = BackupFacts { id: BackupId(3), ..facts() };
    let run = Run {
        failure_counts: FailureCounts { partial: 1, partial_backup: Some(older), ..FailureCounts::default() },
        ..polling()
    };
    let next = poll(&run, sample(BackupResult::PartiallySucceeded));
    let Some(RunEvent::Ended { backup: Some(backup), .. }) = next.events.last() else { panic!("{next:?}") };
    assert_eq!(backup.id, BackupId(7));
}

#[test]
fn a_failure_at_storage_records_the_refused_sas_for_the_next_attempt() {
    let next = poll(&polling(), sample(BackupResult::FailedAtStorage));
    assert_eq!(after(&polling(), &next).state.refused_sas(), Some("fingerprint"));
    let next = poll(&polling(), sample(BackupResult::Failed));
    assert_eq!(after(&polling(), &next).state.refused_sas(), None);
}
