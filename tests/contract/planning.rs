//! Cursors become runs.

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, NewRun, Outcome, Timestamp};
use holdfast_store::{Cursor, CursorAdvance, Enrolled, Planned, RunFilter};

use crate::bench::{Bench, app, ended, enrolled, policy_snapshot, secs};

on_every_store!(
    the_longest_overdue_cursor_comes_first_with_its_unfinished_runs,
    a_plan_moves_its_cursor_and_adds_its_runs,
    a_plan_of_a_cursor_that_has_moved_is_left_out_whole,
    a_plan_of_a_cursor_that_is_gone_or_edited_is_left_out_whole,
    a_tick_that_has_a_run_adds_none_and_tells_nothing,
    two_plans_of_one_cursor_in_one_call_are_one,
    a_schedule_without_a_further_time_loses_its_cursor,
    many_planners_at_once_make_one_run_of_each_tick,
    a_run_added_twice_is_refused_and_changes_nothing,
);

/// The one cursor that is due, 60 seconds after its enrolment.
async fn due_cursor(bench: &Bench, shop: &App) -> Cursor {
    bench.sync(&[enrolled(shop, Some(("daily", bench.now() + secs(60))))]).await;
    bench.advance(60);
    bench.cursors_due().await.remove(0)
}

fn plan(cursor: &Cursor, through: Timestamp, runs: Vec<NewRun>) -> CursorAdvance {
    CursorAdvance { cursor: cursor.clone(), through, next_at: Some(through + secs(86_400)), runs }
}

async fn all(bench: &Bench) -> Vec<holdfast_model::Run> {
    bench.store.runs(&RunFilter::default()).await.unwrap()
}

async fn the_longest_overdue_cursor_comes_first_with_its_unfinished_runs(bench: &Bench) {
    let (start, names) = (bench.now(), ["c", "a", "b"]);
    let schedule = |n: u64| Some(("daily", start + secs(n)));
    let fleet: Vec<Enrolled> =
        names.iter().zip(1..).map(|(name, n)| enrolled(&app(name), schedule(n))).collect();
    bench.sync(&fleet).await;
    let run = bench.added(&app("a")).await;
    bench.added(&app("a")).await;
    bench.added(&App { policy: None, ..app("a") }).await;
    bench.happen(run.id, vec![ended(Outcome::Failed, None)]).await;
    bench.advance(2);
    let due = bench.cursors_due().await;
    let told: Vec<_> = due.iter().map(|cursor| (cursor.app.site(), cursor.unfinished)).collect();
    assert_eq!(told, [("c", 0), ("a", 1)]);
    assert_eq!(bench.store.cursors_due(1).await.unwrap(), due[..1]);
}

async fn a_plan_moves_its_cursor_and_adds_its_runs(bench: &Bench) {
    let shop = app("shop");
    let cursor = due_cursor(bench, &shop).await;
    let missed = MissedTick { tick: bench.now() - secs(86_400), reason: MissReason::TooLate };
    let missed = NewRun::missed(bench.id(), &shop, &policy_snapshot(), &missed, bench.now());
    let run = bench.scheduled(&shop, bench.now());
    let planned = bench.plan(plan(&cursor, bench.now(), vec![missed.clone(), run.clone()])).await;
    assert_eq!(planned, Planned { runs: 1, missed: 1, conflicts: 0 });
    assert_eq!(bench.cursors_due().await, []);
    for new in [&missed, &run] {
        assert_eq!(bench.read(new.run.id).await, new.run);
        let events = bench.store.events(new.run.id).await.unwrap();
        assert_eq!(events.iter().map(|event| &event.event).collect::<Vec<_>>(), [&new.event]);
    }
    bench.advance(86_400);
    assert_eq!(bench.cursors_due().await[0].through, bench.now() - secs(86_400));
}

async fn a_plan_of_a_cursor_that_has_moved_is_left_out_whole(bench: &Bench) {
    let shop = app("shop");
    let cursor = due_cursor(bench, &shop).await;
    bench.plan(plan(&cursor, bench.now(), vec![])).await;
    let late = plan(&cursor, bench.now(), vec![bench.scheduled(&shop, bench.now())]);
    assert_eq!(bench.plan(late).await, Planned { runs: 0, missed: 0, conflicts: 1 });
    assert_eq!(all(bench).await, []);
}

async fn a_plan_of_a_cursor_that_is_gone_or_edited_is_left_out_whole(bench: &Bench) {
    let shop = app("shop");
    let cursor = due_cursor(bench, &shop).await;
    // Edited at the very time it was considered through: only the fingerprint tells.
    bench.clock.set(cursor.through);
    bench.sync(&[enrolled(&shop, Some(("hourly", cursor.next_at)))]).await;
    let stale = plan(&cursor, cursor.next_at, vec![bench.scheduled(&shop, cursor.next_at)]);
    assert_eq!(bench.plan(stale.clone()).await.conflicts, 1);
    bench.sync(&[]).await;
    assert_eq!(bench.plan(stale).await, Planned { runs: 0, missed: 0, conflicts: 1 });
    assert_eq!(all(bench).await, []);
}

async fn a_tick_that_has_a_run_adds_none_and_tells_nothing(bench: &Bench) {
    let shop = app("shop");
    let tick = bench.now() + secs(60);
    let first = bench.add(bench.scheduled(&shop, tick)).await;
    let cursor = due_cursor(bench, &shop).await;
    let second = bench.scheduled(&shop, tick);
    let planned = bench.plan(plan(&cursor, bench.now(), vec![second.clone()])).await;
    assert_eq!(planned, Planned::default());
    assert_eq!(all(bench).await, [first]);
    assert_eq!(bench.store.events(second.run.id).await.unwrap(), []);
    assert!(bench.store.add_run(&second).await.is_err());
    // The same tick of another app, and of another policy, is another tick.
    bench.add(bench.scheduled(&app("blog"), tick)).await;
    let silver = App { policy: Some(holdfast_model::PolicyName::new("silver")), ..shop };
    bench.add(bench.scheduled(&silver, tick)).await;
    assert_eq!(bench.store.audit(0, 99).await.unwrap().len(), 3);
}

async fn two_plans_of_one_cursor_in_one_call_are_one(bench: &Bench) {
    let shop = app("shop");
    let cursor = due_cursor(bench, &shop).await;
    let twin = || plan(&cursor, bench.now(), vec![bench.scheduled(&shop, bench.now())]);
    let planned = bench.store.plan(&[twin(), twin()]).await.unwrap();
    assert_eq!(planned, Planned { runs: 1, missed: 0, conflicts: 1 });
}

async fn a_schedule_without_a_further_time_loses_its_cursor(bench: &Bench) {
    let shop = app("shop");
    let cursor = due_cursor(bench, &shop).await;
    let last = CursorAdvance {
        next_at: None,
        ..plan(&cursor, bench.now(), vec![bench.scheduled(&shop, bench.now())])
    };
    assert_eq!(bench.plan(last.clone()).await.runs, 1);
    bench.advance(1_000_000);
    assert_eq!(bench.cursors_due().await, []);
    assert_eq!(bench.plan(last).await.conflicts, 1);
}

async fn many_planners_at_once_make_one_run_of_each_tick(bench: &Bench) {
    let apps: Vec<App> = (0..20).map(|n| app(&format!("app{n}"))).collect();
    let fleet: Vec<Enrolled> = apps.iter().map(|app| enrolled(app, Some(("daily", bench.now())))).collect();
    bench.sync(&fleet).await;
    let cursors = bench.cursors_due().await;
    assert_eq!(cursors.len(), 20);
    let mut planners = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let of = |cursor: &Cursor| {
            let app = apps.iter().find(|app| app.id == cursor.app).unwrap();
            plan(cursor, bench.now() + secs(1), vec![bench.scheduled(app, bench.now())])
        };
        let (store, plans) = (bench.store.clone(), cursors.iter().map(of).collect::<Vec<_>>());
        planners.spawn(async move { store.plan(&plans).await.unwrap() });
    }
    let planned = planners.join_all().await;
    assert_eq!(planned.iter().map(|planned| planned.runs).sum::<u64>(), 20);
    assert_eq!(planned.iter().map(|planned| planned.conflicts).sum::<u64>(), 7 * 20);
    assert_eq!(all(bench).await.len(), 20);
}

async fn a_run_added_twice_is_refused_and_changes_nothing(bench: &Bench) {
    let new = bench.manual(&app("shop"));
    let run = bench.add(new.clone()).await;
    bench.happen(run.id, vec![ended(Outcome::Failed, None)]).await;
    assert!(bench.store.add_run(&new).await.is_err());
    assert_eq!(bench.read(run.id).await.version, 2);
    assert_eq!(bench.store.audit(0, 99).await.unwrap().len(), 2);
}
