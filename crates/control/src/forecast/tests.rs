use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_config::{EngineConfig, Fleet};
use holdfast_model::schedule::Schedule;
use holdfast_model::{
    AppId, Limits, Policy, PolicyName, PolicySnapshot, StorageName, Timestamp, Zone, parse_timestamp,
};
use holdfast_store::AppStatus;

use super::*;

fn at(text: &str) -> Timestamp {
    parse_timestamp(&format!("2026-11-29T{text}:00Z")).unwrap()
}

fn policy(name: &str, crontab: &str) -> Policy {
    let schedule =
        Schedule { crontab: crontab.parse().unwrap(), timezone: Zone::UTC, spread: Duration::ZERO };
    Policy::new(PolicyName::new(name), schedule, PolicySnapshot::new(StorageName::new("weu"), "acct"))
}

fn fleet(policies: Vec<Policy>, limits: Limits) -> Fleet {
    Fleet {
        clouds: Vec::new(),
        storages: BTreeMap::new(),
        policies: policies.into_iter().map(|policy| (policy.name.clone(), policy)).collect(),
        effective: BTreeMap::new(),
        tags: holdfast_config::FileTags::default(),
        apps: Vec::new(),
        discover: Vec::new(),
        limits,
        engine: EngineConfig::default(),
        checkpoints: None,
        four_eyes: holdfast_config::FourEyes::default(),
        settings: BTreeMap::new(),
        notifications: holdfast_config::Notifications::default(),
    }
}

/// Apps of a policy in one plan.
fn apps(policy: &str, count: usize) -> Vec<AppStatus> {
    let app = |number| AppStatus {
        policy: Some(PolicyName::new(policy)),
        plan: Some("/plans/p1".into()),
        ..AppStatus::new(AppId::new("s", "g", &format!("{policy}-{number}"), None))
    };
    (0..count).map(app).collect()
}

fn took(apps: &[AppStatus], minutes: u64) -> BTreeMap<AppId, PastDurations> {
    apps.iter().map(|status| (status.app.clone(), vec![Duration::from_mins(minutes); 5])).collect()
}

fn tonight(from: &str, until: &str) -> ForecastRequest {
    ForecastRequest { from: at(from), until: at(until), apps: None }
}

#[test]
fn a_window_ends_when_its_last_backup_does_and_tells_what_it_waited_for() {
    let fleet = fleet(vec![policy("gold", "0 2 * * *")], Limits { per_plan: 2, ..Limits::default() });
    let apps = apps("gold", 5);
    let past = took(&apps, 10);
    let forecast = forecast_of(&fleet, apps, &past, tonight("00:00", "12:00"));
    let window = &forecast.policies[0];
    assert_eq!((window.apps, window.backups), (5, 5));
    assert_eq!([window.first_due, window.last_begins, window.last_ends], ["02:00", "02:20", "02:30"].map(at));
    assert_eq!((window.longest_wait_s, window.waits_for), (1_200, Some(WaitsFor::Plan)));
    let end = "the last one ends at about 02:30 UTC on 29 Nov.";
    assert_eq!(forecast.sentence(), format!("In the next 12 hours 5 backups begin; {end}"));
    assert_eq!(
        chart(&forecast),
        [
            "UTC                                                  UNDER WAY  BEGIN",
            "11-29 00:00",
            "11-29 00:15",
            "11-29 00:30",
            "11-29 00:45",
            "11-29 01:00",
            "11-29 01:15",
            "11-29 01:30",
            "11-29 01:45",
            "11-29 02:00 ########################################         2      4",
            "11-29 02:15 ########################################         2      1",
            "11-29 02:30",
        ]
    );
}

#[test]
fn an_objective_is_missed_where_the_next_backup_ends_too_late() {
    let fleet = fleet(vec![policy("gold", "0 2 * * *")], Limits::default());
    let mut apps = apps("gold", 2);
    let past = took(&apps, 60);
    for (status, last_good_at) in apps.iter_mut().zip(["00:00", "01:30"]) {
        status.recovery_point_objective = Some(Duration::from_mins(150));
        status.last_good_at = Some(at(last_good_at));
    }
    let late = apps[0].app.clone();
    let forecast = forecast_of(&fleet, apps, &past, tonight("01:45", "04:00"));
    assert_eq!(forecast.missed_objectives, [MissedObjective { app: late, since: at("02:30") }]);
    let told = forecast.sentence();
    assert!(told.ends_with(" 1 app will be past the objective, even if all succeed."), "{told}");
}

#[test]
fn what_azures_daily_limit_skips_and_what_overlaps_is_told() {
    let policies = vec![policy("often", "0 * * * *"), policy("slow", "*/30 1 * * *")];
    let fleet = fleet(policies, Limits::default());
    let (often, slow) = (apps("often", 1), apps("slow", 1));
    let past = took(&often, 5).into_iter().chain(took(&slow, 45)).collect();
    let app = often[0].app.clone();
    let forecast = forecast_of(&fleet, [often, slow].concat(), &past, tonight("00:00", "23:59"));
    let beyond = BeyondDailyLimit { app, backups: 23, limit: 12 };
    assert_eq!(forecast.beyond_daily_limit, [beyond]);
    let slow = forecast.policies.iter().find(|window| window.policy.as_str() == "slow").unwrap();
    assert_eq!((slow.backups, slow.overlapping), (1, 1));
}

#[test]
fn a_larger_fleet_repeats_the_apps_on_plans_of_their_own() {
    let fleet = fleet(vec![policy("gold", "0 2 * * *")], Limits { per_plan: 1, ..Limits::default() });
    let apps = apps("gold", 2);
    let past = took(&apps, 10);
    let request = ForecastRequest { apps: Some(6), ..tonight("00:00", "12:00") };
    let forecast = forecast_of(&fleet, apps, &past, request);
    assert_eq!((forecast.apps, forecast.apps_without_history), (6, 0));
    assert_eq!(forecast.policies[0].last_ends, at("02:20"));
}

#[test]
fn without_history_a_backup_takes_as_long_as_the_others() {
    let fleet = fleet(vec![policy("gold", "0 2 * * *")], Limits::default());
    let apps = apps("gold", 3);
    let past = took(&apps[..1], 30);
    let forecast = forecast_of(&fleet, apps.clone(), &past, tonight("00:00", "12:00"));
    assert_eq!((forecast.apps_without_history, forecast.policies[0].last_ends), (2, at("02:30")));
    let none = forecast_of(&fleet, apps, &BTreeMap::new(), tonight("00:00", "12:00"));
    assert_eq!(none.policies[0].last_ends, at("02:05"));
}
