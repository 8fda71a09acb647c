//! The status of every app.

use std::time::Duration;

use holdfast_model::{DepartureReason, Outcome, Timestamp};
use holdfast_store::{AppStatus, Store, SubscriptionStatus};
use serde::Serialize;

use crate::Error;
use crate::status_notes;

/// How long an app that Azure no longer has is shown as a problem.
const SHOWN_FOR: Duration = Duration::from_hours(7 * 24);

/// The status of the apps of the store.
#[derive(Debug, Serialize)]
pub struct FleetStatus {
    /// The store's time.
    pub now: Timestamp,
    /// The apps, by name.
    pub apps: Vec<NamedStatus>,
    /// The subscriptions; with `only_problems` those that need attention.
    pub subscriptions: Vec<SubscriptionStatus>,
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
    let (now, mut apps, mut subscriptions) =
        (store.now().await?, store.status().await?, store.subscriptions().await?);
    let is_empty = apps.is_empty();
    apps.retain(|status| !only_problems || needs_attention(status, now));
    subscriptions.retain(|status| !only_problems || is_troubled(status));
    apps.sort_by_cached_key(|status| (status.app.short_name(), status.app.clone()));
    let named = |status: AppStatus| NamedStatus { name: status.app.short_name(), status };
    Ok(FleetStatus { now, apps: apps.into_iter().map(named).collect(), subscriptions, is_empty })
}

impl FleetStatus {
    /// What people should know beside the table, one sentence each: apps that left or are missing, and subscriptions.
    pub fn notes(&self) -> Vec<String> {
        let apps: Vec<&AppStatus> = self.apps.iter().map(|app| &app.status).collect();
        let left = apps.iter().copied().filter(|app| has_vanished(app, self.now));
        let mut notes = status_notes::departures(left, self.now);
        notes.extend(status_notes::missing(&apps, self.now));
        let troubled = self.subscriptions.iter().filter(|status| is_troubled(status));
        notes.extend(troubled.flat_map(|status| status_notes::subscription(status, self.now)));
        notes
    }
}

/// Whether Azure did not list its apps, listed what cannot be used, or closed a budget.
fn is_troubled(status: &SubscriptionStatus) -> bool {
    status.unanswered_since.is_some() || !status.left_out.is_empty() || !status.closed.is_empty()
}

/// Whether the app left the fleet lately, because Azure no longer has it.
fn has_vanished(status: &AppStatus, now: Timestamp) -> bool {
    let gone = status.departed.filter(|departed| departed.reason == DepartureReason::NotFound);
    gone.is_some_and(|departed| departed.at + SHOWN_FOR > now)
}

/// Whether an app of the fleet is past its objective, in no policy, missing or lately gone at Azure, or its last run
/// did not succeed.
fn needs_attention(status: &AppStatus, now: Timestamp) -> bool {
    let has_failed = status.last.as_ref().is_some_and(|last| last.outcome != Outcome::Succeeded);
    let is_missing = status.missing_since.is_some();
    has_vanished(status, now)
        || !status.removed && (status.past_objective || has_failed || status.policy.is_none() || is_missing)
}

#[cfg(test)]
mod tests {
    use holdfast_model::{AppId, PolicyName};
    use holdfast_store::Departed;

    use super::*;

    #[test]
    fn an_app_needs_attention_past_its_objective_in_no_policy_missing_or_gone_unless_the_file_left_it_out() {
        let good = AppStatus {
            app: AppId::new("s", "g", "shop", None),
            policy: Some(PolicyName::new("gold")),
            plan: None,
            paused: false,
            removed: false,
            departed: None,
            seen_at: None,
            missing_since: None,
            next_tick: None,
            running: None,
            last: None,
            last_good_at: None,
            past_objective: false,
        };
        let now = Timestamp::UNIX_EPOCH + SHOWN_FOR;
        let needs_attention = |status: &AppStatus| needs_attention(status, now);
        assert!(!needs_attention(&good));
        assert!(needs_attention(&AppStatus { missing_since: Some(now), ..good.clone() }));
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
