//! `holdfast backups delete`: deletes backups after a confirmation.

use holdfast_client::{Server, Started};
use holdfast_control::deletion::{Allowed, DeletionPlan, DeletionRequest, PlannedDeletions, execute, plan};
use holdfast_control::{ControlContext, Error, ErrorKind, counted};
use holdfast_model::{StorageName, format_timestamp};

use crate::args::DeleteArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::submitter::AddsRuns;

/// Runs the command.
pub async fn run(args: &DeleteArgs, context: &Context) -> anyhow::Result<Exit> {
    let (request, submitter) = (request(args), context.submitter().await?);
    let planned = submitter.plan(&request, context).await?;
    let plan = &planned.shown;
    context.out.message_table(table(plan));
    if let Some((id, left)) = plan.newest_good.zip(plan.left_from) {
        let left = format_timestamp(left);
        context.out.message(&format!(
            "warning: backup {id} is the newest good one: without it the app can be restored to {left} only"
        ));
    }
    let question = format!("Delete {} of {}?", counted(plan.backups.len(), "backup"), plan.app.short_name());
    confirm::agreed(&question, args.options.yes, context)?;
    added::start(submitter, (&request, &planned), args.options.wait, context).await
}

/// A planned deletion.
pub struct Planned {
    shown: PlannedDeletions,
    /// The plan itself, where this process made it.
    plan: Option<DeletionPlan>,
}

impl AddsRuns for DeletionRequest {
    type Plan = Planned;

    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<Planned> {
        let plan = plan(control, self).await?;
        Ok(Planned { shown: (&plan).into(), plan: Some(plan) })
    }

    async fn plan_there(&self, server: &Server) -> Result<Planned, Error> {
        Ok(Planned { shown: server.plan_deletion(self).await?, plan: None })
    }

    async fn start_here(
        &self,
        Planned { plan, .. }: &Planned,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        let Some(plan) = plan else {
            return Err(Error::new(ErrorKind::Invalid, "nothing is planned").into());
        };
        Ok(added::told(execute(control, plan, rng).await?, control))
    }

    async fn start_there(&self, Planned { shown, .. }: &Planned, server: &Server) -> Result<Started, Error> {
        server.delete(self, &shown.confirm).await
    }
}

fn request(args: &DeleteArgs) -> DeletionRequest {
    let DeleteArgs { app, ids, foreign, allow_last, storage, .. } = args.clone();
    let storage = storage.as_deref().map(StorageName::new);
    DeletionRequest { app, backups: ids, allowed: Allowed { foreign, last: allow_last }, storage }
}

fn table(plan: &PlannedDeletions) -> Table {
    let mut table = Table::new(["TO DELETE", "BLOB", "CREATED", "SIZE", "STORAGE"]);
    for planned in &plan.backups {
        let backup = &planned.backup;
        table.row([
            backup.id.to_string().into(),
            backup.blob.as_str().into(),
            age(backup.accepted_at, plan.as_of).into(),
            bytes(backup.size_bytes).into(),
            planned.storage.as_str().into(),
        ]);
    }
    table
}
