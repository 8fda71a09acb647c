//! Verifications of blobs.

use holdfast_arm::{Backup, ErrorKind};
use holdfast_model::{
    BackupFacts, BackupStatus, Cause, DatabaseFacts, DatabaseKind, DatabaseRef, FailureCounts, Outcome, Run,
    RunEvent, RunState, Task, Timestamp, Verification,
};
use holdfast_storage::BlobFacts;
use proptest::prelude::*;

use super::found;
use crate::backup::blobs::{BackupBlobs, BlobCheck, MadeBackup};
use crate::backup::{PollAnswer, polled, verified};
use crate::fixtures::{
    after, assert_pause, at, attempt, backup, ending, error, facts, forbidden, input, no_answer, polling,
    rng, seconds, verifying,
};
use crate::next::Next;
use crate::step_input::StepInput;

/// The answers of storage about the archive and the manifest.
type Blobs = Result<BackupBlobs, holdfast_storage::Error>;

const fn blobs(archive: Option<u64>, manifest: Option<u64>) -> BackupBlobs {
    const fn of(size: Option<u64>) -> Option<BlobFacts> {
        match size {
            Some(size_bytes) => Some(BlobFacts { size_bytes }),
            None => None,
        }
    }
    BackupBlobs { archive: of(archive), manifest: of(manifest) }
}

fn check(run: &Run, last_good_bytes: Option<i64>, checks: u32, blobs: Blobs) -> Next {
    let input = StepInput { last_good_bytes, ..input(run, at(60)) };
    let check = BlobCheck { blobs: Some(blobs), orphans: Ok(Vec::new()), checks };
    verified(&input, &attempt(1), whole(&facts()), check, &mut rng())
}

/// A backup that Azure reports as complete.
fn whole(backup: &BackupFacts) -> MadeBackup<'_> {
    MadeBackup { backup, partial_log: None }
}

fn verification(next: &Next) -> Option<Verification> {
    match next.events.last() {
        Some(RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: Some(_), verification }) => {
            *verification
        }
        _ => None,
    }
}

fn cause(next: &Next) -> Option<Cause> {
    next.events.iter().find_map(|event| match event {
        RunEvent::AttemptEnded { cause, .. } => Some(*cause),
        _ => None,
    })
}

#[test]
fn a_blob_with_its_manifest_is_a_verified_success() {
    let next = check(&verifying(), Some(900), 0, Ok(blobs(Some(900), Some(1))));
    assert_eq!(verification(&next), Some(Verification::Verified));
    assert!(after(&verifying(), &next).state.is_ended());
}

#[test]
fn a_blob_that_is_not_there_or_empty_or_without_its_manifest_is_a_failure() {
    let cases = [
        (blobs(None, None), Cause::BlobMissing),
        (blobs(None, Some(1)), Cause::BlobMissing),
        (blobs(Some(900), None), Cause::BlobMissing),
        (blobs(Some(0), Some(1)), Cause::BlobEmpty),
    ];
    for (found, expected) in cases {
        let next = check(&verifying(), None, 0, Ok(found));
        assert_eq!(cause(&next), Some(expected), "{found:?}");
        assert_pause(&next, at(60), 40);
        assert!(matches!(after(&verifying(), &next).state, RunState::Waiting { next_attempt: 2, .. }));
    }
}

#[test]
fn a_blob_that_shrank_beyond_the_tolerance_is_not_trusted() {
    let shrunk = |tolerance, before, size| {
        let mut run = verifying();
        run.policy_snapshot.shrink_tolerance_percent = tolerance;
        cause(&check(&run, before, 0, Ok(blobs(Some(size), Some(1))))) == Some(Cause::BlobShrunk)
    };
    assert!(!shrunk(50, Some(1_000), 500));
    assert!(shrunk(50, Some(1_000), 499));
    assert!(!shrunk(0, Some(1_000), 1_000));
    assert!(shrunk(0, Some(1_000), 999));
    assert!(!shrunk(100, Some(i64::MAX), 1));
    assert!(!shrunk(255, Some(i64::MAX), 1));
    assert!(!shrunk(0, None, 1));
    assert!(!shrunk(0, Some(-5), 1));
    assert!(shrunk(0, Some(i64::MAX), 1));
    assert!(!shrunk(0, Some(i64::MAX), u64::MAX));
}

/// The size of the backup that the failed attempt leaves to the catalog.
fn left(next: &Next) -> Option<i64> {
    next.events.iter().find_map(|event| match event {
        RunEvent::AttemptEnded { backup: Some(backup), .. } => Some(backup.size_bytes),
        _ => None,
    })
}

#[test]
fn the_blobs_of_a_faulty_backup_are_left_to_retention() {
    let shrunk = check(&verifying(), Some(1_000), 0, Ok(blobs(Some(10), Some(1))));
    assert_eq!((cause(&shrunk), left(&shrunk)), (Some(Cause::BlobShrunk), Some(10)));
    assert_eq!(after(&verifying(), &shrunk).failure_counts.partial_backup, None);
    let last =
        Run { failure_counts: FailureCounts { transient: 99, ..FailureCounts::default() }, ..verifying() };
    let over = check(&last, Some(1_000), 0, Ok(blobs(Some(10), Some(1))));
    assert_eq!(ending(&over), Some((Outcome::Exhausted, Some(Cause::BlobShrunk))));

    let without_manifest = check(&verifying(), None, 0, Ok(blobs(Some(900), None)));
    assert_eq!(left(&without_manifest), Some(900));
    for found in [blobs(None, None), blobs(Some(0), Some(1))] {
        assert_eq!(left(&check(&verifying(), None, 0, Ok(found))), None, "nothing to keep: {found:?}");
    }
}

proptest! {
    #[test]
    fn no_sizes_overflow_and_growth_is_never_shrinking(before: i64, size in 1_u64.., tolerance: u8) {
        let mut run = verifying();
        run.policy_snapshot.shrink_tolerance_percent = tolerance;
        let next = check(&run, Some(before), 0, Ok(blobs(Some(size), Some(1))));
        if u64::try_from(before).unwrap_or(0) <= size {
            prop_assert_eq!(verification(&next), Some(Verification::Verified));
        }
    }
}

#[test]
fn storage_that_does_not_answer_is_asked_for_about_six_hours_and_leaves_an_unverified_success() {
    for (error, word, verified_as) in [
        (no_answer as fn() -> holdfast_storage::Error, "unreachable", Verification::Unreachable),
        (forbidden, "unusable", Verification::Unusable),
    ] {
        let (mut run, mut now, mut checks) = (verifying(), at(60), 0);
        let next = loop {
            let check = BlobCheck { blobs: Some(Err(error())), orphans: Ok(Vec::new()), checks };
            let next = verified(&input(&run, now), &attempt(1), whole(&facts()), check, &mut rng());
            let RunEvent::CheckFailed { detail } = &next.events[0] else { panic!("{next:?}") };
            assert!(detail.starts_with(&format!("storage is {word}: ")), "{detail}");
            if ending(&next).is_some() {
                break next;
            }
            assert_pause(&next, now, (5 << checks.min(20)).min(1_800));
            (run, now, checks) = (after(&run, &next), next.due_at, checks + 1);
        };
        assert_eq!(verification(&next), Some(verified_as));
        assert!((at(60) + seconds(5 * 3_600)..at(60) + seconds(7 * 3_600)).contains(&now), "{now}");
        assert!(after(&run, &next).state.is_ended());
    }
}

#[test]
fn storage_that_answers_after_hours_verifies_the_backup_as_usual() {
    let next = check(&verifying(), Some(900), 15, Ok(blobs(Some(900), Some(1))));
    assert_eq!(verification(&next), Some(Verification::Verified));
    let gone = check(&verifying(), Some(900), 15, Ok(blobs(None, None)));
    assert_eq!(cause(&gone), Some(Cause::BlobMissing));
}

#[test]
fn what_a_lost_attempt_left_behind_is_recorded_once_and_before_the_end() {
    let mut run = verifying();
    run.failure_counts.missing = [4, 5].map(|number| (number, attempt(number).name)).into();
    let blobs = Some(Ok(blobs(Some(900), Some(1))));
    let check = BlobCheck { blobs, orphans: Ok(vec![found(4), found(5)]), checks: 0 };
    let next = verified(&input(&run, at(60)), &attempt(1), whole(&facts()), check, &mut rng());
    let names: Vec<_> = next.events.iter().map(RunEvent::name).collect();
    assert_eq!(names, ["orphan_found", "orphan_found", "ended"]);
    assert!(after(&run, &next).failure_counts.missing.is_empty());
}

#[test]
fn a_failing_list_delays_the_end_a_few_times_and_not_forever() {
    let run = verifying();
    let check = |checks| {
        let blobs = Some(Ok(blobs(Some(900), Some(1))));
        let check = BlobCheck { blobs, orphans: Err(error(ErrorKind::Ambiguous)), checks };
        verified(&input(&run, at(60)), &attempt(1), whole(&facts()), check, &mut rng())
    };
    assert!(matches!(check(0).events[..], [RunEvent::CheckFailed { .. }]));
    assert_eq!(verification(&check(4)), Some(Verification::Verified));
}

#[test]
fn where_storage_is_unreachable_only_lost_attempts_are_looked_for() {
    let mut run = verifying();
    run.failure_counts.missing = [(4, attempt(4).name)].into();
    let check = BlobCheck { blobs: None, orphans: Ok(vec![found(4)]), checks: 0 };
    let next = verified(&input(&run, at(60)), &attempt(1), whole(&facts()), check, &mut rng());
    assert!(matches!(next.events[0], RunEvent::OrphanFound { number: 4, .. }));
    assert_eq!(verification(&next), Some(Verification::OutOfReach));
}

#[test]
fn a_backup_without_a_database_that_was_asked_for_is_partial_and_says_which() {
    let shop = DatabaseRef {
        kind: DatabaseKind::SqlAzure,
        name: "shop".into(),
        connection_string: Some("env:SHOP_DB".into()),
        connection_string_name: None,
    };
    let mut run = verifying();
    run.task = Task::Backup { databases: vec![shop] };
    let check = |backup: &BackupFacts| {
        let blobs = Some(Ok(blobs(Some(900), Some(5))));
        let check = BlobCheck { blobs, orphans: Ok(Vec::new()), checks: 0 };
        verified(&input(&run, at(10)), &attempt(1), whole(backup), check, &mut rng())
    };
    let dropped = check(&facts());
    assert_eq!(ending(&dropped), Some((Outcome::Partial, Some(Cause::DatabasesDropped))));
    let RunEvent::AttemptEnded { detail, .. } = &dropped.events[0] else { panic!("{dropped:?}") };
    assert!(detail.contains("SqlAzure shop") && detail.contains("2028-03-31"), "{detail}");
    let there = DatabaseFacts { kind: "SqlAzure".into(), name: "shop".into() };
    let whole = check(&BackupFacts { databases: vec![there], ..facts() });
    assert_eq!(ending(&whole), Some((Outcome::Succeeded, None)));
}

fn partial_is_good() -> Run {
    let mut run = polling();
    run.policy_snapshot.partial_is_good = true;
    run
}

/// Azure reports a partial backup to the run.
fn poll_partial(run: &Run) -> Next {
    let answer =
        Ok(Backup { log: Some("a file was locked".into()), ..backup(BackupStatus::PartiallySucceeded) });
    let poll = PollAnswer { answer, accepted_at: at(0), last_status: &BackupStatus::PartiallySucceeded };
    polled(&input(run, at(60)), &attempt(1), poll, &mut rng())
}

/// A check of a partial backup that would count as good.
fn check_partial(run: &Run, now: Timestamp, checks: u32, blobs: Blobs) -> Next {
    let RunState::Verifying { backup: Some(backup), partial_log, .. } = &run.state else { panic!("{run:?}") };
    let input = StepInput { last_good_bytes: Some(900), ..input(run, now) };
    let check = BlobCheck { blobs: Some(blobs), orphans: Ok(Vec::new()), checks };
    let made = MadeBackup { backup, partial_log: partial_log.as_deref() };
    verified(&input, &attempt(1), made, check, &mut rng())
}

#[test]
fn a_partial_backup_that_would_be_good_is_verified_like_a_whole_one() {
    let run = after(&partial_is_good(), &poll_partial(&partial_is_good()));
    let there = check_partial(&run, at(60), 0, Ok(blobs(Some(800), Some(1))));
    assert_eq!((cause(&there), left(&there)), (Some(Cause::PartiallySucceeded), Some(800)));
    let RunEvent::AttemptEnded { detail, .. } = &there.events[0] else { panic!("{there:?}") };
    assert_eq!(detail, "a file was locked");
    for (found, expected) in [
        (blobs(None, None), Cause::BlobMissing),
        (blobs(Some(900), None), Cause::BlobMissing),
        (blobs(Some(0), Some(1)), Cause::BlobEmpty),
        (blobs(Some(10), Some(1)), Cause::BlobShrunk),
    ] {
        let next = check_partial(&run, at(60), 0, Ok(found));
        assert_eq!(cause(&next), Some(expected), "{found:?}");
        assert_eq!(after(&run, &next).failure_counts.partial_backup, None, "{found:?}");
    }
}

#[test]
fn a_partial_backup_whose_storage_is_silent_occupies_no_app_and_ends_unverified_after_hours() {
    let mut run = after(&partial_is_good(), &poll_partial(&partial_is_good()));
    run.failure_counts.partial = 99;
    let (mut now, mut checks) = (at(60), 0);
    let end = loop {
        assert!(!run.occupies_app());
        let next = check_partial(&run, now, checks, Err(no_answer()));
        if ending(&next).is_some() {
            break next;
        }
        (run, now, checks) = (after(&run, &next), next.due_at, checks + 1);
    };
    assert!(now > at(60) + seconds(5 * 3_600), "the deadline of an hour is long past: {now}");
    let Some(RunEvent::Ended { outcome, backup: Some(_), verification, .. }) = end.events.last() else {
        panic!("{end:?}")
    };
    assert_eq!((*outcome, *verification), (Outcome::Partial, Some(Verification::Unreachable)));
}

#[test]
fn only_a_reachable_partial_backup_that_would_be_good_is_verified() {
    let is_verified = |run: &Run| {
        let next = poll_partial(run);
        matches!(next.events.last(), Some(RunEvent::PartiallyCompleted { .. }))
    };
    assert!(is_verified(&partial_is_good()));
    assert!(!is_verified(&polling()));
    let mut far = partial_is_good();
    far.policy_snapshot.verify = false;
    assert!(!is_verified(&far));
    assert_eq!(cause(&poll_partial(&far)), Some(Cause::PartiallySucceeded));
}
