//! Signs tokens as Entra does, with keys for tests.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

pub const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
pub const CLIENT: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// A key of the issuer, and its name.
pub struct Signer {
    pub key_id: &'static str,
    key: KeyPair,
}

impl Signer {
    pub fn first() -> Self {
        Self::of("key-1", include_str!("test-key-1.pem"))
    }

    pub fn second() -> Self {
        Self::of("key-2", include_str!("test-key-2.pem"))
    }

    fn of(key_id: &'static str, pem: &str) -> Self {
        let body: String = pem.lines().skip(2).take_while(|line| !line.starts_with('-')).collect();
        Self { key_id, key: KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap() }
    }

    /// The key in the list of the issuer.
    pub fn jwk(&self) -> Value {
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let PublicKeyComponents { n, e } = self.public();
        let (n, e) = (number(&n), number(&e));
        json!({ "kty": "RSA", "use": "sig", "kid": self.key_id, "n": n, "e": e })
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_under(&json!({ "typ": "JWT", "alg": "RS256", "kid": self.key_id }), claims)
    }

    /// A token with this header.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token whose secret is the public key, as in the confusion of RS256 with HS256.
    pub fn sign_with_public_key(&self, claims: &Value) -> String {
        let signed = unsigned(&json!({ "typ": "JWT", "alg": "HS256", "kid": self.key_id }), claims);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.public().n), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.key.public())
    }
}

/// The first two parts of a token.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

/// The discovery document of the tenant at an authority, of issuer 2.0 or of the older one.
pub fn document(authority: &str, is_older: bool) -> Value {
    let at = |path: &str| format!("{authority}/{TENANT}/{path}");
    let older = format!("https://sts.windows.net/{TENANT}/");
    json!({
        "issuer": if is_older { older } else { at("v2.0") },
        "authorization_endpoint": at("oauth2/v2.0/authorize"),
        "token_endpoint": at("oauth2/v2.0/token"),
        "jwks_uri": if is_older { format!("{authority}/common/discovery/keys") } else { at("discovery/v2.0/keys") },
    })
}

/// The claims of an id token at `now`, in seconds, for the login with this nonce.
pub fn id_token(authority: &str, now: i64, nonce: &str) -> Value {
    json!({
        "iss": format!("{authority}/{TENANT}/v2.0"), "aud": CLIENT, "tid": TENANT, "ver": "2.0", "nonce": nonce,
        "iat": now, "nbf": now, "exp": now + 3_600, "oid": "o1", "preferred_username": "ann@x.example", "roles": ["operator"],
    })
}

/// The claims of an access token of a workload at `now`, in seconds.
pub fn access_token(authority: &str, now: i64) -> Value {
    json!({
        "iss": format!("{authority}/{TENANT}/v2.0"), "aud": CLIENT, "tid": TENANT, "ver": "2.0", "azp": "workload-1",
        "iat": now, "nbf": now, "exp": now + 3_600, "oid": "o2", "roles": ["viewer"], "idtyp": "app",
    })
}
