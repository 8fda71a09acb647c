//! Native schedules.

use holdfast_arm::ErrorKind;
use holdfast_model::{
    Cause, FrequencyUnit, NativeSchedule, Outcome, RefreshReason, Run, RunEvent, RunState, SasFacts,
    SasRefresh, SasWindow, StorageName, Task, Trigger,
};

use super::desired::{CurrentSchedule, DesiredSchedule, ScheduleChange};
use super::transitions::{answered, reconciled};
use crate::ending::succeeded;
use crate::fixtures::{SETTINGS, after, at, attempt, ending, error, input, moved, rng, run_of};

fn begun() -> Run {
    let task = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    moved(
        run_of("shop", task, Trigger::Manual),
        [RunEvent::AttemptStarted { attempt: attempt(1), sas: None }],
    )
}

fn daily(start: i64) -> NativeSchedule {
    NativeSchedule {
        enabled: true,
        every: 1,
        unit: FrequencyUnit::Day,
        retention_days: 30,
        keep_at_least_one: true,
        start: Some(at(start)),
    }
}

/// A SAS that expires `hours` after the epoch.
fn sas(fingerprint: &str, hours: i64) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(at(hours * 3_600)) };
    SasFacts { fingerprint: fingerprint.to_owned(), window }
}

fn current(schedule: NativeSchedule, sas: Option<SasFacts>) -> CurrentSchedule {
    CurrentSchedule { schedule, sas, is_elsewhere: false }
}

#[test]
fn a_schedule_that_is_as_desired_or_was_set_ends_the_run() {
    let run = begun();
    let set = answered(&input(&run, at(10)), &attempt(1), Ok(()), None, &mut rng());
    for next in [succeeded(&input(&run, at(10)), Vec::new()), set] {
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn a_change_is_what_differs_or_a_sas_that_expires_within_hours() {
    let ours = daily(0);
    let other = NativeSchedule { every: 3, ..daily(0) };
    let desired = DesiredSchedule { schedule: Some(&ours), renews: None };
    let found = |schedule, sas| Some(current(schedule, sas));
    for (found, change) in [
        (None, Some(ScheduleChange::Set(daily(0)))),
        (found(other.clone(), None), Some(ScheduleChange::Set(daily(0)))),
        (found(daily(0), None), None),
        (found(daily(0), Some(sas("a", 100))), None),
        // It continues a day later.
        (found(daily(0), Some(sas("a", 5))), Some(ScheduleChange::Set(daily(86_400)))),
    ] {
        assert_eq!(desired.change(found.as_ref(), at(10)), change, "{found:?}");
    }
    let elsewhere = CurrentSchedule { is_elsewhere: true, ..current(daily(0), Some(sas("a", 100))) };
    assert_eq!(desired.change(Some(&elsewhere), at(10)), Some(ScheduleChange::Set(daily(86_400))));
    assert!(!desired.is_met(Some(&elsewhere), &attempt(1)));
    let nothing = DesiredSchedule { schedule: None, renews: None };
    assert_eq!(nothing.change(None, at(10)), None);
    assert_eq!(nothing.change(found(other, None).as_ref(), at(10)), Some(ScheduleChange::Remove));
}

#[test]
fn a_renewal_changes_no_schedule_that_was_changed_removed_or_given_another_sas() {
    let ours = daily(0);
    let old = sas("old", 100);
    let desired = DesiredSchedule { schedule: Some(&ours), renews: Some(&old) };
    let other = NativeSchedule { enabled: false, ..daily(0) };
    for found in [
        None,
        Some(current(other, Some(old.clone()))),
        Some(current(daily(0), Some(sas("another", 100)))),
        Some(CurrentSchedule { is_elsewhere: true, ..current(daily(0), Some(old.clone())) }),
    ] {
        assert_eq!(desired.change(found.as_ref(), at(10)), None, "{found:?}");
    }
    for found in [Some(old.clone()), Some(sas("another", 29)), None] {
        let found = current(daily(0), found);
        assert_eq!(
            desired.change(Some(&found), at(10)),
            Some(ScheduleChange::Set(daily(86_400))),
            "{found:?}"
        );
    }
}

#[test]
fn a_look_finds_the_attempts_own_sas_or_the_request_counts_as_not_made() {
    let ours = daily(0);
    let old = sas("old", 100);
    let [push, renewal] = [None, Some(&old)].map(|renews| DesiredSchedule { schedule: Some(&ours), renews });
    let sent = attempt(1);
    for (azures, is_pushed, is_renewed) in
        [(Some(sas(&sent.sas, 9)), true, true), (Some(old.clone()), false, false), (None, true, false)]
    {
        let found = current(daily(86_400), azures);
        assert_eq!(push.is_met(Some(&found), &sent), is_pushed, "{found:?}");
        assert_eq!(renewal.is_met(Some(&found), &sent), is_renewed, "{found:?}");
    }
    assert!(!push.is_met(None, &sent));
    assert!(DesiredSchedule { schedule: None, renews: None }.is_met(None, &sent));
}

#[test]
fn a_replaced_sas_is_recorded_in_the_audit() {
    let replaced = SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct.blob.core.windows.net/c".into(),
        reason: RefreshReason::NativeSchedule,
        old: Some(sas("old", 5)),
        new: sas("new", 100),
        backup: None,
    };
    let recorded = RunEvent::SasRefreshed { refresh: replaced.clone() };
    let run = begun();
    let answered = answered(&input(&run, at(10)), &attempt(1), Ok(()), Some(replaced.clone()), &mut rng());
    let looked = reconciled(&input(&run, at(10)), &attempt(1), Ok(true), Some(replaced), &mut rng());
    for next in [answered, looked] {
        assert_eq!(next.events[0], recorded);
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn a_lost_answer_is_looked_for_before_another_put_fires_another_backup() {
    let lost = Err(error(ErrorKind::Ambiguous));
    let next = answered(&input(&begun(), at(10)), &attempt(1), lost, None, &mut rng());
    let mut run = after(&begun(), &next);
    let found = reconciled(&input(&run, at(40)), &attempt(1), Ok(true), None, &mut rng());
    assert_eq!(ending(&found), Some((Outcome::Succeeded, None)));
    let mut now = at(40);
    while matches!(run.state, RunState::Reconciling { .. }) {
        let next = reconciled(&input(&run, now), &attempt(1), Ok(false), None, &mut rng());
        (run, now) = (after(&run, &next), next.due_at);
    }
    assert!(now >= at(40) + SETTINGS.settle);
    assert!(matches!(run.state, RunState::Waiting { cause: Cause::AnswerLost, next_attempt: 2, .. }));
}
