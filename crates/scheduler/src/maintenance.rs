//! The maintenance: what is owed to backups already taken becomes due runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{
    App, AppId, BackupId, CatalogEntry, NewRun, NewTask, Policy, PolicyName, Restore, RunId, RunKind,
    SasWindow, Task, Timestamp, Trigger,
};
use holdfast_store::{CatalogFilter, RunFilter, Store};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::owed::{Kept, Owed, TROUBLE, last_drill};
use crate::renewal::{owed_after, sent};
use crate::{Error, Fleet};

/// How often the house is looked over, unless told otherwise. Nothing it finds is late by an hour.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// The first look comes when the start's own work is done.
const FIRST_AFTER: Duration = Duration::from_mins(1);

/// Apps whose backups are read at a time: what bounds its memory.
const PAGE: u32 = 50;

/// Runs added in one transaction.
const BATCH: usize = 500;

/// Runs that set an app's schedule, of which the newest that tells of a SAS counts.
const PUSHES: u32 = 10;

/// Looks after backups already taken: deletes those that nothing keeps, replaces the SAS that Azure keeps with the others
/// and with its own schedules before they lapse, and has backups tried out by a restore.
///
/// It only adds runs. The worker that carries one out looks once more whether it may.
#[derive(Debug)]
pub struct MaintenancePlanner {
    store: Arc<dyn Store>,
    fleet: watch::Receiver<Arc<Fleet>>,
    rng: fastrand::Rng,
    /// Rung when something became due, so that the dispatcher need not wait for its next look.
    bell: Arc<Notify>,
    look_every: Duration,
}

/// What one pass found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaintenanceReport {
    /// Runs added.
    pub added: u64,
    /// Backups that a rule would delete and only tells of, by policy.
    pub told: BTreeMap<PolicyName, usize>,
    /// Apps left alone because a backup of theirs is newer than the clock.
    pub of_the_future: u64,
}

/// What a pass knows of the whole fleet.
struct Sight {
    fleet: Arc<Fleet>,
    /// The restores that have not ended, for practice or not.
    restores: Vec<Restore>,
    /// The runs for a backup that have not ended.
    at_work: BTreeSet<RunId>,
    /// The backups that a deletion which has not ended takes away.
    going: BTreeMap<AppId, BTreeSet<BackupId>>,
}

impl MaintenancePlanner {
    /// A maintenance for the fleet as `fleet` shows it from time to time. `rng` makes the ids of runs.
    pub fn new(
        store: Arc<dyn Store>,
        fleet: watch::Receiver<Arc<Fleet>>,
        rng: fastrand::Rng,
        bell: Arc<Notify>,
    ) -> Self {
        Self { store, fleet, rng, bell, look_every: LOOK_EVERY }
    }

    /// Looks the house over this often.
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.look_every = look_every;
        self
    }

    /// Keeps house until `stop`. A pass that fails is logged, and the next one makes up for it.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = FIRST_AFTER.min(self.look_every);
        while tokio::time::timeout(pause, stop.cancelled()).await.is_err() {
            pause = self.look_every;
            if let Err(error) = self.run_once().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "failed to look after the backups; trying again");
            }
        }
    }

    /// One pass over the catalog, page by page, and over Azure's own schedules.
    pub async fn run_once(&mut self) -> Result<MaintenanceReport, Error> {
        let fleet = Arc::clone(&self.fleet.borrow());
        let sight = self.sight(fleet).await?;
        let mut found = MaintenanceReport::default();
        let mut after = None;
        loop {
            let filter = CatalogFilter { after: after.take(), most_apps: PAGE, ..CatalogFilter::default() };
            let page = self.store.catalog(&filter).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.app.clone());
            let now = self.store.now().await?;
            let mut runs = Vec::new();
            for entries in page.chunk_by(|one, next| one.app == next.app) {
                runs.extend(self.owed_to(&sight, entries, now, &mut found).await?);
            }
            found.added += self.add(&runs).await?;
        }
        let renewals = self.renewals(&sight.fleet).await?;
        found.added += self.add(&renewals).await?;
        for (policy, backups) in &found.told {
            tracing::info!(%policy, backups, "its retention would delete backups, but only tells");
        }
        if found.added > 0 {
            tracing::info!(runs = found.added, "added what is owed to backups already taken");
        }
        Ok(found)
    }

    async fn add(&self, runs: &[NewRun]) -> Result<u64, Error> {
        let mut added = 0;
        for batch in runs.chunks(BATCH) {
            added += self.store.add_runs(batch).await?;
        }
        if added > 0 {
            self.bell.notify_one();
        }
        Ok(added)
    }

    /// How long before it lapses a SAS that Azure keeps is replaced.
    fn margin(&self) -> Duration {
        SasWindow::RENEWED_BEFORE.max(2 * self.look_every)
    }

    /// The new SAS that are owed to Azure's own schedules of the apps whose policies ask for one.
    async fn renewals(&mut self, fleet: &Fleet) -> Result<Vec<NewRun>, Error> {
        let (now, mut runs) = (self.store.now().await?, Vec::new());
        let followed = fleet.apps.keys().filter_map(|id| fleet.followed(id));
        for (app, policy) in followed.filter(|(_, policy)| policy.native_schedule.is_some()) {
            let (of, kind) = (Some(app.id.clone()), Some(RunKind::PushSchedule));
            let filter = RunFilter { app: of, kind, most: PUSHES, ..RunFilter::default() };
            for push in self.store.runs(&filter).await? {
                let events = self.store.events(push.id).await?.into_iter().map(|event| event.event);
                let owed = owed_after(&push, sent(events).as_ref(), now, (self.margin(), TROUBLE));
                let ControlFlow::Break(task) = owed else { continue };
                runs.extend(task.map(|task| {
                    let owed = Owed { app: app.clone(), storage: push.policy_snapshot.storage, task };
                    self.run_of(fleet, policy, owed, now)
                }));
                break;
            }
        }
        Ok(runs)
    }

    /// The runs that the backups of one app are owed. An app that left the fleet or is in no policy is owed none.
    async fn owed_to(
        &mut self,
        sight: &Sight,
        entries: &[CatalogEntry],
        now: Timestamp,
        found: &mut MaintenanceReport,
    ) -> Result<Vec<NewRun>, Error> {
        let Some((app, policy)) = entries.first().and_then(|entry| sight.fleet.followed(&entry.app)) else {
            return Ok(Vec::new());
        };
        let nothing = BTreeSet::new();
        let kept = Kept { app, policy, entries, now, going: sight.going.get(&app.id).unwrap_or(&nothing) };
        if let Some(CatalogEntry { backup, .. }) = kept.of_the_future() {
            let (app, id, at) = (app.id.short_name(), backup.id, backup.accepted_at);
            tracing::warn!(%app, backup = %id, %at, %now, "a backup is newer than the clock; its app is left alone");
            found.of_the_future += 1;
            return Ok(Vec::new());
        }
        let mut doomed = kept.doomed();
        let mut owed = Vec::new();
        if policy.retention.is_some_and(|rule| rule.dry_run) && !doomed.is_empty() {
            *found.told.entry(policy.name.clone()).or_default() += doomed.len();
            doomed.clear();
        }
        // Who paused an app wants nothing to happen to it; that its backups can be read does no harm.
        if !app.paused {
            owed.extend(kept.deletions(&doomed, (&sight.restores, &sight.at_work)));
            owed.extend(self.drill_of(&sight.fleet, kept).await?);
        }
        owed.extend(self.refreshes_of(kept, &doomed).await?);
        Ok(owed.into_iter().map(|owed| self.run_of(&sight.fleet, policy, owed, now)).collect())
    }

    /// The refreshes that are due. What was asked for lately is read only where something is.
    async fn refreshes_of(&self, kept: Kept<'_>, go: &BTreeSet<BackupId>) -> Result<Vec<Owed>, Error> {
        let margin = self.margin();
        let lapsing = kept.lapsing(margin, go);
        if lapsing.is_empty() {
            return Ok(Vec::new());
        }
        // Each backup is asked for some times a day at most, so the newest runs of an app are enough.
        let most = u32::try_from(8 * kept.entries.len()).unwrap_or(u32::MAX);
        let (app, kind) = (Some(kept.app.id.clone()), Some(RunKind::RefreshSas));
        let asked = self.store.runs(&RunFilter { app, kind, most, ..RunFilter::default() }).await?;
        Ok(lapsing.into_iter().filter_map(|entry| kept.refresh(entry, margin, &asked)).collect())
    }

    /// The drill that is due, unless the scratch app is somebody's. Backups that are gone are read only where those that
    /// are there do not tell of a late one.
    async fn drill_of(&self, fleet: &Fleet, kept: Kept<'_>) -> Result<Option<Owed>, Error> {
        let Some(rule) = kept.drill_due() else { return Ok(None) };
        let app = Some(kept.app.id.clone());
        let all = CatalogFilter { app, with_removed: true, ..CatalogFilter::default() };
        if !rule.is_due(last_drill(&self.store.catalog(&all).await?), kept.now) {
            return Ok(None);
        }
        let known = fleet.apps.get(&rule.into).cloned();
        // A rule may have found it since the fleet file was checked: what is backed up is nobody's scratch app.
        if let Some(App { id, policy: Some(policy), .. }) = &known {
            let (of, scratch) = (kept.app.id.short_name(), id.short_name());
            tracing::warn!(%of, %scratch, %policy, "no drill: the scratch app is in a policy, and would be overwritten");
            return Ok(None);
        }
        let unknown = || App::new(rule.into.clone());
        let scratch = App { policy: kept.app.policy.clone(), ..known.unwrap_or_else(unknown) };
        Ok(kept.drill(rule, scratch))
    }

    fn run_of(&mut self, fleet: &Fleet, policy: &Policy, owed: Owed, now: Timestamp) -> NewRun {
        let id = RunId::new(now, &mut self.rng);
        let policy_snapshot = fleet.terms_at(policy, &owed.storage);
        let planned = NewTask { task: owed.task, trigger: Trigger::Policy, actor: None };
        NewRun::task(id, &owed.app, &policy_snapshot, planned, now)
    }

    /// The fleet, and what runs that have not ended do to backups.
    async fn sight(&self, fleet: Arc<Fleet>) -> Result<Sight, Error> {
        let (restores, going, at_work) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let mut sight = Sight { fleet, restores, at_work, going };
        for run in self.store.runs(&RunFilter { unfinished: true, ..RunFilter::default() }).await? {
            match &run.task {
                Task::Delete(delete) => {
                    sight.going.entry(run.app).or_default().insert(delete.backup);
                }
                Task::Backup { .. } => {
                    sight.at_work.insert(run.id);
                }
                task => sight.restores.extend(task.restore().cloned()),
            }
        }
        Ok(sight)
    }
}
