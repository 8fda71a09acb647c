//! A login that a person began: what Entra must send back, and the address that the person is sent to. Pure.
//!
//! Sources: RFC 7636 (PKCE); OpenID Connect Core 1.0, section 3.1.2.1; Microsoft's page "OAuth 2.0 authorization code flow".

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::settings::Settings;

/// A login that a person began.
#[derive(Clone)]
pub struct LoginAttempt {
    /// Comes back with the code: the answer is to this login.
    state: SecretString,
    /// Comes back in the id token: the token is for this login.
    pub(crate) nonce: String,
    /// Is shown to Entra with the code alone: whoever has only the code gets no token.
    pub(crate) verifier: SecretString,
}

impl LoginAttempt {
    /// A login with this randomness, which is used for nothing else.
    pub fn of([state, nonce, verifier]: [[u8; 32]; 3]) -> Self {
        let text = |bytes: [u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        Self { state: text(state).into(), nonce: text(nonce), verifier: text(verifier).into() }
    }

    /// What Entra sends back beside the code.
    pub fn state(&self) -> &str {
        self.state.expose_secret()
    }

    /// The address that the person is sent to.
    pub(crate) fn url(&self, settings: &Settings, authorization: &Url) -> Url {
        let challenge = digest(&SHA256, self.verifier.expose_secret().as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let mut url = authorization.clone();
        url.query_pairs_mut().extend_pairs([
            ("client_id", settings.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("redirect_uri", settings.redirect_uri().as_str()),
            ("scope", "openid profile"),
            ("state", self.state()),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        url
    }
}

impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginAttempt([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_has_the_hash_of_the_verifier_and_never_the_verifier() {
        let ids = ("72f988bf-86f1-41af-91ab-2d7cd011db47", "6e74172b-be56-4843-9ff4-e66a39bb12e3");
        let at = |url: &str| url.parse::<Url>().unwrap();
        let settings = Settings::new("https://login.example", ids, at("https://hf.example"), None).unwrap();
        let attempt = LoginAttempt::of([[1; 32], [2; 32], [3; 32]]);
        let url = attempt.url(&settings, &at("https://login.example/t/authorize"));
        let verifier = attempt.verifier.expose_secret();
        assert!(verifier.len() == 43 && !url.as_str().contains(verifier), "{url}");
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert!(query.contains(&("code_challenge".into(), challenge)), "{url}");
        assert!(query.contains(&("redirect_uri".into(), "https://hf.example/login/entra/callback".into())));
        assert_eq!(format!("{attempt:?}"), "LoginAttempt([REDACTED])");
    }
}
