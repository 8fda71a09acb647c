//! How far schedules have been considered, and the runs that come of considering them.

use std::collections::BTreeSet;

use holdfast_model::{AppId, NewRun, PolicyName, Timestamp};
use serde_json::{Value, json as object};
use sqlx::{FromRow, SqliteConnection};

use super::driver::During;
use super::row::{Reading, text};
use super::runs;
use crate::columns::json;
use crate::{Cursor, CursorAdvance, Error, Planned};

pub(super) const DUE: &str = "read the cursors that are due";
pub(super) const PLAN: &str = "plan runs";

/// Plans per statement: few enough that the statement's text stays small, many enough that its cost is shared.
const CHUNK: usize = 500;

#[derive(Debug, FromRow)]
pub(super) struct CursorRow {
    app: String,
    policy: String,
    fingerprint: String,
    through: String,
    next_at: String,
    unfinished: i64,
}

impl CursorRow {
    pub fn read(self, operation: &'static str) -> Result<Cursor, Error> {
        let reading = Reading { operation, of: format!("the cursor of {}", self.app) };
        Ok(Cursor {
            app: reading.parse("app", &self.app)?,
            policy: PolicyName::new(self.policy),
            fingerprint: self.fingerprint,
            through: reading.time("through", &self.through)?,
            next_at: reading.time("next_at", &self.next_at)?,
            unfinished: reading.count("unfinished", self.unfinished)?,
        })
    }
}

pub(super) async fn due(
    connection: &mut SqliteConnection,
    most: u32,
    now: Timestamp,
) -> Result<Vec<Cursor>, Error> {
    let due = "/* cursors_due */ SELECT app, policy, fingerprint, through, next_at,
            (SELECT count(*) FROM runs
             WHERE runs.app = cursors.app AND runs.policy = cursors.policy AND runs.state <> 'ended'
               AND runs.kind = 'backup') AS unfinished
        FROM cursors WHERE next_at <= ? ORDER BY next_at, app LIMIT ?";
    let rows: Vec<CursorRow> =
        sqlx::query_as(due).bind(text(now)).bind(most).fetch_all(connection).await.during(DUE)?;
    rows.into_iter().map(|row| row.read(DUE)).collect()
}

/// Moves cursors and adds their runs.
pub(super) async fn plan(
    tx: &mut SqliteConnection,
    plans: &[CursorAdvance],
    now: Timestamp,
) -> Result<Planned, Error> {
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
        for new in new.iter().filter(|new| added.contains(&new.run.id.to_string())) {
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
async fn advance(tx: &mut SqliteConnection, plans: &[CursorAdvance]) -> Result<BTreeSet<String>, Error> {
    let row = |plan: &CursorAdvance| {
        let CursorAdvance { cursor, through, next_at, .. } = plan;
        object!({
            "app": cursor.app.to_string(),
            "policy": cursor.policy.as_str(),
            "fingerprint": cursor.fingerprint,
            "from": text(cursor.through),
            "through": text(*through),
            "next_at": next_at.map(text),
        })
    };
    let rows: Vec<Value> = plans.iter().map(row).collect();
    let advance = "/* advance */ UPDATE cursors SET through = plan.value ->> '$.through',
            next_at = plan.value ->> '$.next_at'
        FROM json_each(?) AS plan
        WHERE cursors.app = plan.value ->> '$.app' AND cursors.policy = plan.value ->> '$.policy'
          AND cursors.fingerprint = plan.value ->> '$.fingerprint' AND cursors.through = plan.value ->> '$.from'
        RETURNING app";
    let moved: Vec<String> =
        sqlx::query_scalar(advance).bind(json(&rows)).fetch_all(&mut *tx).await.during(PLAN)?;
    let done = "/* advance */ DELETE FROM cursors WHERE next_at IS NULL";
    sqlx::query(done).execute(tx).await.during(PLAN)?;
    Ok(moved.into_iter().collect())
}
