//! Tries every reference to a secret, so that what is missing shows before the first backup.

use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{Sas, SasSource, SecretRef, StorageTarget, mint};
use secrecy::SecretString;

use super::lapsed::Lapsed;
use super::report::{Found, Report};

/// Whether secrets are read while the file is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Each is read once, and an unusable one is an error.
    Judge,
    /// Each is read once. A lapsed SAS is reported apart: the rest of the fleet still works.
    Read,
    /// None is read.
    Leave,
}

/// Why a storage's secret is unusable.
enum Fault {
    Expired,
    Unfit(String),
}

/// Reads each secret once, and looks at those of storages as storage will. Nothing of them is kept or shown. What is in
/// a Key Vault is left alone: a look at a file asks nobody.
pub fn check<'t>(
    report: &mut Report<'_>,
    targets: impl Iterator<Item = (&'t StorageName, &'t StorageTarget)>,
    secrets: Secrets,
    now: Timestamp,
) {
    let targets: Vec<(&StorageName, &StorageTarget)> = targets.collect();
    for found in std::mem::take(&mut report.secrets) {
        let Found { value: reference, place } = &found;
        if matches!(reference, SecretRef::KeyVault(_)) {
            continue;
        }
        let secret = match reference.read() {
            Ok(secret) => secret,
            Err(error) => {
                report.error_with_help(
                    place,
                    format_args!("`{}`: {error}", place.key),
                    "`holdfast config check --no-secrets` checks the rest without reading secrets",
                );
                continue;
            }
        };
        // A credential may share its file with a storage, and is no SAS for that.
        let is_of = |name: &StorageName, target: &StorageTarget| {
            place.key.starts_with(&format!("storage.{name}.")) && target.source.secret() == Some(reference)
        };
        if let Some((name, target)) = targets.iter().find(|(name, target)| is_of(name, target)) {
            judge(report, &found, (name, fault(&secret, target, now)), secrets);
        }
    }
}

fn judge(
    report: &mut Report<'_>,
    Found { value: reference, place }: &Found<SecretRef>,
    (storage, fault): (&StorageName, Option<Fault>),
    secrets: Secrets,
) {
    let will_not = |fault: &str| format!("`{}`: what is in `{reference}` will not do: {fault}", place.key);
    match fault {
        None => {}
        Some(Fault::Unfit(fault)) => report.error(place, will_not(&fault)),
        Some(Fault::Expired) if secrets == Secrets::Judge => {
            let help = format!("renew it in {reference}");
            report.error_with_help(place, will_not("the SAS has expired"), help);
        }
        Some(Fault::Expired) => {
            report.lapsed.push(Lapsed { storage: storage.clone(), reference: reference.clone() });
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
