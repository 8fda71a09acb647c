//! What there is to hand out, and what is taken back.

use std::collections::BTreeMap;

use holdfast_model::{Lane, Timestamp};
use sqlx::{FromRow, PgConnection};

use super::row::Reading;
use super::session::During;
use super::time::Time;
use crate::{DueLane, DueLanes, Error};

pub(super) const RECLAIM: &str = "reclaim what was handed out";
pub(super) const BOARD: &str = "read the board";

/// A row that somebody is committing at this moment is left to him; if he fails, it is found the next time.
pub(super) async fn reclaim(connection: &mut PgConnection, time: &Time) -> Result<u64, Error> {
    let now = time.now(connection, RECLAIM).await?;
    // Some at a time and in the index's order: of a bare bound the planner thinks that a third of all rows is within.
    let reclaim = "/* reclaim */ UPDATE runs SET leased_until = NULL, version = version + 1,
            occupies_app = occupies_app AND state IN ('starting', 'reconciling', 'polling', 'polling_operation')
        WHERE id = ANY (ARRAY(
            SELECT id FROM runs WHERE leased_until <= $1 ORDER BY leased_until LIMIT 1000 FOR UPDATE SKIP LOCKED))";
    let mut count = 0;
    loop {
        let done = sqlx::query(reclaim).bind(now).execute(&mut *connection).await.during(RECLAIM)?;
        count += done.rows_affected();
        if done.rows_affected() < 1_000 {
            return Ok(count);
        }
    }
}

#[derive(Debug, FromRow)]
struct BoardRow {
    lane: String,
    priority: i64,
    due_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
}

pub(super) async fn due_lanes(connection: &mut PgConnection, time: &Time) -> Result<DueLanes, Error> {
    let now = time.now(connection, BOARD).await?;
    // A walk from each lane to the next, and in each four looks at its front: the index is never read through.
    let lanes = "/* board */ WITH RECURSIVE lanes (lane) AS (
            (SELECT lane FROM runs WHERE lane IS NOT NULL AND leased_until IS NULL ORDER BY lane LIMIT 1)
            UNION ALL
            SELECT (SELECT runs.lane FROM runs
                    WHERE runs.lane > lanes.lane AND runs.leased_until IS NULL ORDER BY runs.lane LIMIT 1)
            FROM lanes WHERE lanes.lane IS NOT NULL
        )
        SELECT lanes.lane, priorities.priority,
            (SELECT due_at FROM runs WHERE runs.lane = lanes.lane AND leased_until IS NULL
                AND runs.priority = priorities.priority AND due_at <= $1 ORDER BY due_at LIMIT 1) AS due_at,
            (SELECT due_at FROM runs WHERE runs.lane = lanes.lane AND leased_until IS NULL
                AND runs.priority = priorities.priority AND due_at > $1 ORDER BY due_at LIMIT 1) AS next_at
        FROM lanes CROSS JOIN (VALUES (0::bigint), (1), (2), (3)) AS priorities (priority)
        WHERE lanes.lane IS NOT NULL";
    let rows: Vec<BoardRow> =
        sqlx::query_as(lanes).bind(now).fetch_all(&mut *connection).await.during(BOARD)?;
    let leases = "/* board */ SELECT (SELECT count(*) FROM runs WHERE leased_until IS NOT NULL),
            (SELECT leased_until FROM runs WHERE leased_until > $1 ORDER BY leased_until LIMIT 1)";
    let (outstanding, lease_ends): (i64, Option<Timestamp>) =
        sqlx::query_as(leases).bind(now).fetch_one(connection).await.during(BOARD)?;
    let mut lanes: BTreeMap<Lane, DueLane> = BTreeMap::new();
    let reading = Reading { operation: BOARD, of: "a lane".to_owned() };
    for row in &rows {
        let Some(due_at) = row.due_at else { continue };
        let lane: Lane = reading.parse("lane", &row.lane)?;
        let due = DueLane { lane: lane.clone(), priority: reading.priority(row.priority)?, due_at };
        let best = lanes.entry(lane).or_insert_with(|| due.clone());
        if due.priority < best.priority {
            *best = due;
        }
    }
    Ok(DueLanes {
        now,
        outstanding: reading.count("leased_until", outstanding)?,
        lanes: lanes.into_values().collect(),
        next_at: rows.iter().filter_map(|row| row.next_at).chain(lease_ends).min(),
    })
}
