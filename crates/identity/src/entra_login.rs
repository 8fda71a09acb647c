//! Logins to the console by Entra ID: the application of the options, at the authority of the fleet file.

use std::sync::Arc;

use holdfast_config::{Cloud, Fleet};
use holdfast_entra::{ClientSecret, Entra, Settings};
use holdfast_model::{AzureCloud, Clock};
use holdfast_storage::{InvalidSecretRef, SecretRef};
use secrecy::SecretString;
use url::Url;

use crate::error::Error;
use crate::identities::choice;
use crate::remembering::Remember;

/// The application of Entra ID that people and workloads log in to.
#[derive(Debug, Clone)]
pub struct EntraApplication {
    /// The tenant's id.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// Where its secret is. The text may be the secret itself by mistake, so it is not shown.
    pub client_secret: Option<String>,
    /// The address under which browsers reach the console.
    pub public_url: Url,
}

impl EntraApplication {
    /// Logins by the application, at the authority of the fleet's credential. Reads the secret once; sends nothing.
    pub fn logins(self, fleet: &Fleet, clock: &Arc<dyn Clock>, remember: Remember) -> Result<Entra, Error> {
        let ids = (self.tenant.as_str(), self.client_id.as_str());
        let secret = self.client_secret.as_deref().map(|text| secret(text, remember)).transpose()?;
        let settings = Settings::new(&authority(&fleet.clouds), ids, self.public_url, secret);
        let settings = settings.map_err(Error::EntraApplication)?;
        Entra::over_http(settings, Arc::clone(clock)).map_err(Error::PrepareClient)
    }
}

fn secret(text: &str, remember: Remember) -> Result<ClientSecret, Error> {
    let reference: SecretRef = text.parse().map_err(|error: InvalidSecretRef| Error::EntraSecret(error))?;
    let read = move || -> Result<SecretString, _> {
        let secret = reference.read()?;
        remember(&secret);
        Ok(secret)
    };
    read().map_err(Error::ReadSecret)?;
    Ok(Arc::new(move || read().map_err(|error: holdfast_storage::SecretError| error.to_string())))
}

/// The address of Entra: that of the cloud, else the fleet file's own, such as a test's.
fn authority(clouds: &[Cloud]) -> String {
    let name = choice(clouds);
    let cloud = clouds.iter().find(|cloud| cloud.name == name);
    let stated = cloud.and_then(|cloud| cloud.authority.as_ref());
    let host = |url: &Url| url.host_str().map(ToOwned::to_owned);
    let known = match stated {
        Some(url) => host(url).and_then(|host| AzureCloud::of_entra(&host)),
        None => cloud.and_then(|cloud| host(&cloud.endpoint)).and_then(|host| AzureCloud::of_arm(&host)),
    };
    match (known, stated) {
        (None, Some(stated)) => stated.to_string(),
        (known, _) => known.unwrap_or(AzureCloud::Public).authority().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_arm::Credential;

    use super::*;

    fn cloud(endpoint: &str, stated: Option<&str>) -> Cloud {
        Cloud {
            name: String::new(),
            credential: Credential::ManagedIdentity { client_id: None },
            endpoint: endpoint.parse().unwrap(),
            authority: stated.map(|url| url.parse().unwrap()),
            api_version: "2024-11-01".into(),
            trusted_hosts: Vec::new(),
            subscriptions: Vec::new(),
        }
    }

    #[test]
    fn people_log_in_at_the_entra_of_the_fleets_cloud() {
        for (endpoint, stated, expected) in [
            ("https://management.azure.com", None, "https://login.microsoftonline.com"),
            (
                "https://management.azure.com",
                Some("https://login.windows.net"),
                "https://login.microsoftonline.com",
            ),
            ("https://management.usgovcloudapi.net", None, "https://login.microsoftonline.us"),
            (
                "https://management.chinacloudapi.cn",
                Some("https://login.chinacloudapi.cn"),
                "https://login.partner.microsoftonline.cn",
            ),
            ("http://127.0.0.1:1", Some("http://127.0.0.1:2"), "http://127.0.0.1:2/"),
            ("http://127.0.0.1:1", None, "https://login.microsoftonline.com"),
        ] {
            assert_eq!(authority(&[cloud(endpoint, stated)]), expected, "{endpoint} {stated:?}");
        }
        assert_eq!(authority(&[]), "https://login.microsoftonline.com");
    }

    #[test]
    fn a_secret_in_place_of_its_reference_is_refused_and_not_shown() {
        let Err(error) = secret("S3cret~Value", |_| {}) else { panic!("it was taken") };
        assert!(!format!("{error} {error:?}").contains("S3cret"), "{error}");
        assert!(
            secret("env:HOLDFAST_NO_SUCH_VARIABLE", |_| {}).is_err(),
            "a missing one is reported at the start"
        );
    }
}
