//! `holdfast backups delete`: deletes backups after a confirmation.

use holdfast_control::approvals::Started;
use holdfast_control::counted;
use holdfast_control::deletion::{Allowed, DeletionPlan, DeletionRequest, execute, plan};
use holdfast_model::{StorageName, format_timestamp};

use crate::args::DeleteArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &DeleteArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let plan = plan(&control, &request(args)).await?;
    context.out.message_table(table(&plan));
    if let Some(newest) = &plan.newest_good {
        let (id, left) = (newest.backup, format_timestamp(newest.left_from));
        context.out.message(&format!(
            "warning: backup {id} is the newest good one: without it the app can be restored to {left} only"
        ));
    }
    let question =
        format!("Delete {} of {}?", counted(plan.backups.len(), "backup"), plan.app.id.short_name());
    confirm::agreed(&question, args.options.yes, context)?;
    let mut rng = context.rng();
    let added = match execute(&control, &plan, &mut rng).await? {
        Started::Runs(added) => added,
        Started::Asked(approval) => return added::asked(&approval, context),
    };
    added::follow(&added, (fleet.clone(), backends), args.options.wait, context, rng).await
}

fn request(args: &DeleteArgs) -> DeletionRequest {
    let DeleteArgs { app, ids, foreign, allow_last, storage, .. } = args.clone();
    let storage = storage.as_deref().map(StorageName::new);
    DeletionRequest { app, backups: ids, allowed: Allowed { foreign, last: allow_last }, storage }
}

fn table(plan: &DeletionPlan) -> Table {
    let mut table = Table::new(["TO DELETE", "BLOB", "CREATED", "SIZE", "STORAGE"]);
    for planned in &plan.backups {
        let backup = &planned.backup;
        table.row([
            backup.id.to_string().into(),
            backup.blob.as_str().into(),
            age(backup.accepted_at, plan.now).into(),
            bytes(backup.size_bytes).into(),
            planned.policy_snapshot.storage.as_str().into(),
        ]);
    }
    table
}
