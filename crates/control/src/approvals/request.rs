//! What a second person confirms, and what it will do: taken from a plan, and planned again at the confirmation.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::{AppId, RunId, Timestamp, format_timestamp};
use holdfast_store::{Approval, Store};
use serde::{Deserialize, Serialize};

use crate::deletion::{Allowed, DeletionPlan, DeletionRequest};
use crate::restore::{Databases, Destination, RestorePlan, RestoreRequest, Wanted};
use crate::{Error, ErrorKind, age, until};

/// The longest time that a request waits.
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// What a request does, in names and values.
pub type Effect = Vec<(String, String)>;

/// A request as the store keeps it: it names apps by their ids, and the backup that was planned.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalRequest {
    /// A restore.
    Restore(RestoreRequest),
    /// Several restores, which start together.
    Restores(Vec<RestoreRequest>),
    /// A deletion.
    Delete(DeletionRequest),
}

impl ApprovalRequest {
    /// The request for the same plans.
    pub(super) fn of(plans: &[RestorePlan]) -> Self {
        match plans {
            [plan] => Self::Restore(plan.request()),
            several => Self::Restores(several.iter().map(RestorePlan::request).collect()),
        }
    }
}

/// What restores replace, and with what; of several, one line for each target.
pub fn restore_effect(plans: &[RestorePlan]) -> Effect {
    let line = |plan: &RestorePlan| {
        let parts: Vec<String> = plan
            .effect()
            .into_iter()
            .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
            .collect();
        (plan.word(), parts.join("; "))
    };
    match plans {
        [plan] => plan.effect(),
        several => several.iter().map(line).collect(),
    }
}

impl RestorePlan {
    /// The request for the same plan.
    fn request(&self) -> RestoreRequest {
        let is_other = self.target.app != self.source;
        let restore = self.run.as_ref().and_then(|run| run.task.restore());
        RestoreRequest {
            app: self.source.to_string(),
            wanted: self.backup.id.map_or_else(|| Wanted::Blob(self.backup.blob.clone()), Wanted::Id),
            destination: Destination {
                to: is_other.then(|| self.target.app.to_string()),
                ..Destination::default()
            },
            plan: None,
            overwrite: true,
            databases: if self.ignore_databases { Databases::Ignore } else { Databases::Bring(Vec::new()) },
            ignore_conflicting_host_names: restore
                .is_some_and(|restore| restore.ignore_conflicting_host_names),
            storage: self.run.as_ref().map(|run| run.policy_snapshot.storage.clone()),
        }
    }

    /// What it replaces, and with what. A plan with another effect is another request.
    pub fn effect(&self) -> Effect {
        let number = self.backup.id.map_or_else(|| "a blob".to_owned(), |id| format!("backup {id}"));
        let taken = self.backup.taken_at.map(|at| format!(" of {}", format_timestamp(at)));
        let names: Vec<&str> = self.databases.iter().map(|database| database.name.as_str()).collect();
        let databases = match (self.ignore_databases, names.is_empty()) {
            (true, _) => "are left as they are".to_owned(),
            (false, true) => "none in the backup".to_owned(),
            (false, false) => format!("{}: replaced too", names.join(", ")),
        };
        let restore = self.run.as_ref().and_then(|run| run.task.restore());
        let hosts = if restore.is_some_and(|restore| restore.ignore_conflicting_host_names) {
            "those of other apps are left out"
        } else {
            "all"
        };
        lines([
            ("From", format!("{number}{} of {}", taken.unwrap_or_default(), self.source)),
            ("Blob", format!("{} in {}", self.backup.blob, self.container)),
            ("Into", self.target.app.to_string()),
            ("Replaced", "everything in it, all but what its _backup.filter names".to_owned()),
            ("Databases", databases),
            ("Host names", hosts.to_owned()),
        ])
    }
}

impl DeletionPlan {
    /// The request for the same plan.
    pub(super) fn request(&self) -> ApprovalRequest {
        let foreign = self.backups.iter().find(|planned| planned.is_foreign);
        ApprovalRequest::Delete(DeletionRequest {
            app: self.app.id.to_string(),
            backups: self.backups.iter().map(|planned| planned.backup.id).collect(),
            allowed: Allowed { foreign: foreign.is_some(), last: self.allow_last },
            storage: foreign.map(|planned| planned.policy_snapshot.storage.clone()),
        })
    }

    /// What it deletes, and what is left. A plan with another effect is another request.
    pub fn effect(&self) -> Effect {
        let mut effect = lines([("App", self.app.id.to_string())]);
        for planned in &self.backups {
            let (backup, storage) = (&planned.backup, &planned.policy_snapshot.storage);
            let taken = format_timestamp(backup.accepted_at);
            let foreign = if planned.is_foreign { ", taken by others" } else { "" };
            let what = format!("backup {} of {taken}: {} in {storage}{foreign}", backup.id, backup.blob);
            effect.extend(lines([("Deleted", what)]));
        }
        if let Some(newest) = &self.newest_good {
            let left = format_timestamp(newest.left_from);
            effect.extend(lines([("Left", format!("the newest good backup is then of {left}"))]));
        }
        if self.allow_last {
            effect.extend(lines([("Last one", "may be deleted".to_owned())]));
        }
        effect
    }
}

fn lines<const N: usize>(pairs: [(&str, String); N]) -> Effect {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The apps that a request is about: those that change, and those whose backups are restored.
pub fn apps(approval: &Approval) -> Vec<AppId> {
    let requests = match read(approval) {
        Ok(ApprovalRequest::Restore(request)) => vec![request],
        Ok(ApprovalRequest::Restores(requests)) => requests,
        Ok(ApprovalRequest::Delete(_)) | Err(_) => Vec::new(),
    };
    let named = requests.iter().flat_map(|request| [Some(&request.app), request.destination.to.as_ref()]);
    let named = named.flatten().filter_map(|name| name.parse().ok());
    let all: BTreeSet<AppId> = std::iter::once(approval.app.clone()).chain(named).collect();
    all.into_iter().collect()
}

/// How many apps a request replaces.
pub(super) fn replaced(approval: &Approval) -> usize {
    match read(approval) {
        Ok(ApprovalRequest::Restores(requests)) => requests.len(),
        _ => 1,
    }
}

/// The request that the store keeps.
pub(super) fn read(approval: &Approval) -> Result<ApprovalRequest, Error> {
    serde_json::from_str(&approval.request).map_err(|_| {
        let what = format!("request {} cannot be read: another version of Holdfast wrote it", approval.id);
        Error::new(ErrorKind::Conflict, what).help("ask again")
    })
}

/// The request with this id.
pub async fn named(store: &dyn Store, id: RunId) -> Result<Approval, Error> {
    let missing = || {
        let what = format!("there is no request {id} for a confirmation");
        Error::new(ErrorKind::NotFound, what).help("the overview lists those that wait")
    };
    store.approval(id).await?.ok_or_else(missing)
}

/// When a request ends or ended, in words.
pub fn expiry(approval: &Approval, now: Timestamp) -> String {
    let at = approval.expires_at;
    if at > now { until(at, now) } else { age(at, now) }
}
