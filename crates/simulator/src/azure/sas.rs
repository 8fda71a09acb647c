//! Checks a service SAS as storage does. It follows the public layout and shares no code with the code that mints, so
//! that two independent implementations check each other.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{NaiveDate, NaiveDateTime};
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::Timestamp;
use sha2::Sha256;

use crate::request::pairs;

#[cfg(test)]
mod tests;

/// An intended use of a SAS.
pub(super) struct SasUse<'a> {
    pub(super) account: &'a str,
    pub(super) container: &'a str,
    /// `None` for the container itself.
    pub(super) blob: Option<&'a str>,
    /// One of these letters of `sp` is enough in each group.
    pub(super) permissions: &'a [&'a str],
    pub(super) https: bool,
    pub(super) at: Timestamp,
}

/// The permissions of a backup: it reads, writes, deletes and lists, as documented.
pub(super) const TO_BACK_UP: &[&str] = &["r", "w", "d", "l"];
/// The permissions of a backup's deletion.
pub(super) const TO_DELETE: &[&str] = &["d"];
/// The permissions of a restore and of a discovery: both list and read.
pub(super) const TO_READ: &[&str] = &["r", "l"];

/// The reason why a SAS is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No SAS.
    Missing,
    /// A field cannot be read or occurs twice, or the kind of SAS is not simulated.
    Malformed,
    /// It was signed with another key, or altered.
    Signature,
    NotYet,
    Expired,
    /// It is for another kind of resource.
    Resource,
    Permission,
    Protocol,
    Address,
}

impl Refusal {
    /// The status and code of storage's response (Microsoft Learn, Blob service error codes).
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

/// The letters of `sp`, in the only order that storage accepts.
const PERMISSIONS: &str = "racwdxyltmeopi";

/// The fields of the signed text, in order; `ses` only since 2020-12-06. The empty name stands for the resource's path.
const SIGNED: [&str; 16] = [
    "sp", "st", "se", "", "si", "sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl",
    "rsct",
];

/// Signed fields of other kinds of SAS: for an account, or by a user's key.
const OTHER_KINDS: [&str; 6] = ["ss", "srt", "skoid", "saoid", "suoid", "sdd"];

/// Checks the SAS in `query` for a use. The signature is checked before the fields that it covers.
pub(super) fn check(key: &[u8], query: &str, asked: &SasUse<'_>) -> Result<(), Refusal> {
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
    // Stored access policies are not simulated.
    if !field("si").is_empty() {
        return Err(Refusal::Malformed);
    }
    check_times(field("st"), field("se"), asked.at)?;
    check_protocol(field("spr"), asked.https)?;
    // Azure's own addresses are not known in advance, so a SAS for one address is useless for a backup.
    if !field("sip").is_empty() {
        return Err(Refusal::Address);
    }
    check_permissions(field("sp"), asked.permissions)
}

/// The query's fields. A field that occurs twice is ambiguous, so it is refused.
pub(super) fn fields(query: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs(query) {
        if fields.insert(name, value).is_some() {
            return Err(Refusal::Malformed);
        }
    }
    Ok(fields)
}

pub(super) fn verify(key: &[u8], text: &str, signature: &str) -> Result<(), Refusal> {
    let signature = BASE64.decode(signature).map_err(|_| Refusal::Signature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::Signature)?;
    mac.update(text.as_bytes());
    mac.verify_slice(&signature).map_err(|_| Refusal::Signature)
}

pub(super) fn check_times(start: &str, expiry: &str, at: Timestamp) -> Result<(), Refusal> {
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

pub(super) fn check_protocol(allowed: &str, https: bool) -> Result<(), Refusal> {
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
