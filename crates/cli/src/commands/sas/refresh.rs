//! `holdfast sas refresh`: Azure deletes a backup with the SAS it keeps, so one that lapsed there is replaced.

use holdfast_model::{App, CatalogEntry, NewRun, NewTask, RefreshReason, RefreshSas, RunId, Task, Trigger};
use holdfast_store::CatalogFilter;

use crate::args::SasRefreshArgs;
use crate::commands::added;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use holdfast_control::ControlContext;
use holdfast_control::{Error, ErrorKind};

/// Runs the command.
pub async fn run(args: &SasRefreshArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &backends.store;
    let control = context.control(&fleet, &**store).await?;
    let app = control.app(&args.app).await?;
    let filter = CatalogFilter { app: Some(app.id.clone()), ..CatalogFilter::default() };
    let mut entries = store.catalog(&filter).await?;
    entries.retain(|entry| args.backup.is_none_or(|id| entry.backup.id == id));
    if entries.is_empty() {
        let name = app.id.short_name();
        let what = match args.backup {
            Some(id) => format!("no backup {id} of {name} is known to be there"),
            None => format!("no backup of {name} is known to be there"),
        };
        return Err(Error::new(ErrorKind::Invalid, what)
            .help(format!("`holdfast backups list {name}` lists them"))
            .into());
    }
    let mut rng = context.rng();
    let runs: Result<Vec<NewRun>, Error> =
        entries.iter().map(|entry| refresh(&control, &app, entry, &mut rng)).collect();
    added::runs(&runs?, (fleet.clone(), backends), args.wait, context, rng).await
}

fn refresh(
    control: &ControlContext<'_>,
    app: &App,
    entry: &CatalogEntry,
    rng: &mut fastrand::Rng,
) -> Result<NewRun, Error> {
    let policy_snapshot = control.policy_snapshot(app, Some(&entry.storage))?;
    let (backup, old) = (entry.backup.id, entry.sas.clone());
    let task = Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::Asked, old });
    let by = Some(control.actor.clone());
    Ok(NewRun::task(
        RunId::new(control.now, rng),
        app,
        &policy_snapshot,
        NewTask { task, trigger: Trigger::Manual, actor: by },
        control.now,
    ))
}
