//! What may go wrong, and what it means for a run.

use std::fmt;

use holdfast_model::StorageName;

use crate::{Fault, InvalidKey, InvalidSas, NoKey, SecretError};

/// What a failure means for whoever waits for the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The SAS, the key or the container is wrong: a person must act, or a fresh SAS must come.
    Unusable,
    /// Storage could not be asked, or could not answer: try again later.
    Unreachable,
    /// The reference to the SAS or the key leads nowhere that may be read.
    SecretMissing,
}

/// A storage operation that failed. No text here holds a signature, a key or an answer's body.
///
/// The text is one whole sentence, for the audit and the screen, so causes are part of it and not a chain beside it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy names a storage that was not configured.
    #[error("storage `{storage}` is not defined: add a table [storage.{storage}] to the fleet file")]
    FindStorage {
        /// The name that was asked for.
        storage: StorageName,
    },
    /// The HTTP client could not be made: the machine's TLS or proxy settings are at fault.
    #[error("failed to build the HTTP client for storage: {reason}")]
    BuildClient {
        /// What the client says.
        reason: String,
    },
    /// The reference to a SAS or a key could not be read.
    #[error("failed to read the secret of storage `{storage}`: {cause}")]
    ReadSecret {
        /// Which storage.
        storage: StorageName,
        /// Why, with the reference.
        cause: SecretError,
    },
    /// What was read is not a SAS.
    #[error("failed to parse the SAS for storage `{storage}` from `{origin}`: {cause}")]
    ParseSas {
        /// Which storage.
        storage: StorageName,
        /// Where the text came from.
        origin: String,
        /// What is wrong with it.
        cause: InvalidSas,
    },
    /// What was read is not an account key.
    #[error("failed to mint a SAS for storage `{storage}` with the key from `{origin}`: {cause}")]
    MintSas {
        /// Which storage.
        storage: StorageName,
        /// Where the key came from.
        origin: String,
        /// What is wrong with it.
        cause: InvalidKey,
    },
    /// There is no user delegation key to mint with.
    #[error("failed to mint a SAS for storage `{storage}` with a user delegation key: {cause}")]
    DelegateKey {
        /// Which storage.
        storage: StorageName,
        /// Why.
        cause: NoKey,
    },
    /// The SAS says of itself that it will not do.
    #[error("the SAS for storage `{storage}` from `{origin}` {}; {cure}", sentence(.faults))]
    JudgeSas {
        /// Which storage.
        storage: StorageName,
        /// Where the SAS came from.
        origin: String,
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
        /// What to do about it.
        cure: &'static str,
    },
    /// Storage refused a SAS, and its source still gives the same one.
    #[error(
        "storage `{storage}` refused the SAS {fingerprint} and `{origin}` still holds the same one: put a new SAS there"
    )]
    ReplaceSas {
        /// Which storage.
        storage: StorageName,
        /// Where the SAS came from.
        origin: String,
        /// The SAS that was refused.
        fingerprint: String,
    },
    /// A blob could not be written to the container and deleted again.
    #[error(
        "failed to write a test blob to storage `{storage}` ({container}) with the SAS {fingerprint}: {cause}"
    )]
    ProbeContainer {
        /// Which storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The SAS that was used.
        fingerprint: String,
        /// What storage answered.
        cause: Refusal,
    },
    /// A blob could not be looked at.
    #[error("failed to look for blob `{blob_name}` in storage `{storage}` ({container}): {cause}")]
    ReadBlob {
        /// Which storage.
        storage: StorageName,
        /// The container's URL, without a query.
        container: String,
        /// The blob that was asked for.
        blob_name: String,
        /// What storage answered.
        cause: Refusal,
    },
}

impl Error {
    /// What this failure means for whoever waits for the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ReadSecret { cause, .. } => cause.kind(),
            Self::DelegateKey { cause, .. } => cause.kind(),
            Self::ProbeContainer { cause, .. } | Self::ReadBlob { cause, .. } => cause.kind(),
            Self::FindStorage { .. }
            | Self::BuildClient { .. }
            | Self::ParseSas { .. }
            | Self::MintSas { .. }
            | Self::JudgeSas { .. }
            | Self::ReplaceSas { .. } => ErrorKind::Unusable,
        }
    }
}

/// How storage turned a request down. It tests on the status: the words beside it differ between Azure and its
/// emulators. One word alone has its own cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401 or 403.
    #[error(
        "{operation} was answered {status}: the SAS or the key behind it was revoked or rotated, lacks a permission, \
         or a firewall keeps this machine out; put a new SAS or open the storage account's network"
    )]
    Forbidden {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// 403, because the storage account allows no access by key, nor by a SAS that a key signed.
    #[error(
        "{operation} was answered 403: the storage account allows no access by key, so no SAS signed with one works; \
         enable `Allow storage account key access` there, or use mint = \"user_delegation\""
    )]
    NoKeyAccess {
        /// The request, as a verb.
        operation: &'static str,
    },
    /// 404 for the container itself.
    #[error("{operation} was answered 404: the container is not there; create it or correct its name")]
    NoContainer {
        /// The request, as a verb.
        operation: &'static str,
    },
    /// Another 3xx or 4xx, which the same request would get again.
    #[error(
        "{operation} was answered {status}: check the container's URL and the kind of the storage account"
    )]
    Rejected {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// Storage is busy or broken.
    #[error("{operation} was answered {status}: storage is busy or in trouble, try again later")]
    Busy {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// No answer, or one that cannot be understood.
    #[error(
        "{operation} got no answer: {reason}; try again later, and check the account's name and the network"
    )]
    NoAnswer {
        /// The request, as a verb.
        operation: &'static str,
        /// What the network says.
        reason: String,
    },
}

impl Refusal {
    /// What it means for whoever waits for the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden { .. }
            | Self::NoKeyAccess { .. }
            | Self::NoContainer { .. }
            | Self::Rejected { .. } => ErrorKind::Unusable,
            Self::Busy { .. } | Self::NoAnswer { .. } => ErrorKind::Unreachable,
        }
    }
}

fn sentence(faults: &[Fault]) -> impl fmt::Display {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}
