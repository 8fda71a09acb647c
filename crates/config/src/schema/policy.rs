//! The keys of `[policy.NAME]` and `[defaults]`.

use holdfast_model::{PolicySnapshot, PollPace, Retries, Retry, StorageName, format_duration};
use serde_json::{Map, Value, json};

use super::keys::{Table, arm_id, choice, count, duration, flag, or_none, percent, table, tags, text, url};
use crate::policy::CATCH_UP;
use crate::retention::PERIODS;

/// `[policy.NAME]`.
pub fn policy() -> Table {
    table("What an app is owed. A key that it does not have comes from the policy that it extends, then from [defaults].")
        .key("extends", text("The name of the policy to inherit from."))
        .with(keys())
}

/// `[defaults]`.
pub fn defaults() -> Table {
    table("Keys of policies that apply where a policy neither says nor inherits another value.").with(keys())
}

fn keys() -> Map<String, Value> {
    let snapshot = PolicySnapshot::new(StorageName::new(""), "");
    table("")
        .key("schedule", text("When backups are taken: the five fields of crontab(5), or @hourly, @daily, @weekly, @monthly, @yearly."))
        .key("timezone", text("The IANA zone of the schedule, such as \"Europe/Paris\".").default("UTC"))
        .key("spread", duration("The span over which the apps of one tick are spread.").default("0s"))
        .key("catch_up", duration("How late a missed tick is still run.").lasts(CATCH_UP))
        .key("overlap", choice("Whether a tick is skipped or waits while a run of the app is under way.", &["skip", "queue"]).default("skip"))
        .key("deadline", duration("How long a run may take.").lasts(snapshot.deadline))
        .key("storage", text("The name of the [storage.NAME] to back up into."))
        .key("recovery_point_objective", or_none(duration("The greatest age of the newest good backup.")))
        .key("tags", or_none(tags("Tags of the policy's apps, beside those that they have themselves; those that are inherited too.")))
        .key("retention", or_none(retention()))
        .key("drill", or_none(drill()))
        .key("native_schedule", or_none(native_schedule()))
        .key("retry", retries(&snapshot.retries))
        .key("poll", poll(snapshot.poll))
        .key("shrink_tolerance", percent("A backup that is smaller than the last good one by more than this is not trusted.").default(format!("{}%", snapshot.shrink_tolerance_percent)))
        .key("partial_is_good", flag("Whether a backup with missing files counts for the objective.").default(snapshot.partial_is_good))
        .key("verify", flag("Whether Holdfast can reach the storage; false behind a firewall.").default(snapshot.verify))
        .into_keys()
}

fn retention() -> Table {
    let periods = table("How long backups are kept: a number of days, or counts of periods.")
        .key("days", count("Days that each backup is kept.", 0..=36_500))
        .key("keep_at_least", count("Good backups that are kept whatever their age.", 0..=10_000).default(1));
    let periods = PERIODS.iter().fold(periods, |table, (key, most)| {
        table.key(key, count(&format!("How many {key} backups are kept."), 0..=*most))
    });
    periods.key("dry_run", flag("Whether nothing is deleted, and only told.").default(true))
}

fn drill() -> Table {
    table("How often a backup is restored into a scratch app.")
        .required("every", duration("The interval, at least 1h."))
        .required(
            "into",
            arm_id("The ARM id of the scratch app or slot, which is in no policy: all in it is replaced."),
        )
        .key("probe", url("An https address that must answer afterwards."))
}

fn native_schedule() -> Table {
    table("A schedule that Azure runs itself.")
        .required("every", text("A number of days, or 1 to 23 hours, such as \"7 days\" or \"12 hours\"."))
        .key(
            "retention_days",
            count("Days that Azure keeps its backups; 0 for ever.", 0..=36_500).default(30),
        )
        .key("keep_at_least_one", flag("Whether Azure keeps the newest whatever its age.").default(true))
        .key("start", text("When it begins, such as \"2026-12-01T02:00:00Z\"."))
        .key("enabled", flag("Whether Azure runs it.").default(true))
}

fn retries(Retries { timed_out, skipped, partial, transient, .. }: &Retries) -> Table {
    table("How often a run is tried, by the way that an attempt ends.")
        .key("timed_out", retry("attempts that time out", *timed_out))
        .key("skipped", retry("backups that Azure skips", *skipped))
        .key("partial", retry("backups with missing files", *partial))
        .key("transient", retry("all other failures", *transient))
}

fn retry(of: &str, Retry { attempts, first, max }: Retry) -> Value {
    let form = table(&format!("For {of}."))
        .key("attempts", count("Attempts in all.", 1..=100))
        .key("first", duration("The first pause between two."))
        .key("max", duration("The longest pause."));
    let usual = json!({ "attempts": attempts, "first": format_duration(first), "max": format_duration(max) });
    with_default(form, usual)
}

fn poll(PollPace { first, max }: PollPace) -> Value {
    let form = table("The pauses between two looks at the state of a backup.")
        .key("first", duration("The first pause."))
        .key("max", duration("The longest pause."));
    with_default(form, json!({ "first": format_duration(first), "max": format_duration(max) }))
}

fn with_default(form: Table, value: Value) -> Value {
    let mut form = Value::from(form);
    form["default"] = value;
    form
}
