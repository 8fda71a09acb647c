//! Due lanes: from the front of each lane to what there is to lease.

use std::collections::BTreeMap;

use holdfast_model::{Lane, Priority, Timestamp};

use crate::lanes::{DueLane, DueLanes};

/// The front of one priority in one lane.
#[derive(Debug)]
pub(crate) struct Front {
    pub lane: Lane,
    pub priority: Priority,
    /// The earliest due time up to now.
    pub due_at: Option<Timestamp>,
    /// The earliest due time after now.
    pub next_at: Option<Timestamp>,
}

/// The leases that are held.
#[derive(Debug)]
pub(crate) struct Leases {
    pub outstanding: u32,
    /// When the next one after now lapses.
    pub next_ends_at: Option<Timestamp>,
}

/// The due lanes, each with its most urgent priority.
pub(crate) fn due_lanes(now: Timestamp, leases: &Leases, fronts: Vec<Front>) -> DueLanes {
    let mut lanes: BTreeMap<Lane, DueLane> = BTreeMap::new();
    let mut next_at = leases.next_ends_at;
    for front in fronts {
        next_at = next_at.into_iter().chain(front.next_at).min();
        let Front { lane, priority, due_at: Some(due_at), .. } = front else { continue };
        let is_first = lanes.get(&lane).is_none_or(|first| priority < first.priority);
        if is_first {
            lanes.insert(lane.clone(), DueLane { lane, priority, due_at });
        }
    }
    DueLanes { now, outstanding: leases.outstanding, lanes: lanes.into_values().collect(), next_at }
}
