//! The keys of commands that sign files and verify them.

use std::path::{Path, PathBuf};

use holdfast_config::Secrets;
use holdfast_control::audit::{SigningKey, VerifyingKey, read_pem};
use holdfast_control::{Error, ErrorKind};
use holdfast_storage::SecretRef;

use crate::context::Context;

/// The key that signs: the given one, or that of the checkpoints; `None` without either.
pub fn signing_key(given: Option<&SecretRef>, context: &Context) -> anyhow::Result<Option<SigningKey>> {
    let of_fleet = || Some(context.fleet_with(Secrets::Leave).ok()?.checkpoints?.key);
    let Some(reference) = given.cloned().or_else(of_fleet) else { return Ok(None) };
    let invalid = |why: String| Error::new(ErrorKind::Invalid, format!("the key that signs: {why}"));
    let secret = reference.read().map_err(|error| invalid(error.to_string()))?;
    let key = read_pem(&secret).map_err(|error| invalid(format!("`{reference}`: {error}")))?;
    Ok(Some(key))
}

/// The public keys of these files.
pub fn public_keys(paths: &[PathBuf]) -> Result<Vec<VerifyingKey>, Error> {
    let key = |path: &PathBuf| {
        let read = VerifyingKey::read(&read(path)?);
        read.map_err(|error| Error::new(ErrorKind::Invalid, format!("{}: {error}", path.display())))
    };
    paths.iter().map(key).collect()
}

/// The content of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed =
        |error| Error::new(ErrorKind::NotFound, format!("{} cannot be read: {error}", path.display()));
    std::fs::read(path).map_err(failed)
}
