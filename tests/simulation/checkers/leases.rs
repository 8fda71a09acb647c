use std::collections::BTreeMap;

use holdfast_model::{Call, RunEvent};

use crate::simulated_world::SimulatedWorld;

/// No attempt began without a lease: a forged message starts nothing.
pub(crate) async fn leases(world: &SimulatedWorld) {
    let (mut leased, mut begun) = (BTreeMap::new(), BTreeMap::new());
    for (_, subscription, call) in world.fault_counts.leases.lock().unwrap().iter() {
        if *call != Call::Read {
            *leased.entry(subscription.clone()).or_insert(0_u32) += 1;
        }
    }
    for event in world.events().await {
        if matches!(event.event, RunEvent::AttemptStarted { .. }) {
            *begun.entry(event.app.subscription().clone()).or_insert(0_u32) += 1;
        }
    }
    for (subscription, begun) in begun {
        let leased = leased.get(&subscription).copied().unwrap_or_default();
        assert!(
            begun <= leased,
            "seed {}: {begun} attempts on {leased} leases of {subscription}",
            world.seed
        );
    }
}
