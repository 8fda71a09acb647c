//! When apps are due next.

use holdfast_config::Fleet;
use holdfast_model::schedule::spread_offset;
use holdfast_model::{AppId, Policy, PolicyName, Timestamp, Zone};
use holdfast_store::AppStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::policies::{policy_named, policy_of_app};

/// The next ticks of a policy, or of one of its apps.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct SchedulePreview {
    /// The policy.
    pub policy: PolicyName,
    /// The app; `None` for the policy's cron times.
    pub app: Option<AppId>,
    /// The zone of the cron times.
    pub timezone: String,
    /// The app's offset inside the spread; for a policy the whole spread.
    pub spread_seconds: u64,
    /// The ticks, in order.
    pub ticks: Vec<PreviewedTick>,
}

/// One tick.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PreviewedTick {
    /// When it is due.
    pub at: Timestamp,
    /// The same in the policy's zone, with the offset from UTC.
    pub local: String,
    /// Whether the offset from UTC changed since the previous tick.
    pub clocks_changed: bool,
}

/// Which ticks are previewed.
#[derive(Debug, Clone, Copy)]
pub struct PreviewRange {
    /// Ticks after this time.
    pub from: Timestamp,
    /// At most this many.
    pub count: u32,
}

/// The next ticks of the app that `name` names, at its offset inside the spread.
///
/// `enrolled` are the apps of the store, which also has discovered apps.
pub fn preview_app(
    fleet: &Fleet,
    enrolled: Vec<AppStatus>,
    name: &str,
    range: PreviewRange,
) -> Result<SchedulePreview, Error> {
    let (app, policy) = policy_of_app(fleet, enrolled, name)?;
    Ok(preview(policy, Some(app), range))
}

/// The next cron times of every policy, or of `only` one.
pub fn preview_policies(
    fleet: &Fleet,
    only: Option<&PolicyName>,
    range: PreviewRange,
) -> Result<Vec<SchedulePreview>, Error> {
    match only {
        Some(name) => Ok(vec![preview(policy_named(fleet, name)?, None, range)]),
        None => Ok(fleet.policies.values().map(|policy| preview(policy, None, range)).collect()),
    }
}

/// The next ticks of a policy, or of an app at its offset inside the spread.
pub(crate) fn preview(policy: &Policy, app: Option<AppId>, range: PreviewRange) -> SchedulePreview {
    let schedule = &policy.schedule;
    let next = |after: Timestamp| match &app {
        Some(app) => schedule.next_tick(app, after),
        None => schedule.crontab.next_after(after, &schedule.timezone),
    };
    let count = usize::try_from(range.count).unwrap_or(usize::MAX);
    let times = std::iter::successors(next(range.from), |after| next(*after)).take(count);
    let spread = app.as_ref().map_or(schedule.spread, |app| spread_offset(app, schedule.spread));
    SchedulePreview {
        policy: policy.name.clone(),
        ticks: ticks(times, &schedule.timezone, range.from),
        app,
        timezone: schedule.timezone.name().to_owned(),
        spread_seconds: spread.as_secs(),
    }
}

fn ticks(times: impl Iterator<Item = Timestamp>, zone: &Zone, from: Timestamp) -> Vec<PreviewedTick> {
    let mut before = *zone.local(from).offset();
    let mut tick = |at: Timestamp| {
        let local = zone.local(at);
        let clocks_changed = std::mem::replace(&mut before, *local.offset()) != before;
        PreviewedTick { at, local: local.format("%Y-%m-%d %H:%M:%S %:z").to_string(), clocks_changed }
    };
    times.map(&mut tick).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::parse_timestamp;

    use super::*;

    #[test]
    fn the_first_tick_after_a_change_of_the_clocks_is_marked() {
        let times = ["2027-03-27T01:00:00Z", "2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z"];
        let times: Vec<Timestamp> = times.iter().map(|time| parse_timestamp(time).unwrap()).collect();
        let ticks = ticks(
            times.clone().into_iter(),
            &Zone::bundled("Europe/Paris").unwrap(),
            times[0] - Duration::from_secs(1),
        );
        let marks: Vec<_> = ticks.iter().map(|tick| (tick.local.as_str(), tick.clocks_changed)).collect();
        assert_eq!(
            marks,
            [
                ("2027-03-27 02:00:00 +01:00", false),
                ("2027-03-28 01:00:00 +01:00", false),
                ("2027-03-29 02:00:00 +02:00", true)
            ]
        );
    }
}
