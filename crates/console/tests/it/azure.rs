//! Azure as the console's requests see it, without Azure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_control::app_resolver::AppSelection;
use holdfast_control::approvals::{
    ApprovalRequest, Confirmed, FourEyes, Replanned, StartedOnce, Wish, ask, confirm, restore_effect,
};
use holdfast_control::backup::BackupRequest;
use holdfast_control::coverage::{Coverage, CoveredApp, Via};
use holdfast_control::forecast::{FleetForecast, ForecastRequest, PolicyWindow};
use holdfast_control::operator_requests::OperatorRequests;
use holdfast_control::restore::{
    Blobs, ConfirmedPlans, DrillRequest, ManyPlan, ManyRestores, ManyTargets, NEVER_RESTORED, NewRestore,
    RestorePlan, RestoreRequest, RestoreSource, RestoreTarget, Wanted,
};
use holdfast_control::verify::{VerifiedBackup, VerifyReport, VerifyResult};
use holdfast_control::views::actions::LeftOut;
use holdfast_control::{AddedRuns, Error, ErrorKind};
use holdfast_model::{
    Actor, App, AppId, BackupId, Drill, NewRun, NewTask, PolicyName, PolicySnapshot, Restore, RunId, RunKind,
    SasFacts, SasWindow, StorageName, Task, Trigger,
};
use holdfast_store::{Approval, CatalogFilter, RequestAnswer, Store};

/// Lists the apps of the store and one more, and plans restores from its catalog.
pub struct FakeAzure {
    pub store: Arc<dyn Store>,
    pub lists: AtomicUsize,
    /// Apps whose backups were verified.
    pub verified: AtomicUsize,
    pub four_eyes: FourEyes,
}

impl FakeAzure {
    pub fn new(store: &Arc<dyn Store>, four_eyes: FourEyes) -> Self {
        Self {
            store: Arc::clone(store),
            lists: AtomicUsize::new(0),
            verified: AtomicUsize::new(0),
            four_eyes,
        }
    }

    async fn plan(
        &self,
        kind: RunKind,
        source: AppId,
        target: AppId,
        backup: Option<BackupId>,
    ) -> Result<RestorePlan, Error> {
        let filter = CatalogFilter { app: Some(source.clone()), ..CatalogFilter::default() };
        let entries = self.store.catalog(&filter).await?;
        let entry = entries.iter().find(|entry| backup.is_none_or(|id| entry.backup.id == id));
        let Some(entry) = entry else {
            return Err(Error::new(ErrorKind::NotFound, "no such backup").help("choose another"));
        };
        let restore = Restore {
            source: source.clone(),
            backup: Some(entry.backup.id),
            blob: entry.backup.blob.clone(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        Ok(RestorePlan {
            kind,
            source,
            backup: RestoreSource::from(entry),
            container: "https://bkpweu01/backups".into(),
            blobs: Blobs::Present,
            target: RestoreTarget {
                app: target.clone(),
                exists: true,
                tier: Some("Standard".into()),
                state: Some("Running".into()),
                plan: None,
                is_replaced: true,
                is_stopped: true,
            },
            databases: Vec::new(),
            ignore_databases: true,
            probe: None,
            sas: SasFacts {
                fingerprint: "0a1b2c3d4e5f".into(),
                window: SasWindow { start: None, expiry: None },
            },
            never_restored: NEVER_RESTORED,
            warnings: vec!["the backup is older than a day".into()],
            run: Some(NewRestore {
                app: App::new(target),
                policy_snapshot: PolicySnapshot::new(StorageName::new("weu"), "bkpweu01"),
                task: match kind {
                    RunKind::Drill => Task::Drill(Drill { restore, probe: None }),
                    _ => Task::Restore(restore),
                },
            }),
        })
    }

    async fn run(&self, plan: &RestorePlan, run: RunId, actor: &Actor) -> Result<NewRun, Error> {
        let NewRestore { app, policy_snapshot, task } = plan.run.as_ref().unwrap();
        let asked = NewTask { task: task.clone(), trigger: Trigger::Manual, actor: Some(actor.clone()) };
        Ok(NewRun::task(run, app, policy_snapshot, asked, self.store.now().await?))
    }

    async fn known(&self, name: &str) -> Result<AppId, Error> {
        let all = self.store.status().await?;
        let found = all
            .into_iter()
            .map(|status| status.app)
            .find(|app| app.short_name() == name || app.to_string() == name);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no app `{name}`")))
    }
}

#[async_trait]
impl OperatorRequests for FakeAzure {
    async fn coverage(&self) -> Result<Coverage, Error> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        let covered = |app: AppId, why: Option<&str>| CoveredApp {
            name: app.short_name(),
            app,
            policy: None,
            via: Via::Nothing,
            location: "West Europe".into(),
            tier: Some("Standard".into()),
            unsupported: None,
            why: why.map(str::to_owned),
        };
        let known = self.store.status().await?.into_iter().map(|status| covered(status.app, None));
        let other = AppId::new("5f2e8a70-prod-weu", "rg-x", "nobody\"<img src=x>", None);
        Ok(Coverage {
            subscriptions: BTreeSet::new(),
            apps: known.chain([covered(other, Some("it has the tags of no [[discover]] rule"))]).collect(),
            unprotected: 1,
            not_found: Vec::new(),
            left_out: Vec::new(),
            unanswered: Vec::new(),
            without_slots: Vec::new(),
        })
    }

    async fn forecast_of(&self, _: ForecastRequest) -> Result<FleetForecast, Error> {
        self.forecast().await
    }

    async fn forecast(&self) -> Result<FleetForecast, Error> {
        let from = self.store.now().await?;
        let window = PolicyWindow {
            policy: PolicyName::new("gold"),
            apps: 10,
            backups: 10,
            overlapping: 0,
            first_due: from + Duration::from_hours(18),
            last_begins: from + Duration::from_hours(20),
            last_ends: from + Duration::from_hours(21),
            longest_wait_s: 300,
            waits_for: None,
        };
        Ok(FleetForecast {
            from,
            until: from + Duration::from_hours(24),
            apps: 10,
            apps_without_history: 1,
            policies: vec![window],
            missed_objectives: Vec::new(),
            beyond_daily_limit: Vec::new(),
            backups: Vec::new(),
        })
    }

    async fn plan_restore(&self, _: &Actor, request: RestoreRequest) -> Result<RestorePlan, Error> {
        let source = self.known(&request.app).await?;
        let backup = match request.wanted {
            Wanted::Id(id) => Some(id),
            _ => None,
        };
        let target = match (&request.destination.to, &request.destination.to_slot) {
            (Some(name), _) => self.known(name).await?,
            (None, Some(slot)) => {
                AppId::new(source.subscription().as_str(), source.resource_group(), source.site(), Some(slot))
            }
            (None, None) => source.clone(),
        };
        self.plan(RunKind::Restore, source, target, backup).await
    }

    async fn plan_drill(&self, _: &Actor, request: DrillRequest) -> Result<RestorePlan, Error> {
        let source = self.known(&request.app).await?;
        let scratch = AppId::new("5f2e8a70-prod-weu", "rg-x", "scratch", None);
        self.plan(RunKind::Drill, source, scratch, request.backup).await
    }

    /// Plans each selected app with a backup alone, the others are left out.
    async fn plan_many(&self, _: &Actor, request: &ManyRestores) -> Result<ManyPlan, Error> {
        let kind = request.kind();
        let (mut starts, mut left_out) = (Vec::new(), Vec::new());
        for name in &request.select.names {
            let app = self.known(name).await?;
            let beside = |site: &str, slot: Option<&str>| {
                AppId::new(app.subscription().as_str(), app.resource_group(), site, slot)
            };
            let target = match &request.to {
                ManyTargets::InPlace => app.clone(),
                ManyTargets::Slot(slot) => beside(app.site(), Some(slot)),
                ManyTargets::New(pattern) => beside(&pattern.replace("{app}", app.site()), None),
                ManyTargets::Scratch => AppId::new("5f2e8a70-prod-weu", "rg-x", "scratch", None),
            };
            match self.plan(kind, app.clone(), target, None).await {
                Ok(plan) => starts.push(plan),
                Err(error) => left_out.push(LeftOut { app, why: error.to_string() }),
            }
        }
        Ok(ManyPlan { kind, selected: request.select.names.len(), starts, left_out, warnings: Vec::new() })
    }

    async fn start(&self, actor: &Actor, confirmed: ConfirmedPlans<'_>) -> Result<StartedOnce, Error> {
        let ConfirmedPlans { plans, runs, reason, request } = confirmed;
        if let Some(lasts) = plans.iter().find_map(|plan| plan.waits_for_approval(self.four_eyes)) {
            let wish = Wish::to_restore(plans)?;
            let approval = ask(&*self.store, wish, (actor, reason), (runs[0], lasts)).await?;
            return Ok(StartedOnce::Asked(Box::new(approval)));
        }
        let mut new = Vec::new();
        for (plan, run) in plans.iter().zip(runs) {
            new.push(self.run(plan, *run, actor).await?);
        }
        Ok(StartedOnce::Runs(match request {
            Some((key, answer)) => self.store.add_runs_once(key, answer, &new).await?,
            None => self.store.add_runs(&new).await.map(|_| RequestAnswer::New)?,
        }))
    }

    fn four_eyes(&self) -> FourEyes {
        self.four_eyes
    }

    fn minted(&self) -> BTreeSet<PolicyName> {
        BTreeSet::new()
    }

    async fn confirm(&self, actor: &Actor, id: RunId, mut rng: fastrand::Rng) -> Result<Confirmed, Error> {
        let (now, mut of_runs) = (self.store.now().await?, rng.fork());
        let again = async |approval: Approval| {
            let requests = match serde_json::from_str(&approval.request) {
                Ok(ApprovalRequest::Restore(request)) => vec![request],
                Ok(ApprovalRequest::Restores(requests)) => requests,
                _ => return Err(Error::new(ErrorKind::Conflict, "another request")),
            };
            let (mut plans, mut runs) = (Vec::new(), Vec::new());
            for request in requests {
                let plan = self.plan_restore(&approval.asked_by, request).await?;
                runs.push(self.run(&plan, RunId::new(now, &mut of_runs), &approval.asked_by).await?);
                plans.push(plan);
            }
            Ok(Replanned { effect: restore_effect(&plans), runs })
        };
        confirm(&*self.store, id, actor, again, &mut rng).await
    }

    async fn back_up(&self, _: &Actor, _: &BackupRequest, _: fastrand::Rng) -> Result<AddedRuns, Error> {
        Ok(AddedRuns { ids: Vec::new(), under_way: 0 })
    }

    async fn verify(
        &self,
        _: &Actor,
        apps: &AppSelection,
        _: fastrand::Rng,
        progress: &(dyn Fn() + Send + Sync),
    ) -> Result<VerifyReport, Error> {
        let AppSelection::Named(names) = apps else {
            return Err(Error::new(ErrorKind::Azure, "Azure is away"));
        };
        self.verified.fetch_add(names.len(), Ordering::SeqCst);
        let lost = |name: &String| VerifiedBackup {
            app: name.parse().unwrap(),
            backup_id: 7,
            blob: "b.zip".into(),
            result: VerifyResult::Lost { detail: "no blob".into() },
            next: Some("`holdfast backup` takes a new one".into()),
        };
        let backups: Vec<VerifiedBackup> = names.iter().map(lost).inspect(|_| progress()).collect();
        let (apps, lost) = (names.len(), backups.len());
        Ok(VerifyReport {
            apps,
            verified: 0,
            lost,
            unchecked: 0,
            without_storage: 0,
            lost_before: 0,
            backups,
        })
    }
}
