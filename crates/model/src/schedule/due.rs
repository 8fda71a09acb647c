//! What is owed now: from the last tick considered and the time, which ticks run and which are recorded as missed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::{AppId, Overlap, Timestamp};

/// A tick seen within this of its time is on time, not caught up, whatever the policy's `catch_up`.
pub const ON_TIME: Duration = Duration::from_mins(1);

/// Ticks considered at once: a cursor left far behind moves up in steps of so many.
const TICKS_MAX: usize = 1_000;

/// Why a tick was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissReason {
    /// Nothing was there to plan it, and by now it is older than `catch_up`.
    TooLate,
    /// Nothing was there to plan it, and a later tick is caught up in its stead.
    Superseded,
    /// The app's run before it had not ended.
    Overlap,
}

impl MissReason {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "too_late",
            Self::Superseded => "superseded",
            Self::Overlap => "overlap",
        }
    }
}

/// A tick that is recorded instead of run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedTick {
    /// The due time.
    pub tick: Timestamp,
    /// Why.
    pub reason: MissReason,
}

/// What one look at a cursor found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The tick to run; never more than one.
    pub run: Option<Timestamp>,
    /// Whether that run comes late, after a gap.
    pub catching_up: bool,
    /// Ticks to record as missed, oldest first.
    pub missed: Vec<MissedTick>,
    /// The cursor's new place: everything up to here has been considered.
    pub through: Timestamp,
    /// The first tick after `through`; `None` when there is none any more.
    pub next: Option<Timestamp>,
}

/// Considers the ticks after `through` up to `now`.
///
/// The latest of them runs if it is on time or inside `catch_up`; those before it are missed. `unfinished` counts the
/// app's runs under this policy that have not ended: with [`Overlap::Skip`] one is enough to miss the tick, with
/// [`Overlap::Queue`] a second may wait behind the first.
pub fn due(
    schedule: &Schedule,
    app: &AppId,
    through: Timestamp,
    now: Timestamp,
    catch_up: Duration,
    (overlap, unfinished): (Overlap, u64),
) -> Due {
    let mut ticks = Vec::new();
    let mut next = schedule.next_tick(app, through);
    while let Some(tick) = next.filter(|tick| *tick <= now && ticks.len() < TICKS_MAX) {
        ticks.push(tick);
        next = schedule.next_tick(app, tick);
    }
    let more_to_come = next.is_some_and(|tick| tick <= now);
    let candidate = if more_to_come { None } else { ticks.last().copied() };
    let late = candidate.map(|tick| (now - tick).to_std().unwrap_or_default());
    let room = match overlap {
        Overlap::Skip => 1,
        Overlap::Queue => 2,
    };
    let verdict = match late {
        Some(late) if late > ON_TIME.max(catch_up) => Err(MissReason::TooLate),
        Some(_) if unfinished >= room => Err(MissReason::Overlap),
        _ => Ok(candidate),
    };
    let run = verdict.unwrap_or_default();
    let through = if more_to_come { ticks.last().copied().unwrap_or(now) } else { now.max(through) };
    let missed = ticks.into_iter().filter(|tick| Some(*tick) != run).map(|tick| {
        let last = Some(tick) == candidate;
        let reason = match verdict {
            Err(reason) if last => reason,
            Ok(Some(_)) if within(tick, now, catch_up) => MissReason::Superseded,
            _ => MissReason::TooLate,
        };
        MissedTick { tick, reason }
    });
    Due { run, catching_up: late.is_some_and(|late| late > ON_TIME), missed: missed.collect(), through, next }
}

fn within(tick: Timestamp, now: Timestamp, catch_up: Duration) -> bool {
    (now - tick).to_std().unwrap_or_default() <= catch_up
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse_timestamp;

    fn hourly() -> Schedule {
        Schedule { crontab: "0 * * * *".parse().unwrap(), timezone: chrono_tz::UTC, spread: Duration::ZERO }
    }

    fn at(text: &str) -> Timestamp {
        parse_timestamp(&format!("2026-11-23T{text}:00Z")).unwrap()
    }

    fn look(through: &str, now: &str, catch_up_hours: u64, overlap: (Overlap, u64)) -> Due {
        let app = AppId::new("s", "g", "shop", None);
        due(&hourly(), &app, at(through), at(now), Duration::from_secs(catch_up_hours * 3_600), overlap)
    }

    #[test]
    fn before_the_tick_nothing_is_due() {
        let found = look("01:30", "01:59", 6, (Overlap::Skip, 0));
        assert_eq!((found.run, found.missed.len(), found.next), (None, 0, Some(at("02:00"))));
    }

    #[test]
    fn a_tick_on_time_runs_even_with_no_catch_up() {
        let found = look("01:30", "02:01", 0, (Overlap::Skip, 0));
        assert_eq!((found.run, found.catching_up), (Some(at("02:00")), false));
        assert_eq!(found.next, Some(at("03:00")));
    }

    #[test]
    fn after_a_gap_only_the_latest_tick_inside_catch_up_runs() {
        let found = look("01:30", "06:30", 2, (Overlap::Skip, 0));
        assert_eq!((found.run, found.catching_up), (Some(at("06:00")), true));
        let reasons: Vec<_> = found.missed.iter().map(|m| (m.tick, m.reason)).collect();
        assert_eq!(
            reasons,
            [
                (at("02:00"), MissReason::TooLate),
                (at("03:00"), MissReason::TooLate),
                (at("04:00"), MissReason::TooLate),
                (at("05:00"), MissReason::Superseded),
            ]
        );
    }

    #[test]
    fn after_a_gap_longer_than_catch_up_everything_is_missed() {
        let found = look("01:30", "03:30", 0, (Overlap::Skip, 0));
        assert_eq!(found.run, None);
        assert!(found.missed.iter().all(|m| m.reason == MissReason::TooLate) && found.missed.len() == 2);
    }

    #[test]
    fn a_run_that_has_not_ended_misses_the_tick_unless_the_policy_queues_one() {
        let skipped = look("01:30", "02:00", 6, (Overlap::Skip, 1));
        assert_eq!(skipped.missed, [MissedTick { tick: at("02:00"), reason: MissReason::Overlap }]);
        assert_eq!(look("01:30", "02:00", 6, (Overlap::Queue, 1)).run, Some(at("02:00")));
        assert_eq!(look("01:30", "02:00", 6, (Overlap::Queue, 2)).run, None);
    }

    #[test]
    fn a_clock_that_went_back_moves_nothing() {
        let found = look("05:30", "02:30", 6, (Overlap::Skip, 0));
        assert_eq!((found.run, found.missed.len(), found.through), (None, 0, at("05:30")));
    }

    proptest! {
        #[test]
        fn each_tick_of_a_span_is_run_or_missed_exactly_once_however_the_span_is_cut(
            looks in proptest::collection::vec(1_i64..200_000, 1..12), catch_up in 0_u64..100_000, spread in 0_u64..7_200,
        ) {
            let schedule = Schedule { spread: Duration::from_secs(spread), ..hourly() };
            let app = AppId::new("s", "g", "shop", None);
            let start = at("00:00");
            let (mut through, mut now, mut seen) = (start, start, Vec::new());
            for step in looks {
                now += chrono::Duration::seconds(step);
                let found = due(&schedule, &app, through, now, Duration::from_secs(catch_up), (Overlap::Skip, 0));
                seen.extend(found.missed.iter().map(|m| m.tick));
                seen.extend(found.run);
                through = found.through;
            }
            let mut expected = Vec::new();
            let mut next = schedule.next_tick(&app, start);
            while let Some(tick) = next.filter(|tick| *tick <= now) {
                expected.push(tick);
                next = schedule.next_tick(&app, tick);
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
