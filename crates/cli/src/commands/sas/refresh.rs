//! `holdfast sas refresh`: Azure deletes a backup with the SAS it keeps, so one that lapsed there is replaced.

use holdfast_model::{
    App, BackupId, CatalogEntry, NewRun, RefreshReason, RefreshSas, Run, RunId, Task, Trigger,
};
use holdfast_store::CatalogFilter;
use serde::Serialize;

use crate::args::SasRefreshArgs;
use crate::backends::Backends;
use crate::carry::{self, Carried};
use crate::commands::{RunView, state_cell};
use crate::context::Context;
use crate::desk::Desk;
use crate::exit::{Exit, Failure};
use crate::output::Table;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    /// Refreshes that were under way already, and so are not asked for again.
    already_asked: usize,
    runs: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    backup_id: Option<BackupId>,
    #[serde(flatten)]
    run: RunView,
}

/// Runs the command.
pub async fn run(args: &SasRefreshArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &backends.store;
    let desk = Desk::new(context, &fleet, &**store).await?;
    let app = desk.app(&args.app).await?;
    let filter = CatalogFilter { app: Some(app.id.clone()), ..CatalogFilter::default() };
    let wanted = args.backup.map(BackupId);
    let mut entries = store.catalog(&filter).await?;
    entries.retain(|entry| wanted.is_none_or(|id| entry.backup.id == id));
    if entries.is_empty() {
        let name = app.id.short_name();
        let what = match wanted {
            Some(id) => format!("no backup {id} of {name} is known to be there"),
            None => format!("no backup of {name} is known to be there"),
        };
        return Err(Failure::new(Exit::Usage, what)
            .help(format!("`holdfast history {name}` lists its runs"))
            .into());
    }
    let mut rng = context.rng();
    let mut added = Vec::new();
    for entry in &entries {
        let new = refresh(&desk, &app, entry, &mut rng)?;
        if store.add_runs(std::slice::from_ref(&new)).await? == 1 {
            added.push(new.run.id);
        }
    }
    let already_asked = entries.len() - added.len();
    if !args.wait {
        show(already_asked, &carry::load(&**store, &added).await?, context)?;
        carry::tell_who_carries(&backends, context);
        return Ok(Exit::Done);
    }
    let Carried { runs, was_stopped } = carry::out(fleet.clone(), backends, &added, context, rng).await?;
    show(already_asked, &runs, context)?;
    Ok(carry::exit(&runs, was_stopped, context))
}

fn refresh(
    desk: &Desk<'_>,
    app: &App,
    entry: &CatalogEntry,
    rng: &mut fastrand::Rng,
) -> Result<NewRun, Failure> {
    let terms = desk.terms(app, Some(&entry.storage))?;
    let (backup, old) = (entry.backup.id, entry.sas.clone());
    let task = Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::Asked, old });
    let by = Some(desk.context.by());
    Ok(NewRun::task(RunId::new(desk.now, rng), app, &terms, (task, Trigger::Manual, by), desk.now))
}

fn show(already_asked: usize, runs: &[Run], context: &Context) -> anyhow::Result<()> {
    let line = |run: &Run| Line {
        backup_id: run.task.backup(&run.app).map(|(_, backup)| backup),
        run: RunView::from(run),
    };
    let runs: Vec<Line> = runs.iter().map(line).collect();
    if context.out.is_json() {
        return Ok(context.out.json(&Document { already_asked, runs })?);
    }
    let mut table = Table::new(["APP", "BACKUP", "RUN", "STATE"]);
    for Line { backup_id, run } in &runs {
        let backup = backup_id.map_or_else(|| "-".to_owned(), |backup| backup.to_string());
        let name = run.name.as_str();
        table.row([name.into(), backup.into(), run.id.to_string().into(), state_cell(run)]);
    }
    context.out.table(table)?;
    if already_asked > 0 {
        context.out.text(&format!("{already_asked} asked for already"))?;
    }
    Ok(())
}
