//! The offset of an app inside a policy's spread.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::AppId;

/// The app's offset inside `spread`, in whole seconds.
///
/// It is a hash of the app's id, so no restart, no other app and no edit of the fleet file changes it.
pub fn spread_offset(app: &AppId, spread: Duration) -> Duration {
    let seconds = spread.as_secs();
    if seconds == 0 {
        return Duration::ZERO;
    }
    let digest = Sha256::digest(app.to_string().as_bytes());
    let hash = digest.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Duration::from_secs(hash % seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(number: u32) -> AppId {
        AppId::new("sub", "group", &format!("app-{number}"), None)
    }

    #[test]
    fn apps_fill_the_window_evenly_and_none_leaves_it() {
        let window = Duration::from_hours(2);
        let mut quarters = [0_u32; 4];
        for number in 0..4_000 {
            let offset = spread_offset(&app(number), window);
            assert!(offset < window);
            quarters[usize::try_from(offset.as_secs() / 1_800).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (850..1_150).contains(count)), "{quarters:?}");
    }

    #[test]
    fn an_apps_place_never_changes() {
        // A frozen value: a change of the hash would move every app of every fleet at once.
        assert_eq!(spread_offset(&app(1), Duration::from_hours(24)), Duration::from_secs(FROZEN));
        assert_eq!(spread_offset(&app(1), Duration::ZERO), Duration::ZERO);
    }

    const FROZEN: u64 = 32_840;
}
