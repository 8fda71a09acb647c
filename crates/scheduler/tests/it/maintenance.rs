//! The maintenance planner.

use std::time::Duration;

use holdfast_model::retention::{Keep, Retention};
use holdfast_model::{
    App, AppId, BackupFacts, BackupId, Cause, Delete, DrillRule, Lane, Policy, PolicyName, PolicySnapshot,
    Priority, Restore, Run, RunKind, SasFacts, SasWindow, StorageName, Task, Timestamp, Trigger,
};
use holdfast_scheduler::{FleetSnapshot, MaintenanceReport};
use tokio_util::sync::CancellationToken;

use crate::backups::{gold_with, night, refresh, sas, shop};
use crate::world::{World, app, app_id, at, fleet, gold};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);
/// A day less a second.
const NEARLY_A_DAY: Duration = Duration::from_secs(24 * 3_600 - 1);

/// Keeps the last good backup, and those of the last `daily` days.
pub fn keeping(daily: u32) -> Policy {
    let keep = Keep { daily, ..Keep::default() };
    gold_with(|gold| gold.retention = Some(Retention { keep, dry_run: false, ..Retention::new(0, 0) }))
}

fn drilling() -> Policy {
    let rule = DrillRule { every: 7 * DAY, into: app_id("scratch"), probe: Some("https://scratch/".into()) };
    gold_with(|gold| gold.drill = Some(rule))
}

/// A world with good backups of `shop`, one of each of the nights before, numbered by their day.
pub async fn nights(days: std::ops::RangeInclusive<u32>) -> World {
    let world = World::at("12:00");
    for day in days {
        world.add_backup(&shop(), day.into(), night(day)).await;
    }
    world
}

pub async fn pass(world: &World, fleet: FleetSnapshot) -> MaintenanceReport {
    let (mut maintenance, _fleet) = world.maintenance(fleet);
    maintenance.run_once().await.unwrap()
}

#[tokio::test]
async fn what_no_rule_keeps_is_deleted_once_and_the_last_good_and_the_held_never() {
    let world = nights(18..=22).await;
    world.hold(&shop(), 18).await;
    let shop_fleet = || fleet([shop()], keeping(2));
    assert_eq!(pass(&world, shop_fleet()).await.added, 2);
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 19", "shop: delete 20"]);
    let run = world.unfinished().await.remove(0);
    assert_eq!((run.trigger, run.priority), (Trigger::Policy, Priority::Retention));
    tokio::time::timeout(SECOND, world.due_signal.notified()).await.unwrap();
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "they are asked for already");
    assert_eq!(world.finish_deletions().await, 2);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0);
    assert_eq!(pass(&world, fleet([shop()], keeping(0))).await.added, 1);
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 21"]);
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
        world.fail_with_backup(&shop(), partial, Cause::PartiallySucceeded, is_over).await;
        world.clock.advance(SECOND);
        assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, added);
    }
}

#[tokio::test]
async fn what_azure_may_still_be_making_is_not_deleted_for_a_day() {
    let world = nights(22..=22).await;
    world.fail_with_backup(&shop(), made(23, None), Cause::DeadlinePassed, true).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 1);
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 23"]);
}

#[tokio::test]
async fn a_backup_that_is_being_deleted_replaces_no_other() {
    let world = nights(21..=22).await;
    world
        .request(
            &shop(),
            Task::Delete(Delete {
                backup: BackupId(22),
                blob: "b22.zip".into(),
                allow_last: false,
                rule: None,
            }),
        )
        .await;
    assert_eq!(
        pass(&world, fleet([shop()], keeping(1))).await.added,
        0,
        "21 is the last good one that will be left"
    );
}

#[tokio::test]
async fn a_dry_run_rule_adds_nothing_and_reports_how_many() {
    let world = nights(18..=22).await;
    let mut policy = keeping(2);
    policy.retention.as_mut().unwrap().dry_run = true;
    let found = pass(&world, fleet([shop()], policy)).await;
    assert_eq!((found.added, found.dry_run), (0, [(PolicyName::new("gold"), 3)].into()));
    assert_eq!(world.unfinished_tasks().await, [""; 0]);
}

#[tokio::test]
async fn two_maintenance_planners_add_each_run_once() {
    let world = nights(18..=22).await;
    let [(mut one, _a), (mut two, _b)] = [(); 2].map(|()| world.maintenance(fleet([shop()], keeping(1))));
    let (a, b) = tokio::join!(one.run_once(), two.run_once());
    assert_eq!(a.unwrap().added + b.unwrap().added, 4);
    assert_eq!(world.unfinished_tasks().await.len(), 4);
}

#[tokio::test]
async fn a_deletion_that_failed_is_tried_again_a_day_later() {
    let world = nights(21..=22).await;
    let shop_fleet = || fleet([shop()], keeping(1));
    pass(&world, shop_fleet()).await;
    world.finish("delete 21", false).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, shop_fleet()).await.added, 1);
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 21"]);
}

#[tokio::test]
async fn an_app_has_a_limited_number_of_unfinished_deletions_the_oldest_first() {
    let world = World::at("12:00");
    for hour in 0..60 {
        let at = night(1) + Duration::from_hours(hour);
        world.add_backup(&shop(), hour.try_into().unwrap(), at).await;
    }
    let shop_fleet = || fleet([shop()], keeping(0));
    assert_eq!(pass(&world, shop_fleet()).await.added, 50);
    assert!(!world.unfinished_tasks().await.contains(&"shop: delete 50".to_owned()));
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "the first ones are not done yet");
    world.finish_deletions().await;
    assert_eq!(pass(&world, shop_fleet()).await.added, 9);
    world.finish_deletions().await;
    assert_eq!(world.catalog().await.len(), 1);
}

#[tokio::test]
async fn an_app_without_a_policy_one_that_left_and_one_that_is_paused_lose_nothing() {
    let world = nights(20..=22).await;
    let in_none = App { policy: None, ..shop() };
    let paused = App { paused: true, ..shop() };
    for fleet in [fleet([in_none], keeping(1)), fleet([], keeping(1)), fleet([paused], keeping(1))] {
        assert_eq!(pass(&world, fleet).await.added, 0);
    }
    assert_eq!(pass(&world, fleet([shop()], gold())).await.added, 0, "its policy has no rule");
}

#[tokio::test]
async fn an_app_whose_newest_backup_is_newer_than_the_clock_is_left_alone() {
    let world = nights(20..=22).await;
    world.add_backup(&shop(), 23, at("12:06")).await;
    let found = pass(&world, fleet([shop()], keeping(1))).await;
    assert_eq!((found.added, found.ahead_of_clock), (0, 1));
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
    world.request(&app(app_id("copy")), Task::Restore(restore(None))).await;
    world
        .request(
            &app(app_id("copy")),
            Task::Restore(Restore { blob: "b19.zip".into(), ..restore(Some(BackupId(19))) }),
        )
        .await;
    assert_eq!(pass(&world, fleet([shop()], keeping(1))).await.added, 1);
    assert!(world.unfinished_tasks().await.contains(&"shop: delete 21".to_owned()));
}

#[tokio::test]
async fn a_backup_that_is_being_deleted_gets_no_drill() {
    let world = nights(21..=22).await;
    let delete = Delete { backup: BackupId(22), blob: "b22.zip".into(), allow_last: true, rule: None };
    world.request(&shop(), Task::Delete(delete)).await;
    assert_eq!(pass(&world, fleet([shop()], drilling())).await.added, 1);
    let drilled = |run: &Run| Some(run.task.restore()?.blob.clone());
    let drilled: Vec<String> = world.unfinished().await.iter().filter_map(drilled).collect();
    assert_eq!(drilled, ["b21.zip"]);
    let delete = Delete { backup: BackupId(21), blob: "b21.zip".into(), allow_last: true, rule: None };
    world.finish(&format!("drill {}", shop().id), false).await;
    world.request(&shop(), Task::Delete(delete)).await;
    world.clock.advance(7 * DAY);
    assert_eq!(pass(&world, fleet([shop()], drilling())).await.added, 0, "there is no other");
}

#[tokio::test]
async fn a_sas_at_azure_is_refreshed_before_it_expires_or_when_it_is_unknown_but_not_at_each_pass() {
    let world = World::at("12:00");
    world.add_backup_in("weu", &shop(), 1, night(20)).await;
    let shop_fleet = || fleet([shop()], gold());
    assert_eq!(pass(&world, shop_fleet()).await.added, 1, "nothing is known of it");
    world.finish_refresh("refresh_sas 1", sas("one", at("23:59"))).await;
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "it lasts");
    world.clock.set(at("18:00"));
    assert_eq!(pass(&world, shop_fleet()).await.added, 1, "less than six hours are left");
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "it is asked for already");
    let started_later = SasWindow { start: Some(at("01:00")), expiry: Some(at("23:59")) };
    let same = SasFacts { fingerprint: "one".into(), window: started_later };
    world.finish_refresh("refresh_sas 1", same).await;
    world.clock.advance(DAY / 2);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "there was no newer one");
    world.clock.advance(DAY / 2);
    assert_eq!(pass(&world, shop_fleet()).await.added, 1, "but there may be one a day later");
    world.finish("refresh_sas 1", false).await;
    world.clock.advance(NEARLY_A_DAY);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0);
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, shop_fleet()).await.added, 1);
}

#[tokio::test]
async fn short_lived_sas_are_refreshed_four_times_a_day_and_those_without_an_expiry_never() {
    let world = World::at("00:00");
    world.add_backup_in("weu", &shop(), 1, night(20)).await;
    let mut refreshes = 0;
    for hour in 0..24 {
        if pass(&world, fleet([shop()], gold())).await.added > 0 {
            refreshes += 1;
            let expiry = at("01:00") + Duration::from_hours(hour);
            world.finish_refresh("refresh_sas 1", sas(&hour.to_string(), expiry)).await;
        }
        world.clock.advance(Duration::from_hours(1));
    }
    assert_eq!(refreshes, 4);
    world.request(&shop(), refresh(1)).await;
    let silent = SasWindow { start: None, expiry: None };
    let silent = SasFacts { fingerprint: "by a policy".into(), window: silent };
    world.finish_refresh("refresh_sas 1", silent).await;
    world.clock.advance(30 * DAY);
    assert_eq!(pass(&world, fleet([shop()], gold())).await.added, 0);
}

#[tokio::test]
async fn what_is_deleted_gets_no_new_sas_and_what_a_dry_run_rule_would_delete_does() {
    let world = World::at("12:00");
    world.add_backup_in("weu", &shop(), 21, night(21)).await;
    world.add_backup(&shop(), 22, night(22)).await;
    let mut telling = keeping(1);
    telling.retention.as_mut().unwrap().dry_run = true;
    pass(&world, fleet([shop()], keeping(1))).await;
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 21"]);
    pass(&world, fleet([shop()], telling)).await;
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 21", "shop: refresh_sas 21"]);
}

fn moved_from_old(policy: Policy) -> FleetSnapshot {
    let accounts = [("old", "old-account"), ("weu", "acct")];
    let accounts = accounts.map(|(storage, account)| (StorageName::new(storage), account.to_owned()));
    FleetSnapshot { accounts: accounts.into_iter().collect(), ..fleet([shop()], policy) }
}

#[tokio::test]
async fn a_backup_in_the_storage_that_its_policy_left_is_maintained_with_that_storage_and_its_account() {
    let world = World::at("12:00");
    world.add_backup_in("old", &shop(), 1, night(20)).await;
    pass(&world, moved_from_old(gold())).await;
    let (storage, account) = (StorageName::new("old"), "old-account".to_owned());
    let expected = PolicySnapshot { storage, account, ..gold().policy_snapshot };
    assert_eq!(world.unfinished().await.remove(0).policy_snapshot, expected);
}

#[tokio::test]
async fn a_drill_of_a_backup_in_the_storage_that_its_policy_left_counts_against_that_storages_account() {
    let world = World::at("12:00");
    world.add_backup_in("old", &shop(), 1, night(20)).await;
    pass(&world, moved_from_old(drilling())).await;
    let drill = world.unfinished().await.into_iter().find(|run| run.task.kind() == RunKind::Drill).unwrap();
    assert_eq!(drill.policy_snapshot.storage, StorageName::new("old"));
    let Some(Lane::Begin { account, .. }) = drill.lane() else { panic!("a drill begins an operation") };
    assert_eq!(account, "old-account");
}

#[tokio::test]
async fn a_storage_that_the_fleet_file_no_longer_has_counts_as_an_account_of_its_own() {
    let world = World::at("12:00");
    world.add_backup_in("gone", &shop(), 1, night(20)).await;
    pass(&world, moved_from_old(gold())).await;
    assert_eq!(world.unfinished().await.remove(0).policy_snapshot.account, "gone");
}

#[tokio::test]
async fn a_drill_of_the_newest_good_backup_is_due_once_and_again_when_it_is_too_old() {
    let world = nights(20..=22).await;
    let shop_fleet = || fleet([shop()], drilling());
    assert_eq!(pass(&world, shop_fleet()).await.added, 1);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "it is asked for already");
    assert_eq!(world.unfinished_tasks().await, [format!("scratch: drill {}", shop().id)]);
    let run = world.unfinished().await.remove(0);
    assert_eq!(run.policy, Some(PolicyName::new("gold")));
    let Task::Drill(drill) = run.task else { panic!("it is no drill") };
    assert_eq!((drill.restore.blob.as_str(), drill.probe.as_deref()), ("b22.zip", Some("https://scratch/")));
    assert!(drill.restore.ignore_databases);
    world.finish(&format!("drill {}", shop().id), true).await;
    world.mark_lost(&shop(), 22).await;
    world.clock.advance(6 * DAY + NEARLY_A_DAY);
    assert_eq!(pass(&world, shop_fleet()).await.added, 0, "the one of a backup that is gone by now counts");
    world.clock.advance(SECOND);
    assert_eq!(pass(&world, shop_fleet()).await.added, 1);
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
    world.add_backup(&scratch, 1, night(20)).await;
    assert_eq!(pass(&world, fleet([scratch], drilling())).await.added, 0);
}

#[tokio::test]
async fn a_fleet_of_many_pages_is_maintained_completely() {
    let world = World::at("12:00");
    let apps: Vec<App> =
        (0..130).map(|n| app(AppId::new("sub", "group", &format!("app{n}"), None))).collect();
    for app in &apps {
        for day in 21..=22 {
            world.add_backup(app, day.into(), night(day)).await;
        }
    }
    assert_eq!(pass(&world, fleet(apps, keeping(1))).await.added, 130);
    let tasks = world.unfinished_tasks().await;
    assert!(tasks.len() == 130 && tasks.iter().all(|run| run.ends_with(": delete 21")), "{tasks:?}");
}

#[tokio::test(start_paused = true)]
async fn the_maintenance_planner_passes_soon_after_the_start_then_each_hour_and_stops() {
    let world = nights(21..=22).await;
    let (maintenance, fleet_of) = world.maintenance(fleet([shop()], gold()));
    let stop = CancellationToken::new();
    let maintenance = tokio::spawn(maintenance.run(stop.clone()));
    fleet_of.send_replace(std::sync::Arc::new(fleet([shop()], keeping(1))));
    let added = || tokio::time::timeout(Duration::from_secs(61), world.due_signal.notified());
    added().await.unwrap();
    assert_eq!(world.finish_deletions().await, 1);
    world.add_backup(&shop(), 23, night(23)).await;
    assert!(added().await.is_err(), "the hour has not passed");
    let hour = Duration::from_hours(1);
    tokio::time::timeout(hour, world.due_signal.notified()).await.unwrap();
    assert_eq!(world.unfinished_tasks().await, ["shop: delete 22"]);
    stop.cancel();
    maintenance.await.unwrap();
}
