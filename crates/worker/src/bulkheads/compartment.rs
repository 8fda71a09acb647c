//! The parts of Azure that a step depends on. Pure.

use std::collections::BTreeMap;

use holdfast_model::{Lane, Run, SubscriptionId, Task};

/// A part of Azure that may hang while the others answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compartment {
    /// A tenant, by its section of the fleet file: its token endpoint, and all of its subscriptions.
    Tenant(String),
    /// A subscription.
    Subscription(SubscriptionId),
    /// A storage account.
    Account(String),
}

impl Compartment {
    /// The kind, as metrics and rows name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant",
            Self::Subscription(_) => "subscription",
            Self::Account(_) => "storage_account",
        }
    }

    /// The name among those of its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Tenant(name) | Self::Account(name) => name,
            Self::Subscription(subscription) => subscription.as_str(),
        }
    }
}

/// The tenant of each subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenants {
    /// The tenant of each subscription that a section of the fleet file lists.
    pub by_subscription: BTreeMap<SubscriptionId, String>,
    /// The tenant of all others.
    pub otherwise: String,
}

impl Tenants {
    /// The tenant of a subscription.
    pub(super) fn of(&self, subscription: &SubscriptionId) -> Compartment {
        let found = self.by_subscription.get(subscription).unwrap_or(&self.otherwise);
        Compartment::Tenant(found.clone())
    }

    /// Whether all subscriptions have the same tenant.
    pub(super) fn are_one(&self) -> bool {
        let mut named =
            self.by_subscription.values().chain([&self.otherwise]).filter(|name| !name.is_empty());
        let first = named.next();
        named.all(|name| Some(name) == first)
    }

    /// What the run's next step depends on: its subscription and tenant, and its storage account where the step calls
    /// storage.
    pub(super) fn compartments(&self, run: &Run) -> Vec<Compartment> {
        let Some(lane) = run.lane() else { return Vec::new() };
        let subscription = run.app.subscription();
        let arm = [Compartment::Subscription(subscription.clone()), self.of(subscription)];
        let account = Compartment::Account(run.policy_snapshot.account.clone());
        match lane {
            Lane::Begin { .. } => arm.into_iter().chain([account]).collect(),
            Lane::Unmetered => vec![account],
            Lane::Poll { .. } | Lane::Mutate { .. } if reads_blobs(run) => {
                arm.into_iter().chain([account]).collect()
            }
            Lane::Poll { .. } | Lane::Mutate { .. } => arm.into(),
        }
    }
}

/// Whether a step that calls Azure reads blobs too.
fn reads_blobs(run: &Run) -> bool {
    let reads = matches!(run.task, Task::CheckCatalog { .. } | Task::Delete(_) | Task::PushSchedule { .. });
    reads && run.policy_snapshot.verify
}
