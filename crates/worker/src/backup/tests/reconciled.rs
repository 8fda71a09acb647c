//! Lost answers.

use holdfast_arm::{Error, ErrorKind, Operation};
use holdfast_model::{BackupId, BackupName, Call, Cause, Outcome, Run, RunEvent, RunState, Timestamp};

use super::found;
use crate::backup::found::FoundBackup;
use crate::backup::{reconciled, turned_up};
use crate::fixtures::{
    RETRIES, SETTINGS, absent, after, at, attempt, ending, error, input, moved, one_missing, reconciling,
    rng, sas, starting, throttled_at,
};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;

fn look(run: &Run, now: Timestamp, listed: Result<Vec<FoundBackup>, Error>) -> Next {
    reconciled(&input(run, now), &attempt(1), listed.map_err(CallFailure::from), &mut rng())
}

#[test]
fn absence_needs_three_lookups_and_the_whole_settle_time() {
    let (mut run, mut now) = (reconciling(), at(40));
    let mut looks = 0;
    while !matches!(run.state, RunState::Waiting { .. }) {
        let next = look(&run, now, Ok(Vec::new()));
        looks += 1;
        (run, now) = (after(&run, &next), next.due_at);
    }
    assert_eq!(looks, 3);
    assert_eq!(run.failure_counts.lost, 1);
    assert_eq!(run.failure_counts.missing, [(1, attempt(1).name)].into());
    assert!(now >= at(40) + SETTINGS.settle);
    assert!(matches!(run.state, RunState::Waiting { next_attempt: 2, cause: Cause::AnswerLost, .. }));
}

#[test]
fn many_lookups_in_a_short_time_or_few_in_a_long_time_are_no_proof() {
    let mut run = reconciling();
    for second in 0..50 {
        run = after(&run, &look(&run, at(second), Ok(Vec::new())));
        assert!(matches!(run.state, RunState::Reconciling { .. }), "after {second} s");
    }
    let run = after(&reconciling(), &look(&reconciling(), at(0), Ok(Vec::new())));
    let run = after(&run, &look(&run, at(90_000), Ok(Vec::new())));
    assert!(matches!(run.state, RunState::Reconciling { absent: 2, .. }));
}

#[test]
fn a_clock_that_goes_back_makes_the_settle_time_longer_and_not_shorter() {
    let mut run = reconciling();
    for second in [1_000, 10, 20, 30, 1_050] {
        run = after(&run, &look(&run, at(second), Ok(Vec::new())));
        assert!(matches!(run.state, RunState::Reconciling { .. }), "at {second} s");
    }
}

#[test]
fn an_intent_whose_worker_died_is_reconciled_like_a_lost_answer() {
    let next = look(&starting(), at(81), Ok(Vec::new()));
    assert_eq!(next.events, [RunEvent::Absent { looked_at: at(81) }]);
    let state = after(&starting(), &next).state;
    assert!(
        matches!(state, RunState::Reconciling { absent: 1, first_absent: Some(first), .. } if first == at(81))
    );
}

#[test]
fn the_attempts_own_backup_is_adopted_and_polled_at_once() {
    for run in [starting(), reconciling()] {
        let next = look(&run, at(81), Ok(vec![found(1)]));
        assert!(
            matches!(&next.events[..], [RunEvent::Adopted { attempt: a, backup: BackupId(7), .. }] if *a == attempt(1))
        );
        assert_eq!(next.due_at, at(81));
    }
}

#[test]
fn the_backup_of_another_attempt_is_not_the_one_looked_for() {
    let next = look(&reconciling(), at(81), Ok(vec![found(2), found(11)]));
    assert_eq!(next.events, [RunEvent::Absent { looked_at: at(81) }]);
}

#[test]
fn a_failed_list_does_not_count_as_a_look() {
    let next = look(&reconciling(), at(81), Err(error(ErrorKind::Ambiguous)));
    assert_eq!(next.events, []);
    assert!(next.due_at > at(81));
    let next = look(&reconciling(), at(81), Err(throttled_at(Operation::ListBackups, 60)));
    assert_eq!((next.due_at, next.close), (at(141), Some((Call::Read, at(141)))));
}

/// Lists with the same answer until the run ends.
fn look_until_end(failure: impl Fn() -> CallFailure) -> (u32, Next) {
    let (mut run, mut now, mut looks) = (reconciling(), at(81), 0);
    loop {
        let next = reconciled(&input(&run, now), &attempt(1), Err(failure()), &mut rng());
        looks += 1;
        if ending(&next).is_some() {
            return (looks, next);
        }
        (run, now) = (after(&run, &next), next.due_at);
    }
}

#[test]
fn a_list_that_fails_until_the_deadline_ends_the_run_and_the_name_of_its_attempt_is_kept() {
    for kind in [ErrorKind::Ambiguous, ErrorKind::Forbidden, ErrorKind::NotFound, ErrorKind::Rejected] {
        let (looks, next) = look_until_end(|| error(kind.clone()).into());
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{kind:?}");
        assert!(looks > 40, "{kind:?}: {looks}");
        let [RunEvent::AttemptEnded { detail, .. }, _] = &next.events[..] else { panic!("{next:?}") };
        assert!(detail.contains(attempt(1).name.as_str()), "{detail}");
        let ended = after(&reconciling(), &next);
        assert_eq!(ended.failure_counts.missing, [(1, attempt(1).name)].into(), "{kind:?}");
    }
}

#[test]
fn an_app_is_believed_to_be_gone_after_two_kinds_of_look_over_the_settle_time() {
    let (looks, next) = look_until_end(|| absent(AbsentByTwoLooks::App));
    assert_eq!((looks, ending(&next)), (3, Some((Outcome::Failed, Some(Cause::AppNotFound)))));
    let ended = after(&reconciling(), &next);
    assert_eq!(ended.failure_counts.missing, [(1, attempt(1).name)].into());
}

#[test]
fn a_backup_of_an_attempt_that_the_store_lost_is_recorded_beside_the_adopted_one() {
    let forgotten = FoundBackup { name: BackupName::new("hf-shop-1-forgotten"), ..found(1) };
    let next = look(&reconciling(), at(81), Ok(vec![forgotten, found(1)]));
    assert!(
        matches!(&next.events[..], [RunEvent::OrphanFound { name, .. }, RunEvent::Adopted { .. }]
            if name.as_str() == "hf-shop-1-forgotten"),
        "{next:?}"
    );
    after(&reconciling(), &next);
}

#[test]
fn the_last_lost_answer_that_the_rule_allows_ends_the_run() {
    let mut run = reconciling();
    run.failure_counts.lost = RETRIES.lost.attempts - 1;
    for second in [0, 45] {
        run = after(&run, &look(&run, at(second), Ok(Vec::new())));
    }
    let next = look(&run, at(90), Ok(Vec::new()));
    assert_eq!(ending(&next), Some((Outcome::Exhausted, Some(Cause::AnswerLost))));
}

#[test]
fn a_backup_that_turns_up_late_is_adopted_and_no_longer_missing() {
    let run = one_missing();
    let next = turned_up(&input(&run, at(500)), vec![found(1)]);
    let run = after(&run, &next);
    assert!(matches!(&run.state, RunState::Polling { attempt: a, .. } if a.number == 1));
    assert!(run.failure_counts.missing.is_empty());
    assert_eq!(next.due_at, at(505));
}

#[test]
fn the_backup_of_an_earlier_attempt_is_recorded_and_not_adopted() {
    let started = RunEvent::AttemptStarted { attempt: attempt(2), sas: Some(sas()) };
    let lost = RunEvent::AttemptEnded {
        number: 2,
        status: None,
        cause: Cause::AnswerLost,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let run = moved(one_missing(), [started, RunEvent::AnswerLost { detail: String::new() }, lost]);
    let next = turned_up(&input(&run, at(500)), vec![found(1)]);
    assert!(matches!(next.events[..], [RunEvent::OrphanFound { number: 1, .. }]));
    let later = after(&run, &next);
    assert!(matches!(later.state, RunState::Waiting { next_attempt: 3, .. }));
    assert_eq!((later.failure_counts.missing, later.due_at), ([(2, attempt(2).name)].into(), at(500)));
    let both = after(&run, &turned_up(&input(&run, at(500)), vec![found(1), found(2)]));
    assert!(matches!(&both.state, RunState::Polling { attempt: a, .. } if a.number == 2));
    assert!(both.failure_counts.missing.is_empty());
}
