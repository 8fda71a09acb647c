//! Replaces the SAS that Azure keeps with backups: Azure deletes a backup with that SAS.

use holdfast_model::{
    App, BackupId, CatalogEntry, NewRun, NewTask, RefreshReason, RefreshSas, RunId, Task, Trigger,
};
use holdfast_store::CatalogFilter;

use crate::context::ControlContext;
use crate::error::{Error, ErrorKind};

/// The runs that replace the SAS of one backup of the app, or of all that exist.
///
/// `NotFound` when the catalog has no such backup.
pub async fn refresh(
    context: &ControlContext<'_>,
    app: &str,
    backup: Option<BackupId>,
    rng: &mut fastrand::Rng,
) -> Result<Vec<NewRun>, Error> {
    let app = context.app(app).await?;
    let filter = CatalogFilter { app: Some(app.id.clone()), ..CatalogFilter::default() };
    let mut entries = context.store.catalog(&filter).await?;
    entries.retain(|entry| backup.is_none_or(|id| entry.backup.id == id));
    if entries.is_empty() {
        let name = app.id.short_name();
        let what = match backup {
            Some(id) => format!("the catalog has no backup {id} of {name}"),
            None => format!("the catalog has no backup of {name}"),
        };
        let help = format!("`holdfast backups list {name}` lists them");
        return Err(Error::new(ErrorKind::NotFound, what).help(help));
    }
    entries.iter().map(|entry| run(context, &app, entry, rng)).collect()
}

fn run(
    context: &ControlContext<'_>,
    app: &App,
    entry: &CatalogEntry,
    rng: &mut fastrand::Rng,
) -> Result<NewRun, Error> {
    let policy_snapshot = context.policy_snapshot(app, Some(&entry.storage))?;
    let (backup, old) = (entry.backup.id, entry.sas.clone());
    let task = Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::Asked, old });
    let request = NewTask { task, trigger: Trigger::Manual, actor: Some(context.actor.clone()) };
    Ok(NewRun::task(RunId::new(context.now, rng), app, &policy_snapshot, request, context.now))
}
