//! `holdfast sas refresh`: Azure deletes a backup with the SAS it keeps, so one that lapsed there is replaced.

use holdfast_model::{App, CatalogEntry, NewRun, NewTask, RefreshReason, RefreshSas, RunId, Task, Trigger};
use holdfast_store::CatalogFilter;

use crate::args::SasRefreshArgs;
use crate::backends::Backends;
use crate::commands::added;
use crate::context::Context;
use crate::desk::Desk;
use crate::exit::{Exit, Failure};

/// Runs the command.
pub async fn run(args: &SasRefreshArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &backends.store;
    let desk = Desk::new(context, &fleet, &**store).await?;
    let app = desk.app(&args.app).await?;
    let filter = CatalogFilter { app: Some(app.id.clone()), ..CatalogFilter::default() };
    let mut entries = store.catalog(&filter).await?;
    entries.retain(|entry| args.backup.is_none_or(|id| entry.backup.id == id));
    if entries.is_empty() {
        let name = app.id.short_name();
        let what = match args.backup {
            Some(id) => format!("no backup {id} of {name} is known to be there"),
            None => format!("no backup of {name} is known to be there"),
        };
        return Err(Failure::new(Exit::Usage, what)
            .help(format!("`holdfast backups list {name}` lists them"))
            .into());
    }
    let mut rng = context.rng();
    let runs: Result<Vec<NewRun>, Failure> =
        entries.iter().map(|entry| refresh(&desk, &app, entry, &mut rng)).collect();
    added::runs(&runs?, (fleet.clone(), backends), args.wait, context, rng).await
}

fn refresh(
    desk: &Desk<'_>,
    app: &App,
    entry: &CatalogEntry,
    rng: &mut fastrand::Rng,
) -> Result<NewRun, Failure> {
    let policy_snapshot = desk.policy_snapshot(app, Some(&entry.storage))?;
    let (backup, old) = (entry.backup.id, entry.sas.clone());
    let task = Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::Asked, old });
    let asked = NewTask { task, trigger: Trigger::Manual, actor: Some(desk.context.by()) };
    Ok(NewRun::task(RunId::new(desk.now, rng), app, &policy_snapshot, asked, desk.now))
}
