//! The status of apps, and filters of runs.

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{
    App, BackupId, Cause, Delete, NewRun, Outcome, Run, RunEvent, RunKind, StateCode, Task,
};
use holdfast_store::{Change, Enrolled, LastRun, Missed, RunFilter, Running};

use crate::fixture::{StoreFixture, app, app_in, ended, enrolled, facts, policy_snapshot, secs, started};

on_every_store!(
    every_app_is_listed_by_name_with_its_next_tick,
    an_app_tells_its_last_run_and_its_latest_good_backup,
    a_missed_tick_is_not_the_last_run,
    a_partial_backup_is_good_only_where_its_terms_say_so,
    an_app_is_past_its_objective_when_its_latest_good_backup_is_too_old,
    an_app_that_was_never_backed_up_is_owed_its_first_within_one_objective,
    an_app_tells_what_its_unfinished_run_is_doing,
    an_app_tells_why_its_run_waits_and_until_when,
    an_app_tells_its_latest_missed_tick,
    runs_come_newest_first_and_filtered,
    runs_are_told_by_every_mixture_of_app_kind_state_and_whether_they_have_ended,
);

async fn the_one(fixture: &StoreFixture) -> holdfast_store::AppStatus {
    let mut all = fixture.store.status().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn every_app_is_listed_by_name_with_its_next_tick(fixture: &StoreFixture) {
    let next = fixture.now() + secs(60);
    let fleet = [
        enrolled(&app("b"), Some(("daily", next))),
        enrolled(&app_in("s0", "/p", "z"), None),
        enrolled(&App { policy: None, ..app("a") }, None),
    ];
    fixture.sync(&fleet).await;
    let status = fixture.store.status().await.unwrap();
    let listed: Vec<_> =
        status.iter().map(|app| (app.app.site(), app.next_tick, app.policy.is_some())).collect();
    assert_eq!(listed, [("z", None, true), ("a", None, false), ("b", Some(next), true)]);
}

async fn an_app_tells_its_last_run_and_its_latest_good_backup(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    assert_eq!((the_one(fixture).await.last, the_one(fixture).await.last_good_at), (None, None));
    let accepted_at = fixture.now();
    fixture.complete_backup(&shop, 5, 30).await;
    fixture.advance(5);
    let failed = fixture.add_manual(&shop).await;
    fixture.commit_events(failed.id, vec![ended(Outcome::Failed, None)]).await;
    let status = the_one(fixture).await;
    let cause = Some(holdfast_model::Cause::AzureFailed);
    let (run_id, outcome, ended_at) = (failed.id, Outcome::Failed, fixture.now());
    let last = LastRun { run_id, outcome, cause, verification: None, ended_at };
    assert_eq!((status.last, status.last_good_at, status.running), (Some(last), Some(accepted_at), None));
}

async fn a_missed_tick_is_not_the_last_run(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    let good = fixture.complete_backup(&shop, 5, 30).await;
    fixture.advance(5);
    let missed = MissedTick { tick: fixture.now(), reason: MissReason::Overlap };
    fixture.add(NewRun::missed(fixture.id(), &shop, &policy_snapshot(), &missed, fixture.now())).await;
    assert_eq!(the_one(fixture).await.last.unwrap().run_id, good.id);
}

async fn a_partial_backup_is_good_only_where_its_terms_say_so(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    for (partial_is_good, good_at) in [(false, None), (true, Some(fixture.now()))] {
        let mut new = fixture.manual(&shop);
        new.run.policy_snapshot.partial_is_good = partial_is_good;
        let run = fixture.add(new).await;
        let partial = ended(Outcome::Partial, Some(facts(5, fixture.now(), fixture.now())));
        fixture.commit_events(run.id, vec![partial]).await;
        assert_eq!(the_one(fixture).await.last_good_at, good_at);
    }
}

async fn an_app_is_past_its_objective_when_its_latest_good_backup_is_too_old(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    fixture.complete_backup(&shop, 5, 60).await;
    fixture.advance(26 * 3_600 - 60);
    assert!(!the_one(fixture).await.past_objective);
    fixture.advance(1);
    assert!(the_one(fixture).await.past_objective);
    fixture.sync(&[Enrolled { recovery_point_objective: None, ..enrolled(&shop, None) }]).await;
    assert!(!the_one(fixture).await.past_objective);
    fixture.sync(&[enrolled(&shop, None)]).await;
    assert!(the_one(fixture).await.past_objective);
    fixture.depart(&shop, fixture.now()).await;
    assert!(!the_one(fixture).await.past_objective, "an app outside the fleet has no objective");
}

async fn an_app_that_was_never_backed_up_is_owed_its_first_within_one_objective(fixture: &StoreFixture) {
    fixture.sync(&[enrolled(&app("shop"), None)]).await;
    fixture.advance(26 * 3_600);
    assert!(!the_one(fixture).await.past_objective);
    fixture.advance(1);
    assert!(the_one(fixture).await.past_objective);
}

fn backup_is(state: StateCode, run: &Run) -> Running {
    let (run_id, since, next_try) = (run.id, run.created_at, run.due_at);
    Running { run_id, kind: RunKind::Backup, state, cause: None, since, next_try }
}

async fn an_app_tells_what_its_unfinished_run_is_doing(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    let first = fixture.add_manual(&shop).await;
    fixture.advance(1);
    let second = fixture.add_manual(&shop).await;
    assert_eq!(the_one(fixture).await.running, Some(backup_is(StateCode::Planned, &first)));
    let second = fixture.commit_events(second.id, vec![started(&second, fixture.now())]).await;
    assert_eq!(the_one(fixture).await.running, Some(backup_is(StateCode::Starting, &second)));
}

async fn an_app_tells_why_its_run_waits_and_until_when(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    let run = fixture.add_manual(&shop).await;
    fixture.advance(5);
    let until = fixture.now() + secs(300);
    let deferred = RunEvent::Deferred { cause: Cause::Throttled, detail: "429".into(), until };
    let after = run.clone().after(&deferred, fixture.now()).unwrap();
    let change = Change {
        from: run.version,
        run: Run { due_at: until, ..after },
        events: vec![deferred],
        at: fixture.now(),
    };
    fixture.store.commit(&change).await.unwrap();
    let expected =
        Running { cause: Some(Cause::Throttled), next_try: until, ..backup_is(StateCode::Waiting, &run) };
    assert_eq!(the_one(fixture).await.running, Some(expected));
}

async fn an_app_tells_its_latest_missed_tick(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    assert_eq!(the_one(fixture).await.missed, None);
    let mut latest = None;
    for (seconds, reason) in
        [(50, MissReason::TooLate), (90, MissReason::Overlap), (70, MissReason::Superseded)]
    {
        let missed = MissedTick { tick: fixture.now() + secs(seconds), reason };
        let new = NewRun::missed(fixture.id(), &shop, &policy_snapshot(), &missed, fixture.now());
        let run = fixture.add(new).await;
        if reason == MissReason::Overlap {
            latest = Some(Missed { run_id: run.id, tick: missed.tick, cause: Some(Cause::Overlap) });
        }
    }
    assert_eq!(the_one(fixture).await.missed, latest);
}

async fn runs_come_newest_first_and_filtered(fixture: &StoreFixture) {
    let mut ids = Vec::new();
    for name in ["a", "b", "a", "b"] {
        ids.push(fixture.add_manual(&app(name)).await.id);
        fixture.advance(1);
    }
    fixture.commit_events(ids[0], vec![ended(Outcome::Failed, None)]).await;
    let runs = async |filter: RunFilter| -> Vec<usize> {
        let runs = fixture.store.runs(&filter).await.unwrap();
        runs.iter().map(|run| ids.iter().position(|id| *id == run.id).unwrap()).collect()
    };
    let of_a = RunFilter { app: Some(app("a").id), ..RunFilter::default() };
    assert_eq!(runs(RunFilter::default()).await, [3, 2, 1, 0]);
    assert_eq!(runs(RunFilter { most: 2, ..RunFilter::default() }).await, [3, 2]);
    assert_eq!(runs(of_a.clone()).await, [2, 0]);
    assert_eq!(runs(RunFilter { state: Some(StateCode::Planned), ..of_a }).await, [2]);
    assert_eq!(runs(RunFilter { state: Some(StateCode::Ended), ..RunFilter::default() }).await, [0]);
}

async fn runs_are_told_by_every_mixture_of_app_kind_state_and_whether_they_have_ended(
    fixture: &StoreFixture,
) {
    let mut all = Vec::new();
    for n in 0..12 {
        let of = app(["a", "b"][n % 2]);
        let delete = Delete {
            backup: BackupId(n.try_into().unwrap()),
            blob: "b".into(),
            allow_last: true,
            rule: None,
        };
        let run = match n % 3 {
            0 => fixture.add_task(&of, Task::Delete(delete)).await,
            _ => fixture.add_manual(&of).await,
        };
        let over = ended(Outcome::Failed, None);
        all.insert(0, if n < 6 { fixture.commit_events(run.id, vec![over]).await } else { run });
        fixture.advance(1);
    }
    let kinds = [None, Some(RunKind::Backup), Some(RunKind::Delete), Some(RunKind::OperatorAction)];
    let states = [None, Some(StateCode::Planned), Some(StateCode::Ended)];
    for (kind, state) in kinds.into_iter().flat_map(|kind| states.map(|state| (kind, state))) {
        for (of, unfinished, most) in [None, Some(app("a").id)].into_iter().flat_map(|of| {
            [(false, 0), (true, 0), (false, 2), (true, 1)].map(|(un, most)| (of.clone(), un, most))
        }) {
            let asked = |run: &&Run| {
                of.as_ref().is_none_or(|of| *of == run.app)
                    && kind.is_none_or(|kind| kind == run.task.kind())
                    && state.is_none_or(|state| state == run.state.code())
                    && !(unfinished && run.state.is_ended())
            };
            let expected = all.iter().filter(asked).take(if most == 0 { 99 } else { most as usize });
            let expected: Vec<Run> = expected.cloned().collect();
            let filter = RunFilter { app: of.clone(), state, kind, unfinished, most, ..RunFilter::default() };
            assert_eq!(fixture.store.runs(&filter).await.unwrap(), expected, "{filter:?}");
        }
    }
}
