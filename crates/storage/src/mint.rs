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
use crate::invalid_key::{InvalidKey, KEY_BYTES};
use crate::sas_text::bare_key;
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
    let key = account_key(key, container)?;
    // si: no stored access policy
    mint_as(&Signer { key: &key, lines: &[""], fields: &[] }, container, permissions, start, expiry)
}

/// Mints a SAS of the account that may create containers and nothing else, as the query of a URL.
///
/// Source of the layout: Microsoft's "Create an account SAS".
pub(crate) fn mint_creation(
    key: &SecretString,
    container: &Container,
    start: Timestamp,
    expiry: Timestamp,
) -> Result<SecretString, InvalidKey> {
    let key = account_key(key, container)?;
    let (start, expiry) = (format_sas_time(start), format_sas_time(expiry));
    let protocols = protocols(container);
    // sp, ss, srt: create, in the blob service, containers; sip and ses: any address, no encryption scope
    let lines =
        [&container.account(), "c", "b", "c", &start, &expiry, "", protocols, VERSION, "", ""].join("\n");
    let signature = sign(&key, &lines)?;
    let fields = [
        ("sv", VERSION),
        ("ss", "b"),
        ("srt", "c"),
        ("sp", "c"),
        ("st", &start),
        ("se", &expiry),
        ("spr", protocols),
        ("sig", signature.expose_secret()),
    ];
    let fields = fields.map(|(name, value)| format!("{name}={}", encode(value)));
    Ok(SecretString::from(fields.join("&")))
}

/// Emulators on this machine use plain HTTP; elsewhere the SAS must be encrypted in transit.
fn protocols(container: &Container) -> &'static str {
    if container.is_loopback() { "https,http" } else { "https" }
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
    let protocols = protocols(container);
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

/// The account's key without what tools put around it. Emulators take keys of any length.
fn account_key(key: &SecretString, container: &Container) -> Result<SecretString, InvalidKey> {
    let key = bare_key(key.expose_secret());
    let text = key.expose_secret();
    if text.contains("AccountKey=") || text.contains("SharedAccessSignature=") {
        return Err(InvalidKey::ConnectionString);
    }
    let bytes = decoded(&key);
    // One key in 16,384 ends with these letters itself.
    if bytes.is_err() && text.contains("sig=") {
        return Err(InvalidKey::Sas);
    }
    match bytes?.len() {
        KEY_BYTES => Ok(key),
        _ if container.is_loopback() => Ok(key),
        bytes => Err(InvalidKey::Length(bytes)),
    }
}

fn decoded(key: &SecretString) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    BASE64.decode(key.expose_secret().trim()).map(Zeroizing::new).map_err(|_| InvalidKey::NotBase64)
}

fn sign(key: &SecretString, text: &str) -> Result<SecretString, InvalidKey> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&decoded(key)?).map_err(|_| InvalidKey::NotBase64)?;
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

    /// Not a key of any account, of the length of Azure's.
    const LONG_KEY: &str =
        "aG9sZGZhc3QtaW52ZW50ZWQtdGVzdC1rZXktb2Ytc2l4dHktZm91ci1ieXRlcy1hcy1henVyZXMtb3duLTAxeA==";

    fn minted(key: &SecretString, container: &str) -> String {
        let container = container.parse().unwrap();
        let (start, expiry) = ("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
        let [start, expiry] = [start, expiry].map(|text| parse_timestamp(text).unwrap());
        mint(key, &container, "rwdl", start, expiry).unwrap().expose_secret().to_owned()
    }

    /// Azurite 3.37.0, started with this key, accepted this SAS for PUT, GET, list and DELETE, and refused an
    /// expired SAS, a SAS that was not valid yet, and PUT with `sp=rl`.
    #[test]
    fn the_signature_is_one_that_a_blob_server_took() {
        assert_eq!(
            minted(&key(), "http://127.0.0.1:10000/devstoreaccount1/backups"),
            "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl&spr=https%2Chttp\
             &sig=WN2aH0424%2BgGH1ZdIr73OVfWhBIAP9tRbO%2B889C9X%2Bg%3D"
        );
    }

    /// The signature was computed by another program over the layout that the test above proves.
    #[test]
    fn away_from_this_machine_only_https_is_signed() {
        assert_eq!(
            minted(&LONG_KEY.into(), "https://devstoreaccount1.blob.core.windows.net/backups"),
            "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl&spr=https\
             &sig=DUmSciLy2ZG49spPucpxiLB6oOBGsfqYDBeOqZ8Ff%2Bw%3D"
        );
    }

    #[test]
    fn what_tools_put_around_a_key_is_removed() {
        let container = "https://devstoreaccount1.blob.core.windows.net/backups";
        let plain = minted(&LONG_KEY.into(), container);
        for text in
            [format!("\"{LONG_KEY}\"\r\n"), format!("STORAGE_KEY={LONG_KEY}"), format!("\u{feff}{LONG_KEY}")]
        {
            assert_eq!(minted(&text.into(), container), plain);
        }
    }

    #[test]
    fn a_key_that_ends_like_the_name_of_a_signature_is_a_key() {
        let ending = format!("{}sig==", &LONG_KEY[..83]);
        let container = "https://acct.blob.core.windows.net/backups".parse().unwrap();
        let at = parse_timestamp("2026-01-01T00:00:00Z").unwrap();
        assert!(mint(&ending.into(), &container, "r", at, at).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let container = "https://acct.blob.core.windows.net/backups".parse().unwrap();
        let at = parse_timestamp("2026-01-01T00:00:00Z").unwrap();
        for (text, reason) in [
            ("AccountName=a;AccountKey=c2VjcmV0".to_owned(), InvalidKey::ConnectionString),
            ("sv=2022-11-02&sr=c&sig=c2VjcmV0".to_owned(), InvalidKey::Sas),
            ("c2VjcmV0!".to_owned(), InvalidKey::NotBase64),
            (LONG_KEY.trim_end_matches('=').to_owned(), InvalidKey::NotBase64),
            ("c2Vj".to_owned(), InvalidKey::Length(3)),
            (key().expose_secret().to_owned(), InvalidKey::Length(33)),
        ] {
            let error = mint(&text.into(), &container, "r", at, at).unwrap_err();
            assert_eq!(error, reason);
            assert!(!format!("{error} {error:?}").contains("c2Vj"));
        }
    }
}
