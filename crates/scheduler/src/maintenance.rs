//! The maintenance planner: retention, SAS refreshes, renewals and drills become due runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use holdfast_model::{
    App, AppId, BackupId, CatalogEntry, NewRun, NewTask, Policy, PolicyName, RunKind, SasWindow, Task,
    Timestamp, Trigger,
};
use holdfast_store::{AppStatus, CatalogFilter, RunFilter, RunPlace};
use tokio_util::sync::CancellationToken;

use crate::app_backups::{AppBackups, MaintenanceTask, last_drill};
use crate::app_retention::RETRY_AFTER;
use crate::check_timing::{CHECK_EVERY, CheckNeeds, CheckTiming};
use crate::planning_context::log_failure;
use crate::renewal::{RenewalTiming, renewal_after, sent_sas};
use crate::{Error, FleetSnapshot, PlanningContext, UnfinishedRuns};

/// Default interval between maintenance passes.
const INTERVAL: Duration = Duration::from_hours(1);

/// Delay of the first pass, so that the process can finish its start.
const FIRST_AFTER: Duration = Duration::from_mins(1);

/// Apps whose backups are read at a time. It bounds the memory of a pass.
const PAGE: u32 = 50;

/// Runs added in one transaction.
const BATCH: usize = 500;

/// Unfinished runs that are read at once.
const RUNS: u32 = 1_000;

/// Runs read per app to find the SAS last sent with Azure's own schedule.
const PUSHES: u32 = 10;

/// Plans deletions, SAS refreshes and drills for existing backups, renewals of the SAS of Azure's own schedules, and
/// catalog checks.
///
/// It only adds runs. The worker that executes one checks again whether it may.
#[derive(Debug)]
pub struct MaintenancePlanner {
    context: PlanningContext,
    interval: Duration,
    check_every: Duration,
}

/// The result of one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaintenanceReport {
    /// Runs added, without catalog checks.
    pub added: u64,
    /// Catalog checks added.
    pub checks: u64,
    /// Backups that dry-run rules would delete, by policy.
    pub dry_run: BTreeMap<PolicyName, usize>,
    /// Apps skipped because a backup of theirs is newer than the clock.
    pub ahead_of_clock: u64,
}

impl MaintenancePlanner {
    /// A maintenance planner.
    pub fn new(context: PlanningContext) -> Self {
        Self { interval: context.interval.unwrap_or(INTERVAL), check_every: CHECK_EVERY, context }
    }

    /// The same planner with another time between the catalog checks of an app.
    #[must_use]
    pub fn with_checks_every(self, check_every: Duration) -> Self {
        Self { check_every, ..self }
    }

    /// Runs passes until `stop`. A failed pass is logged.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = FIRST_AFTER.min(self.interval);
        while tokio::time::timeout(pause, stop.cancelled()).await.is_err() {
            pause = self.interval;
            if let Err(error) = self.run_once().await {
                log_failure("plan maintenance", &error);
            }
        }
    }

    /// One pass over the catalog, page by page, and over Azure's own schedules.
    pub async fn run_once(&mut self) -> Result<MaintenanceReport, Error> {
        let fleet = &*self.context.fleet_now();
        let status = self.status().await?;
        let unfinished = self.unfinished().await?;
        let mut report = MaintenanceReport::default();
        let mut needs: BTreeMap<AppId, CheckNeeds> = BTreeMap::new();
        let mut after = None;
        loop {
            let filter = CatalogFilter { after: after.take(), most_apps: PAGE, ..CatalogFilter::default() };
            let page = self.context.store.catalog(&filter).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.app.clone());
            let now = self.context.store.now().await?;
            let mut runs = Vec::new();
            for entries in page.chunk_by(|one, next| one.app == next.app) {
                // An app that left the fleet or has no policy gets no maintenance.
                let Some((app, policy)) = fleet.with_policy(&entries[0].app) else { continue };
                let backups = AppBackups { app, policy, entries, unfinished: &unfinished, now };
                let is_paused = app.paused || status.get(&app.id).is_some_and(AppStatus::is_paused);
                let tasks = self.tasks_for(fleet, (backups, is_paused), &mut report).await?;
                let deletes = tasks.iter().any(|task| matches!(task.task, Task::Delete(_)));
                needs.insert(app.id.clone(), CheckNeeds::of(entries, policy, deletes, now));
                runs.extend(tasks.into_iter().map(|task| self.new_run(fleet, policy, task, now)));
            }
            report.added += self.add(&runs).await?;
        }
        let renewals = self.renewals(fleet).await?;
        report.added += self.add(&renewals).await?;
        let checks = self.checks(fleet, (&needs, &status)).await?;
        report.checks += self.add(&checks).await?;
        if report.added + report.checks > 0 {
            self.context.due_signal.notify_one();
        }
        for (policy, backups) in &report.dry_run {
            tracing::info!(%policy, backups, "retention would delete backups, but is a dry run");
        }
        if report.added > 0 {
            tracing::info!(runs = report.added, "maintenance runs planned");
        }
        Ok(report)
    }

    /// What unfinished runs do with backups, read in pages: there may be one of each app.
    async fn unfinished(&self) -> Result<UnfinishedRuns, Error> {
        let mut unfinished = UnfinishedRuns::default();
        let mut filter = RunFilter { unfinished: true, most: RUNS, ..RunFilter::default() };
        loop {
            let page = self.context.store.runs(&filter).await?;
            filter.after = page.last().map(|run| RunPlace { created_at: run.created_at, id: run.id });
            let is_last = page.len() < RUNS as usize;
            unfinished.extend(page);
            if is_last {
                return Ok(unfinished);
            }
        }
    }

    /// The status of every app.
    async fn status(&self) -> Result<BTreeMap<AppId, AppStatus>, Error> {
        let all = self.context.store.status().await?.into_iter();
        Ok(all.map(|status| (status.app.clone(), status)).collect())
    }

    async fn add(&self, runs: &[NewRun]) -> Result<u64, Error> {
        let mut added = 0;
        for batch in runs.chunks(BATCH) {
            added += self.context.store.add_runs(batch).await?;
        }
        Ok(added)
    }

    /// Time before its expiry at which a SAS stored at Azure is replaced.
    fn margin(&self) -> Duration {
        SasWindow::RENEWED_BEFORE.max(2 * self.interval)
    }

    /// The renewals that are due for Azure's own schedules of apps whose policies ask for one.
    async fn renewals(&mut self, fleet: &FleetSnapshot) -> Result<Vec<NewRun>, Error> {
        let (now, mut runs) = (self.context.store.now().await?, Vec::new());
        let timing = RenewalTiming { now, margin: self.margin(), retry_after: RETRY_AFTER };
        let apps = fleet.apps.keys().filter_map(|id| fleet.with_policy(id));
        for (app, policy) in apps.filter(|(_, policy)| policy.native_schedule.is_some()) {
            let (of, kind) = (Some(app.id.clone()), Some(RunKind::PushSchedule));
            let filter = RunFilter { app: of, kind, most: PUSHES, ..RunFilter::default() };
            for push in self.context.store.runs(&filter).await? {
                let events = self.context.store.events(push.id).await?.into_iter().map(|event| event.event);
                let decision = renewal_after(&push, sent_sas(events).as_ref(), timing);
                let ControlFlow::Break(task) = decision else { continue };
                runs.extend(task.map(|task| {
                    let storage = push.policy_snapshot.storage;
                    self.new_run(fleet, policy, MaintenanceTask { app: app.clone(), storage, task }, now)
                }));
                break;
            }
        }
        Ok(runs)
    }

    /// The catalog checks that are due, for each app with a policy.
    async fn checks(
        &mut self,
        fleet: &FleetSnapshot,
        (needs, status): (&BTreeMap<AppId, CheckNeeds>, &BTreeMap<AppId, AppStatus>),
    ) -> Result<Vec<NewRun>, Error> {
        let now = self.context.store.now().await?;
        let timing = CheckTiming { now, every: self.check_every, pass: self.interval };
        let mut runs = Vec::new();
        for (app, policy) in fleet.apps.keys().filter_map(|id| fleet.with_policy(id)) {
            let needs = needs.get(&app.id).copied().unwrap_or_default();
            if needs.is_due(&app.id, status.get(&app.id), timing) {
                let task = Task::CheckCatalog {
                    schedule: policy.native_schedule.clone(),
                    databases: app.databases.clone(),
                };
                let storage = policy.policy_snapshot.storage.clone();
                runs.push(self.new_run(
                    fleet,
                    policy,
                    MaintenanceTask { app: app.clone(), storage, task },
                    now,
                ));
            }
        }
        Ok(runs)
    }

    /// The tasks that are due for the backups of one app.
    async fn tasks_for(
        &self,
        fleet: &FleetSnapshot,
        (backups, is_paused): (AppBackups<'_>, bool),
        report: &mut MaintenanceReport,
    ) -> Result<Vec<MaintenanceTask>, Error> {
        let retention = backups.retention();
        if let Some(id) = retention.newer_than_clock {
            let (app, now) = (backups.app.id.short_name(), backups.now);
            tracing::warn!(%app, backup = %id, %now, "a backup is newer than the clock; its app gets no maintenance");
            report.ahead_of_clock += 1;
            return Ok(Vec::new());
        }
        let is_dry_run = backups.policy.retention.is_some_and(|rule| rule.dry_run);
        let expired = if is_dry_run { BTreeSet::new() } else { retention.expired.clone() };
        if is_dry_run && !retention.expired.is_empty() {
            *report.dry_run.entry(backups.policy.name.clone()).or_default() += retention.expired.len();
        }
        let mut tasks = Vec::new();
        // A paused app gets only what keeps its backups readable.
        if !is_paused {
            tasks.extend(backups.deletions(&retention.due));
            tasks.extend(self.due_drill(fleet, backups).await?);
        }
        tasks.extend(self.due_refreshes(backups, &expired).await?);
        Ok(tasks)
    }

    /// The SAS refreshes that are due. Earlier refreshes are read only if a SAS expires.
    async fn due_refreshes(
        &self,
        backups: AppBackups<'_>,
        expired: &BTreeSet<BackupId>,
    ) -> Result<Vec<MaintenanceTask>, Error> {
        let margin = self.margin();
        let expiring = backups.expiring_sas(margin, expired);
        if expiring.is_empty() {
            return Ok(Vec::new());
        }
        // A backup has a few refreshes a day at most, so the newest runs of the app are enough.
        let most = u32::try_from(8 * backups.entries.len()).unwrap_or(u32::MAX);
        let (app, kind) = (Some(backups.app.id.clone()), Some(RunKind::RefreshSas));
        let filter = RunFilter { app, kind, most, ..RunFilter::default() };
        let previous = self.context.store.runs(&filter).await?;
        let refresh = |entry: &CatalogEntry| backups.refresh(entry, margin, &previous);
        Ok(expiring.into_iter().filter_map(refresh).collect())
    }

    /// The drill that is due. Removed backups are read only if the existing ones had no recent drill.
    async fn due_drill(
        &self,
        fleet: &FleetSnapshot,
        backups: AppBackups<'_>,
    ) -> Result<Option<MaintenanceTask>, Error> {
        let Some(rule) = backups.due_drill_rule() else { return Ok(None) };
        let app = Some(backups.app.id.clone());
        let all = CatalogFilter { app, with_removed: true, ..CatalogFilter::default() };
        if !rule.is_due(last_drill(&self.context.store.catalog(&all).await?), backups.now) {
            return Ok(None);
        }
        let known = fleet.apps.get(&rule.into).cloned();
        // Until its subscription is listed, nothing tells whether the scratch app has a policy.
        if known.is_none() && fleet.unanswered.contains(rule.into.subscription()) {
            return Ok(None);
        }
        // Discovery may have found it after the fleet file was checked.
        if let Some(App { id, policy: Some(policy), .. }) = &known {
            let (of, scratch) = (backups.app.id.short_name(), id.short_name());
            tracing::warn!(%of, %scratch, %policy, "no drill: the scratch app has a policy, and a drill would overwrite it");
            return Ok(None);
        }
        let unknown = || App::new(rule.into.clone());
        let scratch = App { policy: backups.app.policy.clone(), ..known.unwrap_or_else(unknown) };
        Ok(backups.drill(rule, scratch))
    }

    fn new_run(
        &mut self,
        fleet: &FleetSnapshot,
        policy: &Policy,
        task: MaintenanceTask,
        now: Timestamp,
    ) -> NewRun {
        let MaintenanceTask { app, storage, task } = task;
        let policy_snapshot = fleet.accounts.snapshot_for(policy, &storage);
        let planned = NewTask { task, trigger: Trigger::Policy, actor: None };
        NewRun::task(self.context.new_id(now), &app, &policy_snapshot, planned, now)
    }
}
