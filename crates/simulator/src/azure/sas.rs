//! Checks a service SAS as storage does. Written from the public layout alone, and not from the code that mints: two
//! implementations that agree check each other.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{NaiveDate, NaiveDateTime};
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::Timestamp;
use sha2::Sha256;

use super::storage_url::StorageUrl;
use crate::request::pairs;

/// What somebody wants to do with a SAS.
pub(super) struct Use<'a> {
    pub(super) account: &'a str,
    pub(super) container: &'a str,
    /// `None` for the container itself.
    pub(super) blob: Option<&'a str>,
    /// One of these letters of `sp` is enough in each group.
    pub(super) permissions: &'a [&'a str],
    pub(super) https: bool,
    pub(super) at: Timestamp,
}

impl<'a> Use<'a> {
    /// What Azure does in a container by itself.
    pub(super) fn of_container(url: &'a StorageUrl, permissions: &'a [&'a str], at: Timestamp) -> Self {
        Self {
            account: &url.account,
            container: &url.container,
            blob: None,
            permissions,
            https: url.https,
            at,
        }
    }
}

/// What a backup does: it reads, writes, deletes and lists, as the documentation asks of its SAS.
pub(super) const TO_BACK_UP: &[&str] = &["r", "w", "d", "l"];
/// What the deletion of a backup does.
pub(super) const TO_DELETE: &[&str] = &["d"];
/// What a restore does, and a look into a blob: both look for it and read it.
pub(super) const TO_READ: &[&str] = &["r", "l"];

/// Why a SAS is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is none.
    Missing,
    /// It says something that cannot be read, says it twice, or is of a kind that is not known here.
    Malformed,
    /// It was signed with another key, or altered.
    Signature,
    NotYet,
    Expired,
    /// It is for another kind of thing than is asked for.
    Resource,
    Permission,
    Protocol,
    Address,
}

impl Refusal {
    /// Status and code of storage's answer (Microsoft Learn, Blob service error codes).
    pub(super) fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Missing => (401, "NoAuthenticationInformation"),
            Self::Permission => (403, "AuthorizationPermissionMismatch"),
            Self::Protocol => (403, "AuthorizationProtocolMismatch"),
            Self::Address => (403, "AuthorizationSourceIPMismatch"),
            Self::Malformed | Self::Signature | Self::NotYet | Self::Expired | Self::Resource => {
                (403, "AuthenticationFailed")
            }
        }
    }
}

/// The letters of `sp`, in the one order that storage takes.
const PERMISSIONS: &str = "racwdxyltmeopi";

/// The fields of the text that is signed, in its order; `ses` only since 2020-12-06. The empty name stands for the
/// resource's own path.
const SIGNED: [&str; 16] = [
    "sp", "st", "se", "", "si", "sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl",
    "rsct",
];

/// Signed fields of other kinds of SAS: for an account, or by a user's key.
const OTHER_KINDS: [&str; 6] = ["ss", "srt", "skoid", "saoid", "suoid", "sdd"];

/// Is the SAS in `query` good for this use? The signature is checked before anything that it covers is believed.
pub(super) fn check(key: &[u8], query: &str, asked: &Use<'_>) -> Result<(), Refusal> {
    let fields = fields(query)?;
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    if field("sig").is_empty() {
        return Err(Refusal::Missing);
    }
    if OTHER_KINDS.iter().any(|name| fields.contains_key(*name)) || field("sv") < "2018-11-09" {
        return Err(Refusal::Malformed);
    }
    let resource = match (field("sr"), asked.blob) {
        ("c", _) => format!("/blob/{}/{}", asked.account, asked.container),
        ("b", Some(blob)) => format!("/blob/{}/{}/{blob}", asked.account, asked.container),
        _ => return Err(Refusal::Resource),
    };
    let has_scope = field("sv") >= "2020-12-06";
    let lines = SIGNED.iter().filter(|name| has_scope || **name != "ses");
    let text: Vec<&str> =
        lines.map(|name| if name.is_empty() { resource.as_str() } else { field(name) }).collect();
    verify(key, &text.join("\n"), field("sig"))?;
    // A stored access policy would hold what is missing; no container here has any.
    if !field("si").is_empty() {
        return Err(Refusal::Malformed);
    }
    check_times(field("st"), field("se"), asked.at)?;
    check_protocol(field("spr"), asked.https)?;
    // Azure's own addresses are not known beforehand, so a SAS for one address serves no backup.
    if !field("sip").is_empty() {
        return Err(Refusal::Address);
    }
    check_permissions(field("sp"), asked.permissions)
}

/// The query's fields. One that stands twice could be read either way, so neither is believed.
fn fields(query: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs(query) {
        if fields.insert(name, value).is_some() {
            return Err(Refusal::Malformed);
        }
    }
    Ok(fields)
}

fn verify(key: &[u8], text: &str, signature: &str) -> Result<(), Refusal> {
    let signature = BASE64.decode(signature).map_err(|_| Refusal::Signature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::Signature)?;
    mac.update(text.as_bytes());
    mac.verify_slice(&signature).map_err(|_| Refusal::Signature)
}

fn check_times(start: &str, expiry: &str, at: Timestamp) -> Result<(), Refusal> {
    if !start.is_empty() && at < parse_time(start).ok_or(Refusal::Malformed)? {
        return Err(Refusal::NotYet);
    }
    let expiry = parse_time(expiry).ok_or(Refusal::Malformed)?;
    if at < expiry { Ok(()) } else { Err(Refusal::Expired) }
}

/// The forms of UTC that storage takes. An offset such as `+12:00` is refused, as a user found out
/// (hashicorp/terraform-provider-azurerm #16295).
fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc());
    }
    let forms = ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|at| at.and_utc())
}

fn check_protocol(allowed: &str, https: bool) -> Result<(), Refusal> {
    match allowed {
        "" | "https,http" => Ok(()),
        "https" if https => Ok(()),
        "https" => Err(Refusal::Protocol),
        _ => Err(Refusal::Malformed),
    }
}

fn check_permissions(granted: &str, wanted: &[&str]) -> Result<(), Refusal> {
    let mut places = granted.chars().map(|letter| PERMISSIONS.find(letter));
    let mut last = None;
    // Each letter is known, stands once, and behind those that come before it.
    let in_order = places.all(|place| place.is_some() && std::mem::replace(&mut last, place) < place);
    if !in_order {
        return Err(Refusal::Malformed);
    }
    let all = wanted.iter().all(|group| granted.contains(|letter| group.contains(letter)));
    if all { Ok(()) } else { Err(Refusal::Permission) }
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    const KEY: &[u8] = b"holdfast-invented-test-key-000001";
    const AT: &str = "2026-06-01T12:00:00Z";

    fn asked<'a>(permissions: &'a [&'a str], blob: Option<&'a str>) -> Use<'a> {
        let at = parse_timestamp(AT).unwrap();
        Use { account: "acct", container: "backups", blob, permissions, https: true, at }
    }

    /// A query that says `fields` and is signed for them, line by line as Microsoft's page has it.
    fn signed(fields: &[(&str, &str)]) -> String {
        let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value);
        let text = format!(
            "{}\n{}\n{}\n/blob/acct/backups\n{}\n{}\n{}\n{}\n{}\n\n\n\n\n\n\n",
            field("sp"),
            field("st"),
            field("se"),
            field("si"),
            field("sip"),
            field("spr"),
            field("sv"),
            field("sr"),
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(text.as_bytes());
        let signature = BASE64.encode(mac.finalize().into_bytes());
        let escape =
            |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escape(value)));
        pairs.chain([format!("sig={}", escape(&signature))]).collect::<Vec<_>>().join("&")
    }

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("sv", "2022-11-02"),
            ("st", "2026-06-01T00:00Z"),
            ("se", "2026-06-02"),
            ("sr", "c"),
            ("sp", "rwdl"),
        ]
    }

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        good().into_iter().filter(|(key, _)| *key != name).chain([(name, value)]).collect()
    }

    /// The pair of query and key that Azurite 3.37.0 took; the storage crate has the same one, from its own side.
    #[test]
    fn a_signature_that_a_real_blob_server_took_is_taken() {
        let query = "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl\
                     &spr=https%2Chttp&sig=WN2aH0424%2BgGH1ZdIr73OVfWhBIAP9tRbO%2B889C9X%2Bg%3D";
        let asked = Use { account: "devstoreaccount1", ..asked(&["r", "w", "d", "l"], None) };
        assert_eq!(check(KEY, query, &asked), Ok(()));
        assert_eq!(check(b"another key", query, &asked), Err(Refusal::Signature));
        // A `+` that was not encoded reads as a space.
        let careless = query.replace("%2B", "+");
        assert_eq!(check(KEY, &careless, &asked), Err(Refusal::Signature));
    }

    #[test]
    fn each_field_is_judged() {
        for (fields, kind) in [
            (good(), Ok(())),
            (with("st", ""), Ok(())),
            (with("st", "2026-06-01T12:00:01Z"), Err(Refusal::NotYet)),
            (with("st", "2026-06-01T12:00:00Z"), Ok(())),
            (with("se", "2026-06-01T12:00:00Z"), Err(Refusal::Expired)),
            (with("se", "2026-06-01T12:00:00.0000001Z"), Ok(())),
            (with("se", "2026-06-01T12:01Z"), Ok(())),
            (with("se", "2027-04-10T11:00:00+12:00"), Err(Refusal::Malformed)),
            (with("se", ""), Err(Refusal::Malformed)),
            (with("se", "tomorrow"), Err(Refusal::Malformed)),
            (with("sp", "rl"), Err(Refusal::Permission)),
            (with("sp", ""), Err(Refusal::Permission)),
            (with("sp", "racwdl"), Ok(())),
            (with("sp", "lrwd"), Err(Refusal::Malformed)),
            (with("sp", "rrwdl"), Err(Refusal::Malformed)),
            (with("sp", "rwdlz"), Err(Refusal::Malformed)),
            (with("sr", "b"), Err(Refusal::Resource)),
            (with("sr", ""), Err(Refusal::Resource)),
            (with("spr", "https"), Ok(())),
            (with("spr", "http"), Err(Refusal::Malformed)),
            (with("sip", "10.0.0.1"), Err(Refusal::Address)),
            (with("si", "policy"), Err(Refusal::Malformed)),
            (with("sv", "2015-04-05"), Err(Refusal::Malformed)),
            (with("skoid", "x"), Err(Refusal::Malformed)),
            (with("ss", "b"), Err(Refusal::Malformed)),
        ] {
            let query = signed(&fields);
            assert_eq!(check(KEY, &query, &asked(&["r", "w", "d", "l"], None)), kind, "{fields:?}");
        }
        let http = Use { https: false, ..asked(&["r"], None) };
        assert_eq!(check(KEY, &signed(&with("spr", "https")), &http), Err(Refusal::Protocol));
    }

    #[test]
    fn whatever_is_altered_after_signing_is_refused() {
        let query = signed(&good());
        for (from, to) in [
            ("sp=rwdl", "sp=racwdl"),
            ("se=2026-06-02", "se=2099-06-02"),
            ("st=2026-06-01T00:00Z", "st=2020-06-01T00:00Z"),
            ("sv=2022-11-02", "sv=2021-06-08"),
            ("sr=c", "sr=c&spr=https,http"),
            ("sr=c", "sr=c&rsct=text/html"),
            ("sr=c", "sr=c&ses=scope"),
        ] {
            let altered = query.replace(from, to);
            assert_ne!(altered, query);
            assert_eq!(check(KEY, &altered, &asked(&["r"], None)), Err(Refusal::Signature), "{to}");
        }
        for (account, container) in [("acct", "others"), ("other", "backups")] {
            let elsewhere = Use { account, container, ..asked(&["r"], None) };
            assert_eq!(check(KEY, &query, &elsewhere), Err(Refusal::Signature));
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_and_no_query_panics() {
        let query = signed(&good());
        for field in ["sp=rwdl", "sig=x", "se=2099-01-01"] {
            assert_eq!(
                check(KEY, &format!("{field}&{query}"), &asked(&["r"], None)),
                Err(Refusal::Malformed)
            );
        }
        assert_eq!(check(KEY, "", &asked(&["r"], None)), Err(Refusal::Missing));
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..5_000 {
            let mut bytes = query.clone().into_bytes();
            for _ in 0..rng.usize(1..4) {
                let place = rng.usize(..bytes.len());
                bytes[place] = rng.u8(32..127);
            }
            let altered = String::from_utf8(bytes).unwrap();
            let same = fields(&altered) == fields(&query);
            assert!(
                same || check(KEY, &altered, &asked(&["r"], None)).is_err() || is_harmless(&altered, &query)
            );
        }
        for hostile in
            ["%", "%zz=%", "&&&", "=", "sig=%ff%fe&sr=c&sv=9999", "sig=&sig=", "sv=%00&sr=c&sig=AAAA"]
        {
            assert!(check(KEY, hostile, &asked(&["r"], None)).is_err(), "{hostile}");
        }
    }

    /// Nothing that is signed differs: a parameter of no meaning was added, or one's empty value.
    fn is_harmless(altered: &str, query: &str) -> bool {
        let signed = |query: &str| {
            let fields = fields(query).unwrap_or_default();
            SIGNED
                .iter()
                .chain(&["sig"])
                .map(|n| fields.get(*n).cloned().unwrap_or_default())
                .collect::<Vec<_>>()
        };
        signed(altered) == signed(query)
    }

    #[test]
    fn before_2020_12_06_the_text_has_no_line_for_the_scope() {
        let fields = with("sv", "2019-12-12");
        assert_eq!(check(KEY, &signed(&fields), &asked(&["r"], None)), Err(Refusal::Signature));
        let text = "rwdl\n2026-06-01T00:00Z\n2026-06-02\n/blob/acct/backups\n\n\n\n2019-12-12\nc\n\n\n\n\n\n";
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(text.as_bytes());
        let signature = BASE64.encode(mac.finalize().into_bytes()).replace('+', "%2B");
        let query = format!("sv=2019-12-12&st=2026-06-01T00:00Z&se=2026-06-02&sr=c&sp=rwdl&sig={signature}");
        assert_eq!(check(KEY, &query, &asked(&["r"], None)), Ok(()));
    }
}
