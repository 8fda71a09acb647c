//! Checks whether a backup can use a SAS. Azure accepts any SAS with the POST and fails later.

use std::fmt;

use holdfast_model::{SasWindow, Timestamp};

use crate::sas::Sas;
use crate::sas_parts::{Permissions, Scope};
use crate::time::format_sas_time;

/// The result of checking a SAS without a request to storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasCheck {
    /// The reasons why the backup cannot use it; empty when it can.
    pub faults: Vec<SasFault>,
    /// Notices for a person about a usable SAS.
    pub warnings: Vec<SasWarning>,
}

/// A reason why a backup cannot use a SAS. The text continues after "the SAS for storage `weu`".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SasFault {
    /// `sr` is not `c`.
    #[error("is for {} and must be for the container (sr=c)", describe(*.0))]
    Scope(Scope),
    /// `sp` lacks letters.
    #[error("lacks {} permission: sp is `{held}`, it needs `rwdl`", list(.missing))]
    Permissions {
        /// The letters that it has.
        held: Permissions,
        /// The words for the letters that it lacks.
        missing: Vec<&'static str>,
    },
    /// Neither `sp` nor a stored access policy.
    #[error("names no permissions: it has neither sp nor si")]
    NoPermissions,
    /// Neither `se` nor a stored access policy.
    #[error("names no expiry: it has neither se nor si")]
    NoExpiry,
    /// `spr` excludes the protocol of the container's URL.
    #[error("does not allow {0} (spr)")]
    Protocol(&'static str),
    /// `st` is in the future.
    #[error("does not begin until {}", format_sas_time(*.0))]
    NotBegun(Timestamp),
    /// `se` has passed.
    #[error("expired at {}", format_sas_time(*.0))]
    Expired(Timestamp),
    /// `se` is before the backup's latest end plus the clock skew.
    #[error(
        "ends at {}, too early for a backup that may run until {}",
        format_sas_time(*.expiry),
        format_sas_time(*.until)
    )]
    TooShort {
        /// When the SAS expires.
        expiry: Timestamp,
        /// The latest end of the backup.
        until: Timestamp,
    },
}

/// A notice for a person about a usable SAS. The text continues after "the SAS for storage `weu`".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SasWarning {
    /// `se` or `st` has an offset in place of `Z`. Azure answered 403 to one (hashicorp/terraform-provider-azurerm
    /// #16295).
    Offset,
    /// `si`: the policy's expiry and permissions are not in the SAS.
    StoredPolicy,
    /// `sip`: the backup comes from an App Service address and the probe from here.
    Addresses,
}

/// Checks a SAS for a backup that starts at `now` and may run until `until`. The backup uses HTTP where `is_plain_http`
/// is set, else HTTPS.
pub fn check_sas(sas: &Sas, now: Timestamp, until: Timestamp, is_plain_http: bool) -> SasCheck {
    let faults = [
        (sas.scope != Scope::Container).then_some(SasFault::Scope(sas.scope)),
        permissions_fault(sas),
        protocol_fault(sas, is_plain_http),
        start_fault(sas, now),
        end_fault(sas, now, until),
    ];
    let has_offset = [sas.start, sas.expiry].into_iter().flatten().any(|time| time.has_offset);
    let warnings = [
        has_offset.then_some(SasWarning::Offset),
        sas.has_policy.then_some(SasWarning::StoredPolicy),
        sas.has_addresses.then_some(SasWarning::Addresses),
    ];
    SasCheck {
        faults: faults.into_iter().flatten().collect(),
        warnings: warnings.into_iter().flatten().collect(),
    }
}

fn permissions_fault(sas: &Sas) -> Option<SasFault> {
    let needed = [('r', "read"), ('w', "write"), ('d', "delete"), ('l', "list")];
    match &sas.permissions {
        None => (!sas.has_policy).then_some(SasFault::NoPermissions),
        Some(held) => {
            let missing: Vec<_> =
                needed.into_iter().filter(|(letter, _)| !held.hold(*letter)).map(|(_, word)| word).collect();
            (!missing.is_empty()).then(|| SasFault::Permissions { held: held.clone(), missing })
        }
    }
}

fn protocol_fault(sas: &Sas, is_plain_http: bool) -> Option<SasFault> {
    match (is_plain_http, sas.protocols.http, sas.protocols.https) {
        (true, false, _) => Some(SasFault::Protocol("http")),
        (false, _, false) => Some(SasFault::Protocol("https")),
        _ => None,
    }
}

fn start_fault(sas: &Sas, now: Timestamp) -> Option<SasFault> {
    let window = sas.window();
    window.start.filter(|_| !window.has_begun(now)).map(SasFault::NotBegun)
}

fn end_fault(sas: &Sas, now: Timestamp, until: Timestamp) -> Option<SasFault> {
    // The start is checked separately, so that each fault is reported separately.
    let window = SasWindow { start: None, ..sas.window() };
    match window.expiry {
        // A stored policy may keep the expiry; without one, storage refuses a SAS that has none.
        None => (!sas.has_policy).then_some(SasFault::NoExpiry),
        Some(_) if window.covers(now, until) => None,
        Some(expiry) if window.has_expired(now) => Some(SasFault::Expired(expiry)),
        Some(expiry) => Some(SasFault::TooShort { expiry, until }),
    }
}

fn describe(scope: Scope) -> &'static str {
    match scope {
        Scope::Container => "a container",
        Scope::Blob => "a single blob",
        Scope::Directory => "a folder",
        Scope::Account => "a whole storage account",
        Scope::Unknown => "something else",
    }
}

/// `write`, `write and delete`, `write, delete and list`.
fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

impl fmt::Display for SasWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offset => {
                "gives a time with an offset such as +12:00, and Azure has answered 403 to those when the backup ran: \
                 make one whose times end in Z"
            }
            Self::StoredPolicy => {
                "is held by a stored access policy, so its expiry and permissions cannot be seen here: only a test \
                 write can tell"
            }
            Self::Addresses => {
                "is limited to some addresses (sip): those that the app sends from must be among them"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;
    use secrecy::SecretString;

    use super::*;

    const GOOD: [(&str, &str); 7] = [
        ("sv", "2022-11-02"),
        ("sr", "c"),
        ("sp", "rwdl"),
        ("st", "2027-01-31T00:00:00Z"),
        ("se", "2027-02-02T00:00:00Z"),
        ("spr", "https"),
        ("sig", "c2lnbmF0dXJl"),
    ];

    fn at(text: &str) -> Timestamp {
        parse_timestamp(text).unwrap()
    }

    /// The good SAS with some fields given another value, or taken away.
    fn checked(changes: &[(&str, Option<&str>)]) -> SasCheck {
        let mut fields: Vec<(&str, &str)> = GOOD.to_vec();
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
        let query =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let sas = Sas::parse(&SecretString::from(query)).unwrap();
        check_sas(&sas, at("2027-01-31T12:00:00Z"), at("2027-01-31T16:00:00Z"), false)
    }

    fn faults(changes: &[(&str, Option<&str>)]) -> Vec<String> {
        checked(changes).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_sas_has_no_fault_and_no_warning() {
        assert_eq!(checked(&[]), SasCheck { faults: vec![], warnings: vec![] });
        assert!(faults(&[("st", None), ("spr", None)]).is_empty());
        assert!(faults(&[("sp", Some("racwdxyltmeopi"))]).is_empty());
        assert!(faults(&[("spr", Some("https,http"))]).is_empty());
    }

    #[test]
    fn each_missing_permission_is_named() {
        assert_eq!(
            faults(&[("sp", Some("rl"))]),
            ["lacks write and delete permission: sp is `rl`, it needs `rwdl`"]
        );
        assert_eq!(
            faults(&[("sp", Some("r"))]),
            ["lacks write, delete and list permission: sp is `r`, it needs `rwdl`"]
        );
        assert_eq!(faults(&[("sp", None)]), ["names no permissions: it has neither sp nor si"]);
    }

    #[test]
    fn only_a_container_will_do() {
        assert_eq!(
            faults(&[("sr", Some("b"))]),
            ["is for a single blob and must be for the container (sr=c)"]
        );
        assert_eq!(
            faults(&[("sr", None), ("ss", Some("b")), ("srt", Some("co"))]),
            ["is for a whole storage account and must be for the container (sr=c)"]
        );
    }

    #[test]
    fn it_must_be_valid_now_and_for_long_enough() {
        assert_eq!(
            faults(&[("st", Some("2027-01-31T13:00:00Z"))]),
            ["does not begin until 2027-01-31T13:00:00Z"]
        );
        assert_eq!(faults(&[("se", Some("2027-01-31T11:00:00Z"))]), ["expired at 2027-01-31T11:00:00Z"]);
        assert!(faults(&[("se", Some("2027-01-31T16:05:00Z"))]).is_empty());
        assert_eq!(
            faults(&[("se", Some("2027-01-31T16:04:59Z"))]),
            ["ends at 2027-01-31T16:04:59Z, too early for a backup that may run until 2027-01-31T16:00:00Z"]
        );
        assert_eq!(faults(&[("se", None)]), ["names no expiry: it has neither se nor si"]);
        assert_eq!(
            faults(&[("ske", Some("2027-01-31T15:00:00Z"))]).len(),
            1,
            "the key behind it lapses first"
        );
    }

    #[test]
    fn all_faults_are_reported_together() {
        let changes = [
            ("sr", Some("b")),
            ("sp", Some("l")),
            ("spr", Some("http")),
            ("st", Some("2027-01-31T13:00:00Z")),
            ("se", Some("2027-01-31T14:00:00Z")),
        ];
        assert_eq!(faults(&changes).len(), 5);
    }

    #[test]
    fn a_stored_policy_may_hold_what_the_sas_does_not() {
        let check = checked(&[("si", Some("backups")), ("se", None), ("sp", None)]);
        assert_eq!(check, SasCheck { faults: vec![], warnings: vec![SasWarning::StoredPolicy] });
    }

    #[test]
    fn an_offset_and_an_address_range_are_warned_about() {
        let check = checked(&[("se", Some("2027-02-10T11:00:00%2B12:00")), ("sip", Some("10.0.0.1"))]);
        assert_eq!(
            check,
            SasCheck { faults: vec![], warnings: vec![SasWarning::Offset, SasWarning::Addresses] }
        );
    }

    #[test]
    fn over_plain_http_the_sas_must_allow_it() {
        let sas = Sas::parse(&"sv=2022-11-02&sr=c&sp=rwdl&se=2028-01-01&spr=https&sig=eA".into()).unwrap();
        let check = check_sas(&sas, at("2027-01-31T12:00:00Z"), at("2027-01-31T16:00:00Z"), true);
        assert_eq!(check.faults, [SasFault::Protocol("http")]);
    }
}
