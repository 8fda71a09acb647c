use std::collections::BTreeMap;

use holdfast_model::{Call, SubscriptionId, Timestamp};

use crate::simulated_world::SimulatedWorld;

/// No budget was overdrawn: replaying the leases never takes a token bucket below zero.
pub(crate) fn budgets(world: &SimulatedWorld) {
    if world.clock_jumps || world.has_failed_over {
        // The store's clock times the refills, so its jumps make spans of time meaningless. A store that lost commits
        // has the tokens again that it had drawn.
        return;
    }
    let mut buckets: BTreeMap<(SubscriptionId, Call), Vec<Timestamp>> = BTreeMap::new();
    for (at, subscription, call) in world.fault_counts.leases.lock().unwrap().iter() {
        buckets.entry((subscription.clone(), *call)).or_default().push(*at);
    }
    for ((subscription, call), times) in buckets {
        let budget = world.limits.budget(call);
        // Replay the bucket: refill by elapsed time up to its capacity, then take a token.
        let (mut tokens, mut last) = (budget.capacity, times[0]);
        for at in times {
            let seconds = (at - last).as_seconds_f64();
            tokens = (tokens + seconds * budget.per_second).min(budget.capacity) - 1.0;
            last = at;
            assert!(
                tokens > -1e-6,
                "seed {}: {subscription} {call:?} overdrawn at {at}: {tokens}",
                world.seed
            );
        }
    }
}
