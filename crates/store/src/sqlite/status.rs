//! How every app stands.

use holdfast_model::Timestamp;
use sqlx::{FromRow, SqliteConnection};

use super::driver::During;
use super::fleet::AppColumns;
use super::row::Reading;
use crate::columns::past_objective;
use crate::{AppStatus, Error, LastRun};

pub(super) const STATUS: &str = "read the fleet's status";

#[derive(Debug, FromRow)]
struct StatusRow {
    #[sqlx(flatten)]
    app: AppColumns,
    next_at: Option<String>,
    running: Option<String>,
    last_id: Option<String>,
    last_outcome: Option<String>,
    last_cause: Option<String>,
    last_ended_at: Option<String>,
    last_good_at: Option<String>,
}

pub(super) async fn status(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<AppStatus>, Error> {
    let status = "/* status */ SELECT apps.*, cursors.next_at,
            (SELECT kind || ' ' || state FROM runs WHERE runs.app = apps.app AND state <> 'ended'
                AND kind IN ('backup', 'restore', 'drill')
             ORDER BY occupies_app DESC, created_at, id LIMIT 1) AS running,
            last.id AS last_id, last.outcome AS last_outcome, last.cause AS last_cause,
            last.ended_at AS last_ended_at,
            (SELECT accepted_at FROM catalog WHERE catalog.app = apps.app AND removed_at IS NULL AND good
             ORDER BY accepted_at DESC LIMIT 1) AS last_good_at
        FROM apps
        LEFT JOIN cursors ON cursors.app = apps.app
        LEFT JOIN runs AS last ON last.id = (
            SELECT id FROM runs WHERE runs.app = apps.app AND outcome <> 'missed' AND kind = 'backup'
            ORDER BY ended_at DESC, id DESC LIMIT 1)";
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
                run_id: reading.parse("id", &id)?,
                outcome: reading.word("outcome", &outcome)?,
                cause: self.last_cause.map(|cause| reading.word("cause", &cause)).transpose()?,
                ended_at: reading.time("ended_at", &ended_at)?,
            }),
            _ => None,
        };
        let last_good_at = reading.maybe_time("accepted_at", self.last_good_at.as_deref())?;
        let removed = row.removed_at.is_some();
        let objective = enrolled.recovery_point_objective;
        Ok(AppStatus {
            app: enrolled.app.id,
            policy: enrolled.app.policy,
            removed,
            next_tick: reading.maybe_time("next_at", self.next_at.as_deref())?,
            running: self.running.map(|running| reading.running(&running)).transpose()?,
            last,
            last_good_at,
            past_objective: !removed && past_objective(now, objective, last_good_at, row.enrolled_at),
        })
    }
}
