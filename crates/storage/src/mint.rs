//! A SAS for a container, signed with the account's key or with a user delegation key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::Container;
use crate::delegation::DelegationKey;
use crate::fields::encode;
use crate::invalid_key::InvalidKey;
use crate::time::format_sas_time;

/// The version of the SAS. App Service once refused newer versions (Azure/azure-cli #5369); a backup with this one is on
/// record.
const VERSION: &str = "2022-11-02";

/// A signing key, with its lines in the signed text and its fields in the query.
struct Signer<'k> {
    key: &'k SecretString,
    lines: &'k [&'k str],
    fields: &'k [(&'k str, &'k str)],
}

/// Mints a SAS that is valid from `start` until `expiry`, as the query of a URL. `permissions` are letters of `sp` in
/// Azure's order, `racwdxyltmeopi`.
///
/// Source of the layout: Microsoft's "Create a service SAS" and Azurite 3.37.0, `IBlobSASSignatureValues`.
pub fn mint(
    key: &SecretString,
    container: &Container,
    permissions: &str,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<SecretString, InvalidKey> {
    // si: no stored access policy
    mint_as(&Signer { key, lines: &[""], fields: &[] }, container, permissions, start, expiry)
}

/// Mints a SAS that is signed with a user delegation key. Source of the layout: Microsoft's "Create a user delegation SAS" and
/// Azurite 3.37.0; it is the one of `sv` 2020-12-06 until before 2025-07-05.
pub(crate) fn mint_delegated(
    key: &DelegationKey,
    container: &Container,
    permissions: &str,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<SecretString, InvalidKey> {
    let fields = [
        ("skoid", key.object.as_str()),
        ("sktid", &key.tenant),
        ("skt", &key.start),
        ("ske", &key.expiry),
        ("sks", &key.service),
        ("skv", &key.version),
    ];
    let values = fields.map(|(_, value)| value);
    // saoid, suoid, scid: not on behalf of another user
    let lines = [values.as_slice(), &["", "", ""]].concat();
    let signer = Signer { key: &key.value, lines: &lines, fields: &fields };
    mint_as(&signer, container, permissions, start, expiry)
}

/// Mints a SAS in the layout of `sv` 2020-12-06 and later, whose lines are not encoded.
fn mint_as(
    signer: &Signer<'_>,
    container: &Container,
    permissions: &str,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<SecretString, InvalidKey> {
    let (start, expiry) = (format_sas_time(start), format_sas_time(expiry));
    // Emulators on this machine use plain HTTP; elsewhere the SAS must be encrypted in transit.
    let protocols = if container.is_loopback() { "https,http" } else { "https" };
    let resource = format!("/blob/{}/{}", container.account(), container.name());
    let opening = [permissions, &start, &expiry, &resource];
    let closing = [
        "", // sip: any address
        protocols, VERSION, "c", "", // snapshot
        "", // ses: no encryption scope
        "", "", "", "", "", // rscc, rscd, rsce, rscl, rsct: no headers are overridden
    ];
    let signature = sign(signer.key, &[&opening, signer.lines, &closing].concat().join("\n"))?;
    let opening = [
        ("sv", VERSION),
        ("st", &start),
        ("se", &expiry),
        ("sr", "c"),
        ("sp", permissions),
        ("spr", protocols),
    ];
    let closing = [("sig", signature.expose_secret())];
    let write = |(name, value): &(&str, &str)| format!("{name}={}", encode(value));
    let fields = opening.iter().chain(signer.fields).chain(&closing).map(write);
    Ok(SecretString::from(fields.collect::<Vec<_>>().join("&")))
}

fn sign(key: &SecretString, text: &str) -> Result<SecretString, InvalidKey> {
    let key = BASE64.decode(key.expose_secret().trim()).map(Zeroizing::new).map_err(|_| InvalidKey)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| InvalidKey)?;
    mac.update(text.as_bytes());
    Ok(SecretString::from(BASE64.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    /// Not a key of any account.
    fn key() -> SecretString {
        SecretString::from(BASE64.encode("holdfast-invented-test-key-000001"))
    }

    fn minted(container: &str) -> String {
        let container = container.parse().unwrap();
        let (start, expiry) = ("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
        let [start, expiry] = [start, expiry].map(|text| parse_timestamp(text).unwrap());
        mint(&key(), &container, "rwdl", start, expiry).unwrap().expose_secret().to_owned()
    }

    /// Azurite 3.37.0, started with this key, accepted this SAS for PUT, GET, list and DELETE, and refused an
    /// expired SAS, a SAS that was not valid yet, and PUT with `sp=rl`.
    #[test]
    fn the_signature_is_one_that_a_blob_server_took() {
        assert_eq!(
            minted("http://127.0.0.1:10000/devstoreaccount1/backups"),
            "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl&spr=https%2Chttp\
             &sig=WN2aH0424%2BgGH1ZdIr73OVfWhBIAP9tRbO%2B889C9X%2Bg%3D"
        );
    }

    /// The signature was computed by another program over the layout that the test above proves.
    #[test]
    fn away_from_this_machine_only_https_is_signed() {
        assert_eq!(
            minted("https://devstoreaccount1.blob.core.windows.net/backups"),
            "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl&spr=https\
             &sig=S37IvWN2%2F%2FRgEbchntNwgRUOw%2Bi%2Bqdzy4JtDhgUOqPo%3D"
        );
    }

    #[test]
    fn a_key_that_is_not_base64_is_refused_and_not_repeated() {
        let container = "https://acct.blob.core.windows.net/backups".parse().unwrap();
        let at = parse_timestamp("2026-01-01T00:00:00Z").unwrap();
        let error = mint(&"AccountName=a;AccountKey=c2VjcmV0".into(), &container, "r", at, at).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    }
}
