use holdfast_model::{FrequencyUnit, NativeSchedule};

use super::*;

fn with_schedule(table: &str) -> String {
    with("storage  = \"weu\"", &format!("storage  = \"weu\"\nnative_schedule = {table}"))
}

fn read(table: &str) -> NativeSchedule {
    let Checked { fleet, problems, .. } = look(&with_schedule(table));
    let fleet = fleet.unwrap_or_else(|| panic!("{problems:#?}"));
    fleet.policies[&PolicyName::new("gold")].native_schedule.clone().unwrap()
}

#[test]
fn every_key_of_azures_own_schedule_arrives_and_the_others_have_defaults() {
    let weekly = NativeSchedule::days(7);
    assert_eq!(read("{ every = \"7 days\" }"), weekly);
    let table = "{ every = \"12 hours\", retention_days = 0, keep_at_least_one = false, \
                 start = \"2026-12-01T02:00:00Z\", enabled = false }";
    let start = parse_timestamp("2026-12-01T02:00:00Z").ok();
    let (every, unit) = (12, FrequencyUnit::Hour);
    let other =
        NativeSchedule { enabled: false, every, unit, retention_days: 0, keep_at_least_one: false, start };
    assert_eq!(read(table), other);
}

#[test]
fn a_slip_in_it_is_one_error_and_leaves_no_half_of_a_schedule() {
    for (table, expected) in [
        ("{ retention_days = 30 }", "such as \"7 days\" or \"12 hours\""),
        ("{ every = \"24 hours\" }", "such as \"7 days\" or \"12 hours\", found \"24 hours\""),
        ("{ every = 7 }", "such as \"7 days\" or \"12 hours\", found a whole number"),
        ("{ every = \"1 day\", retention_day = 3 }", "did you mean `retention_days`?"),
        ("{ every = \"1 day\", retention_days = -1 }", "expected a whole number from 0 to 36500, found -1"),
        ("{ every = \"1 day\", enabled = \"yes\" }", "expected true or false, found a text"),
        (
            "{ every = \"1 day\", start = \"tomorrow\" }",
            "expected a time such as \"2026-12-01T02:00:00Z\", found \"tomorrow\"",
        ),
        ("\"7 days\"", "expected a table such as { every = \"7 days\", retention_days = 30 }, found a text"),
    ] {
        let Checked { fleet, problems, .. } = look(&with_schedule(table));
        let found: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
        assert!(fleet.is_none() && found.len() == 1, "{table}: {found:#?}");
        assert!(found[0].message.contains(expected), "{table}: {found:#?}");
    }
}

#[test]
fn a_backup_each_hour_is_warned_of() {
    let warned = |table| {
        let problems = look(&with_schedule(table)).problems;
        problems
            .iter()
            .any(|p| p.severity == Severity::Warning && p.key == "policy.gold.native_schedule.every")
    };
    assert!(warned("{ every = \"1 hour\" }"));
    assert!(!warned("{ every = \"2 hours\" }"));
}
