//! The status of every app.

use std::time::Duration;

use holdfast_model::{DepartureReason, Outcome, Timestamp, Verification};
use holdfast_store::{
    AppStatus, CheckStatus, CheckpointStatus, LastRun, OpenBreaker, ProcessStatus, Store, SubscriptionStatus,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;
use crate::channel_problems::{ChannelProblem, SINCE, channel_problems};
use crate::status_notes;
use crate::status_waits::{missed_since_good, waits_too_long};

/// How long an app that Azure no longer has is shown as a problem.
const SHOWN_FOR: Duration = Duration::from_hours(7 * 24);

/// The most notifications that are looked at.
const NOTIFICATIONS_MAX: u32 = 1_000;

/// The status of the apps of the store.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FleetStatus {
    /// The store's time.
    pub now: Timestamp,
    /// The apps, by name.
    pub apps: Vec<NamedStatus>,
    /// The subscriptions; with `only_problems` those that need attention.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// The tenants, subscriptions and storage accounts that do not answer.
    pub breakers: Vec<OpenBreaker>,
    /// How the writing of checkpoints of the audit fares; with `only_problems` what needs attention.
    pub checkpoints: Vec<CheckpointStatus>,
    /// The newest revision of the fleet; `None` where each process works by its fleet file.
    pub revision: Option<u64>,
    /// The processes that run; with `only_problems` those that need attention.
    pub processes: Vec<ProcessStatus>,
    /// The channels of notifications that do not receive them.
    #[serde(default)]
    pub channels: Vec<ChannelProblem>,
    /// Whether the store has no app at all.
    pub is_empty: bool,
}

/// The status of one app with its short name.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct NamedStatus {
    /// The short name.
    pub name: String,
    /// The status.
    #[serde(flatten)]
    pub status: AppStatus,
}

/// Reads the status of every app, or with `only_problems` of those that need attention.
pub async fn status(store: &dyn Store, only_problems: bool) -> Result<FleetStatus, Error> {
    let (now, mut apps, mut subscriptions) =
        (store.now().await?, store.status().await?, store.subscriptions().await?);
    let breakers = store.open_breakers().await?;
    let mut checkpoints = store.checkpoints().await?;
    checkpoints.retain(|status| !only_problems || status_notes::checkpoint(status, now).is_some());
    let (newest, mut processes) = (store.newest_revision().await?, store.processes().await?);
    processes.retain(|process| !only_problems || !status_notes::process(process).is_empty());
    let revision = (newest > 0).then_some(newest);
    let notifications = store.notifications().list(now - SINCE, NOTIFICATIONS_MAX).await?;
    let channels = channel_problems(&notifications, now);
    let is_empty = apps.is_empty();
    apps.retain(|status| !only_problems || needs_attention(status, now) || waits_or_missed(status, now));
    subscriptions.retain(|status| !only_problems || is_troubled(status));
    apps.sort_by_cached_key(|status| (status.app.short_name(), status.app.clone()));
    let named = |status: AppStatus| NamedStatus { name: status.app.short_name(), status };
    let apps = apps.into_iter().map(named).collect();
    Ok(FleetStatus {
        now,
        apps,
        subscriptions,
        breakers,
        checkpoints,
        revision,
        processes,
        channels,
        is_empty,
    })
}

impl FleetStatus {
    /// What people should know beside the table, one sentence each: apps that left or are missing, and subscriptions.
    pub fn notes(&self) -> Vec<String> {
        let apps: Vec<&AppStatus> = self.apps.iter().map(|app| &app.status).collect();
        let mut notes = notes_of(&apps, &self.subscriptions, &self.breakers, &self.checkpoints, self.now);
        notes.extend(self.processes.iter().flat_map(status_notes::process));
        notes.extend(self.channels.iter().map(ChannelProblem::note));
        notes
    }
}

/// What people should know of apps that left or are missing, subscriptions, and what does not answer.
pub(crate) fn notes_of(
    apps: &[&AppStatus],
    subscriptions: &[SubscriptionStatus],
    breakers: &[OpenBreaker],
    checkpoints: &[CheckpointStatus],
    now: Timestamp,
) -> Vec<String> {
    let left = apps.iter().copied().filter(|app| has_vanished(app, now));
    let mut notes = status_notes::departures(left, now);
    notes.extend(status_notes::missing(apps, now));
    notes.extend(status_notes::breakers(breakers, now));
    let troubled = subscriptions.iter().filter(|status| is_troubled(status));
    notes.extend(troubled.flat_map(|status| status_notes::subscription(status, breakers, now)));
    notes.extend(checkpoints.iter().filter_map(|status| status_notes::checkpoint(status, now)));
    notes
}

/// Whether Azure did not list its apps, listed what cannot be used, or closed a budget.
fn is_troubled(status: &SubscriptionStatus) -> bool {
    status.unanswered_since.is_some() || !status.left_out.is_empty() || !status.closed.is_empty()
}

/// Whether the app left the fleet lately, because Azure no longer has it.
pub(crate) fn has_vanished(status: &AppStatus, now: Timestamp) -> bool {
    let gone = status.departed.filter(|departed| departed.reason == DepartureReason::NotFound);
    gone.is_some_and(|departed| departed.at + SHOWN_FOR > now)
}

/// Whether an app of the fleet is past its objective, in no policy, missing at Azure or lately gone from there, its last run
/// did not succeed or was not verified although storage is in reach, or a check of its catalog found something or could not be made.
fn needs_attention(status: &AppStatus, now: Timestamp) -> bool {
    let is_unverified = |last: &LastRun| {
        matches!(last.verification, Some(Verification::Unreachable | Verification::Unusable))
    };
    let has_failed =
        status.last.as_ref().is_some_and(|last| last.outcome != Outcome::Succeeded || is_unverified(last));
    let is_unwell = status.past_objective
        || has_failed
        || status.policy.is_none()
        || status.missing_since.is_some()
        || !findings(&status.check).is_empty();
    has_vanished(status, now) || !status.removed && is_unwell
}

/// What checks of an app's catalog found, as short texts; empty where all is well.
pub fn findings(check: &CheckStatus) -> Vec<String> {
    let failed = check.last.as_ref().filter(|last| last.outcome != Outcome::Succeeded);
    let cause = failed.map(|last| last.cause.map_or("failed", |cause| cause.as_str()));
    [
        (check.lost > 0).then(|| format!("{} lost", check.lost)),
        check.drift.then(|| "drift".to_owned()),
        cause.map(|cause| format!("not checked: {cause}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether an app of the fleet has a run that waits too long, or missed a tick since its latest good backup.
fn waits_or_missed(status: &AppStatus, now: Timestamp) -> bool {
    let waits = status.running.is_some_and(|running| waits_too_long(&running, now));
    !status.removed && (waits || missed_since_good(status).is_some())
}

#[cfg(test)]
mod tests {
    use holdfast_model::{AppId, Cause, PolicyName, RunId, RunKind, StateCode};
    use holdfast_store::{Departed, Missed, Running};

    use super::*;

    fn good() -> AppStatus {
        AppStatus {
            policy: Some(PolicyName::new("gold")),
            ..AppStatus::new(AppId::new("s", "g", "shop", None))
        }
    }

    #[test]
    fn what_waits_for_hours_and_ticks_missed_since_the_last_good_backup_are_problems() {
        let at = |hours| Timestamp::UNIX_EPOCH + Duration::from_hours(hours);
        let run_id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
        let running = Some(Running {
            run_id,
            kind: RunKind::Backup,
            state: StateCode::Waiting,
            cause: Some(Cause::Throttled),
            since: at(0),
            next_try: at(3),
        });
        let missed = Some(Missed { run_id, tick: at(5), cause: Some(Cause::TooLate) });
        let is_problem = |status: &AppStatus| waits_or_missed(status, at(2));
        assert!(!is_problem(&good()));
        assert!(is_problem(&AppStatus { running, ..good() }));
        assert!(!is_problem(&AppStatus { running, removed: true, ..good() }));
        assert!(is_problem(&AppStatus { missed, ..good() }));
        assert!(is_problem(&AppStatus { missed, last_good_at: Some(at(4)), ..good() }));
        assert!(!is_problem(&AppStatus { missed, last_good_at: Some(at(5)), ..good() }));
    }

    #[test]
    fn an_app_needs_attention_past_its_objective_in_no_policy_missing_or_gone_unless_the_file_left_it_out() {
        let good = good();
        let now = Timestamp::UNIX_EPOCH + SHOWN_FOR;
        let needs_attention = |status: &AppStatus| needs_attention(status, now);
        assert!(!needs_attention(&good));
        let check = CheckStatus { lost: 2, drift: true, last: None };
        assert_eq!(findings(&check), ["2 lost", "drift"]);
        assert!(needs_attention(&AppStatus { check, ..good.clone() }));
        assert!(needs_attention(&AppStatus { missing_since: Some(now), ..good.clone() }));
        let run_id = RunId::new(now, &mut fastrand::Rng::with_seed(1));
        for (verification, is_problem) in [
            (Verification::Verified, false),
            (Verification::OutOfReach, false),
            (Verification::Unreachable, true),
            (Verification::Unusable, true),
        ] {
            let (outcome, verification) = (Outcome::Succeeded, Some(verification));
            let last = LastRun { run_id, outcome, cause: None, verification, ended_at: now };
            assert_eq!(needs_attention(&AppStatus { last: Some(last), ..good.clone() }), is_problem);
        }
        let left = |reason, at| {
            let departed = Some(Departed { at, reason });
            AppStatus { removed: true, departed, ..good.clone() }
        };
        assert!(needs_attention(&left(DepartureReason::NotFound, now)));
        assert!(!needs_attention(&left(DepartureReason::NotFound, Timestamp::UNIX_EPOCH)));
        assert!(!needs_attention(&left(DepartureReason::NotInFleetFile, now)));
        assert!(needs_attention(&AppStatus { past_objective: true, ..good.clone() }));
        assert!(needs_attention(&AppStatus { policy: None, ..good.clone() }));
        assert!(!needs_attention(&AppStatus { policy: None, removed: true, ..good }));
    }
}
