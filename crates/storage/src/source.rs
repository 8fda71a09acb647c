//! Where a SAS comes from.

use std::time::Duration;

use chrono::TimeDelta;
use holdfast_model::{StorageName, Timestamp};
use secrecy::SecretString;

use crate::live::Target;
use crate::storage::Need;
use crate::time::start_of_minute;
use crate::{Error, InvalidKey, Sas, SecretRef, mint};

/// Where the SAS of a storage comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SasSource {
    /// Somebody writes it there and renews it: a SAS alone, or the container's URL with it.
    Url(SecretRef),
    /// It is minted here, with the storage account's key.
    AccountKey {
        /// Where the key is.
        key: SecretRef,
        /// How long a minted SAS lasts from the time it is minted.
        lifetime: Duration,
    },
}

impl SasSource {
    /// The reference that is read at each refresh.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Url(secret) | Self::AccountKey { key: secret, .. } => Some(secret),
        }
    }

    /// Where a SAS comes from, in the fleet file's words.
    pub fn origin(&self) -> String {
        match self {
            Self::Url(secret) | Self::AccountKey { key: secret, .. } => secret.to_string(),
        }
    }

    /// What to do when a SAS from here will not do.
    pub(crate) fn cure(&self) -> &'static str {
        match self {
            Self::Url(_) => "put a new SAS there",
            Self::AccountKey { .. } => "raise the storage's `lifetime` above the policy's deadline",
        }
    }
}

/// What App Service needs for a backup, its manifest and their deletion.
const BACKUP_PERMISSIONS: &str = "rwdl";

/// A minted SAS begins this long ago: Azure's clocks and ours differ.
const BEGUN_FOR: TimeDelta = TimeDelta::minutes(10);

/// A SAS that is minted for a look of our own lasts this long.
const LOOK: TimeDelta = TimeDelta::minutes(15);

/// Nobody wants a longer one, and times stay in range.
const LIFETIME_MAX: TimeDelta = TimeDelta::days(3650);

/// A SAS for a backup, newly read or minted, and not the one that `need` says was refused.
pub(crate) fn for_backup(storage: &StorageName, target: &Target, need: &Need) -> Result<Sas, Error> {
    let is_refused = |sas: &Sas| need.replace.as_deref() == Some(sas.fingerprint());
    match &target.source {
        SasSource::Url(reference) => {
            let sas = read_sas(storage, target, reference)?;
            if is_refused(&sas) {
                let (storage, fingerprint) = (storage.clone(), sas.fingerprint().to_owned());
                return Err(Error::ReplaceSas { storage, origin: reference.to_string(), fingerprint });
            }
            Ok(sas)
        }
        SasSource::AccountKey { key, lifetime } => {
            let lifetime = TimeDelta::from_std(*lifetime).unwrap_or(LIFETIME_MAX).min(LIFETIME_MAX);
            // Whole minutes, so that processes that start together mint the same SAS; rounded so that none is short.
            let minute = start_of_minute(need.now);
            let (start, expiry) = (minute - BEGUN_FOR, minute + TimeDelta::minutes(1) + lifetime);
            let sas = mint_sas(storage, target, key, BACKUP_PERMISSIONS, start, expiry)?;
            if is_refused(&sas) {
                let start = start - TimeDelta::minutes(1);
                return mint_sas(storage, target, key, BACKUP_PERMISSIONS, start, expiry);
            }
            Ok(sas)
        }
    }
}

/// A SAS for a look of our own: read anew, or minted to read only and for a short while. It replaces none.
pub(crate) fn for_reading(storage: &StorageName, target: &Target, now: Timestamp) -> Result<Sas, Error> {
    match &target.source {
        SasSource::Url(reference) => read_sas(storage, target, reference),
        SasSource::AccountKey { key, .. } => {
            let minute = start_of_minute(now);
            mint_sas(storage, target, key, "r", minute - BEGUN_FOR, minute + LOOK)
        }
    }
}

fn read_sas(storage: &StorageName, target: &Target, reference: &SecretRef) -> Result<Sas, Error> {
    let text = read(storage, reference)?;
    let sas = Sas::parse(&text).and_then(|sas| sas.belongs_to(&target.container).map(|()| sas));
    sas.map_err(|cause| Error::ParseSas { storage: storage.clone(), origin: reference.to_string(), cause })
}

fn mint_sas(
    storage: &StorageName,
    target: &Target,
    key: &SecretRef,
    permissions: &str,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<Sas, Error> {
    let secret = read(storage, key)?;
    let failed = |cause| Error::MintSas { storage: storage.clone(), origin: key.to_string(), cause };
    let query = mint(&secret, &target.container, permissions, start, expiry).map_err(failed)?;
    Sas::parse(&query).map_err(|_| failed(InvalidKey))
}

fn read(storage: &StorageName, reference: &SecretRef) -> Result<SecretString, Error> {
    reference.read().map_err(|cause| Error::ReadSecret { storage: storage.clone(), cause })
}
