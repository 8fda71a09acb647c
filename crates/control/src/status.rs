//! The status of every app.

use holdfast_model::{Outcome, Timestamp};
use holdfast_store::{AppStatus, Store};
use serde::Serialize;

use crate::Error;

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
    apps.retain(|status| !only_problems || needs_attention(status));
    apps.sort_by_cached_key(|status| (status.app.short_name(), status.app.clone()));
    let named = |status: AppStatus| NamedStatus { name: status.app.short_name(), status };
    Ok(FleetStatus { now, apps: apps.into_iter().map(named).collect(), is_empty })
}

/// Whether an app of the fleet is past its objective, in no policy, or its last run did not succeed.
fn needs_attention(status: &AppStatus) -> bool {
    let has_failed = status.last.as_ref().is_some_and(|last| last.outcome != Outcome::Succeeded);
    !status.removed && (status.past_objective || has_failed || status.policy.is_none())
}

#[cfg(test)]
mod tests {
    use holdfast_model::{AppId, PolicyName};

    use super::*;

    #[test]
    fn an_app_needs_attention_past_its_objective_or_in_no_policy_unless_it_left_the_fleet() {
        let good = AppStatus {
            app: AppId::new("s", "g", "shop", None),
            policy: Some(PolicyName::new("gold")),
            removed: false,
            paused: false,
            recovery_point_objective: None,
            next_tick: None,
            running: None,
            last: None,
            last_good_at: None,
            past_objective: false,
        };
        assert!(!needs_attention(&good));
        assert!(needs_attention(&AppStatus { past_objective: true, ..good.clone() }));
        assert!(needs_attention(&AppStatus { policy: None, ..good.clone() }));
        assert!(!needs_attention(&AppStatus { policy: None, removed: true, ..good }));
    }
}
