//! The kinds of runs.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::words::words;

/// A [`Task`] without its data.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumCount,
    IntoStaticStr,
    VariantArray,
    strum::Display,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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

words!(RunKind);
