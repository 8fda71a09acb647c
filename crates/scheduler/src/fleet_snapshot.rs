//! The fleet as the planners see it at one moment.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{App, AppId, Policy, PolicyName, Timestamp};
use holdfast_store::Enrolled;

use crate::StorageAccounts;

/// The apps, policies and storage accounts of the fleet file, with the apps that discovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetSnapshot {
    /// Every app, including those without a policy.
    pub apps: BTreeMap<AppId, App>,
    /// Every policy.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// The account of every storage.
    pub accounts: StorageAccounts,
    /// The apps that Azure does not back up, by their tier or kind.
    pub unsupported: BTreeSet<AppId>,
}

impl FleetSnapshot {
    /// The app and its policy; `None` if the app is unknown or has no policy.
    pub fn with_policy(&self, id: &AppId) -> Option<(&App, &Policy)> {
        let app = self.apps.get(id)?;
        let policy = self.policies.get(app.policy.as_ref()?)?;
        Some((app, policy))
    }

    /// The app and its policy; `None` also if the app is paused.
    pub fn scheduled(&self, id: &AppId) -> Option<(&App, &Policy)> {
        self.with_policy(id).filter(|(app, _)| !app.paused)
    }

    /// The fleet as the store enrols it at `now`.
    pub fn enrolled(&self, now: Timestamp) -> Vec<Enrolled> {
        self.apps.values().map(|app| self.enrol(app, now)).collect()
    }

    fn enrol(&self, app: &App, now: Timestamp) -> Enrolled {
        let policy = app.policy.as_ref().and_then(|name| self.policies.get(name));
        let schedule = self.scheduled(&app.id).and_then(|(_, policy)| {
            let next = policy.schedule.next_tick(&app.id, now)?;
            Some((policy.schedule.fingerprint(), next))
        });
        Enrolled {
            app: app.clone(),
            recovery_point_objective: policy.and_then(|policy| policy.recovery_point_objective),
            retention: policy.and_then(|policy| policy.retention),
            partial_is_good: policy.is_some_and(|policy| policy.policy_snapshot.partial_is_good),
            schedule,
        }
    }
}
