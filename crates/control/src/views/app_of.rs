//! Reads what the page of one app shows.

use std::collections::BTreeMap;

use holdfast_model::{AppId, CatalogEntry, Origin, Policy, PolicyName, Timestamp};
use holdfast_store::{Acknowledgement, AppStatus, CatalogFilter, Pause, RunFilter, Store};

use crate::error::Error;
use crate::policies::FleetPolicies;
use crate::runs::RunView;
use crate::schedule_preview::{PreviewRange, SchedulePreview, preview};
use crate::times::{age, until};
use crate::views::activity_of::cut;
use crate::views::app::{AppView, BackupMeasure, PolicyValue};
use crate::views::app_facts::{AppFacts, age_permille};
use crate::views::cause_advice::{advice, label};
use crate::views::condition::Condition;
use crate::views::day_mark::{DayMark, first_day, strip};
use crate::views::overview_of::doing;
use crate::views::reading::FleetReading;
use crate::{ErrorKind, app_names};

/// Days of the calendar.
const YEAR: u16 = 365;
/// Runs of the first page.
const RUNS: u32 = 25;
/// Sizes and durations that are plotted, at most.
const MEASURES: usize = 400;
/// Ticks that are shown.
const TICKS: u32 = 10;

/// Reads one app, which `name` names: its ARM id, or its short name where only one app has it. Asks the store with three
/// statements, and four for an app that was never enrolled.
pub async fn app_view(
    store: &dyn Store,
    reading: &FleetReading,
    policies: &FleetPolicies,
    name: &str,
) -> Result<AppView, Error> {
    let status = status_of(store, reading, name).await?;
    let (app, at) = (status.app.clone(), reading.at);
    let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
    let catalog = store.catalog(&filter).await?;
    let filter = RunFilter { app: Some(app.clone()), most: RUNS + 1, ..RunFilter::default() };
    let mut runs = store.runs(&filter).await?;
    let days = store.app_days(first_day(at, YEAR), Some(&app)).await?;
    let older_runs = cut(&mut runs, RUNS);
    let facts = AppFacts::of(&status, at);
    let (condition, cause) = (facts.condition, facts.cause());
    let marks: Vec<DayMark> = days.iter().map(DayMark::from).collect();
    Ok(AppView {
        as_of: at,
        name: app.short_name(),
        condition,
        severity: condition.severity(),
        sentence: sentence(&facts, at),
        cause,
        advice: cause.map(|cause| advice(cause).to_owned()),
        age_permille: age_permille(&status, at),
        measures: measures(&catalog),
        recovery_points: catalog.into_iter().filter(|entry| entry.removal.is_none()).collect(),
        runs: runs.iter().map(RunView::from).collect(),
        older_runs,
        ticks: ticks(&status, &policies.by_name, at),
        policy_values: policy_values(&status, policies),
        days: strip(&marks, at, YEAR),
        status,
    })
}

fn policy_values(status: &AppStatus, policies: &FleetPolicies) -> Vec<PolicyValue> {
    let values = status.policy.as_ref().and_then(|policy| policies.effective.get(policy));
    values.into_iter().flatten().map(PolicyValue::from).collect()
}

/// The status of the app; empty for an app that has runs and was never enrolled.
async fn status_of(store: &dyn Store, reading: &FleetReading, name: &str) -> Result<AppStatus, Error> {
    // The usual case: nothing of the other apps is copied or compared by name.
    if let Some(status) = name.parse().ok().and_then(|id: AppId| reading.status_of(&id)) {
        return Ok(status.clone());
    }
    let ids: Vec<AppId> = reading.apps.iter().map(|status| status.app.clone()).collect();
    let error = match app_names::app(&ids, name) {
        Ok(id) => match reading.status_of(&id) {
            Some(status) => return Ok(status.clone()),
            None => Error::new(ErrorKind::NotFound, format!("{id} is not known here")),
        },
        Err(error) => error,
    };
    let Ok(id) = name.parse::<AppId>() else { return Err(error) };
    let filter = RunFilter { app: Some(id.clone()), most: 1, ..RunFilter::default() };
    if store.runs(&filter).await?.is_empty() { Err(error) } else { Ok(AppStatus::new(id)) }
}

fn ticks(
    status: &AppStatus,
    policies: &BTreeMap<PolicyName, Policy>,
    from: Timestamp,
) -> Option<SchedulePreview> {
    let policy = policies.get(status.policy.as_ref()?)?;
    let is_planned = !status.paused && !status.removed;
    let from = status.pause.as_ref().map_or(from, |pause| pause.until.max(from));
    is_planned.then(|| preview(policy, Some(status.app.clone()), PreviewRange { from, count: TICKS }))
}

/// The complete and partial backups, the oldest first. Leftovers of attempts say nothing about the app.
fn measures(catalog: &[CatalogEntry]) -> Vec<BackupMeasure> {
    let counts = |entry: &&CatalogEntry| {
        matches!(entry.origin, Origin::Succeeded | Origin::Partial | Origin::TakenOver)
    };
    let measure = |entry: &CatalogEntry| {
        let took = entry.backup.finished_at.and_then(|at| (at - entry.backup.accepted_at).to_std().ok());
        BackupMeasure {
            run_id: entry.run,
            accepted_at: entry.backup.accepted_at,
            bytes: entry.backup.size_bytes,
            took_s: took.map(|took| took.as_secs()),
            good: entry.good,
        }
    };
    let mut measures: Vec<BackupMeasure> = catalog.iter().filter(counts).map(measure).collect();
    measures.sort_by_key(|measure| (measure.accepted_at, measure.run_id));
    measures.split_off(measures.len().saturating_sub(MEASURES))
}

/// How the app stands, in one sentence.
fn sentence(facts: &AppFacts<'_>, now: Timestamp) -> String {
    let status = facts.status;
    let why = facts.cause().map(|cause| format!(": {}", label(cause))).unwrap_or_default();
    let point = match status.last_good_at {
        Some(at) => format!("The latest recovery point is of {}.", age(at, now)),
        None => "There is no good backup.".to_owned(),
    };
    let text = match facts.condition {
        Condition::NeverBackedUp => match (&status.running, status.next_tick) {
            (Some(running), _) => {
                return format!("No good backup yet: the {} {}.", running.kind, doing(running, now));
            }
            (None, Some(tick)) => {
                return format!("No good backup yet{why}. The next is due {}.", until(tick, now));
            }
            (None, None) => return format!("No good backup{why}."),
        },
        Condition::PastObjective => format!("Past its objective{why}."),
        Condition::Lost => "Backups that it could have been restored from were lost.".to_owned(),
        Condition::Failed => format!("The last backup failed{why}."),
        Condition::Missed => format!("The latest tick was not run{why}."),
        Condition::Partial => "The last backup lacks files.".to_owned(),
        Condition::Shrinking => "The last backup is much smaller than the one before.".to_owned(),
        Condition::Unverified => "The last backup could not be checked.".to_owned(),
        Condition::Missing => {
            "Azure's list leaves it out; it stays enrolled until Azure answers 404 for it.".to_owned()
        }
        Condition::NoPolicy => "In no policy: nothing backs it up.".to_owned(),
        Condition::NoObjective => "Its policy sets no recovery point objective.".to_owned(),
        Condition::Acknowledged => match &status.acknowledged {
            Some(Acknowledgement { actor, note, .. }) => {
                format!("Its last failure is acknowledged by {actor}: {note}.")
            }
            None => "Its last failure is acknowledged.".to_owned(),
        },
        Condition::Paused => match &status.pause {
            Some(Pause { until: end, actor, reason, .. }) => {
                format!("{actor} paused it; its schedule goes on {}: {reason}.", until(*end, now))
            }
            None => "The fleet file suspends its scheduled runs.".to_owned(),
        },
        Condition::FirstUnderWay => {
            let doing = status.running.as_ref().map(|running| doing(running, now)).unwrap_or_default();
            return format!("Its first backup is under way: {doing}.");
        }
        Condition::UnderWay => match &status.running {
            Some(running) => format!("The {} is under way: {}.", running.kind, doing(running, now)),
            None => "A run is under way.".to_owned(),
        },
        Condition::Good => "Inside its objective.".to_owned(),
        Condition::Left => "It left the fleet; its backups stay until retention ends.".to_owned(),
    };
    format!("{text} {point}")
}
