//! API tokens: the text that a client keeps, and the row that the store keeps.

use std::fmt;
use std::time::Duration;

use holdfast_model::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::{LoginMethod, Principal, Role, Scope};

/// How each token begins, so that secret scanners find it: `hf_` and 72 hex digits.
const PREFIX: &str = "hf_";
/// Hex digits of the 256 random bits.
const SECRET_DIGITS: usize = 64;
/// Hex digits of the checksum.
const CHECKSUM_DIGITS: usize = 8;

/// The text of a token: the secret that a client sends.
///
/// It has 256 random bits, so that a plain SHA-256 in the store is enough: no list of likely tokens exists that could be
/// hashed and compared, which is what slow hashes of passwords are for.
#[derive(Clone)]
pub struct TokenText(SecretString);

/// The text is no token: it has another form, or a digit of it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no API token of Holdfast, or a part of it is missing")]
pub struct NoToken;

impl TokenText {
    /// The token with these random bits.
    pub fn of(random: [u8; 32]) -> Self {
        let secret = hex(&random);
        Self(format!("{PREFIX}{secret}{}", checksum(&secret)).into())
    }

    /// Reads a token. A text that was cut or mistyped is refused without a look into the store.
    pub fn parse(text: &str) -> Result<Self, NoToken> {
        let text = text.trim();
        let digits = text.strip_prefix(PREFIX).ok_or(NoToken)?;
        let is_lower_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits.len() != SECRET_DIGITS + CHECKSUM_DIGITS || !is_lower_hex {
            return Err(NoToken);
        }
        let (secret, sum) = digits.split_at(SECRET_DIGITS);
        if checksum(secret) == sum { Ok(Self(text.to_owned().into())) } else { Err(NoToken) }
    }

    /// The text, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The SHA-256 of the text, in hex.
    pub fn hash(&self) -> String {
        hex(digest(&SHA256, self.expose().as_bytes()).as_ref())
    }

    /// The id of the token: the first 16 hex digits of its hash. It is no secret.
    pub fn id(&self) -> String {
        self.hash().chars().take(16).collect()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText([REDACTED])")
    }
}

/// A token as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ApiToken {
    /// Its id, which follows from its text.
    pub id: String,
    /// Its name, which the audit has for what is done with it.
    pub name: String,
    /// The SHA-256 of its text, in hex.
    #[serde(skip)]
    pub hash: String,
    /// What it may do.
    pub role: Role,
    /// The policies to whose apps its acts are limited.
    #[serde(rename = "policies")]
    pub scope: Scope,
    /// Who created it: a claim.
    pub created_by: String,
    /// How that person logged in; `None` for the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_login: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Why a token gives no login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The store has no such token.
    #[error("the token is not known")]
    Unknown,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

impl ApiToken {
    /// How exact [`last_used_at`](Self::last_used_at) is: a use writes a row no more often than this.
    pub const USE_RESOLUTION: Duration = Duration::from_mins(10);

    /// The principal of whoever sends `text`. The hashes are compared in constant time.
    pub fn principal(&self, text: &TokenText, now: Timestamp) -> Result<Principal, TokenRefusal> {
        if !bool::from(self.hash.as_bytes().ct_eq(text.hash().as_bytes())) {
            return Err(TokenRefusal::Unknown);
        }
        self.current_principal(now)
    }

    /// The principal of a session that the token began.
    pub fn current_principal(&self, now: Timestamp) -> Result<Principal, TokenRefusal> {
        if self.revoked_at.is_some() {
            return Err(TokenRefusal::Revoked);
        }
        if self.expires_at <= now {
            return Err(TokenRefusal::Expired);
        }
        let Self { name, role, scope, .. } = self.clone();
        Ok(Principal { name, login: LoginMethod::Token, role, scope })
    }

    /// Whether a use at `now` is to be recorded.
    pub fn is_use_to_record(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now - Self::USE_RESOLUTION >= last)
    }
}

/// The first digits of a SHA-256, which a mistyped token does not match.
fn checksum(secret: &str) -> String {
    let sum = digest(&SHA256, format!("holdfast token {secret}").as_bytes());
    hex(sum.as_ref()).chars().take(CHECKSUM_DIGITS).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &TokenText) -> ApiToken {
        ApiToken {
            id: text.id(),
            name: "ci".into(),
            hash: text.hash(),
            role: Role::Operator,
            scope: Scope::ALL,
            created_by: "ann".into(),
            created_login: None,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH + Duration::from_hours(1),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_is_found_by_scanners_and_a_changed_one_is_none() {
        let text = TokenText::of([7; 32]);
        let shown = text.expose().to_owned();
        assert!(shown.starts_with("hf_0707") && shown.len() == 75, "{shown}");
        assert_eq!(TokenText::parse(&format!(" {shown}\n")).unwrap().hash(), text.hash());
        let changed = shown.replacen('7', "8", 1);
        let (cut, upper) = (shown[..74].to_owned(), shown.to_uppercase());
        for other in [changed, cut, upper, format!("{shown}0"), shown.replace("hf_", "ghp_"), String::new()] {
            assert_eq!(TokenText::parse(&other).err(), Some(NoToken), "{other}");
        }
        assert!(!format!("{text:?}").contains("0707"));
    }

    #[test]
    fn a_token_logs_in_until_it_ends_or_is_revoked_and_no_other_text_does() {
        let (text, other) = (TokenText::of([7; 32]), TokenText::of([8; 32]));
        let now = Timestamp::UNIX_EPOCH;
        let token = token(&text);
        let principal = token.principal(&text, now).unwrap();
        assert_eq!((principal.name.as_str(), principal.role), ("ci", Role::Operator));
        assert_eq!(token.principal(&other, now), Err(TokenRefusal::Unknown));
        assert_eq!(token.principal(&text, token.expires_at), Err(TokenRefusal::Expired));
        let revoked = ApiToken { revoked_at: Some(now), ..token.clone() };
        assert_eq!(revoked.principal(&text, now), Err(TokenRefusal::Revoked));
        let shown = serde_json::to_string(&token).unwrap();
        assert!(!shown.contains(&token.hash) && !shown.contains(text.expose()), "{shown}");
    }

    #[test]
    fn a_use_is_recorded_every_ten_minutes_at_most() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_hours(1);
        let used = |ago: u64| ApiToken {
            last_used_at: Some(now - Duration::from_mins(ago)),
            ..token(&TokenText::of([7; 32]))
        };
        assert!(token(&TokenText::of([7; 32])).is_use_to_record(now));
        assert_eq!([9, 10, 11].map(|ago| used(ago).is_use_to_record(now)), [false, true, true]);
    }
}
