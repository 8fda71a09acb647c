//! Lanes with due runs, and leases that have lapsed.

use crate::error::Result;
use crate::lanes::DueLanes;
use crate::rules::due::{Front, Leases, due_lanes as due};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_one};

pub(super) const RECLAIM: &str = "reclaim lapsed leases";
pub(super) const DUE_LANES: &str = "read the due lanes";

/// Rows that a statement ends at most.
const BATCH: u64 = 1_000;

/// Ends the leases that have lapsed. A row that is being committed at this moment is skipped; if that commit fails, the
/// next call ends its lease.
pub(super) async fn reclaim<S: Session>(session: &mut S) -> Result<u64> {
    let now = session.now().await?;
    let mut count = 0;
    loop {
        let mut ended = 0;
        for statement in S::DIALECT.reclaim {
            ended = session.execute(statement, vec![Arg::Time(now)]).await?;
        }
        count += ended;
        if ended < BATCH {
            return Ok(count);
        }
    }
}

impl FromRow for Front {
    const KEY: &'static [&'static str] = &["lane"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            lane: row.parse("lane")?,
            priority: row.priority("priority")?,
            due_at: row.maybe_time("due_at")?,
            next_at: row.maybe_time("next_at")?,
        })
    }
}

impl FromRow for Leases {
    const KEY: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { outstanding: row.count("outstanding")?, next_ends_at: row.maybe_time("next_ends_at")? })
    }
}

pub(super) async fn due_lanes<S: Session>(session: &mut S) -> Result<DueLanes> {
    let now = session.now().await?;
    // A walk from each lane to the next, and a look at the front of each priority: the index is never read through. Most lanes
    // have runs of one priority.
    let fronts = "/* due_lanes */ WITH RECURSIVE
        lanes (lane) AS (
            SELECT (SELECT lane FROM unfinished_runs WHERE lane > '' AND leased_until IS NULL ORDER BY lane LIMIT 1)
            UNION ALL
            SELECT (SELECT run.lane FROM unfinished_runs AS run
                    WHERE run.lane > lanes.lane AND run.leased_until IS NULL ORDER BY run.lane LIMIT 1)
            FROM lanes WHERE lanes.lane IS NOT NULL
        ),
        priorities (priority) AS (VALUES (CAST(0 AS bigint)), (1), (2), (3))
        SELECT * FROM (SELECT lanes.lane, priorities.priority,
            (SELECT due_at FROM unfinished_runs AS run WHERE run.lane = lanes.lane AND run.leased_until IS NULL
                AND run.priority = priorities.priority AND due_at <= $1 ORDER BY due_at LIMIT 1) AS due_at,
            (SELECT due_at FROM unfinished_runs AS run WHERE run.lane = lanes.lane AND run.leased_until IS NULL
                AND run.priority = priorities.priority AND due_at > $1 ORDER BY due_at LIMIT 1) AS next_at
        FROM lanes CROSS JOIN priorities WHERE lanes.lane IS NOT NULL) AS fronts
        WHERE due_at IS NOT NULL OR next_at IS NOT NULL";
    let fronts: Vec<Front> = fetch_readable(session, fronts, vec![Arg::Time(now)]).await?;
    let leases: Leases = fetch_one(session, S::DIALECT.leases, vec![Arg::Time(now)]).await?;
    Ok(due(now, &leases, fronts))
}
