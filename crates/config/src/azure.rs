//! The sections `[azure]` and `[azure.NAME]`.

use std::path::PathBuf;

use holdfast_arm::{Credential, PUBLIC_ENDPOINT};
use holdfast_model::SubscriptionId;
use holdfast_storage::SecretRef;
use url::Url;

use super::fleet::Cloud;
use super::reader::{Section, top, wrong_kind};
use super::report::{Found, Report, SourceLocation};
use toml::de::DeValue;

const SETTINGS: [&str; 5] = ["credential", "api_version", "endpoint", "authority", "subscriptions"];

const KINDS: [&str; 4] = ["client_secret", "workload_identity", "managed_identity", "azure_cli"];

/// The endpoint, with `api-version` of the recorded answers.
const API_VERSION: &str = "2024-11-01";

/// Reads the credentials.
pub fn clouds(report: &mut Report<'_>, file: &mut Section<'_>) -> Vec<Cloud> {
    let Some(section) = file.section(report, "azure", "a table with a credential") else {
        if !file.has("azure") {
            let help = "add: [azure] and credential = { kind = \"azure_cli\" }".to_owned();
            report.missing(
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
        clouds.extend(cloud(report, String::new(), section));
    } else {
        for (name, (place, value)) in section.entries() {
            match value {
                DeValue::Table(table) => clouds.extend(cloud(report, name, Section::new(place, table))),
                other => {
                    wrong_kind(report, &place, "a table with a credential, as in [azure.NAME]", other);
                }
            }
        }
        check_several(report, &section, &clouds);
    }
    clouds
}

fn cloud(report: &mut Report<'_>, name: String, mut section: Section<'_>) -> Option<Cloud> {
    let credential = credential(report, &mut section);
    let endpoint = address(report, &mut section, "endpoint");
    let authority = address(report, &mut section, "authority");
    let api_version = api_version(report, &mut section);
    let expected = "a list of subscription ids";
    let subscriptions = section.texts(report, "subscriptions", expected);
    let subscriptions = subscriptions.iter().filter_map(|found| subscription(report, found)).collect();
    section.finish(report);
    let endpoint = endpoint.or_else(|| Url::parse(PUBLIC_ENDPOINT).ok())?;
    Some(Cloud { name, credential: credential?, endpoint, authority, api_version, subscriptions })
}

/// Tokens and secrets go to these addresses: in the open only within this machine.
fn address(report: &mut Report<'_>, section: &mut Section<'_>, key: &'static str) -> Option<Url> {
    let Found { value, place } =
        section.url(report, key, "the https URL of a sovereign cloud or of a simulator")?;
    let is_local = match value.host() {
        Some(url::Host::Domain(domain)) => domain == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if value.scheme() == "https" || (value.scheme() == "http" && is_local) {
        return Some(value);
    }
    report.error(&place, format_args!("`{}`: expected https (http is for this machine only)", place.key));
    None
}

fn api_version(report: &mut Report<'_>, section: &mut Section<'_>) -> String {
    let expected = "an api-version such as \"2024-11-01\"";
    let Some(Found { value, place }) = section.text(report, "api_version", expected) else {
        return API_VERSION.to_owned();
    };
    let date = value.strip_suffix("-preview").unwrap_or(value);
    if chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_err() || date.len() != 10 {
        report.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    } else if date < "2018-02-01" {
        let message = format_args!("`{}`: answers of {value} carry database passwords", place.key);
        report.error_with_help(&place, message, "use 2018-02-01 or later");
    }
    value.to_owned()
}

/// A subscription's id, alone.
pub fn subscription(report: &mut Report<'_>, found: &Found<&str>) -> Option<SubscriptionId> {
    let Found { value, place } = found;
    let is_id = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_id {
        return Some(SubscriptionId::new(value));
    }
    report
        .error(place, format_args!("`{}`: expected a subscription's id alone, found \"{value}\"", place.key));
    None
}

fn credential(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<Credential<SecretRef>> {
    let expected = "a table such as { kind = \"azure_cli\" }";
    if !section.require(report, "credential", expected) {
        return None;
    }
    let mut table = section.section(report, "credential", expected)?.quiet();
    let kinds = format!("one of {}", KINDS.join(", "));
    // Nobody can say which keys belong to an unknown kind.
    let kind = table.word(report, "kind", &KINDS, &kinds)?.value;
    let credential = credential_of(report, &mut table, kind);
    table.finish(report);
    credential
}

fn credential_of(
    report: &mut Report<'_>,
    table: &mut Section<'_>,
    kind: &str,
) -> Option<Credential<SecretRef>> {
    let optional = |report: &mut Report<'_>, table: &mut Section<'_>, key| {
        table.text(report, key, "a text").map(|found| found.value.to_owned())
    };
    match kind {
        "client_secret" => {
            let tenant = table.required(report, "tenant", "the tenant's id or domain");
            let client_id = table.required(report, "client_id", "the application's id");
            let secret = table.secret(report, "secret");
            if let Some(SecretRef::KeyVault(_)) = &secret {
                let place =
                    report.secrets.last().map_or_else(|| table.place.clone(), |found| found.place.clone());
                let message = format_args!(
                    "`{}`: this secret cannot be in a Key Vault, which is read with it",
                    place.key
                );
                let help =
                    "give `env:NAME` or `file:PATH`; or use a managed or workload identity, which need none";
                report.error_with_help(&place, message, help);
            }
            tenant.zip(client_id).zip(secret).map(|((tenant, client_id), secret)| Credential::ClientSecret {
                tenant: tenant.value.to_owned(),
                client_id: client_id.value.to_owned(),
                secret,
            })
        }
        "workload_identity" => Some(Credential::WorkloadIdentity {
            tenant: optional(report, table, "tenant"),
            client_id: optional(report, table, "client_id"),
            token_file: optional(report, table, "token_file").map(PathBuf::from),
        }),
        "managed_identity" => {
            Some(Credential::ManagedIdentity { client_id: optional(report, table, "client_id") })
        }
        _ => Some(Credential::AzureCli { tenant: optional(report, table, "tenant") }),
    }
}

fn check_several(report: &mut Report<'_>, section: &Section<'_>, clouds: &[Cloud]) {
    let open: Vec<&Cloud> = clouds.iter().filter(|cloud| cloud.subscriptions.is_empty()).collect();
    let place_of =
        |cloud: &Cloud| section.entries().find(|(name, _)| *name == cloud.name).map(|(_, (place, _))| place);
    for cloud in open.iter().skip(1) {
        let Some(place) = place_of(cloud) else { continue };
        let message =
            format_args!("[azure.{}] and [azure.{}] both serve every subscription", open[0].name, cloud.name);
        report.error_with_help(&place, message, "say which serves which: subscriptions = [\"...\"]");
    }
    for (index, cloud) in clouds.iter().enumerate() {
        let earlier = clouds.iter().take(index);
        let twice = earlier.flat_map(|other| other.subscriptions.iter().map(move |id| (other, id)));
        for (other, id) in twice.filter(|(_, id)| cloud.subscriptions.contains(id)) {
            let Some(place) = place_of(cloud) else { continue };
            let message = format_args!("[azure.{}] and [azure.{}] both serve {id}", other.name, cloud.name);
            report.error(&place, message);
        }
    }
}

/// Reports a subscription that no credential serves.
pub fn is_served(
    report: &mut Report<'_>,
    place: &SourceLocation,
    subscription: &SubscriptionId,
    clouds: &[Cloud],
) {
    let serves = |cloud: &Cloud| cloud.subscriptions.is_empty() || cloud.subscriptions.contains(subscription);
    // Without a usable cloud the section [azure] has a problem of its own.
    if !clouds.is_empty() && !clouds.iter().any(serves) {
        let message = format!("`{}`: no [azure] section serves the subscription {subscription}", place.key);
        report.missing(place, message, Some("add it to the `subscriptions` of one".into()));
    }
}
