//! Pauses by a person.

use std::time::Duration;

use holdfast_model::OperatorAction;
use holdfast_store::Planned;

use crate::backups::shop;
use crate::maintenance::{keeping, nights, pass};
use crate::world::{World, app_id, at, fleet};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_app_that_a_person_paused_loses_nothing_until_the_pause_ends() {
    let world = nights(18..=22).await;
    let shop_fleet = || fleet([shop()], keeping(2));
    let (mut planner, _fleet) = world.planner(shop_fleet());
    planner.sync().await.unwrap();
    let until = at("12:00") + DAY;
    let paused = OperatorAction::PausedUntil { until, reason: "move".into() };
    world.act(&shop().id, paused).await;
    assert_eq!(pass(&world, shop_fleet()).await.added, 0);
    world.clock.set(until);
    assert!(pass(&world, shop_fleet()).await.added > 0);
}

#[tokio::test]
async fn ticks_of_a_pause_are_neither_run_nor_missed_and_its_end_makes_none_due_at_once() {
    let world = World::at("01:30");
    let (mut planner, _fleet) = world.planner(crate::planning::shop());
    planner.sync().await.unwrap();
    world
        .act(&app_id("shop"), OperatorAction::PausedUntil { until: at("04:30"), reason: "move".into() })
        .await;
    for hour in ["02:00", "03:00", "04:00", "04:30", "04:59"] {
        world.clock.set(at(hour));
        planner.sync().await.unwrap();
        assert_eq!(planner.plan_due().await.unwrap(), Planned::default(), "{hour}");
    }
    world.clock.set(at("05:00"));
    assert_eq!(planner.plan_due().await.unwrap(), Planned { runs: 1, missed: 0, conflicts: 0 });
    world
        .act(&app_id("shop"), OperatorAction::PausedUntil { until: at("20:00"), reason: "move".into() })
        .await;
    world.clock.set(at("06:30"));
    world.act(&app_id("shop"), OperatorAction::PauseEnded { reason: "moved".into() }).await;
    assert_eq!(planner.plan_due().await.unwrap(), Planned::default(), "the tick of 06:00");
    world.clock.set(at("07:00"));
    let last = planner.plan_due().await.unwrap();
    assert_eq!(last.runs + last.missed, 1);
}
