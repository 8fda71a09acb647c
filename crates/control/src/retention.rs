//! Which backups the retention rules would delete now, and why the others are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use holdfast_config::Fleet;
use holdfast_model::retention::RetentionDecision;
use holdfast_model::{AppId, CatalogEntry, PolicyName, Retention, Timestamp};
use holdfast_scheduler::{RetentionQuery, UnfinishedRuns};
use holdfast_store::{AppStatus, CatalogFilter, RunFilter, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_resolver;
use crate::error::Error;
use crate::policies::policy_named;

/// The retention decisions of every app.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct RetentionReport {
    /// The store's time.
    pub now: Timestamp,
    /// Each app with backups, by name.
    pub apps: Vec<AppRetention>,
}

/// The retention decisions about an app's backups.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct AppRetention {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// The rule of the policy; without one every backup is kept.
    pub rule: Option<Retention>,
    /// Its backups, the newest first.
    pub backups: Vec<BackupRetention>,
}

/// The retention decision about one backup.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct BackupRetention {
    /// Azure's id of the backup.
    pub backup_id: i64,
    /// Its blob.
    pub blob: String,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// Its size.
    pub size_bytes: i64,
    /// Whether it counts as good.
    pub good: bool,
    /// Why it is held, if it is.
    pub hold: Option<String>,
    /// `delete` or the reason to keep it; `None` without a rule.
    #[serde(rename = "retention")]
    pub decision: Option<Cow<'static, str>>,
}

/// What a rule deletes, over all apps of its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRetention<'r> {
    /// The policy.
    pub policy: &'r PolicyName,
    /// Whether the rule only reports.
    pub dry_run: bool,
    /// Backups that it deletes.
    pub deleted: usize,
    /// Backups under it.
    pub total: usize,
}

/// Decides about the backups of one app, of one policy's apps, or of all apps. Reads only the store.
pub async fn retention(
    fleet: &Fleet,
    store: &dyn Store,
    app: Option<&str>,
    policy: Option<&PolicyName>,
) -> Result<RetentionReport, Error> {
    if let Some(name) = policy {
        policy_named(fleet, name)?;
    }
    let app = match app {
        Some(name) => Some(app_resolver::in_store(store, name).await?),
        None => None,
    };
    let policies = current_policies(fleet, store).await?;
    let unfinished = unfinished_runs(store).await?;
    let now = store.now().await?;
    let entries = store.catalog(&CatalogFilter { app, ..CatalogFilter::default() }).await?;
    let mut by_app: BTreeMap<AppId, Vec<CatalogEntry>> = BTreeMap::new();
    for entry in entries {
        by_app.entry(entry.app.clone()).or_default().push(entry);
    }
    let of_app = |(app, entries): (AppId, Vec<CatalogEntry>)| {
        // An app that was only backed up on demand has the policy of its latest backup.
        let latest = || entries.first().and_then(|entry| entry.policy.clone());
        let policy = policies.get(&app).cloned().unwrap_or_else(latest);
        AppRetention::new(app, policy, (&entries, &unfinished), fleet, now)
    };
    let mut apps: Vec<AppRetention> = by_app.into_iter().map(of_app).collect();
    apps.retain(|of| policy.is_none() || of.policy.as_ref() == policy);
    apps.sort_by_cached_key(|of| (of.name.clone(), of.app.clone()));
    Ok(RetentionReport { now, apps })
}

/// The unfinished runs, which both retention and the maintenance planner consider.
pub(crate) async fn unfinished_runs(store: &dyn Store) -> Result<UnfinishedRuns, Error> {
    let filter = RunFilter { unfinished: true, ..RunFilter::default() };
    Ok(store.runs(&filter).await?.into_iter().collect())
}

/// The current policy of each app that is or was in the fleet.
async fn current_policies(
    fleet: &Fleet,
    store: &dyn Store,
) -> Result<BTreeMap<AppId, Option<PolicyName>>, Error> {
    let current = |status: AppStatus| (status.app, status.policy.filter(|_| !status.removed));
    let mut policies: BTreeMap<_, _> = store.status().await?.into_iter().map(current).collect();
    policies.extend(fleet.apps.iter().map(|app| (app.id.clone(), app.policy.clone())));
    Ok(policies)
}

impl AppRetention {
    fn new(
        app: AppId,
        name: Option<PolicyName>,
        (entries, unfinished): (&[CatalogEntry], &UnfinishedRuns),
        fleet: &Fleet,
        now: Timestamp,
    ) -> Self {
        let policy = name.as_ref().and_then(|name| fleet.policies.get(name));
        let decide = |policy| {
            let entries = entries.iter().collect();
            RetentionQuery { policy, entries, foreign: Vec::new(), unfinished, now }.decide().decisions
        };
        let decisions = policy.map(decide).unwrap_or_default();
        let backup = |CatalogEntry { backup, good, hold, .. }: &CatalogEntry| BackupRetention {
            backup_id: backup.id.0,
            blob: backup.blob.clone(),
            accepted_at: backup.accepted_at,
            size_bytes: backup.size_bytes,
            good: *good,
            hold: hold.clone(),
            decision: decisions.get(&backup.id).map(|decision| decision.as_str().into()),
        };
        Self {
            name: app.short_name(),
            rule: policy.and_then(|policy| policy.retention),
            backups: entries.iter().map(backup).collect(),
            policy: name,
            app,
        }
    }
}

impl BackupRetention {
    /// Whether the rule deletes it.
    pub fn is_deleted(&self) -> bool {
        self.decision.as_deref() == Some(RetentionDecision::Delete.as_str())
    }
}

impl RetentionReport {
    /// What each policy with a rule deletes, by name.
    pub fn by_policy(&self) -> Vec<PolicyRetention<'_>> {
        let mut policies: BTreeMap<&PolicyName, PolicyRetention<'_>> = BTreeMap::new();
        for app in &self.apps {
            let (Some(policy), Some(rule)) = (&app.policy, &app.rule) else { continue };
            let empty = PolicyRetention { policy, dry_run: rule.dry_run, deleted: 0, total: 0 };
            let sum = policies.entry(policy).or_insert(empty);
            sum.deleted += app.backups.iter().filter(|backup| backup.is_deleted()).count();
            sum.total += app.backups.len();
        }
        policies.into_values().collect()
    }
}
