use std::collections::BTreeMap;

use holdfast_model::Run;

use crate::simulated_world::SimulatedWorld;

/// No app, plan or storage account is occupied by more runs than its limit.
pub(crate) async fn occupied_apps(world: &SimulatedWorld) {
    let (mut apps, mut plans, mut accounts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for run in world.runs().await.into_iter().filter(Run::occupies_app) {
        *apps.entry(run.app).or_insert(0_u32) += 1;
        *plans.entry(run.plan).or_insert(0_u32) += 1;
        *accounts.entry(run.policy_snapshot.account).or_insert(0_u32) += 1;
    }
    let seed = world.seed;
    assert!(apps.values().all(|count| *count <= 1), "seed {seed}: {apps:?}");
    if world.has_failed_over {
        // A step that was leased before may begin beside one that the copy of the store admitted in its place.
        return;
    }
    assert!(plans.values().all(|count| *count <= world.limits.per_plan), "seed {seed}: {plans:?}");
    assert!(accounts.values().all(|count| *count <= world.limits.per_account), "seed {seed}: {accounts:?}");
}
