//! How many statements each page and each list asks of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_access::{Permission, Role};
use holdfast_console::{Demand, Entry, route_rules};
use holdfast_store::{Mode, SqliteStore};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_global_default;
use tracing::{Event, Metadata, Subscriber};

use crate::access::ask;
use crate::filled::{Filled, Filling};
use crate::route_matrix::Samples;
use crate::world::World;

/// Statements of a page, at most.
const MOST: usize = 8;

/// What is no page or list: each reads as much as it is asked for, and has bounds of its own.
const UNBOUNDED: [&str; 2] = ["/audit/export", "/api/v1/audit/export"];

/// What commands ask for the whole fleet at once, which no page does: apps, subscriptions, budgets, breakers, checkpoints, revision,
/// processes and notifications, each with a statement, after the one of the login.
const WHOLE: [&str; 2] = ["/api/v1/status", "/api/v1/problems"];

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

/// Every route that reads is in it by itself, because it comes from the table of routes.
#[tokio::test]
async fn no_page_or_list_asks_more_statements_than_it_may() {
    set_global_default(Counter).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let filling = Filling { apps: 40, days: 2, hostile: false };
    let (clock, path) = (Filled::clock(filling), dir.path().join("s.sqlite"));
    let store = SqliteStore::open(&path, Arc::clone(&clock) as _, Mode::Own).await.unwrap();
    let filled = Filled::over(filling, Arc::new(store), clock).await;
    let world = World::of_filled(&filled, Entry { requires_login: true, ..Entry::default() }).await;
    let viewer = world.token("viewer", Role::Viewer, &[]).await;
    let operator = world.token("operator", Role::Operator, &[]).await;
    let samples = Samples::new(&world, (&viewer, &operator)).await;
    let (mut counted, mut too_many) = (0, Vec::new());
    for rule in route_rules() {
        let reads = rule.demand == Demand::Permission(Permission::View) && rule.method.as_str() == "GET";
        if !reads || UNBOUNDED.contains(&rule.path) {
            continue;
        }
        let (request, body, _) = samples.of(&world, &rule, ("viewer", &viewer)).await;
        // The reading that pages share is read once every few seconds, and has statements of its own.
        ask(&world, &viewer, &request, &body).await;
        let before = STATEMENTS.load(Ordering::SeqCst);
        let answer = ask(&world, &viewer, &request, &body).await;
        let asked = STATEMENTS.load(Ordering::SeqCst) - before;
        counted += usize::from(asked > 0 && answer.status == 200);
        if asked > MOST + usize::from(WHOLE.contains(&rule.path)) {
            too_many.push(format!("{request}: {asked}"));
        }
    }
    assert!(too_many.is_empty(), "more than {MOST} statements: {too_many:#?}");
    assert!(counted > 10, "the statements are not counted");
    world.store.close().await;
}
