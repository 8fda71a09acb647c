//! Rows of the store that cannot be read: what is wrong with them, and their removal.

use holdfast_model::{Actor, App, AppId, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName};
use holdfast_store::{Removed, RowRemoval, Store, UnreadableRow};
use serde::Serialize;

use crate::{Error, ErrorKind};

/// A row that cannot be read, as commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowProblem {
    /// The table.
    pub table: &'static str,
    /// The values of the row's key, with spaces between.
    pub key: String,
    /// The column that cannot be read.
    pub column: String,
    /// Why.
    pub why: String,
    /// What happens when the row is removed, or how else it is repaired.
    pub remedy: &'static str,
}

/// A request to remove a row.
#[derive(Debug, Clone)]
pub struct RemovalRequest {
    /// The table.
    pub table: String,
    /// The values of the row's key, with spaces between.
    pub key: String,
    /// Why, for the audit.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// All rows that cannot be read.
pub async fn check(store: &dyn Store) -> Result<Vec<RowProblem>, Error> {
    Ok(store.unreadable_rows().await?.into_iter().map(problem).collect())
}

/// Removes a row that cannot be read. The store keeps it in `set_aside_rows`, and the audit has the removal.
pub async fn remove(
    store: &dyn Store,
    request: &RemovalRequest,
    rng: &mut fastrand::Rng,
) -> Result<RowProblem, Error> {
    let RemovalRequest { table, key, reason, actor } = request.clone();
    let now = store.now().await?;
    let action =
        OperatorAction::RowRemoved { table: table.clone(), key: key.clone(), reason: reason.clone() };
    // It sends nothing, so its policy snapshot does not matter.
    let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    let app = App::new(AppId::unknown());
    let action = NewRun::operator_action(RunId::new(now, rng), &app, &snapshot, action, actor.clone(), now);
    let removal = RowRemoval { table, key, reason, actor: actor.name, action };
    let RowRemoval { table, key, .. } = &removal;
    let list = "`holdfast store check` lists the rows that cannot be read";
    match store.remove_unreadable(&removal).await? {
        Removed::Done(row) => Ok(problem(row)),
        Removed::Missing => {
            Err(Error::new(ErrorKind::NotFound, format!("{table} has no row `{key}`")).help(list))
        }
        Removed::Readable => {
            let what = format!("the row `{key}` of {table} can be read, and stays");
            Err(Error::new(ErrorKind::Conflict, what).help(list))
        }
        Removed::Kept if table == "audit_events" => {
            let help =
                "`holdfast audit verify` checks the audit; restore a copy of the store where it is damaged";
            Err(Error::new(ErrorKind::Refused, "audit events are never removed").help(help))
        }
        Removed::Kept => {
            Err(Error::new(ErrorKind::Invalid, format!("the store has no table `{table}` of rows"))
                .help(list))
        }
    }
}

fn problem(row: UnreadableRow) -> RowProblem {
    let key = row.key_text();
    let UnreadableRow { table, column, why, .. } = row;
    RowProblem { table, key, column, why, remedy: remedy(table) }
}

fn remedy(table: &str) -> &'static str {
    match table {
        "apps" | "cursors" => {
            "the next sync of the fleet writes it anew where the fleet names the app; else remove it"
        }
        "runs" => "remove it: its app is free again, and its next tick makes a new run",
        "catalog" => "remove it, then take the backup over with `holdfast backups adopt`",
        "subscriptions" => "the next list of the subscription writes it anew; else remove it",
        "budgets" => "remove it: the subscription starts with a full budget",
        _ => "audit events stay: `holdfast audit verify` checks them",
    }
}
