//! Builds a report from the store.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use holdfast_model::{
    AppId, BackupId, CatalogEntry, Outcome, Run, RunKind, RunState, Tags, Task, Timestamp, Trigger,
};
use holdfast_store::{AppDay, CatalogFilter, RunFilter, RunPlace, Store};

use super::month::Month;
use super::summary::{Act, AppReport, Report, ReportScope, Totals};
use crate::Error;
use crate::runs::actor;
use crate::signature::AuditEnd;

/// Rows per page.
const PAGE: u32 = 1_000;

/// How long before the month a run may have been planned that ended in it.
const BEFORE: TimeDelta = TimeDelta::days(7);

/// The report of a month about the apps of a scope.
pub async fn build(store: &dyn Store, month: Month, scope: ReportScope) -> Result<Report, Error> {
    let now = store.now().await?;
    // Read before everything else: what the report says was in the audit by then or came later.
    let end = store.last_event().await?;
    let audit =
        end.map_or_else(AuditEnd::default, |event| AuditEnd { seq: event.link.seq, hash: event.link.hash });
    let mut apps: BTreeMap<AppId, AppReport> = BTreeMap::new();
    let mut tags: BTreeMap<AppId, Tags> = BTreeMap::new();
    for status in store.status().await? {
        if !status.removed {
            let app = AppReport { policy: status.policy, ..AppReport::new(status.app.clone()) };
            apps.insert(status.app.clone(), app);
        }
        tags.insert(status.app, status.tags);
    }
    for day in store.app_days(month.first(), None).await?.into_iter().filter(|day| month.has_day(day.day)) {
        add_day(of(&mut apps, &day.app), &day);
    }
    let filter = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
    for entry in store.catalog(&filter).await? {
        add_backup(&mut apps, &entry, month, now);
    }
    for run in runs(store, RunKind::Drill, None, month).await? {
        add_drill(&mut apps, &run, month);
    }
    add_acts(store, &mut apps, month).await?;
    let none = Tags::default();
    let is_wanted = |app: &AppReport| scope.has(app, tags.get(&app.app).unwrap_or(&none));
    let apps: Vec<AppReport> = apps.into_values().filter(is_wanted).collect();
    Ok(Report {
        month: month.to_string(),
        from: month.begin(),
        until: month.end(),
        made_at: now,
        scope,
        audit,
        totals: Totals::of(&apps),
        apps,
    })
}

fn of<'a>(apps: &'a mut BTreeMap<AppId, AppReport>, app: &AppId) -> &'a mut AppReport {
    apps.entry(app.clone()).or_insert_with(|| AppReport::new(app.clone()))
}

fn add_day(app: &mut AppReport, day: &AppDay) {
    // Days come in their order: the policy of the latest run stays.
    app.policy = day.policy.clone().or(app.policy.take());
    app.owed = app.owed.saturating_add(day.counts.runs());
    app.good = app.good.saturating_add(day.counts.good);
    app.partial = app.partial.saturating_add(day.counts.partial);
    app.failed = app.failed.saturating_add(day.counts.failed);
    app.missed = app.missed.saturating_add(day.counts.missed);
}

fn add_backup(apps: &mut BTreeMap<AppId, AppReport>, entry: &CatalogEntry, month: Month, now: Timestamp) {
    let (taken, removal) = (entry.backup.accepted_at, entry.removal);
    let end = month.end().min(now);
    if let Some(removal) = removal.filter(|removal| month.has(removal.at)) {
        let app = of(apps, &entry.app);
        if removal.deleted {
            app.deleted += 1;
        } else {
            app.lost += 1;
        }
    }
    if taken < end && removal.is_none_or(|removal| removal.at >= end) {
        let app = of(apps, &entry.app);
        app.kept += 1;
        app.oldest_kept_at = Some(app.oldest_kept_at.map_or(taken, |oldest| oldest.min(taken)));
    }
}

fn add_drill(apps: &mut BTreeMap<AppId, AppReport>, run: &Run, month: Month) {
    let (Task::Drill(drill), RunState::Ended { outcome, .. }) = (&run.task, &run.state) else { return };
    let Some(ended) = run.ended_at.filter(|at| month.has(*at)) else { return };
    let app = of(apps, &drill.restore.source);
    if *outcome == Outcome::Succeeded {
        app.drills_passed += 1;
        app.proven_at = app.proven_at.max(Some(ended));
    } else {
        app.drills_failed += 1;
    }
}

/// The restores of the month, and the deletions that people asked for.
async fn add_acts(
    store: &dyn Store,
    apps: &mut BTreeMap<AppId, AppReport>,
    month: Month,
) -> Result<(), Error> {
    for run in runs(store, RunKind::Restore, None, month).await? {
        let Task::Restore(restore) = &run.task else { continue };
        let what = format!("restored {} into {}", number(restore.backup), run.app.short_name());
        let act = act(store, &run, what).await?;
        of(apps, &restore.source).restores.push(act);
    }
    for run in runs(store, RunKind::Delete, Some(Trigger::Manual), month).await? {
        let Task::Delete(delete) = &run.task else { continue };
        let act = act(store, &run, format!("deleted {}", number(Some(delete.backup)))).await?;
        of(apps, &run.app).deletions.push(act);
    }
    Ok(())
}

fn number(backup: Option<BackupId>) -> String {
    backup.map_or_else(|| "a blob".to_owned(), |backup| format!("backup {backup}"))
}

async fn act(store: &dyn Store, run: &Run, what: String) -> Result<Act, Error> {
    let who = actor(&store.events(run.id).await?);
    let outcome = if let RunState::Ended { outcome, .. } = &run.state { Some(*outcome) } else { None };
    Ok(Act { at: run.created_at, run: run.id, who, what, outcome })
}

/// The runs of a kind that were planned in the month; of drills, those that may have ended in it too.
async fn runs(
    store: &dyn Store,
    kind: RunKind,
    trigger: Option<Trigger>,
    month: Month,
) -> Result<Vec<Run>, Error> {
    let earliest = if kind == RunKind::Drill { month.begin() - BEFORE } else { month.begin() };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let filter = RunFilter { kind: Some(kind), trigger, after, most: PAGE, ..RunFilter::default() };
        let page = store.runs(&filter).await?;
        after = page.last().map(|run| RunPlace { created_at: run.created_at, id: run.id });
        let is_last = after.is_none_or(|last| last.created_at < earliest);
        found.extend(
            page.into_iter().filter(|run| earliest <= run.created_at && run.created_at < month.end()),
        );
        if is_last {
            return Ok(found);
        }
    }
}
