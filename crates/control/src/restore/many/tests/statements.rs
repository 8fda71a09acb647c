//! How many statements a plan asks of the store.

use holdfast_store::{Mode, SqliteStore};

use super::*;

/// Counts what a store tells of its statements on this thread.
struct Statements(Arc<AtomicUsize>);

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "holdfast_store::statement"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &tracing::Id) {}

    fn exit(&self, _: &tracing::Id) {}
}

#[tokio::test]
async fn a_plan_of_many_apps_asks_the_store_no_more_than_one_of_few_does() {
    let count = Arc::new(AtomicUsize::new(0));
    let _counting = tracing::subscriber::set_default(Statements(Arc::clone(&count)));
    let mut asked = Vec::new();
    for apps in [2, 90] {
        let names: Vec<String> = (0..apps).map(|number| format!("app-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (folder, clock) =
            (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(at("2026-11-30T09:00:00Z"))));
        let path = folder.path().join("store.sqlite");
        let store = SqliteStore::open(&path, Arc::clone(&clock) as _, Mode::Own).await.unwrap();
        let world = World::over(&names, Arc::new(store), clock).await;
        let (context, mut of) = (world.context().await, Vec::new());
        for to in [ManyTargets::InPlace, ManyTargets::New("{app}-x".into()), ManyTargets::Scratch] {
            let before = count.load(Ordering::Relaxed);
            let plan = plan_many(&context, &request(to)).await.unwrap();
            assert_eq!(plan.starts.len(), apps, "{:?}", shown(&plan));
            of.push(count.load(Ordering::Relaxed) - before);
        }
        asked.push(of);
        world.store.close().await;
    }
    assert_eq!(asked[0], asked[1], "statements for two apps, and for ninety");
    assert!(asked[0].iter().all(|count| (1..=4).contains(count)), "{asked:?}");
}
