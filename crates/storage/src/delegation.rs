//! User delegation keys: storage hands one to whoever has the role, and it signs SAS in the place of the account's key.

use chrono::TimeDelta;
use holdfast_model::Timestamp;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};

use crate::http::{body, no_answer, refusal};
use crate::time::{SasTime, format_sas_time, start_of_minute};
use crate::{Container, ErrorKind, NoToken, Refusal, Tokens};

/// A user delegation key as storage gave it: the texts go into each SAS as they came.
#[derive(Debug, Clone)]
pub(crate) struct DelegationKey {
    pub object: String,
    pub tenant: String,
    pub start: String,
    pub expiry: String,
    pub service: String,
    pub version: String,
    pub value: SecretString,
    window: (Timestamp, Timestamp),
}

/// Why there is no user delegation key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// Nobody is known who could ask for it.
    #[error("{0}")]
    NoToken(NoToken),
    /// 401 or 403.
    #[error(
        "{ASKING} was answered {status}: give the credential the roles `Storage Blob Delegator` on the storage \
         account and `Storage Blob Data Contributor` on the container, or open the account's network"
    )]
    Forbidden {
        /// The HTTP status.
        status: u16,
    },
    /// Another answer than a key, or none.
    #[error("{0}")]
    Refused(Refusal),
    /// The answer holds no key.
    #[error("{ASKING} was answered with something else")]
    Unreadable,
}

impl NoKey {
    /// What it means for whoever waits for the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken(_) => ErrorKind::Unreachable,
            Self::Refused(refusal) => refusal.kind(),
            Self::Forbidden { .. } | Self::Unreadable => ErrorKind::Unusable,
        }
    }
}

const ASKING: &str = "asking for a user delegation key";

/// One token for the storage of every cloud.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The version of the request. The key can be used with any version of SAS.
const API_VERSION: &str = "2022-11-02";

/// A key begins this long ago: before any SAS that it is to sign now, whatever the clocks' difference.
const BEGUN_FOR: TimeDelta = TimeDelta::minutes(15);

/// Storage gives no key for longer.
const LIFE: TimeDelta = TimeDelta::days(7);

const ANSWER_MAX_BYTES: usize = 16 * 1024;

impl DelegationKey {
    /// A new key that lasts as long as one may.
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
            // It is the account that was asked, and not the container.
            status @ 404 => return Err(NoKey::Refused(Refusal::Rejected { operation: ASKING, status })),
            _ => return Err(NoKey::Refused(refusal(ASKING, &answer))),
        }
        let lost = |reason| NoKey::Refused(Refusal::NoAnswer { operation: ASKING, reason });
        let text = body(answer, ANSWER_MAX_BYTES).await.map_err(lost)?;
        std::str::from_utf8(&text).ok().and_then(Self::parse).ok_or(NoKey::Unreadable)
    }

    /// Can it sign a SAS that holds from `start` until `expiry`?
    pub(crate) fn covers(&self, start: Timestamp, expiry: Timestamp) -> bool {
        self.window.0 <= start && expiry <= self.window.1
    }

    /// Is it of an earlier minute than one asked for at `now` would be?
    pub(crate) fn is_older(&self, now: Timestamp) -> bool {
        self.window.0 < begin(now)
    }

    /// The answer is XML of one known form, whose values hold nothing that XML would write otherwise.
    fn parse(xml: &str) -> Option<Self> {
        let element = |name: &str| {
            let (_, rest) = xml.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once(&format!("</{name}>"))?;
            (!value.is_empty() && !value.contains(['<', '&', '\n'])).then(|| value.to_owned())
        };
        let (start, expiry) = (element("SignedStart")?, element("SignedExpiry")?);
        Some(Self {
            window: (SasTime::parse(&start)?.at, SasTime::parse(&expiry)?.at),
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
