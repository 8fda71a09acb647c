//! The zones whose law changed after release 2025b of the IANA database.

use holdfast_model::schedule::Crontab;
use holdfast_model::{Zone, format_timestamp, parse_timestamp};

/// The offset of each such zone in January 2027, in hours.
const CHANGED: [(&str, i32); 13] = [
    ("Africa/Casablanca", 0),
    ("Africa/El_Aaiun", 0),
    ("America/Edmonton", -6),
    ("America/Havana", -4),
    ("America/Inuvik", -6),
    ("America/Rainy_River", -5),
    ("America/Vancouver", -7),
    ("America/Winnipeg", -5),
    ("America/Yellowknife", -6),
    ("Canada/Central", -5),
    ("Canada/Mountain", -6),
    ("Canada/Pacific", -7),
    ("Cuba", -4),
];

#[test]
fn zones_whose_law_changed_have_their_new_offset() {
    let january = parse_timestamp("2027-01-15T12:00:00Z").unwrap();
    for (name, hours) in CHANGED {
        let local = Zone::bundled(name).unwrap().local(january);
        assert_eq!(local.offset().local_minus_utc(), hours * 3_600, "{name}");
    }
}

#[test]
fn a_nightly_schedule_in_vancouver_follows_the_new_law() {
    let crontab: Crontab = "0 2 * * *".parse().unwrap();
    let after = parse_timestamp("2026-11-28T18:00:00Z").unwrap();
    let next = crontab.next_after(after, &Zone::bundled("America/Vancouver").unwrap()).unwrap();
    assert_eq!(format_timestamp(next), "2026-11-29T09:00:00.000Z");
}
