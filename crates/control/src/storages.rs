//! The storages of the fleet file.

use holdfast_config::{Fleet, nearest};
use holdfast_model::{App, StorageName};
use holdfast_scheduler::StorageAccounts;
use holdfast_storage::{Container, StorageTarget};

use crate::error::{Error, ErrorKind};

/// The storage of this name; `NotFound` when the fleet file has none.
pub fn storage_named<'f>(fleet: &'f Fleet, name: &StorageName) -> Result<&'f StorageTarget, Error> {
    fleet.storage(name).ok_or_else(|| {
        let near = nearest(name.section(), fleet.storages.keys().map(StorageName::as_str));
        let help = near.map_or_else(
            || format!("it has these: {}", storage_names(fleet)),
            |near| format!("did you mean `{near}`?"),
        );
        Error::new(ErrorKind::NotFound, format!("there is no storage `{name}` in the fleet file")).help(help)
    })
}

/// The container of a storage, also of one app.
pub(crate) fn container_named(fleet: &Fleet, name: &StorageName) -> Result<Container, Error> {
    storage_named(fleet, name)?.container_of(name).ok_or_else(|| {
        let what = format!("the storage `{name}` has a container for each app");
        Error::new(ErrorKind::Invalid, what).help(format!("name one, as in {}/CONTAINER", name.section()))
    })
}

/// The storage to check: with a container for each app, that of the first app that writes into it.
pub(crate) fn sample(fleet: &Fleet, name: &StorageName, apps: &[App]) -> StorageName {
    let name = fleet.as_policies_name(name);
    let writes = |app: &&App| {
        let policy = app.policy.as_ref().and_then(|policy| fleet.policies.get(policy));
        policy.is_some_and(|policy| policy.policy_snapshot.storage == name)
    };
    match apps.iter().find(writes) {
        _ if !name.depends_on_app() => name,
        Some(app) => name.for_app(&app.id),
        None => StorageName::new(name.section()),
    }
}

/// The storage account behind each storage.
pub fn storage_accounts(fleet: &Fleet) -> StorageAccounts {
    fleet.storages.iter().map(|(name, target)| (name.clone(), target.container.account())).collect()
}

/// The names of all storages, for messages.
pub(crate) fn storage_names(fleet: &Fleet) -> String {
    fleet.storages.keys().map(StorageName::as_str).collect::<Vec<_>>().join(", ")
}
