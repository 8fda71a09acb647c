//! The enrolled fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{App, AppId, PolicyName, Timestamp};
use serde_json::{Value, json as object};
use sqlx::{FromRow, PgConnection};

use super::cursors::{self, CursorRow};
use super::row::{Reading, text};
use super::session::During;
use super::time::Time;
use crate::columns::json;
use crate::enrolment::{self, AppRow};
use crate::{Cursor, Enrolled, Error, FleetChange};

pub(super) const SYNC: &str = "sync the fleet";

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
    enrolled_at: Timestamp,
    removed_at: Option<Timestamp>,
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
            enrolled_at: self.enrolled_at,
            removed_at: self.removed_at,
        })
    }
}

pub(super) async fn sync_fleet(
    tx: &mut PgConnection,
    fleet: &[Enrolled],
    time: &Time,
) -> Result<FleetChange, Error> {
    cursors::lock(tx, SYNC).await?;
    let now = time.now(tx, SYNC).await?;
    let (apps, cursors) = (apps(tx).await?, cursors(tx).await?);
    let sync = enrolment::sync(&apps, &cursors, fleet, now);
    put_apps(tx, &sync.apps).await.during(SYNC)?;
    drop_cursors(tx, &sync.dropped).await.during(SYNC)?;
    put_cursors(tx, &sync.cursors).await.during(SYNC)?;
    Ok(sync.change)
}

async fn apps(tx: &mut PgConnection) -> Result<BTreeMap<AppId, AppRow>, Error> {
    let apps = "/* sync_fleet */ SELECT app, policy, plan, paused, recovery_point_objective_s, retention, partial_is_good, enrolled_at, removed_at FROM apps";
    let rows: Vec<AppColumns> = sqlx::query_as(apps).fetch_all(tx).await.during(SYNC)?;
    rows.into_iter().map(|row| row.read(SYNC).map(|row| (row.enrolled.app.id.clone(), row))).collect()
}

async fn cursors(tx: &mut PgConnection) -> Result<BTreeMap<AppId, Cursor>, Error> {
    let cursors =
        "/* sync_fleet */ SELECT app, policy, fingerprint, through, next_at, 0::bigint AS unfinished
        FROM cursors";
    let rows: Vec<CursorRow> = sqlx::query_as(cursors).fetch_all(tx).await.during(SYNC)?;
    rows.into_iter().map(|row| row.read(SYNC).map(|row| (row.app.clone(), row))).collect()
}

async fn put_apps(tx: &mut PgConnection, apps: &[AppRow]) -> Result<(), sqlx::Error> {
    let row = |row: &AppRow| {
        let AppRow { enrolled: Enrolled { app, retention, .. }, .. } = row;
        object!({
            "app": app.id.to_string(),
            "policy": app.policy.as_ref().map(PolicyName::as_str),
            "plan": app.plan,
            "paused": app.paused,
            "recovery_point_objective_s": row.enrolled.recovery_point_objective
                .map(|objective| i64::try_from(objective.as_secs()).unwrap_or(i64::MAX)),
            "retention": retention.as_ref().map(json),
            "partial_is_good": row.enrolled.partial_is_good,
            "enrolled_at": text(row.enrolled_at),
            "removed_at": row.removed_at.map(text),
        })
    };
    let rows: Vec<Value> = apps.iter().map(row).collect();
    let put = "/* sync_fleet */ INSERT INTO apps (app, policy, plan, paused, recovery_point_objective_s, retention, partial_is_good, enrolled_at, removed_at)
        SELECT * FROM json_to_recordset($1::json) AS app (app text, policy text, plan text, paused boolean,
            recovery_point_objective_s bigint, retention text, partial_is_good boolean, enrolled_at timestamptz, removed_at timestamptz)
        ON CONFLICT (app) DO UPDATE SET policy = excluded.policy, plan = excluded.plan, paused = excluded.paused,
            recovery_point_objective_s = excluded.recovery_point_objective_s,
            retention = excluded.retention,
            partial_is_good = excluded.partial_is_good, enrolled_at = excluded.enrolled_at,
            removed_at = excluded.removed_at";
    sqlx::query(put).bind(json(&rows)).execute(tx).await?;
    Ok(())
}

async fn drop_cursors(tx: &mut PgConnection, apps: &[AppId]) -> Result<(), sqlx::Error> {
    let apps: Vec<String> = apps.iter().map(ToString::to_string).collect();
    let drop = "/* sync_fleet */ DELETE FROM cursors WHERE app = ANY ($1)";
    sqlx::query(drop).bind(apps).execute(tx).await?;
    Ok(())
}

async fn put_cursors(tx: &mut PgConnection, cursors: &[Cursor]) -> Result<(), sqlx::Error> {
    let row = |cursor: &Cursor| {
        object!({
            "app": cursor.app.to_string(),
            "policy": cursor.policy.as_str(),
            "fingerprint": cursor.fingerprint,
            "through": text(cursor.through),
            "next_at": text(cursor.next_at),
        })
    };
    let rows: Vec<Value> = cursors.iter().map(row).collect();
    let put = "/* sync_fleet */ INSERT INTO cursors (app, policy, fingerprint, through, next_at)
        SELECT * FROM json_to_recordset($1::json) AS cursor (app text, policy text, fingerprint text,
            through timestamptz, next_at timestamptz)
        ON CONFLICT (app) DO UPDATE SET policy = excluded.policy, fingerprint = excluded.fingerprint,
            through = excluded.through, next_at = excluded.next_at";
    sqlx::query(put).bind(json(&rows)).execute(tx).await?;
    Ok(())
}
