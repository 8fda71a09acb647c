//! References to secrets. The fleet file holds these and never a secret itself.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

use holdfast_model::is_out_of_files;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::secret_text::{NotText, decoded};
use crate::vault::VaultSecret;
use crate::{ErrorKind, InvalidSecretRef, NoToken};

/// Where a secret is kept: `env:NAME`, `file:PATH` or `keyvault:https://VAULT.vault.azure.net/secrets/NAME`.
///
/// It is read each time it is needed, because files rotate while the process runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file, whose last newline does not count.
    File(PathBuf),
    /// A secret in a Key Vault: the latest version, or the named one.
    KeyVault(VaultSecret),
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is not text.
    #[error("`{0}` is not set, or is not text: set the environment variable for this process")]
    ReadEnv(SecretRef),
    /// The file could not be read.
    #[error("`{reference}` could not be read: {cause}")]
    ReadFile {
        /// The reference.
        reference: SecretRef,
        /// The error from the system.
        cause: io::Error,
    },
    /// The file is in UTF-16.
    #[error(
        "`{0}` is UTF-16, as PowerShell and Notepad write it: save it as UTF-8 (`Set-Content -Encoding ascii`)"
    )]
    Utf16(SecretRef),
    /// The file is no text.
    #[error("`{0}` is not UTF-8 text: save it as UTF-8")]
    NotText(SecretRef),
    /// The file is far too large for a secret.
    #[error("`{0}` holds more than {LENGTH_MAX_BYTES} bytes: that is no SAS, key or password")]
    TooLong(SecretRef),
    /// The secret is empty.
    #[error("`{0}` is empty")]
    Empty(SecretRef),
    /// App Service did not resolve its reference to a Key Vault.
    #[error(
        "`{0}` holds an App Service reference to Key Vault that was not resolved: grant the app's identity access to the \
         secret, or write `keyvault:URL`"
    )]
    Unresolved(SecretRef),
    /// The secret is in a Key Vault, and the reader has no access to one.
    #[error("`{0}` is in a Key Vault, which is not read for this: give `env:NAME` or `file:PATH`")]
    InVault(SecretRef),
    /// No token for the Key Vault.
    #[error("`{reference}` could not be asked for: {cause}")]
    NoToken {
        /// The reference.
        reference: SecretRef,
        /// Why.
        cause: NoToken,
    },
    /// The Key Vault answered 401 or 403.
    #[error(
        "`{reference}` was answered {status}: give the credential the role `Key Vault Secrets User` on the vault, \
         enable the secret, or open the vault's network to this machine"
    )]
    Forbidden {
        /// The reference.
        reference: SecretRef,
        /// The HTTP status.
        status: u16,
    },
    /// The Key Vault answered 404.
    #[error("`{0}` was answered 404: the vault holds no such secret, or no such version of it")]
    NoSuchSecret(SecretRef),
    /// Another 3xx or 4xx from the Key Vault. The same request would fail again.
    #[error("`{reference}` was answered {status}: check the vault's address")]
    Rejected {
        /// The reference.
        reference: SecretRef,
        /// The HTTP status.
        status: u16,
    },
    /// The Key Vault is overloaded or broken.
    #[error("`{reference}` was answered {status}: the vault is overloaded or broken; try again later")]
    Busy {
        /// The reference.
        reference: SecretRef,
        /// The HTTP status.
        status: u16,
    },
    /// No response, or an unreadable one.
    #[error(
        "`{reference}` got no answer: {reason}; try again later, and check the vault's name and the network"
    )]
    NoAnswer {
        /// The reference.
        reference: SecretRef,
        /// The error from the network.
        reason: String,
    },
}

impl SecretError {
    /// The meaning for the run that needs the secret.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken { cause, .. } => cause.kind(),
            Self::Busy { .. } | Self::NoAnswer { .. } => ErrorKind::Unreachable,
            Self::ReadFile { cause, .. } if is_out_of_files(cause) => ErrorKind::TooManyOpenFiles,
            Self::ReadEnv(_)
            | Self::ReadFile { .. }
            | Self::Utf16(_)
            | Self::NotText(_)
            | Self::TooLong(_)
            | Self::Empty(_)
            | Self::Unresolved(_)
            | Self::InVault(_)
            | Self::Forbidden { .. }
            | Self::NoSuchSecret(_)
            | Self::Rejected { .. } => ErrorKind::SecretMissing,
        }
    }
}

/// The longest secret that is read, in bytes. Azure's secrets are far shorter.
const LENGTH_MAX_BYTES: u64 = 64 * 1024;

impl SecretRef {
    /// Reads the secret now, without a byte order mark and the newline that editors put at a file's end. It sends no request, so a Key Vault is
    /// [`SecretError::InVault`]: [`Secrets`](crate::Secrets) reads that too.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::ReadEnv(self.clone()))?,
            Self::File(path) => self.read_file(path)?,
            Self::KeyVault(_) => return Err(SecretError::InVault(self.clone())),
        };
        // Made into a secret first, so that it is wiped from memory if it turns out to be empty.
        tidy(self, &SecretString::from(text))
    }

    fn read_file(&self, path: &PathBuf) -> Result<String, SecretError> {
        let failed = |cause| SecretError::ReadFile { reference: self.clone(), cause };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(LENGTH_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LENGTH_MAX_BYTES {
            return Err(SecretError::TooLong(self.clone()));
        }
        decoded(bytes).map_err(|fault| match fault {
            NotText::Utf16 => SecretError::Utf16(self.clone()),
            NotText::Other => SecretError::NotText(self.clone()),
        })
    }
}

/// The secret without a byte order mark, and without newlines and zero bytes at its end. An empty one is an error.
pub(crate) fn tidy(reference: &SecretRef, text: &SecretString) -> Result<SecretString, SecretError> {
    match text.expose_secret().trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n', '\0']) {
        trimmed if trimmed.trim().is_empty() => Err(SecretError::Empty(reference.clone())),
        trimmed if trimmed.starts_with("@Microsoft.KeyVault(") => {
            Err(SecretError::Unresolved(reference.clone()))
        }
        trimmed => Ok(SecretString::from(trimmed)),
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::KeyVault(secret) => write!(f, "keyvault:{secret}"),
        }
    }
}

impl FromStr for SecretRef {
    type Err = InvalidSecretRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match text.split_once(':') {
            Some(("env", name)) if is_name(name) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            Some(("keyvault", address)) => address.parse().map(Self::KeyVault),
            _ => Err(InvalidSecretRef),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = InvalidSecretRef;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn reference(text: &str) -> SecretRef {
        text.parse().unwrap()
    }

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        for text in [
            "env:STORAGE_KEY",
            "file:/run/secrets/sas",
            "file:C:\\secrets\\sas",
            "keyvault:https://acme.vault.azure.net/secrets/sas/0123abcd",
        ] {
            assert_eq!(reference(text).to_string(), text);
        }
    }

    #[test]
    fn a_secret_in_place_of_a_reference_is_refused_and_not_repeated() {
        let texts =
            ["sv=2022-11-02&sig=c2VjcmV0", "env:sv=2022-11-02&sig=c2VjcmV0", "env:", "file:", "vault:x", ""];
        for text in texts {
            let error = text.parse::<SecretRef>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_again_each_time_and_loses_its_last_newline() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let reference = SecretRef::File(file.path().to_owned());
        write!(file, "first\r\n").unwrap();
        assert_eq!(reference.read().unwrap().expose_secret(), "first");
        std::fs::write(file.path(), "second\n").unwrap();
        assert_eq!(reference.read().unwrap().expose_secret(), "second");
    }

    #[test]
    fn a_file_that_is_empty_too_long_or_missing_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sas");
        let reference = SecretRef::File(path.clone());
        assert!(matches!(reference.read(), Err(SecretError::ReadFile { .. })));
        std::fs::write(&path, " \n").unwrap();
        assert!(matches!(reference.read(), Err(SecretError::Empty(_))));
        std::fs::write(&path, vec![b'x'; 64 * 1024 + 1]).unwrap();
        let error = reference.read().unwrap_err();
        assert!(matches!(error, SecretError::TooLong(_)));
        assert!(error.to_string().contains(&reference.to_string()));
    }

    #[test]
    fn a_file_from_windows_and_an_unresolved_reference_are_read_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let reference = SecretRef::File(path.clone());
        for bytes in [&b"\xef\xbb\xbfsecret\r\n"[..], b"secret\r\n\0", b"secret\0"] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(reference.read().unwrap().expose_secret(), "secret", "{bytes:?}");
        }
        std::fs::write(&path, b"\xff\xfes\0e\0c\0r\0e\0t\0\r\0\n\0").unwrap();
        let error = reference.read().unwrap_err();
        assert!(
            matches!(error, SecretError::Utf16(_)) && error.kind() == ErrorKind::SecretMissing,
            "{error}"
        );
        std::fs::write(&path, b"secr\xe9t").unwrap();
        assert!(matches!(reference.read(), Err(SecretError::NotText(_))));
        std::fs::write(&path, b"@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/sas/)")
            .unwrap();
        assert!(matches!(reference.read(), Err(SecretError::Unresolved(_))));
        std::fs::write(&path, b"\xef\xbb\xbf\r\n").unwrap();
        assert!(matches!(reference.read(), Err(SecretError::Empty(_))));
    }

    #[test]
    fn a_key_vault_is_not_read_without_asking() {
        let reference = reference("keyvault:https://acme.vault.azure.net/secrets/sas");
        assert!(matches!(reference.read(), Err(SecretError::InVault(named)) if named == reference));
    }

    #[test]
    fn an_environment_variable_is_read_or_named_in_the_error() {
        assert_eq!(reference("env:CARGO_PKG_NAME").read().unwrap().expose_secret(), "holdfast-storage");
        let error = reference("env:HOLDFAST_NOBODY_SETS_THIS").read().unwrap_err();
        assert!(error.to_string().contains("env:HOLDFAST_NOBODY_SETS_THIS"));
    }
}
