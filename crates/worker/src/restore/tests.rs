//! Restores and drills.

use holdfast_arm::{Error, ErrorKind, ProbeError, Progress, Started};
use holdfast_model::{
    AppId, Attempt, BackupId, Cause, Drill, Outcome, Restore, Run, RunEvent, RunState, Task, Timestamp,
    Trigger,
};

use super::drill::probed;
use super::trace::Trace;
use super::transitions::{OperationAnswer, answered, may_be_final, polled, reconciled};
use crate::fixtures::{
    SETTINGS, after, assert_pause, at, attempt, ending, error, input, moved, rng, run_of, sas, seconds,
};
use crate::next::Next;

fn restore() -> Restore {
    Restore {
        source: AppId::new("s", "g", "shop", None),
        backup: Some(BackupId(7)),
        blob: "b.zip".into(),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: false,
    }
}

fn run(task: Task) -> Run {
    run_of("scratch", task, Trigger::Manual)
}

fn drill() -> Run {
    run(Task::Drill(Drill { restore: restore(), probe: Some("https://scratch".into()) }))
}

fn begun(run: Run) -> Run {
    let attempt = Attempt { restored_before: Some(at(-500)), ..attempt(1) };
    moved(run, [RunEvent::AttemptStarted { attempt, sas: Some(sas()) }])
}

fn attempt_of(run: &Run) -> Attempt {
    run.state.attempt().unwrap().clone()
}

fn polling_operation(run: Run) -> Run {
    let accepted =
        RunEvent::OperationAccepted { operation: "/o/1".into(), accepted_at: at(10), request_id: None };
    moved(begun(run), [accepted])
}

fn poll(run: &Run, now: Timestamp, answer: Result<Progress, Error>) -> Next {
    poll_with(run, now, answer, None)
}

fn poll_with(
    run: &Run,
    now: Timestamp,
    answer: Result<Progress, Error>,
    trace: Option<Result<Trace, Error>>,
) -> Next {
    let answer = OperationAnswer { answer, trace, accepted_at: at(10) };
    polled(&input(run, now), &attempt_of(run), answer, &mut rng())
}

/// App Service answers a failed restore with this on the operation's link.
fn internal_server_error() -> Error {
    error(ErrorKind::Ambiguous).with_answer(500, Some("InternalServerError"))
}

#[test]
fn a_500_on_the_operations_link_is_looked_into_and_a_failed_restore_is_told_and_ended() {
    assert!(may_be_final(&internal_server_error()));
    for other in [error(ErrorKind::Ambiguous).with_answer(503, None), error(ErrorKind::NotSent)] {
        assert!(!may_be_final(&other), "{other}");
    }
    for trace in [Trace::Restored(Some(at(-500))), Trace::Unknowable] {
        let (mut run, mut now) = (polling_operation(run(Task::Restore(restore()))), at(60));
        let next = loop {
            let next = poll_with(&run, now, Err(internal_server_error()), Some(Ok(trace)));
            if next.events.len() > 1 {
                break next;
            }
            assert_eq!(next.events, [RunEvent::Absent { looked_at: now }]);
            (run, now) = (after(&run, &next), next.due_at);
        };
        assert!(now >= at(60) + SETTINGS.settle && now < at(60) + 2 * SETTINGS.settle, "{now}");
        let RunEvent::AttemptEnded { cause, detail, .. } = &next.events[1] else { panic!("{next:?}") };
        assert_eq!(*cause, Cause::RestoreFailed);
        assert!(detail.contains("azure answered something"), "{detail}");
        assert!(matches!(after(&run, &next).state, RunState::Waiting { next_attempt: 2, .. }));
    }
}

#[test]
fn a_500_on_the_operations_link_ends_nothing_while_azure_works_or_when_the_restore_is_done() {
    let run = polling_operation(run(Task::Restore(restore())));
    for trace in [Ok(Trace::UnderWay), Err(error(ErrorKind::Forbidden))] {
        let next = poll_with(&run, at(60), Err(internal_server_error()), Some(trace));
        assert!(next.events.is_empty() && next.due_at > at(60), "{next:?}");
    }
    let restored = Some(Ok(Trace::Restored(Some(at(50)))));
    let done = poll_with(&run, at(60), Err(internal_server_error()), restored);
    assert_eq!(ending(&done), Some((Outcome::Succeeded, None)));
    let absent = poll_with(&run, at(60), Err(internal_server_error()), Some(Ok(Trace::Unknowable)));
    let suspected = after(&run, &absent);
    let working = poll(&suspected, at(90), Ok(Progress::UnderWay { retry_after: None }));
    assert_eq!(after(&suspected, &working).state, run.state, "one such answer is forgotten");
}

#[test]
fn a_403_ends_no_restore_before_the_deadline() {
    let run = polling_operation(run(Task::Restore(restore())));
    let next = poll(&run, at(60), Err(error(ErrorKind::Forbidden)));
    assert!(next.events.is_empty() && next.due_at > at(60), "{next:?}");
}

#[test]
fn an_accepted_restore_is_polled_to_its_end() {
    let run = begun(run(Task::Restore(restore())));
    let started =
        Started { operation: Some("/o/1".into()), request_id: None, retry_after: Some(seconds(15)) };
    let next = answered(&input(&run, at(10)), &attempt_of(&run), Ok(started), &mut rng());
    assert_eq!(next.due_at, at(25));
    let run = after(&run, &next);
    assert!(matches!(&run.state, RunState::PollingOperation { operation, .. } if operation == "/o/1"));
    let working = poll(&run, at(25), Ok(Progress::UnderWay { retry_after: None }));
    assert!(working.events.is_empty() && working.due_at > at(25));
    assert_eq!(ending(&poll(&run, at(60), Ok(Progress::Done))), Some((Outcome::Succeeded, None)));
    let late = poll(&run, at(10 + 3_600), Ok(Progress::UnderWay { retry_after: None }));
    assert_eq!(ending(&late), Some((Outcome::Failed, Some(Cause::DeadlinePassed))));
}

#[test]
fn a_restore_that_is_done_at_once_is_not_polled() {
    let run = begun(run(Task::Restore(restore())));
    let started = Started { operation: None, request_id: None, retry_after: None };
    let next = answered(&input(&run, at(10)), &attempt_of(&run), Ok(started), &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

#[test]
fn a_failed_restore_is_tried_again_as_the_policy_says() {
    let run = polling_operation(run(Task::Restore(restore())));
    let next = poll(&run, at(60), Ok(Progress::Failed { detail: "sharing violation".into() }));
    assert_pause(&next, at(60), 40);
    let state = after(&run, &next).state;
    assert!(matches!(state, RunState::Waiting { cause: Cause::RestoreFailed, next_attempt: 2, .. }));
}

#[test]
fn an_operation_that_azure_no_longer_reports_is_looked_for_by_its_trace() {
    let run = polling_operation(run(Task::Restore(restore())));
    let next = poll(&run, at(60), Err(error(ErrorKind::NotFound)));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Reconciling { .. }));
    let trace = Ok(Trace::Restored(Some(at(50))));
    let next = reconciled(&input(&run, at(60)), &attempt_of(&run), trace, &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

fn lost(task: Task) -> Run {
    moved(begun(run(task)), [RunEvent::AnswerLost { detail: String::new() }])
}

#[test]
fn a_lost_restore_is_done_only_when_the_backup_was_restored_since() {
    let run = lost(Task::Restore(restore()));
    let look = |run: &Run, now, trace| reconciled(&input(run, now), &attempt_of(run), Ok(trace), &mut rng());
    let busy = look(&run, at(40), Trace::UnderWay);
    assert!(busy.events.is_empty() && busy.due_at > at(40), "{busy:?}");
    let (mut now, mut before) = (at(40), run.clone());
    while matches!(before.state, RunState::Reconciling { .. }) {
        // The same time as before the attempt: that restore was another.
        let next = look(&before, now, Trace::Restored(Some(at(-500))));
        (before, now) = (after(&before, &next), next.due_at);
    }
    assert!(now >= at(40) + SETTINGS.settle);
    assert!(matches!(before.state, RunState::Waiting { cause: Cause::AnswerLost, next_attempt: 2, .. }));
}

#[test]
fn a_lost_restore_that_leaves_no_trace_is_not_repeated() {
    let mut run = lost(Task::Restore(Restore { backup: None, ..restore() }));
    let (mut now, mut last) = (at(40), None);
    while !run.state.is_ended() {
        let next = reconciled(&input(&run, now), &attempt_of(&run), Ok(Trace::Unknowable), &mut rng());
        (run, now, last) = (after(&run, &next), next.due_at, Some(next));
    }
    assert_eq!(ending(&last.unwrap()), Some((Outcome::Exhausted, Some(Cause::AnswerLost))));
}

#[test]
fn a_drill_passes_when_the_app_answers_and_fails_when_it_never_does() {
    let run = polling_operation(drill());
    let next = poll(&run, at(60), Ok(Progress::Done));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Verifying { backup: None, .. }) && next.due_at == at(60));
    let probe = |before, answer| probed(&input(&run, at(60)), &attempt_of(&run), before, answer, &mut rng());
    assert_eq!(ending(&probe(3, Ok(()))), Some((Outcome::Succeeded, None)));
    let cold = probe(0, Err(ProbeError::Status(503)));
    assert!(matches!(&cold.events[..], [RunEvent::CheckFailed { .. }]) && cold.due_at > at(60));
    let dead = probe(7, Err(ProbeError::Status(500)));
    assert_eq!(ending(&dead), Some((Outcome::Failed, Some(Cause::ProbeFailed))));
}
