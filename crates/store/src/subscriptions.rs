//! What is known of each subscription: Azure's last list of its apps, and its closed budgets.

use holdfast_model::{Call, SubscriptionId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One request for the list of a subscription's apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// When the list was asked for, by the store's clock.
    pub asked_at: Timestamp,
    /// When it is asked for again.
    pub next_at: Timestamp,
    /// What came back.
    pub result: ListingResult,
}

/// What Azure answered to a request for the apps of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingResult {
    /// A list.
    Listed {
        /// Number of apps in it.
        apps: u64,
        /// Listed resources without a usable id, as Azure names them.
        left_out: Vec<String>,
    },
    /// No list.
    Failed {
        /// Why.
        error: String,
    },
}

/// The status of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SubscriptionStatus {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// When Azure last listed its apps.
    pub listed_at: Option<Timestamp>,
    /// Number of apps in that list.
    pub apps: Option<u64>,
    /// Listed resources without a usable id, which cannot be backed up.
    pub left_out: Vec<String>,
    /// Since when Azure has not listed its apps; `None` while it does.
    pub unanswered_since: Option<Timestamp>,
    /// Why it did not.
    pub error: Option<String>,
    /// When the list is asked for again.
    pub next_list_at: Option<Timestamp>,
    /// Budgets that are closed now.
    pub closed: Vec<ClosedBudget>,
}

/// A budget that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ClosedBudget {
    /// The kind of calls.
    pub call: Call,
    /// Until when.
    pub until: Timestamp,
}
