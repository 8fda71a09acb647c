//! What hands runs out and takes them back. Each cost follows what is handed out, not what waits.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::TryStreamExt;
use holdfast_model::{Lane, Limits, Priority, RunId, Timestamp, Wakeup};
use sqlx::{FromRow, SqliteConnection};

use super::budgets;
use super::driver::During;
use super::row::{Reading, text};
use crate::columns::later;
use crate::selection::{Selected, most_urgent_first};
use crate::{DueLane, DueLanes, Error, LaneQuota, Leased};

pub(super) const RECLAIM: &str = "reclaim what was handed out";
pub(super) const BOARD: &str = "read the board";
pub(super) const TAKE: &str = "take due runs";

pub(super) async fn reclaim(tx: &mut SqliteConnection, now: Timestamp) -> Result<u64, Error> {
    let reclaim = "/* reclaim */ UPDATE runs SET leased_until = NULL, version = version + 1,
            occupies_app = iif(state IN ('starting', 'reconciling', 'polling', 'polling_operation'), occupies_app, 0)
        WHERE leased_until <= ?";
    let reclaimed = sqlx::query(reclaim).bind(text(now)).execute(tx).await.during(RECLAIM)?;
    Ok(reclaimed.rows_affected())
}

#[derive(Debug, FromRow)]
struct BoardRow {
    lane: String,
    priority: i64,
    due_at: Option<String>,
    next_at: Option<String>,
}

pub(super) async fn due_lanes(connection: &mut SqliteConnection, now: Timestamp) -> Result<DueLanes, Error> {
    // A walk from each lane to the next, and in each four looks at its front: the index is never read through.
    let lanes = "/* board */ WITH RECURSIVE
        lanes (lane) AS (
            SELECT (SELECT lane FROM runs WHERE lane > '' AND leased_until IS NULL ORDER BY lane LIMIT 1)
            UNION ALL
            SELECT (SELECT runs.lane FROM runs
                    WHERE runs.lane > lanes.lane AND runs.leased_until IS NULL ORDER BY runs.lane LIMIT 1)
            FROM lanes WHERE lanes.lane IS NOT NULL
        ),
        priorities (priority) AS (VALUES (0), (1), (2), (3))
        SELECT lanes.lane, priorities.priority,
            (SELECT min(due_at) FROM runs WHERE runs.lane = lanes.lane AND runs.leased_until IS NULL
                AND runs.priority = priorities.priority AND due_at <= ?1) AS due_at,
            (SELECT min(due_at) FROM runs WHERE runs.lane = lanes.lane AND runs.leased_until IS NULL
                AND runs.priority = priorities.priority AND due_at > ?1) AS next_at
        FROM lanes CROSS JOIN priorities WHERE lanes.lane IS NOT NULL";
    let rows: Vec<BoardRow> =
        sqlx::query_as(lanes).bind(text(now)).fetch_all(&mut *connection).await.during(BOARD)?;
    let leases = "/* board */ SELECT min(leased_until) FROM runs WHERE leased_until > ?";
    let lease_ends: Option<String> =
        sqlx::query_scalar(leases).bind(text(now)).fetch_one(&mut *connection).await.during(BOARD)?;
    let outstanding = outstanding(connection, BOARD).await?;
    let mut lanes: BTreeMap<Lane, DueLane> = BTreeMap::new();
    let reading = Reading { operation: BOARD, of: "a lane".to_owned() };
    let soon = rows.iter().filter_map(|row| row.next_at.as_deref()).chain(lease_ends.as_deref()).min();
    for row in &rows {
        let Some(due_at) = reading.maybe_time("due_at", row.due_at.as_deref())? else { continue };
        let lane: Lane = reading.parse("lane", &row.lane)?;
        let due = DueLane { lane: lane.clone(), priority: reading.priority(row.priority)?, due_at };
        let best = lanes.entry(lane).or_insert_with(|| due.clone());
        if due.priority < best.priority {
            *best = due;
        }
    }
    Ok(DueLanes {
        now,
        outstanding,
        lanes: lanes.into_values().collect(),
        next_at: reading.maybe_time("due_at", soon)?,
    })
}

pub(super) async fn acquire(
    tx: &mut SqliteConnection,
    asks: &[LaneQuota],
    limits: &Limits,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Leased>, Error> {
    let mut outstanding = outstanding(tx, TAKE).await?;
    let mut taken = Vec::new();
    for ask in asks {
        let most = ask.most.min(limits.outstanding.saturating_sub(outstanding));
        let from_lane =
            take_from(tx, &LaneQuota { lane: ask.lane.clone(), most }, limits, later(now, lease), now)
                .await?;
        outstanding += u32::try_from(from_lane.len()).unwrap_or(u32::MAX);
        taken.extend(from_lane);
    }
    Ok(most_urgent_first(taken))
}

async fn take_from(
    tx: &mut SqliteConnection,
    ask: &LaneQuota,
    limits: &Limits,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Leased)>, Error> {
    let mut room = ask.most;
    if room > 0 {
        room = room.min(room_to_begin(tx, &ask.lane, limits).await?);
    }
    let mut budget = None;
    if let Some((subscription, call)) = ask.lane.cost().filter(|_| room > 0) {
        let bucket = budgets::read(tx, subscription, call, now, TAKE).await?;
        room = room.min(bucket.whole(limits.budget(call), now));
        budget = Some((subscription, call, bucket));
    }
    let begins = matches!(ask.lane, Lane::Begin { .. });
    let picked = pick(tx, &ask.lane, Selected::new(room, begins), now).await?;
    if let Some((subscription, call, bucket)) = budget
        && let Some(bucket) =
            bucket.drawn(limits.budget(call), now, u32::try_from(picked.len()).unwrap_or(u32::MAX))
    {
        budgets::write(tx, subscription, call, &bucket, TAKE).await?;
    }
    let mut taken = Vec::new();
    for run in picked {
        taken.push(hand_out(tx, run, begins, until).await?);
    }
    Ok(taken)
}

/// How many operations may begin in the lane's plan and storage account. Counted over what is held, which the
/// limits bound.
async fn room_to_begin(tx: &mut SqliteConnection, lane: &Lane, limits: &Limits) -> Result<u32, Error> {
    let Lane::Begin { subscription, plan, account } = lane else { return Ok(u32::MAX) };
    let in_plan =
        "/* acquire */ SELECT count(*) FROM runs WHERE occupies_app = 1 AND subscription = ? AND plan = ?";
    let in_plan: u32 = sqlx::query_scalar(in_plan)
        .bind(subscription.as_str())
        .bind(plan)
        .fetch_one(&mut *tx)
        .await
        .during(TAKE)?;
    let into_account = "/* acquire */ SELECT count(*) FROM runs WHERE occupies_app = 1 AND account = ?";
    let into_account: u32 =
        sqlx::query_scalar(into_account).bind(account).fetch_one(tx).await.during(TAKE)?;
    Ok(limits.per_plan.saturating_sub(in_plan).min(limits.per_account.saturating_sub(into_account)))
}

#[derive(Debug, FromRow)]
struct Candidate {
    id: String,
    version: i64,
    priority: i64,
    due_at: String,
    app: String,
    held: bool,
}

/// The due runs of a lane that go. Read priority by priority, so that runs due later in one are not read on the way,
/// and no further than there is room.
async fn pick(
    tx: &mut SqliteConnection,
    lane: &Lane,
    mut pick: Selected,
    now: Timestamp,
) -> Result<Vec<Candidate>, Error> {
    let of_priority = "/* acquire */ SELECT id, version, priority, due_at, app,
            EXISTS (SELECT 1 FROM runs AS holder WHERE holder.occupies_app = 1 AND holder.app = runs.app) AS held
        FROM runs
        WHERE lane = ? AND leased_until IS NULL AND priority = ? AND due_at <= ?
        ORDER BY due_at, id LIMIT ?";
    let (lane, now) = (lane.to_string(), text(now));
    let mut picked: Vec<Candidate> = Vec::new();
    for priority in Priority::ALL {
        if pick.looks() == 0 {
            break;
        }
        let waiting =
            sqlx::query_as(of_priority).bind(&lane).bind(priority.rank()).bind(&now).bind(pick.looks());
        let mut waiting = waiting.fetch(&mut *tx);
        while pick.looks() > 0
            && let Some(run) = waiting.try_next().await.during(TAKE)?
        {
            let run: Candidate = run;
            if pick.goes(&run.app, run.held) {
                picked.push(run);
            }
        }
    }
    Ok(picked)
}

async fn hand_out(
    tx: &mut SqliteConnection,
    candidate: Candidate,
    occupies_app: bool,
    until: Timestamp,
) -> Result<(Timestamp, Leased), Error> {
    let hand_out =
        "/* acquire */ UPDATE runs SET leased_until = ?, occupies_app = max(occupies_app, ?) WHERE id = ?";
    sqlx::query(hand_out)
        .bind(text(until))
        .bind(occupies_app)
        .bind(&candidate.id)
        .execute(tx)
        .await
        .during(TAKE)?;
    let reading = Reading { operation: TAKE, of: candidate.id };
    let run_id: RunId = reading.parse("id", &reading.of)?;
    let wakeup = Wakeup { run_id, version: candidate.version };
    let taken = Leased { wakeup, priority: reading.priority(candidate.priority)? };
    Ok((reading.time("due_at", &candidate.due_at)?, taken))
}

async fn outstanding(connection: &mut SqliteConnection, operation: &'static str) -> Result<u32, Error> {
    let outstanding = "/* outstanding */ SELECT count(*) FROM runs WHERE leased_until > ''";
    sqlx::query_scalar(outstanding).fetch_one(connection).await.during(operation)
}
