//! Fair shares of the messages that may be outstanding.

use std::collections::BTreeMap;

use holdfast_model::SubscriptionId;
use holdfast_store::{DueLane, LaneQuota};

/// Divides `room` messages among the lanes with due runs.
///
/// Subscriptions get equal shares regardless of how much waits in them, and so do the lanes of one subscription: many
/// runs behind a throttled subscription take nothing from another. Every lane gets a quota of at least one, so no lane
/// starves, and `room` is exceeded by the number of lanes at most. The most urgent lanes come first, then those that
/// have waited longest.
pub fn allocate_fairly(lanes: &[DueLane], room: u32) -> Vec<LaneQuota> {
    if room == 0 {
        return Vec::new();
    }
    let mut lanes_of: BTreeMap<Option<&SubscriptionId>, u32> = BTreeMap::new();
    for due in lanes {
        *lanes_of.entry(subscription(due)).or_default() += 1;
    }
    let subscriptions = u32::try_from(lanes_of.len()).unwrap_or(u32::MAX).max(1);
    let mut sorted: Vec<&DueLane> = lanes.iter().collect();
    sorted.sort_by_key(|due| (due.priority, due.due_at));
    let quotas = sorted.into_iter().map(|due| {
        let siblings = lanes_of.get(&subscription(due)).copied().unwrap_or(1);
        LaneQuota { lane: due.lane.clone(), most: room.div_ceil(subscriptions).div_ceil(siblings) }
    });
    quotas.collect()
}

fn subscription(due: &DueLane) -> Option<&SubscriptionId> {
    due.lane.cost().map(|(subscription, _)| subscription)
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Lane, Priority, Timestamp};

    use super::*;

    fn lane(subscription: &str, plan: &str, priority: Priority) -> DueLane {
        let subscription = SubscriptionId::new(subscription);
        let lane = Lane::Begin { subscription, plan: plan.to_owned(), account: "acct".to_owned() };
        DueLane { lane, priority, due_at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn subscriptions_share_alike_however_many_lanes_one_has() {
        let mut lanes: Vec<_> =
            (0..50).map(|n| lane("crowded", &n.to_string(), Priority::Scheduled)).collect();
        lanes.push(lane("lonely", "p", Priority::Scheduled));
        let quotas = allocate_fairly(&lanes, 100);
        let (lonely, crowded): (Vec<_>, Vec<_>) =
            quotas.iter().partition(|quota| quota.lane.cost().unwrap().0.as_str() == "lonely");
        assert_eq!(lonely[0].most, 50);
        assert_eq!(crowded.iter().map(|quota| quota.most).sum::<u32>(), 50);
    }

    #[test]
    fn the_most_urgent_lane_comes_first_and_every_lane_gets_a_quota() {
        let lanes = [
            lane("s", "a", Priority::Scheduled),
            lane("s", "b", Priority::Restore),
            lane("s", "c", Priority::Manual),
        ];
        let quotas = allocate_fairly(&lanes, 1);
        assert_eq!(quotas.len(), 3);
        assert_eq!(quotas[0].lane, lanes[1].lane);
        assert!(quotas.iter().all(|quota| quota.most == 1));
    }

    #[test]
    fn without_room_no_lane_gets_a_quota() {
        assert!(allocate_fairly(&[lane("s", "a", Priority::Restore)], 0).is_empty());
    }
}
