//! Azure's own schedules.

use holdfast_model::{
    FrequencyUnit, NativeSchedule, NewTask, Outcome, RefreshReason, RunState, SasFacts, SasRefresh,
    SasWindow, StorageName, Task,
};

use super::super::{Change, Standing, Wanted, schedule_answered, schedule_in_place, schedule_looked};
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
    let task = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    let run = NewRun::task(
        run.id,
        &app,
        &run.policy_snapshot,
        NewTask { task, trigger: Trigger::Manual, actor: None },
        at(0),
    )
    .run;
    moved(run, [RunEvent::AttemptStarted { attempt: attempt(1), sas: None }])
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

/// A SAS that lapses so many hours after the first second.
fn sas(fingerprint: &str, hours: i64) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(at(hours * 3_600)) };
    SasFacts { fingerprint: fingerprint.to_owned(), window }
}

fn standing(schedule: NativeSchedule, sas: Option<SasFacts>) -> Standing {
    Standing { schedule, sas, is_elsewhere: false }
}

#[test]
fn a_schedule_that_is_as_wanted_needs_no_request_and_one_that_was_set_is_done() {
    let run = begun();
    let set = schedule_answered(&sight(&run, at(10)), &attempt(1), (Ok(()), None), &mut rng());
    for next in [schedule_in_place(&sight(&run, at(10))), set] {
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn what_is_asked_for_is_what_differs_and_a_sas_that_lapses_within_hours() {
    let ours = daily(0);
    let other = NativeSchedule { every: 3, ..daily(0) };
    let wanted = Wanted { schedule: Some(&ours), renews: None };
    let found = |schedule, sas| Some(standing(schedule, sas));
    for (found, change) in [
        (None, Some(Change::Set(daily(0)))),
        (found(other.clone(), None), Some(Change::Set(daily(0)))),
        (found(daily(0), None), None),
        (found(daily(0), Some(sas("a", 100))), None),
        // It goes on with the day after the one that is past.
        (found(daily(0), Some(sas("a", 5))), Some(Change::Set(daily(86_400)))),
    ] {
        assert_eq!(wanted.change(found.as_ref(), at(10)), change, "{found:?}");
    }
    let elsewhere = Standing { is_elsewhere: true, ..standing(daily(0), Some(sas("a", 100))) };
    assert_eq!(wanted.change(Some(&elsewhere), at(10)), Some(Change::Set(daily(86_400))));
    assert!(!wanted.is_met(Some(&elsewhere), &attempt(1)));
    let nothing = Wanted { schedule: None, renews: None };
    assert_eq!(nothing.change(None, at(10)), None);
    assert_eq!(nothing.change(found(other, None).as_ref(), at(10)), Some(Change::Remove));
}

#[test]
fn a_renewal_touches_no_schedule_that_somebody_changed_took_away_or_gave_another_sas() {
    let ours = daily(0);
    let old = sas("old", 100);
    let wanted = Wanted { schedule: Some(&ours), renews: Some(&old) };
    let other = NativeSchedule { enabled: false, ..daily(0) };
    for found in [
        None,
        Some(standing(other, Some(old.clone()))),
        Some(standing(daily(0), Some(sas("somebody's", 100)))),
        Some(Standing { is_elsewhere: true, ..standing(daily(0), Some(old.clone())) }),
    ] {
        assert_eq!(wanted.change(found.as_ref(), at(10)), None, "{found:?}");
    }
    for found in [Some(old.clone()), Some(sas("somebody's", 29)), None] {
        let found = standing(daily(0), found);
        assert_eq!(wanted.change(Some(&found), at(10)), Some(Change::Set(daily(86_400))), "{found:?}");
    }
}

#[test]
fn a_look_finds_the_attempts_own_sas_or_the_request_counts_as_not_made() {
    let ours = daily(0);
    let old = sas("old", 100);
    let [push, renewal] = [None, Some(&old)].map(|renews| Wanted { schedule: Some(&ours), renews });
    let sent = attempt(1);
    for (azures, is_pushed, is_renewed) in
        [(Some(sas(&sent.sas, 9)), true, true), (Some(old.clone()), false, false), (None, true, false)]
    {
        let found = standing(daily(86_400), azures);
        assert_eq!(push.is_met(Some(&found), &sent), is_pushed, "{found:?}");
        assert_eq!(renewal.is_met(Some(&found), &sent), is_renewed, "{found:?}");
    }
    assert!(!push.is_met(None, &sent));
    assert!(Wanted { schedule: None, renews: None }.is_met(None, &sent));
}

#[test]
fn a_sas_that_was_replaced_is_a_row_of_the_audit() {
    let replaced = SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct.blob.core.windows.net/c".into(),
        reason: RefreshReason::NativeSchedule,
        old: Some(sas("old", 5)),
        new: sas("new", 100),
        backup: None,
    };
    let told = RunEvent::SasRefreshed { refresh: replaced.clone() };
    let run = begun();
    let answered =
        schedule_answered(&sight(&run, at(10)), &attempt(1), (Ok(()), Some(replaced.clone())), &mut rng());
    let looked = schedule_looked(&sight(&run, at(10)), &attempt(1), (Ok(true), Some(replaced)), &mut rng());
    for next in [answered, looked] {
        assert_eq!(next.events[0], told);
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn a_lost_answer_is_looked_for_before_another_put_fires_another_backup() {
    let lost = (Err(error(ErrorKind::Ambiguous)), None);
    let next = schedule_answered(&sight(&begun(), at(10)), &attempt(1), lost, &mut rng());
    let mut run = after(&begun(), &next);
    let found = schedule_looked(&sight(&run, at(40)), &attempt(1), (Ok(true), None), &mut rng());
    assert_eq!(ending(&found), Some((Outcome::Succeeded, None)));
    let mut now = at(40);
    while matches!(run.state, RunState::Reconciling { .. }) {
        let next = schedule_looked(&sight(&run, now), &attempt(1), (Ok(false), None), &mut rng());
        (run, now) = (after(&run, &next), next.due_at);
    }
    assert!(now >= at(40) + SETTINGS.settle);
    assert!(matches!(run.state, RunState::Waiting { cause: Cause::AnswerLost, next_attempt: 2, .. }));
}
