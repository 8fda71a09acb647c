//! Checks whether a backup can use a SAS. Azure accepts any SAS with the POST and fails later.

use std::fmt;

use holdfast_model::{SasWindow, Timestamp};

use crate::permissions::Permissions;
use crate::sas::Sas;
use crate::sas_parts::{SIGNATURE_LETTERS, SignatureForm};
use crate::scope::Scope;
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
    #[error("is for {} and must be for the container (sr=c)", .0)]
    Scope(Scope),
    /// `sp` lacks letters.
    #[error("lacks {} permission: sp is `{held}`, it needs `rwdl`", list(.missing))]
    Permissions {
        /// The letters that it has.
        held: Permissions,
        /// The words for the letters that it lacks.
        missing: Vec<&'static str>,
    },
    /// `sp` has something that is no permission of a blob or a container.
    #[error("has something in sp that storage does not know: write only letters such as `rwdl`")]
    UnknownPermissions,
    /// Storage takes the letters of `sp` in one order, each once.
    #[error("has the permissions sp=`{held}`, and storage takes each letter once and in the order `{right}`")]
    PermissionOrder {
        /// The letters as they are.
        held: Permissions,
        /// The same letters in the right order.
        right: Permissions,
    },
    /// Neither `sp` nor a stored access policy.
    #[error("names no permissions: it has neither sp nor si")]
    NoPermissions,
    /// Neither `se` nor a stored access policy.
    #[error("names no expiry: it has neither se nor si")]
    NoExpiry,
    /// `sig` is not the base64 of an HMAC-SHA256.
    #[error(
        "has a sig of {0} letters that is no signature: one has {SIGNATURE_LETTERS} letters, with `%3D` for `=` at its end"
    )]
    Signature(usize),
    /// `sv` is not a date.
    #[error("has no version such as sv=2022-11-02")]
    Version,
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
    let SignatureForm { letters, is_whole } = sas.signature;
    let faults = [
        (sas.scope != Scope::Container).then(|| SasFault::Scope(sas.scope.clone())),
        permissions_fault(sas),
        letters_fault(sas),
        (!is_whole).then_some(SasFault::Signature(letters)),
        sas.version.is_none().then_some(SasFault::Version),
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

/// An account SAS has other letters than `sp` of one resource, and in any order.
fn letters_fault(sas: &Sas) -> Option<SasFault> {
    let held = sas.permissions.as_ref().filter(|_| !matches!(sas.scope, Scope::Account(_)))?;
    if !held.are_known() {
        return Some(SasFault::UnknownPermissions);
    }
    let right = held.in_order();
    (right != *held).then(|| SasFault::PermissionOrder { held: held.clone(), right })
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
        ("sig", "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmE%3D"),
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
            [
                "is for a whole storage account (an account SAS, ss=b and srt=co) and must be for the container (sr=c)"
            ]
        );
    }

    #[test]
    fn an_account_sas_is_one_whatever_sr_says() {
        assert_eq!(
            faults(&[("sr", Some("b")), ("ss", Some("b")), ("srt", Some("o")), ("sp", Some("w"))]),
            [
                "is for the objects of a storage account only (an account SAS, ss=b and srt=o, with a stray sr) and must \
                 be for the container (sr=c)",
                "lacks read, delete and list permission: sp is `w`, it needs `rwdl`",
            ]
        );
    }

    #[test]
    fn permissions_have_one_order_except_in_an_account_sas() {
        assert_eq!(
            faults(&[("sp", Some("lwdr"))]),
            ["has the permissions sp=`lwdr`, and storage takes each letter once and in the order `rwdl`"]
        );
        assert_eq!(faults(&[("sp", Some("rwwdl"))]).len(), 1);
        let unknown = "has something in sp that storage does not know: write only letters such as `rwdl`";
        assert_eq!(faults(&[("sp", Some("r,w,d,l"))]), [unknown]);
        assert_eq!(faults(&[("sp", Some("RWDL"))])[1], unknown);
        let account = [("sr", None), ("ss", Some("b")), ("srt", Some("sco")), ("sp", Some("rwdlacup"))];
        assert_eq!(faults(&account).len(), 1, "only the scope");
    }

    #[test]
    fn a_signature_is_whole_or_named_by_its_length() {
        let whole = "A".repeat(43);
        for (sig, is_whole) in [
            (format!("{whole}%3D"), true),
            (format!("{whole}="), true),
            (whole.clone(), false),
            (format!("{whole}%3D%3D"), false),
            (format!("{}-%3D", &whole[1..]), false),
            (format!("{whole}%3D%22"), false),
        ] {
            assert_eq!(faults(&[("sig", Some(&sig))]).is_empty(), is_whole, "{sig}");
        }
        let told = faults(&[("sig", Some(&whole))]);
        assert!(told[0].starts_with("has a sig of 43 letters") && !told[0].contains(&whole), "{told:?}");
    }

    #[test]
    fn a_version_is_a_date() {
        assert_eq!(faults(&[("sv", Some("1"))]), ["has no version such as sv=2022-11-02"]);
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
        assert_eq!(check.faults, [SasFault::Signature(2), SasFault::Protocol("http")]);
    }
}
