//! What holds for any rule, any history and any clock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::*;

/// Zones whose clocks do what a simple mind does not expect.
static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let names = [
        "UTC",
        "Europe/Paris",
        "America/St_Johns",    // clocks were set back over midnight
        "Australia/Lord_Howe", // by half an hour
        "Pacific/Apia",        // once left out a whole day
        "America/Havana",      // at midnight
    ];
    names.map(zone).to_vec()
});

fn zones() -> impl Strategy<Value = &'static Zone> {
    proptest::sample::select(ZONES.iter().collect::<Vec<_>>())
}

fn counts() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0_u32), 1..6_u32, Just(u32::MAX)]
}

/// Any rule, and often the rule that keeps the fewest backups.
fn rules() -> impl Strategy<Value = Retention> {
    prop_oneof![1 => Just(nothing()), 4 => rules_with_numbers()]
}

fn rules_with_numbers() -> impl Strategy<Value = Retention> {
    let days = prop_oneof![Just(0_u32), 0..20_u32, 0..900_u32, Just(u32::MAX)];
    (days, counts(), [counts(), counts(), counts(), counts(), counts()], any::<bool>()).prop_map(
        |(days, keep_at_least, [hourly, daily, weekly, monthly, yearly], dry_run)| Retention {
            days,
            keep_at_least,
            keep: Keep { hourly, daily, weekly, monthly, yearly },
            dry_run,
        },
    )
}

/// The middle of all histories: the days when Samoa left out a day.
fn middle() -> Timestamp {
    at("2011-12-31T12:00:00Z")
}

/// A time within hours, months or years of the middle.
fn times() -> impl Strategy<Value = Timestamp> {
    let minutes = prop_oneof![-300..300_i64, -90_000..90_000_i64, -1_500_000..1_500_000_i64];
    minutes.prop_map(|minutes| middle() + TimeDelta::minutes(minutes))
}

/// Backups with numbers of their own.
fn histories() -> impl Strategy<Value = Vec<Backup>> {
    let flags = [0.7, 0.5, 0.1, 0.9].map(prop::bool::weighted);
    proptest::collection::vec((times(), flags), 0..60).prop_map(|backups| {
        let backup = |(id, (accepted_at, [good, verified, held, ours])): (i64, (Timestamp, [bool; 4]))| {
            Backup { id: BackupId(id), accepted_at, good, verified, held, ours }
        };
        (0..).zip(backups).map(backup).collect()
    })
}

fn by_number(
    rule: &Retention,
    backups: &[Backup],
    zone: &Zone,
    now: Timestamp,
) -> BTreeMap<BackupId, RetentionDecision> {
    let all = decide(rule, backups, zone, now);
    assert_eq!(all.len(), backups.len(), "each has one decision");
    all.into_iter().collect()
}

fn deleted(rule: &Retention, backups: &[Backup], zone: &Zone, now: Timestamp) -> BTreeSet<BackupId> {
    let all = by_number(rule, backups, zone, now).into_iter();
    all.filter(|(_, decision)| *decision == RetentionDecision::Delete).map(|(id, _)| id).collect()
}

fn without(backups: &[Backup], gone: &BTreeSet<BackupId>) -> Vec<Backup> {
    backups.iter().filter(|backup| !gone.contains(&backup.id)).copied().collect()
}

/// The newest of ours that is not of the future and is as good as asked.
fn last(backups: &[Backup], now: Timestamp, good: bool) -> Option<&Backup> {
    let counts = |backup: &&Backup| backup.ours && backup.accepted_at <= now && backup.good == good;
    backups.iter().filter(counts).max_by_key(|backup| (backup.accepted_at, backup.id))
}

proptest! {
    #[test]
    fn what_must_never_go_never_goes(rule in rules(), backups in histories(), zone in zones(), now in times()) {
        let gone = deleted(&rule, &backups, zone, now);
        for backup in &backups {
            let young = now - backup.accepted_at <= TimeDelta::days(rule.days.into());
            if backup.held || !backup.ours || backup.accepted_at > now || young {
                prop_assert!(!gone.contains(&backup.id), "{backup:?}");
            }
        }
        let last = last(&backups, now, true).or(last(&backups, now, false));
        prop_assert!(last.is_none_or(|last| !gone.contains(&last.id)), "{last:?}");
    }

    #[test]
    fn no_more_is_kept_than_the_rule_counts(
        rule in rules(), backups in histories(), zone in zones(), now in times(),
    ) {
        let Keep { hourly, daily, weekly, monthly, yearly } = rule.keep;
        let counts = [rule.keep_at_least.max(1), hourly, daily, weekly, monthly, yearly];
        let most = counts.into_iter().fold(0, u32::saturating_add);
        let counted = by_number(&rule, &backups, zone, now).into_values().filter(|decision| {
            matches!(decision, RetentionDecision::Keep(why) if *why > KeepReason::Young)
        });
        // Once among all good backups, and once among the verified ones.
        prop_assert!(counted.count() as u64 <= 2 * u64::from(most));
    }

    #[test]
    fn deleting_what_may_go_lets_nothing_more_go(
        rule in rules(), backups in histories(), zone in zones(), now in times(),
    ) {
        let mut all = by_number(&rule, &backups, zone, now);
        let rest = without(&backups, &deleted(&rule, &backups, zone, now));
        all.retain(|_, decision| *decision != RetentionDecision::Delete);
        prop_assert_eq!(by_number(&rule, &rest, zone, now), all, "and nothing is kept for another reason");
    }

    #[test]
    fn deleting_as_time_goes_by_ends_where_deleting_at_the_end_does(
        rule in rules(), backups in histories(), zone in zones(), mut clock in proptest::collection::vec(times(), 1..8),
    ) {
        clock.sort();
        let mut gone = BTreeSet::new();
        for now in &clock {
            let taken: Vec<Backup> = backups.iter().filter(|backup| backup.accepted_at <= *now).copied().collect();
            gone.extend(deleted(&rule, &without(&taken, &gone), zone, *now));
            prop_assert_eq!(&gone, &deleted(&rule, &taken, zone, *now));
        }
    }

    #[test]
    fn what_may_go_may_go_for_good(
        rule in rules(), backups in histories(), zone in zones(), one in times(), other in times(),
    ) {
        let before = deleted(&rule, &backups, zone, one.min(other));
        prop_assert!(before.is_subset(&deleted(&rule, &backups, zone, one.max(other))));
    }

    #[test]
    fn a_rule_that_keeps_more_deletes_no_more(
        rule in rules(), more in rules(), backups in histories(), zone in zones(), now in times(),
    ) {
        let more = Retention {
            days: rule.days.max(more.days),
            keep_at_least: rule.keep_at_least.max(more.keep_at_least),
            keep: Keep {
                hourly: rule.keep.hourly.max(more.keep.hourly),
                daily: rule.keep.daily.max(more.keep.daily),
                weekly: rule.keep.weekly.max(more.keep.weekly),
                monthly: rule.keep.monthly.max(more.keep.monthly),
                yearly: rule.keep.yearly.max(more.keep.yearly),
            },
            dry_run: more.dry_run,
        };
        prop_assert!(deleted(&more, &backups, zone, now).is_subset(&deleted(&rule, &backups, zone, now)));
    }

    #[test]
    fn the_order_does_not_matter(
        rule in rules(),
        (backups, shuffled) in histories().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        numbers in 1..20_i64,
        zone in zones(),
        now in times(),
    ) {
        let shared = |all: Vec<Backup>| -> Vec<Backup> {
            all.into_iter().map(|backup| Backup { id: BackupId(backup.id.0 % numbers), ..backup }).collect()
        };
        prop_assert_eq!(decide(&rule, &backups, zone, now), decide(&rule, &shuffled, zone, now));
        let told = decide(&rule, &shared(backups), zone, now);
        prop_assert_eq!(&told, &decide(&rule, &shared(shuffled), zone, now));
        let (gone, kept): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, decision)| *decision == RetentionDecision::Delete);
        let kept: BTreeSet<BackupId> = kept.into_iter().map(|(id, _)| id).collect();
        prop_assert!(gone.iter().all(|(id, _)| !kept.contains(id)), "no number is kept and deleted");
    }

    #[test]
    fn a_hold_saves_its_own_backup_and_changes_nothing_else(
        rule in rules(), backups in histories(), zone in zones(), now in times(), chosen: prop::sample::Index,
    ) {
        prop_assume!(!backups.is_empty());
        let mut held = backups.clone();
        let chosen = chosen.index(held.len());
        held[chosen].held = true;
        let mut before = deleted(&rule, &backups, zone, now);
        before.remove(&held[chosen].id);
        prop_assert_eq!(deleted(&rule, &held, zone, now), before);
    }

    #[test]
    fn what_is_not_ours_or_of_the_future_stands_in_for_nothing(
        rule in rules(), backups in histories(), zone in zones(), now in times(),
    ) {
        let counts = |backup: &&Backup| backup.ours && backup.accepted_at <= now;
        let alone: Vec<Backup> = backups.iter().filter(counts).copied().collect();
        prop_assert_eq!(deleted(&rule, &alone, zone, now), deleted(&rule, &backups, zone, now));
    }

    #[test]
    fn no_unverified_backup_alone_replaces_a_verified_one(
        rule in rules(), backups in histories(), zone in zones(), now in times(),
    ) {
        let verified: Vec<Backup> = backups.iter().filter(|backup| backup.verified).copied().collect();
        let numbers: BTreeSet<BackupId> = verified.iter().map(|backup| backup.id).collect();
        let mut gone = deleted(&rule, &backups, zone, now);
        gone.retain(|id| numbers.contains(id));
        prop_assert!(gone.is_subset(&deleted(&rule, &verified, zone, now)));
    }

    #[test]
    fn with_fewer_backups_left_a_rule_lets_no_more_go(
        rule in rules(), backups in histories(), lost in histories(), zone in zones(), now in times(),
    ) {
        let lost: BTreeSet<BackupId> = lost.iter().map(|backup| BackupId(backup.id.0 * 2)).collect();
        let left = without(&backups, &lost);
        prop_assert!(deleted(&rule, &left, zone, now).is_subset(&deleted(&rule, &backups, zone, now)));
    }
}
