//! The API: `/api/v1`, for programs.

pub mod access;
pub mod acts;
pub mod approvals;
pub mod audit;
pub mod backup_acts;
pub mod backups;
pub mod catalog;
pub mod config;
pub mod deletions;
pub mod description;
pub mod drills;
pub mod fleet;
pub mod holds;
pub mod letters;
mod list;
mod named;
pub mod native_schedules;
pub mod once;
pub mod pauses;
pub mod plain;
pub mod policies;
pub mod reads;
pub mod restores;
pub mod revisions;
pub mod selections;
pub mod standing;
mod started;
