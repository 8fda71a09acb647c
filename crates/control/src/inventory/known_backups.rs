//! The backups of many apps, read with few statements.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, BackupId, CatalogEntry, RunKind};
use holdfast_store::{CatalogFilter, RunFilter, Store};

use crate::Error;

/// Apps of one statement.
const APPS: usize = 100;

/// The backups of apps that are there, and those of them that runs delete.
#[derive(Debug, Default)]
pub(crate) struct KnownBackups {
    entries: BTreeMap<AppId, Vec<CatalogEntry>>,
    going: BTreeMap<AppId, BTreeSet<BackupId>>,
    none: BTreeSet<BackupId>,
}

impl KnownBackups {
    /// The backups of these apps.
    pub async fn of(store: &dyn Store, apps: &[AppId]) -> Result<Self, Error> {
        let mut known = Self::default();
        for some in apps.chunks(APPS) {
            let filter = CatalogFilter { apps: some.iter().cloned().collect(), ..CatalogFilter::default() };
            for entry in store.catalog(&filter).await? {
                known.entries.entry(entry.app.clone()).or_default().push(entry);
            }
        }
        let filter = RunFilter { kind: Some(RunKind::Delete), unfinished: true, ..RunFilter::default() };
        for run in store.runs(&filter).await? {
            if let Some((app, id)) = run.task.backup(&run.app) {
                known.going.entry(app.clone()).or_default().insert(id);
            }
        }
        Ok(known)
    }

    /// The backups of an app.
    pub fn entries(&self, app: &AppId) -> &[CatalogEntry] {
        self.entries.get(app).map(Vec::as_slice).unwrap_or_default()
    }

    /// The backups of an app that a run deletes.
    pub fn going(&self, app: &AppId) -> &BTreeSet<BackupId> {
        self.going.get(app).unwrap_or(&self.none)
    }
}
