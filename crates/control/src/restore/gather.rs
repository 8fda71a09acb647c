//! Asks the store, Azure and storage what a plan depends on, and refuses what would not go well.

use holdfast_arm::{Backup, RestoreBody};
use holdfast_model::{
    App, AppId, BackupFacts, BackupStatus, CatalogEntry, DatabaseFacts, DatabaseRef, Drill, PolicySnapshot,
    Restore, SasFacts, Task, fold_case,
};
use holdfast_store::{AppStatus, Running};

use super::choose::{Chosen, Wanted, choose, nowhere};
use super::databases::{Databases, brought_back};
use super::existing_target::existing_target;
use super::plan::{Blobs, NEVER_RESTORED, NewRestore, RestorePlan};
use super::plan_context::PlanContext;
use super::resolved::{Purpose, ResolvedRestore};
use super::source::RestoreSource;
use super::target::Aim;
use crate::wording::unusable;
use crate::{Context as _, ControlContext, Error, ErrorKind};

/// Gathers the plan of a restore that can start now.
pub(super) async fn gather(
    shared: &PlanContext<'_>,
    resolved: ResolvedRestore,
) -> Result<RestorePlan, Error> {
    let context = shared.control;
    let (Aim::Over(target) | Aim::New(target)) = &resolved.aim;
    context.is_served(target.subscription())?;
    let backup = backup(shared, &resolved).await?;
    let policy_snapshot =
        context.policy_snapshot(&resolved.source, resolved.storage.as_ref().or(backup.storage.as_ref()))?;
    let place = existing_target(shared, &resolved, target).await?;
    let sas = sas(shared, &policy_snapshot).await?;
    let backup = match &resolved.wanted {
        Wanted::Blob(_) => RestoreSource {
            databases: discovered(context, (&backup.blob, &resolved), &policy_snapshot).await?,
            ..backup
        },
        _ => backup,
    };
    let blobs = blobs(context, &backup, &policy_snapshot).await?;
    let databases = brought_back(&backup.databases, &resolved.source.databases, &resolved.databases)?;
    let warnings = warnings(&shared.apps.statuses, &resolved, (target, &backup, &databases));
    let restore = Restore {
        source: resolved.source.id.clone(),
        backup: backup.id,
        blob: backup.blob.clone(),
        new_in_plan: if place.exists { None } else { place.plan.clone() },
        databases: databases.clone(),
        ignore_databases: resolved.databases == Databases::Ignore,
        ignore_conflicting_host_names: resolved.ignore_conflicting_host_names,
    };
    let (task, probe) = match &resolved.purpose {
        Purpose::Drill { probe } => (Task::Drill(Drill { restore, probe: probe.clone() }), probe.clone()),
        Purpose::Restore => (Task::Restore(restore), None),
    };
    let policy = resolved.target.as_ref().and_then(|app| app.policy.clone());
    let plan_of_target = place.plan.as_ref().map(|plan| fold_case(plan));
    let app = App { policy, plan: plan_of_target, ..App::new(target.clone()) };
    Ok(RestorePlan {
        kind: task.kind(),
        source: resolved.source.id.clone(),
        container: context.storage.container(&policy_snapshot.storage)?.to_string(),
        blobs,
        target: place,
        databases,
        ignore_databases: resolved.databases == Databases::Ignore,
        probe,
        sas,
        never_restored: NEVER_RESTORED,
        warnings,
        run: Some(NewRestore { app, policy_snapshot, task }),
        backup,
    })
}

/// The backup as the catalog has it, or as Azure lists it; Azure must list it either way.
async fn backup(shared: &PlanContext<'_>, resolved: &ResolvedRestore) -> Result<RestoreSource, Error> {
    let app = &resolved.source.id;
    let (entries, going) = shared.backups(app).await?;
    let (id, known) = match choose(app, (&entries, &going), &resolved.wanted)? {
        Chosen::Blob(name) => return Ok(of_blob(&entries, name)),
        Chosen::Known(entry) => (entry.backup.id, Some(entry)),
        Chosen::Listed(id) => (id, None),
    };
    let blob = known.map_or("NAME", |entry| &entry.backup.blob);
    let advice = format!("restore from the blob while it exists: --blob {blob}");
    let listed = match shared.control.arm.list_backups(app).await {
        Ok(listed) => listed.into_iter().find(|backup| backup.id == id),
        Err(error) if *error.kind() == holdfast_arm::ErrorKind::NotFound => {
            let failure = Error::new(ErrorKind::NotFound, format!("Azure has no app {}", app.short_name()));
            return Err(failure.help(format!("{advice} --to OTHER_APP")));
        }
        Err(error) => return Err(error).context("failed to ask Azure for the backup"),
    };
    match (known, listed) {
        (Some(entry), Some(_)) => Ok(RestoreSource::from(entry)),
        (None, Some(backup)) => Ok(RestoreSource::unknown(whole(app, backup)?)),
        (None, None) => Err(nowhere(app, &entries, id)),
        (Some(_), None) => {
            let what = format!("Azure no longer lists backup {id} of {}", app.short_name());
            Err(Error::new(ErrorKind::NotFound, what).help(advice))
        }
    }
}

/// A blob, with what the catalog has of it; it has no number, because the request to Azure names the blob.
fn of_blob(entries: &[CatalogEntry], name: &str) -> RestoreSource {
    let known = entries.iter().find(|entry| entry.backup.blob == name);
    known.map_or_else(
        || RestoreSource::blob(name),
        |entry| RestoreSource { id: None, ..RestoreSource::from(entry) },
    )
}

/// The facts of a backup that only Azure knows, if it exists.
fn whole(app: &AppId, backup: Backup) -> Result<BackupFacts, Error> {
    let is_made = matches!(backup.status, BackupStatus::Succeeded | BackupStatus::PartiallySucceeded);
    let (Some(blob), Some(accepted_at), true) = (backup.blob_name, backup.created, is_made) else {
        let what =
            format!("Azure says that backup {} of {} is {}", backup.id, app.short_name(), backup.status);
        return Err(Error::new(ErrorKind::Conflict, what).help("name one that succeeded"));
    };
    let (size_bytes, finished_at) = (backup.size_bytes.unwrap_or_default(), backup.finished);
    Ok(BackupFacts { id: backup.id, blob, size_bytes, accepted_at, finished_at, databases: backup.databases })
}

/// The SAS that Azure is given, if it is usable; where storage is out of reach, no test write checks that.
async fn sas(shared: &PlanContext<'_>, policy_snapshot: &PolicySnapshot) -> Result<SasFacts, Error> {
    let health = shared.health(policy_snapshot).await?;
    if health.is_good() || (health.faults.is_empty() && !policy_snapshot.verify) {
        return Ok(health.facts.clone());
    }
    let why = unusable(&health).join("; ");
    let what = format!("the SAS for storage `{}` is not usable: {why}", policy_snapshot.storage);
    Err(Error::new(ErrorKind::Refused, what).help("`holdfast sas check` says more"))
}

/// The databases that Azure finds in a blob.
async fn discovered(
    context: &ControlContext<'_>,
    (blob, resolved): (&str, &ResolvedRestore),
    policy_snapshot: &PolicySnapshot,
) -> Result<Vec<DatabaseFacts>, Error> {
    let (target, asked) = match &resolved.aim {
        Aim::Over(target) => (target, target),
        Aim::New(target) => (target, &resolved.source.id),
    };
    let grant = context.storage.grant(&policy_snapshot.storage, &context.need(policy_snapshot)).await?;
    let request = RestoreBody {
        storage_url: grant.url,
        blob: blob.to_owned(),
        target: target.clone(),
        overwrite: true,
        plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: false,
    };
    let found = context.arm.discover(asked, &request).await;
    match found {
        Ok(found) => Ok(found.databases),
        Err(error) if *error.kind() == holdfast_arm::ErrorKind::NotFound => {
            Err(no_blob(resolved, blob, policy_snapshot))
        }
        Err(error) => Err(error).with_context(|| format!("failed to have Azure read the blob {blob}")),
    }
}

/// The error for a blob that Azure does not find in the storage.
fn no_blob(resolved: &ResolvedRestore, blob: &str, policy_snapshot: &PolicySnapshot) -> Error {
    let (storage, name) = (&policy_snapshot.storage, resolved.source.id.short_name());
    let what = format!("Azure finds no blob {blob} in storage `{storage}`");
    let help = format!(
        "`holdfast backups list {name} --removed` lists the blobs; `--storage NAME` looks in another storage"
    );
    Error::new(ErrorKind::NotFound, what).help(help)
}

/// Checks that archive and manifest exist: a restore stops the app, and fails without both.
async fn blobs(
    context: &ControlContext<'_>,
    backup: &RestoreSource,
    policy_snapshot: &PolicySnapshot,
) -> Result<Blobs, Error> {
    if !policy_snapshot.verify {
        return Ok(Blobs::NotChecked);
    }
    for name in [backup.blob.clone(), backup.manifest()] {
        if context.storage.blob(&policy_snapshot.storage, &name, context.now).await?.is_none() {
            let container = context.storage.container(&policy_snapshot.storage)?;
            let what = format!("{container} holds no blob {name}, and no restore succeeds without it");
            return Err(
                Error::new(ErrorKind::Refused, what).help("take another backup, or name its --storage")
            );
        }
    }
    Ok(Blobs::Present)
}

/// Warnings to read before the confirmation.
fn warnings(
    statuses: &[AppStatus],
    resolved: &ResolvedRestore,
    (target, backup, databases): (&AppId, &RestoreSource, &[DatabaseRef]),
) -> Vec<String> {
    let mut warnings = Vec::new();
    let name = target.short_name();
    match backup.good {
        Some(true) => {}
        Some(false) => {
            warnings.push("this backup does not count as good: something may be missing".to_owned());
        }
        None => warnings.push("Holdfast knows nothing of this backup but what Azure says".to_owned()),
    }
    if *target != resolved.source.id && databases.iter().any(|database| database.connection_string.is_some())
    {
        let source = resolved.source.id.short_name();
        warnings
            .push(format!("the databases are those of {source}: they are replaced although the app is not"));
    }
    let running = statuses.iter().find(|status| status.app == *target).and_then(|status| status.running);
    if let Some(Running { kind, state, .. }) = running {
        warnings.push(format!("a {kind} of {name} is {}: this one waits for it", state.as_str()));
    }
    warnings
}
