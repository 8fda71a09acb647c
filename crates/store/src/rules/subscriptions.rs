//! The status of subscriptions, given their rows.

use std::collections::BTreeMap;

use holdfast_model::{SubscriptionId, Timestamp};

use crate::columns::stamp;
use crate::subscriptions::{ClosedBudget, Listing, ListingResult, SubscriptionStatus};

/// The recorded lists of a subscription, as a store keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub subscription: SubscriptionId,
    /// When the list was last asked for.
    pub asked_at: Timestamp,
    pub next_at: Timestamp,
    pub listed_at: Option<Timestamp>,
    pub apps: Option<u64>,
    pub left_out: Vec<String>,
    pub unanswered_since: Option<Timestamp>,
    pub error: Option<String>,
}

impl Recorded {
    /// The row after `listing`; the row as it was when the listing is older. A row from after `now` has the time of a
    /// wrong clock.
    pub fn after(old: Option<Self>, listing: &Listing, now: Timestamp) -> Self {
        let (asked_at, next_at) = (stamp(listing.asked_at), stamp(listing.next_at));
        let old = match old {
            Some(old) if old.asked_at > asked_at && old.asked_at <= now => return old,
            Some(old) => old,
            None => Self::new(listing.subscription.clone(), asked_at),
        };
        match listing.result.clone() {
            ListingResult::Listed { apps, left_out } => Self {
                apps: Some(apps),
                left_out,
                listed_at: Some(asked_at),
                asked_at,
                next_at,
                unanswered_since: None,
                error: None,
                ..old
            },
            ListingResult::Failed { error } => {
                let unanswered_since = old.unanswered_since.or(Some(asked_at));
                Self { error: Some(error), unanswered_since, asked_at, next_at, ..old }
            }
        }
    }

    fn new(subscription: SubscriptionId, at: Timestamp) -> Self {
        Self {
            subscription,
            asked_at: at,
            next_at: at,
            listed_at: None,
            apps: None,
            left_out: Vec::new(),
            unanswered_since: None,
            error: None,
        }
    }
}

/// The status of every subscription with a recorded list or a closed budget, by id.
pub(crate) fn of_rows(
    recorded: Vec<Recorded>,
    closed: impl IntoIterator<Item = (SubscriptionId, ClosedBudget)>,
) -> Vec<SubscriptionStatus> {
    let mut all: BTreeMap<SubscriptionId, SubscriptionStatus> =
        recorded.into_iter().map(|row| (row.subscription.clone(), of_row(row))).collect();
    for (subscription, budget) in closed {
        let status = all.entry(subscription.clone()).or_insert_with(|| unknown(subscription));
        status.closed.push(budget);
        status.closed.sort_by_key(|budget| budget.call);
    }
    all.into_values().collect()
}

fn of_row(row: Recorded) -> SubscriptionStatus {
    SubscriptionStatus {
        listed_at: row.listed_at,
        apps: row.apps,
        left_out: row.left_out,
        unanswered_since: row.unanswered_since,
        error: row.error,
        next_list_at: Some(row.next_at),
        ..unknown(row.subscription)
    }
}

fn unknown(subscription: SubscriptionId) -> SubscriptionStatus {
    SubscriptionStatus {
        subscription,
        listed_at: None,
        apps: None,
        left_out: Vec::new(),
        unanswered_since: None,
        error: None,
        next_list_at: None,
        closed: Vec::new(),
    }
}
