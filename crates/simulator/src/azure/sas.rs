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
    /// What a backup does: it reads, writes, deletes and lists, as the documentation asks of its SAS.
    pub(super) fn of_backup(url: &'a StorageUrl, at: Timestamp) -> Self {
        let permissions = &["r", "w", "d", "l"];
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
