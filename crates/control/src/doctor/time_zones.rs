//! Reports which time zone data is in use.

use holdfast_config::ZoneData;

use super::finding::Finding;

/// The finding about the time zone data of this machine.
pub fn time_zones(data: &ZoneData) -> Finding {
    Finding::ok("time zones", format!("tzdb {}", data.version()), data.source())
}
