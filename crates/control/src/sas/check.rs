//! Checks the SAS of storages for a backup that starts now.

use std::collections::BTreeSet;

use holdfast_config::Fleet;
use holdfast_model::{Policy, SasFacts, StorageName, Timestamp};
use holdfast_storage::{Error, Need, SasHealth, Storage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::storages::{sample, storage_named};
use crate::wording::unusable;

/// A storage and the state of its SAS.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct CheckedStorage {
    /// The storage; one with a container for each app is checked with the container of one of them.
    pub storage: StorageName,
    /// The container's URL; `None` when no SAS could be obtained, as for the next two.
    pub container: Option<String>,
    /// Where the SAS comes from, as the fleet file says.
    pub origin: Option<String>,
    /// The fingerprint and dates of the SAS.
    pub sas: Option<SasFacts>,
    /// How many policies write to the storage.
    pub policies: usize,
    /// Whether the SAS is usable.
    pub good: bool,
    /// Why it is not.
    pub faults: Vec<String>,
    /// What needs attention although it is.
    pub warnings: Vec<String>,
    /// Whether the storage account allows access by key, if known.
    pub allows_key: Option<bool>,
}

/// Checks the storages of these names, or all of the fleet when there are none.
///
/// Writes a blob to each and deletes it again. `NotFound` when the fleet file has no storage of a name.
pub async fn check(
    fleet: &Fleet,
    storage: &dyn Storage,
    names: &[StorageName],
    now: Timestamp,
) -> Result<Vec<CheckedStorage>, crate::error::Error> {
    for name in names {
        storage_named(fleet, name)?;
    }
    let wanted: BTreeSet<StorageName> = match names {
        [] => fleet.backup_storages().cloned().collect(),
        names => names.iter().cloned().collect(),
    };
    let mut checked = Vec::new();
    for name in wanted {
        let name = sample(fleet, &name, &fleet.apps);
        let health = health(fleet, storage, &name, now).await;
        let of_section = |policy: &&Policy| policy.policy_snapshot.storage.section() == name.section();
        let policies = fleet.policies.values().filter(of_section).count();
        checked.push(CheckedStorage::new(name, policies, health));
    }
    Ok(checked)
}

/// Checks the storage's SAS for the longest backup that starts now.
pub(crate) async fn health(
    fleet: &Fleet,
    storage: &dyn Storage,
    name: &StorageName,
    now: Timestamp,
) -> Result<SasHealth, Error> {
    let until = now + fleet.longest_deadline(name);
    storage.sas_health(name, &Need { now, until, replace: None, reason: None, probe: true }).await
}

impl CheckedStorage {
    fn new(storage: StorageName, policies: usize, health: Result<SasHealth, Error>) -> Self {
        let unknown = Self {
            storage,
            container: None,
            origin: None,
            sas: None,
            policies,
            good: false,
            faults: Vec::new(),
            warnings: Vec::new(),
            allows_key: None,
        };
        match health {
            Ok(health) => Self {
                container: Some(health.container.to_string()),
                good: health.is_good(),
                faults: unusable(&health),
                warnings: health.warnings.iter().map(|warning| format!("it {warning}")).collect(),
                allows_key: health.allows_key,
                origin: Some(health.origin),
                sas: Some(health.facts),
                ..unknown
            },
            Err(error) => Self { faults: vec![error.to_string()], ..unknown },
        }
    }
}
