//! User delegation keys, which sign SAS in place of the account's key.

use chrono::TimeDelta;
use holdfast_model::Timestamp;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};

use crate::http::{body, no_answer, refusal};
use crate::no_key::{ASKING, NoKey};
use crate::time::{SasTime, format_sas_time, start_of_minute};
use crate::{Container, Refusal, Tokens};

/// A user delegation key as storage returned it. Its texts go into each SAS unchanged.
#[derive(Debug, Clone)]
pub(crate) struct DelegationKey {
    pub object: String,
    pub tenant: String,
    pub start: String,
    pub expiry: String,
    pub service: String,
    pub version: String,
    pub value: SecretString,
    valid_from: Timestamp,
    valid_until: Timestamp,
}

/// The scope of storage tokens in every cloud.
pub(crate) const SCOPE: &str = "https://storage.azure.com/.default";

/// The version of the request. The key can sign any version of SAS.
pub(crate) const API_VERSION: &str = "2022-11-02";

/// A key is valid from this long ago: before any SAS that it signs now, whatever the clock skew.
const BEGUN_FOR: TimeDelta = TimeDelta::minutes(15);

/// The longest life of a key that storage grants.
const LIFE: TimeDelta = TimeDelta::days(7);

const ANSWER_MAX_BYTES: usize = 16 * 1024;

impl DelegationKey {
    /// Requests a new key with the longest life.
    pub(crate) async fn ask(
        client: &Client,
        container: &Container,
        tokens: &dyn Tokens,
        now: Timestamp,
    ) -> Result<Self, NoKey> {
        let token = tokens.token(SCOPE).await.map_err(NoKey::NoToken)?;
        let start = begin(now);
        let [start, expiry] = [start, start + LIFE].map(format_sas_time);
        let mut url = container.service();
        url.set_query(Some("restype=service&comp=userdelegationkey"));
        let request = client
            .post(url)
            .bearer_auth(token.expose_secret())
            .header("x-ms-version", API_VERSION)
            .header("content-type", "application/xml")
            .body(format!("<KeyInfo><Start>{start}</Start><Expiry>{expiry}</Expiry></KeyInfo>"));
        let answer = request.send().await.map_err(|error| NoKey::Refused(no_answer(ASKING, error)))?;
        match answer.status().as_u16() {
            200 => {}
            status @ (401 | 403) => return Err(NoKey::Forbidden { status }),
            // The request was to the account, not to the container.
            status @ 404 => return Err(NoKey::Refused(Refusal::Rejected { operation: ASKING, status })),
            _ => return Err(NoKey::Refused(refusal(ASKING, &answer))),
        }
        let lost = |reason| NoKey::Refused(Refusal::NoAnswer { operation: ASKING, reason });
        let text = body(answer, ANSWER_MAX_BYTES).await.map_err(lost)?;
        std::str::from_utf8(&text).ok().and_then(Self::parse).ok_or(NoKey::Unreadable)
    }

    /// Whether it can sign a SAS that is valid from `start` until `expiry`.
    pub(crate) fn covers(&self, start: Timestamp, expiry: Timestamp) -> bool {
        self.valid_from <= start && expiry <= self.valid_until
    }

    /// Whether it was requested in an earlier minute than `now`.
    pub(crate) fn is_older(&self, now: Timestamp) -> bool {
        self.valid_from < begin(now)
    }

    /// Parses the response: XML of one known form, whose values need no escapes.
    fn parse(xml: &str) -> Option<Self> {
        let element = |name: &str| {
            let (_, rest) = xml.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once(&format!("</{name}>"))?;
            (!value.is_empty() && !value.contains(['<', '&', '\n'])).then(|| value.to_owned())
        };
        let (start, expiry) = (element("SignedStart")?, element("SignedExpiry")?);
        Some(Self {
            valid_from: SasTime::parse(&start)?.at,
            valid_until: SasTime::parse(&expiry)?.at,
            object: element("SignedOid")?,
            tenant: element("SignedTid")?,
            start,
            expiry,
            service: element("SignedService")?,
            version: element("SignedVersion")?,
            value: element("Value")?.into(),
        })
    }
}

fn begin(now: Timestamp) -> Timestamp {
    start_of_minute(now) - BEGUN_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey>\
        <SignedOid>11111111-1111-1111-1111-111111111111</SignedOid>\
        <SignedTid>22222222-2222-2222-2222-222222222222</SignedTid>\
        <SignedStart>2027-01-31T11:45:00Z</SignedStart><SignedExpiry>2027-02-07T11:45:00Z</SignedExpiry>\
        <SignedService>b</SignedService><SignedVersion>2022-11-02</SignedVersion>\
        <Value>c2VjcmV0LWtleQ==</Value></UserDelegationKey>";

    fn at(text: &str) -> Timestamp {
        holdfast_model::parse_timestamp(text).unwrap()
    }

    #[test]
    fn a_key_covers_what_lies_within_its_life() {
        let key = DelegationKey::parse(ANSWER).unwrap();
        assert!(key.covers(at("2027-01-31T11:45:00Z"), at("2027-02-07T11:45:00Z")));
        assert!(!key.covers(at("2027-01-31T11:44:59Z"), at("2027-02-01T00:00:00Z")));
        assert!(!key.covers(at("2027-01-31T12:00:00Z"), at("2027-02-07T11:45:01Z")));
    }

    #[test]
    fn a_key_is_older_from_the_next_minute_on() {
        let key = DelegationKey::parse(ANSWER).unwrap();
        assert!(!key.is_older(at("2027-01-31T12:00:59Z")));
        assert!(key.is_older(at("2027-01-31T12:01:00Z")));
    }

    #[test]
    fn a_key_shows_nowhere() {
        let key = DelegationKey::parse(ANSWER).unwrap();
        assert!(!format!("{key:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn an_answer_without_one_of_the_fields_is_no_key() {
        for name in ["SignedOid", "SignedTid", "SignedStart", "SignedExpiry", "SignedVersion", "Value"] {
            assert!(DelegationKey::parse(&ANSWER.replace(name, "Other")).is_none(), "{name}");
        }
        assert!(DelegationKey::parse(&ANSWER.replace("2027-02-07T", "soon")).is_none());
    }
}
