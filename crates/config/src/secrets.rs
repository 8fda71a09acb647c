//! Reads every secret of the fleet file once, to report unusable ones before the first backup.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{SasCheck, SasFault, SasSource, SecretError, SecretRef, StorageTarget};
use secrecy::{ExposeSecret, SecretString};

use crate::checkpoint;
use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::unusable_storage::UnusableStorage;

/// Whether secrets are read while the file is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Reads each once. One that cannot be used is an error; one that this user may not read is a warning.
    Judge,
    /// Reads each once. One of a storage that cannot be used is reported apart: the rest of the fleet still works.
    Read,
    /// None is read.
    Leave,
}

/// A storage, and the longest time for a backup into it.
#[derive(Debug, Clone, Copy)]
pub struct StorageInUse<'t> {
    /// Its name.
    pub name: &'t StorageName,
    /// Its container and the source of its SAS.
    pub target: &'t StorageTarget,
    /// The longest deadline of the policies that write to it.
    pub longest: Duration,
}

/// Reads each secret once, and checks those of storages by the rules of `sas check`, without a request.
///
/// Nothing of them is kept or shown. Secrets in a Key Vault are not read, because the check sends nothing.
pub fn check(
    diagnostics: &mut Diagnostics<'_>,
    storages: &[StorageInUse<'_>],
    secrets: Secrets,
    now: Timestamp,
) {
    for found in std::mem::take(&mut diagnostics.secrets) {
        let Located { value: reference, place } = &found;
        // Only a process that signs checkpoints has the key, so that other commands work without it.
        let is_signing_key = place.key == checkpoint::KEY;
        // Only a process that plans sends notifications.
        let is_of_channel = place.key.starts_with("channel.");
        let is_elsewhere = (is_signing_key || is_of_channel) && secrets == Secrets::Read;
        if matches!(reference, SecretRef::KeyVault(_)) || is_elsewhere {
            continue;
        }
        let secret = match reference.read() {
            Ok(secret) => secret,
            // In DER, which is no text.
            Err(SecretError::NotText(_)) if is_signing_key => continue,
            Err(error) => {
                unread(diagnostics, place, &error, secrets);
                continue;
            }
        };
        if let (SecretRef::File(path), Secrets::Judge) = (reference, secrets) {
            lax_file(diagnostics, place, path);
        }
        // A credential may use the same file as a storage, and is not checked as a SAS.
        let is_of = |storage: &&StorageInUse<'_>| {
            place.key.starts_with(&format!("storage.{}.", storage.name))
                && storage.target.source.secret() == Some(reference)
        };
        match storages.iter().find(is_of) {
            Some(storage) => judge(diagnostics, place, *storage, &secret, (secrets, now)),
            None if secrets == Secrets::Judge && !is_signing_key && !is_of_channel => {
                judge_password(diagnostics, &found, &secret);
            }
            None => {}
        }
    }
}

/// Warns about a file that every user of the machine may read.
fn lax_file(diagnostics: &mut Diagnostics<'_>, place: &SourceLocation, path: &Path) {
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).map(|facts| facts.permissions().mode() & 0o7777).unwrap_or_default()
    };
    #[cfg(not(unix))]
    let mode = 0_u32;
    if mode & 0o006 != 0 {
        let file = path.display();
        let message =
            format_args!("`{}`: every user of this machine may read {file} (mode {mode:04o})", place.key);
        diagnostics.warning(place, message, Some(format!("chmod 600 {file}")));
    }
}

/// Reports a secret that could not be read.
///
/// A file that this user may not read is a warning of the check: another user runs Holdfast.
pub(crate) fn unread(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    error: &SecretError,
    secrets: Secrets,
) {
    let message = format_args!("`{}`: {error}", place.key);
    match error {
        SecretError::ReadFile { cause, .. }
            if secrets == Secrets::Judge && cause.kind() == ErrorKind::PermissionDenied =>
        {
            let help =
                "run the check as the user who runs Holdfast, or with `--strict` to make this an error";
            diagnostics.warning(place, message, Some(help.to_owned()));
        }
        _ => diagnostics.error_with_help(
            place,
            message,
            "`holdfast config check --no-secrets` checks the rest without reading secrets",
        ),
    }
}

fn judge(
    diagnostics: &mut Diagnostics<'_>,
    place: &SourceLocation,
    StorageInUse { name, target, longest }: StorageInUse<'_>,
    secret: &SecretString,
    (secrets, now): (Secrets, Timestamp),
) {
    let (origin, help) = (target.source.origin(), cure(target));
    let (faults, warnings) = match target.check_secret(secret, now, longest) {
        Err(invalid) => (vec![format!("the secret in `{origin}` is unusable: {invalid}")], Vec::new()),
        Ok(SasCheck { faults, warnings }) => {
            let sentence = |fault: &SasFault| format!("the SAS in `{origin}` {fault}");
            (faults.iter().map(sentence).collect(), warnings)
        }
    };
    match secrets {
        Secrets::Judge => {
            for fault in faults {
                diagnostics.error_with_help(place, format_args!("`{}`: {fault}", place.key), &help);
            }
            for warning in warnings {
                diagnostics.warning(
                    place,
                    format_args!("`{}`: the SAS in `{origin}` {warning}", place.key),
                    None,
                );
            }
        }
        Secrets::Read if !faults.is_empty() => {
            let (storage, fault) = (name.clone(), faults.join(", and "));
            diagnostics.unusable.push(UnusableStorage { storage, fault, help });
        }
        Secrets::Read | Secrets::Leave => {}
    }
}

/// What to do about an unusable secret.
fn cure(target: &StorageTarget) -> String {
    let container = &target.container;
    let account = if container.names_account() { container.account() } else { "ACCOUNT".to_owned() };
    match &target.source {
        SasSource::Url(reference) if container.is_loopback() => format!("put a new SAS in {reference}"),
        SasSource::Url(reference) => format!(
            "put a new SAS in {reference}: `az storage container generate-sas --account-name {account} --name {} \
             --permissions rwdl --expiry DATE --https-only` prints one",
            container.name()
        ),
        SasSource::AccountKey { key, .. } => format!(
            "put a key of the account in {key}: `az storage account keys list --account-name {account} --query \
             [0].value --output tsv` prints one"
        ),
        SasSource::UserDelegation { .. } => String::new(),
    }
}

/// Warns about the secret of a credential or a database that was hardly meant as it is.
fn judge_password(
    diagnostics: &mut Diagnostics<'_>,
    Located { value: reference, place }: &Located<SecretRef>,
    secret: &SecretString,
) {
    let text = secret.expose_secret();
    let mut warn = |message: &str, help: &str| {
        let message = format_args!("`{}`: the secret in `{reference}` {message}", place.key);
        diagnostics.warning(place, message, Some(help.to_owned()));
    };
    let is_quoted = ['"', '\''].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote));
    if text.trim() != text || is_quoted {
        warn(
            "begins or ends with a quote or a space, which is sent with it",
            "remove it, unless it belongs to it",
        );
    }
    if place.key.ends_with("credential.secret") && is_guid(text.trim()) {
        let help = "use the value, which Entra shows once, when the secret is created";
        warn("looks like the id of a client secret and not like its value", help);
    }
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
