//! Rows of `catalog`.

use std::collections::BTreeSet;

use holdfast_model::{
    BackupChange, BackupFacts, BackupId, CatalogEntry, PolicyName, Removal, SasFacts, SasWindow, StorageName,
};
use serde_json::{Value, json as object};

use crate::columns::json;
use crate::error::Result;
use crate::rules::catalog_change::Number;
use crate::rules::generations::StoredEntry;
use crate::sql::arg::time_text;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::run::without_nul;

impl FromRow for CatalogEntry {
    const TABLE: &'static str = "catalog";
    const KEY: &'static [&'static str] = &["app", "backup_id", "generation"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let window = SasWindow { start: row.maybe_time("sas_start")?, expiry: row.maybe_time("sas_expiry")? };
        let removed_at = row.maybe_time("removed_at")?.zip(row.maybe_bool("deleted")?);
        Ok(Self {
            app: row.parse("app")?,
            run: row.id("run_id")?,
            policy: row.maybe_text("policy")?.map(PolicyName::new),
            storage: StorageName::new(row.text("storage")?),
            backup: BackupFacts {
                id: BackupId(row.int("backup_id")?),
                blob: row.text("blob")?,
                size_bytes: row.int("size_bytes")?,
                accepted_at: row.time("accepted_at")?,
                finished_at: row.maybe_time("finished_at")?,
                databases: row.json("databases")?,
            },
            origin: row.word("origin")?,
            good: row.bool("good")?,
            sas: row.maybe_text("sas_fingerprint")?.map(|fingerprint| SasFacts { fingerprint, window }),
            hold: row.maybe_text("hold")?,
            removal: removed_at.map(|(at, deleted)| Removal { at, deleted }),
            last_failure_at: row.maybe_time("last_failure_at")?,
            verified_at: row.maybe_time("verified_at")?,
            drill: row.maybe_time("drilled_at")?.zip(row.maybe_bool("drill_passed")?),
            change: change(row)?,
        })
    }
}

fn change(row: &Row<'_>) -> Result<Option<BackupChange>> {
    let Some(at) = row.maybe_time("changed_at")? else { return Ok(None) };
    let differences = row.maybe_json("differences")?.unwrap_or_default();
    Ok(Some(BackupChange { at, differences, good_once_verified: row.maybe_bool("good_once_verified")? }))
}

impl FromRow for StoredEntry {
    const TABLE: &'static str = CatalogEntry::TABLE;
    const KEY: &'static [&'static str] = CatalogEntry::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        let (generation, event_seq) = (row.int("generation")?, row.int("event_seq")?);
        Ok(Self { generation, event_seq, entry: CatalogEntry::read(row)? })
    }
}

/// The columns of an entry.
pub(crate) fn columns(StoredEntry { generation, event_seq, entry }: &StoredEntry) -> Value {
    let CatalogEntry { backup, sas, removal, drill, change, .. } = entry;
    let window = sas.as_ref().map(|sas| sas.window);
    object!({
        "app": entry.app.to_string(),
        "backup_id": backup.id,
        "generation": generation,
        "event_seq": event_seq,
        "run_id": entry.run.to_string(),
        "policy": entry.policy,
        "storage": entry.storage,
        "blob": without_nul(&backup.blob),
        "size_bytes": backup.size_bytes,
        "accepted_at": time_text(backup.accepted_at),
        "finished_at": backup.finished_at.map(time_text),
        "databases": json(&backup.databases),
        "origin": entry.origin.as_str(),
        "good": entry.good,
        "sas_fingerprint": sas.as_ref().map(|sas| &sas.fingerprint),
        "sas_start": window.and_then(|window| window.start).map(time_text),
        "sas_expiry": window.and_then(|window| window.expiry).map(time_text),
        "hold": entry.hold.as_deref().map(without_nul),
        "removed_at": removal.map(|removal| time_text(removal.at)),
        "deleted": removal.map(|removal| removal.deleted),
        "last_failure_at": entry.last_failure_at.map(time_text),
        "verified_at": entry.verified_at.map(time_text),
        "drilled_at": drill.map(|(at, _)| time_text(at)),
        "drill_passed": drill.map(|(_, passed)| passed),
        "changed_at": change.as_ref().map(|change| time_text(change.at)),
        "differences": change.as_ref().map(|change| without_nul(&json(&change.differences))),
        "good_once_verified": change.as_ref().and_then(|change| change.good_once_verified),
    })
}

/// The columns of numbers.
pub(crate) fn keys(numbers: &BTreeSet<Number>) -> Vec<Value> {
    numbers.iter().map(|(app, id)| object!({ "app": app.to_string(), "backup_id": id })).collect()
}
