//! The keys of an issuer, and the check of a signature. Pure.
//!
//! Sources: RFC 7517 (JWK), RFC 7518 section 6.3; Microsoft's page "Access tokens in the Microsoft identity platform" for the field
//! `issuer` of a key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;

use crate::jws::Jws;
use crate::refusal::Refusal;

/// Keys that are kept. Entra lists fewer than ten.
const KEYS_MAX: usize = 100;
/// What stands for the tenant's id in the issuer of a key that signs for every tenant.
const ANY_TENANT: &str = "{tenantid}";

/// The keys of an issuer, by name.
#[derive(Debug, Default)]
pub(crate) struct KeySet(BTreeMap<String, PublicKey>);

#[derive(Debug)]
struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    issuer: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Reads the keys that sign for an issuer of `tenant`; `None` for another document. A key of another kind is left out.
    pub(crate) fn read(document: &[u8], issuers: &[String], tenant: &str) -> Option<Self> {
        let Document { keys } = serde_json::from_slice(document).ok()?;
        let mut read = BTreeMap::new();
        for key in keys.into_iter().take(KEYS_MAX) {
            let Ok(key) = serde_json::from_value::<Key>(key) else { continue };
            if let Some(public) = public_key(&key, issuers, tenant) {
                read.entry(key.kid).or_insert(public);
            }
        }
        Some(Self(read))
    }

    /// Whether it has a key of this name.
    pub(crate) fn has(&self, key_id: &str) -> bool {
        self.0.contains_key(key_id)
    }

    /// Whether it has no key.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the signature of a token.
    pub(crate) fn verify(&self, token: &Jws<'_>) -> Result<(), Refusal> {
        let PublicKey { modulus, exponent } = self.0.get(&token.key_id).ok_or(Refusal::UnknownKey)?;
        let key = RsaPublicKeyComponents { n: modulus, e: exponent };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, token.signed.as_bytes(), &token.signature)
            .map_err(|_| Refusal::Signature)
    }
}

/// The key, where it signs tokens of the tenant. Keys of Microsoft's accounts for consumers are in the same list.
fn public_key(key: &Key, issuers: &[String], tenant: &str) -> Option<PublicKey> {
    let is_for = |text: &Option<String>, wanted: &str| text.as_deref().is_none_or(|text| text == wanted);
    let is_own =
        key.issuer.as_ref().is_none_or(|issuer| issuers.contains(&issuer.replace(ANY_TENANT, tenant)));
    let is_usable = key.kty == "RSA" && is_for(&key.purpose, "sig") && is_for(&key.alg, "RS256") && is_own;
    let number = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes[zeros..].to_vec())
    };
    is_usable.then_some(())?;
    Some(PublicKey { modulus: number(&key.n)?, exponent: number(&key.e)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(keys: &serde_json::Value) -> Vec<String> {
        let issuers = ["https://login.example/t1/v2.0".to_owned()];
        let read = KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), &issuers, "t1").unwrap();
        read.0.into_keys().collect()
    }

    #[test]
    fn only_keys_that_sign_for_the_tenant_count() {
        let key = |kid: &str, more: &serde_json::Value| {
            let mut key = json!({ "kid": kid, "kty": "RSA", "use": "sig", "n": "AQAB", "e": "AQAB" });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        let keys = json!([
            key("plain", &json!({})),
            key("any", &json!({ "issuer": "https://login.example/{tenantid}/v2.0" })),
            key("own", &json!({ "issuer": "https://login.example/t1/v2.0", "alg": "RS256" })),
            key("consumers", &json!({ "issuer": "https://login.example/9188040d/v2.0" })),
            key("encrypts", &json!({ "use": "enc" })),
            key("other", &json!({ "alg": "RS512" })),
            key("shared", &json!({ "kty": "oct" })),
            key("odd", &json!({ "n": "%" })),
            { "kty": "EC", "kid": "curve", "crv": "P-256" },
            7,
        ]);
        assert_eq!(names(&keys), ["any", "own", "plain"]);
    }

    #[test]
    fn a_document_without_keys_is_none() {
        for document in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert!(KeySet::read(document.as_bytes(), &[], "t1").is_none(), "{document}");
        }
        assert!(KeySet::read(br#"{"keys":[]}"#, &[], "t1").unwrap().is_empty());
    }
}
