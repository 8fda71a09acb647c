use std::collections::BTreeSet;

use holdfast_model::RunEvent;
use holdfast_store::{CatalogFilter, Store};

use crate::simulated_world::SimulatedWorld;

/// The catalog has every backup that Azure made for a run, however the run ended.
///
/// A backup that Azure listed only after its run had ended may not be in the catalog yet, but its name is in the run's row,
/// where the next backup of the app finds it. Of a store that lost its last commits only this can be demanded: the
/// attempts that it lost overwrite no blob, and every other backup is known. Azure numbers the backups of a recreated app from
/// 1 again, and the catalog keeps all backups of one number.
pub(crate) async fn recorded(world: &SimulatedWorld) {
    let filter = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
    let entries = world.store.catalog(&filter).await.unwrap();
    let mut known: BTreeSet<String> = entries.into_iter().map(|entry| entry.backup.blob).collect();
    for run in world.runs().await {
        known.extend(run.failure_counts.missing.values().map(|name| format!("{name}.zip")));
    }
    for lost in &world.lost_events {
        if let RunEvent::AttemptStarted { attempt, .. } = &lost.event {
            known.insert(format!("{}.zip", attempt.name));
        }
    }
    // Azure forgets what it made for an app that is deleted and created again. What was finished before is in the catalog;
    // of an attempt under way only the intent is known.
    let events = world.events().await;
    let finished: BTreeSet<&String> = events.iter().filter_map(|event| finished_blob(&event.event)).collect();
    for event in events.iter().filter(|event| world.people.recreated_apps.contains(&event.app)) {
        if let RunEvent::AttemptStarted { attempt, .. } = &event.event {
            known.extend(Some(format!("{}.zip", attempt.name)).filter(|blob| !finished.contains(blob)));
        }
    }
    let accepted: Vec<String> = {
        let azure = world.azure.lock().unwrap();
        azure.accepted_posts().iter().map(|post| format!("{}.zip", post.name)).collect()
    };
    for blob in accepted {
        let is_forgotten = world.has_blob(&blob) && !known.contains(&blob);
        assert!(!is_forgotten, "seed {}: {blob} exists and nothing knows of it", world.seed);
    }
}

/// The blob of a backup that Azure finished for a run.
fn finished_blob(event: &RunEvent) -> Option<&String> {
    match event {
        RunEvent::Completed { backup, .. } => backup.as_ref().map(|backup| &backup.blob),
        _ => None,
    }
}
