//! What a step of a run writes.

use super::Fixture;

#[tokio::test]
async fn a_step_changes_no_index_of_runs_until_the_run_ends() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let run = fixture.add("shop").await;
    let started = fixture.started(&run);
    let run = fixture.happen(run, vec![started]).await;
    fixture.happen(run, vec![fixture.accepted(7)]).await;
    // A backend reports what it did at the latest when it ends.
    fixture.store.close().await;
    let mut raw = fixture.database.raw().await;
    let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'runs'";
    loop {
        let (updates, hot): (i64, i64) = sqlx::query_as(counts).fetch_one(&mut raw).await.unwrap();
        if updates == 2 {
            assert_eq!(hot, 2);
            return;
        }
        tokio::task::yield_now().await;
    }
}
