//! The hosts that receive tokens and the secrets of credentials.

use holdfast_arm::{Credential, is_loopback};
use holdfast_model::{AzureCloud, AzureService};
use holdfast_storage::{SasSource, SecretRef};
use url::Url;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::fleet::Cloud;
use crate::section::Section;
use crate::storage::Storages;

impl Cloud {
    /// Whether tokens of this section may be sent to the host of `url` for `service`.
    ///
    /// Such hosts are this machine, Azure's own in the cloud of `endpoint`, and those of `trusted_hosts`.
    pub fn trusts(&self, service: AzureService, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        if is_loopback(url) || self.trusted_hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return true;
        }
        let cloud = self.endpoint.host_str().and_then(AzureCloud::of_arm);
        match cloud {
            Some(cloud) => url.port().is_none() && cloud.has(service, host),
            // The tokens of a simulator open nothing at Azure.
            None => {
                is_loopback(&self.endpoint) && AzureCloud::ALL.iter().any(|cloud| cloud.has(service, host))
            }
        }
    }
}

/// Reads `trusted_hosts`: hosts without a scheme, a port or a path.
pub fn trusted_hosts(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Vec<String> {
    let expected = "a list of hosts such as \"storage.contoso.com\"";
    let found = section.texts(diagnostics, "trusted_hosts", expected);
    let mut hosts = Vec::new();
    for Located { value, place } in found {
        let parsed = Url::parse(&format!("https://{value}/"));
        let is_same = |host: &str| host.eq_ignore_ascii_case(value) && !value.contains('*');
        let is_host = parsed.is_ok_and(|url| url.host_str().is_some_and(is_same));
        if is_host {
            hosts.push(value.to_owned());
        } else {
            let message = format_args!("`{}`: expected a host alone, found \"{value}\"", place.key);
            diagnostics.error_with_help(&place, message, "leave out the scheme, the port and the path");
        }
    }
    hosts
}

/// Refuses an `endpoint` or `authority` that is no host of Azure's and not listed.
pub fn check_addresses(
    diagnostics: &mut Diagnostics<'_>,
    cloud: &Cloud,
    addresses: [(Option<SourceLocation>, AzureService, &str); 2],
) {
    for (place, service, what) in addresses {
        let url = if service == AzureService::Arm { Some(&cloud.endpoint) } else { cloud.authority.as_ref() };
        let Some((place, url)) = place.zip(url) else { continue };
        let is_own_cloud = service == AzureService::Arm
            && url.port().is_none()
            && url.host_str().and_then(AzureCloud::of_arm).is_some();
        if !is_own_cloud && !cloud.trusts(service, url) {
            refuse(diagnostics, &place, url, what);
        }
    }
}

/// Refuses hosts of containers and Key Vaults to which tokens would be sent.
pub fn check(diagnostics: &mut Diagnostics<'_>, clouds: &[Cloud], storages: &Storages) {
    for Located { value, place } in storages.values() {
        let Some(target) = value else { continue };
        let url = target.container.url();
        let opens = |cloud: &&Cloud| target.azure.as_ref().is_none_or(|name| cloud.name == *name);
        let is_trusted = clouds.iter().filter(opens).any(|cloud| cloud.trusts(AzureService::Blob, url));
        if matches!(target.source, SasSource::UserDelegation { .. }) && !clouds.is_empty() && !is_trusted {
            let place = SourceLocation { key: format!("{}.container", place.key), at: place.at.clone() };
            refuse(diagnostics, &place, url, "a token for storage");
        }
    }
    for Located { value, place } in diagnostics.secrets.clone() {
        let SecretRef::KeyVault(secret) = value else { continue };
        let Ok(url) = Url::parse(&secret.to_string()) else { continue };
        if !clouds.is_empty() && !clouds.iter().any(|cloud| cloud.trusts(AzureService::Vault, &url)) {
            refuse(diagnostics, &place, &url, "a token for Key Vault");
        }
    }
}

/// What is sent to the authority with this credential.
pub fn sent_to_authority(credential: &Credential<SecretRef>) -> &'static str {
    match credential {
        Credential::ClientSecret { .. } => "the client secret",
        _ => "the credential",
    }
}

fn refuse(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, url: &Url, what: &str) {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let message = format_args!(
        "`{}`: {what} would be sent to {host}{port}, which is not Azure's in the cloud of `endpoint`",
        place.key
    );
    let help = format!(
        "correct it, or if it is your own, add `trusted_hosts = [\"{host}\"]` to the section [azure]"
    );
    diagnostics.error_with_help(place, message, help);
}
