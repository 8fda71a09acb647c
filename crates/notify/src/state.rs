//! What follows from the events that the notifier has read.

use std::collections::BTreeMap;

use holdfast_config::{NotifyOn, NotifyRule};
use holdfast_model::{AppId, Cause, PolicyName, RunId, SubscriptionId, TagFilter, Timestamp, inert};
use holdfast_store::sha256_hex;
use serde::{Deserialize, Serialize};

/// Everything that the notifier remembers between two passes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifierState {
    /// The open incidents, in the order in which they opened.
    #[serde(default)]
    pub incidents: Vec<Incident>,
    /// By rule: the failures in a row of apps that have too few of them for an incident.
    #[serde(default)]
    pub strikes: BTreeMap<String, BTreeMap<String, u32>>,
    /// The silences that have not ended.
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// By rule: the day so far.
    #[serde(default)]
    pub days: BTreeMap<String, Day>,
    /// When the store was last looked at for conditions.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
}

/// What people are told once: the apps that have one kind of trouble for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// What is the same for all of its apps.
    #[serde(flatten)]
    pub key: IncidentKey,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Until when it gathers apps before it is told.
    pub gathers_until: Timestamp,
    /// How often it was told.
    pub told: u32,
    /// When it was last told.
    pub told_at: Option<Timestamp>,
    /// The apps, policies or subscriptions that are in trouble, by id.
    pub troubles: BTreeMap<String, Trouble>,
    /// How many have been in trouble since it opened.
    pub affected: u32,
    /// The names of the first of them.
    pub names: Vec<String>,
}

/// What is the same for all apps of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentKey {
    /// The rule.
    pub rule: String,
    /// The kind of trouble.
    pub on: NotifyOn,
    /// The policy.
    pub policy: Option<PolicyName>,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The cause.
    pub cause: Option<Cause>,
}

/// One that is in trouble.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Its latest run.
    pub run: Option<RunId>,
    /// Successes in a row since.
    pub successes: u32,
}

/// A span in which notifications are held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id: that of the operator action that began it.
    pub id: RunId,
    /// The rule; `None` for all.
    pub rule: Option<String>,
    /// The policy; `None` for all.
    pub policy: Option<PolicyName>,
    /// The app; `None` for all.
    pub app: Option<AppId>,
    /// The tags of the apps; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagFilter>,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// The person's name: a claim.
    pub by: String,
    /// When it began.
    pub since: Timestamp,
}

/// What a digest tells of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// When it began.
    pub since: Timestamp,
    /// Backup runs that succeeded.
    pub succeeded: u32,
    /// Those that made a partial backup.
    pub partial: u32,
    /// Those that failed.
    pub failed: u32,
    /// Ticks that were not run.
    pub missed: u32,
}

impl Day {
    /// A day without a run.
    pub fn beginning(since: Timestamp) -> Self {
        Self { since, succeeded: 0, partial: 0, failed: 0, missed: 0 }
    }
}

impl Incident {
    /// How many apps a notification names.
    const NAMES: usize = 10;

    /// A new incident. `seed` tells it from earlier ones of its key.
    pub fn open(key: IncidentKey, seed: &str, now: Timestamp, rule: &NotifyRule) -> Self {
        let text = serde_json::to_string(&key).unwrap_or_default();
        let id: String = sha256_hex(format!("{text} {seed}").as_bytes()).chars().take(16).collect();
        Self {
            id,
            key,
            opened_at: now,
            gathers_until: now + rule.gather,
            told: 0,
            told_at: None,
            troubles: BTreeMap::new(),
            affected: 0,
            names: Vec::new(),
        }
    }

    /// Adds an app, or another failure of one.
    pub fn add(&mut self, id: String, name: &str, run: Option<RunId>) {
        let trouble = Trouble { run, successes: 0 };
        if self.troubles.insert(id, trouble).is_none() {
            self.affected = self.affected.saturating_add(1);
            if self.names.len() < Self::NAMES && !self.names.iter().any(|known| known == name) {
                self.names.push(inert(name).into_owned());
            }
        }
    }
}

impl NotifierState {
    /// The open incident of a key, which is opened where there is none.
    pub fn incident(
        &mut self,
        key: &IncidentKey,
        seed: &str,
        now: Timestamp,
        rule: &NotifyRule,
    ) -> Option<&mut Incident> {
        let is_it = |incident: &Incident| incident.key == *key;
        let place = self.incidents.iter().position(is_it).unwrap_or_else(|| {
            self.incidents.push(Incident::open(key.clone(), seed, now, rule));
            self.incidents.len() - 1
        });
        self.incidents.get_mut(place)
    }
}
