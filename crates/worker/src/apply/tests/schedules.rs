//! Azure's own schedules.

use holdfast_model::{Outcome, RunState, Task};

use super::super::{schedule_answered, schedule_in_place, schedule_looked};
use super::*;

fn begun() -> Run {
    let app = App {
        id: AppId::new("s", "g", "shop", None),
        policy: None,
        plan: None,
        databases: Vec::new(),
        paused: false,
    };
    let run = planned();
    let task = Task::PushSchedule { schedule: None, databases: Vec::new() };
    let run = NewRun::task(run.id, &app, &run.terms, (task, Trigger::Manual, None), at(0)).run;
    moved(run, [RunEvent::AttemptStarted { attempt: attempt(1), sas: None }])
}

#[test]
fn a_schedule_that_is_as_wanted_needs_no_request_and_one_that_was_set_is_done() {
    let run = begun();
    let set = schedule_answered(&sight(&run, at(10)), &attempt(1), Ok(()), &mut rng());
    for next in [schedule_in_place(&sight(&run, at(10))), set] {
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn a_lost_answer_is_looked_for_before_another_put_fires_another_backup() {
    let lost = Err(error(Verdict::Ambiguous));
    let next = schedule_answered(&sight(&begun(), at(10)), &attempt(1), lost, &mut rng());
    let mut run = after(&begun(), &next);
    let found = schedule_looked(&sight(&run, at(40)), &attempt(1), Ok(true), &mut rng());
    assert_eq!(ending(&found), Some((Outcome::Succeeded, None)));
    let mut now = at(40);
    while matches!(run.state, RunState::Settling { .. }) {
        let next = schedule_looked(&sight(&run, now), &attempt(1), Ok(false), &mut rng());
        (run, now) = (after(&run, &next), next.due_at);
    }
    assert!(now >= at(40) + SETTINGS.settle);
    assert!(matches!(run.state, RunState::Waiting { cause: Cause::AnswerLost, next_attempt: 2, .. }));
}
