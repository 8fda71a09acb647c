//! Blobs.

use holdfast_model::{
    DatabaseFacts, DatabaseKind, DatabaseRef, FailureCounts, Outcome, RunState, Task, Verification,
};
use holdfast_storage::BlobFacts;
use proptest::prelude::*;

use super::super::{BlobCheck, asked, checked, counts_in_part};
use super::*;

type Blobs = Result<(Option<BlobFacts>, Option<BlobFacts>), holdfast_storage::Error>;

const fn of(size_bytes: u64) -> BlobFacts {
    BlobFacts { size_bytes }
}

fn check(run: &Run, last_good_bytes: Option<i64>, checks: u32, blobs: Blobs) -> Next {
    let sight = Sight { last_good_bytes, ..sight(run, at(60)) };
    checked(
        &sight,
        &attempt(1),
        (&facts(), checks),
        BlobCheck { blobs: Some(blobs), orphans: Ok(Vec::new()) },
        &mut rng(),
    )
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
    let next = check(&verifying(), Some(900), 0, Ok((Some(of(900)), Some(of(1)))));
    assert_eq!(verification(&next), Some(Verification::Verified));
    assert!(after(&verifying(), &next).state.is_ended());
}

#[test]
fn a_blob_that_is_not_there_or_empty_or_without_its_manifest_is_a_failure() {
    let cases = [
        ((None, None), Cause::BlobMissing),
        ((None, Some(of(1))), Cause::BlobMissing),
        ((Some(of(900)), None), Cause::BlobMissing),
        ((Some(of(0)), Some(of(1))), Cause::BlobEmpty),
    ];
    for (blobs, expected) in cases {
        let next = check(&verifying(), None, 0, Ok(blobs));
        assert_eq!(cause(&next), Some(expected), "{blobs:?}");
        assert_pause(&next, at(60), 40);
        assert!(matches!(after(&verifying(), &next).state, RunState::Waiting { next_attempt: 2, .. }));
    }
}

#[test]
fn a_blob_that_shrank_beyond_the_tolerance_is_not_trusted() {
    let shrunk = |tolerance, before, size| {
        let mut run = verifying();
        run.policy_snapshot.shrink_tolerance_percent = tolerance;
        cause(&check(&run, before, 0, Ok((Some(of(size)), Some(of(1)))))) == Some(Cause::BlobShrunk)
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

/// What the failed attempt leaves to the catalog.
fn left(next: &Next) -> Option<i64> {
    next.events.iter().find_map(|event| match event {
        RunEvent::AttemptEnded { backup: Some(backup), .. } => Some(backup.size_bytes),
        _ => None,
    })
}

#[test]
fn what_lies_in_storage_is_left_to_retention_though_no_run_counts_it() {
    let shrunk = check(&verifying(), Some(1_000), 0, Ok((Some(of(10)), Some(of(1)))));
    assert_eq!((cause(&shrunk), left(&shrunk)), (Some(Cause::BlobShrunk), Some(10)));
    assert_eq!(after(&verifying(), &shrunk).failure_counts.partial_backup, None);
    let last =
        Run { failure_counts: FailureCounts { transient: 99, ..FailureCounts::default() }, ..verifying() };
    let over = check(&last, Some(1_000), 0, Ok((Some(of(10)), Some(of(1)))));
    assert_eq!(ending(&over), Some((Outcome::Exhausted, Some(Cause::BlobShrunk))));

    let without_manifest = check(&verifying(), None, 0, Ok((Some(of(900)), None)));
    assert_eq!(left(&without_manifest), Some(900));
    for blobs in [(None, None), (Some(of(0)), Some(of(1)))] {
        assert_eq!(left(&check(&verifying(), None, 0, Ok(blobs))), None, "nothing to keep: {blobs:?}");
    }
}

proptest! {
    #[test]
    fn no_sizes_overflow_and_growth_is_never_shrinking(before: i64, size in 1_u64.., tolerance: u8) {
        let mut run = verifying();
        run.policy_snapshot.shrink_tolerance_percent = tolerance;
        let next = check(&run, Some(before), 0, Ok((Some(of(size)), Some(of(1)))));
        if u64::try_from(before).unwrap_or(0) <= size {
            prop_assert_eq!(verification(&next), Some(Verification::Verified));
        }
    }
}

#[test]
fn storage_that_does_not_let_itself_be_asked_five_times_leaves_the_success_marked() {
    for error in [no_answer, forbidden] {
        let mut run = verifying();
        for checks in 0..4 {
            let next = check(&run, None, checks, Err(error()));
            assert!(matches!(next.events[..], [RunEvent::CheckFailed { .. }]));
            assert_pause(&next, at(60), 5 << checks);
            run = after(&run, &next);
        }
        let next = check(&run, None, 4, Err(error()));
        assert_eq!(verification(&next), Some(Verification::Unreachable));
        assert!(matches!(next.events[0], RunEvent::CheckFailed { .. }));
        assert!(after(&run, &next).state.is_ended());
    }
}

#[test]
fn what_a_lost_attempt_left_behind_is_recorded_once_and_before_the_end() {
    let mut run = verifying();
    run.failure_counts.missing = [4, 5].into();
    let check =
        BlobCheck { blobs: Some(Ok((Some(of(900)), Some(of(1))))), orphans: Ok(vec![found(4), found(5)]) };
    let next = checked(&sight(&run, at(60)), &attempt(1), (&facts(), 0), check, &mut rng());
    let names: Vec<_> = next.events.iter().map(RunEvent::name).collect();
    assert_eq!(names, ["orphan_found", "orphan_found", "ended"]);
    assert!(after(&run, &next).failure_counts.missing.is_empty());
}

#[test]
fn a_list_that_cannot_be_read_holds_up_the_end_a_few_times_and_not_for_ever() {
    let check = || BlobCheck {
        blobs: Some(Ok((Some(of(900)), Some(of(1))))),
        orphans: Err(error(ErrorKind::Ambiguous)),
    };
    let run = verifying();
    let told = |checks| checked(&sight(&run, at(60)), &attempt(1), (&facts(), checks), check(), &mut rng());
    assert!(matches!(told(0).events[..], [RunEvent::CheckFailed { .. }]));
    assert_eq!(verification(&told(4)), Some(Verification::Verified));
}

#[test]
fn where_storage_is_out_of_reach_only_lost_attempts_are_looked_for() {
    let mut run = verifying();
    run.failure_counts.missing = [4].into();
    let check = BlobCheck { blobs: None, orphans: Ok(vec![found(4)]) };
    let next = checked(&sight(&run, at(60)), &attempt(1), (&facts(), 0), check, &mut rng());
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
        let blobs = Some(Ok((Some(of(900)), Some(of(5)))));
        checked(
            &sight(&run, at(10)),
            &attempt(1),
            (backup, 0),
            BlobCheck { blobs, orphans: Ok(Vec::new()) },
            &mut rng(),
        )
    };
    let dropped = check(&facts());
    assert_eq!(ending(&dropped), Some((Outcome::Partial, Some(Cause::DatabasesDropped))));
    let RunEvent::AttemptEnded { detail, .. } = &dropped.events[0] else { panic!("{dropped:?}") };
    assert!(detail.contains("SqlAzure shop") && detail.contains("2028-03-31"), "{detail}");
    let there = DatabaseFacts { kind: "SqlAzure".into(), name: "shop".into() };
    let whole = check(&BackupFacts { databases: vec![there], ..facts() });
    assert_eq!(ending(&whole), Some((Outcome::Succeeded, None)));
}

/// A run under whose policy snapshot a partial backup is enough, told so by Azure.
fn told_partial(blobs: Blobs, last_good_bytes: Option<i64>, now: Timestamp) -> Next {
    let run = partial_is_good();
    let sight = Sight { last_good_bytes, ..sight(&run, now) };
    let answer = (Ok(backup(BackupStatus::PartiallySucceeded)), Some(blobs));
    asked(&sight, &attempt(1), (at(0), &BackupStatus::PartiallySucceeded), answer, &mut rng())
}

fn partial_is_good() -> Run {
    let mut run = polling();
    run.policy_snapshot.partial_is_good = true;
    run
}

#[test]
fn a_partial_backup_that_would_be_good_is_looked_at_like_a_whole_one() {
    let partial = Cause::PartiallySucceeded;
    let whole = told_partial(Ok((Some(of(800)), Some(of(1)))), Some(900), at(60));
    assert_eq!((cause(&whole), left(&whole)), (Some(partial), Some(800)));
    for (blobs, expected) in [
        ((None, None), Cause::BlobMissing),
        ((Some(of(900)), None), Cause::BlobMissing),
        ((Some(of(0)), Some(of(1))), Cause::BlobEmpty),
        ((Some(of(10)), Some(of(1))), Cause::BlobShrunk),
    ] {
        let next = told_partial(Ok(blobs), Some(900), at(60));
        assert_eq!(cause(&next), Some(expected), "{blobs:?}");
        assert_eq!(after(&partial_is_good(), &next).failure_counts.partial_backup, None, "{blobs:?}");
    }
}

#[test]
fn a_partial_backup_that_cannot_be_looked_at_counts_for_nothing_until_it_was() {
    let next = told_partial(Err(no_answer()), None, at(60));
    assert!(next.events.is_empty() && next.due_at > at(60), "{next:?}");
    let over = told_partial(Err(no_answer()), None, at(3_600));
    assert_eq!(ending(&over), Some((Outcome::Failed, Some(Cause::DeadlinePassed))));
    assert!(left(&over).is_some(), "the catalog knows of it");
}

#[test]
fn only_a_partial_backup_that_would_be_good_and_is_in_reach_is_looked_at() {
    let looks = |run: &Run, status| {
        let answer = Ok(backup(status));
        counts_in_part(&sight(run, at(60)), &attempt(1), at(0), &answer).map(|backup| backup.id)
    };
    let run = partial_is_good();
    assert_eq!(looks(&run, BackupStatus::PartiallySucceeded), Some(BackupId(7)));
    assert_eq!(looks(&run, BackupStatus::Succeeded), None, "it is looked at in a step of its own");
    assert_eq!(looks(&polling(), BackupStatus::PartiallySucceeded), None);
    let mut far = run;
    far.policy_snapshot.verify = false;
    assert_eq!(looks(&far, BackupStatus::PartiallySucceeded), None);
}
