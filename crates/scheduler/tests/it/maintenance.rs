//! What is owed to backups already taken becomes runs.

use std::time::Duration;

use holdfast_model::retention::{Keep, Retention};
use holdfast_model::{
    App, AppId, BackupFacts, BackupId, Cause, Delete, DrillRule, Policy, PolicyName, PolicySnapshot,
    Priority, Restore, Run, SasFacts, SasWindow, StorageName, Task, Timestamp, Trigger,
};
use holdfast_scheduler::{Fleet, MaintenanceReport};
use tokio_util::sync::CancellationToken;

use crate::house::{gold_with, night, refresh, sas, shop};
use crate::world::{World, app, app_id, at, fleet, gold};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);
/// A second less.
const NEARLY_A_DAY: Duration = Duration::from_secs(24 * 3_600 - 1);

/// Keeps the last good one, and those of the last `daily` days.
fn keeping(daily: u32) -> Policy {
    let keep = Keep { daily, ..Keep::default() };
    gold_with(|gold| gold.retention = Some(Retention { keep, dry_run: false, ..Retention::new(0, 0) }))
}

fn drilling() -> Policy {
    let rule = DrillRule { every: 7 * DAY, into: app_id("scratch"), probe: Some("https://scratch/".into()) };
    gold_with(|gold| gold.drill = Some(rule))
}

/// A world with good backups of `shop`, one of each of the nights before, numbered by their day.
async fn nights(days: std::ops::RangeInclusive<u32>) -> World {
    let world = World::at("12:00");
    for day in days {
        world.keeps(&shop(), day.into(), night(day)).await;
    }
    world
}

pub async fn pass(world: &World, fleet: Fleet) -> MaintenanceReport {
    let (mut maintenance, _fleet) = world.maintenance(fleet);
    maintenance.run_once().await.unwrap()
}

#[tokio::test]
async fn what_no_rule_keeps_is_deleted_once_and_the_last_good_and_the_held_never() {
    let world = nights(18..=22).await;
    world.hold(&shop(), 18).await;
    let house = || fleet([shop()], keeping(2));
    assert_eq!(pass(&world, house()).await.added, 2);
    assert_eq!(world.owed().await, ["shop: delete 19", "shop: delete 20"]);
    let run = world.to_do().await.remove(0);
    assert_eq!((run.trigger, run.priority), (Trigger::Policy, Priority::Retention));
    tokio::time::timeout(SECOND, world.bell.notified()).await.unwrap();
    assert_eq!(pass(&world, house()).await.added, 0, "they are asked for already");
    assert_eq!(world.delete_all().await, 2);
    assert_eq!(pass(&world, house()).await.added, 0);
    assert_eq!(pass(&world, fleet([shop()], keeping(0))).await.added, 1);
    assert_eq!(world.owed().await, ["shop: delete 21"]);
}

fn made(id: i64, finished_at: Option<Timestamp>) -> BackupFacts {
    BackupFacts {
        id: BackupId(id),
        blob: format!("b{id}.zip"),
        size_bytes: 1,
        accepted_at: at("12:00"),
        finished_at,
        databases: Vec::new(),
    }
}

#[tokio::test]
async fn a_partial_backup_that_its_run_may_fall_back_on_is_not_deleted_before_the_run_has_ended() {
    for (is_over, added) in [(false, 0), (true, 1)] {
        let world = nights(22..=22).await;
        let partial = made(23, Some(at("12:00")));
        world.makes_in_vain(&shop(), partial, Cause::PartiallySucceeded, is_over).await;
        world.clock.advance(SECOND);
        assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, added);
    }
}

#[tokio::test]
async fn what_azure_may_still_be_making_is_not_deleted_for_a_day() {
    let world = nights(22..=22).await;
    world.makes_in_vain(&shop(), made(23, None), Cause::DeadlinePassed, true).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 1);
    assert_eq!(world.owed().await, ["shop: delete 23"]);
}

#[tokio::test]
async fn a_backup_that_is_being_deleted_stands_in_for_no_other() {
    let world = nights(21..=22).await;
    world
        .ask(
            &shop(),
            Task::Delete(Delete { backup: BackupId(22), blob: "b22.zip".into(), allow_last: false }),
        )
        .await;
    assert_eq!(
        pass(&world, fleet([shop()], keeping(1))).await.added,
        0,
        "21 is the last good one that will be left"
    );
}

#[tokio::test]
async fn a_rule_that_only_tells_adds_nothing_and_tells_how_many() {
    let world = nights(18..=22).await;
    let mut policy = keeping(2);
    policy.retention.as_mut().unwrap().dry_run = true;
    let found = pass(&world, fleet([shop()], policy)).await;
    assert_eq!((found.added, found.told), (0, [(PolicyName::new("gold"), 3)].into()));
    assert_eq!(world.owed().await, [""; 0]);
}

#[tokio::test]
async fn two_housekeepers_add_each_run_once() {
    let world = nights(18..=22).await;
    let [(mut one, _a), (mut two, _b)] = [(); 2].map(|()| world.maintenance(fleet([shop()], keeping(1))));
    let (a, b) = tokio::join!(one.run_once(), two.run_once());
    assert_eq!(a.unwrap().added + b.unwrap().added, 4);
    assert_eq!(world.owed().await.len(), 4);
}

#[tokio::test]
async fn a_deletion_that_failed_is_tried_again_a_day_later() {
    let world = nights(21..=22).await;
    let house = || fleet([shop()], keeping(1));
    pass(&world, house()).await;
    world.over("delete 21", false).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, house()).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, house()).await.added, 1);
    assert_eq!(world.owed().await, ["shop: delete 21"]);
}

#[tokio::test]
async fn one_pass_deletes_no_more_than_a_few_of_an_app_the_oldest_first() {
    let world = World::at("12:00");
    for hour in 0..60 {
        let at = night(1) + Duration::from_hours(hour);
        world.keeps(&shop(), hour.try_into().unwrap(), at).await;
    }
    let house = || fleet([shop()], keeping(0));
    assert_eq!(pass(&world, house()).await.added, 50);
    assert!(!world.owed().await.contains(&"shop: delete 50".to_owned()));
    assert_eq!(pass(&world, house()).await.added, 0, "the first ones are not done yet");
    world.delete_all().await;
    assert_eq!(pass(&world, house()).await.added, 9);
    world.delete_all().await;
    assert_eq!(world.catalog().await.len(), 1);
}

#[tokio::test]
async fn an_app_without_a_policy_one_that_left_and_one_that_is_paused_lose_nothing() {
    let world = nights(20..=22).await;
    let in_none = App { policy: None, ..shop() };
    let paused = App { paused: true, ..shop() };
    for house in [fleet([in_none], keeping(1)), fleet([], keeping(1)), fleet([paused], keeping(1))] {
        assert_eq!(pass(&world, house).await.added, 0);
    }
    assert_eq!(pass(&world, fleet([shop()], gold())).await.added, 0, "its policy has no rule");
}

#[tokio::test]
async fn an_app_whose_newest_backup_is_newer_than_the_clock_is_left_alone() {
    let world = nights(20..=22).await;
    world.keeps(&shop(), 23, at("12:06")).await;
    let found = pass(&world, fleet([shop()], keeping(1))).await;
    assert_eq!((found.added, found.of_the_future), (0, 1));
    world.clock.set(at("12:01"));
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 2, "clocks differ by so much");
}

#[tokio::test]
async fn a_backup_that_is_about_to_be_restored_is_not_deleted_though_its_blob_alone_is_named() {
    let world = nights(19..=22).await;
    let restore = |backup| Restore {
        source: shop().id,
        backup,
        blob: "b20.zip".into(),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: true,
        ignore_conflicting_host_names: false,
    };
    world.ask(&app(app_id("copy")), Task::Restore(restore(None))).await;
    world
        .ask(
            &app(app_id("copy")),
            Task::Restore(Restore { blob: "b19.zip".into(), ..restore(Some(BackupId(19))) }),
        )
        .await;
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 1);
    assert!(world.owed().await.contains(&"shop: delete 21".to_owned()));
}

#[tokio::test]
async fn no_drill_is_owed_to_a_backup_that_is_being_deleted() {
    let world = nights(21..=22).await;
    let delete = Delete { backup: BackupId(22), blob: "b22.zip".into(), allow_last: true };
    world.ask(&shop(), Task::Delete(delete)).await;
    assert_eq!(pass(&world, fleet([shop()], drilling())).await.added, 1);
    let drilled = |run: &Run| Some(run.task.restore()?.blob.clone());
    let drilled: Vec<String> = world.to_do().await.iter().filter_map(drilled).collect();
    assert_eq!(drilled, ["b21.zip"]);
    let delete = Delete { backup: BackupId(21), blob: "b21.zip".into(), allow_last: true };
    world.over(&format!("drill {}", shop().id), false).await;
    world.ask(&shop(), Task::Delete(delete)).await;
    world.clock.advance(7 * DAY);
    assert_eq!(pass(&world, fleet([shop()], drilling())).await.added, 0, "there is no other");
}

#[tokio::test]
async fn a_sas_at_azure_is_replaced_before_it_lapses_or_when_it_is_not_known_and_not_at_each_pass() {
    let world = World::at("12:00");
    world.keeps_in("weu", &shop(), 1, night(20)).await;
    let house = || fleet([shop()], gold());
    assert_eq!(pass(&world, house()).await.added, 1, "nothing is known of it");
    world.refreshed("refresh_sas 1", sas("one", at("23:59"))).await;
    assert_eq!(pass(&world, house()).await.added, 0, "it lasts");
    world.clock.set(at("18:00"));
    assert_eq!(pass(&world, house()).await.added, 1, "less than six hours are left");
    assert_eq!(pass(&world, house()).await.added, 0, "it is asked for already");
    let started_later = SasWindow { start: Some(at("01:00")), expiry: Some(at("23:59")) };
    let same = SasFacts { fingerprint: "one".into(), window: started_later };
    world.refreshed("refresh_sas 1", same).await;
    world.clock.advance(DAY / 2);
    assert_eq!(pass(&world, house()).await.added, 0, "there was no newer one");
    world.clock.advance(DAY / 2);
    assert_eq!(pass(&world, house()).await.added, 1, "but there may be one a day later");
    world.over("refresh_sas 1", false).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, house()).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, house()).await.added, 1);
}

#[tokio::test]
async fn sas_that_are_short_are_replaced_four_times_a_day_and_those_without_an_expiry_never() {
    let world = World::at("00:00");
    world.keeps_in("weu", &shop(), 1, night(20)).await;
    let mut refreshes = 0;
    for hour in 0..24 {
        if pass(&world, fleet([shop()], gold())).await.added > 0 {
            refreshes += 1;
            let expiry = at("01:00") + Duration::from_hours(hour);
            world.refreshed("refresh_sas 1", sas(&hour.to_string(), expiry)).await;
        }
        world.clock.advance(Duration::from_hours(1));
    }
    assert_eq!(refreshes, 4);
    world.ask(&shop(), refresh(1)).await;
    let silent = SasWindow { start: None, expiry: None };
    let silent = SasFacts { fingerprint: "by a policy".into(), window: silent };
    world.refreshed("refresh_sas 1", silent).await;
    world.clock.advance(30 * DAY);
    assert_eq!(pass(&world, fleet([shop()], gold())).await.added, 0);
}

#[tokio::test]
async fn what_is_deleted_gets_no_new_sas_and_what_a_rule_only_tells_of_does() {
    let world = World::at("12:00");
    world.keeps_in("weu", &shop(), 21, night(21)).await;
    world.keeps(&shop(), 22, night(22)).await;
    let mut telling = keeping(1);
    telling.retention.as_mut().unwrap().dry_run = true;
    pass(&world, fleet([shop()], keeping(1))).await;
    assert_eq!(world.owed().await, ["shop: delete 21"]);
    pass(&world, fleet([shop()], telling)).await;
    assert_eq!(world.owed().await, ["shop: delete 21", "shop: refresh_sas 21"]);
}

#[tokio::test]
async fn a_backup_is_looked_after_with_the_storage_that_it_lies_in() {
    let world = World::at("12:00");
    world.keeps_in("old", &shop(), 1, night(20)).await;
    let mut house = fleet([shop()], gold());
    pass(&world, house.clone()).await;
    let policy_snapshot = world.to_do().await.remove(0).policy_snapshot;
    assert_eq!(
        policy_snapshot,
        PolicySnapshot { storage: StorageName::new("old"), ..gold().policy_snapshot }
    );
    world.over("refresh_sas 1", false).await;
    world.clock.advance(DAY);
    let name = PolicyName::new("silver");
    let there = PolicySnapshot::new(StorageName::new("old"), "other");
    house.policies.insert(name.clone(), Policy { name, policy_snapshot: there, ..gold() });
    pass(&world, house).await;
    assert_eq!(world.to_do().await.remove(0).policy_snapshot.account, "other");
}

#[tokio::test]
async fn a_drill_of_the_newest_good_backup_is_due_once_and_again_when_it_is_too_old() {
    let world = nights(20..=22).await;
    let house = || fleet([shop()], drilling());
    assert_eq!(pass(&world, house()).await.added, 1);
    assert_eq!(pass(&world, house()).await.added, 0, "it is asked for already");
    assert_eq!(world.owed().await, [format!("scratch: drill {}", shop().id)]);
    let run = world.to_do().await.remove(0);
    assert_eq!(run.policy, Some(PolicyName::new("gold")));
    let Task::Drill(drill) = run.task else { panic!("it is no drill") };
    assert_eq!((drill.restore.blob.as_str(), drill.probe.as_deref()), ("b22.zip", Some("https://scratch/")));
    assert!(drill.restore.ignore_databases);
    world.over(&format!("drill {}", shop().id), true).await;
    world.lose(&shop(), 22).await;
    world.clock.advance(6 * DAY + NEARLY_A_DAY);
    assert_eq!(pass(&world, house()).await.added, 0, "the one of a backup that is gone by now counts");
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, house()).await.added, 1);
}

#[tokio::test]
async fn nothing_is_restored_over_an_app_that_is_in_a_policy() {
    let world = nights(20..=22).await;
    let scratch = app(app_id("scratch"));
    assert_eq!(pass(&world, fleet([shop(), scratch.clone()], drilling())).await.added, 0);
    let nobodys = App { policy: None, ..scratch };
    assert_eq!(pass(&world, fleet([shop(), nobodys], drilling())).await.added, 1);
}

#[tokio::test]
async fn nothing_is_restored_over_itself() {
    let world = World::at("12:00");
    let scratch = app(app_id("scratch"));
    world.keeps(&scratch, 1, night(20)).await;
    assert_eq!(pass(&world, fleet([scratch], drilling())).await.added, 0);
}

#[tokio::test]
async fn a_fleet_of_many_pages_is_looked_after_whole() {
    let world = World::at("12:00");
    let apps: Vec<App> =
        (0..130).map(|n| app(AppId::new("sub", "group", &format!("app{n}"), None))).collect();
    for app in &apps {
        for day in 21..=22 {
            world.keeps(app, day.into(), night(day)).await;
        }
    }
    assert_eq!(pass(&world, fleet(apps, keeping(1))).await.added, 130);
    let owed = world.owed().await;
    assert!(owed.len() == 130 && owed.iter().all(|run| run.ends_with(": delete 21")), "{owed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_housekeeper_looks_soon_after_the_start_then_each_hour_and_stops() {
    let world = nights(21..=22).await;
    let (maintenance, fleet_of) = world.maintenance(fleet([shop()], gold()));
    let stop = CancellationToken::new();
    let maintenance = tokio::spawn(maintenance.run(stop.clone()));
    fleet_of.send_replace(std::sync::Arc::new(fleet([shop()], keeping(1))));
    let added = || tokio::time::timeout(Duration::from_secs(61), world.bell.notified());
    added().await.unwrap();
    assert_eq!(world.delete_all().await, 1);
    world.keeps(&shop(), 23, night(23)).await;
    assert!(added().await.is_err(), "the hour has not passed");
    let hour = Duration::from_hours(1);
    tokio::time::timeout(hour, world.bell.notified()).await.unwrap();
    assert_eq!(world.owed().await, ["shop: delete 22"]);
    stop.cancel();
    maintenance.await.unwrap();
}
