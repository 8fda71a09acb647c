//! The catalog: brought up to what happened, and read.

use holdfast_model::{
    AppId, BackupFacts, BackupId, CatalogEntry, PolicyName, Removal, SasFacts, SasWindow, StorageName,
};
use serde_json::Value;
use sqlx::{FromRow, SqliteConnection};

use super::driver::During;
use super::row::Reading;
use crate::catalog::{CatalogChange, applied, columns, in_order, keys};
use crate::columns::json;
use crate::{CatalogFilter, Error};

pub(super) const CATALOG: &str = "read the catalog";

#[derive(Debug, FromRow)]
struct CatalogRow {
    app: String,
    backup_id: i64,
    run_id: String,
    policy: Option<String>,
    storage: String,
    blob: String,
    size_bytes: i64,
    accepted_at: String,
    finished_at: Option<String>,
    databases: String,
    origin: String,
    good: bool,
    sas_fingerprint: Option<String>,
    sas_start: Option<String>,
    sas_expiry: Option<String>,
    hold: Option<String>,
    removed_at: Option<String>,
    deleted: Option<bool>,
    last_failure_at: Option<String>,
    verified_at: Option<String>,
    drilled_at: Option<String>,
    drill_passed: Option<bool>,
}

impl CatalogRow {
    pub fn read(self, operation: &'static str) -> Result<CatalogEntry, Error> {
        let reading = Reading { operation, of: format!("backup {} of {}", self.backup_id, self.app) };
        let time = |column: &str, text: Option<&str>| reading.maybe_time(column, text);
        let window = SasWindow {
            start: time("sas_start", self.sas_start.as_deref())?,
            expiry: time("sas_expiry", self.sas_expiry.as_deref())?,
        };
        Ok(CatalogEntry {
            app: reading.parse("app", &self.app)?,
            run: reading.parse("run_id", &self.run_id)?,
            policy: self.policy.map(PolicyName::new),
            storage: StorageName::new(self.storage),
            backup: BackupFacts {
                id: BackupId(self.backup_id),
                blob: self.blob,
                size_bytes: self.size_bytes,
                accepted_at: reading.time("accepted_at", &self.accepted_at)?,
                finished_at: time("finished_at", self.finished_at.as_deref())?,
                databases: reading.json("databases", &self.databases)?,
            },
            origin: reading.word("origin", &self.origin)?,
            good: self.good,
            sas: self.sas_fingerprint.map(|fingerprint| SasFacts { fingerprint, window }),
            hold: self.hold,
            removal: time("removed_at", self.removed_at.as_deref())?
                .zip(self.deleted)
                .map(|(at, deleted)| Removal { at, deleted }),
            last_failure_at: time("last_failure_at", self.last_failure_at.as_deref())?,
            verified_at: time("verified_at", self.verified_at.as_deref())?,
            drill: time("drilled_at", self.drilled_at.as_deref())?.zip(self.drill_passed),
        })
    }
}

fn entries(rows: Vec<CatalogRow>, operation: &'static str) -> Result<Vec<CatalogEntry>, Error> {
    rows.into_iter().map(|row| row.read(operation)).collect()
}

/// Brings the catalog up to what happened.
pub(super) async fn change(
    tx: &mut SqliteConnection,
    changes: Vec<CatalogChange>,
    operation: &'static str,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let read = "/* change_catalog */ SELECT catalog.* FROM json_each(?) AS asked
        JOIN catalog ON catalog.app = asked.value ->> '$.app' AND catalog.backup_id = asked.value ->> '$.backup_id'";
    let asked = json(&keys(&changes));
    let rows: Vec<CatalogRow> =
        sqlx::query_as(read).bind(asked).fetch_all(&mut *tx).await.during(operation)?;
    let rows: Vec<Value> = applied(entries(rows, operation)?, changes).map(|entry| columns(&entry)).collect();
    let write = "/* change_catalog */ INSERT OR REPLACE INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, finished_at, databases, origin,
            good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at, deleted, last_failure_at, verified_at, drilled_at,
            drill_passed)
        SELECT value ->> '$.app', value ->> '$.backup_id', value ->> '$.run_id', value ->> '$.policy',
            value ->> '$.storage', value ->> '$.blob', value ->> '$.size_bytes', value ->> '$.accepted_at',
            value ->> '$.finished_at', value ->> '$.databases', value ->> '$.origin', value ->> '$.good',
            value ->> '$.sas_fingerprint', value ->> '$.sas_start', value ->> '$.sas_expiry', value ->> '$.hold',
            value ->> '$.removed_at', value ->> '$.deleted', value ->> '$.last_failure_at', value ->> '$.verified_at',
            value ->> '$.drilled_at', value ->> '$.drill_passed'
        FROM json_each(?)";
    sqlx::query(write).bind(json(&rows)).execute(tx).await.during(operation)?;
    Ok(())
}

/// The entry of one backup.
pub(super) async fn one(
    connection: &mut SqliteConnection,
    (app, id): (&AppId, BackupId),
    operation: &'static str,
) -> Result<Option<CatalogEntry>, Error> {
    let one = "/* catalog_one */ SELECT * FROM catalog WHERE app = ? AND backup_id = ?";
    let row: Option<CatalogRow> = sqlx::query_as(one)
        .bind(app.to_string())
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .during(operation)?;
    row.map(|row| row.read(operation)).transpose()
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    filter: &CatalogFilter,
) -> Result<Vec<CatalogEntry>, Error> {
    let of_app = "/* catalog */ SELECT * FROM catalog WHERE app = ?1 AND app > ?2 AND ?3 <> 0
            AND (?4 OR removed_at IS NULL)";
    // A walk from each app to the next, so that a page costs what is on it.
    let there = "/* catalog */ WITH RECURSIVE page (app, place) AS (
            SELECT (SELECT app FROM catalog WHERE app > ?2 AND removed_at IS NULL ORDER BY app LIMIT 1), 1
            UNION ALL
            SELECT (SELECT catalog.app FROM catalog
                    WHERE catalog.app > page.app AND catalog.removed_at IS NULL ORDER BY catalog.app LIMIT 1), place + 1
            FROM page WHERE page.app IS NOT NULL AND (?3 < 0 OR place < ?3)
        )
        SELECT catalog.* FROM page CROSS JOIN catalog
        WHERE catalog.app = page.app AND catalog.removed_at IS NULL AND ?1 IS NULL AND NOT ?4";
    let all = "/* catalog */ WITH RECURSIVE page (app, place) AS (
            SELECT (SELECT app FROM catalog WHERE app > ?2 ORDER BY app LIMIT 1), 1
            UNION ALL
            SELECT (SELECT catalog.app FROM catalog WHERE catalog.app > page.app ORDER BY catalog.app LIMIT 1),
                place + 1
            FROM page WHERE page.app IS NOT NULL AND (?3 < 0 OR place < ?3)
        )
        SELECT catalog.* FROM page CROSS JOIN catalog WHERE catalog.app = page.app AND ?1 IS NULL AND ?4";
    let list = match (&filter.app, filter.with_removed) {
        (Some(_), _) => of_app,
        (None, false) => there,
        (None, true) => all,
    };
    let rows: Vec<CatalogRow> = sqlx::query_as(list)
        .bind(filter.app.as_ref().map(ToString::to_string))
        .bind(filter.after.as_ref().map(ToString::to_string).unwrap_or_default())
        .bind(if filter.most_apps == 0 { -1 } else { i64::from(filter.most_apps) })
        .bind(filter.with_removed)
        .fetch_all(connection)
        .await
        .during(CATALOG)?;
    entries(rows, CATALOG).map(in_order)
}
