//! One app: what Azure tells of it, and what follows.

use std::time::Duration;

use chrono::TimeDelta;
use holdfast_arm::{Arm, Backup, Error, ErrorKind, FoundSchedule, Permissions};
use holdfast_model::{App, DATABASES_END, FrequencyUnit, NativeSchedule, Policy, Site, Timestamp};

use super::finding::Finding;
use super::rights::rights;
use holdfast_control::counted;
use holdfast_control::tier;

const DAY: Duration = Duration::from_hours(24);

/// Ticks are counted this far ahead, so that every day of the week is among them.
const AHEAD: Duration = Duration::from_hours(8 * 24);

/// Whoever still backs databases up with their app hears of the end this long before.
const NOTICE: TimeDelta = TimeDelta::days(365);

/// What Azure says about an app. None of the calls changes anything.
#[derive(Debug)]
pub struct Facts {
    /// The app.
    pub app: App,
    /// GET on it.
    pub site: Result<Site, Error>,
    /// GET on its backups.
    pub backups: Result<Vec<Backup>, Error>,
    /// Azure's own schedule of it.
    pub schedule: Result<Option<FoundSchedule>, Error>,
    /// What the credential may do there.
    pub permissions: Result<Permissions, Error>,
}

impl Facts {
    /// Asks Azure.
    pub async fn gather(arm: &dyn Arm, app: App) -> Self {
        let (site, backups, schedule, permissions) = tokio::join!(
            arm.site(&app.id),
            arm.list_backups(&app.id),
            arm.schedule(&app.id),
            arm.permissions(&app.id)
        );
        Self { app, site, backups, schedule, permissions }
    }

    /// What follows, under the app's policy.
    pub fn judge(&self, policy: Option<&Policy>, now: Timestamp) -> Vec<Finding> {
        let name = self.app.id.short_name();
        let site = match &self.site {
            Ok(site) => site,
            Err(error) => return vec![unanswered("app", &name, error)],
        };
        let tier = site.tier.as_deref();
        let state = site.state.as_deref().unwrap_or("in an unknown state");
        let mut found = vec![Finding::ok("app", &name, format!("is there, {}", state.to_lowercase()))];
        found.push(self.tier(&name, tier));
        for error in [self.backups.as_ref().err(), self.schedule.as_ref().err()].into_iter().flatten() {
            found.push(unanswered("answers", &name, error));
        }
        let mut tried = vec!["read"];
        tried.extend(self.backups.is_ok().then_some("backups/read"));
        tried.extend(self.schedule.is_ok().then_some("config/list/action"));
        found.push(rights(&name, self.app.id.slot().is_some(), &self.permissions, &tried));
        match policy {
            Some(policy) => found.extend(self.daily(&name, tier, policy, now)),
            None => found.push(Finding::warn(
                "policy",
                &name,
                "in no policy, and so not backed up",
                "give it one in the fleet file",
            )),
        }
        found.extend(self.databases(&name, now));
        found
    }

    fn tier(&self, name: &str, tier: Option<&str>) -> Finding {
        let cure = "move its plan to Standard or better";
        match tier {
            None => Finding::warn("tier", name, "Azure does not tell its tier", "look at its plan in Azure"),
            Some(tier) if !tier::allows_backups(tier) => {
                Finding::fail("tier", name, format!("in the tier {tier}, which has no backups"), cure)
            }
            Some(tier) if self.app.id.slot().is_some() && !tier::allows_slots(tier) => {
                Finding::fail("tier", name, format!("in the tier {tier}, which backs up no slots"), cure)
            }
            Some(tier) => Finding::ok("tier", name, format!("in the tier {tier}")),
        }
    }

    /// The policy's ticks and those of Azure's own schedule against what Azure takes in a day.
    fn daily(&self, name: &str, tier: Option<&str>, policy: &Policy, now: Timestamp) -> Option<Finding> {
        let limit = tier.and_then(tier::daily_limit)?;
        let next = |after: &Timestamp| policy.schedule.next_tick(&self.app.id, *after);
        let ticks = std::iter::successors(next(&now), next).take_while(|tick| *tick < now + AHEAD);
        let ours = most_in_a_day(&ticks.take(2_000).collect::<Vec<_>>());
        let azures =
            self.schedule.as_ref().ok().and_then(Option::as_ref).map_or(0, |found| each_day(&found.schedule));
        let ours_told = counted(ours, "backup");
        let says = match azures {
            0 => format!("up to {ours_told} a day of the {limit} that Azure takes"),
            _ => format!(
                "up to {ours_told} a day and {azures} by Azure's own schedule, of the {limit} that Azure takes"
            ),
        };
        if ours + azures <= limit {
            return Some(Finding::ok("daily limit", name, says));
        }
        let cure =
            "schedule less often, or take one of the two schedules away: what is over the limit is skipped";
        Some(Finding::fail("daily limit", name, says, cure))
    }

    fn databases(&self, name: &str, now: Timestamp) -> Option<Finding> {
        let names: Vec<&str> = self.app.databases.iter().map(|database| database.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let (day, cure) = (now.date_naive(), "back them up with their own service");
        let says = format!("{}: Azure takes databases along until {DATABASES_END}", names.join(", "));
        Some(match day {
            day if day > DATABASES_END => Finding::fail("databases", name, says, cure),
            day if day + NOTICE > DATABASES_END => Finding::warn("databases", name, says, cure),
            _ => Finding::ok("databases", name, says),
        })
    }
}

/// A call that did not end well.
fn unanswered(check: &'static str, name: &str, error: &Error) -> Finding {
    let (says, cure) = match error.kind() {
        ErrorKind::NotFound => {
            ("Azure has no such app".to_owned(), "correct its id, or take it out of the fleet file")
        }
        ErrorKind::Forbidden => (error.to_string(), "give the credential the role Website Contributor there"),
        ErrorKind::Unauthorized => (error.to_string(), "check the credential in [azure]"),
        ErrorKind::Throttled { .. } | ErrorKind::Conflict { .. } => {
            (error.to_string(), "Azure asks to wait: try again in a minute")
        }
        _ => (error.to_string(), "check the network, then try again"),
    };
    Finding::fail(check, name, says, cure)
}

/// The most of these times, in order, that lie within a day.
fn most_in_a_day(times: &[Timestamp]) -> usize {
    let within =
        |(index, first): (usize, &Timestamp)| times[index..].partition_point(|time| *time < *first + DAY);
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

/// How many backups a day Azure's own schedule takes.
fn each_day(schedule: &NativeSchedule) -> usize {
    match (schedule.enabled, schedule.unit) {
        (false, _) => 0,
        (true, FrequencyUnit::Day) => 1,
        (true, FrequencyUnit::Hour) => usize::try_from(24_u32.div_ceil(schedule.every.max(1))).unwrap_or(24),
    }
}

#[cfg(test)]
mod tests;
