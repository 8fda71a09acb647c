//! Builds a migrator from embedded files.
//!
//! `sqlx::migrate!` does the same, but its macro crate makes cargo build tokio, rustls and SQLite a second time.

use std::borrow::Cow;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The migrator of these files; a name such as `0001_fleet_and_runs.sql` has the version and the description.
pub(crate) fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().filter_map(|(name, sql)| {
        let (version, description) = name.trim_end_matches(".sql").split_once('_')?;
        let description = Cow::Owned(description.replace('_', " "));
        let sql = SqlStr::from_static(sql);
        Some(Migration::new(version.parse().ok()?, description, MigrationType::Simple, sql, false))
    });
    Migrator::with_migrations(migrations.collect())
}
