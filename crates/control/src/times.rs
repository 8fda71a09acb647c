//! Times and sizes as people read them.

use std::time::Duration;

use holdfast_model::Timestamp;

/// How long ago a time was, such as `3 h ago`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    match (now - at).to_std() {
        Ok(age) if age < Duration::from_secs(1) => "now".to_owned(),
        Ok(age) => format!("{} ago", span(age)),
        Err(_) => until(at, now),
    }
}

/// How soon a time comes, such as `in 3 h`.
pub fn until(at: Timestamp, now: Timestamp) -> String {
    match (at - now).to_std() {
        Ok(pause) if pause >= Duration::from_secs(1) => format!("in {}", span(pause)),
        Ok(_) => "now".to_owned(),
        Err(_) => format!("{} overdue", span((now - at).to_std().unwrap_or_default())),
    }
}

/// A size in the unit that suits it, such as `50 MiB`.
pub fn bytes(bytes: i64) -> String {
    let mut rest = u64::try_from(bytes).unwrap_or(0);
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if rest < 10 * 1024 {
            break;
        }
        (rest, unit) = (rest / 1024, larger);
    }
    format!("{rest} {unit}")
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_unit_that_suits_it_and_the_right_direction() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (seconds, past, future) in [
            (0, "now", "now"),
            (59, "59 s ago", "in 59 s"),
            (600, "10 min ago", "in 10 min"),
            (3 * 3_600 + 59, "3 h ago", "in 3 h"),
            (200_000, "2 d ago", "in 2 d"),
        ] {
            let span = Duration::from_secs(seconds);
            assert_eq!(age(now - span, now), past);
            assert_eq!(until(now + span, now), future);
        }
        assert_eq!(until(now - Duration::from_mins(10), now), "10 min overdue");
    }

    #[test]
    fn a_size_has_the_unit_that_suits_it() {
        let sizes: Vec<_> = [0, 6_204, 30_000, 52_428_800, -1].into_iter().map(bytes).collect();
        assert_eq!(sizes, ["0 B", "6204 B", "29 KiB", "50 MiB", "0 B"]);
    }
}
