//! Rules of handing out that every store shares.

use holdfast_model::Timestamp;

use crate::Taken;

/// How many due runs of a lane are looked at to find `room` whose apps are free. Runs that wait behind an app's
/// running one are few, because overlapping ticks are skipped; the bound keeps the cost bounded when they are not.
pub(crate) fn scan_most(room: u32) -> usize {
    if room == 0 { 0 } else { room as usize * 4 + 64 }
}

/// What was taken, the most urgent first, then the longest due.
pub(crate) fn most_urgent_first(mut taken: Vec<(Timestamp, Taken)>) -> Vec<Taken> {
    taken.sort_by_key(|(due_at, taken)| (taken.priority, *due_at, taken.wakeup.run_id));
    taken.into_iter().map(|(_, taken)| taken).collect()
}
