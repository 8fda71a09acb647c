//! Which ticks run now, and which are recorded as missed.

use std::time::Duration;

use super::Schedule;
use super::missed_tick::{MissReason, MissedTick};
use crate::{AppId, Overlap, Timestamp};

/// Maximum lateness at which a tick still counts as on time, whatever the policy's `catch_up`.
pub const ON_TIME: Duration = Duration::from_mins(1);

/// Maximum number of ticks considered at once. A cursor far behind advances in steps of this size.
const TICKS_MAX: usize = 1_000;

/// The cursor of an app under a policy, and what decides about its ticks.
#[derive(Debug, Clone, Copy)]
pub struct TickQuery<'a> {
    /// The policy's schedule.
    pub schedule: &'a Schedule,
    /// The app.
    pub app: &'a AppId,
    /// The cursor: ticks up to this time were considered.
    pub through: Timestamp,
    /// The time up to which ticks are considered now.
    pub now: Timestamp,
    /// How late a tick may still run.
    pub catch_up: Duration,
    /// What happens to a tick while the previous run has not ended.
    pub overlap: Overlap,
    /// The app's unfinished runs under the policy.
    pub unfinished: u64,
    /// The app's last pause, if it is over.
    pub pause: Option<PauseWindow>,
}

/// A pause that is over: ticks after its start and up to its end are not owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseWindow {
    /// When it began. A tick that was due by then is still owed.
    pub since: Timestamp,
    /// When it ended.
    pub until: Timestamp,
}

impl PauseWindow {
    /// Whether a tick is in the pause.
    pub fn contains(&self, tick: Timestamp) -> bool {
        self.since < tick && tick <= self.until
    }
}

/// What becomes of the ticks considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickPlan {
    /// The tick to run; at most one.
    pub run: Option<Timestamp>,
    /// Whether that tick runs late, after a gap.
    pub catching_up: bool,
    /// Ticks to record as missed, oldest first.
    pub missed: Vec<MissedTick>,
    /// The new cursor: ticks up to this time have been considered.
    pub through: Timestamp,
    /// The first tick after `through`; `None` when the schedule has no further time.
    pub next: Option<Timestamp>,
}

/// Decides about the ticks after the cursor up to `now`.
///
/// The latest of them runs if it is on time or inside `catch_up`; the others are missed. With [`Overlap::Skip`] one
/// unfinished run makes it missed; with [`Overlap::Queue`] one run may wait behind another. Ticks of the pause are neither.
pub fn plan_ticks(query: TickQuery<'_>) -> TickPlan {
    let TickQuery { schedule: _, app: _, through, now, catch_up, overlap, unfinished, pause: _ } = query;
    let mut ticks = Vec::new();
    let mut next = query.next_owed(through);
    while let Some(tick) = next.filter(|tick| *tick <= now && ticks.len() < TICKS_MAX) {
        ticks.push(tick);
        next = query.next_owed(tick);
    }
    let has_more = next.is_some_and(|tick| tick <= now);
    let candidate = if has_more { None } else { ticks.last().copied() };
    let late = candidate.map(|tick| (now - tick).to_std().unwrap_or_default());
    let unfinished_max = match overlap {
        Overlap::Skip => 1,
        Overlap::Queue => 2,
    };
    let decision = match late {
        Some(late) if late > ON_TIME.max(catch_up) => Err(MissReason::TooLate),
        Some(_) if unfinished >= unfinished_max => Err(MissReason::Overlap),
        _ => Ok(candidate),
    };
    let run = decision.unwrap_or_default();
    let through = if has_more { ticks.last().copied().unwrap_or(now) } else { now.max(through) };
    let missed = ticks.into_iter().filter(|tick| Some(*tick) != run).map(|tick| {
        let is_candidate = Some(tick) == candidate;
        let reason = match decision {
            Err(reason) if is_candidate => reason,
            Ok(Some(_)) if is_within(tick, now, catch_up) => MissReason::Superseded,
            _ => MissReason::TooLate,
        };
        MissedTick { tick, reason }
    });
    TickPlan {
        run,
        catching_up: late.is_some_and(|late| late > ON_TIME),
        missed: missed.collect(),
        through,
        next,
    }
}

impl TickQuery<'_> {
    /// The first tick after `after` that is not in the pause.
    fn next_owed(&self, after: Timestamp) -> Option<Timestamp> {
        let tick = self.schedule.next_tick(self.app, after)?;
        match self.pause.filter(|pause| pause.contains(tick)) {
            Some(pause) => self.schedule.next_tick(self.app, pause.until),
            None => Some(tick),
        }
    }
}

fn is_within(tick: Timestamp, now: Timestamp, catch_up: Duration) -> bool {
    (now - tick).to_std().unwrap_or_default() <= catch_up
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse_timestamp;

    fn hourly() -> Schedule {
        Schedule { crontab: "0 * * * *".parse().unwrap(), timezone: crate::Zone::UTC, spread: Duration::ZERO }
    }

    fn at(text: &str) -> Timestamp {
        parse_timestamp(&format!("2026-11-23T{text}:00Z")).unwrap()
    }

    fn plan(
        through: &str,
        now: &str,
        catch_up_hours: u64,
        (overlap, unfinished): (Overlap, u64),
    ) -> TickPlan {
        plan_ticks(TickQuery {
            schedule: &hourly(),
            app: &AppId::new("s", "g", "shop", None),
            through: at(through),
            now: at(now),
            catch_up: Duration::from_hours(catch_up_hours),
            overlap,
            unfinished,
            pause: None,
        })
    }

    fn plan_after_pause(through: &str, now: &str, (since, until): (&str, &str)) -> TickPlan {
        plan_ticks(TickQuery {
            schedule: &hourly(),
            app: &AppId::new("s", "g", "shop", None),
            through: at(through),
            now: at(now),
            catch_up: Duration::from_hours(2),
            overlap: Overlap::Skip,
            unfinished: 0,
            pause: Some(PauseWindow { since: at(since), until: at(until) }),
        })
    }

    #[test]
    fn a_tick_due_before_a_pause_is_owed_after_it_and_those_of_the_pause_are_not() {
        let late = plan_after_pause("01:30", "07:30", ("03:00", "07:00"));
        let missed: Vec<_> = late.missed.iter().map(|missed| missed.tick).collect();
        assert_eq!((late.run, missed, late.next), (None, vec![at("02:00"), at("03:00")], Some(at("08:00"))));
        let soon = plan_after_pause("01:30", "03:10", ("02:01", "03:05"));
        assert_eq!((soon.run, soon.catching_up, soon.missed), (Some(at("02:00")), true, Vec::new()));
    }

    #[test]
    fn ticks_after_a_pause_are_owed_as_ever_and_an_old_pause_changes_nothing() {
        let found = plan_after_pause("01:30", "05:00", ("01:59", "03:30"));
        assert_eq!((found.run, found.missed.len()), (Some(at("05:00")), 1));
        let without = plan("05:30", "07:00", 2, (Overlap::Skip, 0));
        assert_eq!(plan_after_pause("05:30", "07:00", ("01:59", "03:30")), without);
    }

    #[test]
    fn before_the_tick_nothing_is_due() {
        let found = plan("01:30", "01:59", 6, (Overlap::Skip, 0));
        assert_eq!((found.run, found.missed.len(), found.next), (None, 0, Some(at("02:00"))));
    }

    #[test]
    fn a_tick_on_time_runs_even_with_no_catch_up() {
        let found = plan("01:30", "02:01", 0, (Overlap::Skip, 0));
        assert_eq!((found.run, found.catching_up), (Some(at("02:00")), false));
        assert_eq!(found.next, Some(at("03:00")));
    }

    #[test]
    fn after_a_gap_only_the_latest_tick_inside_catch_up_runs() {
        let found = plan("01:30", "06:30", 2, (Overlap::Skip, 0));
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
        let found = plan("01:30", "03:30", 0, (Overlap::Skip, 0));
        assert_eq!(found.run, None);
        assert!(found.missed.iter().all(|m| m.reason == MissReason::TooLate) && found.missed.len() == 2);
    }

    #[test]
    fn a_run_that_has_not_ended_misses_the_tick_unless_the_policy_queues_one() {
        let skipped = plan("01:30", "02:00", 6, (Overlap::Skip, 1));
        assert_eq!(skipped.missed, [MissedTick { tick: at("02:00"), reason: MissReason::Overlap }]);
        assert_eq!(plan("01:30", "02:00", 6, (Overlap::Queue, 1)).run, Some(at("02:00")));
        assert_eq!(plan("01:30", "02:00", 6, (Overlap::Queue, 2)).run, None);
    }

    #[test]
    fn a_clock_that_went_back_moves_nothing() {
        let found = plan("05:30", "02:30", 6, (Overlap::Skip, 0));
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
                let found = plan_ticks(TickQuery {
                    schedule: &schedule,
                    app: &app,
                    through,
                    now,
                    catch_up: Duration::from_secs(catch_up),
                    overlap: Overlap::Skip,
                    unfinished: 0,
                    pause: None,
                });
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
