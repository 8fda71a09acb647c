//! The kinds of runs.

use crate::words::words;

words! {
    /// A [`Task`] without its data.
    pub enum RunKind {
        /// See [`Task::Backup`].
        Backup,
        /// See [`Task::Restore`].
        Restore,
        /// See [`Task::Drill`].
        Drill,
        /// See [`Task::Delete`].
        Delete,
        /// See [`Task::RefreshSas`].
        RefreshSas,
        /// See [`Task::PushSchedule`].
        PushSchedule,
        /// See [`Task::OperatorAction`].
        OperatorAction,
    }
}
