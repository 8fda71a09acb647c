//! Apps in every condition, at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{AppId, Cause, Outcome, PolicyName, RunId, RunKind, StateCode, Timestamp, Verification};
use holdfast_store::{Acknowledgement, AppStatus, CheckStatus, LastRun, Missed, Running};

use crate::views::reading::FleetReading;

/// 2026-11-29T08:00:00Z.
pub fn now() -> Timestamp {
    holdfast_model::parse_timestamp("2026-11-29T08:00:00Z").unwrap()
}

pub fn ago(hours: u64) -> Timestamp {
    now() - Duration::from_hours(hours)
}

pub fn app(name: &str) -> AppId {
    AppId::new("s1", "shops", name, None)
}

pub fn run_id() -> RunId {
    RunId::new(now(), &mut fastrand::Rng::with_seed(1))
}

pub fn last(outcome: Outcome, cause: Option<Cause>, hours: u64) -> LastRun {
    LastRun { run_id: run_id(), outcome, cause, verification: None, ended_at: ago(hours) }
}

/// An app whose last backup was good six hours ago.
pub fn good(name: &str) -> AppStatus {
    AppStatus {
        policy: Some(PolicyName::new("gold")),
        recovery_point_objective: Some(Duration::from_hours(26)),
        last: Some(last(Outcome::Succeeded, None, 6)),
        last_good_at: Some(ago(6)),
        next_tick: Some(now() + Duration::from_mins(18)),
        ..AppStatus::new(app(name))
    }
}

pub fn failed(name: &str, cause: Cause) -> AppStatus {
    AppStatus { last: Some(last(Outcome::Failed, Some(cause), 5)), ..good(name) }
}

pub fn past(name: &str) -> AppStatus {
    AppStatus { last_good_at: Some(ago(30)), past_objective: true, ..failed(name, Cause::StorageRefused) }
}

pub fn never(name: &str) -> AppStatus {
    AppStatus { last: None, last_good_at: None, ..good(name) }
}

pub fn lost(name: &str) -> AppStatus {
    AppStatus { check: CheckStatus { lost: 2, ..CheckStatus::default() }, ..good(name) }
}

pub fn missed(name: &str) -> AppStatus {
    let missed = Some(Missed { run_id: run_id(), tick: ago(3), cause: Some(Cause::Overlap) });
    AppStatus { missed, ..good(name) }
}

pub fn partial(name: &str) -> AppStatus {
    AppStatus { last: Some(last(Outcome::Partial, Some(Cause::PartiallySucceeded), 2)), ..good(name) }
}

pub fn shrinking(name: &str) -> AppStatus {
    AppStatus { last: Some(last(Outcome::Exhausted, Some(Cause::BlobShrunk), 2)), ..good(name) }
}

pub fn unverified(name: &str) -> AppStatus {
    let mut status = good(name);
    status.last.as_mut().unwrap().verification = Some(Verification::Unreachable);
    status
}

pub fn missing(name: &str) -> AppStatus {
    AppStatus { missing_since: Some(ago(1)), ..good(name) }
}

pub fn without_policy(name: &str) -> AppStatus {
    AppStatus::new(app(name))
}

pub fn without_objective(name: &str) -> AppStatus {
    AppStatus { recovery_point_objective: None, ..good(name) }
}

pub fn paused(name: &str) -> AppStatus {
    AppStatus { paused: true, next_tick: None, ..good(name) }
}

/// An app whose failure a person has acknowledged.
pub fn acknowledged(name: &str) -> AppStatus {
    let told = Acknowledgement { run_id: run_id(), note: "known".into(), actor: "ann".into(), at: now() };
    AppStatus { acknowledged: Some(told), ..failed(name, Cause::TimedOut) }
}

/// An app whose first backup is under way.
pub fn first_under_way(name: &str) -> AppStatus {
    AppStatus { running: Some(running(StateCode::Polling, None)), ..never(name) }
}

pub fn running(state: StateCode, cause: Option<Cause>) -> Running {
    let (since, next_try) = (now() - Duration::from_mins(3), now() + Duration::from_mins(5));
    Running { run_id: run_id(), kind: RunKind::Backup, state, cause, since, next_try }
}

pub fn under_way(name: &str) -> AppStatus {
    AppStatus { running: Some(running(StateCode::Polling, None)), ..good(name) }
}

pub fn left(name: &str) -> AppStatus {
    AppStatus { removed: true, ..good(name) }
}

/// A reading of these apps. Like a store's it is ordered by app.
pub fn reading(apps: impl IntoIterator<Item = AppStatus>) -> FleetReading {
    let mut apps: Vec<AppStatus> = apps.into_iter().collect();
    apps.sort_by(|a, b| a.app.cmp(&b.app));
    FleetReading { at: now(), apps, days: BTreeMap::new(), ..FleetReading::default() }
}

/// An app of each condition, the worst first.
pub fn one_of_each() -> Vec<AppStatus> {
    let all: [fn(&str) -> AppStatus; 17] = [
        never,
        past,
        lost,
        |name| failed(name, Cause::TimedOut),
        missed,
        partial,
        shrinking,
        unverified,
        missing,
        without_policy,
        without_objective,
        acknowledged,
        paused,
        first_under_way,
        under_way,
        good,
        left,
    ];
    all.iter().enumerate().map(|(place, status)| status(&format!("app-{place:02}"))).collect()
}
