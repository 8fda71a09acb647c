//! The errors of storage operations.

use std::fmt;

use holdfast_model::StorageName;

use crate::{ErrorKind, InvalidKey, InvalidSas, NoKey, Refusal, SasFault, SecretError};

/// A storage operation that failed. No text here holds a signature, a key or an answer's body.
///
/// The text is one complete sentence for the audit and the screen, so it contains its causes instead of a chain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy names a storage that is not configured.
    #[error("storage `{storage}` is not defined: add a table [storage.{}] to the fleet file", storage.section())]
    FindStorage {
        /// The name in the policy.
        storage: StorageName,
    },
    /// A storage has a container for each app, and the name does not say which; or the reverse.
    #[error("{}", which_container(storage))]
    NameContainer {
        /// The name.
        storage: StorageName,
    },
    /// The HTTP client could not be built: the machine's TLS or proxy settings are wrong.
    #[error("failed to build the HTTP client for storage: {reason}")]
    BuildClient {
        /// The error from the client.
        reason: String,
    },
    /// The reference to a SAS or a key could not be read.
    #[error("failed to read the secret of storage `{storage}`: {cause}")]
    ReadSecret {
        /// The name of the storage.
        storage: StorageName,
        /// Why, with the reference.
        cause: SecretError,
    },
    /// The text is not a SAS.
    #[error("failed to parse the SAS for storage `{storage}` from `{origin}`: {cause}")]
    ParseSas {
        /// The name of the storage.
        storage: StorageName,
        /// The source of the text.
        origin: String,
        /// What is wrong with it.
        cause: InvalidSas,
    },
    /// The text is not an account key.
    #[error("failed to mint a SAS for storage `{storage}` with the key from `{origin}`: {cause}")]
    MintSas {
        /// The name of the storage.
        storage: StorageName,
        /// The source of the key.
        origin: String,
        /// What is wrong with it.
        cause: InvalidKey,
    },
    /// No user delegation key could be obtained.
    #[error("failed to mint a SAS for storage `{storage}` with a user delegation key: {cause}")]
    DelegateKey {
        /// The name of the storage.
        storage: StorageName,
        /// Why.
        cause: NoKey,
    },
    /// The SAS cannot be used, by its own fields.
    #[error("the SAS for storage `{storage}` from `{origin}` {}; {cure}", sentence(.faults))]
    UnusableSas {
        /// The name of the storage.
        storage: StorageName,
        /// The source of the SAS.
        origin: String,
        /// Everything that is wrong with it.
        faults: Vec<SasFault>,
        /// What to do about it.
        cure: &'static str,
    },
    /// Storage refused a SAS, and its source still returns the same one.
    #[error(
        "storage `{storage}` refused the SAS {fingerprint} and `{origin}` still holds the same one: put a new SAS there"
    )]
    ReplaceSas {
        /// The name of the storage.
        storage: StorageName,
        /// The source of the SAS.
        origin: String,
        /// The fingerprint of the refused SAS.
        fingerprint: String,
    },
    /// A test blob could not be written to the container and deleted again.
    #[error(
        "failed to write a test blob to storage `{storage}` ({container}) with the SAS {fingerprint}: {cause}"
    )]
    ProbeContainer {
        /// The name of the storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The fingerprint of the SAS.
        fingerprint: String,
        /// The response from storage.
        cause: Refusal,
    },
    /// The container of an app could not be created.
    #[error("failed to create the container of storage `{storage}` ({container}): {cause}")]
    CreateContainer {
        /// The name of the storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The response from storage.
        cause: Refusal,
    },
    /// The properties of a blob could not be read.
    #[error("failed to look for blob `{blob_name}` in storage `{storage}` ({container}): {cause}")]
    ReadBlob {
        /// The name of the storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The name of the blob.
        blob_name: String,
        /// The response from storage.
        cause: Refusal,
    },
    /// A blob that is written once could not be written, listed or read.
    #[error("failed to {verb} `{blob_name}` in storage `{storage}` ({container}): {cause}")]
    UseBlob {
        /// What failed.
        verb: &'static str,
        /// The name of the blob, or what the names begin with.
        blob_name: Box<str>,
        /// The name of the storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The response from storage.
        cause: Refusal,
    },
}

impl Error {
    /// Whether storage did not answer, so that nothing is known but the time that the request took.
    pub fn is_unanswered(&self) -> bool {
        let (Self::ProbeContainer { cause, .. }
        | Self::CreateContainer { cause, .. }
        | Self::ReadBlob { cause, .. }
        | Self::DelegateKey { cause: NoKey::Refused(cause), .. }) = self
        else {
            return false;
        };
        matches!(cause, Refusal::NoAnswer { .. })
    }

    /// The meaning for the run that needs the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ReadSecret { cause, .. } => cause.kind(),
            Self::DelegateKey { cause, .. } => cause.kind(),
            Self::ProbeContainer { cause, .. }
            | Self::CreateContainer { cause, .. }
            | Self::ReadBlob { cause, .. }
            | Self::UseBlob { cause, .. } => cause.kind(),
            Self::FindStorage { .. }
            | Self::NameContainer { .. }
            | Self::BuildClient { .. }
            | Self::ParseSas { .. }
            | Self::MintSas { .. }
            | Self::UnusableSas { .. }
            | Self::ReplaceSas { .. } => ErrorKind::Unusable,
        }
    }
}

fn which_container(storage: &StorageName) -> String {
    let section = storage.section();
    match storage.container() {
        None => format!("storage `{section}` has a container for each app: name one, as in `{section}/shop`"),
        Some(_) => {
            format!("storage `{section}` has one container for all apps, and `{storage}` names another")
        }
    }
}

fn sentence(faults: &[SasFault]) -> impl fmt::Display {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}
