//! From due to accepted.

use holdfast_model::{Outcome, RefreshReason, RunState, SasRefresh};

use super::super::begin::{Begun, NotReady, not_ready, posted, prepared};
use super::*;

fn grant(refresh: Option<SasRefresh>) -> holdfast_storage::Grant {
    holdfast_storage::Grant { url: String::new().into(), facts: sas(), refresh, warnings: Vec::new() }
}

fn answered(run: &Run, answer: Result<Backup, Error>) -> Next {
    posted(&sight(run, at(10)), &attempt(1), answer, &mut rng())
}

#[test]
fn an_intent_names_its_attempt_and_is_left_alone_for_as_long_as_its_post_may_take() {
    let refresh = SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        reason: RefreshReason::First,
        old: None,
        new: sas(),
        backup: None,
    };
    let next = prepared(&sight(&planned(), at(10)), Begun::from(&grant(Some(refresh.clone()))));
    assert_eq!(next.events[0], RunEvent::SasRefreshed { refresh });
    let begun = Attempt { begun_at: at(10), ..attempt(1) };
    assert_eq!(next.events[1], RunEvent::AttemptStarted { attempt: begun, sas: Some(sas()) });
    assert_eq!(next.due_at, at(10) + SETTINGS.intent_lease());
    assert!(SETTINGS.intent_lease() > SETTINGS.post_within + SETTINGS.call_timeout);
    let again = prepared(&sight(&one_missing(), at(10)), Begun::from(&grant(None)));
    assert!(matches!(&again.events[..], [RunEvent::AttemptStarted { attempt, .. }] if attempt.number == 2));
}

#[test]
fn an_accepted_post_is_asked_about_after_the_first_pause() {
    let told = Backup {
        correlation_id: Some("c".into()),
        request_id: Some("r".into()),
        ..backup(BackupStatus::Created)
    };
    let next = answered(&starting(), Ok(told));
    let accepted =
        RunEvent::Accepted { backup: BackupId(7), accepted_at: at(10), request_id: Some("c".into()) };
    assert_eq!((next.events, next.due_at), (vec![accepted], at(15)));
}

#[test]
fn the_time_of_acceptance_lies_between_the_intent_and_the_answer_whatever_azures_clock_says() {
    for (created, accepted) in
        [(Some(at(4)), at(4)), (None, at(10)), (Some(at(-900_000)), at(0)), (Some(at(900_000)), at(10))]
    {
        let next = answered(&starting(), Ok(Backup { created, ..backup(BackupStatus::Created) }));
        let Some(RunEvent::Accepted { accepted_at, .. }) = next.events.first() else { panic!("{next:?}") };
        assert_eq!(*accepted_at, accepted, "{created:?}");
    }
}

#[test]
fn what_certainly_was_not_done_is_put_off_and_uses_up_no_attempt() {
    let cases = [
        (throttled(None, ThrottleScope::Provider), Cause::Throttled, 5),
        (error(ErrorKind::Conflict { retry_after: None }), Cause::Busy, 30),
        (error(ErrorKind::NotSent), Cause::Unreachable, 10),
        (error(ErrorKind::Unauthorized), Cause::CredentialRefused, 60),
    ];
    for (error, cause, pause) in cases {
        let next = answered(&starting(), Err(error));
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
fn a_throttle_waits_at_least_the_floor_and_never_shorter_than_azure_asks() {
    for (asked, least) in [(None, 4), (Some(0), 4), (Some(17), 17), (Some(86_400), 86_400)] {
        for scope in [ThrottleScope::Arm, ThrottleScope::Provider] {
            let next = answered(&starting(), Err(throttled(asked, scope)));
            assert!(next.due_at >= at(10 + least), "{asked:?}: {}", next.due_at);
            let closed = (scope == ThrottleScope::Arm).then_some((Call::Write, next.due_at));
            assert_eq!(next.close, closed, "{asked:?}");
        }
    }
}

#[test]
fn pauses_grow_with_every_time_a_run_is_put_off() {
    for (before, full) in [(0, 30), (1, 60), (3, 240), (50, 600)] {
        let mut run = starting();
        run.failure_counts.deferred = before;
        assert_pause(&answered(&run, Err(error(ErrorKind::Conflict { retry_after: None }))), at(10), full);
    }
}

#[test]
fn a_run_that_is_put_off_a_hundred_times_gives_up() {
    for cause in [ErrorKind::NotSent, ErrorKind::Unauthorized, ErrorKind::Conflict { retry_after: None }] {
        let mut run = starting();
        run.failure_counts.deferred = 98;
        assert_eq!(ending(&answered(&run, Err(error(cause.clone())))), None);
        run.failure_counts.deferred = 99;
        let (outcome, _) = ending(&answered(&run, Err(error(cause)))).unwrap();
        assert_eq!(outcome, Outcome::Exhausted);
        run.failure_counts.partial_backup = Some(facts());
        let next = not_ready(&sight(&run, at(10)), &NotReady::Storage(no_answer()), &mut rng());
        assert_eq!(ending(&next), Some((Outcome::Partial, Some(Cause::Unreachable))));
    }
}

#[test]
fn a_refused_post_ends_the_run_with_its_reason() {
    let cases = [
        (ErrorKind::Forbidden, Cause::AppForbidden),
        (ErrorKind::NotFound, Cause::AppNotFound),
        (ErrorKind::Rejected, Cause::Rejected),
    ];
    for (kind, cause) in cases {
        let next = answered(&starting(), Err(error(kind)));
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(cause))));
        assert!(after(&starting(), &next).state.is_ended());
    }
}

#[test]
fn a_post_whose_answer_is_lost_is_looked_for_after_a_while() {
    let next = answered(&starting(), Err(error(ErrorKind::Ambiguous)));
    assert!(matches!(next.events[..], [RunEvent::AnswerLost { .. }]));
    assert_eq!(next.due_at, at(40));
    assert!(matches!(after(&starting(), &next).state, RunState::Reconciling { absent: 0, .. }));
}

#[test]
fn an_unusable_sas_counts_as_a_failure_and_uses_up_no_attempt_number() {
    let missing = || holdfast_storage::Error::FindStorage { storage: StorageName::new("weu") };
    for why in [missing, forbidden] {
        for before in 0..RETRIES.transient.attempts {
            let mut run = planned();
            run.failure_counts.transient = before;
            let next = not_ready(&sight(&run, at(10)), &NotReady::Storage(why()), &mut rng());
            let run = after(&run, &next);
            assert_eq!(run.failure_counts.transient, before + 1);
            if before + 1 == RETRIES.transient.attempts {
                assert_eq!(ending(&next), Some((Outcome::Exhausted, Some(Cause::SasUnusable))));
            } else {
                assert!(matches!(
                    run.state,
                    RunState::Waiting { next_attempt: 1, cause: Cause::SasUnusable, .. }
                ));
                assert_pause(&next, at(10), 40 << before);
            }
        }
    }
}

#[test]
fn storage_that_cannot_be_reached_puts_off_and_counts_as_no_failure() {
    let next = not_ready(&sight(&planned(), at(10)), &NotReady::Storage(no_answer()), &mut rng());
    let run = after(&planned(), &next);
    assert_eq!((run.failure_counts.transient, run.failure_counts.deferred), (0, 1));
    assert_pause(&next, at(10), 10);
}

#[test]
fn a_refused_sas_stays_refused_until_the_next_attempt_begins() {
    let failed = RunEvent::AttemptEnded {
        number: 1,
        status: None,
        cause: Cause::StorageRefused,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let run = moved(polling(), [failed]);
    for why in [
        NotReady::Storage(no_answer()),
        NotReady::Storage(forbidden()),
        NotReady::Arm(error(ErrorKind::NotSent)),
    ] {
        let later = after(&run, &not_ready(&sight(&run, at(10)), &why, &mut rng()));
        assert_eq!(later.state.refused_sas(), Some("fingerprint"), "{why}");
    }
}

#[test]
fn a_lost_attempt_that_cannot_be_looked_for_holds_up_the_next_one() {
    let run = one_missing();
    for (kind, cause) in [
        (ErrorKind::Forbidden, Cause::AppForbidden),
        (ErrorKind::NotFound, Cause::AppNotFound),
        (ErrorKind::Rejected, Cause::Rejected),
    ] {
        let next = not_ready(&sight(&run, at(10)), &NotReady::Arm(error(kind)), &mut rng());
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(cause))));
    }
    let throttled = NotReady::Arm(throttled_at(Operation::ListBackups, 90));
    let next = not_ready(&sight(&run, at(10)), &throttled, &mut rng());
    assert_eq!((next.due_at, next.close), (at(100), Some((Call::Read, at(100)))));
    assert!(matches!(after(&run, &next).state, RunState::Waiting { next_attempt: 2, .. }));
}
