//! The catalog: brought up to what happened, and read.

use std::collections::BTreeSet;

use holdfast_model::{
    AppId, BackupFacts, BackupId, CatalogEntry, PolicyName, Removal, SasFacts, SasWindow, StorageName,
    Timestamp,
};
use serde_json::Value;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::row::{Reading, run_id, without_nul};
use super::session::During;
use crate::catalog::{CatalogChange, applied, columns, in_order, keys};
use crate::columns::json;
use crate::{CatalogFilter, Error};

pub(super) const CATALOG: &str = "read the catalog";

#[derive(Debug, FromRow)]
struct CatalogRow {
    app: String,
    backup_id: i64,
    run_id: Uuid,
    policy: Option<String>,
    storage: String,
    blob: String,
    size_bytes: i64,
    accepted_at: Timestamp,
    finished_at: Option<Timestamp>,
    databases: String,
    origin: String,
    good: bool,
    sas_fingerprint: Option<String>,
    sas_start: Option<Timestamp>,
    sas_expiry: Option<Timestamp>,
    hold: Option<String>,
    removed_at: Option<Timestamp>,
    deleted: Option<bool>,
    last_failure_at: Option<Timestamp>,
    verified_at: Option<Timestamp>,
    drilled_at: Option<Timestamp>,
    drill_passed: Option<bool>,
}

impl CatalogRow {
    pub fn read(self, operation: &'static str) -> Result<CatalogEntry, Error> {
        let reading = Reading { operation, of: format!("backup {} of {}", self.backup_id, self.app) };
        let window = SasWindow { start: self.sas_start, expiry: self.sas_expiry };
        Ok(CatalogEntry {
            app: reading.parse("app", &self.app)?,
            run: run_id(self.run_id, operation)?,
            policy: self.policy.map(PolicyName::new),
            storage: StorageName::new(self.storage),
            backup: BackupFacts {
                id: BackupId(self.backup_id),
                blob: self.blob,
                size_bytes: self.size_bytes,
                accepted_at: self.accepted_at,
                finished_at: self.finished_at,
                databases: reading.json("databases", &self.databases)?,
            },
            origin: reading.word("origin", &self.origin)?,
            good: self.good,
            sas: self.sas_fingerprint.map(|fingerprint| SasFacts { fingerprint, window }),
            hold: self.hold,
            removal: self.removed_at.zip(self.deleted).map(|(at, deleted)| Removal { at, deleted }),
            last_failure_at: self.last_failure_at,
            verified_at: self.verified_at,
            drill: self.drilled_at.zip(self.drill_passed),
        })
    }
}

fn entries(rows: Vec<CatalogRow>, operation: &'static str) -> Result<Vec<CatalogEntry>, Error> {
    rows.into_iter().map(|row| row.read(operation)).collect()
}

/// The catalog of these apps is changed by this transaction alone until it ends, or a blob is dealt with by it alone.
pub(super) async fn lock(
    tx: &mut PgConnection,
    names: Vec<String>,
    operation: &'static str,
) -> Result<(), Error> {
    let lock =
        "/* lock_catalog */ SELECT pg_advisory_xact_lock(hashtextextended('holdfast.catalog ' || name, 0))
        FROM unnest($1::text[]) AS name";
    sqlx::query(lock).bind(names).execute(tx).await.during(operation)?;
    Ok(())
}

/// Brings the catalog up to what happened. The entries of an app are changed by one transaction at a time: what one
/// decides upon must not change under it, nor come to be.
pub(super) async fn change(
    tx: &mut PgConnection,
    changes: Vec<CatalogChange>,
    operation: &'static str,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let apps: BTreeSet<String> = changes.iter().map(|change| change.key().0.to_string()).collect();
    lock(tx, apps.into_iter().collect(), operation).await?;
    let read = "/* change_catalog */ SELECT catalog.*
        FROM json_to_recordset($1::json) AS asked (app text, backup_id bigint)
        JOIN catalog ON catalog.app = asked.app AND catalog.backup_id = asked.backup_id";
    let asked = json(&keys(&changes));
    let rows: Vec<CatalogRow> =
        sqlx::query_as(read).bind(asked).fetch_all(&mut *tx).await.during(operation)?;
    let rows: Vec<Value> = applied(entries(rows, operation)?, changes).map(row).collect();
    let write = "/* change_catalog */ INSERT INTO catalog (app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, finished_at, databases, origin,
            good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at, deleted, last_failure_at, verified_at, drilled_at,
            drill_passed)
        SELECT app, backup_id, run_id, policy, storage, blob, size_bytes, accepted_at, finished_at, databases, origin,
            good, sas_fingerprint, sas_start, sas_expiry, hold, removed_at, deleted, last_failure_at, verified_at, drilled_at,
            drill_passed
        FROM json_to_recordset($1::json) AS entry (app text, backup_id bigint, run_id uuid, policy text, storage text,
            blob text, size_bytes bigint, accepted_at timestamptz, finished_at timestamptz, databases text, origin text,
            good boolean, sas_fingerprint text, sas_start timestamptz, sas_expiry timestamptz, hold text,
            removed_at timestamptz, deleted boolean, last_failure_at timestamptz, verified_at timestamptz,
            drilled_at timestamptz, drill_passed boolean)
        ON CONFLICT (app, backup_id) DO UPDATE SET
            run_id = excluded.run_id, policy = excluded.policy, storage = excluded.storage, blob = excluded.blob,
            size_bytes = excluded.size_bytes, accepted_at = excluded.accepted_at, finished_at = excluded.finished_at, databases = excluded.databases,
            origin = excluded.origin, good = excluded.good, sas_fingerprint = excluded.sas_fingerprint, sas_start = excluded.sas_start,
            sas_expiry = excluded.sas_expiry, hold = excluded.hold, removed_at = excluded.removed_at, deleted = excluded.deleted,
            last_failure_at = excluded.last_failure_at, verified_at = excluded.verified_at, drilled_at = excluded.drilled_at, drill_passed = excluded.drill_passed";
    sqlx::query(write).bind(json(&rows)).execute(tx).await.during(operation)?;
    Ok(())
}

/// What an entry's columns hold here.
fn row(entry: CatalogEntry) -> Value {
    let backup = BackupFacts { blob: without_nul(&entry.backup.blob), ..entry.backup };
    let hold = entry.hold.as_deref().map(without_nul);
    columns(&CatalogEntry { backup, hold, ..entry })
}

/// The entry of one backup.
pub(super) async fn one(
    connection: &mut PgConnection,
    (app, id): (&AppId, BackupId),
    operation: &'static str,
) -> Result<Option<CatalogEntry>, Error> {
    let one = "/* catalog_one */ SELECT * FROM catalog WHERE app = $1 AND backup_id = $2";
    let row: Option<CatalogRow> = sqlx::query_as(one)
        .bind(app.to_string())
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .during(operation)?;
    row.map(|row| row.read(operation)).transpose()
}

pub(super) async fn list(
    connection: &mut PgConnection,
    filter: &CatalogFilter,
) -> Result<Vec<CatalogEntry>, Error> {
    let of_app = "/* catalog */ SELECT * FROM catalog WHERE app = $1 AND app > $2 AND $3 > 0
            AND ($4 OR removed_at IS NULL)";
    // A walk from each app to the next, so that a page costs what is on it.
    let there = "/* catalog */ WITH RECURSIVE page (app, place) AS (
            (SELECT app, 1::bigint FROM catalog WHERE app > $2 AND removed_at IS NULL ORDER BY app LIMIT 1)
            UNION ALL
            SELECT next.app, page.place + 1 FROM page CROSS JOIN LATERAL (
                SELECT app FROM catalog WHERE catalog.app > page.app AND removed_at IS NULL ORDER BY catalog.app LIMIT 1
            ) AS next WHERE page.place < $3
        )
        SELECT catalog.* FROM page JOIN catalog ON catalog.app = page.app
        WHERE catalog.removed_at IS NULL AND $1::text IS NULL AND NOT $4";
    let all = "/* catalog */ WITH RECURSIVE page (app, place) AS (
            (SELECT app, 1::bigint FROM catalog WHERE app > $2 ORDER BY app LIMIT 1)
            UNION ALL
            SELECT next.app, page.place + 1 FROM page CROSS JOIN LATERAL (
                SELECT app FROM catalog WHERE catalog.app > page.app ORDER BY catalog.app LIMIT 1
            ) AS next WHERE page.place < $3
        )
        SELECT catalog.* FROM page JOIN catalog ON catalog.app = page.app WHERE $1::text IS NULL AND $4";
    let list = match (&filter.app, filter.with_removed) {
        (Some(_), _) => of_app,
        (None, false) => there,
        (None, true) => all,
    };
    let rows: Vec<CatalogRow> = sqlx::query_as(list)
        .bind(filter.app.as_ref().map(ToString::to_string))
        .bind(filter.after.as_ref().map(ToString::to_string).unwrap_or_default())
        .bind(if filter.most_apps == 0 { i64::MAX } else { i64::from(filter.most_apps) })
        .bind(filter.with_removed)
        .fetch_all(connection)
        .await
        .during(CATALOG)?;
    entries(rows, CATALOG).map(in_order)
}
