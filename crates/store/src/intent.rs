//! What a change begins, where something may stand against it by the time it is committed.

use holdfast_model::{AppId, Delete, Restore, Run, RunEvent, RunKind, Task};

use crate::RunFilter;

/// What a change begins to do with a backup.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Intent<'a> {
    /// To delete it.
    Delete(&'a Delete),
    /// To restore from it, for practice or not.
    Read(&'a Restore),
}

impl<'a> Intent<'a> {
    /// The intent in a change of `run`, if there is one.
    pub fn of(run: &'a Run, events: &[RunEvent]) -> Option<Self> {
        if !events.iter().any(|event| matches!(event, RunEvent::AttemptStarted { .. })) {
            return None;
        }
        match &run.task {
            Task::Delete(delete) => Some(Self::Delete(delete)),
            task => task.restore().map(Self::Read),
        }
    }

    /// Whose backup it is about, and in which blob that lies.
    pub fn about(self, run: &'a Run) -> (&'a AppId, &'a str) {
        match self {
            Self::Delete(delete) => (&run.app, &delete.blob),
            Self::Read(restore) => (&restore.source, &restore.blob),
        }
    }

    /// The kinds of runs that may stand against it, as long as they have not ended.
    pub fn rivals(self) -> impl Iterator<Item = RunFilter> {
        let kinds: &[RunKind] = match self {
            Self::Delete(_) => &[RunKind::Restore, RunKind::Drill],
            Self::Read(_) => &[RunKind::Delete],
        };
        let unfinished =
            |kind: &RunKind| RunFilter { kind: Some(*kind), unfinished: true, ..RunFilter::default() };
        kinds.iter().map(unfinished)
    }

    /// Does another run stand against `run`, which means to do it? Who is to read a backup keeps it; who has begun to
    /// delete it cannot be called back.
    pub fn is_hindered_by(self, run: &Run, other: &Run) -> bool {
        match self {
            Self::Delete(delete) => other.reads(&run.app, delete),
            Self::Read(restore) => other.is_deleting(restore),
        }
    }
}
