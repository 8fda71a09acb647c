//! Operator actions: what people did or found, recorded in the audit.

use holdfast_model::{
    Actor, App, AppId, CatalogEntry, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, Timestamp,
};

/// The run that records an operator action about a backup of the catalog.
pub fn about(
    entry: &CatalogEntry,
    (action, actor): (OperatorAction, Actor),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let app = App { policy: entry.policy.clone(), ..App::new(entry.app.clone()) };
    // It sends nothing, so only the storage of its policy snapshot matters.
    let policy_snapshot = PolicySnapshot::new(entry.storage.clone(), "");
    NewRun::operator_action(RunId::new(now, rng), &app, &policy_snapshot, action, actor, now)
}

/// The run that records an operator action about no app. It sends nothing, so its policy snapshot does not matter.
pub fn of_no_app(
    (action, actor): (OperatorAction, Actor),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let (app, snapshot) = (App::new(AppId::unknown()), PolicySnapshot::new(StorageName::new("none"), ""));
    NewRun::operator_action(RunId::new(now, rng), &app, &snapshot, action, actor, now)
}
