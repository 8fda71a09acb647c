use aho_corasick::AhoCorasick;

use crate::simulated_world::SimulatedWorld;

/// No minted signature, key or connection string is in any row or event.
pub(crate) async fn secrets(world: &SimulatedWorld) {
    let text = format!("{:?} {:?}", world.runs().await, world.events().await);
    let json = serde_json::to_string(&(world.runs().await, world.events().await)).unwrap();
    let posted = !world.azure.lock().unwrap().accepted_posts().is_empty();
    let signatures = world.signatures.lock().unwrap();
    assert!(
        !posted || !signatures.is_empty(),
        "seed {}: a backup was posted without a minted SAS",
        world.seed
    );
    // One pass over each text, however many secrets there are.
    let known = AhoCorasick::new(signatures.iter().chain(&world.secrets)).unwrap();
    assert!(!known.is_match(&text) && !known.is_match(&json), "seed {}: a secret leaked", world.seed);
    assert!(!json.contains("sig="), "seed {}: a signature leaked", world.seed);
}
