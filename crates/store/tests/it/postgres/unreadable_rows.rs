//! The same on PostgreSQL.

use super::Fixture;
use crate::unreadable_rows::{one_bad_row_harms_one_row, rows_are_removed_one_by_one};

#[tokio::test]
async fn a_row_that_cannot_be_read_harms_only_itself() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let database = fixture.unguarded().await;
    one_bad_row_harms_one_row(&mut fixture, database).await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_removed_and_kept_aside() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let database = fixture.unguarded().await;
    rows_are_removed_one_by_one(&mut fixture, database).await;
}
