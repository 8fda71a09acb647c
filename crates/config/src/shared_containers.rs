//! Containers of apps that several apps share, or that checkpoints would go to.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{App, AppId, PolicyName, StorageName};

use crate::diagnostics::{Diagnostics, Located};
use crate::policy::Policies;
use crate::storage::Storages;

/// Warns about listed apps that share a container which is meant for one app, and refuses checkpoints in containers of apps.
pub fn check(
    diagnostics: &mut Diagnostics<'_>,
    apps: &[App],
    policies: &Policies,
    storages: &Storages,
    checkpoints: &BTreeSet<&StorageName>,
) {
    let storage_of = |name: &PolicyName| {
        let policy = policies.get(name).and_then(|found| found.value.as_ref());
        policy.map(|policy| policy.policy_snapshot.storage.clone())
    };
    for (storage, sharing) in shared_containers(apps, storage_of) {
        let Some(Located { place, .. }) = storages.get(&StorageName::new(storage.section())) else {
            continue;
        };
        let names: Vec<String> = sharing.iter().map(AppId::to_string).collect();
        let container = storage.container().unwrap_or_default();
        let message = format_args!(
            "`{}`: these apps share the container `{container}`: {}",
            place.key,
            names.join(", ")
        );
        let help = "add {resource_group} or {subscription} to the name";
        diagnostics.warning(place, message, Some(help.to_owned()));
    }
    for (name, Located { value, place }) in storages {
        if checkpoints.contains(name) && value.as_ref().is_some_and(|target| target.pattern.is_some()) {
            let message = format_args!(
                "`{}`: checkpoints go to one container, and this storage has one for each app",
                place.key
            );
            diagnostics.error_with_help(place, message, "add a [storage.NAME] for them");
        }
    }
}

/// The apps that share a container whose pattern has `{app}`, by storage.
pub fn shared_containers(
    apps: &[App],
    storage_of: impl Fn(&PolicyName) -> Option<StorageName>,
) -> BTreeMap<StorageName, Vec<AppId>> {
    let mut sharing: BTreeMap<StorageName, Vec<AppId>> = BTreeMap::new();
    for app in apps {
        let storage = app.policy.as_ref().and_then(&storage_of);
        let own = storage.filter(|storage| storage.container().is_some_and(|name| name.contains("{app}")));
        if let Some(storage) = own {
            sharing.entry(storage.for_app(&app.id)).or_default().push(app.id.clone());
        }
    }
    sharing.retain(|_, apps| apps.len() > 1);
    sharing
}
