//! Native schedules.

use holdfast_arm::{Error, ErrorKind};
use holdfast_model::{
    Cause, NativeSchedule, Outcome, RefreshReason, Run, RunEvent, RunState, SasFacts, SasRefresh, SasWindow,
    StorageName, Task, Trigger,
};

use super::desired::{CurrentSchedule, DesiredSchedule, ScheduleDecision};
use super::transitions::{ReadBack, answered, read_back, reconciled};
use crate::fixtures::{SETTINGS, after, at, attempt, ending, error, input, moved, rng, run_of};
use crate::next::Next;

fn begun() -> Run {
    let task = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    moved(
        run_of("shop", task, Trigger::Manual),
        [RunEvent::AttemptStarted { attempt: attempt(1), sas: None }],
    )
}

fn daily(start: i64) -> NativeSchedule {
    NativeSchedule { start: Some(at(start)), ..NativeSchedule::days(1) }
}

/// A SAS that expires `hours` after the epoch.
fn sas(fingerprint: &str, hours: i64) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(at(hours * 3_600)) };
    SasFacts { fingerprint: fingerprint.to_owned(), window }
}

fn current(schedule: NativeSchedule, sas: Option<SasFacts>) -> CurrentSchedule {
    CurrentSchedule { schedule, sas, is_elsewhere: false }
}

fn read(run: &Run, now: i64, differences: Result<Vec<String>, Error>, checks: u32) -> Next {
    let read = ReadBack { differences, checks, refresh: None };
    read_back(&input(run, at(now)), &attempt(1), read, &mut rng())
}

#[test]
fn a_200_is_believed_only_when_the_schedule_is_read_back_as_sent() {
    let run = begun();
    let accepted = answered(&input(&run, at(10)), &attempt(1), Ok(()), &mut rng());
    let run = after(&run, &accepted);
    assert!(matches!(run.state, RunState::Verifying { .. }) && accepted.due_at == at(10));
    assert_eq!(ending(&read(&run, 10, Ok(Vec::new()), 0)), Some((Outcome::Succeeded, None)));

    let differs = || Ok(vec!["frequency is 1 Day and should be 7 Day".to_owned()]);
    let again = read(&run, 10, differs(), 0);
    assert!(matches!(again.events[..], [RunEvent::CheckFailed { .. }]) && again.due_at > at(10));
    let not_taken = read(&run, 10, differs(), 4);
    assert_eq!(ending(&not_taken), Some((Outcome::Failed, Some(Cause::ScheduleNotTaken))));
    let RunEvent::AttemptEnded { detail, .. } = &not_taken.events[1] else { panic!("{not_taken:?}") };
    assert!(detail.contains("should be 7 Day"), "{detail}");

    let unread = || Err(error(ErrorKind::Forbidden));
    assert_eq!(ending(&read(&run, 10, unread(), 10)), None);
    let never = read(&run, 10, unread(), 11);
    assert_eq!(ending(&never), Some((Outcome::Exhausted, Some(Cause::Unreachable))));
}

#[test]
fn what_is_read_back_is_compared_in_its_settings_its_container_and_its_sas() {
    let ours = daily(0);
    let sent = attempt(1);
    let desired = DesiredSchedule { schedule: Some(&ours), renews: None };
    let found = |schedule, sas| current(schedule, sas);
    let taken = found(daily(86_400), Some(sas(&sent.sas, 9)));
    assert_eq!(desired.differences(Some(&taken), &sent), Vec::<String>::new());
    assert_eq!(desired.differences(Some(&found(daily(0), None)), &sent), Vec::<String>::new());
    for other in [
        None,
        Some(found(NativeSchedule { every: 3, ..daily(0) }, None)),
        Some(found(daily(3_600), None)),
        Some(found(daily(0), Some(sas("another", 9)))),
        Some(CurrentSchedule { is_elsewhere: true, ..taken.clone() }),
    ] {
        assert_eq!(desired.differences(other.as_ref(), &sent).len(), 1, "{other:?}");
    }
    let nothing = DesiredSchedule { schedule: None, renews: None };
    assert_eq!(nothing.differences(None, &sent), Vec::<String>::new());
    assert_eq!(nothing.differences(Some(&taken), &sent).len(), 1);
}

#[test]
fn a_change_is_what_differs_or_a_sas_that_expires_within_hours() {
    let ours = daily(0);
    let other = NativeSchedule { every: 3, ..daily(0) };
    let desired = DesiredSchedule { schedule: Some(&ours), renews: None };
    let found = |schedule, sas| Some(current(schedule, sas));
    for (found, change) in [
        (None, ScheduleDecision::Set(daily(0))),
        (found(other.clone(), None), ScheduleDecision::Set(daily(0))),
        (found(daily(0), None), ScheduleDecision::Keep),
        (found(daily(0), Some(sas("a", 100))), ScheduleDecision::Keep),
        // It continues a day later.
        (found(daily(0), Some(sas("a", 5))), ScheduleDecision::Set(daily(86_400))),
    ] {
        assert_eq!(desired.decision(found.as_ref(), at(10)), change, "{found:?}");
    }
    let elsewhere = CurrentSchedule { is_elsewhere: true, ..current(daily(0), Some(sas("a", 100))) };
    assert_eq!(desired.decision(Some(&elsewhere), at(10)), ScheduleDecision::Set(daily(86_400)));
    assert!(!desired.is_met(Some(&elsewhere), &attempt(1)));
    let nothing = DesiredSchedule { schedule: None, renews: None };
    assert_eq!(nothing.decision(None, at(10)), ScheduleDecision::Keep);
    assert_eq!(nothing.decision(found(other, None).as_ref(), at(10)), ScheduleDecision::Remove);
}

#[test]
fn a_renewal_leaves_a_schedule_undone_that_was_changed_or_removed_and_says_why() {
    let ours = daily(0);
    let old = sas("old", 100);
    let desired = DesiredSchedule { schedule: Some(&ours), renews: Some(&old) };
    let disabled = NativeSchedule { enabled: false, ..daily(0) };
    for (found, why) in [
        (None, "no native schedule"),
        (Some(current(disabled, Some(old.clone()))), "enabled is false and should be true"),
        (
            Some(CurrentSchedule { is_elsewhere: true, ..current(daily(0), Some(old.clone())) }),
            "another container",
        ),
    ] {
        let decision = desired.decision(found.as_ref(), at(10));
        assert!(
            matches!(&decision, ScheduleDecision::LeaveUndone(told) if told.contains(why)),
            "{decision:?}"
        );
    }
}

#[test]
fn a_renewal_replaces_the_sas_of_an_unchanged_schedule_whatever_start_azure_tells() {
    let ours = daily(0);
    let old = sas("old", 100);
    let desired = DesiredSchedule { schedule: Some(&ours), renews: Some(&old) };
    let renewed_elsewhere = current(daily(0), Some(sas("another", 100)));
    assert_eq!(desired.decision(Some(&renewed_elsewhere), at(10)), ScheduleDecision::Keep);
    for (start, next_start) in [(0, 86_400), (7_200, 7_200)] {
        for found in [Some(old.clone()), Some(sas("another", 29)), None] {
            let found = current(daily(start), found);
            assert_eq!(
                desired.decision(Some(&found), at(10)),
                ScheduleDecision::Set(daily(next_start)),
                "{found:?}"
            );
        }
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
    let read = ReadBack { differences: Ok(Vec::new()), checks: 0, refresh: Some(replaced.clone()) };
    let read = read_back(&input(&run, at(10)), &attempt(1), read, &mut rng());
    let looked = reconciled(&input(&run, at(10)), &attempt(1), Ok(true), Some(replaced), &mut rng());
    for next in [read, looked] {
        assert_eq!(next.events[0], recorded);
        assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
    }
}

#[test]
fn a_lost_answer_is_looked_for_before_another_put_fires_another_backup() {
    let lost = Err(error(ErrorKind::Ambiguous).into());
    let next = answered(&input(&begun(), at(10)), &attempt(1), lost, &mut rng());
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
