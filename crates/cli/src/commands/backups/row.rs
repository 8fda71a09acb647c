//! One backup as it is shown.

use holdfast_model::{
    CatalogEntry, DatabaseFacts, Origin, Removal, RunId, SasFacts, StorageName, Timestamp, format_timestamp,
};
use serde::Serialize;

use crate::output::{Cell, Table, Tone, age, bytes, until};
use holdfast_control::inventory::{Inventory, Item, MadeBy, Presence};

/// One backup, for programs. Nothing in it is secret.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Azure's number for it.
    pub backup_id: i64,
    name: Option<String>,
    blob: Option<String>,
    /// Azure's word; `None` when Azure does not list it.
    status: Option<String>,
    created_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    size_bytes: Option<i64>,
    databases: Vec<DatabaseFacts>,
    made_by: MadeBy,
    presence: Presence,
    storage: Option<StorageName>,
    run_id: Option<RunId>,
    origin: Option<Origin>,
    good: Option<bool>,
    hold: Option<String>,
    sas: Option<SasFacts>,
    verified_at: Option<Timestamp>,
    removal: Option<Removal>,
    decision: Option<&'static str>,
    log: Option<String>,
}

impl Row {
    /// Of one backup.
    pub fn of(item: &Item) -> Self {
        let (entry, azure) = (item.entry.as_ref(), item.azure.as_ref());
        let of_entry = |entry: &CatalogEntry| entry.backup.databases.clone();
        let finished = |entry: &CatalogEntry| entry.backup.finished_at;
        Self {
            backup_id: item.id.0,
            name: azure.and_then(|backup| backup.name.clone()),
            blob: item.blob().map(str::to_owned),
            status: azure.map(|backup| backup.status.to_string()),
            created_at: item.created(),
            finished_at: azure.and_then(|backup| backup.finished).or(entry.and_then(finished)),
            size_bytes: item.size_bytes(),
            databases: azure
                .map_or_else(|| entry.map(of_entry).unwrap_or_default(), |backup| backup.databases.clone()),
            made_by: item.made_by(),
            presence: item.presence(),
            storage: entry.map(|entry| entry.storage.clone()),
            run_id: entry.map(|entry| entry.run),
            origin: entry.map(|entry| entry.origin),
            good: entry.map(|entry| entry.good),
            hold: entry.and_then(|entry| entry.hold.clone()),
            sas: entry.and_then(|entry| entry.sas.clone()),
            verified_at: entry.and_then(|entry| entry.verified_at),
            removal: entry.and_then(|entry| entry.removal),
            decision: item.decision.map(holdfast_model::retention::RetentionDecision::as_str),
            log: azure.and_then(|backup| backup.log.clone()),
        }
    }

    /// When the SAS that Azure keeps with it lapses, as far as that is known.
    fn sas_expiry(&self) -> Option<Timestamp> {
        self.sas.as_ref().and_then(|sas| sas.window.expiry)
    }

    fn sas_cell(&self, now: Timestamp) -> Cell {
        match self.sas_expiry().filter(|_| self.removal.is_none()) {
            Some(expiry) if expiry <= now => Cell::toned(format!("lapsed {}", age(expiry, now)), Tone::Warn),
            Some(expiry) => until(expiry, now).into(),
            None => "-".into(),
        }
    }

    fn presence_cell(&self) -> Cell {
        let tone = if self.presence == Presence::Known { Tone::Plain } else { Tone::Warn };
        Cell::toned(self.presence.as_str(), tone)
    }
}

/// Backups for people.
pub fn table(inventory: &Inventory, rows: &[Row]) -> Table {
    let now = inventory.now;
    let mut table = Table::new([
        "BACKUP",
        "BLOB",
        "STATUS",
        "CREATED",
        "SIZE",
        "DATABASES",
        "BY",
        "STANDING",
        "SAS",
        "HOLD",
        "FATE",
    ]);
    for row in rows {
        let status = match row.removal {
            Some(Removal { deleted: true, .. }) => "deleted",
            _ => row.status.as_deref().unwrap_or("-"),
        };
        table.row([
            row.backup_id.to_string().into(),
            or_dash(row.blob.as_deref().or(row.name.as_deref())),
            status.into(),
            or_dash(row.created_at.map(|at| age(at, now)).as_deref()),
            or_dash(row.size_bytes.map(bytes).as_deref()),
            or_dash(databases(&row.databases).as_deref()),
            row.made_by.as_str().into(),
            row.presence_cell(),
            row.sas_cell(now),
            or_dash(row.hold.as_deref()),
            or_dash(row.decision),
        ]);
    }
    table
}

/// One backup for people, a line for each fact.
pub fn facts(row: &Row, now: Timestamp) -> Table {
    let mut table = Table::new(["BACKUP", ""]);
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([name.into(), value.into()]);
        }
    };
    fact("id", Some(row.backup_id.to_string()));
    fact("name", row.name.clone());
    fact("blob", row.blob.clone());
    fact("storage", row.storage.as_ref().map(ToString::to_string));
    fact("status", row.status.clone());
    fact("created", row.created_at.map(format_timestamp));
    fact("finished", row.finished_at.map(format_timestamp));
    fact("size", row.size_bytes.map(bytes));
    fact("databases", databases(&row.databases));
    fact("made by", Some(row.made_by.as_str().to_owned()));
    fact("run", row.run_id.map(|run| run.to_string()));
    fact("presence", Some(row.presence.as_str().to_owned()));
    fact("hold", row.hold.clone());
    fact("sas", row.sas.as_ref().map(|sas| sas.fingerprint.clone()));
    fact("sas lapses", row.sas_expiry().map(format_timestamp));
    fact("verified", row.verified_at.map(|at| age(at, now)));
    fact("removal", row.removal.map(removal));
    fact("retention", row.decision.map(str::to_owned));
    fact("log", row.log.clone());
    table
}

fn removal(removal: Removal) -> String {
    let what = if removal.deleted { "deleted" } else { "found missing" };
    format!("{what} at {}", format_timestamp(removal.at))
}

fn databases(databases: &[DatabaseFacts]) -> Option<String> {
    let names: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn or_dash(text: Option<&str>) -> Cell {
    text.unwrap_or("-").into()
}
