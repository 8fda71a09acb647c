//! The kinds of runs.

use crate::words::words;

words! {
    /// A [`crate::Task`] without its data.
    pub enum RunKind {
        /// See [`crate::Task::Backup`].
        Backup,
        /// See [`crate::Task::Restore`].
        Restore,
        /// See [`crate::Task::Drill`].
        Drill,
        /// See [`crate::Task::Delete`].
        Delete,
        /// See [`crate::Task::RefreshSas`].
        RefreshSas,
        /// See [`crate::Task::PushSchedule`].
        PushSchedule,
        /// See [`crate::Task::CheckCatalog`].
        CheckCatalog,
        /// See [`crate::Task::OperatorAction`].
        OperatorAction,
    }
}
