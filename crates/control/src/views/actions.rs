//! Backups of many apps that a person asks for from a list: what will be done, and doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_config::Fleet;
use holdfast_model::{
    Actor, App, AppId, Budget, NewRun, NewTask, RunId, SubscriptionId, Task, Timestamp, Trigger,
};
use holdfast_store::{AppStatus, RequestAnswer, RequestKey, Store, sha256_hex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_resolver::policy_snapshot;
use crate::views::fleet::FleetQuery;
use crate::views::fleet_page::matching;
use crate::views::numbers::grouped;
use crate::views::reading::FleetReading;
use crate::{Error, ErrorKind};

/// The apps that a person selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These apps.
    Apps(BTreeSet<AppId>),
    /// Every app that matches, on all pages.
    Matching {
        /// The query.
        query: FleetQuery,
        /// The number of apps that the person saw.
        count: usize,
    },
}

/// A request to back up apps now.
#[derive(Debug, Clone)]
pub struct BackupAction {
    /// The apps.
    pub selection: Selection,
    /// Who asks, for the audit.
    pub actor: Actor,
    /// A text that is the same when the same request is sent twice, such as a random number of the form. The runs of a
    /// request have ids that follow from it, so that they are added once.
    pub key: String,
    /// When the form was made: part of the ids of the runs.
    pub asked_at: Timestamp,
    /// The key that a program gave the request: the store then keeps the answer with the runs.
    pub request: Option<RequestKey>,
    /// Apps that the request names and that were left out before, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// What a request to back up apps will do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct BackupPreview {
    /// The number of apps selected.
    pub selected: usize,
    /// Apps that are backed up.
    pub starts: Vec<AppId>,
    /// Apps with a backup, restore or drill under way. They are left out.
    pub under_way: Vec<AppId>,
    /// Apps that cannot be backed up, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// What it costs of Azure's budget, by subscription.
    pub writes: Vec<WriteEstimate>,
}

/// An app that cannot be backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// The app.
    pub app: AppId,
    /// Why.
    pub why: String,
}

/// What a request costs of the write budget of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct WriteEstimate {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Requests that change something: one per backup, without retries.
    pub writes: u64,
    /// The greatest number that Azure accepts at once.
    pub at_once: u64,
    /// Seconds until the last of them can be sent, from a full budget; `None` where the budget never fills again.
    pub takes_s: Option<u64>,
}

/// What a request did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupsStarted {
    /// The runs that were added.
    pub runs: Vec<RunId>,
    /// Apps that had a run under way, also of the same request sent before.
    pub under_way: Vec<AppId>,
    /// Apps that cannot be backed up, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// Whether the same request was sent before, so that nothing was added now.
    pub is_repeated: bool,
}

/// The fleet file and the store of a process that backs up apps for people.
#[derive(Debug)]
pub struct FleetBackups {
    /// The fleet file.
    pub fleet: Fleet,
    /// The store.
    pub store: Arc<dyn Store>,
}

impl Selection {
    /// The ids of the selected apps. Fails where they are not those that the person saw.
    pub fn apps(&self, reading: &FleetReading) -> Result<Vec<AppId>, Error> {
        Ok(selected(reading, self)?.into_iter().map(|status| status.app.clone()).collect())
    }
}

/// What a request to back up a selection will do. Pure.
pub fn preview(reading: &FleetReading, fleet: &Fleet, selection: &Selection) -> Result<BackupPreview, Error> {
    let apps = selected(reading, selection)?;
    let mut preview = BackupPreview { selected: apps.len(), ..BackupPreview::default() };
    for status in apps {
        let app = status.app.clone();
        if let Some(why) = why_not(status, fleet) {
            preview.left_out.push(LeftOut { app, why });
        } else if status.running.is_some() {
            preview.under_way.push(app);
        } else {
            preview.starts.push(app);
        }
    }
    preview.writes = estimates(&preview.starts, fleet.limits.writes);
    Ok(preview)
}

/// Adds a backup run for each app that the preview starts, in one transaction.
///
/// Sent twice, the request adds its runs once. `reading` is what the store has now: the caller expires its cache first, and
/// again after this.
pub async fn back_up(
    store: &dyn Store,
    fleet: &Fleet,
    reading: &FleetReading,
    action: &BackupAction,
) -> Result<BackupsStarted, Error> {
    match &action.request {
        Some(key) => {
            if let Some(started) = answered(&store.request(key).await?)? {
                return Ok(started);
            }
        }
        None if sent_before(store, action).await? => return Ok(repeated(reading, action)),
        None => {}
    }
    let preview = preview(reading, fleet, &action.selection)?;
    let starts: BTreeSet<&AppId> = preview.starts.iter().collect();
    let listed: BTreeMap<&AppId, &App> = fleet.apps.iter().map(|app| (&app.id, app)).collect();
    let now = store.now().await?;
    let mut runs = Vec::new();
    for status in reading.apps.iter().filter(|status| starts.contains(&status.app)) {
        let listed = listed.get(&status.app).copied();
        runs.push(new_run((status, listed), fleet, action, (runs.len(), now))?);
    }
    let ids: Vec<RunId> = runs.iter().map(|new| new.run.id).collect();
    let BackupPreview { under_way, mut left_out, .. } = preview;
    left_out.extend(action.left_out.iter().cloned());
    let started = BackupsStarted { runs: ids, under_way, left_out, is_repeated: false };
    if let Some(key) = &action.request {
        return add_once(store, key, started, &runs).await;
    }
    if let Err(error) = store.add_runs(&runs).await {
        // The same request was faster: its runs have these ids.
        return if sent_before(store, action).await? {
            Ok(repeated(reading, action))
        } else {
            Err(error.into())
        };
    }
    Ok(started)
}

/// Adds the runs with their answer, or returns the answer of the first time.
async fn add_once(
    store: &dyn Store,
    key: &RequestKey,
    started: BackupsStarted,
    runs: &[NewRun],
) -> Result<BackupsStarted, Error> {
    let answer = serde_json::to_string(&started).unwrap_or_default();
    let known = store.add_runs_once(key, &answer, runs).await?;
    Ok(answered(&known)?.unwrap_or(started))
}

/// The answer that a request with a key had; `None` for a new request.
pub fn answered(known: &RequestAnswer) -> Result<Option<BackupsStarted>, Error> {
    match known {
        RequestAnswer::New => Ok(None),
        RequestAnswer::Answered(answer) => serde_json::from_str(answer).map(Some).map_err(|_| {
            Error::new(ErrorKind::Conflict, "the answer to this key cannot be read; look at the runs")
        }),
        RequestAnswer::Reused => Err(Error::new(ErrorKind::Refused, "the key was used for another request")),
    }
}

/// The selected apps. Fails where they are not those that the person saw.
fn selected<'a>(reading: &'a FleetReading, selection: &Selection) -> Result<Vec<&'a AppStatus>, Error> {
    match selection {
        Selection::Apps(ids) => {
            let apps: Vec<&AppStatus> =
                reading.apps.iter().filter(|status| ids.contains(&status.app)).collect();
            let known: BTreeSet<&AppId> = apps.iter().map(|status| &status.app).collect();
            match ids.iter().find(|id| !known.contains(id)) {
                None => Ok(apps),
                Some(id) => Err(Error::new(ErrorKind::NotFound, format!("{id} is not in the fleet"))
                    .help("open the list again and choose again")),
            }
        }
        Selection::Matching { query, count } => {
            let apps = matching(reading, query);
            if apps.len() == *count {
                return Ok(apps);
            }
            let (seen, now) = (grouped(*count as u64), grouped(apps.len() as u64));
            let what =
                format!("{seen} apps matched when this was asked, and {now} match now; nothing was done");
            Err(Error::new(ErrorKind::Conflict, what).help("look at the list again, then ask again"))
        }
    }
}

/// Why an app cannot be backed up.
fn why_not(status: &AppStatus, fleet: &Fleet) -> Option<String> {
    if status.removed {
        return Some("it left the fleet".to_owned());
    }
    match &status.policy {
        None => Some("it is in no policy".to_owned()),
        Some(policy) if !fleet.policies.contains_key(policy) => {
            Some(format!("the fleet file has no policy `{policy}`"))
        }
        Some(_) => None,
    }
}

fn estimates(starts: &[AppId], budget: Budget) -> Vec<WriteEstimate> {
    let mut counts: BTreeMap<&SubscriptionId, u64> = BTreeMap::new();
    for app in starts {
        *counts.entry(app.subscription()).or_default() += 1;
    }
    let estimate = |(subscription, writes): (&SubscriptionId, u64)| {
        let beyond = (count_as_f64(writes) - budget.capacity).max(0.0);
        let takes = Duration::try_from_secs_f64(if beyond > 0.0 { beyond / budget.per_second } else { 0.0 });
        WriteEstimate {
            subscription: subscription.clone(),
            writes,
            at_once: Duration::try_from_secs_f64(budget.capacity).map_or(u64::MAX, |whole| whole.as_secs()),
            takes_s: takes.ok().map(|takes| takes.as_secs() + u64::from(takes.subsec_nanos() > 0)),
        }
    };
    counts.into_iter().map(estimate).collect()
}

fn count_as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The run of an app. Its id follows from the request and its place in it.
fn new_run(
    (status, listed): (&AppStatus, Option<&App>),
    fleet: &Fleet,
    action: &BackupAction,
    (place, now): (usize, Timestamp),
) -> Result<NewRun, Error> {
    let mut app = listed.cloned().unwrap_or_else(|| App::new(status.app.clone()));
    (app.policy, app.plan) = (status.policy.clone(), status.plan.clone());
    let snapshot = policy_snapshot(&app, fleet)?;
    let task = Task::Backup { databases: app.databases.clone() };
    let task = NewTask { task, trigger: Trigger::Manual, actor: Some(action.actor.clone()) };
    Ok(NewRun::task(id_at(action, place), &app, &snapshot, task, now))
}

/// The id of the run at a place of a request.
fn id_at(action: &BackupAction, place: usize) -> RunId {
    let digest = sha256_hex(format!("{}\n{}\n{place}", action.actor.name, action.key).as_bytes());
    let seed = digest.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
    RunId::new(action.asked_at, &mut fastrand::Rng::with_seed(seed))
}

/// Whether the runs of the request are there. They are added together, so that the first one tells.
async fn sent_before(store: &dyn Store, action: &BackupAction) -> Result<bool, Error> {
    Ok(!store.run_rows(&[id_at(action, 0)]).await?.is_empty())
}

/// The result of a request that was sent before.
fn repeated(reading: &FleetReading, action: &BackupAction) -> BackupsStarted {
    let is_under_way = |status: &&AppStatus| status.running.is_some();
    let apps: Vec<&AppStatus> = match &action.selection {
        Selection::Apps(ids) => reading.apps.iter().filter(|status| ids.contains(&status.app)).collect(),
        Selection::Matching { query, .. } => matching(reading, query),
    };
    let under_way = apps.into_iter().filter(is_under_way).map(|status| status.app.clone()).collect();
    BackupsStarted { runs: Vec::new(), under_way, left_out: Vec::new(), is_repeated: true }
}
