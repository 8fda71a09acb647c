//! The sections `[storage.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::StorageName;
use holdfast_storage::{Container, DELEGATION_LIFETIME_MAX, SasSource, StorageTarget};
use toml::de::DeValue;

use super::fleet::Cloud;
use super::reader::{Section, refused};
use super::report::{Found, Report, SourceLocation};
use super::suggest::did_you_mean;

/// A storage with the place of its name.
pub type Storages = BTreeMap<StorageName, Found<Option<StorageTarget>>>;

/// A minted SAS must at least last a short backup.
const LIFETIME_MIN: Duration = Duration::from_mins(10);

/// How a SAS can be minted.
const MINTS: [&str; 2] = ["account_key", "user_delegation"];

const LIFETIME: Duration = Duration::from_hours(48);

/// Reads the storages. One that will not do is there without its value, so that policies may still name it.
pub fn storages(report: &mut Report<'_>, file: &mut Section<'_>, clouds: &[Cloud]) -> Storages {
    let expected = "tables, as in [storage.NAME]";
    let Some(section) = file.section(report, "storage", expected) else { return Storages::new() };
    let mut storages = Storages::new();
    for (name, (place, value)) in section.entries() {
        let target = match value {
            DeValue::Table(table) => storage(report, Section::new(place.clone(), table), clouds),
            other => refused(report, &place, "a table with `container` and `sas`", other),
        };
        storages.insert(StorageName::new(name), Found { value: target, place });
    }
    storages
}

fn storage(report: &mut Report<'_>, mut section: Section<'_>, clouds: &[Cloud]) -> Option<StorageTarget> {
    let container = container(report, &mut section);
    let source = sas(report, &mut section);
    let azure = azure(report, &mut section, clouds);
    section.finish(report);
    Some(StorageTarget { container: container?, source: source?, azure })
}

/// Whose credential opens it, where the fleet's own choice would not do.
fn azure(report: &mut Report<'_>, section: &mut Section<'_>, clouds: &[Cloud]) -> Option<String> {
    let Found { value, place } = section.text(report, "azure", "the NAME of a section [azure.NAME]")?;
    if !clouds.iter().any(|cloud| cloud.name == value) {
        let near = did_you_mean(
            value,
            clouds.iter().map(|cloud| cloud.name.as_str()).filter(|name| !name.is_empty()),
        );
        report.error(&place, format_args!("`{}`: there is no section [azure.{value}]{near}", place.key));
    }
    Some(value.to_owned())
}

fn container(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<Container> {
    let expected = "a container's URL, https://ACCOUNT.blob.core.windows.net/CONTAINER";
    if !section.require(report, "container", expected) {
        return None;
    }
    let Found { value, place } = section.url(report, "container", expected)?;
    match Container::try_from(value) {
        Ok(container) => Some(container),
        Err(error) => {
            report.error(&place, format_args!("`{}`: {error}", place.key));
            None
        }
    }
}

fn sas(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<SasSource> {
    let expected = "{ mint = \"account_key\", key = \"env:NAME\" }, { mint = \"user_delegation\" } or { url = \"env:NAME\" }";
    if !section.require(report, "sas", expected) {
        return None;
    }
    let mut sas = section.section(report, "sas", expected)?.quiet();
    let source = if sas.has("url") {
        if sas.has("mint") {
            let message = format_args!("`{}`: expected either `url` or `mint`, found both", sas.place.key);
            report.error(&sas.place, message);
            return None;
        }
        sas.secret(report, "url").map(SasSource::Url)
    } else {
        let expected = "\"account_key\" or \"user_delegation\", or `url` with a reference to a SAS instead";
        let Found { value: mint, place } = sas.word(report, "mint", &MINTS, expected)?;
        match mint {
            "account_key" => account_key(report, &mut sas),
            _ => Some(user_delegation(report, &mut sas, &place)),
        }
    };
    sas.finish(report);
    source
}

fn account_key(report: &mut Report<'_>, sas: &mut Section<'_>) -> Option<SasSource> {
    let key = sas.secret(report, "key");
    let lifetime = sas.duration(report, "lifetime", LIFETIME_MIN).map_or(LIFETIME, |found| found.value);
    key.map(|key| SasSource::AccountKey { key, lifetime })
}

fn user_delegation(report: &mut Report<'_>, sas: &mut Section<'_>, mint: &SourceLocation) -> SasSource {
    let message = format_args!(
        "`{}`: it is not known whether App Service writes a backup with a user delegation SAS",
        mint.key
    );
    report.warning(mint, message, Some("back up one app with it before the fleet depends on it".into()));
    let found = sas.duration(report, "lifetime", LIFETIME_MIN);
    if let Some(Found { place, .. }) = found.as_ref().filter(|found| found.value > DELEGATION_LIFETIME_MAX) {
        let most = humantime::format_duration(DELEGATION_LIFETIME_MAX);
        let message = format_args!("`{}`: expected at most {most}", place.key);
        let help = "a user delegation key lasts 7 days, less what is kept for the difference of clocks";
        report.error_with_help(place, message, help);
    }
    SasSource::UserDelegation { lifetime: found.map_or(LIFETIME, |found| found.value) }
}
