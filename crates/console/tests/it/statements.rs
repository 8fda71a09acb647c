//! How many statements each page and each call that reads asks of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Method;
use holdfast_access::Role;
use holdfast_console::{Entry, route_rules};
use holdfast_model::ManualClock;
use holdfast_store::{Mode, PgStore, SqliteStore, Store};
use holdfast_tests::postgres::Database;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_global_default;
use tracing::{Event, Metadata, Subscriber};

use crate::access::ask;
use crate::filled::{Filled, Filling};
use crate::route_matrix::Samples;
use crate::world::World;

/// Statements of a page or a call, at most.
const MOST: usize = 8;

/// What the store holds.
const FILLING: Filling = Filling { apps: 40, days: 2, hostile: false };

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Counts what the store tells of its statements.
struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "holdfast_store::statement"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        STATEMENTS.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Every page and every call that reads is in it by itself, because it comes from the table of routes.
/// The reading of PostgreSQL's clock, which no table has, is not counted.
async fn each_asks_few_statements(store: Arc<dyn Store>, clock: Arc<ManualClock>) {
    // The first test of the process has set it.
    let _ = set_global_default(Counter);
    let filled = Filled::over(FILLING, store, clock).await;
    let world = World::of_filled(&filled, Entry { requires_login: true, ..Entry::default() }).await;
    let viewer = world.token("viewer", Role::Viewer, &[]).await;
    let operator = world.token("operator", Role::Operator, &[]).await;
    let admin = world.token("admin", Role::Admin, &[]).await;
    let samples = Samples::new(&world, (&viewer, &operator)).await;
    let (mut counted, mut too_many) = (0, Vec::new());
    for rule in route_rules().into_iter().filter(|rule| rule.method == Method::GET) {
        let (request, body, _) = samples.of(&world, &rule, ("admin", &admin)).await;
        // The reading that pages share is read once every few seconds, and has statements of its own.
        ask(&world, &admin, &request, &body).await;
        let before = STATEMENTS.load(Ordering::SeqCst);
        let answer = ask(&world, &admin, &request, &body).await;
        let asked = STATEMENTS.load(Ordering::SeqCst) - before;
        counted += usize::from(asked > 0 && answer.status == 200);
        if asked > MOST {
            too_many.push(format!("{request}: {asked}"));
        }
    }
    assert!(too_many.is_empty(), "more than {MOST} statements: {too_many:#?}");
    assert!(counted > 10, "the statements are not counted");
    world.store.close().await;
}

#[tokio::test]
async fn no_page_or_call_asks_more_statements_of_sqlite_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, path) = (Filled::clock(FILLING), dir.path().join("s.sqlite"));
    let store = SqliteStore::open(&path, Arc::clone(&clock) as _, Mode::Own).await.unwrap();
    each_asks_few_statements(Arc::new(store), clock).await;
}

#[tokio::test]
async fn no_page_or_call_asks_more_statements_of_postgresql_than_it_may() {
    let Some(database) = Database::new().await else { return };
    let (clock, store) =
        (Filled::clock(FILLING), PgStore::connect(&database.url(), Mode::Own).await.unwrap());
    each_asks_few_statements(Arc::new(store.with_clock(Arc::clone(&clock) as _)), clock).await;
}
