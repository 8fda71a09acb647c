use holdfast_model::parse_timestamp;
use proptest::prelude::*;

use super::TokenService::{Entra, ManagedIdentity};
use super::*;

fn now() -> Timestamp {
    parse_timestamp("2026-11-28T12:00:00Z").unwrap()
}

/// The seconds that the token of an answer lives, or why there is none.
fn lives(answer: &Value) -> Result<i64, String> {
    let body = answer.to_string();
    let read = read(Entra, 200, body.as_bytes(), now()).map_err(|error| error.to_string())?;
    let canonical: Value = serde_json::from_slice(&read.unwrap()).unwrap();
    assert_eq!(canonical["access_token"], "t");
    let (lives, on) = (canonical["expires_in"].as_i64().unwrap(), canonical["expires_on"].as_str().unwrap());
    assert_eq!(on.parse::<i64>().unwrap(), now().timestamp() + lives);
    Ok(lives)
}

#[test]
fn a_lifetime_is_read_in_every_form_and_never_believed_beyond_a_year() {
    let on = now().timestamp() + 3_599;
    for answer in [
        json!({"access_token": "t", "expires_in": 3599}),
        json!({"access_token": "t", "expires_in": "3599"}),
        json!({"access_token": "t", "expires_in": 3599.0}),
        json!({"access_token": "t", "expires_in": " 3599.2 "}),
        json!({"access_token": "t", "expires_in": "3599", "expires_on": "nonsense"}),
        json!({"access_token": "t", "expires_on": on}),
        json!({"access_token": "t", "expires_on": on.to_string()}),
        json!({"access_token": "t", "expires_on": "11/28/2026 12:59:59 +00:00"}),
        json!({"access_token": "t", "expires_on": "11/28/2026 12:59:59 PM +00:00"}),
        json!({"access_token": "t", "expires_on": "2026-11-28T12:59:59Z"}),
    ] {
        assert_eq!(lives(&answer), Ok(3_599), "{answer}");
    }
    for (answer, why) in [
        (json!({"access_token": "t", "expires_in": 1_000_000_000_000_000_000_i64}), "is not believed"),
        (json!({"access_token": "t", "expires_in": "1000000000000000000"}), "is not believed"),
        (json!({"access_token": "t", "expires_in": 1e300}), "is not believed"),
        (json!({"access_token": "t", "expires_in": u64::MAX}), "is not believed"),
        (json!({"access_token": "t", "expires_on": i64::MAX}), "is not believed"),
        (json!({"access_token": "t", "expires_on": i64::MIN}), "has expired already"),
        (json!({"access_token": "t", "expires_in": -5}), "has expired already"),
        (json!({"access_token": "t", "expires_in": 0}), "has expired already"),
        (json!({"access_token": "t", "expires_in": "soon"}), "`expires_in` cannot be read"),
        (json!({"access_token": "t", "expires_in": {}}), "`expires_in` cannot be read"),
        (json!({"access_token": "t", "expires_on": "soon"}), "`expires_on` cannot be read"),
        (json!({"access_token": "t"}), "does not say how long the token lives"),
        (json!({"access_token": "", "expires_in": 9}), "has no token"),
        (json!({"expires_in": 9}), "has no token"),
        (json!([]), "has no token"),
    ] {
        let error = lives(&answer).unwrap_err();
        assert!(error.contains(why), "{answer}: {error}");
    }
}

#[test]
fn a_byte_order_mark_before_a_token_is_skipped() {
    let body = format!("\u{feff}{}", json!({"access_token": "t", "expires_in": 5}));
    assert!(read(Entra, 200, body.as_bytes(), now()).unwrap().is_some());
}

#[test]
fn a_refused_credential_is_told_by_its_number_and_its_cure() {
    for (status, error, number, cure) in [
        (401, "invalid_client", 7_000_222, "the client secret has expired: create a new one"),
        (401, "invalid_client", 7_000_215, "must point to its value"),
        (400, "unauthorized_client", 700_016, "correct `client_id` or `tenant`"),
        (400, "invalid_request", 90_002, "correct `tenant`"),
        (400, "invalid_grant", 53_003, "a conditional access policy forbids it"),
        (400, "interaction_required", 50_076, "a conditional access policy forbids it"),
        (401, "invalid_client", 700_024, "the client assertion is not valid"),
        (400, "invalid_request", 70_021, "no federated credential matches"),
        (400, "invalid_request", 900_144, "https://login.microsoftonline.com/error?code=900144"),
    ] {
        // Entra's descriptions have line ends.
        let description = format!("AADSTS{number}: The text.\r\nTrace ID: 1\r\nclient_secret=S3CR3T");
        for codes in [json!([number]), Value::Null] {
            let body = json!({"error": error, "error_description": description, "error_codes": codes});
            let refused = read(Entra, status, body.to_string().as_bytes(), now()).unwrap_err();
            assert!(refused.is_refused(), "{refused}");
            let is_for_good = [7_000_222, 7_000_215, 700_016, 90_002].contains(&number);
            assert_eq!(refused.is_refused_for_good(), is_for_good, "{refused}");
            let text = refused.to_string();
            assert!(text.contains(&format!("AADSTS{number}: ")) && text.contains(cure), "{text}");
            assert!(!text.contains("S3CR3T"), "{text}");
        }
    }
}

#[test]
fn what_passes_by_itself_or_comes_from_a_proxy_refuses_no_credential() {
    let busy = json!({"error": "temporarily_unavailable", "error_description": "AADSTS90033: try later"});
    let refused =
        json!({"error": "invalid_client", "error_description": "AADSTS7000222: expired"}).to_string();
    for (status, body) in [
        (400, busy.to_string()),
        (401, "<html>Sign in to the proxy</html>".to_owned()),
        (403, String::new()),
        (407, refused.clone()),
        (500, refused.clone()),
        (503, "{}".to_owned()),
        (302, refused),
    ] {
        let error = read(Entra, status, body.as_bytes(), now()).unwrap_err();
        assert!(!error.is_refused(), "{status} {error}");
        assert!(error.to_string().contains(&status.to_string()));
        // Its own retry sees the status.
        assert_eq!(read(ManagedIdentity, status, body.as_bytes(), now()), Ok(None), "{status}");
    }
}

#[test]
fn a_machine_without_the_identity_is_refused() {
    let body = json!({"error": "invalid_request", "error_description": "Identity not found"}).to_string();
    let error = read(ManagedIdentity, 400, body.as_bytes(), now()).unwrap_err();
    assert!(error.is_refused() && error.to_string().contains("this machine has no such identity"), "{error}");
}

#[test]
fn the_text_of_a_tool_is_a_refusal_by_its_number_alone() {
    assert!(refusal_in("ERROR: AADSTS50076: you must use multi-factor").is_some_and(|e| e.is_refused()));
    for other in ["az: command not found", "AADSTS", "AADSTS90033: later"] {
        assert_eq!(refusal_in(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn any_answer_is_taken(status in 100_u16..600, body in any::<Vec<u8>>(), number in any::<f64>(), text in ".{0,20}") {
        for service in [Entra, ManagedIdentity] {
            let _ = read(service, status, &body, now());
            for answer in [
                json!({"access_token": "t", "expires_in": number}),
                json!({"access_token": "t", "expires_on": number}),
                json!({"access_token": "t", "expires_on": text, "error": text, "error_description": text}),
            ] {
                let _ = read(service, status, answer.to_string().as_bytes(), now());
            }
        }
    }
}
