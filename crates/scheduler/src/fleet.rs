//! The fleet as the planner knows it.

use std::collections::BTreeMap;

use holdfast_model::{App, AppId, Policy, PolicyName, Timestamp};
use holdfast_store::Enrolled;

/// Apps and policies, from the fleet file and from what was discovered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// Every app, also those in no policy.
    pub apps: BTreeMap<AppId, App>,
    /// Every policy.
    pub policies: BTreeMap<PolicyName, Policy>,
}

impl Fleet {
    /// The app and the policy it follows, unless it is unknown, paused or in none.
    pub fn scheduled(&self, id: &AppId) -> Option<(&App, &Policy)> {
        let app = self.apps.get(id).filter(|app| !app.paused)?;
        let policy = self.policies.get(app.policy.as_ref()?)?;
        Some((app, policy))
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
            partial_is_good: policy.is_some_and(|policy| policy.terms.partial_is_good),
            schedule,
        }
    }
}
