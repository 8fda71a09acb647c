//! Which backups retention deletes, and why it keeps the others.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::Retention;
use super::keep_reason::KeepReason;
use super::period::Length;
use crate::{BackupId, Timestamp, Zone};

/// The part of a backup that retention decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts about one backup")]
pub struct Backup {
    /// Azure's number for it.
    pub id: BackupId,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// Whether the policy counts it as good: complete, or partial where the policy accepts that.
    pub good: bool,
    /// Whether its blob was read and is whole.
    pub verified: bool,
    /// Whether a hold protects it.
    pub held: bool,
    /// Whether it is in the catalog and will stay: neither foreign nor being deleted.
    pub ours: bool,
}

/// What retention decides about a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionDecision {
    /// It is kept.
    Keep(KeepReason),
    /// No rule keeps it.
    Delete,
}

impl RetentionDecision {
    /// The name in rows and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep(why) => why.as_str(),
            Self::Delete => "delete",
        }
    }
}

/// A backup and the reason found so far to keep it.
struct Candidate {
    backup: Backup,
    why: Option<KeepReason>,
}

impl Candidate {
    fn keep(&mut self, why: KeepReason) {
        self.why = Some(self.why.map_or(why, |before| before.min(why)));
    }
}

/// Decides about each backup of one app. The result is sorted newest first.
///
/// Days, weeks, months and years are those of `zone`. [`Retention::dry_run`] has no effect here.
pub fn decide(
    rule: &Retention,
    backups: &[Backup],
    zone: &Zone,
    now: Timestamp,
) -> Vec<(BackupId, RetentionDecision)> {
    let mut candidate: Vec<Candidate> =
        backups.iter().map(|&backup| Candidate { backup, why: None }).collect();
    candidate.sort_by_key(|Candidate { backup: b, .. }| {
        Reverse((b.accepted_at, b.id, b.good, b.verified, b.held, b.ours))
    });
    for candidate in &mut candidate {
        if let Some(why) = kept_by_itself(rule, &candidate.backup, now) {
            candidate.keep(why);
        }
    }
    keep_among(rule, &mut candidate, zone, now);
    let numbers: BTreeSet<BackupId> = candidate
        .iter()
        .filter(|candidate| candidate.why.is_some())
        .map(|candidate| candidate.backup.id)
        .collect();
    let decision = |Candidate { backup, why }: Candidate| {
        let why = why.or_else(|| numbers.contains(&backup.id).then_some(KeepReason::SameNumber));
        (backup.id, why.map_or(RetentionDecision::Delete, RetentionDecision::Keep))
    };
    candidate.into_iter().map(decision).collect()
}

/// The reason that keeps a backup regardless of the others.
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

/// Marks backups that are kept as the newest of a group.
///
/// A backup that is not ours may vanish and one newer than the clock may be an error, so neither replaces another.
/// A hold changes the decision about no other backup. The rule applies to all good backups, and again to the verified
/// ones alone, so that no unverified backup alone replaces a verified one.
fn keep_among(rule: &Retention, candidates: &mut [Candidate], zone: &Zone, now: Timestamp) {
    let counts = |backup: &Backup| backup.ours && backup.accepted_at <= now;
    for (verified_alone, last) in [(false, KeepReason::LastGood), (true, KeepReason::LastVerified)] {
        let counted = candidates
            .iter_mut()
            .filter(|Candidate { backup, .. }| counts(backup) && (backup.verified || !verified_alone));
        let (mut good, mut partial): (Vec<_>, Vec<_>) = counted.partition(|candidate| candidate.backup.good);
        if !good.is_empty() {
            keep_good(rule, &mut good, last, zone);
        } else if let Some(newest) = partial.first_mut() {
            newest.keep(KeepReason::LastPartial);
        }
    }
}

/// Marks those of `good`, the newest first, that the rule counts. `last` is the reason for the newest.
fn keep_good(rule: &Retention, good: &mut [&mut Candidate], last: KeepReason, zone: &Zone) {
    if let Some(newest) = good.first_mut() {
        newest.keep(last);
    }
    for (_, candidate) in (0..rule.keep_at_least).zip(good.iter_mut()) {
        candidate.keep(KeepReason::AtLeast);
    }
    for length in Length::ALL {
        let (count, why) = length.kept(rule.keep);
        let mut seen = BTreeSet::new();
        let mut begins_a_period = |at| seen.insert(length.period(at, zone));
        let newest = good.iter_mut().filter(|candidate| begins_a_period(candidate.backup.accepted_at));
        for (_, candidate) in (0..count).zip(newest) {
            candidate.keep(why);
        }
    }
}
