//! The enrolled fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{App, AppId, PolicyName, Timestamp};
use sqlx::{FromRow, SqliteConnection};

use super::cursors::CursorRow;
use super::driver::During;
use super::row::{Reading, text};
use crate::columns::json;
use crate::enrolment::{self, AppRow};
use crate::{Cursor, Enrolled, Error, FleetChange};

const SYNC: &str = "sync the fleet";

/// The columns of `apps`.
#[derive(Debug, FromRow)]
pub(super) struct AppColumns {
    app: String,
    policy: Option<String>,
    plan: Option<String>,
    paused: bool,
    recovery_point_objective_s: Option<i64>,
    retention: Option<String>,
    partial_is_good: bool,
    enrolled_at: String,
    removed_at: Option<String>,
}

impl AppColumns {
    pub fn read(self, operation: &'static str) -> Result<AppRow, Error> {
        let reading = Reading { operation, of: self.app };
        let seconds = |seconds| reading.count("recovery_point_objective_s", seconds).map(Duration::from_secs);
        Ok(AppRow {
            enrolled: Enrolled {
                app: App {
                    id: reading.parse("app", &reading.of)?,
                    policy: self.policy.map(PolicyName::new),
                    plan: self.plan,
                    databases: Vec::new(),
                    paused: self.paused,
                },
                recovery_point_objective: self.recovery_point_objective_s.map(seconds).transpose()?,
                retention: self.retention.map(|retention| reading.json("retention", &retention)).transpose()?,
                partial_is_good: self.partial_is_good,
                schedule: None,
            },
            enrolled_at: reading.time("enrolled_at", &self.enrolled_at)?,
            removed_at: reading.maybe_time("removed_at", self.removed_at.as_deref())?,
        })
    }
}

pub(super) async fn sync_fleet(
    tx: &mut SqliteConnection,
    fleet: &[Enrolled],
    now: Timestamp,
) -> Result<FleetChange, Error> {
    let (apps, cursors) = (apps(tx).await?, cursors(tx).await?);
    let sync = enrolment::sync(&apps, &cursors, fleet, now);
    for app in &sync.apps {
        put_app(tx, app).await.during(SYNC)?;
    }
    for app in &sync.dropped {
        let drop = "/* sync_fleet */ DELETE FROM cursors WHERE app = ?";
        sqlx::query(drop).bind(app.to_string()).execute(&mut *tx).await.during(SYNC)?;
    }
    for cursor in &sync.cursors {
        put_cursor(tx, cursor).await.during(SYNC)?;
    }
    Ok(sync.change)
}

async fn apps(tx: &mut SqliteConnection) -> Result<BTreeMap<AppId, AppRow>, Error> {
    let apps = "/* sync_fleet */ SELECT app, policy, plan, paused, recovery_point_objective_s, retention, partial_is_good, enrolled_at, removed_at FROM apps";
    let rows: Vec<AppColumns> = sqlx::query_as(apps).fetch_all(tx).await.during(SYNC)?;
    rows.into_iter().map(|row| row.read(SYNC).map(|row| (row.enrolled.app.id.clone(), row))).collect()
}

async fn cursors(tx: &mut SqliteConnection) -> Result<BTreeMap<AppId, Cursor>, Error> {
    let cursors =
        "/* sync_fleet */ SELECT app, policy, fingerprint, through, next_at, 0 AS unfinished FROM cursors";
    let rows: Vec<CursorRow> = sqlx::query_as(cursors).fetch_all(tx).await.during(SYNC)?;
    rows.into_iter().map(|row| row.read(SYNC).map(|cursor| (cursor.app.clone(), cursor))).collect()
}

async fn put_app(tx: &mut SqliteConnection, row: &AppRow) -> Result<(), sqlx::Error> {
    let put =
        "/* sync_fleet */ INSERT OR REPLACE INTO apps (app, policy, plan, paused, recovery_point_objective_s,
            retention, partial_is_good, enrolled_at, removed_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let AppRow { enrolled: Enrolled { app, retention, .. }, .. } = row;
    let objective = row.enrolled.recovery_point_objective;
    sqlx::query(put)
        .bind(app.id.to_string())
        .bind(app.policy.as_ref().map(PolicyName::as_str))
        .bind(app.plan.as_deref())
        .bind(app.paused)
        .bind(objective.map(|objective| i64::try_from(objective.as_secs()).unwrap_or(i64::MAX)))
        .bind(retention.as_ref().map(json))
        .bind(row.enrolled.partial_is_good)
        .bind(text(row.enrolled_at))
        .bind(row.removed_at.map(text))
        .execute(tx)
        .await?;
    Ok(())
}

async fn put_cursor(tx: &mut SqliteConnection, cursor: &Cursor) -> Result<(), sqlx::Error> {
    let put = "/* sync_fleet */ INSERT OR REPLACE INTO cursors (app, policy, fingerprint, through, next_at)
        VALUES (?, ?, ?, ?, ?)";
    sqlx::query(put)
        .bind(cursor.app.to_string())
        .bind(cursor.policy.as_str())
        .bind(&cursor.fingerprint)
        .bind(text(cursor.through))
        .bind(text(cursor.next_at))
        .execute(tx)
        .await?;
    Ok(())
}
