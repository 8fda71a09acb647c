//! Tries every reference to a secret, so that what is missing shows before the first backup.

use holdfast_model::Timestamp;
use holdfast_storage::{Sas, SasSource, SecretRef, Target, mint};

use super::report::{Found, Report};

/// Reads each secret once, and looks at those of storages as storage will. Nothing of them is kept or shown. What is in
/// a Key Vault is left alone: a look at a file asks nobody.
pub fn check<'t>(report: &mut Report<'_>, targets: impl Iterator<Item = &'t Target>, now: Timestamp) {
    let targets: Vec<&Target> = targets.collect();
    for Found { value: reference, place } in std::mem::take(&mut report.secrets) {
        if matches!(reference, SecretRef::KeyVault(_)) {
            continue;
        }
        match reference.read() {
            Err(error) => report.error_with_help(
                &place,
                format_args!("`{}`: {error}", place.key),
                "`holdfast config check --no-secrets` checks the rest without reading secrets",
            ),
            Ok(secret) => {
                // A credential may share its file with a storage, and is no SAS for that.
                let is_storage = place.key.starts_with("storage.");
                let mut used =
                    targets.iter().filter(|target| is_storage && target.source.secret() == Some(&reference));
                if let Some(fault) = used.find_map(|target| fault(&secret, target, now)) {
                    report.error(
                        &place,
                        format_args!("`{}`: what is in `{reference}` will not do: {fault}", place.key),
                    );
                }
            }
        }
    }
}

fn fault(secret: &secrecy::SecretString, target: &Target, now: Timestamp) -> Option<String> {
    match &target.source {
        SasSource::Url(_) => match Sas::parse(secret) {
            Err(fault) => Some(fault.to_string()),
            Ok(sas) if sas.window().has_expired(now) => Some("the SAS has expired".to_owned()),
            Ok(_) => None,
        },
        SasSource::AccountKey { .. } => {
            mint(secret, &target.container, "r", now, now).err().map(|fault| fault.to_string())
        }
        SasSource::UserDelegation { .. } => None,
    }
}
