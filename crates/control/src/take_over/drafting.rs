//! From what Azure says about apps to the draft of a fleet file. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::Fleet;
use holdfast_model::{AppId, DATABASES_END, DatabaseFacts, DatabaseKind, Timestamp};
use holdfast_storage::{Container, ObservedSchedule};

use super::container_patterns::UsedContainers;
use super::draft::{DraftApp, DraftDatabase, FleetDraft, LeftOut, Remark, SecretToSet};
use super::look::FoundApp;
use super::policy_groups::{GroupKey, PolicyGroups};
use super::storage_names::{SasChoice, StorageNames, variable};

/// What people choose about a draft.
#[derive(Debug)]
pub struct DraftOptions<'a> {
    /// Where the SAS of storages come from.
    pub sas: SasChoice,
    /// The container of apps that have none; `None` leaves them out.
    pub container: Option<Container>,
    /// The fleet that the draft is added to: its apps are left out, and its names are kept.
    pub fleet: Option<&'a Fleet>,
    /// The time.
    pub now: Timestamp,
}

/// What an app gets.
enum Verdict<'a> {
    /// The policy of its native schedule.
    Scheduled(&'a ObservedSchedule, &'a Container),
    /// The policy of apps without one.
    Default(&'a Container),
}

/// Why an app gets nothing.
struct Reason {
    why: String,
    never: bool,
}

/// Drafts the storages, policies and entries of the apps.
pub fn draft(apps: &[FoundApp], options: &DraftOptions<'_>) -> FleetDraft {
    let (mut draft, mut given) = (FleetDraft::default(), Vec::new());
    let distinct: BTreeMap<&AppId, &FoundApp> = apps.iter().map(|app| (&app.site.id, app)).collect();
    for (id, app) in distinct {
        if options.fleet.is_some_and(|fleet| fleet.apps.iter().any(|listed| listed.id == *id)) {
            continue;
        }
        draft.remarks.extend(remarks(app, options.now));
        match verdict(app, options) {
            Ok(verdict) => given.push((id, verdict)),
            Err(Reason { why, never }) => draft.left_out.push(LeftOut { app: id.clone(), why, never }),
        }
    }
    let mut used = UsedContainers::default();
    for (id, verdict) in &given {
        used.add(id, verdict.container());
    }
    let storages = StorageNames::of(&used, options.sas, options.fleet);
    let (mut groups, mut entries) = (PolicyGroups::default(), Vec::new());
    for (id, verdict) in given {
        let storage = storages.name(verdict.container());
        let (key, databases) = match verdict {
            Verdict::Scheduled(found, _) => (groups.add(&found.schedule, storage), found.databases()),
            Verdict::Default(_) => (groups.add_default(storage), &[][..]),
        };
        entries.push((id, key, databases));
    }
    let taken: BTreeSet<String> =
        options.fleet.iter().flat_map(|fleet| fleet.policies.keys()).map(ToString::to_string).collect();
    let policies = groups.policies(&taken);
    let policy_of = |key: &GroupKey| policies.get(key).map(|policy| policy.name.clone()).unwrap_or_default();
    let mut secrets: BTreeSet<SecretToSet> = storages.secrets.into_iter().collect();
    for (id, key, found) in entries {
        let (databases, needed) = databases(id, found, options.now);
        secrets.extend(needed);
        draft.apps.push(DraftApp { app: id.clone(), policy: policy_of(&key), databases });
    }
    draft.storages = storages.sections;
    draft.policies = policies.into_values().collect();
    draft.secrets = secrets.into_iter().collect();
    draft
}

impl Verdict<'_> {
    fn container(&self) -> &Container {
        match self {
            Self::Scheduled(_, container) | Self::Default(container) => container,
        }
    }
}

fn verdict<'a>(app: &'a FoundApp, options: &'a DraftOptions<'_>) -> Result<Verdict<'a>, Reason> {
    let left_out = |why: String, never| Err(Reason { why, never });
    if let Some(why) = app.site.why_unsupported() {
        return left_out(format!("is {why}"), true);
    }
    let without = |why: &str| match &options.container {
        Some(container) => Ok(Verdict::Default(container)),
        None => left_out(why.to_owned(), false),
    };
    match &app.schedule {
        Err(why) => left_out(format!("did not show its native schedule: {why}"), false),
        Ok(None) => without("has no native schedule"),
        Ok(Some(found)) if !found.schedule.enabled => without("has a native schedule that is switched off"),
        Ok(Some(found)) => match found.container().or(options.container.as_ref()) {
            Some(container) => Ok(Verdict::Scheduled(found, container)),
            None => left_out(
                "has a native schedule without the URL of a container: name one with --container".to_owned(),
                false,
            ),
        },
    }
}

/// What a person should know about an app, whatever it gets.
fn remarks(app: &FoundApp, now: Timestamp) -> Vec<Remark> {
    let mut says = Vec::new();
    if app.site.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("stopped")) {
        says.push("is stopped: remove its entry if it is not used again".to_owned());
    }
    let enabled = app.schedule.as_ref().ok().and_then(Option::as_ref).filter(|found| found.schedule.enabled);
    if let Some(found) = enabled {
        let native = |fault| format!("has a native schedule that needs attention: {fault}");
        says.extend(found.faults(now).into_iter().map(native));
        if found.schedule.retention_days == 0 {
            says.push(
                "has a native schedule that keeps its backups forever: its policy has no retention"
                    .to_owned(),
            );
        }
    }
    says.into_iter().map(|says| Remark { app: app.site.id.clone(), says }).collect()
}

/// The databases of a native schedule. One in the app is backed up with it, and needs no entry.
fn databases(app: &AppId, found: &[DatabaseFacts], now: Timestamp) -> (Vec<DraftDatabase>, Vec<SecretToSet>) {
    let (mut databases, mut secrets) = (Vec::new(), Vec::new());
    for DatabaseFacts { kind, name } in found {
        let kind = DatabaseKind::from_word(kind).filter(|kind| *kind != DatabaseKind::LocalMySql);
        let Some(kind) = kind.filter(|_| now.date_naive() <= DATABASES_END) else { continue };
        let variable = variable("HOLDFAST_DATABASE_", &format!("{}_{name}", app.short_name()));
        let holds = format!("the connection string of the database {name} of {}", app.short_name());
        let connection_string = format!("env:{variable}");
        databases.push(DraftDatabase { kind: kind.as_str(), name: name.clone(), connection_string });
        secrets.push(SecretToSet { variable, holds });
    }
    (databases, secrets)
}
