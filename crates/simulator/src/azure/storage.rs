//! Storage accounts: keys, containers, blobs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use holdfast_model::{AppId, BackupId, DatabaseFacts, Timestamp};
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::sas::{self, SasUse};
use super::storage_url::StorageUrl;
use crate::StorageAccount;

/// A storage account's key is not base64. It is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key of the storage account `{account}` is not base64, or there is no such account")]
pub struct InvalidKey {
    account: String,
}

/// The facts of a blob, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobFacts {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written.
    pub written_at: Timestamp,
}

/// All accounts.
pub(super) struct Storage {
    accounts: BTreeMap<String, Account>,
}

struct Account {
    key: SecretBox<Vec<u8>>,
    containers: BTreeMap<String, BTreeMap<String, Blob>>,
}

/// A blob.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) content: Content,
    pub(super) written_at: Timestamp,
}

/// The content of a blob. A backup's archive is generated when it is read, so that many of them need little memory.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    Archive { length: u64, manifest: Manifest },
}

/// The description of a backup in its blobs.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) app: AppId,
    pub(super) id: BackupId,
    pub(super) databases: Vec<DatabaseFacts>,
}

/// The result of writing a backup's two blobs: how many of them replaced others.
pub(super) struct WrittenBlobs {
    pub(super) overwritten: u64,
}

/// The reason why Azure could not use a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Forbidden,
    NoContainer,
    NoAccount,
}

impl Refusal {
    /// Whether storage itself refused.
    pub(super) fn is_answer(self) -> bool {
        self != Self::NoAccount
    }

    /// The backup's log (hashicorp/terraform-provider-azurerm #16295, Azure/azure-cli #15240; for an account that
    /// does not exist no source is known).
    pub(super) fn log(self) -> String {
        let error = match self {
            Self::Forbidden => "The remote server returned an error: (403) Forbidden.",
            Self::NoContainer => "The remote server returned an error: (404) Not Found.",
            Self::NoAccount => "The remote name could not be resolved.",
        };
        format!("Storage access failed. {error}. Please delete and recreate backup schedule to mitigate.")
    }
}

impl Storage {
    pub(super) fn new(accounts: Vec<StorageAccount>) -> Result<Self, InvalidKey> {
        let account = |of: StorageAccount| {
            let containers = of.containers.into_iter().map(|name| (name, BTreeMap::new())).collect();
            Ok((of.name.clone(), Account { key: decode_key(&of.name, &of.key)?, containers }))
        };
        Ok(Self { accounts: accounts.into_iter().map(account).collect::<Result<_, _>>()? })
    }

    pub(super) fn set_key(&mut self, account: &str, key: &SecretString) -> Result<(), InvalidKey> {
        let key = decode_key(account, key)?;
        let found =
            self.accounts.get_mut(account).ok_or_else(|| InvalidKey { account: account.to_owned() })?;
        found.key = key;
        Ok(())
    }

    /// The container that a URL names; `None` when it is in no account of this Azure.
    pub(super) fn locate(&self, url: &str) -> Option<StorageUrl> {
        StorageUrl::parse(url).filter(|url| self.accounts.contains_key(&url.account))
    }

    /// The account's key, in bytes.
    pub(super) fn key(&self, account: &str) -> Option<&[u8]> {
        self.accounts.get(account).map(|account| account.key.expose_secret().as_slice())
    }

    pub(super) fn container(&self, account: &str, container: &str) -> Option<&BTreeMap<String, Blob>> {
        self.accounts.get(account)?.containers.get(container)
    }

    pub(super) fn container_mut(
        &mut self,
        account: &str,
        container: &str,
    ) -> Option<&mut BTreeMap<String, Blob>> {
        self.accounts.get_mut(account)?.containers.get_mut(container)
    }

    pub(super) fn blob(&self, account: &str, container: &str, blob: &str) -> Option<&Blob> {
        self.container(account, container)?.get(blob)
    }

    pub(super) fn add_container(&mut self, account: &str, container: &str) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.containers.entry(container.to_owned()).or_default();
        }
    }

    pub(super) fn remove_container(&mut self, account: &str, container: &str) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.containers.remove(container);
        }
    }

    pub(super) fn remove_blob(&mut self, account: &str, container: &str, blob: &str) {
        if let Some(blobs) = self.container_mut(account, container) {
            blobs.remove(blob);
        }
    }

    /// Writes a backup's archive and manifest with its SAS at `at`.
    pub(super) fn write_backup(
        &mut self,
        url: &SecretString,
        name: &str,
        length: u64,
        manifest: Manifest,
        at: Timestamp,
    ) -> Result<WrittenBlobs, Refusal> {
        let url = self.open(url, sas::TO_BACK_UP, at)?;
        let blobs = self.container_mut(&url.account, &url.container).ok_or(Refusal::NoContainer)?;
        let text = manifest.xml(name, length);
        let archive = Blob { content: Content::Archive { length, manifest }, written_at: at };
        let manifest = Blob { content: Content::Bytes(text.into_bytes()), written_at: at };
        let before =
            [blobs.insert(format!("{name}.zip"), archive), blobs.insert(format!("{name}.xml"), manifest)];
        Ok(WrittenBlobs { overwritten: before.iter().flatten().count() as u64 })
    }

    /// The container of a URL with a SAS, if the SAS grants `permissions` at `at`.
    pub(super) fn open(
        &self,
        url: &SecretString,
        permissions: &[&str],
        at: Timestamp,
    ) -> Result<StorageUrl, Refusal> {
        let url = self.locate(url.expose_secret()).ok_or(Refusal::NoAccount)?;
        let key = self.key(&url.account).ok_or(Refusal::NoAccount)?;
        let (account, container, https) = (&url.account, &url.container, url.https);
        let asked = SasUse { account, container, blob: None, permissions, https, at };
        sas::check(key, &url.query, &asked).map_err(|_| Refusal::Forbidden)?;
        self.container(&url.account, &url.container).ok_or(Refusal::NoContainer)?;
        Ok(url)
    }

    /// The manifest of the backup in this blob, if both of its blobs exist: a restore needs the manifest too
    /// (MicrosoftDocs/azure-docs #84385).
    pub(super) fn manifest(&self, url: &StorageUrl, blob: &str) -> Option<&Manifest> {
        let name = blob.strip_suffix(".zip")?;
        self.blob(&url.account, &url.container, &format!("{name}.xml"))?;
        match &self.blob(&url.account, &url.container, blob)?.content {
            Content::Archive { manifest, .. } => Some(manifest),
            Content::Bytes(_) => None,
        }
    }
}

fn decode_key(account: &str, key: &SecretString) -> Result<SecretBox<Vec<u8>>, InvalidKey> {
    let bytes = BASE64.decode(key.expose_secret()).map_err(|_| InvalidKey { account: account.to_owned() })?;
    Ok(SecretBox::new(Box::new(bytes)))
}

/// Escapes text for XML.
pub(super) fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Manifest {
    fn xml(&self, name: &str, length: u64) -> String {
        let database = |DatabaseFacts { kind, name }: &DatabaseFacts| {
            format!("<database type=\"{}\" name=\"{}\"/>", xml(kind), xml(name))
        };
        let (site, databases) = (self.app.short_name(), self.databases.iter().map(database));
        format!(
            "<?xml version=\"1.0\"?><backup name=\"{}\" site=\"{}\" bytes=\"{length}\">{}</backup>\n",
            xml(name),
            xml(&site),
            databases.collect::<String>()
        )
    }
}

impl Blob {
    pub(super) fn length(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Archive { length, .. } => *length,
        }
    }

    /// The bytes. An archive begins like a zip file and then repeats a text.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Archive { length, .. } => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                b"PK\x03\x04"
                    .iter()
                    .chain(b"holdfast-simulated-archive ".iter().cycle())
                    .copied()
                    .take(length)
                    .collect()
            }
        }
    }
}

impl BlobFacts {
    pub(super) fn of(blob: &Blob) -> Self {
        Self { length: blob.length(), written_at: blob.written_at }
    }
}
