//! Containers that depend on the app: `container = "https://acct.blob.core.windows.net/{app}"`.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{App, AppId, CONTAINER_PLACEHOLDERS, PolicyName, StorageName, unknown_placeholders};
use holdfast_storage::{Container, SasSource, StorageTarget};
use url::Url;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::policy::Policies;
use crate::storage::Storages;

/// A container, or the pattern of the containers of apps.
#[derive(Debug)]
pub struct PerApp {
    /// The container; with a pattern, that of a made-up app.
    pub container: Container,
    /// The pattern.
    pub pattern: Option<String>,
}

/// The pattern in a container's URL, and the URL for a made-up app. `None` where a placeholder means nothing.
pub fn pattern(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    mut url: Url,
) -> Option<(Url, Option<String>)> {
    let path = url.path().trim_end_matches('/').to_owned();
    // The parser of URLs encodes braces.
    let Some((before, name)) = path.rsplit_once('/').filter(|(_, name)| name.contains("%7")) else {
        return Some((url, None));
    };
    let pattern = name.replace("%7B", "{").replace("%7D", "}");
    if let Some(unknown) = unknown_placeholders(&pattern).first() {
        let message = format_args!("`{}`: the placeholder `{unknown}` is not known", place.key);
        diagnostics.error_with_help(
            place,
            message,
            format!("known are {}", CONTAINER_PLACEHOLDERS.join(", ")),
        );
        return None;
    }
    let sample = StorageName::new("").with_container(&pattern).for_app(&sample());
    url.set_path(&format!("{before}/{}", sample.container().unwrap_or_default()));
    Some((url, Some(pattern)))
}

fn sample() -> AppId {
    AppId::new("subscription", "group", "app", None)
}

/// Refuses a name that reads like a storage of an app.
pub fn check_name(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, name: &str) {
    if name.contains(['/', '{', '}']) {
        let message = format_args!("`{}`: the name of a storage has no `/` and no braces", place.key);
        diagnostics.error_with_help(place, message, "use letters, digits and `-`");
    }
}

/// Refuses a SAS of one container for the containers of apps, and for creating one.
pub fn check_source(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, target: &StorageTarget) {
    if !matches!(target.source, SasSource::Url(_)) {
        return;
    }
    let what = match (&target.pattern, target.creates) {
        (Some(_), _) => "a container that depends on the app needs a SAS of its own",
        (None, true) => "a SAS of a container cannot create it",
        (None, false) => return,
    };
    let message = format_args!("`{}`: {what}, and `sas` is one that somebody wrote", place.key);
    let help = "let Holdfast mint it: sas = { mint = \"account_key\", key = \"env:NAME\" }";
    diagnostics.error_with_help(place, message, help);
}

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
