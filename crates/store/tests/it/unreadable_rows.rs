//! A row that holds what no version of the program writes harms itself alone, and can be removed.

use std::ops::DerefMut;
use std::time::Duration;

use holdfast_model::{
    App, AppId, Clock, Limits, NewRun, OperatorAction, PolicySnapshot, Run, RunId, StorageName, Timestamp,
};
use holdfast_store::{
    CatalogFilter, Enrolled, Error, LaneQuota, Removed, RowRemoval, RunFilter, Store, UnreadableRow,
};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::history::{Fixture, History, fleet};

#[tokio::test]
async fn a_row_that_cannot_be_read_harms_only_itself() {
    let mut fixture = Fixture::with_backups().await;
    let database = unguarded(&fixture).await;
    one_bad_row_harms_one_row(&mut fixture, database).await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_removed_and_kept_aside() {
    let mut fixture = Fixture::with_backups().await;
    let database = unguarded(&fixture).await;
    rows_are_removed_one_by_one(&mut fixture, database).await;
}

/// A connection to the file, whose catalog anyone may change.
async fn unguarded(fixture: &Fixture) -> sqlx::SqliteConnection {
    let mut connection = fixture.raw().await;
    for guard in [
        "catalog_changes_follow_the_audit",
        "catalog_changes_have_their_holds",
        "catalog_entries_keep_their_key",
        "runs_keep_their_creation",
    ] {
        let drop = AssertSqlSafe(format!("DROP TRIGGER {guard}"));
        sqlx::raw_sql(drop).execute(&mut connection).await.unwrap();
    }
    connection
}

/// Statements on a database, with nothing of the store between.
struct Raw<C>(C);

impl<C> Raw<C>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    async fn sql(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        self.0.execute(sqlx::raw_sql(sql)).await.map(|_| ()).unwrap();
    }
}

const SHOPS: &str =
    "/subscriptions/0b1f6471-1bf0-4dda-aec3-111122223333/resourceGroups/shops/providers/Microsoft.Web/sites";

/// The fleet with schedules, so that every app in a policy has a cursor that is due.
fn scheduled(now: Timestamp) -> Vec<Enrolled> {
    let schedule = |enrolled: Enrolled| Enrolled {
        schedule: enrolled.app.policy.as_ref().map(|_| ("print".to_owned(), now)),
        ..enrolled
    };
    fleet().into_iter().map(schedule).collect()
}

fn names(apps: impl IntoIterator<Item = AppId>) -> Vec<String> {
    apps.into_iter().map(|app| app.short_name()).collect()
}

pub async fn one_bad_row_harms_one_row<S: Store, C>(
    history: &mut impl DerefMut<Target = History<S>>,
    database: C,
) where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let mut raw = Raw(database);
    let now = history.clock.now();
    let (bad, good) = (history.add("blog").await, history.add("shop").await);
    history.store.sync_fleet(&scheduled(now), &[]).await.unwrap();
    raw.sql("UPDATE apps SET retention = '{oops' WHERE app LIKE '%/blog'").await;
    raw.sql(
        "INSERT INTO apps (app, paused, partial_is_good, enrolled_at)
        VALUES ('/subscriptions/s/resourceGroups/../sites/x', false, false, '2026-01-01T00:00:00.000Z')",
    )
    .await;
    raw.sql("UPDATE cursors SET app = '!odd', through = '2026-01-01T00:00:00.000Z', next_at = '2026-01-01T00:00:00.000Z' WHERE app LIKE '%/blog'").await;
    raw.sql(&format!("UPDATE runs SET task = '{{', trigger = 'whim' WHERE id = '{}'", bad.id)).await;
    raw.sql("UPDATE catalog SET databases = '[{' WHERE backup_id = 4").await;
    raw.sql("UPDATE catalog SET app = '!odd' WHERE backup_id = 1").await;

    let store = &history.store;
    assert_eq!(names(store.status().await.unwrap().into_iter().map(|status| status.app)), ["shop", "stray"]);
    assert_eq!(
        names(store.cursors_due(None, 1).await.unwrap().into_iter().map(|cursor| cursor.app)),
        ["shop"]
    );
    let newest = |most| RunFilter { most, ..RunFilter::default() };
    let runs = store.runs(&newest(1)).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [good.id]);
    let all = store.runs(&RunFilter::default()).await.unwrap();
    assert!(all.len() > 4 && all.iter().all(|run| run.id != bad.id));

    let pages = CatalogFilter { most_apps: 1, ..CatalogFilter::default() };
    let first = store.catalog(&pages).await.unwrap();
    assert_eq!(first.iter().map(|entry| entry.backup.id.0).collect::<Vec<_>>(), [3]);
    let second = CatalogFilter { after: Some(first[0].app.clone()), ..pages.clone() };
    let second = store.catalog(&second).await.unwrap();
    assert_eq!(second.iter().map(|entry| entry.backup.id.0).collect::<Vec<_>>(), [5]);

    the_bad_run_steps_aside(history, &bad, &good).await;

    // The fleet names the app, so a sync of it repairs its rows.
    let change = history.store.sync_fleet(&scheduled(now), &[]).await.unwrap();
    assert_eq!((change.added, change.removed), (1, 0));
    let apps = history.store.status().await.unwrap();
    assert_eq!(names(apps.into_iter().map(|status| status.app)), ["blog", "shop", "stray"]);
    assert_eq!(history.store.cursors_due(None, 9).await.unwrap().len(), 2);
}

/// A due run that cannot be read is leased once, and waits before it is leased again.
async fn the_bad_run_steps_aside<S: Store>(history: &History<S>, bad: &Run, good: &Run) {
    let store = &history.store;
    let lane = good.lane().unwrap();
    assert!(store.due_lanes().await.unwrap().lanes.iter().any(|due| due.lane == lane));
    let quotas = [LaneQuota { lane, most: 9 }];
    let limits = Limits::default();
    let acquire = || {
        store.acquire(&quotas, &limits, holdfast_store::LeaseTerms { lasts: Duration::from_mins(5), seed: 1 })
    };
    let leased: Vec<RunId> = acquire().await.unwrap().iter().map(|leased| leased.wakeup.run_id).collect();
    assert!(leased.contains(&good.id) && leased.contains(&bad.id));
    assert_eq!(store.load(good.id).await.unwrap().unwrap().run.id, good.id);
    let refusal = store.load(bad.id).await.unwrap_err();
    let Error::Unreadable { row, .. } = &refusal else { panic!("{refusal}") };
    assert_eq!((row.table, row.key_text(), &*row.column), ("runs", bad.id.to_string(), "task"));
    assert!(refusal.to_string().contains("holdfast store check"), "{refusal}");
    assert!(acquire().await.unwrap().is_empty(), "the bad run is due again only later");
    history.clock.advance(Duration::from_mins(11));
    store.reclaim().await.unwrap();
    assert!(acquire().await.unwrap().iter().any(|leased| leased.wakeup.run_id == bad.id));
}

/// A request to remove a row.
pub fn removal(table: &str, key: &str) -> RowRemoval {
    let seed = key.bytes().fold(table.len() as u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut rng = fastrand::Rng::with_seed(seed);
    let at = Timestamp::UNIX_EPOCH;
    let (table, key, reason) = (table.to_owned(), key.to_owned(), "a test".to_owned());
    let action =
        OperatorAction::RowRemoved { table: table.clone(), key: key.clone(), reason: reason.clone() };
    let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    let id = RunId::new(at, &mut rng);
    let action =
        NewRun::operator_action(id, &App::new(AppId::unknown()), &snapshot, action, "ann".into(), at);
    RowRemoval { table, key, reason, actor: "ann".into(), action }
}

pub async fn rows_are_removed_one_by_one<S: Store, C>(
    history: &mut impl DerefMut<Target = History<S>>,
    database: C,
) where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let mut raw = Raw(database);
    let now = history.clock.now();
    let run = history.add("blog").await;
    history.store.sync_fleet(&scheduled(now), &[]).await.unwrap();
    let subscription = run.app.subscription();
    history.store.close_budget(subscription, holdfast_model::Call::Read, now).await.unwrap();
    assert_eq!(history.store.unreadable_rows().await.unwrap(), []);
    raw.sql("UPDATE apps SET retention = '7' WHERE app LIKE '%/stray'").await;
    raw.sql("UPDATE cursors SET app = 'odd \u{1b}' WHERE app LIKE '%/blog'").await;
    raw.sql(&format!("UPDATE unfinished_runs SET lane = 'nowhere' WHERE id = '{}'", run.id)).await;
    raw.sql("UPDATE catalog SET origin = 'magic' WHERE backup_id = 4").await;
    raw.sql("UPDATE budgets SET call = 'dance'").await;
    raw.sql(
        "INSERT INTO subscriptions (subscription, asked_at, next_at, left_out)
        VALUES ('s', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '{')",
    )
    .await;
    assert_eq!(history.store.subscriptions().await.unwrap().len(), 0);
    let found = history.store.unreadable_rows().await.unwrap();
    let told: Vec<(&str, String, &str)> =
        found.iter().map(|row| (row.table, row.key_text(), row.column.as_str())).collect();
    let (stray, shop_4, budget) =
        (format!("{SHOPS}/stray"), format!("{SHOPS}/shop 4 1"), format!("{subscription} dance"));
    assert_eq!(
        told,
        [
            ("apps", stray.clone(), "retention"),
            ("cursors", "odd \u{1b}".to_owned(), "app"),
            ("budgets", budget, "call"),
            ("subscriptions", "s".to_owned(), "left_out"),
            ("runs", run.id.to_string(), "lane"),
            ("catalog", shop_4, "origin"),
        ]
    );

    let store = &history.store;
    let remove = async |table: &str, key: &str| store.remove_unreadable(&removal(table, key)).await.unwrap();
    assert_eq!(remove("apps", &format!("{SHOPS}/shop")).await, Removed::Readable);
    assert_eq!(remove("catalog", "nothing").await, Removed::Missing);
    assert_eq!(remove("audit_events", "1").await, Removed::Kept);
    let before = store.audit(0, 999).await.unwrap().len();
    for row in &found {
        assert_eq!(remove(row.table, &row.key_text()).await, Removed::Done(row.clone()));
    }
    assert_eq!(store.unreadable_rows().await.unwrap(), Vec::<UnreadableRow>::new());
    let audit = store.audit(0, 999).await.unwrap();
    let apps: Vec<String> = names(audit[before..].iter().map(|event| event.app.clone()));
    assert_eq!(apps, ["stray", "unknown", "unknown", "unknown", "blog", "shop"]);
    raw.sql(
        "INSERT INTO cursors (app, policy, fingerprint, through, next_at)
        SELECT 'aside', row_key, row_json, at, at FROM set_aside_rows WHERE table_name = 'runs'",
    )
    .await;
    holdfast_store::verify_chain(&store.chain(0, 999).await.unwrap(), holdfast_store::Link::origin())
        .unwrap();
    // The app is free again.
    history.add("blog").await;
}
