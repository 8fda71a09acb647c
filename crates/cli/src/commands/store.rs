//! `holdfast store`: lists the rows that cannot be read, and removes one.

use holdfast_control::counted;
use holdfast_control::store_rows::{self, RemovalRequest, RowProblem};
use holdfast_store::Mode;

use crate::args::{RemoveRowArgs, StoreCommand};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(command: &StoreCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        StoreCommand::Check => check(context).await,
        StoreCommand::Remove(args) => remove(args, context).await,
    }
}

/// Exits with [`Exit::Failed`] when a row cannot be read.
async fn check(context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let problems = store_rows::check(&*store).await?;
    store.close().await;
    context.out.show(&problems, || {
        if problems.is_empty() { "every row can be read".into() } else { table(&problems).into() }
    })?;
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    let rows = counted(problems.len(), "row");
    context.out.message(&format!("{rows} cannot be read: `holdfast store remove TABLE KEY` removes one"));
    Ok(Exit::Failed)
}

fn table(problems: &[RowProblem]) -> Table {
    let mut table = Table::new(["TABLE", "KEY", "COLUMN", "WHY", "REMEDY"]);
    for RowProblem { table: name, key, column, why, remedy } in problems {
        table.row([(*name).into(), key.into(), column.into(), why.into(), (*remedy).into()]);
    }
    table
}

async fn remove(args: &RemoveRowArgs, context: &Context) -> anyhow::Result<Exit> {
    let RemoveRowArgs { table, key, reason, yes } = args.clone();
    let key = key.join(" ");
    let question = format!("The row `{key}` leaves the table {table}; the store keeps it in set_aside_rows.");
    confirm::agreed(&question, yes, context)?;
    let backends = Backends::open_beside(context).await?;
    let request = RemovalRequest { table, key, reason, actor: context.actor() };
    let removed = store_rows::remove(&*backends.store, &request, &mut context.rng()).await;
    backends.store.close().await;
    let removed = removed?;
    context.out.show(&removed, || format!("removed `{}` from {}", removed.key, removed.table).into())?;
    Ok(Exit::Done)
}
