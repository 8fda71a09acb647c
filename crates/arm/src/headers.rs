//! What the headers of a response say.

use std::time::Duration;

use chrono::DateTime;
use holdfast_model::Timestamp;
use reqwest::header::HeaderMap;

use crate::Remaining;

/// A header's text. A header that is no text counts as absent.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `Retry-After` as seconds or as a date, at most a day, so that sums with times cannot overflow.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    const MAX: Duration = Duration::from_hours(24);
    let value = header(headers, "retry-after")?.trim();
    let seconds = value.parse().ok().map(Duration::from_secs);
    let date = || DateTime::parse_from_rfc2822(value).ok();
    let wait = seconds.or_else(|| Some((date()?.to_utc() - now).to_std().unwrap_or_default()))?;
    Some(wait.min(MAX))
}

/// The rest of ARM's budgets (headers `x-ms-ratelimit-remaining-subscription-*`).
pub(crate) fn remaining(headers: &HeaderMap) -> Remaining {
    let left =
        |kind| header(headers, &format!("x-ms-ratelimit-remaining-subscription-{kind}"))?.trim().parse().ok();
    Remaining {
        reads: left("reads"),
        writes: left("writes"),
        deletes: left("deletes"),
        resource_requests: left("resource-requests"),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn now() -> Timestamp {
        parse_timestamp("2026-11-15T19:11:00Z").unwrap()
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_may_be_missing_or_zero() {
        for (value, seconds) in [
            ("17", Some(17)),
            ("0", Some(0)),
            ("Sun, 15 Nov 2026 19:11:30 GMT", Some(30)),
            ("Sun, 15 Nov 2026 19:00:00 GMT", Some(0)),
            ("99999999", Some(86_400)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let read = retry_after(&with("retry-after", value), now());
            assert_eq!(read, seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now()), None);
    }
}
