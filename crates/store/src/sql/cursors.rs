//! Schedule cursors: reading those that are due, and advancing them with their runs.

use std::collections::BTreeSet;

use holdfast_model::{NewRun, Timestamp};

use crate::columns::stamp;
use crate::error::Result;
use crate::fleet::{Cursor, CursorAdvance, Planned};
use crate::rules::plan;
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::lock::lock_cursors;
use crate::sql::reading::fetch_most;
use crate::sql::rows::cursor;
use crate::sql::rows::key::AppText;
use crate::sql::session::Session;

pub(super) const DUE: &str = "read the cursors that are due";
pub(super) const PLAN: &str = "plan runs";

/// Advances per statement: few enough that its argument stays small, many enough that they share its cost.
const BATCH: usize = 1_000;

pub(super) async fn due(
    session: &mut impl Session,
    after: Option<&Cursor>,
    most: u32,
) -> Result<Vec<Cursor>> {
    let now = session.now().await?;
    let due = "/* cursors_due */ SELECT cursors.app, policy, fingerprint, through, next_at,
            (SELECT count(*) FROM runs
             WHERE runs.app = cursors.app AND runs.policy = cursors.policy
               AND runs.ended_at IS NULL AND runs.state <> 'verifying'
               AND runs.kind = 'backup') AS unfinished,
            pauses.since AS paused_since, pauses.paused_until
        FROM cursors LEFT JOIN pauses ON pauses.app = cursors.app
        WHERE next_at <= $1 AND (next_at, cursors.app) > ($3, $4)
          AND (paused_until IS NULL OR paused_until <= $1)
        ORDER BY next_at, cursors.app LIMIT $2";
    if most == 0 {
        return Ok(Vec::new());
    }
    let (next_at, app) = after.map_or((Timestamp::UNIX_EPOCH, String::new()), |cursor| {
        (stamp(cursor.next_at), cursor.app.to_string())
    });
    let args = |limit| vec![Arg::Time(now), limit, Arg::Time(next_at), Arg::Text(app.clone())];
    fetch_most(session, due, most, args).await
}

/// Advances cursors and adds their runs.
pub(super) async fn plan(session: &mut impl Session, plans: &[CursorAdvance]) -> Result<Planned> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let mut planned = Planned::default();
    for batch in plan::batches(plans, BATCH) {
        let moved = advance(session, batch).await?;
        let new: Vec<&NewRun> = plan::runs_of(batch, &moved, &mut planned);
        let added = insert(session, &new, now).await?;
        plan::count(&mut planned, &new, &added);
    }
    Ok(planned)
}

/// Moves or deletes the cursors that are still where they were read. Returns their apps.
async fn advance<S: Session>(session: &mut S, batch: &[CursorAdvance]) -> Result<BTreeSet<String>> {
    let (moving, ending): (Vec<_>, Vec<_>) = batch.iter().partition(|plan| plan.next_at.is_some());
    let mut moved: BTreeSet<String> = BTreeSet::new();
    for (statement, plans) in [(S::DIALECT.move_cursors, moving), (S::DIALECT.end_cursors, ending)] {
        if plans.is_empty() {
            continue;
        }
        let rows: Vec<_> = plans.into_iter().map(cursor::advanced).collect();
        let apps: Vec<AppText> = session.fetch(statement, vec![Arg::json(&rows)]).await?;
        moved.extend(apps.into_iter().map(|row| row.0));
    }
    Ok(moved)
}
