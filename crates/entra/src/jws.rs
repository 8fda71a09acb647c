//! A signed token, read before anything in it is believed. Pure.
//!
//! Sources: RFC 7515 (JWS), RFC 8725 (best practices for JWT).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::object::Object;
use crate::refusal::Refusal;

/// The longest token, in bytes. Entra's tokens of users in many groups have ten thousand.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Fields of a header that bring a key, or say where to get it.
const OWN_KEYS: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];
/// What `typ` may say.
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// A signed token whose signature is not checked yet.
#[derive(Debug)]
pub(crate) struct Jws<'t> {
    /// The name of the key.
    pub(crate) key_id: String,
    /// The claims.
    pub(crate) claims: Object,
    /// What the signature is about.
    pub(crate) signed: &'t str,
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Reads a token in compact form, signed with RS256.
    pub(crate) fn read(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let key_id = key_id(&object(header)?)?;
        let (claims, signature) = (object(claims)?, decoded(signature)?);
        Ok(Self { key_id, claims, signed, signature })
    }
}

/// The name of the key, in a header that permits nothing but a signature with RS256 by a key of the issuer.
fn key_id(header: &Object) -> Result<String, Refusal> {
    match header.text("alg") {
        Some("RS256") => {}
        Some(none) if none.eq_ignore_ascii_case("none") => return Err(Refusal::Unsigned),
        _ => return Err(Refusal::Algorithm),
    }
    if OWN_KEYS.iter().any(|field| header.has(field)) {
        return Err(Refusal::OwnKey);
    }
    if header.has("crit") {
        return Err(Refusal::Critical);
    }
    let is_known = |named: &str| TYPES.iter().any(|known| known.eq_ignore_ascii_case(named));
    if header.has("typ") && !header.text("typ").is_some_and(is_known) {
        return Err(Refusal::Malformed);
    }
    header.text("kid").filter(|id| !id.is_empty()).map(ToOwned::to_owned).ok_or(Refusal::NoKeyId)
}

fn object(part: &str) -> Result<Object, Refusal> {
    Object::read(&decoded(part)?)
}

/// Base64url without padding; a second spelling of the same bytes is refused.
fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn refusal(header: &str) -> Refusal {
        Jws::read(&token(header, "{}")).unwrap_err()
    }

    #[test]
    fn a_token_with_rs256_and_the_name_of_its_key_is_read() {
        let text = token(r#"{"typ":"JWT","alg":"RS256","kid":"../../a"}"#, r#"{"aud":"x","exp":7}"#);
        let read = Jws::read(&text).unwrap();
        assert_eq!((read.key_id.as_str(), read.claims.text("aud")), ("../../a", Some("x")));
        assert_eq!((read.signed, read.signature.as_slice()), (text.rsplit_once('.').unwrap().0, &[0; 3][..]));
    }

    #[test]
    fn a_header_that_asks_for_anything_else_is_refused() {
        for (header, why) in [
            (r#"{"alg":"none","kid":"a"}"#, Refusal::Unsigned),
            (r#"{"alg":"NonE","kid":"a"}"#, Refusal::Unsigned),
            (r#"{"alg":"HS256","kid":"a"}"#, Refusal::Algorithm),
            (r#"{"alg":"RS512","kid":"a"}"#, Refusal::Algorithm),
            (r#"{"alg":"rs256","kid":"a"}"#, Refusal::Algorithm),
            (r#"{"alg":["RS256"],"kid":"a"}"#, Refusal::Algorithm),
            (r#"{"kid":"a"}"#, Refusal::Algorithm),
            (r#"{"alg":"RS256"}"#, Refusal::NoKeyId),
            (r#"{"alg":"RS256","kid":""}"#, Refusal::NoKeyId),
            (r#"{"alg":"RS256","kid":7}"#, Refusal::NoKeyId),
            (r#"{"alg":"RS256","kid":"a","jku":"https://evil.example"}"#, Refusal::OwnKey),
            (r#"{"alg":"RS256","kid":"a","jwk":{}}"#, Refusal::OwnKey),
            (r#"{"alg":"RS256","kid":"a","x5u":"https://evil.example"}"#, Refusal::OwnKey),
            (r#"{"alg":"RS256","kid":"a","x5c":[]}"#, Refusal::OwnKey),
            (r#"{"alg":"RS256","kid":"a","crit":["exp"]}"#, Refusal::Critical),
            (r#"{"alg":"RS256","kid":"a","typ":"JWE"}"#, Refusal::Malformed),
            (r#"{"alg":"RS256","kid":"a","kid":"b"}"#, Refusal::Duplicate),
            (r#"{"alg":"RS256","alg":"none","kid":"a"}"#, Refusal::Duplicate),
            ("[]", Refusal::Malformed),
            ("{", Refusal::Malformed),
            (r#"{"alg":"RS256","kid":"a"} x"#, Refusal::Malformed),
        ] {
            assert_eq!(refusal(header), why, "{header}");
        }
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        let header = r#"{"alg":"RS256","kid":"a"}"#;
        let good = token(header, "{}");
        let huge = token(header, &format!(r#"{{"a":"{}"}}"#, "x".repeat(TOKEN_BYTES_MAX)));
        let four = format!("{good}.AAAA");
        for (text, why) in [
            ("", Refusal::Malformed),
            (".", Refusal::Malformed),
            ("..", Refusal::Malformed),
            ("a.b.c", Refusal::Malformed),
            (good.rsplit_once('.').unwrap().0, Refusal::Malformed),
            (&four, Refusal::Malformed),
            (&good.replace("AAAA", "AAA="), Refusal::Malformed),
            (&good.replace("AAAA", "AAB"), Refusal::Malformed),
            (&good.replace("AAAA", "+/+/"), Refusal::Malformed),
            (&token(header, r#"{"aud":"a","aud":"b"}"#), Refusal::Duplicate),
            (&token(header, "[]"), Refusal::Malformed),
            (&token(header, "\u{feff}{}"), Refusal::Malformed),
            (&huge, Refusal::TooLong),
        ] {
            assert_eq!(Jws::read(text).unwrap_err(), why, "{text:.60}");
        }
    }
}
