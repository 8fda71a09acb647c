//! Planning: cursors that are due become runs.

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, NewRun, Outcome, RunEvent, Timestamp};
use holdfast_store::{Cursor, CursorAdvance, Enrolled, Planned, RunFilter};

use crate::fixture::{StoreFixture, accepted, app, ended, enrolled, facts, policy_snapshot, secs, started};

on_every_store!(
    the_longest_overdue_cursor_comes_first_with_its_unfinished_runs,
    a_backup_that_azure_finished_and_that_is_verified_does_not_count_as_unfinished,
    a_plan_moves_its_cursor_and_adds_its_runs,
    a_plan_of_a_cursor_that_has_moved_is_left_out_whole,
    a_plan_of_a_cursor_that_is_gone_or_edited_is_left_out_whole,
    a_tick_that_has_a_run_adds_none_and_tells_nothing,
    two_plans_of_one_cursor_in_one_call_are_one,
    a_schedule_without_a_further_time_loses_its_cursor,
    many_planners_at_once_make_one_run_of_each_tick,
    a_run_added_twice_is_refused_and_changes_nothing,
);

/// The only due cursor, 60 seconds after its enrolment.
async fn due_cursor(fixture: &StoreFixture, shop: &App) -> Cursor {
    fixture.sync(&[enrolled(shop, Some(("daily", fixture.now() + secs(60))))]).await;
    fixture.advance(60);
    fixture.cursors_due().await.remove(0)
}

fn plan(cursor: &Cursor, through: Timestamp, runs: Vec<NewRun>) -> CursorAdvance {
    CursorAdvance { cursor: cursor.clone(), through, next_at: Some(through + secs(86_400)), runs }
}

async fn all(fixture: &StoreFixture) -> Vec<holdfast_model::Run> {
    let kind = Some(holdfast_model::RunKind::Backup);
    fixture.store.runs(&RunFilter { kind, ..RunFilter::default() }).await.unwrap()
}

async fn the_longest_overdue_cursor_comes_first_with_its_unfinished_runs(fixture: &StoreFixture) {
    let (start, names) = (fixture.now(), ["c", "a", "b"]);
    let schedule = |n: u64| Some(("daily", start + secs(n)));
    let fleet: Vec<Enrolled> =
        names.iter().zip(1..).map(|(name, n)| enrolled(&app(name), schedule(n))).collect();
    fixture.sync(&fleet).await;
    let run = fixture.add_manual(&app("a")).await;
    fixture.add_manual(&app("a")).await;
    fixture.add_manual(&App { policy: None, ..app("a") }).await;
    fixture.commit_events(run.id, vec![ended(Outcome::Failed, None)]).await;
    fixture.advance(2);
    let due = fixture.cursors_due().await;
    let listed: Vec<_> = due.iter().map(|cursor| (cursor.app.site(), cursor.unfinished)).collect();
    assert_eq!(listed, [("c", 0), ("a", 1)]);
    assert_eq!(fixture.store.cursors_due(None, 1).await.unwrap(), due[..1]);
    assert_eq!(fixture.store.cursors_due(Some(&due[0]), 10).await.unwrap(), due[1..]);
}

async fn a_backup_that_azure_finished_and_that_is_verified_does_not_count_as_unfinished(
    fixture: &StoreFixture,
) {
    let shop = app("shop");
    due_cursor(fixture, &shop).await;
    let run = fixture.add_manual(&shop).await;
    let now = fixture.now();
    fixture.commit_events(run.id, vec![started(&run, now), accepted(now)]).await;
    assert_eq!(fixture.cursors_due().await[0].unfinished, 1);
    let completed = RunEvent::Completed { backup: Some(facts(5, now, now)), detail: None };
    fixture.commit_events(run.id, vec![completed]).await;
    assert_eq!(fixture.cursors_due().await[0].unfinished, 0);
}

async fn a_plan_moves_its_cursor_and_adds_its_runs(fixture: &StoreFixture) {
    let shop = app("shop");
    let cursor = due_cursor(fixture, &shop).await;
    let missed = MissedTick { tick: fixture.now() - secs(86_400), reason: MissReason::TooLate };
    let missed = NewRun::missed(fixture.id(), &shop, &policy_snapshot(), &missed, fixture.now());
    let run = fixture.scheduled(&shop, fixture.now());
    let planned = fixture.plan(plan(&cursor, fixture.now(), vec![missed.clone(), run.clone()])).await;
    assert_eq!(planned, Planned { runs: 1, missed: 1, conflicts: 0 });
    assert_eq!(fixture.cursors_due().await, []);
    for new in [&missed, &run] {
        assert_eq!(fixture.read(new.run.id).await, new.run);
        let events = fixture.store.events(new.run.id).await.unwrap();
        assert_eq!(events.iter().map(|event| &event.event).collect::<Vec<_>>(), [&new.event]);
    }
    fixture.advance(86_400);
    assert_eq!(fixture.cursors_due().await[0].through, fixture.now() - secs(86_400));
}

async fn a_plan_of_a_cursor_that_has_moved_is_left_out_whole(fixture: &StoreFixture) {
    let shop = app("shop");
    let cursor = due_cursor(fixture, &shop).await;
    fixture.plan(plan(&cursor, fixture.now(), vec![])).await;
    let late = plan(&cursor, fixture.now(), vec![fixture.scheduled(&shop, fixture.now())]);
    assert_eq!(fixture.plan(late).await, Planned { runs: 0, missed: 0, conflicts: 1 });
    assert_eq!(all(fixture).await, []);
}

async fn a_plan_of_a_cursor_that_is_gone_or_edited_is_left_out_whole(fixture: &StoreFixture) {
    let shop = app("shop");
    let cursor = due_cursor(fixture, &shop).await;
    // The schedule changed at exactly `through`, so only the fingerprint differs.
    fixture.clock.set(cursor.through);
    fixture.sync(&[enrolled(&shop, Some(("hourly", cursor.next_at)))]).await;
    let stale = plan(&cursor, cursor.next_at, vec![fixture.scheduled(&shop, cursor.next_at)]);
    assert_eq!(fixture.plan(stale.clone()).await.conflicts, 1);
    fixture.sync(&[]).await;
    assert_eq!(fixture.plan(stale).await, Planned { runs: 0, missed: 0, conflicts: 1 });
    assert_eq!(all(fixture).await, []);
}

async fn a_tick_that_has_a_run_adds_none_and_tells_nothing(fixture: &StoreFixture) {
    let shop = app("shop");
    let tick = fixture.now() + secs(60);
    let first = fixture.add(fixture.scheduled(&shop, tick)).await;
    let cursor = due_cursor(fixture, &shop).await;
    let second = fixture.scheduled(&shop, tick);
    let planned = fixture.plan(plan(&cursor, fixture.now(), vec![second.clone()])).await;
    assert_eq!(planned, Planned::default());
    assert_eq!(all(fixture).await, [first]);
    assert_eq!(fixture.store.events(second.run.id).await.unwrap(), []);
    assert!(fixture.store.add_run(&second).await.is_err());
    // Equal ticks of different apps or policies do not conflict.
    fixture.add(fixture.scheduled(&app("blog"), tick)).await;
    let silver = App { policy: Some(holdfast_model::PolicyName::new("silver")), ..shop };
    fixture.add(fixture.scheduled(&silver, tick)).await;
    assert_eq!(fixture.store.audit(0, 99).await.unwrap().len(), 4, "with the enrolment");
}

async fn two_plans_of_one_cursor_in_one_call_are_one(fixture: &StoreFixture) {
    let shop = app("shop");
    let cursor = due_cursor(fixture, &shop).await;
    let twin = || plan(&cursor, fixture.now(), vec![fixture.scheduled(&shop, fixture.now())]);
    let planned = fixture.store.plan(&[twin(), twin()]).await.unwrap();
    assert_eq!(planned, Planned { runs: 1, missed: 0, conflicts: 1 });
}

async fn a_schedule_without_a_further_time_loses_its_cursor(fixture: &StoreFixture) {
    let shop = app("shop");
    let cursor = due_cursor(fixture, &shop).await;
    let last = CursorAdvance {
        next_at: None,
        ..plan(&cursor, fixture.now(), vec![fixture.scheduled(&shop, fixture.now())])
    };
    assert_eq!(fixture.plan(last.clone()).await.runs, 1);
    fixture.advance(1_000_000);
    assert_eq!(fixture.cursors_due().await, []);
    assert_eq!(fixture.plan(last).await.conflicts, 1);
}

async fn many_planners_at_once_make_one_run_of_each_tick(fixture: &StoreFixture) {
    let apps: Vec<App> = (0..20).map(|n| app(&format!("app{n}"))).collect();
    let fleet: Vec<Enrolled> = apps.iter().map(|app| enrolled(app, Some(("daily", fixture.now())))).collect();
    fixture.sync(&fleet).await;
    let cursors = fixture.cursors_due().await;
    assert_eq!(cursors.len(), 20);
    let mut planners = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let of = |cursor: &Cursor| {
            let app = apps.iter().find(|app| app.id == cursor.app).unwrap();
            plan(cursor, fixture.now() + secs(1), vec![fixture.scheduled(app, fixture.now())])
        };
        let (store, plans) = (fixture.store.clone(), cursors.iter().map(of).collect::<Vec<_>>());
        planners.spawn(async move { store.plan(&plans).await.unwrap() });
    }
    let planned = planners.join_all().await;
    assert_eq!(planned.iter().map(|planned| planned.runs).sum::<u64>(), 20);
    assert_eq!(planned.iter().map(|planned| planned.conflicts).sum::<u64>(), 7 * 20);
    assert_eq!(all(fixture).await.len(), 20);
}

async fn a_run_added_twice_is_refused_and_changes_nothing(fixture: &StoreFixture) {
    let new = fixture.manual(&app("shop"));
    let run = fixture.add(new.clone()).await;
    fixture.commit_events(run.id, vec![ended(Outcome::Failed, None)]).await;
    assert!(fixture.store.add_run(&new).await.is_err());
    assert_eq!(fixture.read(run.id).await.version, 2);
    assert_eq!(fixture.store.audit(0, 99).await.unwrap().len(), 2);
}
