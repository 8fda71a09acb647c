//! The part of a fleet file that leads to a simulated Azure.

use std::path::Path;

/// A simulated Azure, and where its secrets are.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedAzure<'a> {
    /// The tenant of its client.
    pub tenant: &'a str,
    /// The id of its client.
    pub client: &'a str,
    /// Its URL.
    pub url: &'a str,
    /// The URL of the container.
    pub container: &'a str,
    /// The folder with the files `secret`, of the client, and `key`, of the storage account.
    pub folder: &'a Path,
}

impl SimulatedAzure<'_> {
    /// The tables `[azure]` and `[storage.sim]`.
    pub fn tables(&self) -> String {
        let Self { tenant, client, url, container, folder } = self;
        let folder = folder.display();
        format!(
            r#"[azure]
credential = {{ kind = "client_secret", tenant = "{tenant}", client_id = "{client}", secret = "file:{folder}/secret" }}
endpoint = "{url}"
authority = "{url}"
[storage.sim]
container = "{container}"
sas = {{ mint = "account_key", key = "file:{folder}/key", lifetime = "48h" }}
"#
        )
    }
}
