//! Paced calls against a token bucket that refuses as ARM does, under paused time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt as _;
use holdfast_arm::Clouds;
use holdfast_model::{Call, Clock, Limits, Timestamp};
use holdfast_store::{BudgetDraw, MemoryStore, Store};
use tokio::time::Instant;

use super::super::observer::WaitObserver;
use super::super::pacer::PacerParts;
use super::*;

/// The clock of a paused runtime.
#[derive(Debug)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.elapsed().as_millis()).unwrap();
        Timestamp::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// ARM's bucket of reads.
struct Bucket {
    level: Mutex<(f64, Instant)>,
    refused: AtomicU32,
}

impl Bucket {
    fn holding(tokens: f64) -> Self {
        Self { level: Mutex::new((tokens, Instant::now())), refused: AtomicU32::new(0) }
    }

    async fn call(&self) -> Result<(), Error> {
        tokio::task::yield_now().await;
        let mut level = self.level.lock().unwrap();
        let tokens = (level.0 + level.1.elapsed().as_secs_f64() * 25.0).min(250.0);
        *level = ((tokens - 1.0).max(tokens.min(0.0)), Instant::now());
        if tokens >= 1.0 {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let wait = Duration::from_secs_f64((1.0 - tokens) / 25.0).as_secs() + 1;
        Err(throttled(Duration::from_secs(wait)))
    }
}

fn throttled(wait: Duration) -> Error {
    let (retry_after, scope) = (Some(wait), ThrottleScope::Arm);
    Error::new(Operation::GetSite, "shop", ErrorKind::Throttled { retry_after, scope }, "azure answered 429")
}

/// Counts the waits that are begun and not ended, and all of them.
#[derive(Default)]
struct Waits {
    open: AtomicU32,
    all: AtomicU32,
}

impl WaitObserver for Waits {
    fn begins(&self, _: &Wait) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

struct World {
    store: Arc<dyn Store>,
    waits: Arc<Waits>,
    arm: PacedArm,
    app: AppId,
}

fn world() -> World {
    let clock: Arc<dyn Clock> = Arc::new(PausedClock(Instant::now()));
    let store = |clock: &Arc<dyn Clock>| Arc::new(MemoryStore::new(Arc::clone(clock))) as Arc<dyn Store>;
    let (shared, waits) = (store(&clock), Arc::new(Waits::default()));
    let parts = PacerParts {
        shared: Some(Arc::clone(&shared)),
        local: store(&clock),
        limits: Limits::default(),
        observer: Arc::clone(&waits) as _,
    };
    let nothing = Clouds { by_subscription: BTreeMap::new(), otherwise: None };
    let arm = PacedArm::new(Arc::new(nothing), Arc::new(Pacer::new(parts)), Patience::Command);
    World { store: shared, waits, arm, app: AppId::new("s", "g", "shop", None) }
}

async fn read_all(world: &World, bucket: &Bucket, count: usize) -> usize {
    let one = |_| async {
        world.arm.read(Asked::of(Operation::GetSite, &world.app), || bucket.call()).await.is_ok()
    };
    let answers = futures::stream::iter(0..count).map(one).buffer_unordered(32);
    answers.filter(|is_ok| std::future::ready(*is_ok)).count().await
}

#[tokio::test(start_paused = true)]
async fn a_thousand_reads_stay_within_arms_bucket_and_leave_half_of_it_to_runs() {
    let (world, bucket, begun) = (world(), Bucket::holding(250.0), Instant::now());
    assert_eq!(read_all(&world, &bucket, 1_000).await, 1_000);
    assert_eq!(bucket.refused.load(Ordering::Relaxed), 0);
    // The upper half at once, the rest as it is refilled.
    let seconds = begun.elapsed().as_secs();
    assert!((30..45).contains(&seconds), "{seconds}");
    let (call, budget) = (Call::Read, Limits::default().reads);
    let subscription = world.app.subscription().clone();
    let limits = BudgetDraw { subscription, call, most: 0, budget };
    assert_eq!(world.store.draw_budget(&limits).await.unwrap().tokens, 0);
    assert!(bucket.level.lock().unwrap().0 >= 100.0, "runs have their half");
    assert!(world.waits.all.load(Ordering::Relaxed) > 0);
    assert_eq!(world.waits.open.load(Ordering::Relaxed), 0, "each wait that began has ended");
}

#[tokio::test(start_paused = true)]
async fn reads_pass_though_another_program_has_emptied_the_bucket() {
    let (world, bucket) = (world(), Bucket::holding(-100.0));
    assert_eq!(read_all(&world, &bucket, 300).await, 300);
    let refused = bucket.refused.load(Ordering::Relaxed);
    assert!((1..150).contains(&refused), "{refused}: a throttle stops the calls that have not left yet");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_never_repeated() {
    let (world, calls) = (world(), AtomicU32::new(0));
    let lost = async {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(Error::new(Operation::Backup, "shop", ErrorKind::Ambiguous, "no answer"))
    };
    let answer = world.arm.change(Asked::of(Operation::Backup, &world.app), lost).await;
    assert!(answer.is_err());
    assert_eq!(calls.into_inner(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_closed_for_long_fails_the_call_at_once_with_the_reason() {
    let (world, begun) = (world(), Instant::now());
    let hours = Duration::from_hours(5);
    let read = || async { Err::<(), _>(throttled(hours)) };
    assert!(world.arm.read(Asked::of(Operation::GetSite, &world.app), read).await.is_err());
    let error = world.arm.read(Asked::of(Operation::GetSite, &world.app), read).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "look at shop: not asked: the request budget of subscription s is used up or closed for another 18000 s"
    );
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_loop_asks_within_seconds_though_runs_use_the_budget_up_and_not_while_it_is_closed() {
    let World { store, arm, app, .. } = world();
    let arm = PacedArm { patience: Patience::Loop, ..arm };
    let begun = Instant::now();
    // Commands may draw the upper half alone: runs have left less.
    let (call, budget) = (Call::Read, Limits::default().reads);
    let draw = BudgetDraw { subscription: app.subscription().clone(), call, most: 250, budget };
    store.draw_budget(&draw).await.unwrap();
    let calls = AtomicU32::new(0);
    let refused = || async {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(throttled(Duration::from_mins(2)))
    };
    let asked = || Asked::of(Operation::GetSite, &app);
    assert!(arm.read(asked(), refused).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    let closed = arm.read(asked(), refused).await.unwrap_err();
    assert!(closed.to_string().contains("not asked"), "{closed}");
    assert_eq!(calls.load(Ordering::Relaxed), 1, "neither repeated nor sent while the budget is closed");
}
