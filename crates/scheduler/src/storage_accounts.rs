//! Which storage account a run counts against.

use std::collections::BTreeMap;

use holdfast_model::{Policy, PolicySnapshot, StorageName};

/// The storage account behind each storage of the fleet file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageAccounts(BTreeMap<StorageName, String>);

impl StorageAccounts {
    /// The policy snapshot of a run about a backup in `storage`, which the policy may no longer use.
    ///
    /// Azure reads and deletes the backup with a SAS of `storage`, so the run counts against that storage's account.
    /// A storage that the fleet file no longer has counts as a separate account.
    pub fn snapshot_for(&self, policy: &Policy, storage: &StorageName) -> PolicySnapshot {
        let present = &policy.policy_snapshot;
        if present.storage == *storage {
            return present.clone();
        }
        let section = StorageName::new(storage.section());
        let account = self.0.get(&section).cloned().unwrap_or_else(|| section.to_string());
        PolicySnapshot { storage: storage.clone(), account, ..present.clone() }
    }
}

impl FromIterator<(StorageName, String)> for StorageAccounts {
    fn from_iter<T: IntoIterator<Item = (StorageName, String)>>(accounts: T) -> Self {
        Self(accounts.into_iter().collect())
    }
}
