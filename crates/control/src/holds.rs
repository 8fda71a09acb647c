//! Holds: a person's instruction not to delete a backup.

pub mod many;

use holdfast_model::{
    Actor, AppId, BackupId, CatalogEntry, NewRun, OperatorAction, Run, RunId, RunKind, Timestamp,
};
use holdfast_store::{CatalogFilter, RunFilter, Store};

use crate::{Error, ErrorKind, app_resolver, operator_actions};

/// A request to add or to remove a hold.
#[derive(Debug)]
pub struct HoldRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// The backup.
    pub backup: BackupId,
    /// Why, for the audit.
    pub reason: String,
    /// Whether the backup is held from now on.
    pub held: bool,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// A hold that was added or removed.
#[derive(Debug)]
pub struct ChangedHold {
    /// The app.
    pub app: AppId,
    /// The run that may already have asked Azure to delete the backup.
    pub deletion_started: Option<RunId>,
}

/// Adds or removes a hold.
pub async fn change(
    store: &dyn Store,
    request: &HoldRequest,
    rng: &mut fastrand::Rng,
) -> Result<ChangedHold, Error> {
    let entry = find(store, &request.app, request.backup).await?;
    check_change(&entry, request.held)?;
    let (reason, now) = (checked_reason(&request.reason, request.held)?, store.now().await?);
    store.add_run(&record(&entry, (request.held, &reason), (&request.actor, now), rng)).await?;
    let deletion_started = if request.held { started_deletion(store, &entry).await? } else { None };
    Ok(ChangedHold { app: entry.app, deletion_started })
}

/// The held backups of one app, or of all.
pub async fn list(store: &dyn Store, app: Option<&str>) -> Result<Vec<CatalogEntry>, Error> {
    let app = match app {
        Some(name) => Some(app_resolver::in_store(store, name).await?),
        None => None,
    };
    let mut entries = store.catalog(&CatalogFilter { app, ..CatalogFilter::default() }).await?;
    entries.retain(|entry| entry.hold.is_some());
    Ok(entries)
}

/// The reason of a change, which must have one.
fn checked_reason(text: &str, held: bool) -> Result<String, Error> {
    operator_actions::reason(text, if held { "a hold" } else { "the release of a hold" })
}

/// The run that records a change, and makes it.
fn record(
    entry: &CatalogEntry,
    (held, reason): (bool, &str),
    (actor, now): (&Actor, Timestamp),
    rng: &mut fastrand::Rng,
) -> NewRun {
    let (backup, reason) = (entry.backup.id, reason.to_owned());
    let action = if held {
        OperatorAction::Held { backup, blob: Some(entry.backup.blob.clone()), reason }
    } else {
        OperatorAction::Released { backup, reason }
    };
    operator_actions::about(entry, (action, actor.clone()), now, rng)
}

/// Refuses a second hold, which would replace the reason of the first, and the removal of none.
fn check_change(entry: &CatalogEntry, held: bool) -> Result<(), Error> {
    let (name, id) = (entry.app.short_name(), entry.backup.id);
    let (what, advice) = match (held, &entry.hold) {
        (true, Some(reason)) => (
            format!("backup {id} of {name} is held already: {reason}"),
            format!(
                "to change the reason, first run `holdfast hold remove {name} --backup {id} --reason TEXT`"
            ),
        ),
        (false, None) => (
            format!("backup {id} of {name} is not held"),
            format!("`holdfast hold list {name}` lists the held backups"),
        ),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Conflict, what).help(advice))
}

/// The run that may have asked Azure to delete the backup already.
async fn started_deletion(store: &dyn Store, entry: &CatalogEntry) -> Result<Option<RunId>, Error> {
    let (app, kind) = (Some(entry.app.clone()), Some(RunKind::Delete));
    let runs = store.runs(&RunFilter { app, kind, unfinished: true, ..RunFilter::default() }).await?;
    let has_started = |run: &&Run| {
        run.state.attempt().is_some()
            && run.task.backup(&run.app).is_some_and(|(_, id)| id == entry.backup.id)
    };
    Ok(runs.iter().find(has_started).map(|run| run.id))
}

/// The backup of the catalog that a request names.
async fn find(store: &dyn Store, app: &str, id: BackupId) -> Result<CatalogEntry, Error> {
    let app = app_resolver::in_store(store, app).await?;
    let name = app.short_name();
    let filter = CatalogFilter { app: Some(app), with_removed: true, ..CatalogFilter::default() };
    let found = store.catalog(&filter).await?.into_iter().find(|entry| entry.backup.id == id);
    let not_found = |what: String| Error::new(ErrorKind::NotFound, what);
    match found {
        Some(entry) if entry.removal.is_none() => Ok(entry),
        Some(_) => Err(not_found(format!("backup {id} of {name} is no longer there"))),
        None => Err(not_found(format!("backup {id} of {name} is not in the catalog")).help(format!(
            "`holdfast backups list {name}` lists the backups; `holdfast backups adopt` adds one that others took"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::rendered;
    use crate::inventory::tests::entry;

    #[test]
    fn a_hold_is_neither_added_twice_nor_removed_where_there_is_none() {
        let free = entry(1, "hf-a.zip", 10);
        let held = CatalogEntry { hold: Some("lawsuit".to_owned()), ..free.clone() };
        assert!(check_change(&free, true).is_ok() && check_change(&held, false).is_ok());
        let twice = check_change(&held, true).unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Conflict);
        assert!(rendered(&twice).starts_with("error: backup 1 of shop is held already: lawsuit\nhelp: "));
        let none = check_change(&free, false).unwrap_err();
        assert!(rendered(&none).starts_with("error: backup 1 of shop is not held\nhelp: "));
    }
}
