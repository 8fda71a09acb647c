//! How far schedules have been considered, and the runs that come of considering them.

use std::collections::BTreeSet;

use holdfast_model::{AppId, NewRun, PolicyName, Timestamp};
use serde_json::{Value, json as object};
use sqlx::{FromRow, PgConnection};

use super::row::{Reading, text};
use super::runs;
use super::session::During;
use super::time::Time;
use crate::columns::json;
use crate::{Cursor, CursorAdvance, Error, Planned};

pub(super) const DUE: &str = "read the cursors that are due";
pub(super) const PLAN: &str = "plan runs";

/// Plans per statement: few enough that its text stays small, many enough that its cost is shared.
const CHUNK: usize = 1_000;

#[derive(Debug, FromRow)]
pub(super) struct CursorRow {
    app: String,
    policy: String,
    fingerprint: String,
    through: Timestamp,
    next_at: Timestamp,
    unfinished: i64,
}

impl CursorRow {
    pub fn read(self, operation: &'static str) -> Result<Cursor, Error> {
        let reading = Reading { operation, of: format!("the cursor of {}", self.app) };
        Ok(Cursor {
            app: reading.parse("app", &self.app)?,
            policy: PolicyName::new(self.policy),
            fingerprint: self.fingerprint,
            through: self.through,
            next_at: self.next_at,
            unfinished: reading.count("unfinished", self.unfinished)?,
        })
    }
}

pub(super) async fn due(connection: &mut PgConnection, most: u32, time: &Time) -> Result<Vec<Cursor>, Error> {
    let now = time.now(connection, DUE).await?;
    let due = "/* due */ SELECT app, policy, fingerprint, through, next_at,
            (SELECT count(*) FROM runs
             WHERE runs.app = cursors.app AND runs.policy = cursors.policy AND runs.state <> 'ended'
               AND runs.kind = 'backup') AS unfinished
        FROM cursors WHERE next_at <= $1 ORDER BY next_at, app LIMIT $2";
    let rows: Vec<CursorRow> =
        sqlx::query_as(due).bind(now).bind(i64::from(most)).fetch_all(connection).await.during(DUE)?;
    rows.into_iter().map(|row| row.read(DUE)).collect()
}

/// Cursors are moved by one transaction at a time: two that moved the same ones in different orders would wait for
/// each other, and a sync of the fleet must not undo a move that it has not seen.
pub(super) async fn lock(tx: &mut PgConnection, operation: &'static str) -> Result<(), Error> {
    let lock = "/* lock */ SELECT pg_advisory_xact_lock(hashtextextended('holdfast.cursors', 0))";
    sqlx::query(lock).execute(tx).await.during(operation)?;
    Ok(())
}

/// Moves cursors and adds their runs.
pub(super) async fn plan(
    tx: &mut PgConnection,
    plans: &[CursorAdvance],
    time: &Time,
) -> Result<Planned, Error> {
    lock(tx, PLAN).await?;
    let now = time.now(tx, PLAN).await?;
    let mut planned = Planned::default();
    let mut rest = plans;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(chunk_len(rest));
        let moved = advance(tx, chunk).await?;
        let (kept, conflicts): (Vec<&CursorAdvance>, Vec<&CursorAdvance>) =
            chunk.iter().partition(|plan| moved.contains(&plan.cursor.app.to_string()));
        planned.conflicts += conflicts.len() as u64;
        let new: Vec<&NewRun> = kept.iter().flat_map(|plan| &plan.runs).collect();
        let added = runs::insert(tx, &new, now, PLAN).await?;
        for new in new.iter().filter(|new| added.contains(&new.run.id)) {
            *(if new.run.state.is_ended() { &mut planned.missed } else { &mut planned.runs }) += 1;
        }
        rest = after;
    }
    Ok(planned)
}

/// As many plans as one statement may hold: a second plan of one app meets the cursor as the first left it.
fn chunk_len(plans: &[CursorAdvance]) -> usize {
    let mut apps: BTreeSet<&AppId> = BTreeSet::new();
    plans.iter().take(CHUNK).take_while(|plan| apps.insert(&plan.cursor.app)).count()
}

/// Moves the cursors that are still where they were read, and answers their apps.
async fn advance(tx: &mut PgConnection, plans: &[CursorAdvance]) -> Result<BTreeSet<String>, Error> {
    let row = |plan: &CursorAdvance| {
        let CursorAdvance { cursor, through, next_at, .. } = plan;
        object!({
            "app": cursor.app.to_string(),
            "policy": cursor.policy.as_str(),
            "fingerprint": cursor.fingerprint,
            "origin": text(cursor.through),
            "through": text(*through),
            "next_at": next_at.map(text),
        })
    };
    let rows: Vec<Value> = plans.iter().map(row).collect();
    let advance = "/* advance */ WITH plan AS MATERIALIZED (
            SELECT * FROM json_to_recordset($1::json) AS plan (app text, policy text, fingerprint text,
                origin timestamptz, through timestamptz, next_at timestamptz)
        ), moved AS (
            UPDATE cursors SET through = plan.through, next_at = plan.next_at FROM plan
            WHERE cursors.app = plan.app AND cursors.policy = plan.policy AND cursors.fingerprint = plan.fingerprint
              AND cursors.through = plan.origin AND plan.next_at IS NOT NULL
            RETURNING cursors.app
        ), done AS (
            DELETE FROM cursors USING plan
            WHERE cursors.app = plan.app AND cursors.policy = plan.policy AND cursors.fingerprint = plan.fingerprint
              AND cursors.through = plan.origin AND plan.next_at IS NULL
            RETURNING cursors.app
        )
        SELECT app FROM moved UNION ALL SELECT app FROM done";
    let moved: Vec<String> =
        sqlx::query_scalar(advance).bind(json(&rows)).fetch_all(tx).await.during(PLAN)?;
    Ok(moved.into_iter().collect())
}
