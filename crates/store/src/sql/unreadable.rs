//! Finding the rows that cannot be read, and removing one.

use holdfast_access::ApiToken;
use holdfast_model::{AppId, Run, RunId};
use serde_json::{Map, Value};

use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::fleet::Cursor;
use crate::rules::enrolment::AppRow;
use crate::rules::generations::StoredEntry;
use crate::rules::subscriptions::Recorded;
use crate::sql::arg::Arg;
use crate::sql::budgets::BudgetRow;
use crate::sql::insert::insert;
use crate::sql::reading::fetch_each;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_optional};
use crate::unreadable::{Removed, RowRemoval, UnreadableRow};

pub(super) const CHECK: &str = "check the store's rows";
pub(super) const REMOVE: &str = "remove a row";

/// Rows of a page.
const PAGE: i64 = 1_000;

/// A row of a large table, which is checked page by page.
pub(super) trait Paged: FromRow {
    /// The first page, of `$1` rows.
    const FIRST: &'static str;
    /// The page of `$1` rows after a key.
    const NEXT: &'static str;

    /// The key.
    fn key(&self) -> Vec<String>;

    /// The key as arguments.
    fn args(key: &[String]) -> Vec<Arg>;
}

/// A run with every column that a statement compares.
pub(super) struct RunCheck(RunId);

impl FromRow for RunCheck {
    const KEY: &'static [&'static str] = Run::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        let run = Run::read(row)?;
        row.word::<holdfast_model::RunKind>("kind")?;
        row.word::<holdfast_model::StateCode>("state")?;
        row.maybe_word::<holdfast_model::Outcome>("outcome")?;
        row.maybe_word::<holdfast_model::Cause>("cause")?;
        let lane = row.maybe_text("lane")?;
        lane.map(|lane| lane.parse::<holdfast_model::Lane>().map_err(|error| row.wrong("lane", error)))
            .transpose()?;
        for time in ["leased_until", "accepted_at", "finished_at"] {
            row.maybe_time(time)?;
        }
        Ok(Self(run.id))
    }
}

impl Paged for RunCheck {
    const FIRST: &'static str = "/* check */ SELECT runs.*, lane, leased_until
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id ORDER BY runs.id LIMIT $1";
    const NEXT: &'static str = "/* check */ SELECT runs.*, lane, leased_until
        FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id WHERE runs.id > $2 ORDER BY runs.id LIMIT $1";

    fn key(&self) -> Vec<String> {
        vec![self.0.to_string()]
    }

    fn args(key: &[String]) -> Vec<Arg> {
        key.iter().map(|id| id.parse().map_or_else(|_| Arg::text(id), Arg::Id)).collect()
    }
}

impl Paged for StoredEntry {
    const FIRST: &'static str =
        "/* check */ SELECT * FROM catalog ORDER BY app, backup_id, generation LIMIT $1";
    const NEXT: &'static str =
        "/* check */ SELECT * FROM catalog WHERE (app, backup_id, generation) > ($2, $3, $4)
        ORDER BY app, backup_id, generation LIMIT $1";

    fn key(&self) -> Vec<String> {
        vec![self.entry.app.to_string(), self.entry.backup.id.to_string(), self.generation.to_string()]
    }

    fn args(key: &[String]) -> Vec<Arg> {
        let [app, backup, generation] = key else { return Vec::new() };
        let number = |text: &String| Arg::Int(text.parse().unwrap_or(i64::MAX));
        vec![Arg::text(app), number(backup), number(generation)]
    }
}

impl Paged for AuditEvent {
    const FIRST: &'static str =
        "/* check */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        ORDER BY seq LIMIT $1";
    const NEXT: &'static str =
        "/* check */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE seq > $2 ORDER BY seq LIMIT $1";

    fn key(&self) -> Vec<String> {
        vec![self.link.seq.to_string()]
    }

    fn args(key: &[String]) -> Vec<Arg> {
        key.iter().map(|seq| Arg::Int(seq.parse().unwrap_or(i64::MAX))).collect()
    }
}

/// The unreadable rows of the small tables.
pub(super) async fn of_small_tables(session: &mut impl Session) -> Result<Vec<UnreadableRow>> {
    let apps = fetch_each::<AppRow>(session, "/* check */ SELECT * FROM apps", Vec::new()).await?;
    let cursors = "/* check */ SELECT *, CAST(0 AS bigint) AS unfinished, CAST(NULL AS timestamptz) AS paused_since, CAST(NULL AS timestamptz) AS paused_until FROM cursors";
    let cursors = fetch_each::<Cursor>(session, cursors, Vec::new()).await?;
    let budgets = fetch_each::<BudgetRow>(session, "/* check */ SELECT * FROM budgets", Vec::new()).await?;
    let lists = "/* check */ SELECT * FROM subscriptions";
    let lists = fetch_each::<Recorded>(session, lists, Vec::new()).await?;
    let tokens = fetch_each::<ApiToken>(session, "/* check */ SELECT * FROM api_tokens", Vec::new()).await?;
    let [apps, cursors] = [apps.unreadable, cursors.unreadable];
    Ok([apps, cursors, budgets.unreadable, lists.unreadable, tokens.unreadable].concat())
}

/// Adds the unreadable rows of one page to `found`. Returns the last key of the page; `None` after the last page.
pub(super) async fn of_page<T: Paged>(
    session: &mut impl Session,
    after: Option<Vec<String>>,
    found: &mut Vec<UnreadableRow>,
) -> Result<Option<Vec<String>>> {
    let mut args = vec![Arg::Int(PAGE)];
    args.extend(after.iter().flat_map(|key| T::args(key)));
    let page = session.fetch_each::<T>(if after.is_some() { T::NEXT } else { T::FIRST }, args).await?;
    let mut last = None;
    for row in page {
        last = Some(match row {
            Ok(row) => row.key(),
            Err(Error::Unreadable { row, .. }) => {
                found.push(row.clone());
                row.key
            }
            Err(error) => return Err(error),
        });
    }
    Ok(last)
}

/// The columns of a row, whatever they hold.
struct Dump(Map<String, Value>);

impl FromRow for Dump {
    const KEY: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self(row.dump()))
    }
}

/// Moves a row that cannot be read to `set_aside_rows`, and records who did it in the audit. A trigger deletes the row.
pub(super) async fn remove(session: &mut impl Session, removal: &RowRemoval) -> Result<Removed> {
    let RowRemoval { table, key, .. } = removal;
    let pair = || key.rsplit_once(' ').map(|(one, two)| (one.to_owned(), two.to_owned()));
    match table.as_str() {
        "apps" => {
            let one = "/* store_row */ SELECT * FROM apps WHERE app = $1";
            set_aside::<AppRow>(session, one, vec![Arg::text(key)], removal).await
        }
        "cursors" => {
            let one = "/* store_row */ SELECT *, CAST(0 AS bigint) AS unfinished FROM cursors WHERE app = $1";
            set_aside::<Cursor>(session, one, vec![Arg::text(key)], removal).await
        }
        "runs" => {
            let one = "/* store_row */ SELECT runs.*, lane, leased_until
                FROM runs LEFT JOIN unfinished_runs AS place ON place.id = runs.id WHERE CAST(runs.id AS text) = $1";
            set_aside::<RunCheck>(session, one, vec![Arg::text(key)], removal).await
        }
        "catalog" => {
            let one = "/* store_row */ SELECT * FROM catalog
                WHERE app || ' ' || backup_id || ' ' || generation = $1";
            set_aside::<StoredEntry>(session, one, vec![Arg::text(key)], removal).await
        }
        "budgets" => {
            let Some((subscription, call)) = pair() else { return Ok(Removed::Missing) };
            let one = "/* store_row */ SELECT * FROM budgets WHERE subscription = $1 AND call = $2";
            set_aside::<BudgetRow>(session, one, vec![Arg::Text(subscription), Arg::Text(call)], removal)
                .await
        }
        "subscriptions" => {
            let one = "/* store_row */ SELECT * FROM subscriptions WHERE subscription = $1";
            set_aside::<Recorded>(session, one, vec![Arg::text(key)], removal).await
        }
        "api_tokens" => {
            let one = "/* store_row */ SELECT * FROM api_tokens WHERE id = $1";
            set_aside::<ApiToken>(session, one, vec![Arg::text(key)], removal).await
        }
        _ => Ok(Removed::Kept),
    }
}

async fn set_aside<T: FromRow>(
    session: &mut impl Session,
    one: &'static str,
    args: Vec<Arg>,
    removal: &RowRemoval,
) -> Result<Removed> {
    let unreadable = match session.fetch_each::<T>(one, args.clone()).await?.pop() {
        None => return Ok(Removed::Missing),
        Some(Ok(_)) => return Ok(Removed::Readable),
        Some(Err(Error::Unreadable { row, .. })) => row,
        Some(Err(error)) => return Err(error),
    };
    let Some(Dump(dump)) = fetch_optional(session, one, args).await? else { return Ok(Removed::Missing) };
    let now = session.now().await?;
    let mut action = removal.action.clone();
    let app: Option<AppId> = dump.get("app").and_then(Value::as_str).and_then(|app| app.parse().ok());
    action.run.app = app.unwrap_or(action.run.app);
    let set_aside =
        "/* set_aside */ INSERT INTO set_aside_rows (table_name, row_key, row_json, reason, actor, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let RowRemoval { table, key, reason, actor, .. } = removal;
    let texts = [table, key, &Value::Object(dump).to_string(), reason, actor].map(Arg::text);
    session.execute(set_aside, texts.into_iter().chain([Arg::Time(now)]).collect()).await?;
    insert(session, &[&action], now).await?;
    Ok(Removed::Done(unreadable))
}
