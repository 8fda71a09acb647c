//! When the catalog of an app is compared with Azure. Pure.

use std::time::Duration;

use holdfast_model::schedule::spread_offset;
use holdfast_model::{AppId, CatalogEntry, Cause, Outcome, Policy, Timestamp};
use holdfast_store::AppStatus;

/// Default time between two checks of an app.
pub(crate) const CHECK_EVERY: Duration = Duration::from_hours(24);

/// Time for which an unverified backup shortens the time between checks.
const VERIFIED_WITHIN: Duration = Duration::from_hours(48);

/// What the existing backups of an app say about its next check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CheckNeeds {
    /// When Azure accepted the oldest backup.
    oldest: Option<Timestamp>,
    /// When a deletion or a refresh last failed.
    failed_at: Option<Timestamp>,
    /// Whether a recent good backup is not verified although storage is in reach.
    is_unverified: bool,
    /// Whether retention deletes a backup.
    has_deletions: bool,
}

/// The times that decide about checks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckTiming {
    /// The store's time.
    pub now: Timestamp,
    /// Time between two checks.
    pub every: Duration,
    /// Time between two passes of the planner.
    pub pass: Duration,
}

impl CheckNeeds {
    /// What the existing `entries` of an app need.
    pub fn of(entries: &[CatalogEntry], policy: &Policy, has_deletions: bool, now: Timestamp) -> Self {
        let is_unverified = |entry: &CatalogEntry| {
            entry.good && !entry.is_verified() && entry.backup.accepted_at + VERIFIED_WITHIN > now
        };
        Self {
            oldest: entries.iter().map(|entry| entry.backup.accepted_at).min(),
            failed_at: entries.iter().filter_map(|entry| entry.last_failure_at).max(),
            is_unverified: policy.policy_snapshot.verify && entries.iter().any(is_unverified),
            has_deletions,
        }
    }

    /// Whether a check of the app is due.
    ///
    /// Each app has its place in the day, which a hash of its id chooses. Where something is owed, checks come sooner.
    pub fn is_due(&self, app: &AppId, status: Option<&AppStatus>, timing: CheckTiming) -> bool {
        let CheckTiming { now, every, pass } = timing;
        let last = status.and_then(|status| status.check.last.as_ref());
        let place = last_place(app, every, now);
        let Some(since) = last.map(|last| last.ended_at).or(self.oldest) else {
            // Nothing to compare yet, and no check so far: the place in the day must be now.
            return place + pass > now;
        };
        let pause = match last {
            Some(last) if last.outcome != Outcome::Succeeded => every / 4,
            _ if self.is_owed(since, status) => every / 24,
            _ if self.has_deletions && last.is_some() => every / 2,
            _ => every,
        };
        since < place || since + pause <= now
    }

    /// Whether something happened since the last check that a check must look into.
    fn is_owed(&self, since: Timestamp, status: Option<&AppStatus>) -> bool {
        let last_run = status.and_then(|status| status.last.as_ref());
        self.is_unverified
            || self.failed_at.is_some_and(|at| at > since)
            || last_run.is_some_and(|run| run.ended_at > since && run.cause.is_some_and(leaves_doubt))
    }
}

/// Whether Azure may have made a backup, or may still make one, for a run that ended with this cause.
fn leaves_doubt(cause: Cause) -> bool {
    use Cause as C;
    matches!(
        cause,
        C::AnswerLost
            | C::DeadlinePassed
            | C::DeletedOutside
            | C::AppNotFound
            | C::AppForbidden
            | C::Rejected
    )
}

/// The app's latest place in its rounds of length `every`, at or before `now`.
fn last_place(app: &AppId, every: Duration, now: Timestamp) -> Timestamp {
    let length = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let offset = i64::try_from(spread_offset(app, every).as_secs()).unwrap_or_default();
    let since = (now.timestamp() - offset).rem_euclid(length);
    Timestamp::from_timestamp(now.timestamp() - since, 0).unwrap_or(now)
}

#[cfg(test)]
mod tests;
