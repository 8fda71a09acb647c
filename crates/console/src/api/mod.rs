//! The API: `/api/v1`, for programs.

pub mod access;
pub mod acts;
pub mod backups;
pub mod description;
pub mod drills;
mod list;
pub mod once;
pub mod reads;
pub mod restores;
