//! What a change begins to do with a backup, and what may stand in its way.

use holdfast_model::{AppId, CatalogEntry, Delete, Restore, Run, RunEvent, RunId, RunKind, Task};

use crate::filter::RunFilter;

/// What a change begins to do with a backup.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Intent<'a> {
    /// To delete it.
    Delete(&'a Delete),
    /// To restore it, or to drill with it.
    Read(&'a Restore),
}

/// What the store holds that may stand in the way of an intent.
#[derive(Debug, Default)]
pub(crate) struct IntentFacts {
    /// The backup to delete, as the catalog has it.
    pub subject: Option<CatalogEntry>,
    /// Whether that is held by the events, whatever its row says.
    pub is_held: bool,
    /// Whether that is the last one of its app.
    pub is_last: bool,
    /// The runs of [`Intent::rivals`].
    pub rivals: Vec<Rival>,
}

/// An unfinished run that may stand in the way, as far as it can be read.
#[derive(Debug)]
pub(crate) struct Rival {
    /// Its id.
    pub id: RunId,
    /// Its app.
    pub app: Option<AppId>,
    /// What it does.
    pub task: Option<Task>,
    /// The column with its subject.
    pub subject: Option<String>,
    /// Whether Azure may be carrying it out.
    pub is_in_flight: bool,
}

impl Rival {
    /// A run that can be read.
    pub fn of(run: &Run) -> Self {
        Self {
            id: run.id,
            app: Some(run.app.clone()),
            task: Some(run.task.clone()),
            subject: run.task.subject(),
            is_in_flight: run.state.is_in_flight(),
        }
    }

    /// Whether it may read the backup that `delete` deletes. A restore whose task cannot be read may read any backup.
    fn reads(&self, app: &AppId, delete: &Delete) -> bool {
        let reads = |restore: &Restore| restore.reads(app, delete.backup, &delete.blob);
        self.task.as_ref().is_none_or(|task| task.restore().is_some_and(reads))
    }

    /// Whether Azure may be deleting, for it, the backup that `restore` reads.
    fn is_deleting(&self, restore: &Restore) -> bool {
        let deletes = match (&self.task, &self.app) {
            (Some(Task::Delete(delete)), Some(app)) => restore.reads(app, delete.backup, &delete.blob),
            (None, Some(app)) => {
                let subject = restore.backup.map(|backup| format!("delete {backup}"));
                *app == restore.source && subject.is_some() && subject == self.subject
            }
            _ => false,
        };
        self.is_in_flight && deletes
    }
}

impl<'a> Intent<'a> {
    /// The intent in a change of `run`: only a change that starts an attempt has one.
    pub fn of(run: &'a Run, events: &[RunEvent]) -> Option<Self> {
        if !events.iter().any(|event| matches!(event, RunEvent::AttemptStarted { .. })) {
            return None;
        }
        match &run.task {
            Task::Delete(delete) => Some(Self::Delete(delete)),
            task => task.restore().map(Self::Read),
        }
    }

    /// What of the catalog and of blobs no other transaction may change, or have an intent about, until this one ends.
    pub fn locks(self, run: &Run) -> [String; 2] {
        match self {
            Self::Delete(delete) => [run.app.to_string(), delete.blob.clone()],
            Self::Read(restore) => [restore.source.to_string(), restore.blob.clone()],
        }
    }

    /// The deletion, which depends on the catalog entry of its backup.
    pub fn deletion(self) -> Option<&'a Delete> {
        match self {
            Self::Delete(delete) => Some(delete),
            Self::Read(_) => None,
        }
    }

    /// Whether the intent depends on the backup not being the last one of its app.
    pub fn spares_last(self) -> bool {
        matches!(self, Self::Delete(delete) if !delete.allow_last)
    }

    /// The unfinished runs that may stand in the way.
    pub fn rivals(self) -> impl Iterator<Item = RunFilter> {
        let kinds: &[RunKind] = match self {
            Self::Delete(_) => &[RunKind::Restore, RunKind::Drill],
            Self::Read(_) => &[RunKind::Delete],
        };
        let unfinished =
            |kind: &RunKind| RunFilter { kind: Some(*kind), unfinished: true, ..RunFilter::default() };
        kinds.iter().map(unfinished)
    }

    /// Whether anything prevents `run`. A backup that a run reads is not deleted; a deletion that has begun
    /// cannot be undone.
    pub fn is_hindered(self, run: &Run, facts: &IntentFacts) -> bool {
        let is_held = facts.is_held || facts.subject.as_ref().is_some_and(|kept| kept.hold.is_some());
        let is_spared = self.spares_last() && facts.is_last;
        let is_rival = |other: &Rival| match self {
            Self::Delete(delete) => other.reads(&run.app, delete),
            Self::Read(restore) => other.is_deleting(restore),
        };
        is_held || is_spared || facts.rivals.iter().any(is_rival)
    }
}
