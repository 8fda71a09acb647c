//! A service SAS for a container, signed with the account's key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::Container;
use crate::time::format_sas_time;

/// The text is not an account key. It is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not base64: give one of the account's two keys alone, and not a connection string")]
pub struct InvalidKey;

/// The version of the SAS. Azure's backup once refused versions that were new to it (Azure/azure-cli #5369); with this
/// one a backup was seen to finish.
const VERSION: &str = "2022-11-02";

/// Mints a SAS that holds from `start` until `expiry`, as the query of a URL. `permissions` are letters of `sp` in
/// Azure's order, `racwdxyltmeopi`.
///
/// The layout is that of `sv` 2020-12-06 and later: sixteen lines, not encoded. Source: Microsoft's "Create a service
/// SAS" and Azurite 3.37.0, `IBlobSASSignatureValues`.
pub fn mint(
    key: &SecretString,
    container: &Container,
    permissions: &str,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<SecretString, InvalidKey> {
    let (start, expiry) = (format_sas_time(start), format_sas_time(expiry));
    // Emulators on this machine speak plain HTTP; everywhere else the SAS must not travel in the open.
    let protocols = if container.is_loopback() { "https,http" } else { "https" };
    let resource = format!("/blob/{}/{}", container.account(), container.name());
    let text = [
        permissions,
        &start,
        &expiry,
        &resource,
        "", // si: no stored access policy
        "", // sip: any address
        protocols,
        VERSION,
        "c",
        "", // snapshot
        "", // ses: no encryption scope
        "",
        "",
        "",
        "",
        "", // rscc, rscd, rsce, rscl, rsct: no headers are overridden
    ]
    .join("\n");
    let signature = sign(key, &text)?;
    let fields = [
        ("sv", VERSION),
        ("st", &start),
        ("se", &expiry),
        ("sr", "c"),
        ("sp", permissions),
        ("spr", protocols),
        ("sig", signature.expose_secret()),
    ];
    let write =
        |(name, value): (&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    Ok(SecretString::from(fields.map(write).join("&")))
}

fn sign(key: &SecretString, text: &str) -> Result<SecretString, InvalidKey> {
    let key = BASE64.decode(key.expose_secret().trim()).map(Zeroizing::new).map_err(|_| InvalidKey)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| InvalidKey)?;
    mac.update(text.as_bytes());
    Ok(SecretString::from(BASE64.encode(mac.finalize().into_bytes())))
}
