//! What the answers of token services mean. Pure.
//!
//! Sources: Microsoft identity platform, OAuth 2.0 client credentials flow and AADSTS error codes; "How to use managed
//! identities for App Service", REST endpoint reference. `azure_identity` panics over a lifetime that it cannot add to
//! the time, and fails over numbers as text and over escapes in an error's description, so it reads a canonical answer.

use chrono::{DateTime, TimeDelta};
use holdfast_model::Timestamp;
use serde_json::{Value, json};

use crate::wire::{Unreadable, json_body, text};
use crate::{Token, TokenError};

/// The service that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenService {
    /// Entra's token endpoint.
    Entra,
    /// The endpoint of managed identities on this machine.
    ManagedIdentity,
}

/// The largest answer of a token service, in bytes. Tokens of users in many groups have some kilobytes.
pub(crate) const TOKEN_ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The longest lifetime that is believed, in seconds: a year. Entra's tokens live hours.
const LIFETIME_MAX: i64 = 366 * 86_400;

/// Numbers of errors that pass by themselves.
const TRANSIENT: [u32; 3] = [90_006, 90_033, 50_196];

/// Numbers of errors that last until a person replaces the credential or its names: the secret has expired or is wrong,
/// the application is disabled, or the tenant has no such application, or there is no such tenant.
const LASTING: [u32; 9] =
    [7_000_222, 7_000_215, 7_000_112, 7_000_229, 700_016, 90_002, 90_023, 900_023, 900_021];

/// The errors of OAuth 2.0 that refuse a credential.
const REFUSALS: [&str; 8] = [
    "invalid_client",
    "unauthorized_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_resource",
    "access_denied",
    "interaction_required",
];

/// Reads an answer that came at `now`.
///
/// Returns the canonical body of a token; `None` for an answer that the caller passes on as it is, so that its own retry
/// can see the status.
pub(crate) fn read(
    service: TokenService,
    status: u16,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, TokenError> {
    if (200..300).contains(&status) {
        let token = json_body(body).and_then(|answer| canonical(&answer, now));
        let odd =
            |why: Unreadable| TokenError::new(&format!("the token service answered {status}, and {why}"));
        return token.map(Some).map_err(odd);
    }
    let answer = json_body(body).unwrap_or_default();
    let description = text(&answer, "error_description").unwrap_or_default();
    let error = text(&answer, "error").unwrap_or_default();
    let number = number_in(&answer, description);
    let refuses = number.map_or(REFUSALS.contains(&error), |number| !TRANSIENT.contains(&number));
    if [400, 401, 403].contains(&status) && refuses {
        return Err(refusal(service, number, error, description));
    }
    match service {
        TokenService::ManagedIdentity => Ok(None),
        TokenService::Entra => {
            let said = [error, description].join(" ");
            Err(TokenError::new(&format!("the token service answered {status} {said}")))
        }
    }
}

/// The token in an answer that came at `now`; any other answer is an error.
pub(crate) fn token(
    service: TokenService,
    status: u16,
    body: &[u8],
    now: Timestamp,
) -> Result<Token, TokenError> {
    let odd = || TokenError::new(&format!("the token service answered {status} without a token"));
    let canonical = read(service, status, body, now)?.ok_or_else(odd)?;
    let answer = json_body(&canonical).map_err(|_| odd())?;
    let secret = text(&answer, "access_token").ok_or_else(odd)?.into();
    let lives = lifetime(&answer, now).map_err(|_| odd())?;
    Ok(Token { secret, expires_on: now + TimeDelta::seconds(lives) })
}

/// The error of a text in which the Azure CLI or a library reports a refusal by number; `None` for any other text.
pub(crate) fn refusal_in(said: &str) -> Option<TokenError> {
    let number = number_in(&Value::Null, said).filter(|number| !TRANSIENT.contains(number))?;
    Some(refusal(TokenService::Entra, Some(number), "", said))
}

fn refusal(service: TokenService, number: Option<u32>, error: &str, description: &str) -> TokenError {
    let name = number.map_or_else(|| error.to_owned(), |number| format!("AADSTS{number}"));
    let cure = match (service, number) {
        (_, Some(number)) => cure(number).map_or_else(
            || format!("see https://login.microsoftonline.com/error?code={number}"),
            str::to_owned,
        ),
        (TokenService::ManagedIdentity, None) => {
            "this machine has no such identity: assign it, or correct `client_id`".to_owned()
        }
        (TokenService::Entra, None) => "check the credential in [azure]".to_owned(),
    };
    let text = format!("the token service refused the credential, {name}: {cure}. {description}");
    if number.is_some_and(|number| LASTING.contains(&number)) {
        return TokenError::refused_for_good(&text);
    }
    TokenError::refused(&text)
}

/// What an error's number says, and what to do.
fn cure(number: u32) -> Option<&'static str> {
    Some(match number {
        7_000_222 => "the client secret has expired: create a new one and put it where `secret` points",
        7_000_215 => "the client secret is wrong: `secret` must point to its value, not to its id",
        7_000_112 | 7_000_229 => "the application is disabled or missing in the tenant: enable it there",
        700_016 => "the tenant has no such application: correct `client_id` or `tenant`",
        90_002 | 90_023 | 900_023 | 900_021 => "there is no such tenant: correct `tenant`",
        70_021 | 700_211..=700_213 | 700_223 => {
            "no federated credential matches: compare its issuer, subject and audience with those of the token"
        }
        700_023 | 700_024 | 700_027 => "the client assertion is not valid: check its time, key and audience",
        500_011 | 500_014 | 650_057 => "the tenant has no such resource: check `endpoint` and `tenant`",
        50_076 | 50_079 | 53_000..=53_011 | 530_003 => {
            "a conditional access policy forbids it: let this identity through"
        }
        _ => return None,
    })
}

/// The number of an error: of its list, or behind `AADSTS` in its text.
fn number_in(answer: &Value, description: &str) -> Option<u32> {
    let listed = answer["error_codes"].as_array().and_then(|codes| codes.first()?.as_u64()?.try_into().ok());
    listed.or_else(|| {
        let (_, after) = description.split_once("AADSTS")?;
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        after[..end].parse().ok()
    })
}

/// The token in the form that both readers of `azure_identity` take.
fn canonical(answer: &Value, now: Timestamp) -> Result<Vec<u8>, Unreadable> {
    let token = text(answer, "access_token").ok_or_else(|| Unreadable("the body has no token".to_owned()))?;
    let lives = lifetime(answer, now)?;
    if lives < 1 {
        return Err(Unreadable("the token has expired already".to_owned()));
    }
    if lives > LIFETIME_MAX {
        return Err(Unreadable(format!("the token would live {lives} s, which is not believed")));
    }
    let expires_on = (now + TimeDelta::seconds(lives)).timestamp().to_string();
    let body = json!({
        "token_type": "Bearer", "access_token": token, "expires_in": lives, "ext_expires_in": lives,
        "expires_on": expires_on, "resource": "",
    });
    Ok(body.to_string().into_bytes())
}

/// The seconds that a token still lives: by `expires_in`, or else by `expires_on`. Both occur as text.
fn lifetime(answer: &Value, now: Timestamp) -> Result<i64, Unreadable> {
    let odd = |key: &str| Unreadable(format!("the token's `{key}` cannot be read"));
    match (&answer["expires_in"], &answer["expires_on"]) {
        (Value::Null, Value::Null) => {
            Err(Unreadable("the body does not say how long the token lives".to_owned()))
        }
        (Value::Null, on) => {
            let seconds = seconds(on).or_else(|| Some(date(on.as_str()?)?.timestamp()));
            seconds.map(|on| on.saturating_sub(now.timestamp())).ok_or_else(|| odd("expires_on"))
        }
        (lives, _) => seconds(lives).ok_or_else(|| odd("expires_in")),
    }
}

/// Whole seconds, as a number or as text. A number beyond all times is the largest.
fn seconds(of: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
    let whole = |float: f64| float.is_finite().then_some(float as i64);
    match of {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

/// A date as App Service writes it, or as others may.
fn date(text: &str) -> Option<Timestamp> {
    let written = ["%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z"];
    let read = written.iter().find_map(|format| DateTime::parse_from_str(text.trim(), format).ok());
    read.or_else(|| DateTime::parse_from_rfc3339(text.trim()).ok()).map(|at| at.to_utc())
}

#[cfg(test)]
mod tests;
