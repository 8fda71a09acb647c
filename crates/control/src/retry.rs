//! Retrying: the apps of runs that did not succeed are backed up again.

use std::collections::BTreeSet;

use holdfast_model::{AppId, Outcome, Run, RunId, RunKind, RunState};
use holdfast_store::{AppStatus, RunFilter, Store};

use crate::status_waits::missed_since_good;
use crate::views::FleetReading;
use crate::views::actions::{LeftOut, Selection};
use crate::views::activity::ActivityQuery;
use crate::views::grouped;
use crate::{Error, ErrorKind};

/// Runs of one request, at most.
pub const MOST: u32 = 2_000;

/// The runs that a person selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunSelection {
    /// These runs.
    Runs(BTreeSet<RunId>),
    /// Every backup run that matches and did not succeed, on all pages.
    Matching {
        /// The query.
        query: ActivityQuery,
        /// The number of runs that the person saw; `None` before the person saw one.
        count: Option<usize>,
    },
}

/// The apps to back up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySelection {
    /// The number of runs that were selected.
    pub runs: usize,
    /// Their apps, each once.
    pub apps: Selection,
    /// Apps that need no retry or can have none, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// The last runs of apps that did not succeed, and their missed ticks.
pub fn unsuccessful(reading: &FleetReading, apps: &BTreeSet<AppId>) -> BTreeSet<RunId> {
    let selected = reading.apps.iter().filter(|status| apps.contains(&status.app));
    let last = |status: &AppStatus| {
        let failed = status.last.as_ref().filter(|last| last.outcome != Outcome::Succeeded);
        let missed = missed_since_good(status).map(|missed| missed.run_id);
        failed.map(|last| last.run_id).into_iter().chain(missed).max()
    };
    selected.filter_map(last).collect()
}

/// Reads the selected runs, and decides which of their apps are backed up again. Asks the store with one statement.
pub async fn select(
    store: &dyn Store,
    reading: &FleetReading,
    selection: &RunSelection,
) -> Result<RetrySelection, Error> {
    let runs = match selection {
        RunSelection::Runs(ids) => named(store, ids).await?,
        RunSelection::Matching { query, count } => matching(store, query, *count).await?,
    };
    Ok(decide(reading, &runs))
}

async fn named(store: &dyn Store, ids: &BTreeSet<RunId>) -> Result<Vec<Run>, Error> {
    if ids.len() > MOST as usize {
        return Err(too_many());
    }
    let rows = store.run_rows(&ids.iter().copied().collect::<Vec<_>>()).await?;
    let runs: Vec<Run> = rows.into_iter().map(|row| row.run).collect();
    let found: BTreeSet<RunId> = runs.iter().map(|run| run.id).collect();
    match ids.difference(&found).next() {
        None => Ok(runs),
        Some(id) => Err(Error::new(ErrorKind::NotFound, format!("the store has no run {id}"))
            .help("open the activity again, and choose again")),
    }
}

async fn matching(store: &dyn Store, query: &ActivityQuery, count: Option<usize>) -> Result<Vec<Run>, Error> {
    if query.kind.is_some_and(|kind| kind != RunKind::Backup) || query.unfinished {
        let what = "only backup runs that have ended can be retried";
        return Err(Error::new(ErrorKind::Invalid, what).help("select backups that failed"));
    }
    let unsuccessful = [Outcome::Partial, Outcome::Failed, Outcome::Exhausted, Outcome::Missed];
    let outcomes = if query.outcomes.is_empty() { unsuccessful.into() } else { query.outcomes.clone() };
    let filter = RunFilter {
        app: query.app.clone(),
        kind: Some(RunKind::Backup),
        outcomes,
        cause: query.cause,
        trigger: query.trigger,
        most: MOST + 1,
        ..RunFilter::default()
    };
    let runs = store.runs(&filter).await?;
    if runs.len() > MOST as usize {
        return Err(too_many());
    }
    match count.filter(|count| *count != runs.len()) {
        None => Ok(runs),
        Some(seen) => {
            let (seen, now) = (grouped(seen as u64), grouped(runs.len() as u64));
            let what =
                format!("{seen} runs matched when this was asked, and {now} match now; nothing was done");
            Err(Error::new(ErrorKind::Conflict, what).help("look at the activity again, then ask again"))
        }
    }
}

fn too_many() -> Error {
    let what = format!("more than {} runs are selected", grouped(u64::from(MOST)));
    Error::new(ErrorKind::Invalid, what)
        .help("narrow the activity to a cause or an app, or back up the apps instead")
}

/// The apps of the runs. Of several runs of an app the newest decides.
fn decide(reading: &FleetReading, runs: &[Run]) -> RetrySelection {
    let mut newest: Vec<&Run> = Vec::new();
    let mut sorted: Vec<&Run> = runs.iter().collect();
    sorted.sort_by_key(|run| (&run.app, std::cmp::Reverse(run.id)));
    for run in sorted {
        if newest.last().is_none_or(|last| last.app != run.app) {
            newest.push(run);
        }
    }
    let (mut apps, mut left_out): (BTreeSet<AppId>, Vec<LeftOut>) = (BTreeSet::new(), Vec::new());
    for run in newest {
        match why_not(run, reading.status_of(&run.app)) {
            None => drop(apps.insert(run.app.clone())),
            Some(why) => left_out.push(LeftOut { app: run.app.clone(), why: why.to_owned() }),
        }
    }
    RetrySelection { runs: runs.len(), apps: Selection::Apps(apps), left_out }
}

/// Why the app of a run is not backed up again.
fn why_not(run: &Run, status: Option<&AppStatus>) -> Option<&'static str> {
    let Some(status) = status else { return Some("it is not in the fleet") };
    if run.task.kind() != RunKind::Backup {
        return Some("the run is no backup");
    }
    match &run.state {
        RunState::Ended { outcome: Outcome::Succeeded, .. } => return Some("the run succeeded"),
        RunState::Ended { .. } => {}
        _ => return Some("the run has not ended"),
    }
    let is_later = |at| at > run.ended_at.unwrap_or(run.created_at);
    status.last_good_at.is_some_and(is_later).then_some("a later backup succeeded")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::{
        App, Cause, NewBackup, NewRun, PolicyName, PolicySnapshot, StorageName, Timestamp, Trigger,
    };

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    fn run(name: &str, created: i64, outcome: Option<Outcome>) -> Run {
        let app = App { policy: Some(PolicyName::new("gold")), ..App::new(AppId::new("s", "g", name, None)) };
        let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let new = NewBackup { tick: None, trigger: Trigger::Manual, due_at: at(created) };
        let id = RunId::new(at(created), &mut fastrand::Rng::with_seed(1));
        let mut run = NewRun::backup(id, &app, &snapshot, new, at(created)).run;
        if let Some(outcome) = outcome {
            let cause = (outcome != Outcome::Succeeded).then_some(Cause::AzureFailed);
            run.state = RunState::Ended { outcome, cause, backup: None, verification: None };
            run.ended_at = Some(at(created) + Duration::from_mins(1));
        }
        run
    }

    fn status(name: &str, last_good: Option<i64>) -> AppStatus {
        AppStatus {
            policy: Some(PolicyName::new("gold")),
            last_good_at: last_good.map(at),
            ..AppStatus::new(AppId::new("s", "g", name, None))
        }
    }

    #[test]
    fn each_app_is_retried_once_and_the_rest_is_left_out_with_its_reason() {
        let mut apps: Vec<AppStatus> =
            ["api", "blog", "crm", "shop", "wiki"].map(|name| status(name, None)).into();
        apps.insert(3, status("portal", Some(5_000)));
        let reading = FleetReading { apps, ..FleetReading::default() };
        let runs = [
            run("shop", 10, Some(Outcome::Failed)),
            run("shop", 500, Some(Outcome::Exhausted)),
            run("crm", 10, Some(Outcome::Missed)),
            run("wiki", 10, Some(Outcome::Failed)),
            run("wiki", 500, Some(Outcome::Succeeded)),
            run("api", 10, None),
            run("blog", 10, Some(Outcome::Cancelled)),
            run("portal", 10, Some(Outcome::Partial)),
            run("gone", 10, Some(Outcome::Failed)),
        ];
        let RetrySelection { runs, apps, left_out } = decide(&reading, &runs);
        let Selection::Apps(apps) = apps else { panic!("{apps:?}") };
        assert_eq!(runs, 9);
        assert_eq!(apps.iter().map(AppId::short_name).collect::<Vec<_>>(), ["blog", "crm", "shop"]);
        let left: Vec<_> = left_out.iter().map(|left| (left.app.short_name(), left.why.as_str())).collect();
        let expected = [
            ("api", "the run has not ended"),
            ("gone", "it is not in the fleet"),
            ("portal", "a later backup succeeded"),
            ("wiki", "the run succeeded"),
        ];
        assert_eq!(left, expected.map(|(app, why)| (app.to_owned(), why)));
    }
}
