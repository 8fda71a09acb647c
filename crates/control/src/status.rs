//! The status of every app.

use holdfast_model::{Outcome, Timestamp};
use holdfast_store::{AppStatus, Store};
use serde::Serialize;

use crate::Error;
use crate::status_waits::{missed_since_good, waits_too_long};

/// The status of the apps of the store.
#[derive(Debug, Serialize)]
pub struct FleetStatus {
    /// The store's time.
    pub now: Timestamp,
    /// The apps, by name.
    pub apps: Vec<NamedStatus>,
    /// Whether the store has no app at all.
    #[serde(skip)]
    pub is_empty: bool,
}

/// The status of one app with its short name.
#[derive(Debug, Serialize)]
pub struct NamedStatus {
    /// The short name.
    pub name: String,
    /// The status.
    #[serde(flatten)]
    pub status: AppStatus,
}

/// Reads the status of every app, or with `only_problems` of those that need attention.
pub async fn status(store: &dyn Store, only_problems: bool) -> Result<FleetStatus, Error> {
    let (now, mut apps) = (store.now().await?, store.status().await?);
    let is_empty = apps.is_empty();
    apps.retain(|status| !only_problems || needs_attention(status) || waits_or_missed(status, now));
    apps.sort_by_cached_key(|status| (status.app.short_name(), status.app.clone()));
    let named = |status: AppStatus| NamedStatus { name: status.app.short_name(), status };
    Ok(FleetStatus { now, apps: apps.into_iter().map(named).collect(), is_empty })
}

/// Whether an app of the fleet is past its objective, in no policy, or its last run did not succeed.
fn needs_attention(status: &AppStatus) -> bool {
    let has_failed = status.last.as_ref().is_some_and(|last| last.outcome != Outcome::Succeeded);
    !status.removed && (status.past_objective || has_failed || status.policy.is_none())
}

/// Whether an app of the fleet has a run that waits too long, or missed a tick since its latest good backup.
fn waits_or_missed(status: &AppStatus, now: Timestamp) -> bool {
    let waits = status.running.is_some_and(|running| waits_too_long(&running, now));
    !status.removed && (waits || missed_since_good(status).is_some())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::{AppId, Cause, PolicyName, RunId, RunKind, StateCode};
    use holdfast_store::{Missed, Running};

    use super::*;

    fn good() -> AppStatus {
        AppStatus {
            app: AppId::new("s", "g", "shop", None),
            policy: Some(PolicyName::new("gold")),
            removed: false,
            next_tick: None,
            running: None,
            last: None,
            missed: None,
            last_good_at: None,
            past_objective: false,
        }
    }

    #[test]
    fn what_waits_for_hours_and_ticks_missed_since_the_last_good_backup_are_problems() {
        let at = |hours| Timestamp::UNIX_EPOCH + Duration::from_hours(hours);
        let running = Some(Running {
            kind: RunKind::Backup,
            state: StateCode::Waiting,
            cause: Some(Cause::Throttled),
            since: at(0),
            next_try: at(3),
        });
        let run_id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
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
    fn an_app_needs_attention_past_its_objective_or_in_no_policy_unless_it_left_the_fleet() {
        let good = good();
        assert!(!needs_attention(&good));
        assert!(needs_attention(&AppStatus { past_objective: true, ..good.clone() }));
        assert!(needs_attention(&AppStatus { policy: None, ..good.clone() }));
        assert!(!needs_attention(&AppStatus { policy: None, removed: true, ..good }));
    }
}
