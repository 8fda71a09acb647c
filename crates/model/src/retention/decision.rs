//! Which backups may go, and why the others stay.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::Retention;
use super::period::Length;
use crate::{BackupId, Timestamp};

/// A backup as retention sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Azure's number for it.
    pub id: BackupId,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// Whether the policy counts it as good: a whole one, or a partial one where that is enough.
    pub good: bool,
    /// Whether somebody asked that it be kept.
    pub held: bool,
    /// Whether we took it.
    pub ours: bool,
}

/// What becomes of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionDecision {
    /// It stays.
    Keep(KeepReason),
    /// Nothing keeps it.
    Delete,
}

/// What keeps a backup. Where several reasons hold, the first of this list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeepReason {
    /// We did not take it.
    NotOurs,
    /// It is newer than the clock: one of the two is wrong, and a wrong clock deletes nothing.
    Future,
    /// Somebody asked that it be kept.
    Held,
    /// It is no older than the rule's days.
    Young,
    /// It is the last good one.
    LastGood,
    /// It is one of the newest good ones that are kept at least.
    AtLeast,
    /// It is the last good one of its hour.
    Hourly,
    /// It is the last good one of its day.
    Daily,
    /// It is the last good one of its week.
    Weekly,
    /// It is the last good one of its month.
    Monthly,
    /// It is the last good one of its year.
    Yearly,
    /// It is the last one of an app that has no good one.
    LastPartial,
    /// A backup that is kept bears the same number: who deletes one by its number may hit the other.
    SameNumber,
}

impl RetentionDecision {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep(why) => why.as_str(),
            Self::Delete => "delete",
        }
    }
}

impl KeepReason {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Future => "future",
            Self::Held => "held",
            Self::Young => "young",
            Self::LastGood => "last_good",
            Self::AtLeast => "at_least",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
            Self::LastPartial => "last_partial",
            Self::SameNumber => "same_number",
        }
    }
}

/// A backup and what keeps it so far.
struct Judged {
    backup: Backup,
    why: Option<KeepReason>,
}

impl Judged {
    fn keep(&mut self, why: KeepReason) {
        self.why = Some(self.why.map_or(why, |before| before.min(why)));
    }
}

/// The decision of each backup of one app, the newest first.
///
/// Days, weeks, months and years are those of `zone`. Whether the decisions are carried out or only told
/// ([`Retention::dry_run`]) makes no difference here.
pub fn decide(
    rule: &Retention,
    backups: &[Backup],
    zone: Tz,
    now: Timestamp,
) -> Vec<(BackupId, RetentionDecision)> {
    let mut judged: Vec<Judged> = backups.iter().map(|&backup| Judged { backup, why: None }).collect();
    judged.sort_by_key(|Judged { backup: b, .. }| Reverse((b.accepted_at, b.id, b.good, b.held, b.ours)));
    for judged in &mut judged {
        if let Some(why) = kept_by_itself(rule, &judged.backup, now) {
            judged.keep(why);
        }
    }
    keep_among(rule, &mut judged, zone, now);
    let numbers: BTreeSet<BackupId> =
        judged.iter().filter(|judged| judged.why.is_some()).map(|judged| judged.backup.id).collect();
    let decision = |Judged { backup, why }: Judged| {
        let why = why.or_else(|| numbers.contains(&backup.id).then_some(KeepReason::SameNumber));
        (backup.id, why.map_or(RetentionDecision::Delete, RetentionDecision::Keep))
    };
    judged.into_iter().map(decision).collect()
}

/// What keeps a backup whatever others there are.
fn kept_by_itself(rule: &Retention, backup: &Backup, now: Timestamp) -> Option<KeepReason> {
    if !backup.ours {
        Some(KeepReason::NotOurs)
    } else if backup.accepted_at > now {
        Some(KeepReason::Future)
    } else if backup.held {
        Some(KeepReason::Held)
    } else {
        (now - backup.accepted_at <= TimeDelta::days(rule.days.into())).then_some(KeepReason::Young)
    }
}

/// Keeps what is the newest of something. Those that are not ours may vanish at any time, and those of the future may
/// be mistakes, so neither stands in for another. A held one does as it would without the hold: to hold one backup
/// changes the decision of no other.
fn keep_among(rule: &Retention, judged: &mut [Judged], zone: Tz, now: Timestamp) {
    let (mut good, mut partial): (Vec<_>, Vec<_>) = judged
        .iter_mut()
        .filter(|judged| judged.backup.ours && judged.backup.accepted_at <= now)
        .partition(|judged| judged.backup.good);
    let Some(last) = good.first_mut() else {
        if let Some(last) = partial.first_mut() {
            last.keep(KeepReason::LastPartial);
        }
        return;
    };
    last.keep(KeepReason::LastGood);
    for (_, judged) in (0..rule.keep_at_least).zip(&mut good) {
        judged.keep(KeepReason::AtLeast);
    }
    for length in Length::ALL {
        let (count, why) = length.kept(rule.keep);
        let mut seen = BTreeSet::new();
        let mut begins_a_period = |at| seen.insert(length.period(at, zone));
        let newest = good.iter_mut().filter(|judged| begins_a_period(judged.backup.accepted_at));
        for (_, judged) in (0..count).zip(newest) {
            judged.keep(why);
        }
    }
}
