//! Failures against their rules.

use holdfast_model::{
    BACKUP_RESULTS, BackupResult, FailureCounts, Outcome, PollDecision, RetryClass, RunState,
};

use super::super::asked;
use super::*;

/// A status and a log that make the answer.
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
        BackupResult::FailedTooLarge => (BackupStatus::Failed, large),
        BackupResult::Failed => (BackupStatus::Failed, "no reason"),
        BackupResult::Deleting => (BackupStatus::Deleted, ""),
        BackupResult::Unknown => (BackupStatus::from_word("Perfect"), ""),
    };
    Backup { log: Some(log.into()), ..backup(status) }
}

fn asked_and_told(run: &Run, backup: Backup) -> Next {
    asked(&sight(run, at(60)), &attempt(1), (at(0), &BackupStatus::Created), (Ok(backup), None), &mut rng())
}

/// Every kind's count is `count`, but `own` of the kind itself.
fn failure_counts(kind: RetryClass, own: u32, count: u32) -> FailureCounts {
    let mut failure_counts = FailureCounts {
        timed_out: count,
        skipped: count,
        partial: count,
        transient: count,
        lost: count,
        ..FailureCounts::default()
    };
    match kind {
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
fn every_answer_does_what_the_table_says_under_its_own_rule_and_no_other() {
    for (answer, then) in BACKUP_RESULTS {
        match then {
            PollDecision::PollAgain | PollDecision::PollAgainAndWarn => {
                let next = asked_and_told(&polling(), sample(answer));
                assert!(matches!(after(&polling(), &next).state, RunState::Polling { .. }), "{answer:?}");
                assert!(next.due_at > at(60) && ending(&next).is_none(), "{answer:?}");
            }
            PollDecision::CheckBlob => {
                let next = asked_and_told(&polling(), sample(answer));
                assert!(matches!(after(&polling(), &next).state, RunState::Verifying { .. }));
                assert_eq!(next.due_at, at(60));
            }
            PollDecision::Fail(cause) => fails_by_its_own_rule(answer, cause),
        }
    }
}

fn fails_by_its_own_rule(answer: BackupResult, cause: Cause) {
    let Some(rule) = RETRIES.rule(cause.retry_class()) else {
        let next = asked_and_told(&polling(), sample(answer));
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(cause))), "{answer:?}");
        return;
    };
    for before in 0..rule.attempts {
        // The other kinds stand far beyond their rules, and count for nothing.
        let run = Run { failure_counts: failure_counts(cause.retry_class(), before, 99), ..polling() };
        let next = asked_and_told(&run, sample(answer));
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
fn a_run_that_gives_up_keeps_its_last_partial_backup_whatever_went_wrong_later() {
    let partial = asked_and_told(&polling(), sample(BackupResult::PartiallySucceeded));
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
        let next = asked_and_told(&run, sample(answer));
        assert_eq!(ending(&next), Some((Outcome::Partial, Some(cause))));
        assert!(matches!(next.events.last(), Some(RunEvent::Ended { backup, .. }) if *backup == kept));
    }
}

#[test]
fn a_newer_partial_backup_takes_the_place_of_an_older_one() {
    let older = BackupFacts { id: BackupId(3), ..facts() };
    let run = Run {
        failure_counts: FailureCounts { partial: 1, partial_backup: Some(older), ..FailureCounts::default() },
        ..polling()
    };
    let next = asked_and_told(&run, sample(BackupResult::PartiallySucceeded));
    let Some(RunEvent::Ended { backup: Some(backup), .. }) = next.events.last() else { panic!("{next:?}") };
    assert_eq!(backup.id, BackupId(7));
}

#[test]
fn a_failure_at_storage_tells_the_next_attempt_which_sas_was_refused() {
    let next = asked_and_told(&polling(), sample(BackupResult::FailedAtStorage));
    assert_eq!(after(&polling(), &next).state.refused_sas(), Some("fingerprint"));
    let next = asked_and_told(&polling(), sample(BackupResult::Failed));
    assert_eq!(after(&polling(), &next).state.refused_sas(), None);
}
