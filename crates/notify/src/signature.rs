//! Signatures of webhooks, as Standard Webhooks defines them. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The prefix of a key.
const PREFIX: &str = "whsec_";

/// The key cannot be used. Its text is a secret and stays out of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret of the webhook is no `whsec_` with 24 to 64 bytes in base64")]
pub struct InvalidKey;

/// The value of the header `webhook-signature`.
///
/// Source: Standard Webhooks 1.0.0, "Verifying webhook authenticity": HMAC-SHA256 over `ID.SECONDS.BODY`.
pub fn signature(key: &SecretString, id: &str, seconds: i64, body: &[u8]) -> Result<String, InvalidKey> {
    let text = key.expose_secret().trim();
    let key = STANDARD.decode(text.strip_prefix(PREFIX).ok_or(InvalidKey)?).map_err(|_| InvalidKey)?;
    if !(24..=64).contains(&key.len()) {
        return Err(InvalidKey);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| InvalidKey)?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_reference_libraries_has_its_signature() {
        let key = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_its_text() {
        for text in ["", "whsec_", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ="] {
            let error = signature(&SecretString::from(text), "a", 0, b"").unwrap_err();
            assert!(
                text.is_empty()
                    || !error.to_string().contains(&text[..3.min(text.len())])
                    || text.starts_with("whs")
            );
        }
    }
}
