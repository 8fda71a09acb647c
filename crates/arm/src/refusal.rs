//! A response other than 2xx: what it says and the error that follows.

use std::time::Duration;

use holdfast_model::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::envelope::{Envelope, has_request_id};
use crate::headers::{header, remaining, retry_after};
use crate::{CallSubject, Error, ErrorKind, ThrottleScope, TransportResponse};

/// The error of a refused call.
pub(crate) fn refusal(subject: &CallSubject<'_>, response: &TransportResponse, now: Timestamp) -> Error {
    let (status, said) = (response.status, Envelope::read(&response.body));
    let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
    let code = said.code.as_deref().filter(|code| !code.eq_ignore_ascii_case(&reason.replace(' ', "")));
    let speaker = if has_request_id(&response.headers) { "azure" } else { "a gateway or proxy" };
    let words = format!("{speaker} answered {status} {reason} {}", code.unwrap_or_default());
    let what = [Some(words.trim_end()), said.message.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(": ");
    let error = subject.error(kind(subject, response, &said, now), &what);
    error
        .with_answer(status, said.code.as_deref())
        .with_request_id(response.request_id())
        .with_retry_after(retry_after(&response.headers, now))
}

/// Codes of 403 and 409 that stay until a person changes something other than a role.
const LASTING: [&str; 6] = [
    "ScopeLocked",
    "ReadOnlyDisabledSubscription",
    "DisabledSubscription",
    "RequestDisallowedByPolicy",
    "MissingSubscriptionRegistration",
    "SubscriptionNotRegistered",
];

/// The meaning of a response other than 2xx.
///
/// A refusal in neither of Azure's envelopes is the word of a gateway or proxy, whatever its status: Azure may have done
/// what was asked.
fn kind(
    subject: &CallSubject<'_>,
    response: &TransportResponse,
    said: &Envelope,
    now: Timestamp,
) -> ErrorKind {
    let (status, headers) = (response.status, &response.headers);
    let is_azures = has_request_id(headers) && said.is_whole();
    let code = said.code.as_deref().unwrap_or_default();
    match status {
        // Azure's 429 has other forms too. Where nothing was asked to be done, a gateway's one means the same.
        429 if said.code.is_some() || has_azures_headers(headers) || !subject.operation.is_mutating() => {
            let retry_after = retry_after(headers, now).or_else(|| seconds_in(said.message.as_deref()?));
            ErrorKind::Throttled { retry_after, scope: throttle_scope(headers, said) }
        }
        _ if !is_azures => ErrorKind::Ambiguous,
        403 | 409 if LASTING.contains(&code) => ErrorKind::Rejected,
        409 => ErrorKind::Conflict { retry_after: retry_after(headers, now) },
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        // 408 comes from a gateway that gave up; the service behind it may have received the request.
        400..=499 if status != 408 => ErrorKind::Rejected,
        _ => ErrorKind::Ambiguous,
    }
}

/// Whether a header of Azure's is among the headers, such as a request id or what is left of a budget.
fn has_azures_headers(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-ms-"))
}

/// ARM's own 429 names the subscription or comes with an empty bucket. The App Service provider's comes from IIS while
/// ARM's bucket is far from empty. A 429 that shows neither is taken as ARM's, which makes more calls wait.
fn throttle_scope(headers: &HeaderMap, said: &Envelope) -> ThrottleScope {
    let code = said.code.as_deref().unwrap_or_default();
    let from_iis = header(headers, "server").is_some_and(|server| server.contains("IIS"));
    if ["SubscriptionRequestsThrottled", "TenantRequestsThrottled"].contains(&code) {
        return ThrottleScope::Arm;
    }
    match remaining(headers).least() {
        Some(0) => ThrottleScope::Arm,
        Some(_) => ThrottleScope::Provider,
        None if from_iis || (!said.by_arm && !code.is_empty()) => ThrottleScope::Provider,
        None => ThrottleScope::Arm,
    }
}

/// The seconds in `Please try again after '10' seconds`: ARM does not always send the header.
fn seconds_in(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again after '")?;
    let (seconds, _) = rest.split_once('\'')?;
    seconds.parse().ok().map(Duration::from_secs).filter(|wait| *wait <= Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{AppId, parse_timestamp};
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::Operation;

    fn now() -> Timestamp {
        parse_timestamp("2026-11-15T19:11:00Z").unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |(k, v): &(&'static str, &str)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap());
        pairs.iter().map(pair).collect()
    }

    fn refused(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Error {
        let app = AppId::new("s", "g", "shop", None);
        let response = TransportResponse { status, headers: headers(pairs), body: body.into() };
        refusal(&CallSubject::app(Operation::Backup, &app), &response, now())
    }

    const ID: [(&str, &str); 1] = [("x-ms-request-id", "r")];
    const WEB: &str = r#"{"Code":"Odd","Message":"no"}"#;
    const ARM: &str = r#"{"error":{"code":"Odd","message":"no"}}"#;

    #[test]
    fn every_status_of_azures_has_one_meaning() {
        for (statuses, kind) in [
            (&[400, 402, 405, 411, 412, 413][..], ErrorKind::Rejected),
            (&[401], ErrorKind::Unauthorized),
            (&[403], ErrorKind::Forbidden),
            (&[404], ErrorKind::NotFound),
            (&[409], ErrorKind::Conflict { retry_after: None }),
            (&[301, 408, 500, 502, 503, 504], ErrorKind::Ambiguous),
        ] {
            for status in statuses {
                for body in [WEB, ARM] {
                    assert_eq!(refused(*status, &ID, body).kind(), &kind, "{status}");
                }
            }
        }
    }

    #[test]
    fn a_refusal_without_azures_envelope_and_request_id_is_ambiguous() {
        let html = "<html><body>Blocked</body></html>";
        for status in [300, 302, 304, 400, 401, 403, 404, 405, 407, 409, 411, 413, 421, 429, 431, 451, 499] {
            for (pairs, body) in [
                (&[][..], html),
                (&[], ""),
                (&[], WEB),
                (&[], ARM),
                (&[("server", "Microsoft-IIS/10.0")], html),
                (&ID, html),
                (&ID, r#"{"message":"no"}"#),
                (&ID, r#"{"error":"forbidden"}"#),
                (&ID, r#"{"code":403,"message":"no"}"#),
            ] {
                // A 429 with a sign of Azure's is a 429.
                if status == 429 && (!pairs.is_empty() || body == WEB || body == ARM) {
                    continue;
                }
                let error = refused(status, pairs, body);
                assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{status} {body}");
                assert_eq!(error.status(), Some(status));
            }
        }
        let text = refused(403, &[], html).to_string();
        assert_eq!(text, "start a backup of shop: a gateway or proxy answered 403 Forbidden");
    }

    #[test]
    fn an_envelope_after_a_byte_order_mark_is_azures() {
        let body = format!("\u{feff}{WEB}");
        assert_eq!(refused(404, &ID, &body).kind(), &ErrorKind::NotFound);
    }

    #[test]
    fn both_envelopes_are_read() {
        let arm = refused(404, &ID, r#"{"error":{"code":"ResourceNotFound","message":"no such thing"}}"#);
        assert_eq!(
            arm.to_string(),
            "start a backup of shop: azure answered 404 Not Found ResourceNotFound: no such thing (request r)"
        );
        let web = refused(
            404,
            &ID,
            r#"{"Code":"NotFound","Message":"no such thing","Details":[{}],"Innererror":null}"#,
        );
        assert_eq!(
            web.to_string(),
            "start a backup of shop: azure answered 404 Not Found: no such thing (request r)"
        );
        for body in ["", "<html>", "[]", "null", r#"{"error":"x"}"#, r#"{"error":{"code":5}}"#] {
            assert_eq!(
                refused(404, &ID, body).to_string(),
                "start a backup of shop: azure answered 404 Not Found (request r)"
            );
        }
    }

    #[test]
    fn a_429_shows_whether_arm_or_the_provider_throttles() {
        let arm = r#"{"error":{"code":"SubscriptionRequestsThrottled","message":"Please try again after '10' seconds"}}"#;
        let reads = "x-ms-ratelimit-remaining-subscription-reads";
        for (pairs, body, seconds, scope) in [
            (vec![("retry-after", "3")], arm, Some(3), ThrottleScope::Arm),
            (vec![], arm, Some(10), ThrottleScope::Arm),
            (vec![(reads, "0")], "", None, ThrottleScope::Arm),
            (vec![(reads, "11998"), ("retry-after", "5")], "", Some(5), ThrottleScope::Provider),
            (
                vec![("server", "Microsoft-IIS/10.0"), ("x-ms-request-id", "r")],
                "",
                None,
                ThrottleScope::Provider,
            ),
            (vec![], r#"{"Code":"TooManyRequests"}"#, None, ThrottleScope::Provider),
        ] {
            let retry_after = seconds.map(Duration::from_secs);
            assert_eq!(refused(429, &pairs, body).kind(), &ErrorKind::Throttled { retry_after, scope });
        }
    }

    #[test]
    fn a_lock_a_policy_or_a_disabled_subscription_is_neither_waited_out_nor_a_missing_role() {
        for code in LASTING {
            let body = format!(r#"{{"error":{{"code":"{code}","message":"no writes"}}}}"#);
            assert_eq!(
                [403, 409].map(|status| refused(status, &ID, &body).kind().clone()),
                [ErrorKind::Rejected, ErrorKind::Rejected]
            );
        }
        let role = r#"{"error":{"code":"AuthorizationFailed","message":"does not have authorization"}}"#;
        assert_eq!(refused(403, &ID, role).kind(), &ErrorKind::Forbidden);
    }

    #[test]
    fn a_gateways_429_is_throttling_where_nothing_was_asked_to_be_done() {
        let app = AppId::new("s", "g", "shop", None);
        let response = TransportResponse { status: 429, headers: headers(&[]), body: b"<html>".to_vec() };
        let read = refusal(&CallSubject::app(Operation::GetSite, &app), &response, now());
        assert!(matches!(read.kind(), ErrorKind::Throttled { .. }));
        assert_eq!(refused(429, &[("retry-after", "7")], "<html>").kind(), &ErrorKind::Ambiguous);
    }

    #[test]
    fn the_retry_after_is_kept_with_any_status() {
        let error = refused(503, &[("retry-after", "9")], "");
        assert_eq!(
            (error.kind(), error.retry_after()),
            (&ErrorKind::Ambiguous, Some(Duration::from_secs(9)))
        );
    }

    #[test]
    fn a_refusals_text_holds_no_secret_that_azure_echoes() {
        let echo = r#"{"Code":"BadRequest","Message":"invalid url https://a/b?sp=rwdl&sig=S3cr3t%3D"}"#;
        let error = refused(400, &[], echo);
        assert!(!format!("{error} {error:?}").contains("S3cr3t"));
    }

    proptest! {
        #[test]
        fn any_refusal_is_taken(status in 100_u16..1000, body in any::<Vec<u8>>(), wait in "[ -~]{0,30}") {
            let app = AppId::new("s", "g", "shop", None);
            let response = TransportResponse { status, headers: headers(&[("retry-after", &wait)]), body };
            let error = refusal(&CallSubject::app(Operation::GetSite, &app), &response, now());
            prop_assert!(error.to_string().starts_with("look at shop: a gateway or proxy answered "));
        }
    }
}
