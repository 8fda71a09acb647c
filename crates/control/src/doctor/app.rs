//! Checks one app by what Azure says about it.

use std::time::Duration;

use chrono::TimeDelta;
use holdfast_arm::{Arm, Backup, Error, ErrorKind, FoundSchedule, Permissions};
use holdfast_model::{App, DATABASES_END, FrequencyUnit, NativeSchedule, Policy, Site, Timestamp};
use holdfast_storage::WantedSchedule;

use super::finding::Finding;
use super::rights::rights;
use crate::native_schedule::observed;
use crate::tier;
use crate::wording::counted;

const DAY: Duration = Duration::from_hours(24);

/// How far ahead ticks are counted: every day of the week is included.
const AHEAD: Duration = Duration::from_hours(8 * 24);

/// How long before Azure stops backing up linked databases the warning begins.
const NOTICE: TimeDelta = TimeDelta::days(365);

/// What Azure says about an app.
#[derive(Debug)]
pub struct AppFacts {
    /// The app.
    pub app: App,
    /// The site.
    pub site: Result<Site, Error>,
    /// The backups.
    pub backups: Result<Vec<Backup>, Error>,
    /// The native schedule.
    pub schedule: Result<Option<FoundSchedule>, Error>,
    /// The rights of the credential on the app.
    pub permissions: Result<Permissions, Error>,
}

impl AppFacts {
    /// Asks Azure, with calls that change nothing.
    pub async fn gather(arm: &dyn Arm, app: App) -> Self {
        let (site, backups, schedule, permissions) = tokio::join!(
            arm.site(&app.id),
            arm.list_backups(&app.id),
            arm.schedule(&app.id),
            arm.permissions(&app.id)
        );
        Self { app, site, backups, schedule, permissions }
    }

    /// The findings about the app under its policy.
    pub fn check(&self, policy: Option<&Policy>, now: Timestamp) -> Vec<Finding> {
        let name = self.app.id.short_name();
        let site = match &self.site {
            Ok(site) => site,
            Err(error) => return vec![failed_call("app", &name, error)],
        };
        let tier = site.tier.as_deref();
        let state = site.state.as_deref().unwrap_or("in an unknown state");
        let mut found = vec![Finding::ok("app", &name, format!("exists, {}", state.to_lowercase()))];
        found.push(tier_finding(&name, site));
        for error in [self.backups.as_ref().err(), self.schedule.as_ref().err()].into_iter().flatten() {
            found.push(failed_call("answers", &name, error));
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
                "is in no policy, so it is not backed up",
                "give it one in the fleet file",
            )),
        }
        found.extend(self.databases(&name, now));
        found.extend(self.native_schedule(&name, policy, now));
        found
    }

    /// How Azure's own schedule differs from the policy. An absent one is for `native-schedule drift` to tell.
    fn native_schedule(&self, name: &str, policy: Option<&Policy>, now: Timestamp) -> Option<Finding> {
        let found = observed(self.schedule.as_ref().ok()?.as_ref()?);
        let (schedule, databases) = (policy?.native_schedule.as_ref(), &self.app.databases[..]);
        let drift = WantedSchedule { schedule, databases, container: None }.drift(Some(&found), now);
        let cure = "`holdfast native-schedule push` sets it as the policy says, and `remove` takes it away";
        (!drift.is_empty()).then(|| Finding::warn("native schedule", name, drift.join("; "), cure))
    }

    /// Compares the ticks of the policy and of the native schedule with Azure's daily limit.
    fn daily(&self, name: &str, tier: Option<&str>, policy: &Policy, now: Timestamp) -> Option<Finding> {
        let limit = tier.and_then(tier::daily_limit)?;
        let next = |after: &Timestamp| policy.schedule.next_tick(&self.app.id, *after);
        let ticks = std::iter::successors(next(&now), next).take_while(|tick| *tick < now + AHEAD);
        let ours = most_in_a_day(&ticks.take(2_000).collect::<Vec<_>>());
        let native =
            self.schedule.as_ref().ok().and_then(Option::as_ref).map_or(0, |found| each_day(&found.schedule));
        let ours_text = counted(ours, "backup");
        let says = match native {
            0 => format!("up to {ours_text} a day of the {limit} that Azure allows"),
            _ => format!(
                "up to {ours_text} a day and {native} by Azure's own schedule, of the {limit} that Azure allows"
            ),
        };
        if ours + native <= limit {
            return Some(Finding::ok("daily limit", name, says));
        }
        let cure =
            "schedule less often, or remove one of the two schedules: what is over the limit is skipped";
        Some(Finding::fail("daily limit", name, says, cure))
    }

    fn databases(&self, name: &str, now: Timestamp) -> Option<Finding> {
        let names: Vec<&str> = self.app.databases.iter().map(|database| database.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let (day, cure) = (now.date_naive(), "back them up with their own service");
        let says = format!("{}: Azure backs up linked databases until {DATABASES_END}", names.join(", "));
        let finding = match day {
            day if day > DATABASES_END => Finding::fail("databases", name, says, cure),
            day if day + NOTICE > DATABASES_END => Finding::warn("databases", name, says, cure),
            _ => Finding::ok("databases", name, says),
        };
        Some(finding.in_group("databases"))
    }
}

/// Whether Azure backs up the app, by its tier and kind.
fn tier_finding(name: &str, site: &Site) -> Finding {
    match (site.why_unsupported(), site.tier.as_deref()) {
        (Some(why), _) => Finding::fail(
            "tier",
            name,
            format!("{why}, so its runs are not started"),
            "move it to a Standard plan or better, or take it out of the policy",
        ),
        (None, Some(tier)) => Finding::ok("tier", name, format!("in the tier {tier}")),
        (None, None) => {
            Finding::warn("tier", name, "Azure does not report its tier", "look at its plan in Azure")
        }
    }
}

/// The finding about a call that failed.
fn failed_call(check: &'static str, name: &str, error: &Error) -> Finding {
    let (says, cure) = match error.kind() {
        ErrorKind::NotFound => {
            ("Azure has no such app".to_owned(), "correct its id, or take it out of the fleet file")
        }
        ErrorKind::Forbidden => (error.to_string(), "give the credential the role Website Contributor there"),
        ErrorKind::Unauthorized | ErrorKind::CredentialRefused => {
            (error.to_string(), "check the credential in [azure]")
        }
        ErrorKind::Throttled { .. } | ErrorKind::Conflict { .. } => {
            (error.to_string(), "Azure asks to wait: try again in a minute")
        }
        ErrorKind::Ambiguous | ErrorKind::NotSent => {
            (error.to_string(), "check the network and its proxies, then try again")
        }
        ErrorKind::Rejected => (error.to_string(), "correct what Azure names"),
    };
    let group = format!("{} {:?} {:?}", error.operation(), error.status(), error.code());
    Finding::fail(check, name, says, cure).in_group(group)
}

/// The largest number of these sorted times within any 24 hours.
fn most_in_a_day(times: &[Timestamp]) -> usize {
    let within =
        |(index, first): (usize, &Timestamp)| times[index..].partition_point(|time| *time < *first + DAY);
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

/// The backups that a native schedule takes in a day.
fn each_day(schedule: &NativeSchedule) -> usize {
    match (schedule.enabled, schedule.unit) {
        (false, _) => 0,
        (true, FrequencyUnit::Day) => 1,
        (true, FrequencyUnit::Hour) => usize::try_from(24_u32.div_ceil(schedule.every.max(1))).unwrap_or(24),
    }
}

#[cfg(test)]
mod tests;
