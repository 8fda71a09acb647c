use holdfast_model::retention::Keep;

use super::*;

const RULE: &str = "{ days = 30, keep_at_least = 1, dry_run = false }";

/// Slips in the rule, as those of [`MISTAKES`].
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        r"days = 30, ",
        r"",
        r"error: `policy.gold.retention` is missing `days`: expected a number of days, or a count such as `daily = 7`
  --> fleet.toml:18:1
   |
18 | retention       = { keep_at_least = 1, dry_run = false }
   | ^^^^^^^^^
",
    ),
    (
        r"days = 30, keep_at_least = 1",
        r"days = 0, keep_at_least = 0, weekly = 0",
        r"error: `policy.gold.retention`: keeps nothing, because all its numbers are 0
  --> fleet.toml:18:1
   |
18 | retention       = { days = 0, keep_at_least = 0, weekly = 0, dry_run = false }
   | ^^^^^^^^^
   = help: give a number of days, or a count such as `daily = 7`
",
    ),
    (
        r"keep_at_least = 1",
        r"dayly = 7",
        r"error: unknown key `dayly` in `policy.gold.retention`; did you mean `daily`?
  --> fleet.toml:18:32
   |
18 | retention       = { days = 30, dayly = …, dry_run = false }
   |                                ^^^^^
   = help: known here: days, keep_at_least, hourly, daily, weekly, monthly, yearly, dry_run
",
    ),
    (
        r"keep_at_least = 1",
        r"yearly = 2026",
        r"error: `policy.gold.retention.yearly`: expected a whole number from 0 to 100, found 2026
  --> fleet.toml:18:41
   |
18 | retention       = { days = 30, yearly = 2026, dry_run = false }
   |                                         ^^^^
",
    ),
    (
        r", dry_run = false",
        r"",
        r"warning: `policy.gold.retention`: is a dry run, which deletes nothing
  --> fleet.toml:18:1
   |
18 | retention       = { days = 30, keep_at_least = 1 }
   | ^^^^^^^^^
   = help: write `dry_run = false` to let it delete
",
    ),
];

/// The rule of the example with another table, and whether it was warned of.
fn read(table: &str) -> (Option<Retention>, bool) {
    let Checked { fleet, problems, .. } = look(&with(RULE, table));
    let rule = fleet.and_then(|fleet| fleet.policies[&PolicyName::new("gold")].retention);
    (rule, problems.iter().any(|p| p.severity == Severity::Warning && p.key == "policy.gold.retention"))
}

#[test]
fn every_number_of_the_rule_arrives() {
    let table = "{ days = 9, keep_at_least = 2, hourly = 24, daily = 7, weekly = 4, monthly = 12, yearly = 3, \
                 dry_run = false }";
    let keep = Keep { hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 3 };
    let rule = Retention { keep, dry_run: false, ..Retention::new(9, 2) };
    assert_eq!(read(table), (Some(rule), false));
}

#[test]
fn days_may_be_left_out_beside_a_count_of_periods() {
    let rule = Retention { keep: Keep { monthly: 12, ..Keep::default() }, ..Retention::new(0, 1) };
    assert_eq!(read("{ monthly = 12 }"), (Some(rule), true));
}

#[test]
fn a_rule_deletes_only_when_it_says_so() {
    assert_eq!(read("{ days = 30 }"), (Some(Retention::new(30, 1)), true));
    assert_eq!(read("{ days = 30, dry_run = true }"), (Some(Retention::new(30, 1)), true));
    assert_eq!(read(RULE), (Some(Retention { dry_run: false, ..Retention::new(30, 1) }), false));
}

#[test]
fn a_rule_whose_numbers_are_all_zero_is_refused_once() {
    for table in ["{ days = 0 }", "{ daily = 0 }", "{ days = 0, keep_at_least = 0, yearly = 0 }"] {
        let found = errors(&with(RULE, table));
        assert_eq!(found, ["18:1 `policy.gold.retention`: keeps nothing, because all its numbers are 0"]);
    }
    let last = Retention { dry_run: false, ..Retention::new(0, 1) };
    assert_eq!(read("{ days = 0, keep_at_least = 1, dry_run = false }"), (Some(last), false));
}

#[test]
fn an_invalid_number_is_one_error_and_a_missing_number_is_one() {
    for (table, expected) in [
        ("{ days = -1 }", "expected a whole number from 0 to 36500, found -1"),
        ("{ days = 36501 }", "expected a whole number from 0 to 36500, found 36501"),
        ("{ hourly = 10001 }", "expected a whole number from 0 to 10000, found 10001"),
        ("{ weekly = \"4\" }", "expected a whole number from 0 to 5200, found a text"),
        ("{ days = 1, dry_run = \"no\" }", "expected true or false, found a text"),
        ("{ day = 30 }", "unknown key `day` in `policy.gold.retention`; did you mean `days`?"),
        (
            "{ dry_run = false }",
            "is missing `days`: expected a number of days, or a count such as `daily = 7`",
        ),
        ("30", "expected a table such as { days = 30, monthly = 12, dry_run = false }, found a whole number"),
    ] {
        let found = errors(&with(RULE, table));
        assert!(found.len() == 1 && found[0].ends_with(expected), "{table}: {found:?}");
    }
}

#[test]
fn each_error_in_the_rule_is_reported_with_its_position() {
    for (line, replacement, expected) in MISTAKES {
        assert_eq!(after_mistake(line, replacement), *expected);
    }
}
