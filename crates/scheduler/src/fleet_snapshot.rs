//! The fleet as the planners see it at one moment.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    App, AppId, DepartureReason, NewRun, OperatorAction, Policy, PolicyName, PolicySnapshot, RunId,
    StorageName, SubscriptionId, Timestamp,
};
use holdfast_store::{Departure, Enrolled, Observation, Owed};

use crate::StorageAccounts;

/// Who records that an app left the fleet.
const ACTOR: &str = "holdfast";

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
    /// What Azure's answers said about the apps; an app of the fleet file alone has none.
    pub sightings: BTreeMap<AppId, Sighting>,
    /// Apps that left the fleet.
    pub departed: BTreeMap<AppId, Proof>,
    /// Subscriptions whose apps Azure has not listed since this process started.
    pub unanswered: BTreeSet<SubscriptionId>,
}

/// What Azure's answers said about an app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sighting {
    /// When the answer that shows it was asked for.
    pub observed_at: Option<Timestamp>,
    /// Since when Azure's list leaves it out without proof that it is gone.
    pub missing_since: Option<Timestamp>,
    /// Since when ticks are owed, because the list that shows the app came late.
    pub owed_since: Option<Timestamp>,
}

/// The proof that an app left the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Why it left.
    pub reason: DepartureReason,
    /// When the proof was asked for.
    pub observed_at: Timestamp,
    /// The proof in words.
    pub detail: String,
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

    /// The departures, each with its record for the audit under an id of `new_id`.
    pub fn departures(&self, now: Timestamp, mut new_id: impl FnMut() -> RunId) -> Vec<Departure> {
        let departure = |(app, proof): (&AppId, &Proof)| {
            let Proof { reason, observed_at, detail } = proof.clone();
            let action = OperatorAction::LeftFleet { reason, detail };
            // The record sends nothing, so its policy snapshot has no storage.
            let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
            let (of, actor) = (App::new(app.clone()), ACTOR.into());
            let record = NewRun::operator_action(new_id(), &of, &snapshot, action, actor, now);
            Departure { app: app.clone(), reason, observed_at, record }
        };
        self.departed.iter().map(departure).collect()
    }

    fn enrol(&self, app: &App, now: Timestamp) -> Enrolled {
        let policy = app.policy.as_ref().and_then(|name| self.policies.get(name));
        let next_after = |at| {
            let (_, policy) = self.scheduled(&app.id)?;
            Some((policy.schedule.fingerprint(), policy.schedule.next_tick(&app.id, at)?))
        };
        let Sighting { observed_at, missing_since, owed_since } =
            self.sightings.get(&app.id).copied().unwrap_or_default();
        let owed = owed_since.and_then(|since| {
            let (_, next_at) = next_after(since)?;
            Some(Owed { since, next_at })
        });
        Enrolled {
            app: app.clone(),
            recovery_point_objective: policy.and_then(|policy| policy.recovery_point_objective),
            retention: policy.and_then(|policy| policy.retention),
            partial_is_good: policy.is_some_and(|policy| policy.policy_snapshot.partial_is_good),
            schedule: next_after(now),
            observation: Observation { observed_at, missing_since, owed },
        }
    }
}
