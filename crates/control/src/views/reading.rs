//! What pages read: the whole fleet as the store had it at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_model::{AppId, PolicyName, Timestamp};
use holdfast_store::{AppStatus, Approval, CheckpointStatus, OpenBreaker, SubscriptionStatus};

use crate::views::acts::PersonAct;
use crate::views::day_mark::DayMark;

/// Days that the strip of an app and the matrix of a policy show.
pub const DAYS: u16 = 30;

/// The fleet as the store had it at one moment.
#[derive(Debug, Clone, Default)]
pub struct FleetReading {
    /// The store's time of the reading.
    pub at: Timestamp,
    /// The status of every app that is or was enrolled, by id.
    pub apps: Vec<AppStatus>,
    /// The last [`DAYS`] days of each app, the oldest first. Days without runs are left out.
    pub days: BTreeMap<AppId, Vec<DayMark>>,
    /// The subscriptions.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// The tenants, subscriptions and storage accounts that do not answer.
    pub breakers: Vec<OpenBreaker>,
    /// How the writing of checkpoints of the audit fares.
    pub checkpoints: Vec<CheckpointStatus>,
    /// What people did lately, the newest first.
    pub acts: Vec<PersonAct>,
    /// The policies whose storage gets its SAS from Holdfast itself.
    pub minted: Arc<BTreeSet<PolicyName>>,
    /// The requests that wait for a second person, the newest first.
    pub approvals: Vec<Approval>,
    /// What people should know of the processes, one sentence each.
    pub process_notes: Vec<String>,
}

impl FleetReading {
    /// The days of an app that have runs, the oldest first.
    pub fn days_of(&self, app: &AppId) -> &[DayMark] {
        self.days.get(app).map_or(&[], Vec::as_slice)
    }

    /// Whether another reading has the same rows, whenever it was made.
    pub fn has_same_rows(&self, other: &Self) -> bool {
        let Self {
            at: _,
            minted: _,
            apps,
            days,
            subscriptions,
            breakers,
            checkpoints,
            acts,
            approvals,
            process_notes,
        } = self;
        (apps, days, subscriptions, breakers)
            == (&other.apps, &other.days, &other.subscriptions, &other.breakers)
            && (checkpoints, acts, approvals, process_notes)
                == (&other.checkpoints, &other.acts, &other.approvals, &other.process_notes)
    }

    /// The status of an app.
    pub fn status_of(&self, app: &AppId) -> Option<&AppStatus> {
        let place = self.apps.binary_search_by(|status| status.app.cmp(app)).ok()?;
        self.apps.get(place)
    }
}
