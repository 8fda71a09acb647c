//! Azure's own schedules, the end of linked databases, and the limit of a day.

use holdfast_model::parse_timestamp;
use holdfast_simulator::{Azure, Config, Faults, Method, Response};
use serde_json::{Value, json};

use crate::support::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn put(azure: &mut Azure, at: u64, enabled: bool, start_time: &Value, retention_days: u32) -> Response {
    let schedule = json!({"frequencyInterval": 1, "frequencyUnit": "Day", "keepAtLeastOneBackup": true,
        "retentionPeriodInDays": retention_days, "startTime": start_time});
    let properties = json!({"storageAccountUrl": good_url(), "enabled": enabled, "backupSchedule": schedule});
    let put = request(Method::Put, &format!("{}/config/backup", app("shop")));
    call(azure, after(at), put.with_body(json!({ "properties": properties }).to_string()))
}

fn configuration(azure: &mut Azure, at: u64) -> Response {
    call(azure, after(at), request(Method::Post, &format!("{}/config/backup/list", app("shop"))))
}

fn listed(azure: &mut Azure, at: u64) -> Vec<Value> {
    let list = call(azure, after(at), get(&format!("{}/backups", app("shop"))));
    body(&list)["value"].as_array().unwrap().iter().map(|item| item["properties"].clone()).collect()
}

#[test]
fn enabling_a_schedule_fires_a_backup_at_once_and_then_by_its_frequency() {
    let mut azure = azure();
    let answer = put(&mut azure, 0, true, &Value::Null, 0);
    // The configuration, as the specification has it; before 2020 nothing, as recorded.
    assert_eq!((answer.status, &body(&answer)["properties"]["enabled"]), (200, &json!(true)));
    let facts = body(&configuration(&mut azure, 5))["properties"].clone();
    assert_eq!(facts["backupSchedule"]["startTime"], "2026-06-01T12:00:00");
    assert_eq!(facts["backupSchedule"]["lastExecutionTime"], "2026-06-01T12:00:01");
    for (key, value) in [
        ("name", json!("shop")),
        ("backupName", json!("shop")),
        ("type", json!("Default")),
        ("enabled", json!(true)),
        ("storageAccountUrl", json!(good_url())),
        ("databases", Value::Null),
    ] {
        assert_eq!(facts[key], value, "{key}");
    }
    let backups = listed(&mut azure, HOUR);
    assert_eq!(backups.len(), 1);
    assert_eq!((&backups[0]["scheduled"], &backups[0]["status"]), (&json!(true), &json!("Succeeded")));
    assert_eq!(backups[0]["blobName"], "shop_202606011200.zip");
    assert_eq!(listed(&mut azure, 3 * DAY + HOUR).len(), 4);
    put(&mut azure, 3 * DAY + HOUR, true, &Value::Null, 0);
    assert_eq!(listed(&mut azure, 3 * DAY + 2 * HOUR).len(), 5);
    assert_eq!((azure.counters().schedule_puts, azure.counters().scheduled_backups), (2, 5));
    assert!(azure.accepted_posts().is_empty());
}

#[test]
fn a_future_start_is_waited_for_and_a_disabled_or_removed_schedule_does_nothing() {
    let mut azure = azure();
    put(&mut azure, 0, true, &json!("2026-06-03T12:00:00"), 0);
    assert_eq!(listed(&mut azure, DAY).len(), 0);
    assert_eq!(listed(&mut azure, 2 * DAY + HOUR).len(), 1);
    put(&mut azure, 2 * DAY + HOUR, false, &Value::Null, 0);
    assert_eq!(listed(&mut azure, 9 * DAY).len(), 1);
    put(&mut azure, 9 * DAY, true, &Value::Null, 0);
    let delete = request(Method::Delete, &format!("{}/config/backup", app("shop")));
    for _ in 0..2 {
        assert_eq!(call(&mut azure, after(9 * DAY), delete.clone()).status, 200);
    }
    assert_eq!(listed(&mut azure, 20 * DAY).len(), 1);
    let none = configuration(&mut azure, 20 * DAY);
    let entity = body(&none)["Details"][2]["ErrorEntity"].clone();
    assert_eq!((none.status, &entity["ExtendedCode"]), (404, &json!("04211")));
    let message = "Backup configuration not found for site 'shop' with slot 'Production'";
    assert_eq!(body(&none)["Message"], message);
}

#[test]
fn azures_retention_takes_scheduled_backups_alone() {
    let mut azure = azure();
    ended(&mut azure, &app("shop"), "hf-1");
    put(&mut azure, HOUR, true, &Value::Null, 2);
    let backups = listed(&mut azure, 10 * DAY + 2 * HOUR);
    let scheduled = backups.iter().filter(|backup| backup["scheduled"] == true).count();
    assert_eq!((backups.len(), scheduled), (4, 3), "{backups:?}");
    assert!(blob(&mut azure, after(10 * DAY + 2 * HOUR), "hf-1.zip").is_some());
    assert_eq!(blob(&mut azure, after(10 * DAY + 2 * HOUR), "shop_202606011300.zip"), None);
    assert_eq!(azure.counters().retired_backups, 8);
}

#[test]
fn a_busy_app_is_backed_up_by_its_schedule_a_little_later() {
    let mut azure = azure();
    started(&mut azure, start(), &app("shop"), "hf-1");
    put(&mut azure, 0, true, &Value::Null, 0);
    assert_eq!(listed(&mut azure, 2 * HOUR).len(), 2);
    assert_eq!(azure.counters().most_at_once_per_app, 1);
}

#[test]
fn a_schedule_is_taken_as_the_azure_cli_writes_it() {
    let mut azure = azure();
    let schedule = json!({"frequencyInterval": "3", "frequencyUnit": "day", "keepAtLeastOneBackup": "True",
        "retentionPeriodInDays": "10", "startTime": null});
    let properties = json!({"storageAccountUrl": good_url(), "enabled": "true", "backupSchedule": schedule});
    let target = format!("{}/config/backup", app("shop"));
    let put = request(Method::Put, &target).with_body(json!({ "properties": properties }).to_string());
    assert_eq!(call(&mut azure, after(0), put).status, 200);
    let facts = body(&configuration(&mut azure, 5))["properties"].clone();
    let schedule = &facts["backupSchedule"];
    assert_eq!((&facts["enabled"], &schedule["frequencyInterval"]), (&json!(true), &json!(3)));
    assert_eq!(
        (&schedule["frequencyUnit"], &schedule["retentionPeriodInDays"], &schedule["keepAtLeastOneBackup"]),
        (&json!("Day"), &json!(10), &json!(true))
    );
}

#[test]
fn a_start_with_a_zone_is_ignored() {
    for start in ["2026-06-03T12:00:00Z", "2026-06-03T12:00:00+02:00"] {
        let mut azure = azure();
        put(&mut azure, 0, true, &json!(start), 0);
        let facts = body(&configuration(&mut azure, 5))["properties"].clone();
        assert_eq!(facts["backupSchedule"]["startTime"], "2026-06-01T12:00:00", "{start}");
    }
}

#[test]
fn a_schedule_that_makes_no_sense_is_refused() {
    let mut azure = azure();
    for (key, value) in [
        ("frequencyInterval", json!(0)),
        ("frequencyInterval", json!("seven")),
        ("frequencyUnit", json!("week")),
        ("keepAtLeastOneBackup", json!("perhaps")),
        ("startTime", json!("soon")),
    ] {
        let mut schedule = json!({"frequencyInterval": 1, "frequencyUnit": "Day", "keepAtLeastOneBackup": true,
            "retentionPeriodInDays": 1});
        schedule[key] = value;
        let properties = json!({"storageAccountUrl": "x", "enabled": true, "backupSchedule": schedule});
        let put = request(Method::Put, &format!("{}/config/backup", app("shop")));
        let put = put.with_body(json!({ "properties": properties }).to_string());
        assert_eq!(call(&mut azure, start(), put).status, 400, "{key}");
    }
    assert_eq!(azure.counters().schedule_puts, 0);
}

/// The databases and the log of a backup that was asked for one.
fn databases_of(config: Config) -> (Value, String) {
    let mut azure = Azure::new(config, 1).unwrap();
    let properties = json!({"backupName": "hf-1", "storageAccountUrl": good_url(),
        "databases": [{"databaseType": "SqlAzure", "name": "shop", "connectionString": "hush"}]});
    let post = request(Method::Post, &format!("{}/backup", app("shop")));
    let answer = call(&mut azure, start(), post.with_body(json!({ "properties": properties }).to_string()));
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    let backup = shown(&mut azure, after(3_000), &app("shop"), id);
    assert_eq!(backup["status"], "Succeeded");
    (backup["databases"].clone(), backup["log"].as_str().unwrap().to_owned())
}

#[test]
fn from_a_day_on_backups_succeed_without_their_databases() {
    let (databases, log) = databases_of(config());
    assert_eq!((&databases[0]["databaseType"], &databases[0]["name"]), (&json!("SqlAzure"), &json!("shop")));
    assert_eq!(log, "");
    let over = Config { drop_databases_from: Some(start()), ..config() };
    let fault = Config { faults: Faults { databases_dropped: 1.0, ..Faults::none() }, ..config() };
    for config in [over, fault] {
        let (databases, log) = databases_of(config);
        assert_eq!(databases, Value::Null);
        assert!(log.contains("databases"), "{log}");
    }
    assert_eq!(config().drop_databases_from, parse_timestamp("2028-03-31T00:00:00Z").ok());
}

#[test]
fn backups_beyond_those_of_a_day_are_skipped_when_the_limit_is_on() {
    for (tier, limited, made) in [("Standard", true, 12), ("PremiumV3", true, 14), ("Standard", false, 14)] {
        let mut config = Config { limits_backups_per_day: limited, ..config() };
        config.fleet.sites = vec![site("shop", None, tier)];
        config.pace.backup_median = std::time::Duration::from_secs(1);
        let mut azure = Azure::new(config, 1).unwrap();
        for i in 0..14 {
            started(&mut azure, after(i * 60), &app("shop"), &format!("hf-{i}"));
        }
        let done = |azure: &mut Azure, at| {
            azure.advance(after(at));
            azure.counters().ends.get("succeeded").copied()
        };
        assert_eq!(done(&mut azure, HOUR), Some(made), "{tier}");
        started(&mut azure, after(DAY), &app("shop"), "hf-next");
        assert_eq!(done(&mut azure, DAY + HOUR), Some(made + 1), "{tier}");
    }
}
