//! Who may have how much of the room there is.

use std::collections::BTreeMap;

use holdfast_model::SubscriptionId;
use holdfast_store::{DueLane, LaneQuota};

/// Shares `room` messages among the lanes in which something is due.
///
/// Subscriptions share alike, whatever waits in them, and so do the lanes of one subscription: a crowd behind one
/// throttled subscription takes nothing from another. Every lane may ask for at least one, so none starves and the
/// room is exceeded at most by the number of lanes. The most urgent lanes ask first, then those that wait longest.
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
    let asks = sorted.into_iter().map(|due| {
        let siblings = lanes_of.get(&subscription(due)).copied().unwrap_or(1);
        LaneQuota { lane: due.lane.clone(), most: room.div_ceil(subscriptions).div_ceil(siblings) }
    });
    asks.collect()
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
        let asks = allocate_fairly(&lanes, 100);
        let (lonely, crowded): (Vec<_>, Vec<_>) =
            asks.iter().partition(|ask| ask.lane.cost().unwrap().0.as_str() == "lonely");
        assert_eq!(lonely[0].most, 50);
        assert_eq!(crowded.iter().map(|ask| ask.most).sum::<u32>(), 50);
    }

    #[test]
    fn the_most_urgent_lane_asks_first_and_every_lane_may_ask() {
        let lanes = [
            lane("s", "a", Priority::Scheduled),
            lane("s", "b", Priority::Restore),
            lane("s", "c", Priority::Manual),
        ];
        let asks = allocate_fairly(&lanes, 1);
        assert_eq!(asks.len(), 3);
        assert_eq!(asks[0].lane, lanes[1].lane);
        assert!(asks.iter().all(|ask| ask.most == 1));
    }

    #[test]
    fn without_room_nobody_asks() {
        assert!(allocate_fairly(&[lane("s", "a", Priority::Restore)], 0).is_empty());
    }
}
