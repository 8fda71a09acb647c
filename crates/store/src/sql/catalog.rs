//! The catalog: applying changes to it, and reading it.

use std::collections::BTreeSet;

use holdfast_model::{AppId, BackupId, CatalogEntry};

use crate::error::Result;
use crate::filter::CatalogFilter;
use crate::rules::catalog::{applied, in_order};
use crate::rules::catalog_change::{Caused, Number};
use crate::rules::generations::StoredEntry;
use crate::sql::arg::Arg;
use crate::sql::reading::{Fetched, fetch_each, fetch_readable};
use crate::sql::rows::entry;
use crate::sql::session::{Session, fetch_optional};
use crate::unreadable::UnreadableRow;

pub(super) const CATALOG: &str = "read the catalog";

/// Locks the catalog of apps, or blobs, until the transaction ends.
pub(super) async fn lock(session: &mut impl Session, names: BTreeSet<String>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    session.lock(names.into_iter().map(|name| format!("holdfast.catalog {name}")).collect()).await
}

/// Reads the entries of numbers, of apps that are locked: one transaction at a time changes the entries of an app, so that
/// what another one decides upon neither changes nor appears meanwhile.
pub(super) async fn read_locked<S: Session>(
    session: &mut S,
    numbers: &BTreeSet<Number>,
) -> Result<Fetched<StoredEntry>> {
    if numbers.is_empty() {
        return Ok(Fetched { rows: Vec::new(), unreadable: Vec::new() });
    }
    let keys = Arg::json(&entry::keys(numbers));
    fetch_each(session, S::DIALECT.read_entries, vec![keys]).await
}

/// Applies changes to the entries of their numbers.
pub(super) async fn change<S: Session>(
    session: &mut S,
    entries: Fetched<StoredEntry>,
    changes: Vec<Caused>,
) -> Result<()> {
    // A change of an unreadable entry is left out: the event has it, and the entry keeps what it says, such as a hold.
    let number = |row: &UnreadableRow| row.key.iter().take(2).cloned().collect();
    let unreadable: BTreeSet<Vec<String>> = entries.unreadable.iter().map(number).collect();
    let is_readable = |caused: &Caused| {
        let (app, backup) = caused.change.number();
        !unreadable.contains(&vec![app.to_string(), backup.to_string()])
    };
    let changes = changes.into_iter().filter(is_readable).collect();
    let rows: Vec<_> = applied(entries.rows, changes).map(|entry| entry::columns(&entry)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    session.execute(S::DIALECT.write_entries, vec![Arg::json(&rows)]).await?;
    Ok(())
}

/// The entry of the backup of a number that has this blob, or else the current one of the number.
pub(super) async fn one(
    session: &mut impl Session,
    app: &AppId,
    backup: BackupId,
    blob: Option<&str>,
) -> Result<Option<CatalogEntry>> {
    let one = "/* catalog_one */ SELECT * FROM catalog WHERE app = $1 AND backup_id = $2
        ORDER BY CASE WHEN blob = $3 THEN 0 ELSE 1 END, removed_at IS NOT NULL, generation DESC LIMIT 1";
    let blob = Arg::MaybeText(blob.map(str::to_owned));
    fetch_optional(session, one, vec![Arg::text(app), Arg::Int(backup.0), blob]).await
}

pub(super) async fn list<S: Session>(session: &mut S, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>> {
    let CatalogFilter { app, apps, after, with_removed, most_apps } = filter;
    if !apps.is_empty() {
        let args = vec![Arg::json(&Vec::from_iter(apps)), Arg::Bool(*with_removed)];
        return fetch_readable(session, S::DIALECT.catalog_of, args).await.map(in_order);
    }
    let after = after.as_ref().map(ToString::to_string).unwrap_or_default();
    let Some(app) = app else {
        let statement = if *with_removed { ALL } else { PRESENT };
        return page(session, statement, after, *most_apps).await.map(in_order);
    };
    let of_app =
        "/* catalog */ SELECT * FROM catalog WHERE app = $1 AND app > $2 AND ($3 OR removed_at IS NULL)";
    let args = vec![Arg::text(app), Arg::Text(after), Arg::Bool(*with_removed)];
    fetch_readable(session, of_app, args).await.map(in_order)
}

/// The entries of the next apps after `after`. A page is empty only when no app follows that can be read.
async fn page(
    session: &mut impl Session,
    statement: &'static str,
    mut after: String,
    most_apps: u32,
) -> Result<Vec<CatalogEntry>> {
    loop {
        let args = vec![Arg::Text(after.clone()), Arg::most(most_apps)];
        let page: Fetched<CatalogEntry> = fetch_each(session, statement, args).await?;
        let last = page.unreadable.iter().filter_map(|row| row.key.first()).max();
        match last.filter(|last| page.rows.is_empty() && **last > after) {
            Some(last) => after.clone_from(last),
            None => return Ok(page.rows),
        }
    }
}

// A walk from each app to the next, so that a page costs what is on it.

const PRESENT: &str = "/* catalog */ WITH RECURSIVE page (app, place) AS (
        SELECT (SELECT app FROM catalog WHERE app > $1 AND removed_at IS NULL ORDER BY app LIMIT 1), 1
        UNION ALL
        SELECT (SELECT catalog.app FROM catalog
                WHERE catalog.app > page.app AND catalog.removed_at IS NULL ORDER BY catalog.app LIMIT 1), place + 1
        FROM page WHERE page.app IS NOT NULL AND place < $2
    )
    SELECT catalog.* FROM page CROSS JOIN catalog WHERE catalog.app = page.app AND catalog.removed_at IS NULL";

const ALL: &str = "/* catalog */ WITH RECURSIVE page (app, place) AS (
        SELECT (SELECT app FROM catalog WHERE app > $1 ORDER BY app LIMIT 1), 1
        UNION ALL
        SELECT (SELECT catalog.app FROM catalog WHERE catalog.app > page.app ORDER BY catalog.app LIMIT 1), place + 1
        FROM page WHERE page.app IS NOT NULL AND place < $2
    )
    SELECT catalog.* FROM page CROSS JOIN catalog WHERE catalog.app = page.app";
