//! What is said about schedules, time zones and durations.

use super::*;

#[test]
fn each_slip_in_a_schedule_is_answered_with_what_to_write() {
    for (line, replacement, expected) in SLIPS {
        assert_eq!(after_mistake(line, replacement), *expected, "{replacement}");
    }
}

#[test]
fn newer_zone_data_of_the_system_decides_about_names() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("tzdata.zi"), "# version 2999a\n").unwrap();
    let source = Source { name: "fleet.toml".into(), text: with("Europe/Paris", "Europe/Rome") };
    let now = parse_timestamp("2026-11-23T12:00:00Z").unwrap();
    let zones = ZoneData::with_system(directory.path());
    let fleet = check_source(&source, &zones, Secrets::Leave, now).fleet.unwrap();
    let schedule = &fleet.policies[&PolicyName::new("gold")].schedule;
    assert_eq!(schedule.timezone.name(), "Europe/Rome", "the program's data fills the gaps of the system's");
}

#[test]
fn an_interval_that_a_change_of_the_clocks_leaves_out_is_a_warning() {
    for (crontab, expected) in [
        (
            "*/30 2 * * *",
            Some("does not run at 02:00 on 2027-03-28, when the clocks of Europe/Paris skip 02:00 to 03:00"),
        ),
        (
            "*/30 2 31 10 *",
            Some("runs twice at 02:00 on 2027-10-31, when the clocks of Europe/Paris repeat 02:00 to 03:00"),
        ),
        ("0,30 2 * * *", None),
        ("30 2 * * *", None),
    ] {
        let text = with("\"0 2 * * *\"", &format!("\"{crontab}\""))
            .replace("objective = \"26h\"", "objective = \"8784h\"");
        let text = text.replace("spread   = \"2h\"", "spread = \"1m\"");
        let problems = look(&text).problems;
        let told: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        let expected: Vec<String> =
            expected.iter().map(|expected| format!("`policy.gold.schedule`: {expected}")).collect();
        assert_eq!(told, expected, "{crontab}");
    }
}

#[test]
fn a_zone_whose_sign_is_reversed_is_a_warning() {
    for (zone, expected) in [
        ("Etc/GMT+2", Some("`Etc/GMT+2` is 2 hours behind UTC: the sign is reversed")),
        ("Etc/GMT-1", Some("`Etc/GMT-1` is 1 hour ahead of UTC: the sign is reversed")),
        ("Etc/GMT+0", None),
        ("Etc/GMT", None),
        ("Etc/UTC", None),
    ] {
        let problems = look(&with("Europe/Paris", zone)).problems;
        let told: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        let expected: Vec<String> =
            expected.iter().map(|expected| format!("`policy.gold.timezone`: {expected}")).collect();
        assert_eq!(told, expected, "{zone}");
        assert!(problems.iter().all(|problem| problem.severity == Severity::Warning));
    }
}

/// A text of the example, what stands in its place, and what is printed.
const SLIPS: &[(&str, &str, &str)] = &[
    (
        r#""0 2 * * *""#,
        r#""0 22-2 * * *""#,
        r#"error: `policy.gold.schedule`: `0 22-2 * * *` is not a cron schedule: the hour field has `22-2`, a range that ends before it begins; it takes 0 to 23
  --> fleet.toml:11:12
   |
11 | schedule = "0 22-2 * * *"
   |            ^^^^^^^^^^^^^^
   = help: write `22-23,0-2`
"#,
    ),
    (
        r#""0 2 * * *""#,
        r#""0 2 ? * 2-6""#,
        r#"error: `policy.gold.schedule`: `0 2 ? * 2-6` is not a cron schedule: `?` is not in cron
  --> fleet.toml:11:12
   |
11 | schedule = "0 2 ? * 2-6"
   |            ^^^^^^^^^^^^^
   = help: write `0 2 * * 1-5`; Sunday is 0 here, and 1 where `?` is written
"#,
    ),
    (
        r#""0 2 * * *""#,
        r#""0 0 2 * * *""#,
        r#"error: `policy.gold.schedule`: `0 0 2 * * *` is not a cron schedule: it has 6 fields; cron has five: minute hour day-of-month month day-of-week
  --> fleet.toml:11:12
   |
11 | schedule = "0 0 2 * * *"
   |            ^^^^^^^^^^^^^
   = help: write `0 2 * * *`; a schedule has no seconds
"#,
    ),
    (
        r#"timezone = "Europe/Paris""#,
        r#"timezone = "W. Europe Standard Time""#,
        r#"error: `policy.gold.timezone`: unknown time zone "W. Europe Standard Time"; did you mean `Europe/Berlin`?
  --> fleet.toml:12:12
   |
12 | timezone = "W. Europe Standard Time"
   |            ^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: this is a name of Windows; Holdfast takes the names of the IANA database
"#,
    ),
    (
        r#"timezone = "Europe/Paris""#,
        r#"timezone = "GMT+2""#,
        r#"error: `policy.gold.timezone`: unknown time zone "GMT+2"; did you mean `Etc/GMT-2`?
  --> fleet.toml:12:12
   |
12 | timezone = "GMT+2"
   |            ^^^^^^^
   = help: `Etc/GMT-2` is 2 hours ahead of UTC all year: its sign is reversed. A place, such as "Europe/Paris", follows the clock changes
"#,
    ),
    (
        r#"catch_up = "6h""#,
        r#"catch_up = "5M""#,
        r#"error: `policy.gold.catch_up`: expected a duration such as "90s", "2h" or "1h 30m", found "5M"
  --> fleet.toml:14:12
   |
14 | catch_up = "5M"
   |            ^^^^
   = help: `M` stands for months, which have no fixed length: write `5m` for minutes, or days, such as `150d`
"#,
    ),
];
