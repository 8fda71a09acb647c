//! Times of UTC in the zone of this machine, each with its offset, so that it still names one instant.

use std::borrow::Cow;

use chrono::{DateTime, Offset as _, SecondsFormat, TimeZone, Timelike as _, Utc};

/// The shortest text of a time, `2026-11-30T01:33:29Z`.
const LENGTH_MIN: usize = 20;

/// The longest, with nanoseconds.
const LENGTH_MAX: usize = 30;

/// The text with each time of UTC in `zone`. In a zone without an offset nothing changes.
pub fn localized<'t>(text: &'t str, zone: &impl TimeZone) -> Cow<'t, str> {
    let (mut out, mut rest) = (String::new(), text);
    // A time has one `T` behind ten characters of its date.
    while let Some(at) = rest.find('T') {
        let found = at.checked_sub(10).and_then(|start| time_at(rest, start).map(|time| (start, time)));
        let Some((start, (length, time))) = found else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..start]);
        out.push_str(&in_zone(time, &rest[start..start + length], zone));
        rest = &rest[start + length..];
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A time of UTC that begins there, with its length.
fn time_at(text: &str, start: usize) -> Option<(usize, DateTime<Utc>)> {
    let text = text.get(start..)?;
    let length = text.bytes().take(LENGTH_MAX).position(|byte| byte == b'Z')? + 1;
    let time = DateTime::parse_from_rfc3339(text.get(..length).filter(|_| length >= LENGTH_MIN)?).ok()?;
    Some((length, time.to_utc()))
}

fn in_zone(time: DateTime<Utc>, as_written: &str, zone: &impl TimeZone) -> String {
    let offset = zone.offset_from_utc_datetime(&time.naive_utc()).fix();
    if offset.local_minus_utc() == 0 {
        return as_written.to_owned();
    }
    let digits = if time.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    time.with_timezone(&offset).to_rfc3339_opts(digits, false)
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn each_time_of_utc_is_shown_in_the_zone_and_nothing_else_changes() {
        let paris = FixedOffset::east_opt(3600).unwrap();
        for (text, local) in [
            ("at 2026-11-30T23:33:29Z, Tuesday", "at 2026-12-01T00:33:29+01:00, Tuesday"),
            (
                "(2026-11-30T01:33:29.305Z) THE 2026-11-30T01:00:00.000Z",
                "(2026-11-30T02:33:29.305+01:00) THE 2026-11-30T02:00:00+01:00",
            ),
            ("T 2026-11-30 é T12T2026-13-30T01:33:29Z", "T 2026-11-30 é T12T2026-13-30T01:33:29Z"),
            ("éééééT01:33:29Z 2026-11-30T01:33:29+00:00", "éééééT01:33:29Z 2026-11-30T01:33:29+00:00"),
            ("no time", "no time"),
        ] {
            assert_eq!(localized(text, &paris), local);
            assert_eq!(localized(text, &Utc), text);
        }
    }
}
