//! The exchange of a code for an id token.
//!
//! Source: Microsoft's page "OAuth 2.0 authorization code flow", section "Redeem a code for an access token".

use holdfast_arm::{Transport, TransportRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::error::{Error, Unavailable};
use crate::login::LoginAttempt;
use crate::settings::Settings;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// What Entra is asked for, in messages.
const WHAT: &str = "the token of a login";
/// How Entra's numbers of errors begin.
const NUMBER: &str = "AADSTS";

#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

#[derive(Deserialize)]
struct Denial {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The id token that Entra gives for the code of a login.
pub(crate) async fn exchange(
    settings: &Settings,
    transport: &dyn Transport,
    (endpoint, code): (&Url, &str),
    attempt: &LoginAttempt,
) -> Result<SecretString, Error> {
    let form = form(settings, code, attempt)?;
    let request = TransportRequest::form(endpoint.clone(), &form, ANSWER_BYTES_MAX);
    let response = transport.send(request).await;
    let response = response.map_err(|error| Unavailable { what: WHAT, reason: error.to_string() })?;
    read(response.status, &response.body)
}

/// The form. Without a secret, the application is a public client, and PKCE alone binds the code to this process.
fn form(settings: &Settings, code: &str, attempt: &LoginAttempt) -> Result<SecretString, Error> {
    let secret = settings.secret.as_ref().map(|read| read()).transpose().map_err(Error::ReadSecret)?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs([
        ("grant_type", "authorization_code"),
        ("client_id", &settings.client_id),
        ("scope", "openid profile"),
        ("code", code),
        ("redirect_uri", settings.redirect_uri().as_str()),
        ("code_verifier", attempt.verifier.expose_secret()),
    ]);
    if let Some(secret) = &secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    Ok(form.finish().into())
}

fn read(status: u16, body: &[u8]) -> Result<SecretString, Error> {
    let odd = |reason: &str| Error::from(Unavailable { what: WHAT, reason: reason.to_owned() });
    match status {
        200 if body.len() > ANSWER_BYTES_MAX => Err(odd("the answer is too long")),
        200 => {
            let answer: Result<Answer, _> = serde_json::from_slice(body);
            answer.map(|answer| answer.id_token.into()).map_err(|_| odd("the answer has no id token"))
        }
        400 | 401 | 403 => {
            let denial: Denial =
                serde_json::from_slice(body).map_err(|_| Unavailable::answered(WHAT, status))?;
            Err(Error::denied(&denial.error, &denial.error_description))
        }
        status => Err(Unavailable::answered(WHAT, status).into()),
    }
}

impl Error {
    /// A login that Entra refuses. Of its texts, the word of OAuth 2.0 and the number of the error are kept.
    pub fn denied(error: &str, description: &str) -> Self {
        let is_word =
            error.len() <= 40 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let word = if is_word && !error.is_empty() { error } else { "an unknown error" };
        let number = description.split_once(NUMBER).map(|(_, rest)| rest);
        let digits = number.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        Self::Denied(match digits.filter(|digits| (1..=9).contains(&digits.len())) {
            Some(digits) => format!("{word} ({NUMBER}{digits})"),
            None => word.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_gives_a_token_or_says_what_is_wrong_without_repeating_it() {
        assert_eq!(
            read(200, br#"{"id_token":"a.b.c","access_token":"x"}"#).unwrap().expose_secret(),
            "a.b.c"
        );
        let denied =
            br#"{"error":"invalid_grant","error_description":"AADSTS70008: code eyJ was used. Trace"}"#;
        assert_eq!(
            read(400, denied).unwrap_err().to_string(),
            "Entra ID refused the login: invalid_grant (AADSTS70008)"
        );
        for (status, body) in [
            (200, r#"{"access_token":"secret"}"#),
            (200, "<html>secret"),
            (302, ""),
            (400, "secret"),
            (500, r#"{"error":"secret"}"#),
        ] {
            let error = read(status, body.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{status} {body}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn of_a_foreign_text_only_a_word_and_a_number_are_repeated() {
        for (error, description, shown) in [
            ("access_denied", "", "access_denied"),
            ("access_denied", "AADSTS65004: declined", "access_denied (AADSTS65004)"),
            ("<script>", "AADSTS<b>", "an unknown error"),
            ("", "AADSTS1234567890", "an unknown error"),
        ] {
            assert_eq!(Error::denied(error, description), Error::Denied(shown.to_owned()));
        }
    }
}
