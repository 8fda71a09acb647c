//! Notes: what people did or found, for the audit.

use holdfast_model::{App, CatalogEntry, NewRun, OperatorAction, PolicySnapshot, RunId, Timestamp};

/// A note about a backup of the catalog; `actor` is who did it or found it.
pub fn about(
    entry: &CatalogEntry,
    (action, actor): (OperatorAction, String),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let app = App { policy: entry.policy.clone(), ..App::new(entry.app.clone()) };
    // Nothing is sent for a note, so of its policy snapshot only the place of the backup says something.
    let policy_snapshot = PolicySnapshot::new(entry.storage.clone(), "");
    NewRun::operator_action(RunId::new(now, rng), &app, &policy_snapshot, action, actor, now)
}
