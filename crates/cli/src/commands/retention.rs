//! `holdfast retention`: which backups the rules would delete now, and why the others stay.

use std::collections::BTreeMap;

use holdfast_model::retention::RetentionDecision;
use holdfast_model::{AppId, CatalogEntry, PolicyName, Retention, Timestamp};
use holdfast_store::{AppStatus, CatalogFilter, Mode, Store};
use serde::Serialize;

use super::preview::no_policy;
use crate::args::RetentionArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, bytes};
use holdfast_config::{Fleet, Secrets};
use holdfast_control::counted;
use holdfast_control::retention_decisions;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    apps: Vec<OfApp>,
}

/// An app's backups and what becomes of them.
#[derive(Debug, Serialize)]
struct OfApp {
    app: AppId,
    name: String,
    policy: Option<PolicyName>,
    /// The policy's rule; without one everything stays.
    rule: Option<Retention>,
    backups: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    backup_id: i64,
    blob: String,
    accepted_at: Timestamp,
    size_bytes: i64,
    good: bool,
    hold: Option<String>,
    decision: Option<&'static str>,
}

/// Runs the command. It asks nobody but the store.
pub async fn run(args: &RetentionArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let wanted = args.policy.as_deref().map(PolicyName::new);
    if let Some(name) = wanted.as_ref().filter(|name| !fleet.policies.contains_key(name)) {
        return Err(no_policy(name.as_str(), &fleet).into());
    }
    let store = context.store(Mode::Read).await?;
    let app = match &args.app {
        Some(name) => Some(context.app_in(&*store, name).await?),
        None => None,
    };
    let policies = policies(&fleet, &*store).await?;
    let now = store.now().await?;
    let entries = store.catalog(&CatalogFilter { app, ..CatalogFilter::default() }).await?;
    store.close().await;
    let mut apps: Vec<OfApp> = by_app(entries)
        .into_iter()
        .map(|(app, entries)| of_app(policy_of(&app, &entries, &policies), (app, &entries), &fleet, now))
        .filter(|of| wanted.is_none() || of.policy == wanted)
        .collect();
    apps.sort_by_cached_key(|of| (of.name.clone(), of.app.clone()));
    show(&Document { now, apps }, context)?;
    Ok(Exit::Done)
}

/// The policy of each app that was ever in the fleet, as it is today.
async fn policies(fleet: &Fleet, store: &dyn Store) -> anyhow::Result<BTreeMap<AppId, Option<PolicyName>>> {
    let enrolled = store.status().await?.into_iter();
    let of_today = |status: AppStatus| (status.app, status.policy.filter(|_| !status.removed));
    let mut policies: BTreeMap<AppId, Option<PolicyName>> = enrolled.map(of_today).collect();
    policies.extend(fleet.apps.iter().map(|app| (app.id.clone(), app.policy.clone())));
    Ok(policies)
}

/// The app's policy. One that was only ever backed up on demand goes by the policy of its latest backup.
fn policy_of(
    app: &AppId,
    entries: &[CatalogEntry],
    policies: &BTreeMap<AppId, Option<PolicyName>>,
) -> Option<PolicyName> {
    let latest = || entries.first().and_then(|entry| entry.policy.clone());
    policies.get(app).cloned().unwrap_or_else(latest)
}

fn by_app(entries: Vec<CatalogEntry>) -> BTreeMap<AppId, Vec<CatalogEntry>> {
    let mut apps: BTreeMap<AppId, Vec<CatalogEntry>> = BTreeMap::new();
    for entry in entries {
        apps.entry(entry.app.clone()).or_default().push(entry);
    }
    apps
}

fn of_app(
    name: Option<PolicyName>,
    (app, entries): (AppId, &[CatalogEntry]),
    fleet: &Fleet,
    now: Timestamp,
) -> OfApp {
    let policy = name.as_ref().and_then(|name| fleet.policies.get(name));
    let decisions =
        policy.map(|policy| retention_decisions::of(policy, entries, [], now)).unwrap_or_default();
    let line = |CatalogEntry { backup, good, hold, .. }: &CatalogEntry| Line {
        backup_id: backup.id.0,
        blob: backup.blob.clone(),
        accepted_at: backup.accepted_at,
        size_bytes: backup.size_bytes,
        good: *good,
        hold: hold.clone(),
        decision: decisions.get(&backup.id).copied().map(RetentionDecision::as_str),
    };
    OfApp {
        name: app.short_name(),
        rule: policy.and_then(|policy| policy.retention),
        backups: entries.iter().map(line).collect(),
        policy: name,
        app,
    }
}

fn show(document: &Document, context: &Context) -> anyhow::Result<()> {
    if context.out.is_json() {
        return Ok(context.out.json(document)?);
    }
    if document.apps.is_empty() {
        return Ok(context.out.text("the catalog knows no backups of these apps")?);
    }
    let mut table = Table::new(["APP", "POLICY", "BACKUP", "CREATED", "SIZE", "FATE"]);
    for of in &document.apps {
        for line in &of.backups {
            let decision = match line.decision {
                Some("delete") => Cell::toned("delete", Tone::Bad),
                Some(word) => word.into(),
                None => "kept: no rule".into(),
            };
            table.row([
                of.name.as_str().into(),
                of.policy.as_ref().map_or("none", PolicyName::as_str).into(),
                line.backup_id.to_string().into(),
                age(line.accepted_at, document.now).into(),
                bytes(line.size_bytes).into(),
                decision,
            ]);
        }
    }
    context.out.table(table)?;
    Ok(context.out.text(&summary(&document.apps))?)
}

/// What each policy's rule comes to, a line each.
fn summary(apps: &[OfApp]) -> String {
    let mut policies: BTreeMap<&PolicyName, (bool, usize, usize)> = BTreeMap::new();
    for of in apps {
        let (Some(name), Some(rule)) = (&of.policy, &of.rule) else { continue };
        let (_, go, all) = policies.entry(name).or_insert((rule.dry_run, 0, 0));
        *go += of
            .backups
            .iter()
            .filter(|line| line.decision == Some(RetentionDecision::Delete.as_str()))
            .count();
        *all += of.backups.len();
    }
    let told = policies.iter().map(|(name, (dry_run, go, all))| {
        let what = if *dry_run { "would be deleted, and its rule only tells" } else { "will be deleted" };
        format!("{name}: {go} of {} {what}", counted(*all, "backup"))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        "no policy of these apps has a rule: everything stays".to_owned()
    } else {
        told.join("\n")
    }
}
