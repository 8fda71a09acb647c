//! Asks the store, Azure and storage what a plan depends on, and refuses what would not go well.

use anyhow::Context as _;
use holdfast_arm::{Backup, ErrorKind, RestoreBody};
use holdfast_model::{
    App, AppId, BackupFacts, BackupStatus, CatalogEntry, DatabaseFacts, DatabaseRef, Drill, PolicySnapshot,
    Restore, SasFacts, StorageName, Task,
};
use holdfast_store::{CatalogFilter, Running};

use super::choose::{Chosen, Wanted, choose, nowhere};
use super::databases::{Databases, brought_back};
use super::place::place;
use super::plan::{Blobs, Doing, NEVER_RESTORED, RestorePlan};
use super::source::Source;
use super::target::Aim;
use crate::desk::{Desk, unfit};
use crate::exit::{Exit, Failure};
use crate::inventory::being_deleted;

/// A restore as somebody asks for it.
#[derive(Debug)]
pub struct RestoreRequest {
    /// Whose backup.
    pub source: App,
    /// Which.
    pub wanted: Wanted,
    /// Where to.
    pub aim: Aim,
    /// The target, when it is an app of its own in the fleet: its policy and its databases.
    pub target: Option<App>,
    /// The plan of a new app; `None` for the source's own.
    pub plan: Option<String>,
    /// May what is there be replaced?
    pub overwrite: bool,
    /// What comes back of databases.
    pub databases: Databases,
    /// Leaves host names out that another app has.
    pub ignore_conflicting_host_names: bool,
    /// The storage, where somebody names it.
    pub storage: Option<StorageName>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a restore is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To have the app back.
    Restore,
    /// To see that it could be had back.
    Drill {
        /// The URL that must answer afterwards.
        probe: Option<String>,
    },
}

/// The plan of a restore that can be begun now.
pub async fn plan(desk: &Desk<'_>, ask: RestoreRequest) -> anyhow::Result<RestorePlan> {
    let (Aim::Over(target) | Aim::New(target)) = &ask.aim;
    desk.is_served(target.subscription())?;
    let backup = backup(desk, &ask).await?;
    let policy_snapshot =
        desk.policy_snapshot(&ask.source, ask.storage.as_ref().or(backup.storage.as_ref()))?;
    let place = place(desk, &ask, target).await?;
    let sas = sas(desk, &policy_snapshot).await?;
    let backup = match &ask.wanted {
        Wanted::Blob(_) => {
            Source { databases: discovered(desk, (&backup.blob, &ask), &policy_snapshot).await?, ..backup }
        }
        _ => backup,
    };
    let blobs = blobs(desk, &backup, &policy_snapshot).await?;
    let databases = brought_back(&backup.databases, &ask.source.databases, &ask.databases)?;
    let warnings = warnings(desk, &ask, (target, &backup, &databases)).await?;
    let restore = Restore {
        source: ask.source.id.clone(),
        backup: backup.id,
        blob: backup.blob.clone(),
        new_in_plan: if place.exists { None } else { place.plan.clone() },
        databases: databases.clone(),
        ignore_databases: ask.databases == Databases::Ignore,
        ignore_conflicting_host_names: ask.ignore_conflicting_host_names,
    };
    let (task, probe) = match &ask.purpose {
        Purpose::Drill { probe } => (Task::Drill(Drill { restore, probe: probe.clone() }), probe.clone()),
        Purpose::Restore => (Task::Restore(restore), None),
    };
    let policy = ask.target.as_ref().and_then(|app| app.policy.clone());
    let plan_of_target = place.plan.as_ref().map(|plan| plan.to_lowercase());
    let app = App { policy, plan: plan_of_target, ..App::new(target.clone()) };
    Ok(RestorePlan {
        kind: task.kind().as_str(),
        source: ask.source.id.clone(),
        container: desk.storage.container(&policy_snapshot.storage)?.to_string(),
        blobs,
        target: place,
        databases,
        ignore_databases: ask.databases == Databases::Ignore,
        probe,
        sas,
        never_restored: NEVER_RESTORED,
        warnings,
        run: Doing { app, policy_snapshot, task },
        backup,
    })
}

/// The backup as the catalog knows it, or as Azure lists it. Azure must list it either way.
async fn backup(desk: &Desk<'_>, ask: &RestoreRequest) -> anyhow::Result<Source> {
    let app = &ask.source.id;
    let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
    let entries = desk.store.catalog(&filter).await?;
    let going = being_deleted(desk.store, app).await?;
    let (id, known) = match choose(app, (&entries, &going), &ask.wanted)? {
        Chosen::Blob(name) => return Ok(of_blob(&entries, name)),
        Chosen::Known(entry) => (entry.backup.id, Some(entry)),
        Chosen::Listed(id) => (id, None),
    };
    let blob = known.map_or("NAME", |entry| &entry.backup.blob);
    let cure = format!("restore from the blob, while it is there: --blob {blob}");
    let listed = match desk.arm.list_backups(app).await {
        Ok(listed) => listed.into_iter().find(|backup| backup.id == id),
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            let failure = Failure::new(Exit::Usage, format!("Azure has no app {}", app.short_name()));
            return Err(failure.help(format!("{cure} --to OTHER_APP")).into());
        }
        Err(error) => return Err(error).context("failed to ask Azure for the backup"),
    };
    match (known, listed) {
        (Some(entry), Some(_)) => Ok(Source::from(entry)),
        (None, Some(backup)) => Ok(Source::unknown(whole(app, backup)?)),
        (None, None) => Err(nowhere(app, &entries, id).into()),
        (Some(_), None) => {
            let what = format!("Azure no longer lists backup {id} of {}", app.short_name());
            Err(Failure::new(Exit::Usage, what).help(cure).into())
        }
    }
}

/// A blob, with what the catalog knows of it. It has no number: Azure is asked for the blob, and not for a backup of its list.
fn of_blob(entries: &[CatalogEntry], name: &str) -> Source {
    let known = entries.iter().find(|entry| entry.backup.blob == name);
    known.map_or_else(|| Source::blob(name), |entry| Source { id: None, ..Source::from(entry) })
}

/// A backup that only Azure knows; it must have been made.
fn whole(app: &AppId, backup: Backup) -> Result<BackupFacts, Failure> {
    let is_made = matches!(backup.status, BackupStatus::Succeeded | BackupStatus::PartiallySucceeded);
    let (Some(blob), Some(accepted_at), true) = (backup.blob_name, backup.created, is_made) else {
        let what = format!("Azure calls backup {} of {} {}", backup.id, app.short_name(), backup.status);
        return Err(Failure::new(Exit::Usage, what).help("name one that succeeded"));
    };
    let (size_bytes, finished_at) = (backup.size_bytes.unwrap_or_default(), backup.finished);
    Ok(BackupFacts { id: backup.id, blob, size_bytes, accepted_at, finished_at, databases: backup.databases })
}

/// The SAS that Azure would be given, which must do. Where storage is out of reach, no test write says whether it does.
async fn sas(desk: &Desk<'_>, policy_snapshot: &PolicySnapshot) -> anyhow::Result<SasFacts> {
    let health = desk.health(policy_snapshot).await?;
    if health.is_good() || (health.faults.is_empty() && !policy_snapshot.verify) {
        return Ok(health.facts);
    }
    let why = unfit(&health).join("; ");
    let what = format!("the SAS for storage `{}` will not do: {why}", policy_snapshot.storage);
    Err(Failure::new(Exit::Failed, what).help("`holdfast sas check` says more").into())
}

/// What Azure finds in a blob that its list need not know.
async fn discovered(
    desk: &Desk<'_>,
    (blob, ask): (&str, &RestoreRequest),
    policy_snapshot: &PolicySnapshot,
) -> anyhow::Result<Vec<DatabaseFacts>> {
    let (target, asked) = match &ask.aim {
        Aim::Over(target) => (target, target),
        Aim::New(target) => (target, &ask.source.id),
    };
    let grant = desk.storage.grant(&policy_snapshot.storage, &desk.need(policy_snapshot)).await?;
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
    let found = desk.arm.discover(asked, &request).await;
    match found {
        Ok(found) => Ok(found.databases),
        Err(error) if *error.kind() == ErrorKind::NotFound => Err(no_blob(ask, blob, policy_snapshot).into()),
        Err(error) => Err(error).with_context(|| format!("failed to let Azure look into the blob {blob}")),
    }
}

/// Azure looked where it was told to, and did not find it.
fn no_blob(ask: &RestoreRequest, blob: &str, policy_snapshot: &PolicySnapshot) -> Failure {
    let (storage, name) = (&policy_snapshot.storage, ask.source.id.short_name());
    let what = format!("Azure finds no blob {blob} in storage `{storage}`");
    let help =
        format!("`holdfast backups list {name} --gone` shows the blobs; `--storage NAME` looks elsewhere");
    Failure::new(Exit::Usage, what).help(help)
}

/// Archive and manifest: a restore stops the app, and fails without both.
async fn blobs(desk: &Desk<'_>, backup: &Source, policy_snapshot: &PolicySnapshot) -> anyhow::Result<Blobs> {
    if !policy_snapshot.verify {
        return Ok(Blobs::NotChecked);
    }
    for name in [backup.blob.clone(), backup.manifest()] {
        if desk.storage.blob(&policy_snapshot.storage, &name, desk.now).await?.is_none() {
            let container = desk.storage.container(&policy_snapshot.storage)?;
            let what = format!("{container} holds no blob {name}, and no restore succeeds without it");
            return Err(Failure::new(Exit::Failed, what)
                .help("take another backup, or name its --storage")
                .into());
        }
    }
    Ok(Blobs::Present)
}

/// What somebody should know before saying yes.
async fn warnings(
    desk: &Desk<'_>,
    ask: &RestoreRequest,
    (target, backup, databases): (&AppId, &Source, &[DatabaseRef]),
) -> anyhow::Result<Vec<String>> {
    let mut warnings = Vec::new();
    let name = target.short_name();
    match backup.good {
        Some(true) => {}
        Some(false) => {
            warnings.push("this backup does not count as good: something may be missing".to_owned());
        }
        None => warnings.push("Holdfast knows nothing of this backup but what Azure tells".to_owned()),
    }
    if *target != ask.source.id && databases.iter().any(|database| database.connection_string.is_some()) {
        let source = ask.source.id.short_name();
        warnings
            .push(format!("the databases are those of {source}: they are replaced although the app is not"));
    }
    let statuses = desk.store.status().await?;
    let running = statuses.iter().find(|status| status.app == *target).and_then(|status| status.running);
    if let Some(Running { kind, state }) = running {
        warnings.push(format!("a {kind} of {name} is {}: this one waits for it", state.as_str()));
    }
    Ok(warnings)
}
