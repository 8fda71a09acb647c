//! Ticks become runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{
    App, Cause, NewBackup, NewRun, Outcome, Overlap, Policy, PolicyName, RunId, RunState, Trigger, Wakeup,
};
use holdfast_scheduler::FleetSnapshot;
use holdfast_store::{Planned, Store};

use crate::world::{World, app, app_id, at, fleet, gold, schedule};

pub fn shop() -> FleetSnapshot {
    fleet([app(app_id("shop"))], gold())
}

#[tokio::test(start_paused = true)]
async fn a_tick_makes_one_run_due_at_its_time_and_notifies_the_dispatcher() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    assert_eq!(planner.plan_due().await.unwrap(), Planned::default());
    world.clock.set(at("02:00"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 1, missed: 0, conflicts: 0 });
    tokio::time::timeout(Duration::from_secs(1), world.due_signal.notified()).await.unwrap();
    assert_eq!(planner.plan_due().await.unwrap(), Planned::default());
    let run = world.runs().await.remove(0);
    assert_eq!((run.tick, run.due_at, run.trigger), (Some(at("02:00")), at("02:00"), Trigger::Schedule));
    assert_eq!(run.policy_snapshot, gold().policy_snapshot);
}

#[tokio::test]
async fn two_planners_plan_each_tick_once() {
    let world = World::at("01:30");
    let apps = || (0..1_200).map(|n| app(app_id(&format!("app{n}"))));
    let (mut one, _fleet) = world.planner(fleet(apps(), gold()));
    let (mut two, _fleet) = world.planner(fleet(apps(), gold()));
    one.sync().await.unwrap();
    two.sync().await.unwrap();
    for hour in 2..5 {
        world.clock.set(at(&format!("0{hour}:00")));
        let (one, two) = tokio::join!(one.plan_due(), two.plan_due());
        let (one, two) = (one.unwrap(), two.unwrap());
        // From the second hour on the runs before have not ended, so the tick is missed: once as well.
        assert_eq!(one.runs + one.missed + two.runs + two.missed, 1_200);
    }
    assert_eq!(world.runs().await.len(), 3_600);
}

#[tokio::test]
async fn a_plan_that_another_planner_made_meanwhile_is_left_out() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    world.clock.set(at("02:00"));
    let read_before = world.store.cursors_due(None, 10).await.unwrap().remove(0);
    planner.plan_due().await.unwrap();
    let run = world.new_run(&app(app_id("shop")), Trigger::Schedule, at("02:00"));
    let plan = holdfast_store::CursorAdvance {
        cursor: read_before,
        through: at("02:00"),
        next_at: Some(at("03:00")),
        runs: vec![run],
    };
    assert_eq!(world.store.plan(&[plan]).await.unwrap(), Planned { runs: 0, missed: 0, conflicts: 1 });
    assert_eq!(world.runs().await.len(), 1);
}

#[tokio::test]
async fn after_a_gap_one_run_catches_up_and_the_rest_is_recorded_with_its_reason() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    world.clock.set(at("06:30"));
    planner.plan_due().await.unwrap();
    let told = ["02:00 too_late", "03:00 too_late", "04:00 too_late", "05:00 superseded", "06:00 caught_up"];
    assert_eq!(world.ticks().await, told);
}

#[tokio::test]
async fn a_gap_longer_than_catch_up_runs_nothing_and_the_next_tick_comes_as_always() {
    let world = World::at("01:30");
    let policy = Policy { schedule: schedule("0 2,12 * * *"), ..gold() };
    let (mut planner, _fleet) = world.planner(fleet([app(app_id("shop"))], policy));
    planner.sync().await.unwrap();
    world.clock.set(at("09:00"));
    planner.plan_due().await.unwrap();
    assert_eq!(world.ticks().await, ["02:00 too_late"]);
    world.clock.set(at("12:00"));
    planner.plan_due().await.unwrap();
    assert_eq!(world.ticks().await, ["02:00 too_late", "12:00 planned"]);
}

#[tokio::test]
async fn a_very_long_gap_is_recorded_whole_in_one_pass() {
    let world = World::at("00:00");
    let policy = Policy { schedule: schedule("* * * * *"), ..gold() };
    let (mut planner, _fleet) = world.planner(fleet([app(app_id("shop"))], policy));
    planner.sync().await.unwrap();
    world.clock.advance(Duration::from_hours(72));
    let done = planner.plan_due().await.unwrap();
    assert_eq!(done, Planned { runs: 1, missed: 72 * 60 - 1, conflicts: 0 });
}

#[tokio::test]
async fn while_a_run_has_not_ended_ticks_are_missed_as_overlap() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    for hour in ["02:00", "03:00"] {
        world.clock.set(at(hour));
        planner.plan_due().await.unwrap();
    }
    let run = world.runs().await.remove(0);
    world.end(Wakeup { run_id: run.id, version: run.version, nonce: 0 }).await;
    world.clock.set(at("04:00"));
    planner.plan_due().await.unwrap();
    assert_eq!(world.ticks().await, ["02:00 rejected", "03:00 overlap", "04:00 planned"]);
}

#[tokio::test]
async fn where_the_policy_queues_one_tick_waits_behind_the_run_and_no_more() {
    let world = World::at("01:30");
    let policy = Policy { overlap: Overlap::Queue, ..gold() };
    let (mut planner, _fleet) = world.planner(fleet([app(app_id("shop"))], policy));
    planner.sync().await.unwrap();
    for hour in ["02:00", "03:00", "04:00"] {
        world.clock.set(at(hour));
        planner.plan_due().await.unwrap();
    }
    assert_eq!(world.ticks().await, ["02:00 planned", "03:00 planned", "04:00 overlap"]);
}

#[tokio::test]
async fn a_paused_app_has_no_ticks_and_fires_nothing_when_it_goes_on() {
    let world = World::at("01:30");
    let (mut planner, fleet_of) = world.planner(shop());
    planner.sync().await.unwrap();
    fleet_of.send_replace(Arc::new(fleet(
        [App { databases: Vec::new(), paused: true, ..app(app_id("shop")) }],
        gold(),
    )));
    planner.sync().await.unwrap();
    world.clock.set(at("04:30"));
    planner.plan_due().await.unwrap();
    fleet_of.send_replace(Arc::new(shop()));
    planner.sync().await.unwrap();
    planner.plan_due().await.unwrap();
    assert_eq!(world.ticks().await, [""; 0]);
    world.clock.set(at("05:00"));
    planner.plan_due().await.unwrap();
    assert_eq!(world.ticks().await, ["05:00 planned"]);
}

#[tokio::test]
async fn a_pause_applies_before_it_is_synced_to_the_store() {
    let world = World::at("01:30");
    let (mut planner, fleet_of) = world.planner(shop());
    planner.sync().await.unwrap();
    fleet_of.send_replace(Arc::new(fleet(
        [App { databases: Vec::new(), paused: true, ..app(app_id("shop")) }],
        gold(),
    )));
    world.clock.set(at("02:00"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned::default());
}

#[tokio::test]
async fn an_edited_policy_never_fires_at_once_and_loses_no_later_tick() {
    let world = World::at("01:30");
    let (mut planner, fleet_of) = world.planner(shop());
    planner.sync().await.unwrap();
    // Until a sync the cursor is the old schedule's: a tick of it is due now, and must not be planned.
    world.clock.set(at("02:00"));
    for crontab in ["*/5 * * * *", "0 0 * * *"] {
        let edited = Policy { schedule: schedule(crontab), ..gold() };
        fleet_of.send_replace(Arc::new(fleet([app(app_id("shop"))], edited)));
        assert_eq!(planner.plan_due().await.unwrap(), Planned::default(), "{crontab}");
        planner.sync().await.unwrap();
        assert_eq!(planner.plan_due().await.unwrap(), Planned::default(), "{crontab}");
    }
    world.clock.set(at("23:59"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned::default());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 1, missed: 0, conflicts: 0 });
}

#[tokio::test]
async fn an_app_with_an_unknown_policy_is_skipped_and_delays_no_other_app() {
    let world = World::at("01:30");
    let (mut planner, fleet_of) =
        world.planner(fleet((0..3).map(|n| app(app_id(&format!("app{n}")))), gold()));
    planner.sync().await.unwrap();
    let policies = BTreeMap::from([(PolicyName::new("gold"), gold())]);
    let unknown = Some(PolicyName::new("silver"));
    let apps = (0..3).map(|n| app(app_id(&format!("app{n}"))));
    let apps =
        apps.map(|app| if app.id.site() == "app0" { App { policy: unknown.clone(), ..app } } else { app });
    fleet_of.send_replace(Arc::new(FleetSnapshot {
        apps: apps.map(|app| (app.id.clone(), app)).collect(),
        policies,
        ..FleetSnapshot::default()
    }));
    world.clock.set(at("02:00"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 2, missed: 0, conflicts: 0 });
    planner.sync().await.unwrap();
    assert_eq!(world.store.cursors_due(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn an_app_that_azure_does_not_back_up_gets_a_missed_tick_and_no_run() {
    let world = World::at("01:30");
    let unsupported = FleetSnapshot { unsupported: [app_id("shop")].into(), ..shop() };
    let (mut planner, _fleet) = world.planner(unsupported);
    planner.sync().await.unwrap();
    world.clock.set(at("02:00"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 0, missed: 1, conflicts: 0 });
    let state = world.runs().await.remove(0).state;
    let unsupported = Some(Cause::AppUnsupported);
    assert!(
        matches!(state, RunState::Ended { outcome: Outcome::Missed, cause, .. } if cause == unsupported),
        "{state:?}"
    );
    assert_eq!(world.store.cursors_due(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_clock_that_goes_back_plans_no_tick_again() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    world.clock.set(at("02:00"));
    planner.plan_due().await.unwrap();
    for time in ["01:00", "01:59", "02:00", "02:30"] {
        world.clock.set(at(time));
        planner.sync().await.unwrap();
        planner.plan_due().await.unwrap();
        assert_eq!(world.ticks().await, ["02:00 planned"], "at {time}");
    }
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_for_a_while_does_not_silence_an_app() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(shop());
    planner.sync().await.unwrap();
    world.clock.advance(Duration::from_hours(24 * 365));
    planner.plan_due().await.unwrap();
    let while_ahead = world.runs().await.len();
    for run in world.runs().await.into_iter().filter(|run| !run.state.is_ended()) {
        world.end(Wakeup { run_id: run.id, version: run.version, nonce: 0 }).await;
    }
    world.clock.set(at("01:40"));
    planner.sync().await.unwrap();
    world.clock.set(at("02:00"));
    planner.plan_due().await.unwrap();
    // The tick already has a run, from the time when the clock was ahead; no tick is planned twice.
    assert_eq!(world.runs().await.len(), while_ahead);
    let cursor =
        |cursors: Vec<holdfast_store::Cursor>| cursors.into_iter().next().map(|cursor| cursor.next_at);
    world.clock.set(at("03:00"));
    assert_eq!(
        cursor(world.store.cursors_due(None, 1).await.unwrap()),
        Some(at("03:00")),
        "the cursor is back"
    );
}

#[tokio::test]
async fn cursors_that_the_fleet_does_not_know_do_not_starve_those_behind_them() {
    let world = World::at("01:30");
    let stale = (0..1_100).map(|n| app(app_id(&format!("app{n}"))));
    let (mut other, _fleet) = world.planner(fleet(stale.chain([app(app_id("shop"))]), gold()));
    other.sync().await.unwrap();
    world.clock.set(at("02:00"));
    let (mut planner, _fleet) = world.planner(shop());
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 1, missed: 0, conflicts: 0 });
}

#[tokio::test]
async fn an_app_that_cannot_be_planned_is_passed_over_alone_until_the_next_pass() {
    let world = World::at("01:30");
    let apps = (0..300).map(|n| app(app_id(&format!("app{n:03}"))));
    let (mut planner, _fleet) = world.planner(fleet(apps, gold()));
    planner.sync().await.unwrap();
    world.clock.set(at("02:00"));
    // The id that the planner gives to the run of the first app is taken.
    let id = RunId::new(at("02:00"), &mut fastrand::Rng::with_seed(5).fork());
    let backup = NewBackup { tick: None, trigger: Trigger::Manual, due_at: at("02:00") };
    let taken = NewRun::backup(id, &app(app_id("other")), &gold().policy_snapshot, backup, at("02:00"));
    world.store.add_run(&taken).await.unwrap();
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 299, missed: 0, conflicts: 0 });
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 1, missed: 0, conflicts: 0 });
}

#[tokio::test]
async fn a_month_of_an_hourly_policy_is_planned_whole() {
    let world = World::at("00:30");
    let (mut planner, _fleet) = world.planner(fleet((0..5).map(|n| app(app_id(&format!("app{n}")))), gold()));
    planner.sync().await.unwrap();
    world.clock.advance(Duration::from_hours(30 * 24));
    let done = planner.plan_due().await.unwrap();
    assert_eq!(done, Planned { runs: 5, missed: 5 * (30 * 24 - 1), conflicts: 0 });
}
