//! A database of an older program is brought up to date, with all that is in it.

use holdfast_store::{Mode, PgStore, Store};
use holdfast_tests::postgres::Database;
use sqlx::AssertSqlSafe;

use super::Filled;
use crate::filled::{History, fleet, machine_clock};
use crate::migrating::{OLD, is_whole, migrations};

#[tokio::test]
async fn an_older_database_is_brought_up_to_date_and_keeps_what_is_in_it() {
    let Some(filled) = Filled::new().await else { return };
    let Some(database) = Database::new().await else { return };
    let mut connection = database.raw().await;
    migrations("postgres").await.run_to(4, &mut connection).await.unwrap();
    for (table, columns) in OLD {
        let key = columns.split(',').next().unwrap();
        let read =
            format!("SELECT json_agg(row ORDER BY {key})::text FROM (SELECT {columns} FROM {table}) AS row");
        let read = sqlx::query_scalar(AssertSqlSafe(read));
        let rows: String = read.fetch_one(&mut filled.database.raw().await).await.unwrap();
        let write = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::json)"
        );
        sqlx::query(AssertSqlSafe(write)).bind(rows).execute(&mut connection).await.unwrap();
    }
    let clock = machine_clock();
    let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap().with_clock(clock.clone());
    let mut old = History::of(store, clock);
    is_whole(&mut old).await;
    let unchanged = old.store.sync_fleet(&fleet()).await.unwrap();
    assert_eq!((unchanged.added, unchanged.changed, unchanged.removed), (0, 0, 0));
}
