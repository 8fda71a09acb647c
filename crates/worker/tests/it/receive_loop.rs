//! The receive loop.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Limits, Priority, RunState};
use holdfast_queue::{Message, Queue};
use holdfast_worker::{Settings, Worker};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixtures::worker_world::WorkerWorld;

/// Five leased runs with their messages, and a storage that blocks grants.
async fn five_blocked_runs() -> WorkerWorld {
    let world = WorkerWorld::new();
    world.storage.gate.forget_permits(1_000);
    for site in ["a", "b", "c", "d", "e"] {
        world.add_run(site).await;
    }
    let limits = Limits { per_plan: 9, ..Limits::default() };
    let leased = world.acquire_within(&limits).await.into_iter();
    let messages: Vec<Message> = leased.map(|wakeup| Message::new(wakeup, Priority::Scheduled)).collect();
    world.queue.publish(&messages).await.unwrap();
    world
}

fn start(world: &WorkerWorld, concurrency: usize) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let worker = Worker::new(world.env.clone(), Settings::default(), concurrency);
    (tokio::spawn(worker.run(fastrand::Rng::with_seed(1), stop.clone())), stop)
}

/// Lets all ready tasks run.
async fn run_ready_tasks() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn requested_grants(world: &WorkerWorld) -> usize {
    world.storage.needs.lock().unwrap().len()
}

async fn polling(world: &WorkerWorld) -> usize {
    world.runs().await.iter().filter(|run| matches!(run.state, RunState::Polling { .. })).count()
}

#[tokio::test]
async fn a_worker_executes_as_many_steps_as_its_concurrency_and_leaves_the_rest_in_the_queue() {
    let world = five_blocked_runs().await;
    let (worker, stop) = start(&world, 2);
    run_ready_tasks().await;
    assert_eq!(requested_grants(&world), 2);
    world.storage.gate.add_permits(1);
    run_ready_tasks().await;
    assert_eq!(
        (requested_grants(&world), polling(&world).await),
        (5, 5),
        "a finished step makes room for the next"
    );
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_stopped_worker_finishes_its_steps_and_receives_no_message() {
    let world = five_blocked_runs().await;
    let (worker, stop) = start(&world, 2);
    run_ready_tasks().await;
    stop.cancel();
    run_ready_tasks().await;
    assert!(!worker.is_finished(), "steps are running");
    world.storage.gate.add_permits(1_000);
    worker.await.unwrap();
    assert_eq!((polling(&world).await, requested_grants(&world)), (2, 2));
    assert_eq!(world.queue.purge(), 3);
}

#[tokio::test]
async fn a_dropped_worker_drops_its_steps_and_their_messages_are_delivered_again() {
    let world = five_blocked_runs().await;
    let (worker, _stop) = start(&world, 2);
    run_ready_tasks().await;
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    run_ready_tasks().await;
    assert_eq!((polling(&world).await, world.arm.calls().len()), (0, 0));
    assert_eq!(world.queue.purge(), 5);
}

#[tokio::test]
async fn a_concurrency_of_zero_counts_as_one() {
    let world = five_blocked_runs().await;
    world.storage.gate.add_permits(1_000);
    let (worker, stop) = start(&world, 0);
    run_ready_tasks().await;
    assert_eq!(polling(&world).await, 5);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_step_that_panics_is_not_repeated_before_its_lease_expires() {
    let world = five_blocked_runs().await;
    let (worker, stop) = start(&world, 2);
    run_ready_tasks().await;
    // A grant that waits at a closed gate panics.
    world.storage.gate.close();
    run_ready_tasks().await;
    assert_eq!(requested_grants(&world), 5, "each message was tried once");
    assert_eq!(world.queue.purge(), 0);
    stop.cancel();
    worker.await.unwrap();
}

/// A queue that fails to receive.
#[derive(Debug, Default)]
struct BrokenQueue {
    receives: std::sync::atomic::AtomicU32,
}

#[async_trait::async_trait]
impl Queue for BrokenQueue {
    async fn publish(&self, _: &[Message]) -> Result<(), holdfast_queue::Error> {
        Ok(())
    }

    async fn receive(&self) -> Result<holdfast_queue::Delivery, holdfast_queue::Error> {
        self.receives.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Err(holdfast_queue::Error::Receive("the broker is gone".into()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_queue_is_retried_once_a_second_and_the_worker_still_stops() {
    let mut world = WorkerWorld::new();
    let queue = Arc::new(BrokenQueue::default());
    world.env.queue = queue.clone();
    let (worker, stop) = start(&world, 2);
    tokio::time::advance(Duration::from_millis(1)).await;
    for second in 1..5 {
        run_ready_tasks().await;
        assert_eq!(queue.receives.load(std::sync::atomic::Ordering::Relaxed), second);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    stop.cancel();
    worker.await.unwrap();
}
