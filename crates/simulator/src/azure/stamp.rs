//! The state of the whole stamp: the counter of ids, request ids, and the random generator that belongs to no app.

use std::time::Duration;

use holdfast_model::{BackupId, Timestamp};

use crate::fleet::guid;

/// A stamp of App Service machines.
pub(super) struct Stamp {
    rng: fastrand::Rng,
    last_id: i64,
}

impl Stamp {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = rng_of(seed, "stamp");
        let last_id = rng.i64(100_000..900_000);
        Self { rng, last_id }
    }

    /// The next backup's id. Other customers' backups count too, so ids skip.
    pub(super) fn next_id(&mut self) -> BackupId {
        self.last_id += if self.rng.bool() { 1 } else { self.rng.i64(2..60) };
        BackupId(self.last_id)
    }

    pub(super) fn guid(&mut self) -> String {
        guid(&mut self.rng)
    }

    pub(super) fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }
}

/// A random generator for `name`, independent of the others.
pub(super) fn rng_of(seed: u64, name: &str) -> fastrand::Rng {
    // FNV-1a: the standard library's hash may change from release to release, and a seed would no longer replay.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    fastrand::Rng::with_seed(seed.rotate_left(32) ^ hash)
}

/// `at` with a fraction of 5 to 7 digits, as in recorded answers.
pub(super) fn with_fraction(at: Timestamp, rng: &mut fastrand::Rng) -> Timestamp {
    let (shift, digits) = [(100, 10), (10, 100), (1, 1_000)][rng.usize(..3)];
    // The last digit is not 0, because trailing zeros are not written.
    let ticks: u64 = (rng.u64(..digits) * 10 + rng.u64(1..10)) * shift;
    at + Duration::from_nanos(ticks * 100)
}

/// Formats a time like Azure, without a zone: up to 7 digits of fraction, no trailing zeros.
pub(super) fn without_zone(at: Timestamp) -> String {
    let ticks = at.timestamp_subsec_nanos() / 100;
    let fraction = format!("{ticks:07}");
    let fraction = fraction.trim_end_matches('0');
    let seconds = at.format("%Y-%m-%dT%H:%M:%S");
    if fraction.is_empty() { seconds.to_string() } else { format!("{seconds}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_five_to_seven_digits_and_all_three_occur() {
        let mut rng = fastrand::Rng::with_seed(1);
        let lengths: std::collections::BTreeSet<usize> = (0..500)
            .map(|millis| {
                let at = Timestamp::UNIX_EPOCH + Duration::from_millis(millis * 10);
                let text = without_zone(with_fraction(at, &mut rng));
                assert!(!text.ends_with('Z') && text.starts_with("1970-01-01T00:00:0"), "{text}");
                text.split_once('.').unwrap().1.len()
            })
            .collect();
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn ids_begin_high_and_rise_with_gaps() {
        let mut stamp = Stamp::new(4);
        let ids: Vec<i64> = (0..100).map(|_| stamp.next_id().0).collect();
        assert!(ids[0] > 100_000);
        let gaps: Vec<i64> = ids.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= 1) && gaps.contains(&1) && gaps.iter().any(|gap| *gap > 1));
    }
}
