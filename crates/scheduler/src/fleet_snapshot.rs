//! The fleet as the planner knows it.

use std::collections::BTreeMap;

use holdfast_model::{App, AppId, Policy, PolicyName, PolicySnapshot, StorageName, Timestamp};
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
    /// The app and the policy it follows, unless it is unknown or in none.
    pub fn followed(&self, id: &AppId) -> Option<(&App, &Policy)> {
        let app = self.apps.get(id)?;
        let policy = self.policies.get(app.policy.as_ref()?)?;
        Some((app, policy))
    }

    /// The same, unless it is paused.
    pub fn scheduled(&self, id: &AppId) -> Option<(&App, &Policy)> {
        self.followed(id).filter(|(app, _)| !app.paused)
    }

    /// The policy's policy snapshot for a backup that lies in `storage`, which the policy may have left since: with the SAS of
    /// another container Azure could neither read nor delete it.
    pub fn terms_at(&self, policy: &Policy, storage: &StorageName) -> PolicySnapshot {
        let mut policies = std::iter::once(policy).chain(self.policies.values());
        let there = policies.find(|policy| policy.policy_snapshot.storage == *storage);
        let account = there.unwrap_or(policy).policy_snapshot.account.clone();
        PolicySnapshot { storage: storage.clone(), account, ..policy.policy_snapshot.clone() }
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
