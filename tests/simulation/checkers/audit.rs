use std::collections::BTreeMap;

use holdfast_model::{Fold, RunEvent, RunId};
use holdfast_store::{ChainRow, Link, row_differences, verify_chain};

use crate::simulated_world::SimulatedWorld;

/// The audit is complete and chained, and every row follows from the events.
pub(crate) async fn audit(world: &SimulatedWorld) {
    let events = world.events().await;
    let rows: Vec<ChainRow> = events.iter().map(ChainRow::of).collect();
    let chain = verify_chain(&rows, Link::origin());
    assert!(chain.is_ok(), "seed {}: {chain:?}", world.seed);
    let mut by_run: BTreeMap<RunId, Vec<&RunEvent>> = BTreeMap::new();
    for event in &events {
        by_run.entry(event.run_id).or_default().push(&event.event);
    }
    let differences = row_differences(&*world.store).await.unwrap();
    assert_eq!(differences, [""; 0], "seed {}", world.seed);
    let runs = world.runs().await;
    assert_eq!(by_run.len(), runs.len(), "seed {}: every run has its events", world.seed);
    for run in runs {
        let fold = Fold::of(by_run[&run.id].iter().copied()).unwrap();
        assert_eq!(
            (&fold.state, &fold.failure_counts),
            (&run.state, &run.failure_counts),
            "seed {}: run {}",
            world.seed,
            run.id
        );
    }
}
