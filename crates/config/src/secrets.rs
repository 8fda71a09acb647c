//! Reads every secret of the fleet file once, to report unusable ones before the first backup.

use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{Sas, SasSource, SecretRef, StorageTarget, mint};
use secrecy::SecretString;

use crate::diagnostics::{Diagnostics, Located};
use crate::lapsed::Lapsed;

/// Whether secrets are read while the file is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Each is read once, and an unusable one is an error.
    Judge,
    /// Each is read once. An expired SAS is reported apart: the rest of the fleet still works.
    Read,
    /// None is read.
    Leave,
}

/// Why a storage's secret is unusable.
enum Fault {
    Expired,
    Unfit(String),
}

/// Reads each secret once, and checks those of storages as storage does.
///
/// Nothing of them is kept or shown. Secrets in a Key Vault are not read, because the check sends nothing.
pub fn check<'t>(
    diagnostics: &mut Diagnostics<'_>,
    targets: impl Iterator<Item = (&'t StorageName, &'t StorageTarget)>,
    secrets: Secrets,
    now: Timestamp,
) {
    let targets: Vec<(&StorageName, &StorageTarget)> = targets.collect();
    for found in std::mem::take(&mut diagnostics.secrets) {
        let Located { value: reference, place } = &found;
        if matches!(reference, SecretRef::KeyVault(_)) {
            continue;
        }
        let secret = match reference.read() {
            Ok(secret) => secret,
            Err(error) => {
                diagnostics.error_with_help(
                    place,
                    format_args!("`{}`: {error}", place.key),
                    "`holdfast config check --no-secrets` checks the rest without reading secrets",
                );
                continue;
            }
        };
        // A credential may use the same file as a storage, and is not checked as a SAS.
        let is_of = |name: &StorageName, target: &StorageTarget| {
            place.key.starts_with(&format!("storage.{name}.")) && target.source.secret() == Some(reference)
        };
        if let Some((name, target)) = targets.iter().find(|(name, target)| is_of(name, target)) {
            judge(diagnostics, &found, (name, fault(&secret, target, now)), secrets);
        }
    }
}

fn judge(
    diagnostics: &mut Diagnostics<'_>,
    Located { value: reference, place }: &Located<SecretRef>,
    (storage, fault): (&StorageName, Option<Fault>),
    secrets: Secrets,
) {
    let unusable = |fault: &str| format!("`{}`: the secret in `{reference}` is unusable: {fault}", place.key);
    match fault {
        None => {}
        Some(Fault::Unfit(fault)) => diagnostics.error(place, unusable(&fault)),
        Some(Fault::Expired) if secrets == Secrets::Judge => {
            let help = format!("renew it in {reference}");
            diagnostics.error_with_help(place, unusable("the SAS has expired"), help);
        }
        Some(Fault::Expired) => {
            diagnostics.lapsed.push(Lapsed { storage: storage.clone(), reference: reference.clone() });
        }
    }
}

fn fault(secret: &SecretString, target: &StorageTarget, now: Timestamp) -> Option<Fault> {
    match &target.source {
        SasSource::Url(_) => match Sas::parse(secret) {
            Err(fault) => Some(Fault::Unfit(fault.to_string())),
            Ok(sas) => sas.window().has_expired(now).then_some(Fault::Expired),
        },
        SasSource::AccountKey { .. } => {
            let minted = mint(secret, &target.container, "r", now, now);
            minted.err().map(|fault| Fault::Unfit(fault.to_string()))
        }
        SasSource::UserDelegation { .. } => None,
    }
}
