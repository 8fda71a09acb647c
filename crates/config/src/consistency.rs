//! Checks values against each other: schedules against Azure's limits, deadlines against SAS lifetimes.

use std::time::Duration;

use holdfast_model::schedule::{ClockChange, Schedule};
use holdfast_model::{SasWindow, StorageName, Timestamp, format_duration};
use holdfast_storage::StorageTarget;

use crate::diagnostics::{Diagnostics, Located, SourceLocation};

/// Ticks checked: more than a year of a daily schedule, which includes both changes of the clocks.
const TIMES: usize = 500;

const DAY: Duration = Duration::from_hours(24);

/// Intervals of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rhythm {
    shortest: Duration,
    longest: Duration,
    most_in_a_day: usize,
}

impl Rhythm {
    /// `None` for a schedule with fewer than two future ticks.
    fn of(schedule: &Schedule, now: Timestamp) -> Option<Self> {
        let next = |after: &Timestamp| schedule.crontab.next_after(*after, &schedule.timezone);
        let times: Vec<Timestamp> = std::iter::successors(next(&now), next).take(TIMES).collect();
        let pauses = || times.windows(2).filter_map(|pair| (pair[1] - pair[0]).to_std().ok());
        let within_a_day = |(index, first): (usize, &Timestamp)| {
            times
                .iter()
                .skip(index)
                .take_while(|time| (**time - *first).to_std().is_ok_and(|pause| pause < DAY))
                .count()
        };
        // The first 100 ticks include every kind of day that matters for the limit.
        let most_in_a_day = times.iter().take(100).enumerate().map(within_a_day).max()?;
        Some(Self { shortest: pauses().min()?, longest: pauses().max()?, most_in_a_day })
    }
}

/// Warns about a schedule against Azure's daily limit, its spread and its recovery point objective.
pub fn schedule(
    diagnostics: &mut Diagnostics<'_>,
    schedule: &Schedule,
    place: &SourceLocation,
    spread: Option<&Located<Duration>>,
    objective: Option<&Located<Duration>>,
    now: Timestamp,
) {
    clock_change(diagnostics, schedule, place, now);
    let Some(Rhythm { shortest, longest, most_in_a_day }) = Rhythm::of(schedule, now) else { return };
    if most_in_a_day > 12 {
        let message = format_args!(
            "`{}`: up to {most_in_a_day} backups a day; Azure takes 12 a day of an app in the Basic and Standard \
             tiers, and 50 in Premium and Isolated",
            place.key
        );
        diagnostics.warning(place, message, Some("what is over the limit ends as `skipped`".into()));
    }
    if let Some(Located { value, place }) = spread.filter(|spread| spread.value > shortest) {
        let message = format_args!(
            "`{}`: the spread of {} is longer than the schedule's shortest interval, {}",
            place.key,
            format_duration(*value),
            format_duration(shortest)
        );
        let help = "a tick of an app would fall into the next interval; choose a shorter spread";
        diagnostics.warning(place, message, Some(help.into()));
    }
    if let Some(Located { value, place }) = objective.filter(|objective| objective.value < longest) {
        let message = format_args!(
            "`{}`: {} cannot be met: the longest interval of the schedule is {}",
            place.key,
            format_duration(*value),
            format_duration(longest)
        );
        diagnostics.warning(
            place,
            message,
            Some("schedule more often, or allow more than the longest interval".into()),
        );
    }
}

/// Warns about an interval whose times a change of the clocks leaves out or repeats.
fn clock_change(
    diagnostics: &mut Diagnostics<'_>,
    schedule: &Schedule,
    place: &SourceLocation,
    now: Timestamp,
) {
    let Some(ClockChange { time, from, until, skips }) = schedule.next_clock_change(now) else { return };
    let (key, zone) = (&place.key, schedule.timezone.name());
    let (date, time) = (time.format("%F"), time.format("%R"));
    let (from, until) = (from.format("%R"), until.format("%R"));
    let message = if skips {
        format!("`{key}`: does not run at {time} on {date}, when the clocks of {zone} skip {from} to {until}")
    } else {
        format!("`{key}`: runs twice at {time} on {date}, when the clocks of {zone} repeat {from} to {until}")
    };
    let help = "a minute or hour that begins with `*` makes an interval, which follows the clocks; a list, such as \
                `0,30 2 * * *`, runs once each day, at the latest after the skipped hour";
    diagnostics.warning(place, message, Some(help.to_owned()));
}

/// Reports a SAS lifetime that is shorter than the deadline of a backup.
pub fn lifetime(
    diagnostics: &mut Diagnostics<'_>,
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
        diagnostics.error_with_help(place, message, help);
    }
}
