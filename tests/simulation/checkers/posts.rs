use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{Cause, RunEvent};

use crate::simulated_world::SimulatedWorld;

/// Azure accepted at most one POST for each attempt, and no backup overwrote another.
///
/// No attempt was given up as lost while its backup existed, unless Azure's lists or a person hid it.
pub(crate) async fn posts(world: &SimulatedWorld) {
    let accepted: Vec<String> = {
        let azure = world.azure.lock().unwrap();
        let counters = azure.counters();
        assert_eq!(counters.duplicate_posts, 0, "seed {}", world.seed);
        assert_eq!(counters.blobs_overwritten, 0, "seed {}", world.seed);
        azure.accepted_posts().iter().map(|post| post.name.clone()).collect()
    };
    let names: BTreeSet<&str> = accepted.iter().map(String::as_str).collect();
    assert_eq!(names.len(), accepted.len(), "seed {}: names are unique", world.seed);
    let mut of_attempt = BTreeMap::new();
    for event in world.events().await {
        match event.event {
            RunEvent::AttemptStarted { attempt, .. } => {
                of_attempt.insert((event.run_id, attempt.number), attempt.name);
            }
            RunEvent::AttemptEnded { number, cause: Cause::AnswerLost, .. } => {
                let name = &of_attempt[&(event.run_id, number)];
                // When the store's clock jumps, the settle time may be shorter than intended.
                let is_hidden = world.people.hidden.contains(&event.app) || world.people.touched(&event.app);
                let given_up_too_soon = names.contains(name.as_str()) && !world.clock_jumps && !is_hidden;
                assert!(!given_up_too_soon, "seed {}: {name} was given up as lost but exists", world.seed);
            }
            _ => {}
        }
    }
}
