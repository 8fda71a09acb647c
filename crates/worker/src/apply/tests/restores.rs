//! Restores and drills.

use holdfast_arm::{ProbeError, Progress, Started};
use holdfast_model::{Drill, NewTask, Outcome, Restore, RunState, Task};

use super::super::{Trace, followed, probed, restore_answered, traced};
use super::*;

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
    let app = App {
        id: AppId::new("s", "g", "scratch", None),
        policy: None,
        plan: None,
        databases: Vec::new(),
        paused: false,
    };
    let run = planned();
    NewRun::task(
        run.id,
        &app,
        &run.policy_snapshot,
        NewTask { task, trigger: Trigger::Manual, actor: None },
        at(0),
    )
    .run
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

fn following(run: Run) -> Run {
    let accepted =
        RunEvent::OperationAccepted { operation: "/o/1".into(), accepted_at: at(10), request_id: None };
    moved(begun(run), [accepted])
}

fn follow(run: &Run, now: Timestamp, answer: Result<Progress, Error>) -> Next {
    followed(&sight(run, now), &attempt_of(run), at(10), answer, &mut rng())
}

#[test]
fn an_accepted_restore_is_followed_to_its_end() {
    let run = begun(run(Task::Restore(restore())));
    let started =
        Started { operation: Some("/o/1".into()), request_id: None, retry_after: Some(seconds(15)) };
    let next = restore_answered(&sight(&run, at(10)), &attempt_of(&run), Ok(started), &mut rng());
    assert_eq!(next.due_at, at(25));
    let run = after(&run, &next);
    assert!(matches!(&run.state, RunState::PollingOperation { operation, .. } if operation == "/o/1"));
    let working = follow(&run, at(25), Ok(Progress::UnderWay { retry_after: None }));
    assert!(working.events.is_empty() && working.due_at > at(25));
    assert_eq!(ending(&follow(&run, at(60), Ok(Progress::Done))), Some((Outcome::Succeeded, None)));
    let late = follow(&run, at(10 + 3_600), Ok(Progress::UnderWay { retry_after: None }));
    assert_eq!(ending(&late), Some((Outcome::Failed, Some(Cause::DeadlinePassed))));
}

#[test]
fn a_restore_that_is_done_at_once_needs_no_following() {
    let run = begun(run(Task::Restore(restore())));
    let started = Started { operation: None, request_id: None, retry_after: None };
    let next = restore_answered(&sight(&run, at(10)), &attempt_of(&run), Ok(started), &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

#[test]
fn a_failed_restore_is_tried_again_as_the_policy_says() {
    let run = following(run(Task::Restore(restore())));
    let next = follow(&run, at(60), Ok(Progress::Failed { detail: "sharing violation".into() }));
    assert_pause(&next, at(60), 40);
    let state = after(&run, &next).state;
    assert!(matches!(state, RunState::Waiting { cause: Cause::RestoreFailed, next_attempt: 2, .. }));
}

#[test]
fn an_operation_that_azure_no_longer_tells_of_is_looked_for_by_its_trace() {
    let run = following(run(Task::Restore(restore())));
    let next = follow(&run, at(60), Err(error(ErrorKind::NotFound)));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Reconciling { .. }));
    let trace = Ok(Trace::Restored(Some(at(50))));
    let next = traced(&sight(&run, at(60)), &attempt_of(&run), trace, &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

fn lost(task: Task) -> Run {
    moved(begun(run(task)), [RunEvent::AnswerLost { detail: String::new() }])
}

#[test]
fn a_lost_restore_is_done_only_when_the_backup_was_restored_since() {
    let run = lost(Task::Restore(restore()));
    let look = |run: &Run, now, trace| traced(&sight(run, now), &attempt_of(run), Ok(trace), &mut rng());
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
        let next = traced(&sight(&run, now), &attempt_of(&run), Ok(Trace::Unknowable), &mut rng());
        (run, now, last) = (after(&run, &next), next.due_at, Some(next));
    }
    assert_eq!(ending(&last.unwrap()), Some((Outcome::Exhausted, Some(Cause::AnswerLost))));
}

#[test]
fn a_drill_passes_when_the_app_answers_and_fails_when_it_never_does() {
    let run = following(drill());
    let next = follow(&run, at(60), Ok(Progress::Done));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Verifying { backup: None, .. }) && next.due_at == at(60));
    let probe = |before, answer| probed(&sight(&run, at(60)), &attempt_of(&run), before, answer, &mut rng());
    assert_eq!(ending(&probe(3, Ok(()))), Some((Outcome::Succeeded, None)));
    let cold = probe(0, Err(ProbeError::Status(503)));
    assert!(matches!(&cold.events[..], [RunEvent::CheckFailed { .. }]) && cold.due_at > at(60));
    let dead = probe(7, Err(ProbeError::Status(500)));
    assert_eq!(ending(&dead), Some((Outcome::Failed, Some(Cause::ProbeFailed))));
}
