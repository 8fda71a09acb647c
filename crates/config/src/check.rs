//! What each value allows and all together do not: schedules against Azure's limits, deadlines against SAS.

use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{SasWindow, StorageName, Timestamp};
use holdfast_storage::StorageTarget;
use humantime::format_duration;

use super::report::{Found, Report, SourceLocation};

/// Times looked at: more than a year of a daily schedule, so that both changes of the clocks are among them.
const TIMES: usize = 500;

const DAY: Duration = Duration::from_hours(24);

/// A schedule's own measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rhythm {
    shortest: Duration,
    longest: Duration,
    most_in_a_day: usize,
}

impl Rhythm {
    /// `None` for a schedule that has fewer than two times to come.
    fn of(schedule: &Schedule, now: Timestamp) -> Option<Self> {
        let next = |after: &Timestamp| schedule.crontab.next_after(*after, schedule.timezone);
        let times: Vec<Timestamp> = std::iter::successors(next(&now), next).take(TIMES).collect();
        let pauses = || times.windows(2).filter_map(|pair| (pair[1] - pair[0]).to_std().ok());
        let within_a_day = |(index, first): (usize, &Timestamp)| {
            times
                .iter()
                .skip(index)
                .take_while(|time| (**time - *first).to_std().is_ok_and(|pause| pause < DAY))
                .count()
        };
        // A day is full after as many times as there are in one; beyond 100 nothing changes any more.
        let most_in_a_day = times.iter().take(100).enumerate().map(within_a_day).max()?;
        Some(Self { shortest: pauses().min()?, longest: pauses().max()?, most_in_a_day })
    }
}

/// Checks a schedule and what must fit it.
pub fn schedule(
    report: &mut Report<'_>,
    schedule: &Schedule,
    place: &SourceLocation,
    spread: Option<&Found<Duration>>,
    objective: Option<&Found<Duration>>,
    now: Timestamp,
) {
    let Some(Rhythm { shortest, longest, most_in_a_day }) = Rhythm::of(schedule, now) else { return };
    if most_in_a_day > 12 {
        let message = format_args!(
            "`{}`: up to {most_in_a_day} backups a day; Azure takes 12 a day of an app in the Basic and Standard \
             tiers, and 50 in Premium and Isolated",
            place.key
        );
        report.warning(place, message, Some("what is over the limit ends as `skipped`".into()));
    }
    if let Some(Found { value, place }) = spread.filter(|spread| spread.value > shortest) {
        let message = format_args!(
            "`{}`: the spread of {} is longer than the schedule's shortest interval, {}",
            place.key,
            format_duration(*value),
            format_duration(shortest)
        );
        let help = "an app's times then lie in the intervals of later ones; choose a shorter spread";
        report.warning(place, message, Some(help.into()));
    }
    if let Some(Found { value, place }) = objective.filter(|objective| objective.value < longest) {
        let message = format_args!(
            "`{}`: {} cannot be kept: the schedule pauses for up to {}",
            place.key,
            format_duration(*value),
            format_duration(longest)
        );
        report.warning(
            place,
            message,
            Some("schedule more often, or allow more than the longest pause".into()),
        );
    }
}

/// A backup that outlives its SAS fails when it has already done the work.
pub fn lifetime(
    report: &mut Report<'_>,
    deadline: Duration,
    place: &SourceLocation,
    storage: &StorageName,
    target: &StorageTarget,
) {
    let Some(lifetime) = target.source.lifetime() else { return };
    let needed = deadline + SasWindow::CLOCK_SKEW;
    if lifetime < needed {
        let message = format_args!(
            "`{}`: a backup may run for {}, and its SAS from [storage.{storage}] lasts {}: it must outlast the backup \
             by {}",
            place.key,
            format_duration(deadline),
            format_duration(lifetime),
            format_duration(SasWindow::CLOCK_SKEW)
        );
        let help = format!("set the storage's `lifetime` to at least {}", format_duration(needed));
        report.error_with_help(place, message, help);
    }
}
