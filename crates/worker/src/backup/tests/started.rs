//! POSTs and their answers.

use holdfast_arm::{Backup, Error, ErrorKind, ThrottleScope};
use holdfast_model::{BackupId, BackupStatus, Call, Cause, Outcome, Run, RunEvent, RunState, Trigger};

use crate::backup::posted;
use crate::fixtures::{
    absent, after, assert_pause, at, attempt, backup, ending, error, facts, input, no_answer, rng, starting,
    throttled,
};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::not_ready::{NotReady, not_ready};

fn post(run: &Run, answer: Result<Backup, Error>) -> Next {
    posted(&input(run, at(10)), &attempt(1), answer.map_err(CallFailure::from), &mut rng())
}

#[test]
fn an_accepted_post_is_polled_after_the_first_pause() {
    let created = Backup {
        correlation_id: Some("c".into()),
        request_id: Some("r".into()),
        ..backup(BackupStatus::Created)
    };
    let next = post(&starting(), Ok(created));
    let accepted =
        RunEvent::Accepted { backup: BackupId(7), accepted_at: at(10), request_id: Some("c".into()) };
    assert_eq!((next.events, next.due_at), (vec![accepted], at(15)));
}

#[test]
fn the_time_of_acceptance_lies_between_the_intent_and_the_answer_whatever_azures_clock_says() {
    for (created, accepted) in
        [(Some(at(4)), at(4)), (None, at(10)), (Some(at(-900_000)), at(0)), (Some(at(900_000)), at(10))]
    {
        let next = post(&starting(), Ok(Backup { created, ..backup(BackupStatus::Created) }));
        let Some(RunEvent::Accepted { accepted_at, .. }) = next.events.first() else { panic!("{next:?}") };
        assert_eq!(*accepted_at, accepted, "{created:?}");
    }
}

#[test]
fn a_request_that_azure_did_not_execute_is_deferred_and_ends_no_attempt() {
    let cases = [
        (throttled(None, ThrottleScope::Provider), Cause::Throttled, 5),
        (error(ErrorKind::Conflict { retry_after: None }), Cause::Busy, 30),
        (error(ErrorKind::NotSent), Cause::Unreachable, 10),
        (error(ErrorKind::Unauthorized), Cause::CredentialRefused, 60),
    ];
    for (error, cause, pause) in cases {
        let next = post(&starting(), Err(error));
        assert!(
            matches!(&next.events[..], [RunEvent::Deferred { cause: c, until, .. }] if *c == cause && *until == next.due_at)
        );
        assert_pause(&next, at(10), pause);
        assert_eq!(next.close, None);
        let run = after(&starting(), &next);
        assert!(matches!(run.state, RunState::Waiting { next_attempt: 1, .. }), "{cause}");
        assert_eq!((run.failure_counts.transient, run.failure_counts.deferred), (0, 1), "{cause}");
    }
}

#[test]
fn a_throttle_waits_at_least_the_floor_and_as_long_as_azure_asks_up_to_an_hour() {
    for (asked, least) in
        [(None, 4), (Some(0), 4), (Some(17), 17), (Some(3_600), 3_600), (Some(86_400), 3_600)]
    {
        for scope in [ThrottleScope::Arm, ThrottleScope::Provider] {
            let next = post(&starting(), Err(throttled(asked, scope)));
            let most = at(10 + least.max(6));
            assert!(next.due_at >= at(10 + least) && next.due_at <= most, "{asked:?}: {}", next.due_at);
            let closed = (scope == ThrottleScope::Arm).then_some((Call::Write, next.due_at));
            assert_eq!(next.close, closed, "{asked:?}");
        }
    }
}

#[test]
fn pauses_grow_with_every_deferral() {
    for (before, full) in [(0, 30), (1, 60), (3, 240), (50, 600)] {
        let mut run = starting();
        run.failure_counts.deferred = before;
        assert_pause(&post(&run, Err(error(ErrorKind::Conflict { retry_after: None }))), at(10), full);
    }
}

#[test]
fn a_run_that_is_deferred_a_hundred_times_gives_up() {
    for (cause, gives_up_as) in [
        (ErrorKind::NotSent, Outcome::Exhausted),
        (ErrorKind::Unauthorized, Outcome::Failed),
        (ErrorKind::Conflict { retry_after: None }, Outcome::Exhausted),
    ] {
        let mut run = starting();
        run.failure_counts.deferred = 98;
        assert_eq!(ending(&post(&run, Err(error(cause.clone())))), None);
        run.failure_counts.deferred = 99;
        let (outcome, _) = ending(&post(&run, Err(error(cause)))).unwrap();
        assert_eq!(outcome, gives_up_as);
        run.failure_counts.partial_backup = Some(facts());
        let next = not_ready(&input(&run, at(10)), &NotReady::Storage(no_answer()), &mut rng());
        assert_eq!(ending(&next), Some((Outcome::Partial, Some(Cause::Unreachable))));
    }
}

#[test]
fn a_credential_that_is_refused_for_good_ends_the_run_at_once() {
    let next = post(&starting(), Err(error(ErrorKind::CredentialRefused)));
    assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::CredentialRefused))));
}

#[test]
fn a_request_that_azure_rejects_and_an_app_that_two_looks_miss_end_the_run() {
    let rejected = post(&starting(), Err(error(ErrorKind::Rejected)));
    assert_eq!(ending(&rejected), Some((Outcome::Failed, Some(Cause::Rejected))));
    let gone = Err(absent(AbsentByTwoLooks::App));
    let gone = posted(&input(&starting(), at(10)), &attempt(1), gone, &mut rng());
    assert_eq!(ending(&gone), Some((Outcome::Failed, Some(Cause::AppNotFound))));
    for next in [rejected, gone] {
        let run = after(&starting(), &next);
        assert!(run.state.is_ended() && run.failure_counts.missing.is_empty());
    }
}

#[test]
fn a_refused_start_is_tried_again_within_the_catch_up_of_a_tick_and_for_a_minute_for_a_person() {
    let cases = [(ErrorKind::Forbidden, Cause::AppForbidden), (ErrorKind::NotFound, Cause::AppNotFound)];
    for (kind, cause) in cases {
        for (trigger, patience) in [(Trigger::Schedule, 6 * 3_600), (Trigger::Manual, 60)] {
            let run = Run { trigger, ..starting() };
            let refuse = |seconds| {
                let answer = Err(error(kind.clone()).into());
                posted(&input(&run, at(seconds)), &attempt(1), answer, &mut rng())
            };
            let next = refuse(patience - 20);
            assert!(
                matches!(next.events[..], [RunEvent::Deferred { cause: c, .. }] if c == cause),
                "{trigger} {next:?}"
            );
            assert_eq!(ending(&refuse(patience)), Some((Outcome::Failed, Some(cause))), "{trigger}");
            let why = NotReady::Arm(error(kind.clone()));
            let waits = not_ready(&input(&run, at(patience - 20)), &why, &mut rng());
            assert_eq!(ending(&waits), None);
        }
    }
}

#[test]
fn a_post_whose_answer_is_lost_is_looked_for_after_a_while() {
    let next = post(&starting(), Err(error(ErrorKind::Ambiguous)));
    assert!(matches!(next.events[..], [RunEvent::AnswerLost { .. }]));
    assert_eq!(next.due_at, at(40));
    assert!(matches!(after(&starting(), &next).state, RunState::Reconciling { absent: 0, .. }));
}
