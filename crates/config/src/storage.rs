//! The sections `[storage.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::StorageName;
use holdfast_storage::{Container, DELEGATION_LIFETIME_MAX, SasSource, StorageTarget};
use toml::de::DeValue;

use crate::container_of_app::{self, PerApp};
use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::fleet::Cloud;
use crate::nearest::did_you_mean;
use crate::section::Section;
use crate::wrong_kind::refused;

/// Storages with the locations of their names. An invalid storage has no value.
pub type Storages = BTreeMap<StorageName, Located<Option<StorageTarget>>>;

/// Shortest lifetime of a minted SAS: it must outlast a short backup.
const LIFETIME_MIN: Duration = Duration::from_mins(10);

/// The ways to mint a SAS.
const MINTS: [&str; 2] = ["account_key", "user_delegation"];

const LIFETIME: Duration = Duration::from_hours(48);

/// Reads the storages.
pub fn storages(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>, clouds: &[Cloud]) -> Storages {
    let expected = "tables, as in [storage.NAME]";
    let Some(section) = file.section(diagnostics, "storage", expected) else { return Storages::new() };
    let mut storages = Storages::new();
    for (name, (place, value)) in section.entries() {
        container_of_app::check_name(diagnostics, &place, &name);
        let target = match value {
            DeValue::Table(table) => storage(diagnostics, Section::new(place.clone(), table), clouds),
            other => refused(diagnostics, &place, "a table with `container` and `sas`", other),
        };
        storages.insert(StorageName::new(name), Located { value: target, place });
    }
    storages
}

fn storage(
    diagnostics: &mut Diagnostics<'_>,
    mut section: Section<'_>,
    clouds: &[Cloud],
) -> Option<StorageTarget> {
    let container = container(diagnostics, &mut section);
    let source = sas(diagnostics, &mut section);
    let creates = section.flag(diagnostics, "create_container").unwrap_or(false);
    let azure = azure(diagnostics, &mut section, clouds);
    section.finish(diagnostics);
    let (Located { value: PerApp { container, pattern }, place }, source) = (container?, source?);
    address(diagnostics, &place, &container, &source);
    let target = StorageTarget { container, pattern, creates, source, azure };
    container_of_app::check_source(diagnostics, &place, &target);
    Some(target)
}

/// Checks whether the container's URL suits the source of its SAS.
fn address(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    container: &Container,
    source: &SasSource,
) {
    let key = &place.key;
    let host = container.url().host_str().unwrap_or_default();
    let help = format!("write https://ACCOUNT.blob.core.windows.net/{}", container.name());
    if !container.names_account() && source.lifetime().is_some() {
        let message = format_args!(
            "`{key}`: a SAS is minted for the account's name, and {host} does not show that name"
        );
        diagnostics.error_with_help(place, message, help);
    } else if !container.names_account() {
        let message = format_args!(
            "`{key}`: {host} is not an address of Azure's own, and storage serves other domains without HTTPS"
        );
        diagnostics.warning(
            place,
            message,
            Some(format!("{help}, unless another service adds HTTPS to {host}")),
        );
    }
    if container.is_root() {
        let message =
            format_args!("`{key}`: `$root` is the account's root container, and not made for backups");
        diagnostics.warning(place, message, Some("name a container of its own".to_owned()));
    }
}

/// Reads which `[azure]` section opens the storage; `None` for the fleet's default.
fn azure(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>, clouds: &[Cloud]) -> Option<String> {
    let Located { value, place } =
        section.text(diagnostics, "azure", "the NAME of a section [azure.NAME]")?;
    if !clouds.iter().any(|cloud| cloud.name == value) {
        let near = did_you_mean(
            value,
            clouds.iter().map(|cloud| cloud.name.as_str()).filter(|name| !name.is_empty()),
        );
        diagnostics.error(&place, format_args!("`{}`: there is no section [azure.{value}]{near}", place.key));
    }
    Some(value.to_owned())
}

fn container(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<Located<PerApp>> {
    let expected = "a container's URL, https://ACCOUNT.blob.core.windows.net/CONTAINER";
    if !section.require(diagnostics, "container", expected) {
        return None;
    }
    let Located { value, place } = section.url(diagnostics, "container", expected)?;
    let (value, pattern) = container_of_app::pattern(diagnostics, &place, value)?;
    match Container::try_from(value) {
        Ok(container) => {
            let value = PerApp { container, pattern };
            diagnostics.show(&place);
            Some(Located { value, place })
        }
        Err(error) => {
            diagnostics.error(&place, format_args!("`{}`: {error}", place.key));
            None
        }
    }
}

fn sas(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<SasSource> {
    let expected = "{ mint = \"account_key\", key = \"env:NAME\" }, { mint = \"user_delegation\" } or { url = \"env:NAME\" }";
    if !section.require(diagnostics, "sas", expected) {
        return None;
    }
    let mut sas = section.section(diagnostics, "sas", expected)?.quiet();
    let source = if sas.has("url") {
        if sas.has("mint") {
            let message = format_args!("`{}`: expected either `url` or `mint`, found both", sas.place.key);
            diagnostics.error(&sas.place, message);
            return None;
        }
        sas.secret(diagnostics, "url").map(SasSource::Url)
    } else {
        let expected = "\"account_key\" or \"user_delegation\", or `url` with a reference to a SAS instead";
        let Located { value: mint, place } = sas.choice(diagnostics, "mint", &MINTS, expected)?;
        match mint {
            "account_key" => account_key(diagnostics, &mut sas),
            _ => Some(user_delegation(diagnostics, &mut sas, &place)),
        }
    };
    sas.finish(diagnostics);
    source
}

fn account_key(diagnostics: &mut Diagnostics<'_>, sas: &mut Section<'_>) -> Option<SasSource> {
    let key = sas.secret(diagnostics, "key");
    let lifetime = sas.duration(diagnostics, "lifetime", LIFETIME_MIN).map_or(LIFETIME, |found| found.value);
    key.map(|key| SasSource::AccountKey { key, lifetime })
}

fn user_delegation(
    diagnostics: &mut Diagnostics<'_>,
    sas: &mut Section<'_>,
    mint: &SourceLocation,
) -> SasSource {
    let message = format_args!(
        "`{}`: it is not known whether App Service writes a backup with a user delegation SAS",
        mint.key
    );
    diagnostics.warning(mint, message, Some("back up one app with it before the fleet depends on it".into()));
    let found = sas.duration(diagnostics, "lifetime", LIFETIME_MIN);
    if let Some(Located { place, .. }) = found.as_ref().filter(|found| found.value > DELEGATION_LIFETIME_MAX)
    {
        let most = holdfast_model::format_duration(DELEGATION_LIFETIME_MAX);
        let message = format_args!("`{}`: expected at most {most}", place.key);
        let help = "a user delegation key lasts 7 days, less an allowance for clock skew";
        diagnostics.error_with_help(place, message, help);
    }
    SasSource::UserDelegation { lifetime: found.map_or(LIFETIME, |found| found.value) }
}
