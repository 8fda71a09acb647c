use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::{BackupId, Timestamp, Zone, parse_timestamp};

mod laws;

static PARIS: LazyLock<Zone> = LazyLock::new(|| zone("Europe/Paris"));

fn zone(name: &str) -> Zone {
    Zone::bundled(name).unwrap()
}

fn at(time: &str) -> Timestamp {
    parse_timestamp(time).unwrap()
}

/// Only the last good one.
fn nothing() -> Retention {
    Retention::new(0, 0)
}

fn keeping(keep: Keep) -> Retention {
    Retention { keep, ..nothing() }
}

/// Good backups of ours, numbered in the order given.
fn good(times: &[&str]) -> Vec<Backup> {
    let backup = |(id, time): (i64, &&str)| Backup {
        id: BackupId(id),
        accepted_at: at(time),
        good: true,
        verified: false,
        held: false,
        ours: true,
    };
    (0..).zip(times).map(backup).collect()
}

/// The word for each backup, in the order the backups are given.
fn told(rule: &Retention, backups: &[Backup], zone: &Zone, now: &str) -> Vec<&'static str> {
    let decisions = decide(rule, backups, zone, at(now));
    let of = |backup: &Backup| decisions.iter().find(|(id, _)| *id == backup.id).unwrap().1.as_str();
    backups.iter().map(of).collect()
}

/// Checks a table of times and the words for them.
fn check(keep: Keep, zone: &Zone, table: &[(&str, &str)]) {
    let (times, words): (Vec<&str>, Vec<&str>) = table.iter().copied().unzip();
    assert_eq!(told(&keeping(keep), &good(&times), zone, "2100-01-01T00:00:00Z"), words, "{zone}");
}

#[test]
fn a_backup_of_each_night_thins_out_over_the_turn_of_the_year() {
    let keep = Keep { hourly: 0, daily: 3, weekly: 2, monthly: 3, yearly: 3 };
    let rule = Retention { keep, ..Retention::new(2, 1) };
    let first = at("2026-10-01T02:00:00Z");
    let nights: Vec<String> =
        (0..98).map(|day| crate::format_timestamp(first + chrono::TimeDelta::days(day))).collect();
    let nights = good(&nights.iter().map(String::as_str).collect::<Vec<_>>());
    let kept: Vec<_> = decide(&rule, &nights, &Zone::UTC, at("2027-01-06T12:00:00Z"))
        .into_iter()
        .filter(|(_, decision)| *decision != RetentionDecision::Delete)
        .map(|(id, decision)| (first + chrono::TimeDelta::days(id.0), decision.as_str()))
        .collect();
    let expected = [
        ("2027-01-06T02:00:00Z", "young"),
        ("2027-01-05T02:00:00Z", "young"),
        ("2027-01-04T02:00:00Z", "daily"),
        ("2027-01-03T02:00:00Z", "weekly"),
        ("2026-12-31T02:00:00Z", "monthly"),
        ("2026-11-30T02:00:00Z", "monthly"),
    ];
    assert_eq!(kept, expected.map(|(time, word)| (at(time), word)));
}

#[test]
fn a_period_without_a_backup_does_not_count() {
    let keep = Keep { monthly: 3, ..Keep::default() };
    check(
        keep,
        &Zone::UTC,
        &[
            ("2026-11-20T02:00:00Z", "last_good"),
            ("2026-05-31T02:00:00Z", "monthly"),
            ("2026-05-01T02:00:00Z", "delete"),
            ("2024-02-29T02:00:00Z", "monthly"),
            ("2023-02-28T02:00:00Z", "delete"),
        ],
    );
}

#[test]
fn the_week_of_new_year_is_one_week_and_the_53rd_of_its_year() {
    let keep = Keep { weekly: 9, ..Keep::default() };
    check(
        keep,
        &Zone::UTC,
        &[
            ("2027-01-04T00:00:00Z", "last_good"), // Monday of 2027-W01
            ("2027-01-03T23:59:59Z", "weekly"),    // Sunday of 2026-W53
            ("2027-01-01T02:00:00Z", "delete"),
            ("2026-12-28T00:00:00Z", "delete"), // Monday of 2026-W53
            ("2026-12-27T23:59:59Z", "weekly"), // Sunday of 2026-W52
            ("2026-01-01T02:00:00Z", "weekly"), // 2026-W01
            ("2025-12-29T00:00:00Z", "delete"), // Monday of 2026-W01
            ("2025-01-01T02:00:00Z", "weekly"), // 2025-W01
        ],
    );
}

#[test]
fn a_year_ends_when_the_clocks_of_the_zone_say_so() {
    let table = |old: &'static str| [("2026-12-31T23:30:00Z", "last_good"), ("2026-12-31T22:30:00Z", old)];
    for keep in [Keep { yearly: 2, ..Keep::default() }, Keep { monthly: 2, ..Keep::default() }] {
        let why = if keep.yearly > 0 { "yearly" } else { "monthly" };
        check(keep, &PARIS, &table(why));
        check(keep, &Zone::UTC, &table("delete"));
    }
}

#[test]
fn an_hour_that_is_repeated_when_clocks_are_set_back_is_two_hours() {
    let keep = Keep { hourly: 9, ..Keep::default() };
    check(
        keep,
        &PARIS,
        &[
            ("2026-10-25T01:50:00Z", "last_good"), // 02:50, winter
            ("2026-10-25T01:10:00Z", "delete"),    // 02:10, winter
            ("2026-10-25T00:50:00Z", "hourly"),    // 02:50, summer
            ("2026-10-25T00:10:00Z", "delete"),    // 02:10, summer
            ("2026-10-24T23:59:00Z", "hourly"),    // 01:59, summer
            ("2026-03-29T01:00:00Z", "hourly"),    // 03:00, summer: there was no 02:00
            ("2026-03-29T00:59:00Z", "hourly"),    // 01:59, winter
            ("2026-03-29T00:00:00Z", "delete"),    // 01:00, winter
        ],
    );
}

#[test]
fn days_of_23_and_25_hours_are_days() {
    let keep = Keep { daily: 9, ..Keep::default() };
    check(
        keep,
        &PARIS,
        &[
            ("2026-10-25T23:00:00Z", "last_good"), // 26 October, 00:00
            ("2026-10-25T22:59:00Z", "daily"),     // 25 October, 23:59
            ("2026-10-24T22:00:00Z", "delete"),    // 25 October, 00:00: 25 hours before its end
            ("2026-10-24T21:59:00Z", "daily"),     // 24 October, 23:59
            ("2026-03-29T22:00:00Z", "daily"),     // 30 March, 00:00
            ("2026-03-29T21:59:00Z", "daily"),     // 29 March, 23:59
            ("2026-03-28T23:00:00Z", "delete"),    // 29 March, 00:00: 23 hours before its end
        ],
    );
}

#[test]
fn a_day_that_begins_twice_is_one_day() {
    let keep = Keep { daily: 9, ..Keep::default() };
    check(
        keep,
        &zone("America/St_Johns"),
        &[
            ("2010-11-07T03:40:00Z", "last_good"), // the 7th, 00:10
            ("2010-11-07T02:40:00Z", "daily"), // the 6th, 23:10: one minute into the 7th clocks were set back
            ("2010-11-07T02:30:30Z", "delete"), // the 7th, 00:00:30
        ],
    );
}

#[test]
fn each_length_counts_for_itself_and_the_shortest_that_keeps_is_reported() {
    let keep = Keep { hourly: 1, daily: 2, weekly: 2, monthly: 1, yearly: 2 };
    check(
        keep,
        &Zone::UTC,
        &[
            ("2026-11-20T12:30:00Z", "last_good"),
            ("2026-11-20T12:00:00Z", "delete"),
            ("2026-11-19T12:00:00Z", "daily"),
            ("2026-11-18T12:00:00Z", "delete"),
            ("2026-11-13T12:00:00Z", "weekly"),
            ("2026-10-31T12:00:00Z", "delete"),
            ("2025-12-31T12:00:00Z", "yearly"),
        ],
    );
}

#[test]
fn a_backup_is_young_until_it_is_older_than_the_days_to_the_millisecond() {
    let backups = good(&["2026-11-20T00:00:00Z", "2026-11-10T00:00:00Z", "2026-11-09T23:59:59.999Z"]);
    let words = told(&Retention::new(10, 1), &backups, &Zone::UTC, "2026-11-20T00:00:00Z");
    assert_eq!(words, ["young", "young", "delete"]);
}

#[test]
fn the_newest_good_backups_are_kept_and_partial_backups_do_not_count() {
    let mut backups = good(&[
        "2026-11-05T02:00:00Z",
        "2026-11-04T02:00:00Z",
        "2026-11-03T02:00:00Z",
        "2026-11-02T02:00:00Z",
        "2026-11-01T02:00:00Z",
    ]);
    (backups[0].good, backups[2].good) = (false, false);
    let now = "2026-11-20T00:00:00Z";
    assert_eq!(
        told(&Retention::new(1, 2), &backups, &PARIS, now),
        ["delete", "last_good", "delete", "at_least", "delete"]
    );
    let keep = Keep { daily: 3, ..Keep::default() };
    assert_eq!(
        told(&keeping(keep), &backups, &PARIS, now),
        ["delete", "last_good", "delete", "daily", "daily"]
    );
}

#[test]
fn an_app_without_a_good_backup_keeps_its_last_partial_one() {
    let mut backups = good(&["2026-11-03T02:00:00Z", "2026-11-02T02:00:00Z", "2026-11-01T02:00:00Z"]);
    for backup in &mut backups {
        backup.good = false;
    }
    let now = "2026-11-20T00:00:00Z";
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["last_partial", "delete", "delete"]);
    backups[2].good = true;
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["delete", "delete", "last_good"]);
}

#[test]
fn what_is_held_or_not_ours_or_of_the_future_is_kept_and_only_the_held_stands_in_for_others() {
    let mut backups = good(&[
        "2026-11-20T00:00:00.001Z",
        "2026-11-19T00:00:00Z",
        "2026-11-18T00:00:00Z",
        "2026-11-17T00:00:00Z",
    ]);
    backups[1].ours = false;
    let now = "2026-11-20T00:00:00Z";
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["future", "not_ours", "last_good", "delete"]);
    backups[2].held = true;
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["future", "not_ours", "held", "delete"]);
}

#[test]
fn a_clock_that_is_years_behind_deletes_nothing() {
    let backups = good(&["2026-11-20T02:00:00Z", "2026-11-19T02:00:00Z"]);
    assert_eq!(told(&nothing(), &backups, &PARIS, "1970-01-01T00:00:00Z"), ["future", "future"]);
}

#[test]
fn a_number_of_a_kept_backup_is_not_deleted() {
    let mut backups = good(&["2026-11-20T02:00:00Z", "2024-11-19T02:00:00Z", "2024-11-18T02:00:00Z"]);
    backups[1].id = backups[0].id;
    let decisions = decide(&nothing(), &backups, &PARIS, at("2026-11-21T00:00:00Z"));
    let words: Vec<_> = decisions.iter().map(|(id, decision)| (id.0, decision.as_str())).collect();
    assert_eq!(words, [(0, "last_good"), (0, "same_number"), (2, "delete")]);
}

#[test]
fn a_rule_written_before_there_were_periods_keeps_what_it_kept_and_deletes_nothing() {
    let old: Retention = serde_json::from_str(r#"{"days":30,"keep_at_least":2}"#).unwrap();
    assert_eq!(old, Retention::new(30, 2));
    assert!(old.dry_run);
    let some: Retention = serde_json::from_str(r#"{"days":0,"keep_at_least":1,"keep":{"daily":7}}"#).unwrap();
    assert_eq!(some, Retention { keep: Keep { daily: 7, ..Keep::default() }, ..Retention::new(0, 1) });
    let new = Retention { dry_run: false, ..some };
    assert_eq!(serde_json::from_value::<Retention>(serde_json::to_value(new).unwrap()).unwrap(), new);
}

#[test]
fn the_last_verified_backup_stays_beside_newer_ones_that_nothing_verified() {
    let mut backups = good(&["2026-11-03T02:00:00Z", "2026-11-02T02:00:00Z", "2026-11-01T02:00:00Z"]);
    let now = "2026-12-03T00:00:00Z";
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["last_good", "delete", "delete"]);
    backups[1].verified = true;
    backups[2].verified = true;
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["last_good", "last_verified", "delete"]);
    backups[0].verified = true;
    assert_eq!(told(&nothing(), &backups, &PARIS, now), ["last_good", "delete", "delete"]);
}

#[test]
fn a_deletion_is_checked_against_its_rule_with_the_backups_that_are_left() {
    let backups = good(&["2026-11-03T02:00:00Z", "2026-11-02T02:00:00Z", "2026-11-01T02:00:00Z"]);
    let (now, oldest) = (at("2026-12-03T00:00:00Z"), backups[2]);
    let two = DeletionRule { retention: Retention::new(0, 2), timezone: "Europe/Paris".into() };
    assert_eq!(two.keeps(oldest, &backups[..2], now), None);
    assert_eq!(two.keeps(oldest, &backups[..1], now), Some(KeepReason::AtLeast));
    assert_eq!(two.keeps(oldest, &[], now), Some(KeepReason::LastGood));
}
