//! The sections `[azure]` and `[azure.NAME]`.

use std::path::PathBuf;

use holdfast_arm::{Credential, PUBLIC_ENDPOINT, is_loopback};
use holdfast_model::{AzureService, SubscriptionId};
use holdfast_storage::SecretRef;
use url::Url;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::fleet::Cloud;
use crate::section::{Section, top};
use crate::trusted_hosts::{check_addresses, sent_to_authority, trusted_hosts};
use crate::wrong_kind::wrong_kind;
use toml::de::DeValue;

const SETTINGS: [&str; 6] =
    ["credential", "api_version", "endpoint", "authority", "trusted_hosts", "subscriptions"];

const KINDS: [&str; 4] = ["client_secret", "workload_identity", "managed_identity", "azure_cli"];

/// The default `api-version`, as in the recorded answers.
pub const API_VERSION: &str = "2024-11-01";

/// Reads the credentials.
pub fn clouds(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>) -> Vec<Cloud> {
    let Some(section) = file.section(diagnostics, "azure", "a table with a credential") else {
        if !file.has("azure") {
            let help = "add: [azure] and credential = { kind = \"azure_cli\" }".to_owned();
            diagnostics.missing(
                &top(),
                "the section [azure] is missing: expected at least a `credential`",
                Some(help),
            );
        }
        return Vec::new();
    };
    let is_single = SETTINGS.iter().any(|key| section.has(key));
    let has_tables = section.entries().any(|(_, (_, value))| value.is_table());
    let mut clouds = Vec::new();
    if is_single || !has_tables {
        clouds.extend(cloud(diagnostics, String::new(), section));
    } else {
        for (name, (place, value)) in section.entries() {
            match value {
                DeValue::Table(table) => clouds.extend(cloud(diagnostics, name, Section::new(place, table))),
                other => {
                    wrong_kind(diagnostics, &place, "a table with a credential, as in [azure.NAME]", other);
                }
            }
        }
        check_several(diagnostics, &section, &clouds);
    }
    clouds
}

fn cloud(diagnostics: &mut Diagnostics<'_>, name: String, mut section: Section<'_>) -> Option<Cloud> {
    let credential = credential(diagnostics, &mut section);
    let endpoint = address(diagnostics, &mut section, "endpoint");
    let authority = address(diagnostics, &mut section, "authority");
    let trusted_hosts = trusted_hosts(diagnostics, &mut section);
    let api_version = api_version(diagnostics, &mut section);
    let expected = "a list of subscription ids";
    let subscriptions = section.texts(diagnostics, "subscriptions", expected);
    let subscriptions = subscriptions.iter().filter_map(|found| subscription(diagnostics, found)).collect();
    section.finish(diagnostics);
    let (at_endpoint, endpoint) = endpoint.map(|found| (found.place, found.value)).unzip();
    let (at_authority, authority) = authority.map(|found| (found.place, found.value)).unzip();
    let endpoint = endpoint.or_else(|| Url::parse(PUBLIC_ENDPOINT).ok())?;
    let credential = credential?;
    let sent = sent_to_authority(&credential);
    let cloud = Cloud { name, credential, endpoint, authority, api_version, trusted_hosts, subscriptions };
    let addresses = [(at_endpoint, AzureService::Arm, "tokens"), (at_authority, AzureService::Entra, sent)];
    check_addresses(diagnostics, &cloud, addresses);
    Some(cloud)
}

/// Reads an address that receives tokens and secrets: plain http is for this machine only.
fn address(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<Located<Url>> {
    let Located { value, place } =
        section.url(diagnostics, key, "the https URL of a sovereign cloud or of a simulator")?;
    if value.scheme() == "https" || (value.scheme() == "http" && is_loopback(&value)) {
        return Some(Located { value, place });
    }
    diagnostics
        .error(&place, format_args!("`{}`: expected https (http is for this machine only)", place.key));
    None
}

fn api_version(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> String {
    let expected = "an api-version such as \"2024-11-01\"";
    let Some(Located { value, place }) = section.text(diagnostics, "api_version", expected) else {
        return API_VERSION.to_owned();
    };
    let date = value.strip_suffix("-preview").unwrap_or(value);
    if chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_err() || date.len() != 10 {
        diagnostics.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    } else if date < "2018-02-01" {
        let message = format_args!("`{}`: answers of {value} carry database passwords", place.key);
        diagnostics.error_with_help(&place, message, "use 2018-02-01 or later");
    }
    value.to_owned()
}

/// Checks that a text is a subscription id without anything around it.
pub fn subscription(diagnostics: &mut Diagnostics<'_>, found: &Located<&str>) -> Option<SubscriptionId> {
    let Located { value, place } = found;
    let is_id = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_id {
        return Some(SubscriptionId::new(value));
    }
    diagnostics
        .error(place, format_args!("`{}`: expected a subscription's id alone, found \"{value}\"", place.key));
    None
}

fn credential(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<Credential<SecretRef>> {
    let expected = "a table such as { kind = \"azure_cli\" }";
    if !section.require(diagnostics, "credential", expected) {
        return None;
    }
    let mut table = section.section(diagnostics, "credential", expected)?.quiet();
    let kinds = format!("one of {}", KINDS.join(", "));
    // Which keys are known depends on the kind, so an unknown kind ends the check of this table.
    let kind = table.choice(diagnostics, "kind", &KINDS, &kinds)?.value;
    let credential = credential_of(diagnostics, &mut table, kind);
    table.finish(diagnostics);
    credential
}

fn credential_of(
    diagnostics: &mut Diagnostics<'_>,
    table: &mut Section<'_>,
    kind: &str,
) -> Option<Credential<SecretRef>> {
    let optional = |diagnostics: &mut Diagnostics<'_>, table: &mut Section<'_>, key| {
        table.text(diagnostics, key, "a text").map(|found| found.value.to_owned())
    };
    match kind {
        "client_secret" => {
            let tenant = table.required(diagnostics, "tenant", "the tenant's id or domain");
            let client_id = table.required(diagnostics, "client_id", "the application's id");
            let secret = table.secret(diagnostics, "secret");
            if let Some(SecretRef::KeyVault(_)) = &secret {
                let place = diagnostics
                    .secrets
                    .last()
                    .map_or_else(|| table.place.clone(), |found| found.place.clone());
                let message = format_args!(
                    "`{}`: this secret cannot be in a Key Vault, because it is what opens the Key Vault",
                    place.key
                );
                let help =
                    "use `env:NAME` or `file:PATH`, or a managed or workload identity, which need no secret";
                diagnostics.error_with_help(&place, message, help);
            }
            tenant.zip(client_id).zip(secret).map(|((tenant, client_id), secret)| Credential::ClientSecret {
                tenant: tenant.value.to_owned(),
                client_id: client_id.value.to_owned(),
                secret,
            })
        }
        "workload_identity" => Some(Credential::WorkloadIdentity {
            tenant: optional(diagnostics, table, "tenant"),
            client_id: optional(diagnostics, table, "client_id"),
            token_file: optional(diagnostics, table, "token_file").map(PathBuf::from),
        }),
        "managed_identity" => {
            Some(Credential::ManagedIdentity { client_id: optional(diagnostics, table, "client_id") })
        }
        _ => Some(Credential::AzureCli { tenant: optional(diagnostics, table, "tenant") }),
    }
}

fn check_several(diagnostics: &mut Diagnostics<'_>, section: &Section<'_>, clouds: &[Cloud]) {
    let open: Vec<&Cloud> = clouds.iter().filter(|cloud| cloud.subscriptions.is_empty()).collect();
    let place_of =
        |cloud: &Cloud| section.entries().find(|(name, _)| *name == cloud.name).map(|(_, (place, _))| place);
    for cloud in open.iter().skip(1) {
        let Some(place) = place_of(cloud) else { continue };
        let message =
            format_args!("[azure.{}] and [azure.{}] both serve every subscription", open[0].name, cloud.name);
        diagnostics.error_with_help(&place, message, "say which serves which: subscriptions = [\"...\"]");
    }
    for (index, cloud) in clouds.iter().enumerate() {
        let earlier = clouds.iter().take(index);
        let twice = earlier.flat_map(|other| other.subscriptions.iter().map(move |id| (other, id)));
        for (other, id) in twice.filter(|(_, id)| cloud.subscriptions.contains(id)) {
            let Some(place) = place_of(cloud) else { continue };
            let message = format_args!("[azure.{}] and [azure.{}] both serve {id}", other.name, cloud.name);
            diagnostics.error(&place, message);
        }
    }
}

/// Reports a subscription that no `[azure]` section serves.
pub fn is_served(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    subscription: &SubscriptionId,
    clouds: &[Cloud],
) {
    let serves = |cloud: &Cloud| cloud.subscriptions.is_empty() || cloud.subscriptions.contains(subscription);
    // Without a usable credential the section [azure] already has an error.
    if !clouds.is_empty() && !clouds.iter().any(serves) {
        let message = format!("`{}`: no [azure] section serves the subscription {subscription}", place.key);
        diagnostics.missing(place, message, Some("add it to the `subscriptions` of one".into()));
    }
}
