//! Notes: what people did or found, for the audit.

use holdfast_model::{App, CatalogEntry, NewRun, Note, RunId, Terms, Timestamp};

/// A note about a backup of the catalog; `by` is who did it or found it.
pub fn about(
    entry: &CatalogEntry,
    (note, by): (Note, String),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let app = App { policy: entry.policy.clone(), ..App::new(entry.app.clone()) };
    // Nothing is sent for a note, so of its terms only the place of the backup says something.
    let terms = Terms::new(entry.storage.clone(), "");
    NewRun::note(RunId::new(now, rng), &app, &terms, (note, by), now)
}
