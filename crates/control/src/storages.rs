//! The storages of the fleet file.

use holdfast_config::{Fleet, nearest};
use holdfast_model::StorageName;
use holdfast_scheduler::StorageAccounts;
use holdfast_storage::StorageTarget;

use crate::error::{Error, ErrorKind};

/// The storage of this name; `NotFound` when the fleet file has none.
pub fn storage_named<'f>(fleet: &'f Fleet, name: &StorageName) -> Result<&'f StorageTarget, Error> {
    fleet.storages.get(name).ok_or_else(|| {
        let near = nearest(name.as_str(), fleet.storages.keys().map(StorageName::as_str));
        let help = near.map_or_else(
            || format!("it has these: {}", storage_names(fleet)),
            |near| format!("did you mean `{near}`?"),
        );
        Error::new(ErrorKind::NotFound, format!("there is no storage `{name}` in the fleet file")).help(help)
    })
}

/// The storage account behind each storage.
pub fn storage_accounts(fleet: &Fleet) -> StorageAccounts {
    fleet.storages.iter().map(|(name, target)| (name.clone(), target.container.account())).collect()
}

/// The names of all storages, for messages.
pub(crate) fn storage_names(fleet: &Fleet) -> String {
    fleet.storages.keys().map(StorageName::as_str).collect::<Vec<_>>().join(", ")
}
