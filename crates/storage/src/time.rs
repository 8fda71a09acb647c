//! The times in a SAS, in every form that Azure's tools write.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, SubsecRound,
};
use holdfast_model::Timestamp;

/// A time from a SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SasTime {
    pub(crate) at: Timestamp,
    /// Written with an offset such as `+12:00` in place of `Z`.
    pub(crate) has_offset: bool,
}

impl SasTime {
    /// Reads a date, or a date and a time, with or without seconds; without a zone it is UTC. A space
    /// in an offset is read as the `+` that it was before decoding.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.replace(' ', "+");
        let (moment, offset) = match text.split_once('T') {
            None => (NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN), None),
            Some((date, time)) => {
                let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
                let (time, zone) = time.split_at(end);
                (parse_moment(&format!("{date}T{time}"))?, parse_zone(zone)?)
            }
        };
        let at = match offset {
            Some(offset) => moment.checked_sub_offset(offset)?,
            None => moment,
        };
        // Rows and screens have room for a year of four digits.
        let is_plain = (1..=9999).contains(&at.year());
        is_plain.then(|| Self { at: at.and_utc().trunc_subsecs(3), has_offset: offset.is_some() })
    }
}

/// Formats a time as in Azure's documentation and in working SAS: whole seconds and `Z`.
pub(crate) fn format_sas_time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The start of the minute of `at`.
pub(crate) fn start_of_minute(at: Timestamp) -> Timestamp {
    DateTime::from_timestamp(at.timestamp().div_euclid(60) * 60, 0).unwrap_or(at)
}

fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

/// The offset of a zone: outer `None` for an invalid zone, inner `None` for UTC.
#[expect(
    clippy::option_option,
    reason = "the two mean different things, and only the caller above sees them"
)]
fn parse_zone(text: &str) -> Option<Option<FixedOffset>> {
    match text {
        "" | "Z" => Some(None),
        offset => offset.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_on_record_is_read() {
        for (text, utc, has_offset) in [
            ("2016-09-15T22:46:54Z", "2016-09-15T22:46:54Z", false),
            ("2023-02-05T01:11Z", "2023-02-05T01:11:00Z", false),
            ("2027-04-10T11:00:00+12:00", "2027-04-09T23:00:00Z", true),
            ("2027-04-10T11:00:00 12:00", "2027-04-09T23:00:00Z", true),
            ("2027-04-10T11:00:00-03:30", "2027-04-10T14:30:00Z", true),
            ("2027-04-10T11:00+00:00", "2027-04-10T11:00:00Z", true),
            ("2027-04-10", "2027-04-10T00:00:00Z", false),
            ("2027-04-10T11:00:00.1234567Z", "2027-04-10T11:00:00Z", false),
            ("2027-04-10T11:00:00", "2027-04-10T11:00:00Z", false),
        ] {
            let time = SasTime::parse(text).unwrap_or_else(|| panic!("{text} was not read"));
            assert_eq!((format_sas_time(time.at).as_str(), time.has_offset), (utc, has_offset), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let texts = [
            "",
            "tomorrow",
            "2027-13-01",
            "2027-04-10T25:00Z",
            "2027-04-10T11:00:00+99:00",
            "T",
            "T+",
            "é T+1",
        ];
        for text in texts {
            assert_eq!(SasTime::parse(text), None, "{text}");
        }
        assert_eq!(SasTime::parse("0000-01-01T00:00Z"), None);
    }

    #[test]
    fn a_minute_begins_at_its_zeroth_second() {
        let at = SasTime::parse("2027-04-10T11:00:59.9Z").unwrap().at;
        assert_eq!(format_sas_time(start_of_minute(at)), "2027-04-10T11:00:00Z");
    }
}
