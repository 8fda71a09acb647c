//! How apps stand, and which runs there are.

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, BackupId, Delete, NewRun, Outcome, Run, RunKind, StateCode, Task};
use holdfast_store::{Enrolled, LastRun, RunFilter, Running};

use crate::bench::{Bench, app, app_in, ended, enrolled, facts, policy_snapshot, secs, started};

on_every_store!(
    every_app_is_told_by_name_with_its_next_tick,
    an_app_tells_its_last_run_and_its_latest_good_backup,
    a_missed_tick_is_not_the_last_run,
    a_partial_backup_is_good_only_where_its_terms_say_so,
    an_app_is_past_its_objective_when_its_latest_good_backup_is_too_old,
    an_app_that_was_never_backed_up_is_owed_its_first_within_one_objective,
    an_app_tells_what_its_unfinished_run_is_doing,
    runs_come_newest_first_and_filtered,
    runs_are_told_by_every_mixture_of_app_kind_state_and_whether_they_have_ended,
);

async fn the_one(bench: &Bench) -> holdfast_store::AppStatus {
    let mut all = bench.store.status().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn every_app_is_told_by_name_with_its_next_tick(bench: &Bench) {
    let next = bench.now() + secs(60);
    let fleet = [
        enrolled(&app("b"), Some(("daily", next))),
        enrolled(&app_in("s0", "/p", "z"), None),
        enrolled(&App { policy: None, ..app("a") }, None),
    ];
    bench.sync(&fleet).await;
    let status = bench.store.status().await.unwrap();
    let told: Vec<_> =
        status.iter().map(|app| (app.app.site(), app.next_tick, app.policy.is_some())).collect();
    assert_eq!(told, [("z", None, true), ("a", None, false), ("b", Some(next), true)]);
}

async fn an_app_tells_its_last_run_and_its_latest_good_backup(bench: &Bench) {
    let shop = app("shop");
    bench.sync(&[enrolled(&shop, None)]).await;
    assert_eq!((the_one(bench).await.last, the_one(bench).await.last_good_at), (None, None));
    let accepted_at = bench.now();
    bench.back_up(&shop, 5, 30).await;
    bench.advance(5);
    let failed = bench.added(&shop).await;
    bench.happen(failed.id, vec![ended(Outcome::Failed, None)]).await;
    let status = the_one(bench).await;
    let cause = Some(holdfast_model::Cause::AzureFailed);
    let last = LastRun { run_id: failed.id, outcome: Outcome::Failed, cause, ended_at: bench.now() };
    assert_eq!((status.last, status.last_good_at, status.running), (Some(last), Some(accepted_at), None));
}

async fn a_missed_tick_is_not_the_last_run(bench: &Bench) {
    let shop = app("shop");
    bench.sync(&[enrolled(&shop, None)]).await;
    let good = bench.back_up(&shop, 5, 30).await;
    bench.advance(5);
    let missed = MissedTick { tick: bench.now(), reason: MissReason::Overlap };
    bench.add(NewRun::missed(bench.id(), &shop, &policy_snapshot(), &missed, bench.now())).await;
    assert_eq!(the_one(bench).await.last.unwrap().run_id, good.id);
}

async fn a_partial_backup_is_good_only_where_its_terms_say_so(bench: &Bench) {
    let shop = app("shop");
    bench.sync(&[enrolled(&shop, None)]).await;
    for (partial_is_good, good_at) in [(false, None), (true, Some(bench.now()))] {
        let mut new = bench.manual(&shop);
        new.run.policy_snapshot.partial_is_good = partial_is_good;
        let run = bench.add(new).await;
        let partial = ended(Outcome::Partial, Some(facts(5, bench.now(), bench.now())));
        bench.happen(run.id, vec![partial]).await;
        assert_eq!(the_one(bench).await.last_good_at, good_at);
    }
}

async fn an_app_is_past_its_objective_when_its_latest_good_backup_is_too_old(bench: &Bench) {
    let shop = app("shop");
    bench.sync(&[enrolled(&shop, None)]).await;
    bench.back_up(&shop, 5, 60).await;
    bench.advance(26 * 3_600 - 60);
    assert!(!the_one(bench).await.past_objective);
    bench.advance(1);
    assert!(the_one(bench).await.past_objective);
    bench.sync(&[Enrolled { recovery_point_objective: None, ..enrolled(&shop, None) }]).await;
    assert!(!the_one(bench).await.past_objective);
    bench.sync(&[enrolled(&shop, None)]).await;
    assert!(the_one(bench).await.past_objective);
    bench.sync(&[]).await;
    assert!(!the_one(bench).await.past_objective, "what is not in the fleet is owed nothing");
}

async fn an_app_that_was_never_backed_up_is_owed_its_first_within_one_objective(bench: &Bench) {
    bench.sync(&[enrolled(&app("shop"), None)]).await;
    bench.advance(26 * 3_600);
    assert!(!the_one(bench).await.past_objective);
    bench.advance(1);
    assert!(the_one(bench).await.past_objective);
}

fn backup_is(state: StateCode) -> Running {
    Running { kind: RunKind::Backup, state }
}

async fn an_app_tells_what_its_unfinished_run_is_doing(bench: &Bench) {
    let shop = app("shop");
    bench.sync(&[enrolled(&shop, None)]).await;
    bench.added(&shop).await;
    bench.advance(1);
    let second = bench.added(&shop).await;
    assert_eq!(the_one(bench).await.running, Some(backup_is(StateCode::Planned)));
    bench.happen(second.id, vec![started(&second, bench.now())]).await;
    assert_eq!(the_one(bench).await.running, Some(backup_is(StateCode::Starting)));
}

async fn runs_come_newest_first_and_filtered(bench: &Bench) {
    let mut ids = Vec::new();
    for name in ["a", "b", "a", "b"] {
        ids.push(bench.added(&app(name)).await.id);
        bench.advance(1);
    }
    bench.happen(ids[0], vec![ended(Outcome::Failed, None)]).await;
    let runs = async |filter: RunFilter| -> Vec<usize> {
        let runs = bench.store.runs(&filter).await.unwrap();
        runs.iter().map(|run| ids.iter().position(|id| *id == run.id).unwrap()).collect()
    };
    let of_a = RunFilter { app: Some(app("a").id), ..RunFilter::default() };
    assert_eq!(runs(RunFilter::default()).await, [3, 2, 1, 0]);
    assert_eq!(runs(RunFilter { most: 2, ..RunFilter::default() }).await, [3, 2]);
    assert_eq!(runs(of_a.clone()).await, [2, 0]);
    assert_eq!(runs(RunFilter { state: Some(StateCode::Planned), ..of_a }).await, [2]);
    assert_eq!(runs(RunFilter { state: Some(StateCode::Ended), ..RunFilter::default() }).await, [0]);
}

async fn runs_are_told_by_every_mixture_of_app_kind_state_and_whether_they_have_ended(bench: &Bench) {
    let mut all = Vec::new();
    for n in 0..12 {
        let of = app(["a", "b"][n % 2]);
        let delete = Delete { backup: BackupId(n.try_into().unwrap()), blob: "b".into(), allow_last: true };
        let run = match n % 3 {
            0 => bench.asked(&of, Task::Delete(delete)).await,
            _ => bench.added(&of).await,
        };
        let over = ended(Outcome::Failed, None);
        all.insert(0, if n < 6 { bench.happen(run.id, vec![over]).await } else { run });
        bench.advance(1);
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
            let filter = RunFilter { app: of.clone(), state, kind, unfinished, most };
            assert_eq!(bench.store.runs(&filter).await.unwrap(), expected, "{filter:?}");
        }
    }
}
