//! How every app stands.

use holdfast_model::Timestamp;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::fleet::AppColumns;
use super::row::{Reading, run_id};
use super::session::During;
use super::time::Time;
use crate::columns::past_objective;
use crate::{AppStatus, Error, LastRun};

pub(super) const STATUS: &str = "read the fleet's status";

#[derive(Debug, FromRow)]
struct StatusRow {
    #[sqlx(flatten)]
    app: AppColumns,
    next_at: Option<Timestamp>,
    running: Option<String>,
    last_id: Option<Uuid>,
    last_outcome: Option<String>,
    last_cause: Option<String>,
    last_ended_at: Option<Timestamp>,
    last_good_at: Option<Timestamp>,
}

pub(super) async fn status(connection: &mut PgConnection, time: &Time) -> Result<Vec<AppStatus>, Error> {
    let now = time.now(connection, STATUS).await?;
    let status = "/* status */ SELECT apps.*, cursors.next_at, running.told AS running,
            last.id AS last_id, last.outcome AS last_outcome, last.cause AS last_cause,
            last.ended_at AS last_ended_at, good.accepted_at AS last_good_at
        FROM apps
        LEFT JOIN cursors ON cursors.app = apps.app
        LEFT JOIN LATERAL (
            SELECT kind || ' ' || state AS told FROM runs WHERE runs.app = apps.app AND state <> 'ended'
                AND kind IN ('backup', 'restore', 'drill')
            ORDER BY occupies_app DESC, created_at, id LIMIT 1
        ) AS running ON true
        LEFT JOIN LATERAL (
            SELECT id, outcome, cause, ended_at FROM runs WHERE runs.app = apps.app AND outcome <> 'missed' AND kind = 'backup'
            ORDER BY ended_at DESC, id DESC LIMIT 1
        ) AS last ON true
        LEFT JOIN LATERAL (
            SELECT accepted_at FROM catalog WHERE catalog.app = apps.app AND removed_at IS NULL AND good
            ORDER BY accepted_at DESC LIMIT 1
        ) AS good ON true";
    let rows: Vec<StatusRow> = sqlx::query_as(status).fetch_all(connection).await.during(STATUS)?;
    let apps: Result<Vec<AppStatus>, Error> = rows.into_iter().map(|row| row.read(now)).collect();
    let mut apps = apps?;
    apps.sort_by(|one, two| one.app.cmp(&two.app));
    Ok(apps)
}

impl StatusRow {
    fn read(self, now: Timestamp) -> Result<AppStatus, Error> {
        let row = self.app.read(STATUS)?;
        let enrolled = row.enrolled;
        let reading = Reading { operation: STATUS, of: enrolled.app.id.to_string() };
        let last = match (self.last_id, self.last_outcome, self.last_ended_at) {
            (Some(id), Some(outcome), Some(ended_at)) => Some(LastRun {
                run_id: run_id(id, STATUS)?,
                outcome: reading.word("outcome", &outcome)?,
                cause: self.last_cause.map(|cause| reading.word("cause", &cause)).transpose()?,
                ended_at,
            }),
            _ => None,
        };
        let removed = row.removed_at.is_some();
        let objective = enrolled.recovery_point_objective;
        Ok(AppStatus {
            app: enrolled.app.id,
            policy: enrolled.app.policy,
            removed,
            next_tick: self.next_at,
            running: self.running.map(|running| reading.running(&running)).transpose()?,
            last,
            last_good_at: self.last_good_at,
            past_objective: !removed && past_objective(now, objective, self.last_good_at, row.enrolled_at),
        })
    }
}
