//! Suggests the IANA zone for a name that is none.

use holdfast_model::Zone;

use crate::nearest::did_you_mean;
use crate::windows_zones::WINDOWS_ZONES;

/// What is said about an unknown time zone.
#[derive(Debug, PartialEq, Eq)]
pub struct ZoneHint {
    /// The text `; did you mean …?`, or an empty text.
    pub near: String,
    /// What to write.
    pub help: String,
}

/// Abbreviations, which several zones share, each with a zone of many people.
const ABBREVIATIONS: [(&str, &str); 18] = [
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Sydney"),
    ("AKST", "America/Anchorage"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Paris"),
    ("CST", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Athens"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("SGT", "Asia/Singapore"),
    ("WEST", "Europe/Lisbon"),
];

/// The hint for a name that is no zone.
pub fn zone_hint(name: &str) -> ZoneHint {
    let name = name.trim();
    let found = |rows: &[(&str, &'static str)]| {
        rows.iter().find(|(row, _)| row.eq_ignore_ascii_case(name)).map(|(_, zone)| *zone)
    };
    let place = name.replace(' ', "_");
    let help = "zones have names such as \"UTC\" or \"Europe/Paris\"";
    if let Some(zone) = Zone::bundled_names().find(|zone| zone.eq_ignore_ascii_case(&place)) {
        return meant(zone, help);
    }
    if let Some(zone) = found(WINDOWS_ZONES) {
        return meant(zone, "this is a name of Windows; Holdfast takes the names of the IANA database");
    }
    if let Some(hint) = offset(name) {
        return hint;
    }
    let is_city = |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&place));
    if let Some(zone) = Zone::bundled_names().find(is_city) {
        return meant(zone, help);
    }
    if let Some(zone) = found(&ABBREVIATIONS) {
        return meant(zone, "several zones share an abbreviation; name a place");
    }
    ZoneHint { near: did_you_mean(&place, Zone::bundled_names()), help: help.to_owned() }
}

/// What a zone such as `Etc/GMT+2` stands for, which is 2 hours behind UTC; `None` for every other zone.
pub fn reversed_offset(zone: &str) -> Option<String> {
    let offset = zone.strip_prefix("Etc/GMT")?;
    let (hours, side) = match offset.split_at_checked(1)? {
        ("+", hours) => (hours, "behind"),
        ("-", hours) => (hours, "ahead of"),
        _ => return None,
    };
    let unit = if hours == "1" { "hour" } else { "hours" };
    (hours != "0").then(|| format!("{hours} {unit} {side} UTC"))
}

fn meant(zone: &str, help: &str) -> ZoneHint {
    ZoneHint { near: format!("; did you mean `{zone}`?"), help: help.to_owned() }
}

/// The hint for a fixed offset such as `GMT+2`, `UTC-05:00` or `+01:00`.
///
/// The signs of `Etc/GMT` zones are those of POSIX, against all other usage: `Etc/GMT-2` is two hours ahead of UTC.
fn offset(name: &str) -> Option<ZoneHint> {
    let folded = name.to_ascii_uppercase();
    let rest = ["ETC/GMT", "ETC/UTC", "GMT", "UTC"].iter().find_map(|prefix| folded.strip_prefix(prefix));
    let rest = rest.unwrap_or(&folded).trim();
    let is_ahead = match rest.chars().next()? {
        '+' => true,
        '-' | '\u{2212}' => false,
        _ => return None,
    };
    let digits = rest.trim_start_matches(['+', '-', '\u{2212}']).trim();
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let hours: u32 = hours.parse().ok()?;
    let is_whole = minutes.bytes().all(|byte| byte == b'0');
    if is_whole && hours == 0 {
        return Some(meant("UTC", "zones have names such as \"UTC\" or \"Europe/Paris\""));
    }
    let zone = format!("Etc/GMT{}{hours}", if is_ahead { '-' } else { '+' });
    if !is_whole || Zone::bundled(&zone).is_none() {
        let help =
            "no zone stands for this offset; name a place, such as \"Europe/Paris\" or \"Asia/Kolkata\"";
        return Some(ZoneHint { near: String::new(), help: help.to_owned() });
    }
    let (unit, side) =
        (if hours == 1 { "hour" } else { "hours" }, if is_ahead { "ahead of" } else { "behind" });
    let help = format!(
        "`{zone}` is {hours} {unit} {side} UTC all year: its sign is reversed. A place, such as \"Europe/Paris\", \
         follows the clock changes"
    );
    Some(ZoneHint { near: format!("; did you mean `{zone}`?"), help })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(name: &str) -> String {
        let near = zone_hint(name).near;
        near.trim_start_matches("; did you mean `").trim_end_matches("`?").to_owned()
    }

    #[test]
    fn names_of_other_programs_lead_to_their_zone() {
        for (name, zone) in [
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("romance standard time", "Europe/Paris"),
            ("Eastern Standard Time", "America/New_York"),
            ("India Standard Time", "Asia/Kolkata"),
            ("GMT Standard Time", "Europe/London"),
            ("CEST", "Europe/Paris"),
            ("pst", "America/Los_Angeles"),
            ("Paris", "Europe/Paris"),
            ("New York", "America/New_York"),
            ("europe/paris", "Europe/Paris"),
            ("utc", "UTC"),
            ("Europe/Pariss", "Europe/Paris"),
        ] {
            assert_eq!(near(name), zone, "{name}");
        }
    }

    #[test]
    fn every_zone_of_the_tables_exists() {
        for (name, zone) in WINDOWS_ZONES.iter().chain(&ABBREVIATIONS) {
            assert!(Zone::bundled(zone).is_some(), "{name}: {zone}");
        }
    }

    #[test]
    fn an_offset_leads_to_the_zone_on_its_own_side_of_utc() {
        for (name, zone, hours) in [
            ("GMT+2", "Etc/GMT-2", 2),
            ("UTC+2", "Etc/GMT-2", 2),
            ("utc+02:00", "Etc/GMT-2", 2),
            ("+0100", "Etc/GMT-1", 1),
            ("UTC-5", "Etc/GMT+5", -5),
            ("GMT -05:00", "Etc/GMT+5", -5),
            ("+14:00", "Etc/GMT-14", 14),
            ("UTC+0", "UTC", 0),
            ("UTC+00:00", "UTC", 0),
        ] {
            assert_eq!(near(name), zone, "{name}");
            let local = Zone::bundled(zone).unwrap().local(holdfast_model::Timestamp::UNIX_EPOCH);
            assert_eq!(local.offset().local_minus_utc(), hours * 3_600, "{name}");
        }
        assert!(zone_hint("GMT+2").help.starts_with("`Etc/GMT-2` is 2 hours ahead of UTC"));
        assert!(zone_hint("UTC-1").help.starts_with("`Etc/GMT+1` is 1 hour behind UTC"));
        for name in ["UTC+5:30", "GMT+15", "+0545", "UTC-13"] {
            let hint = zone_hint(name);
            assert!(hint.near.is_empty() && hint.help.contains("name a place"), "{name}: {hint:?}");
        }
    }
}
