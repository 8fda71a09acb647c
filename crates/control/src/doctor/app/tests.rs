use std::collections::BTreeMap;

use holdfast_arm::{Grant, Operation};
use holdfast_model::schedule::Schedule;
use holdfast_model::{
    AppId, DatabaseKind, DatabaseRef, PolicyName, PolicySnapshot, StorageName, parse_timestamp,
};

use super::super::finding::FindingSeverity as Found;
use super::*;

fn now() -> Timestamp {
    parse_timestamp("2026-11-23T12:00:00Z").unwrap()
}

fn policy(crontab: &str) -> Policy {
    let schedule = Schedule {
        crontab: crontab.parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    };
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    Policy::new(PolicyName::new("gold"), schedule, snapshot)
}

fn facts(slot: Option<&str>, tier: &str) -> AppFacts {
    let id = AppId::new("s", "g", "shop", slot);
    let site = Site {
        id: id.clone(),
        location: "westeurope".into(),
        plan: None,
        kind: None,
        state: Some("Running".into()),
        tier: Some(tier.into()),
        operation: None,
        hosts: Vec::new(),
        tags: BTreeMap::new(),
    };
    let all = Grant { actions: vec!["*".into()], not_actions: Vec::new() };
    AppFacts {
        app: App::new(id),
        site: Ok(site),
        backups: Ok(Vec::new()),
        schedule: Ok(None),
        permissions: Ok(Permissions { grants: vec![all] }),
    }
}

/// The findings that are not `Ok`.
fn problems(facts: &AppFacts, crontab: &str) -> Vec<(&'static str, Found, String)> {
    let found = facts.check(Some(&policy(crontab)), now()).into_iter();
    found.filter(|f| f.severity != Found::Ok).map(|f| (f.check, f.severity, f.says)).collect()
}

#[test]
fn an_app_that_can_be_backed_up_has_no_bad_finding() {
    assert_eq!(problems(&facts(None, "Standard"), "0 */2 * * *"), []);
    assert_eq!(problems(&facts(Some("staging"), "PremiumV3"), "0 * * * *"), []);
}

#[test]
fn a_tier_without_backups_is_a_failure() {
    for (slot, tier) in [(None, "Free"), (Some("staging"), "Basic")] {
        let found = problems(&facts(slot, tier), "0 2 * * *");
        assert_eq!((found[0].0, found[0].1), ("tier", Found::Fail), "{tier}: {found:?}");
    }
}

#[test]
fn the_daily_limit_counts_azures_own_schedule_too() {
    let native = NativeSchedule {
        enabled: true,
        every: 6,
        unit: FrequencyUnit::Hour,
        retention_days: 30,
        keep_at_least_one: true,
        start: None,
    };
    let found = |schedule| Ok(Some(FoundSchedule { schedule, storage_url: None, databases: Vec::new() }));
    let both = AppFacts { schedule: found(native.clone()), ..facts(None, "Standard") };
    let told = problems(&both, "0 */2 * * *");
    assert_eq!((told[0].0, told[0].1), ("daily limit", Found::Fail), "{told:?}");
    assert!(told[0].2.contains("up to 12 backups a day and 4 by Azure's own schedule, of the 12"));
    let off = NativeSchedule { enabled: false, ..native };
    assert_eq!(problems(&AppFacts { schedule: found(off), ..facts(None, "Standard") }, "0 */2 * * *"), []);
}

#[test]
fn the_busiest_day_counts() {
    let at = |hours: i64| now() + TimeDelta::hours(hours);
    assert_eq!(most_in_a_day(&[]), 0);
    assert_eq!(most_in_a_day(&[at(0), at(24), at(30), at(47), at(48)]), 3);
}

#[test]
fn an_app_that_does_not_exist_is_one_finding() {
    let gone = || Error::new(Operation::GetSite, "shop", ErrorKind::NotFound, "azure answered 404");
    let found =
        problems(&AppFacts { site: Err(gone()), backups: Err(gone()), ..facts(None, "Basic") }, "0 2 * * *");
    assert_eq!(found, [("app", Found::Fail, "Azure has no such app".to_owned())]);
}

#[test]
fn the_end_of_database_backups_is_a_warning_a_year_before() {
    let mut with = facts(None, "Standard");
    with.app.databases = vec![DatabaseRef {
        kind: DatabaseKind::SqlAzure,
        name: "orders".into(),
        connection_string: Some("env:ORDERS".into()),
        connection_string_name: None,
    }];
    for (time, severity) in [
        ("2026-11-23T12:00:00Z", Found::Ok),
        ("2027-06-01T12:00:00Z", Found::Warn),
        ("2028-04-01T12:00:00Z", Found::Fail),
    ] {
        let found = with.check(Some(&policy("0 2 * * *")), parse_timestamp(time).unwrap());
        let databases = found.iter().find(|finding| finding.check == "databases").unwrap();
        assert_eq!(databases.severity, severity, "{time}");
    }
}
